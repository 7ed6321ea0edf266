// nginx's prefix: a folder of its own with its configuration, and whatever else it wants to write.
#ifndef PREFIX_H
#define PREFIX_H

#include "flags.h"

// Makes it for a server that listens on `address` with so many connections a worker, and sees to it that it is removed once this
// process has ended, however that comes. An error is said in one line, and ends the process with 1.
void make_prefix(const struct flags *flags, const char *address, long connections);

// Where it is.
const char *prefix(void);

#endif
