// HTTP, by rules so strict that nobody can hide one request within another.
#include "http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { TARGET_BYTES = 8 * 1024, HEAD_FIELDS = 100, BODY_BYTES = 1024 * 1024 };

static bool is_one_of(char c, const char *extra)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || (c && strchr(extra, c));
}

static char *skip(char *at, const char *extra) // letters, digits and some more
{
	while (is_one_of(*at, extra))
		at++;
	return at;
}

static bool has_option(char *list, const char *wanted)
{
	char *rest;
	for (char *option = strtok_r(list, ", \t", &rest); option; option = strtok_r(NULL, ", \t", &rest))
		if (!strcasecmp(option, wanted))
			return true;
	return false;
}

static bool is_host(char *text)
{
	char *at = *text == '[' ? skip(text + 1, ".:") : skip(text, "-._~!$&'()*+,;=%");
	if (*text == '[' && *at++ != ']')
		return false;
	return !*at || (*at == ':' && at[1 + strspn(at + 1, "0123456789")] == '\0');
}

// Reads one field into the request: 0, or the status that refuses it.
static int read_field(struct request *request, const char *name, char *value, int *hosts, int *lengths)
{
	if (!strcasecmp(name, "Host"))
		return ++*hosts > 1 || !is_host(value) ? 400 : 0;
	if (!strcasecmp(name, "Connection"))
		request->close |= has_option(value, "close");
	if (!strcasecmp(name, "Transfer-Encoding"))
		return 501;
	if (strcasecmp(name, "Content-Length"))
		return 0;
	size_t digits = strspn(value, "0123456789");
	if (++*lengths > 1 || !digits || value[digits])
		return 400;
	errno = 0;
	request->body = strtol(value, NULL, 10);
	return errno ? 400 : request->body > BODY_BYTES ? 413 : 0;
}

// Finds the path of a target as it was sent, without query and fragment; whether there is one.
static bool find_path(struct request *request, const char *target)
{
	if (!strncasecmp(target, "http://", 7)) {
		size_t host = strcspn(target + 7, "/?#@");
		if (host == 0 || target[7 + host] == '@')
			return false;
		target += 7 + host;
		if (*target != '/')
			target = "/";
	}
	request->path = target;
	request->path_length = strcspn(target, "?#");
	return *target == '/';
}

int parse(char *at, struct request *request)
{
	const char *token = "!#$%&'*+-.^_`|~";
	int hosts = 0, lengths = 0, refused = 0;
	*request = (struct request){.method = at};
	at = skip(at, token);
	if (at == request->method || *at != ' ')
		return 400;
	*at++ = '\0';
	const char *target = at;
	while (*at > ' ' && *at < 127)
		at++;
	if (at - target > TARGET_BYTES)
		return 414;
	if (*at != ' ')
		return 400;
	*at++ = '\0';
	if (!find_path(request, target) && (strcmp(request->method, "OPTIONS") || strcmp(target, "*")))
		return 400;
	if (strncmp(at, "HTTP/1.", 7) || (at[7] != '0' && at[7] != '1') || strncmp(at + 8, "\r\n", 2))
		return 400;
	request->minor = at[7] - '0';
	request->close = request->minor == 0;
	at += 10;
	for (int fields = 0; strncmp(at, "\r\n", 2); fields++) {
		char *name = at, *value = at = skip(at, token);
		if (at == name || *at != ':')
			return 400;
		if (fields == HEAD_FIELDS)
			return 431;
		*value++ = '\0';
		for (at = value; *at == '\t' || ((unsigned char)*at >= ' ' && *at != 127); at++)
			;
		if (strncmp(at, "\r\n", 2))
			return 400;
		char *end = at;
		while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
			end--;
		*end = '\0';
		at += 2;
		int status = read_field(request, name, value + strspn(value, " \t"), &hosts, &lengths);
		refused = refused ? refused : status;
	}
	return refused ? refused : request->minor == 1 && hosts == 0 ? 400 : 0;
}

int answer(char *out, const struct request *request, int status, bool close)
{
	bool get = !status && !strcmp(request->method, "GET"), head = !status && !strcmp(request->method, "HEAD");
	char body[TARGET_BYTES + 64] = "", date[64];
	int length = 0;
	if (get || head)
		length = sprintf(body, "Hello, visitor! You've requested: %.*s\n", request->path_length, request->path);
	if (!status)
		status = get || head ? 200 : 405;
	time_t now = time(NULL);
	struct tm utc;
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &utc));
	return sprintf(out,
		"HTTP/1.1 %d %s\r\n%s%sContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nDate: %s\r\n\r\n%s",
		status, status == 200 ? "OK" : "Refused", status == 405 ? "Allow: GET, HEAD\r\n" : "",
		close ? "Connection: close\r\n" : "", length, date, get ? body : "");
}
