#define _GNU_SOURCE
#include "prefix.h"

#include <errno.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Bytes of a value in the configuration; the longest is an address with its port, or a user's name.
#define VALUE_BYTES 256

// What stands between @ in the template, and what for.
struct value {
    const char *name;
    char text[VALUE_BYTES];
};

static void remove_in_the_end(void);
static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *place);
static void write_configuration(const struct flags *flags, const char *address, long connections);
static void fill(FILE *template, FILE *configuration, const struct value *values, size_t count);
static void user(char *text);
static void fail(const char *what, const char *path);

static char folder[PATH_MAX];

void make_prefix(const struct flags *flags, const char *address, long connections)
{
    const char *temporary = getenv("TMPDIR");
    if (temporary == NULL || *temporary == '\0') {
        temporary = "/tmp";
    }
    snprintf(folder, sizeof folder, "%s/server-nginx-XXXXXX", temporary);
    if (mkdtemp(folder) == NULL) {
        fail("cannot make a folder; TMPDIR names another place than", temporary);
    }
    remove_in_the_end();
    write_configuration(flags, address, connections);
}

const char *prefix(void)
{
    return folder;
}

// A process may be killed, and remove nothing. So another one waits for its end and that of nginx, which inherits the pipe; it has
// a session of its own, since whoever kills a server kills its group.
static void remove_in_the_end(void)
{
    int ends[2];
    if (pipe(ends) != 0) {
        fail("cannot make a pipe for", folder);
    }
    switch (fork()) {
    case -1:
        fail("cannot start a process that removes", folder);
        break;
    case 0:
        setsid();
        for (int descriptor = 0; descriptor < ends[0]; descriptor++) {
            close(descriptor);
        }
        close(ends[1]);
        char none;
        while (read(ends[0], &none, 1) < 0 && errno == EINTR) {
        }
        nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        _exit(0);
    default:
        close(ends[0]);
    }
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *place)
{
    (void)stat, (void)kind, (void)place;
    return remove(path);
}

static void write_configuration(const struct flags *flags, const char *address, long connections)
{
    struct value values[] = {
        {.name = "user"},         {.name = "address"},      {.name = "workers"},       {.name = "connections"},
        {.name = "head-timeout"}, {.name = "idle-timeout"}, {.name = "write-timeout"},
    };
    user(values[0].text);
    snprintf(values[1].text, VALUE_BYTES, "%s", address);
    snprintf(values[2].text, VALUE_BYTES, "%ld", flags->workers);
    snprintf(values[3].text, VALUE_BYTES, "%ld", connections);
    const long times[] = {flags->head_timeout, flags->idle_timeout, flags->write_timeout};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        snprintf(values[4 + i].text, VALUE_BYTES, "%ldms", times[i]);
    }

    char path[PATH_MAX + sizeof "/nginx.conf"];
    snprintf(path, sizeof path, "%s/nginx.conf", folder);
    FILE *template = fopen(TEMPLATE, "r");
    if (template == NULL) {
        fail("cannot read", TEMPLATE);
    }
    FILE *configuration = fopen(path, "w");
    if (configuration == NULL) {
        fail("cannot write", path);
    }
    fill(template, configuration, values, sizeof values / sizeof *values);
    fclose(template);
    if (fclose(configuration) != 0) {
        fail("cannot write", path);
    }
}

// Copies the template, with the values in it. An @ that is not of one stays.
static void fill(FILE *template, FILE *configuration, const struct value *values, size_t count)
{
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, template) > 0) {
        char *rest = line, *at;
        while ((at = strchr(rest, '@')) != NULL) {
            const char *text = "@";
            size_t length = 1;
            for (size_t i = 0; i < count; i++) {
                size_t name = strlen(values[i].name);
                if (strncmp(at + 1, values[i].name, name) == 0 && at[1 + name] == '@') {
                    text = values[i].text;
                    length = name + 2;
                }
            }
            fprintf(configuration, "%.*s%s", (int)(at - rest), rest, text);
            rest = at + length;
        }
        fputs(rest, configuration);
    }
    free(line);
}

// Started by root, nginx would give its workers to another user, of whom an observer in a container cannot see what it has open.
// They stay with whoever starts them, as other servers here do.
static void user(char *text)
{
    const struct passwd *user = getpwuid(geteuid());
    const struct group *group = getgrgid(getegid());
    if (geteuid() == 0 && user != NULL && group != NULL) {
        snprintf(text, VALUE_BYTES, "user %s %s;", user->pw_name, group->gr_name);
    }
}

static void fail(const char *what, const char *path)
{
    fprintf(stderr, "error: %s %s: %s\n", what, path, strerror(errno));
    exit(1);
}
