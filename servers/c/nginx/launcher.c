// Starts nginx as the process contract asks for: it takes the port, hands the listening socket to nginx in the way that nginx
// itself does when a new program takes over from an old one, says that it is ready, and passes signals on.
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "flags.h"
#include "prefix.h"

// Connections that the kernel holds until a worker accepts them. It caps them at net.core.somaxconn, 4,096 by default.
#define BACKLOG 4096

// Connections of a worker when nobody asks for a number, if there are as many descriptors. nginx makes room for all of them
// when it starts, 7 MiB for these.
#define CONNECTIONS 16384

// Descriptors that a worker keeps for what is no connection: standard streams, the listener, epoll, channels to the others.
#define RESERVED 100

// How often it is looked whether nginx is ready. Nothing is asked of the machine then.
static const struct timespec LOOK = {.tv_nsec = 1000000};

static int print_version(void);
static long connections_a_worker(const struct flags *flags);
static int listen_on(const struct flags *flags, char *address, size_t size);
static pid_t start(int listener, const sigset_t *before);
static void wait_until_ready(pid_t nginx);
static int wait_for_end(pid_t nginx, const sigset_t *watched, long drain_timeout);
static int code(int status);
static void fail(const char *what, const char *why);

int main(int argc, char **argv)
{
    struct flags flags = read_flags(argc, argv);
    if (flags.version) {
        return print_version();
    }
    // Signals wait until they are asked for, so that none comes while nginx is being started.
    sigset_t watched, before;
    sigemptyset(&watched);
    sigaddset(&watched, SIGTERM);
    sigaddset(&watched, SIGINT);
    sigaddset(&watched, SIGCHLD);
    sigprocmask(SIG_BLOCK, &watched, &before);

    char address[NI_MAXHOST + NI_MAXSERV + sizeof "[]:"];
    long connections = connections_a_worker(&flags);
    int listener = listen_on(&flags, address, sizeof address);
    make_prefix(&flags, address, connections);
    pid_t nginx = start(listener, &before);
    wait_until_ready(nginx);
    printf("listening on http://%s\n", address);
    fflush(stdout);
    return wait_for_end(nginx, &watched, flags.drain_timeout);
}

static int print_version(void)
{
    FILE *nginx = popen("nginx -v 2>&1", "r");
    char version[64];
    if (nginx == NULL || fscanf(nginx, "nginx version: nginx/%63s", version) != 1) {
        fail("nginx -v", "it does not say its version");
    }
    pclose(nginx);
    printf("server-nginx 0.1.0 (nginx %s)\n", version);
    return 0;
}

// Raises the limit of open files, which nginx inherits; how many connections that allows a worker to have.
static long connections_a_worker(const struct flags *flags)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        fail("cannot read the limit of open files", strerror(errno));
    }
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        fail("cannot raise the limit of open files", strerror(errno));
    }
    rlim_t most = limit.rlim_max > RESERVED ? limit.rlim_max - RESERVED : 0;
    if (flags->max_connections == 0) {
        return most < CONNECTIONS ? (long)most : CONNECTIONS;
    }
    long each = (flags->max_connections + flags->workers - 1) / flags->workers;
    if ((rlim_t)each > most) {
        fprintf(stderr,
                "error: --max-connections %ld: the limit of %ju open files leaves a worker %ju; raise it (`ulimit -n`) "
                "or ask for fewer\n",
                flags->max_connections, (uintmax_t)limit.rlim_max, (uintmax_t)most);
        exit(1);
    }
    // The listener and the channel to the main process are connections to nginx, too.
    return each + 2;
}

// A listening socket, and its address as nginx and the ready line write it.
static int listen_on(const struct flags *flags, char *address, size_t size)
{
    char asked[NI_MAXHOST + NI_MAXSERV];
    snprintf(asked, sizeof asked, "cannot listen on %s:%s", flags->host, flags->port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *found;
    int error = getaddrinfo(flags->host, flags->port, &hints, &found);
    if (error != 0) {
        fail(asked, gai_strerror(error));
    }
    const int on = 1;
    // As nginx has its own: of one that it is handed it takes for granted that it never blocks. Connections inherit TCP_NODELAY.
    int listener = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        bind(listener, found->ai_addr, found->ai_addrlen) != 0 || listen(listener, BACKLOG) != 0) {
        fail(asked, strerror(errno));
    }
    freeaddrinfo(found);

    struct sockaddr_storage bound;
    socklen_t length = sizeof bound;
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (getsockname(listener, (struct sockaddr *)&bound, &length) != 0 ||
        getnameinfo((struct sockaddr *)&bound, length, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        fail("cannot read the address listened on", strerror(errno));
    }
    snprintf(address, size, bound.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
    return listener;
}

// Starts nginx's main process with the socket, which from then on is nginx's alone.
static pid_t start(int listener, const sigset_t *before)
{
    pid_t launcher = getpid(), nginx = fork();
    if (nginx < 0) {
        fail("cannot start nginx", strerror(errno));
    }
    if (nginx > 0) {
        close(listener);
        return nginx;
    }
    char sockets[16];
    snprintf(sockets, sizeof sockets, "%d;", listener);
    setenv("NGINX", sockets, 1);
    sigprocmask(SIG_SETMASK, before, NULL);
    // It does not outlive the launcher, however that ends.
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() == launcher) {
        char configuration[PATH_MAX + sizeof "/nginx.conf"];
        snprintf(configuration, sizeof configuration, "%s/nginx.conf", prefix());
        execlp("nginx", "nginx", "-p", prefix(), "-c", configuration, "-e", "stderr", (char *)NULL);
    }
    fprintf(stderr, "error: cannot start nginx: %s\n", strerror(errno));
    _exit(1);
}

// nginx writes its process number down once it has its configuration and its sockets.
static void wait_until_ready(pid_t nginx)
{
    char path[PATH_MAX + sizeof "/nginx.pid"];
    snprintf(path, sizeof path, "%s/nginx.pid", prefix());
    while (access(path, F_OK) != 0) {
        int status;
        if (waitpid(nginx, &status, WNOHANG) == nginx) {
            // It has said why.
            exit(status == 0 ? 1 : code(status));
        }
        nanosleep(&LOOK, NULL);
    }
}

// Passes signals on until nginx has ended; the code that this process is to end with. To nginx SIGQUIT means to drain, for as
// long as that takes, and SIGTERM to drop everything.
static int wait_for_end(pid_t nginx, const sigset_t *watched, long drain_timeout)
{
    const struct timespec limit = {.tv_sec = drain_timeout / 1000, .tv_nsec = drain_timeout % 1000 * 1000000};
    int signals = 0, last = 0, status;
    for (;;) {
        int signal = signals == 0 ? sigwaitinfo(watched, NULL) : sigtimedwait(watched, NULL, &limit);
        if (signal == SIGTERM || signal == SIGINT) {
            signals++;
            last = signal;
            kill(nginx, signals == 1 ? SIGQUIT : SIGTERM);
        } else if (signal < 0 && errno == EAGAIN) {
            kill(nginx, SIGTERM);
        }
        if (waitpid(nginx, &status, WNOHANG) == nginx) {
            return signals > 1 ? 128 + last : code(status);
        }
    }
}

// As shells count.
static int code(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "error: %s: %s\n", what, why);
    exit(1);
}
