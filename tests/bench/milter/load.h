/* load.h - what the parts of the load generator share
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crowd.h"

enum {
	RECIPIENTS_MAX = 100,
	CHUNK = 65535,                  /* of a body: what a mail server sends at once */
	STAGES = 7,                     /* that have macros: connect, helo, mail, rcpt, data, end of message, end of header */
	ACTIONS = 0x1ff, STEPS_ALL = 0x1fffff,
	SKIP = 0x400, LEADSPC = 0x100000
};

enum step { NEGOTIATE, CONNECT, HELO, MAIL, RCPT, DATA, FIELD, HEADER_END, BODY, END, STEPS };

struct connection {
	struct client client;
	enum step step;
	unsigned at;                    /* recipient or field */
	size_t offset;                  /* of the body */
	uint32_t steps;                 /* as negotiated */
	char macros[STAGES][64];        /* names that are wanted, with a blank on both sides; empty: the server's own choice */
	bool refused[RECIPIENTS_MAX], deleted[RECIPIENTS_MAX], added[RECIPIENTS_MAX];
	unsigned edits, others;         /* others: changes that nobody's rules ask for */
};

struct load {
	struct crowd crowd;
	const char *fates;
	unsigned recipients;
	bool idle;
	unsigned idling;
	unsigned long long body_packets, body_bytes;
};

/* The number of the user that a message's recipient i is. */
unsigned user_of(const struct load *, const struct connection *, unsigned i);

/* --- say.c: what a mail server says */

void packet(struct connection *, char letter, const void *data, size_t len);
/* Steps that a milter has no use for are not said. */
bool say_is_wanted(const struct connection *);
bool say_is_answered(const struct connection *);
void say(struct load *, struct connection *);
/* Is this step to be said once more, for the next recipient, field or piece of the body? */
bool say_again(const struct load *, struct connection *);

/* --- fate.c: what becomes of a message, and what should */

void fate_take(const struct load *, struct connection *, char letter, const char *data);
void fate_check(const struct load *, const struct connection *);

#endif
