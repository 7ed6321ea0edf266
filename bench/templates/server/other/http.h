// HTTP without sockets: this is what to replace.
#include <stdbool.h>

enum { HEAD_BYTES = 16 * 1024, ANSWER_BYTES = HEAD_BYTES + 1024 };

struct request {
	const char *method, *path;
	int path_length, minor; // of HTTP/1.x
	long body; // bytes that follow the head
	bool close; // no other request follows
};

// Takes a head apart, which ends with an empty line and is changed by that: 0, or the status that refuses it.
int parse(char *head, struct request *request);

// Writes the answer to a request, or to one that is refused by a status, to ANSWER_BYTES at `out`: how long it is.
int answer(char *out, const struct request *request, int status, bool close);
