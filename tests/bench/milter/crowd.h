/* crowd.h - many connections at once, whatever they speak
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef CROWD_H
#define CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CROWD_OPTIONS "c:n:k:u:b:"

enum { INPUT_MAX = 16384 };             /* longest packet or reply that is understood here */

struct crowd;

/* One connection; what speaks a protocol has it as the first member of its own. */
struct client {
	struct crowd *crowd;
	int fd;
	bool writing;                   /* epoll waits for room */
	long left;                      /* messages */
	long number;                    /* of the message */
	double begun;
	char in[INPUT_MAX + 1];
	size_t in_len;
	char *out;
	size_t out_len, out_at, out_cap;
};

struct protocol {
	size_t size;                    /* of a connection */
	/* There is a new connection in this place.  < 0: it is at its end */
	int (*opened)(struct client *);
	/* How many bytes of the input were understood.  < 0: the connection is at its end */
	long (*take)(struct client *);
};

struct crowd {
	const char *name;               /* of the program */
	const char *address;
	unsigned connections, users;
	long messages, each;            /* each: of one connection */
	size_t body_len;
	char *body;
	uint64_t run;                   /* makes messages of two runs differ */
	const struct protocol *protocol;
	int epoll;
	unsigned open;
	bool enough;                    /* wait for nothing more */
	long begun, done, wrong;
	double seconds;
	double *latency;
};

double crowd_now(void);
void crowd_die(const char *what);
/* The first ten are told, all are counted. */
void crowd_wrong(const struct client *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One of CROWD_OPTIONS; another letter ends the program. */
void crowd_option(struct crowd *, int letter, const char *value);
/* Can it be begun with these options and this address? */
bool crowd_is_possible(struct crowd *, const char *address);

/* What is put goes out with the next flush, as far as there is room, and the rest when there is. */
void crowd_put(struct client *, const void *data, size_t len);
int crowd_flush(struct client *);

/* A message begins; it has its answer. */
void crowd_begin(struct client *);
void crowd_settle(struct client *);
/* Is there another message for this connection? */
bool crowd_has_more(const struct client *);

/* All of it, until each message has its answer. */
void crowd_run(struct crowd *);

/* Of all that was measured, in milliseconds, the value that so many of a hundred do not exceed; 100: the most. */
double crowd_percentile(double *seconds, long n, int percent);
/* The beginning of a JSON object. */
void crowd_report(struct crowd *);

#endif
