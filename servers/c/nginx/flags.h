// The flags of the process contract, and the environment variables that stand for them.
#ifndef FLAGS_H
#define FLAGS_H

#include <stdbool.h>

struct flags {
    const char *host;
    const char *port;
    long workers;
    // Of all workers together; 0 when nobody asked for a number.
    long max_connections;
    // In milliseconds, nginx's smallest unit.
    long head_timeout, idle_timeout, write_timeout, drain_timeout;
    bool version;
};

// Reads them. A flag that is wrong is said in one line, and ends the process with 2.
struct flags read_flags(int argc, char **argv);

#endif
