/* tracing.h - the events of a run, as lines
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TAMIS_TRACING_H
#define TAMIS_TRACING_H

#include "host/diag.h"
#include "host/json.h"

enum tracing_level { TRACING_ACTIONS = 1, TRACING_RULES, TRACING_TESTS, TRACING_ALL };

/* Set diag and level; the rest begins zeroed. */
struct tracing {
	const struct diag *diag;
	enum tracing_level level;
	struct buf line;                /* what is to be printed */
	struct buf assigned;            /* to be printed below the action or test that it came from */
	struct str rule;                /* the condition that was shown last */
	unsigned values, counted;       /* of the current test */
	bool compares;                  /* it compares values with keys */
	bool alone;                     /* it is all of its condition */
	char *file;                     /* that places were in last */
};

void tracing_done(struct tracing *);
/* Does that level show such events? */
bool tracing_wants(const struct tracing *, const struct tamis_event *);
/* Appends the event's lines. */
void tracing_text(struct tracing *, const struct tamis_event *);
json_t *tracing_json(const struct tracing *, const struct tamis_event *);

#endif
