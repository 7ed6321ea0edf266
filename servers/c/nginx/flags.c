#define _GNU_SOURCE
#include "flags.h"

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

static const char USAGE[] =
    "nginx, kept to the process contract of the servers here\n"
    "\n"
    "  --host HOST               address or name to listen on [default: 127.0.0.1]\n"
    "  --port PORT               port to listen on; 0 takes a free one [default: 8080]\n"
    "  --workers N               processes that answer requests [default: one for each core]\n"
    "  --max-connections M       connections open at once, spread over the workers\n"
    "  --head-timeout SECONDS    time for a head to be whole [default: 10]\n"
    "  --idle-timeout SECONDS    time of waiting for a next request [default: 60]\n"
    "  --write-timeout SECONDS   time of waiting for a client that does not read [default: 30]\n"
    "  --drain-timeout SECONDS   time that open connections have to finish after SIGTERM [default: 10]\n"
    "  --version                 print the version\n"
    "  --help                    print this\n";

static void set(struct flags *flags, int flag, const char *value);
static long number(const char *name, const char *value, long least, long most);
static long milliseconds(const char *name, const char *value);
static long cores(void);

// Each has a letter, by which `set` knows it.
static const struct option OPTIONS[] = {
    {"host", required_argument, NULL, 'h'},          {"port", required_argument, NULL, 'p'},
    {"workers", required_argument, NULL, 'w'},       {"max-connections", required_argument, NULL, 'm'},
    {"head-timeout", required_argument, NULL, 'H'},  {"idle-timeout", required_argument, NULL, 'I'},
    {"write-timeout", required_argument, NULL, 'W'}, {"drain-timeout", required_argument, NULL, 'D'},
    {"version", no_argument, NULL, 'V'},             {"help", no_argument, NULL, 'U'},
    {NULL, 0, NULL, 0},
};

static const struct {
    const char *name;
    int flag;
} VARIABLES[] = {
    {"HOST", 'h'},         {"PORT", 'p'},         {"WORKERS", 'w'},       {"MAX_CONNECTIONS", 'm'},
    {"HEAD_TIMEOUT", 'H'}, {"IDLE_TIMEOUT", 'I'}, {"WRITE_TIMEOUT", 'W'}, {"DRAIN_TIMEOUT", 'D'},
};

struct flags read_flags(int argc, char **argv)
{
    struct flags flags = {
        .host = "127.0.0.1",
        .port = "8080",
        .workers = cores(),
        .head_timeout = 10 * 1000,
        .idle_timeout = 60 * 1000,
        .write_timeout = 30 * 1000,
        .drain_timeout = 10 * 1000,
    };
    for (size_t i = 0; i < sizeof VARIABLES / sizeof *VARIABLES; i++) {
        const char *value = getenv(VARIABLES[i].name);
        if (value != NULL && *value != '\0') {
            set(&flags, VARIABLES[i].flag, value);
        }
    }
    int flag;
    while ((flag = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
        set(&flags, flag, optarg);
    }
    if (optind < argc) {
        fprintf(stderr, "error: unexpected argument `%s`\n", argv[optind]);
        exit(2);
    }
    return flags;
}

static void set(struct flags *flags, int flag, const char *value)
{
    switch (flag) {
    case 'h':
        flags->host = value;
        return;
    case 'p':
        number("--port", value, 0, 65535);
        flags->port = value;
        return;
    case 'w':
        // nginx has no more than 1,024 processes.
        flags->workers = number("--workers", value, 1, 1000);
        return;
    case 'm':
        flags->max_connections = number("--max-connections", value, 1, 1000000000);
        return;
    case 'H':
        flags->head_timeout = milliseconds("--head-timeout", value);
        return;
    case 'I':
        flags->idle_timeout = milliseconds("--idle-timeout", value);
        return;
    case 'W':
        flags->write_timeout = milliseconds("--write-timeout", value);
        return;
    case 'D':
        flags->drain_timeout = milliseconds("--drain-timeout", value);
        return;
    case 'V':
        flags->version = true;
        return;
    case 'U':
        fputs(USAGE, stdout);
        exit(0);
    default:
        // getopt has said what is wrong.
        exit(2);
    }
}

static long number(const char *name, const char *value, long least, long most)
{
    char *end;
    errno = 0;
    long number = strtol(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || number < least || number > most) {
        fprintf(stderr, "error: %s %s: not a number from %ld to %ld\n", name, value, least, most);
        exit(2);
    }
    return number;
}

static long milliseconds(const char *name, const char *value)
{
    char *end;
    double seconds = strtod(value, &end);
    // A year at most, which nginx can count in milliseconds.
    if (end == value || *end != '\0' || !(seconds >= 0.001 && seconds <= 365 * 86400.0)) {
        fprintf(stderr, "error: %s %s: not a number of seconds above 0\n", name, value);
        exit(2);
    }
    return (long)(seconds * 1000);
}

// Those that this process may use.
static long cores(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}
