// The endpoint in C on POSIX sockets, with a thread for each connection. `main` shows what the harness asks of a server in
// any language, `talk` how a connection is served, and http.c what HTTP is.
#define _GNU_SOURCE
#include "http.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { TICK_MS = 250, HEAD_MS = 10000, IDLE_MS = 60000, LINGER_MS = 1000, WRITE_MS = 30000, GRACE_MS = 500, DRAIN_MS = 10000 };
enum { BACKLOG = 4096, STACK_BYTES = 128 * 1024, LINGER_BYTES = 1024 * 1024 };

static atomic_bool draining, ending; // answers close their connections; then those that wait are closed
static atomic_int connections;
static int listener;

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "error: %s: %s\n", what, why);
	exit(1);
}

static void set_timeout(int socket, int option, int ms)
{
	struct timeval time = {ms / 1000, ms % 1000 * 1000};
	setsockopt(socket, SOL_SOCKET, option, &time, sizeof time);
}

static bool write_all(int socket, const char *bytes, size_t count)
{
	while (count > 0) {
		ssize_t written = send(socket, bytes, count, MSG_NOSIGNAL);
		if (written <= 0)
			return false;
		bytes += written;
		count -= written;
	}
	return true;
}

// Waits for bytes in steps of TICK_MS; 0 when there are none to wait for any more. When the server ends, a client that has asked for
// nothing has GRACE_MS to do so.
static size_t read_some(int socket, char *at, size_t room, int patience_ms, bool is_idle)
{
	for (int waited = 0, last_call = 0; waited < patience_ms && last_call <= GRACE_MS; waited += TICK_MS) {
		ssize_t count = recv(socket, at, room, 0);
		if (count >= 0)
			return count;
		if (errno != EAGAIN && errno != EINTR)
			return 0;
		last_call += ending && is_idle ? TICK_MS : 0;
	}
	return 0;
}

// Where the head at the beginning of the input ends; 0 when there is none yet.
static size_t head_end(const char *input, size_t count)
{
	const char *end = memmem(input, count, "\r\n\r\n", 4);
	return end ? end + 4 - input : 0;
}

// A connection: one request after the other, until somebody has enough.
static void *talk(void *argument)
{
	int socket = (int)(intptr_t)argument;
	char input[HEAD_BYTES + 1], output[ANSWER_BYTES];
	size_t have = 0, end, count;
	for (bool close = false; !close;) {
		while (!(end = head_end(input, have)) && have < HEAD_BYTES) {
			count = read_some(socket, input + have, HEAD_BYTES - have, have ? HEAD_MS : IDLE_MS, have == 0);
			if (count == 0)
				goto over;
			have += count;
		}
		struct request request = {0};
		int status = 431;
		if (end) {
			char next = input[end];
			input[end] = '\0';
			status = strlen(input) < end ? 400 : parse(input, &request);
			input[end] = next;
		}
		close = status || request.close || draining;
		int length = answer(output, &request, status, close);
		memmove(input, input + end, have -= end);
		for (size_t left = status ? 0 : request.body; left > 0; left -= count) {
			if (have == 0 && (have = read_some(socket, input, HEAD_BYTES, IDLE_MS, false)) == 0)
				goto over;
			count = left < have ? left : have;
			memmove(input, input + count, have -= count);
		}
		if (!write_all(socket, output, length))
			goto over;
	}
	// Input that nobody reads would have the kernel take the last answer back.
	shutdown(socket, SHUT_WR);
	for (size_t dropped = 0; dropped < LINGER_BYTES && (count = read_some(socket, input, HEAD_BYTES, LINGER_MS, false)); )
		dropped += count;
over:
	close(socket);
	connections--;
	return NULL;
}

static void *accept_all(void *attributes)
{
	for (int socket = 0; !ending || socket >= 0;) {
		pthread_t thread;
		if (ending)
			fcntl(listener, F_SETFL, O_NONBLOCK); // takes what is in the queue, which closing would reset
		socket = accept(listener, NULL, NULL);
		if (socket < 0 && errno != EAGAIN)
			usleep(TICK_MS * 1000); // out of descriptors: a connection that closes frees one
		if (socket < 0)
			continue;
		connections++;
		if (pthread_create(&thread, attributes, talk, (void *)(intptr_t)socket) != 0) {
			close(socket);
			connections--;
		}
	}
	close(listener);
	return NULL;
}

static void *exit_on_signal(void *signals)
{
	int number;
	sigwait(signals, &number);
	_exit(128 + number);
}

static void listen_on(const char *host, const char *port)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *found;
	char *rest;
	if (strtoul(port, &rest, 10) > 65535 || *rest || !*port)
		fail("--port", "it is a number up to 65535");
	int error = getaddrinfo(host, port, &hints, &found), on = 1;
	if (error)
		fail("--host", gai_strerror(error));
	listener = socket(found->ai_family, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // connections inherit this, and the times
	set_timeout(listener, SO_RCVTIMEO, TICK_MS);
	set_timeout(listener, SO_SNDTIMEO, WRITE_MS);
	if (bind(listener, found->ai_addr, found->ai_addrlen) || listen(listener, BACKLOG))
		fail("cannot listen", strerror(errno));
	freeaddrinfo(found);
}

// The process contract: flags, one ready line, a version, and a clean end.
int main(int count, char **words)
{
	static const struct option options[] = {
		{"host", required_argument, NULL, 'h'}, {"port", required_argument, NULL, 'p'}, {"version", no_argument, NULL, 'v'}, {0},
	};
	const char *host = getenv("HOST"), *port = getenv("PORT");
	for (int option; (option = getopt_long(count, words, "", options, NULL)) != -1;) {
		if (option == 'v') {
			printf("server-NAME 0.1.0 (cc %s)\n", __VERSION__);
			return 0;
		}
		if (option != 'h' && option != 'p')
			return 2; // getopt has said why
		*(option == 'h' ? &host : &port) = optarg;
	}
	listen_on(host ? host : "127.0.0.1", port ? port : "8080");

	sigset_t signals; // taken by sigwait alone, in this thread and those that it starts
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	pthread_t thread;
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, STACK_BYTES);
	pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
	pthread_create(&thread, NULL, accept_all, &small);

	struct sockaddr_storage bound;
	socklen_t size = sizeof bound;
	char name[NI_MAXHOST], number[NI_MAXSERV];
	getsockname(listener, (struct sockaddr *)&bound, &size);
	getnameinfo((struct sockaddr *)&bound, size, name, sizeof name, number, sizeof number, NI_NUMERICHOST | NI_NUMERICSERV);
	printf("listening on http://%s:%s\n", name, number);
	fflush(stdout);

	int first;
	sigwait(&signals, &first);
	draining = true;
	pthread_create(&thread, NULL, exit_on_signal, &signals);
	usleep(GRACE_MS * 1000); // clients that are just asking get an answer which closes
	ending = true;
	for (int waited = 0; connections > 0 && waited < DRAIN_MS - GRACE_MS; waited += TICK_MS)
		usleep(TICK_MS * 1000);
	return 0;
}
