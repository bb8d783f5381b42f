/* print.h - a plan in words
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One line for each effect, as a rule would say it: the command, its options
 * as tags, what it is about as strings; "-- expect" in test files is that. */
#ifndef HOST_PRINT_H
#define HOST_PRINT_H

#include "host/diag.h"
#include "host/json.h"

/* keep, fileinto "Lists", ...: without a line end */
void print_effect(struct buf *, const struct tamis_effect *);
/* The same without what differs from message to message (texts, keys), for
 * summaries: true if the effect shows in a summary at all. */
bool print_effect_short(struct buf *, const struct tamis_effect *);
/* Is it the host's business alone, which no plan shows? */
bool print_is_silent(const struct tamis_effect *);
/* One line for each effect; "undecided" or "waiting" when that is so.  An
 * empty plan is no line. */
void print_plan(struct buf *, const struct tamis_outcome *, enum tamis_status);
/* The same on one line: "keep, fileinto \"X\"". */
void print_plan_line(struct buf *, const struct tamis_outcome *, enum tamis_status);
void print_plan_short(struct buf *, const struct tamis_outcome *, enum tamis_status);
/* "error: rules:3:1: text\n", as tests expect a run-time error above the plan */
void print_error(struct buf *, const struct diag *, const struct tamis_diagnostic *);
/* "decided", "undecided", "waiting", "failed" */
const char *print_status(enum tamis_status);
/* decided or failed: the effects are what is done */
bool print_final(enum tamis_status);
/* { "message": ..., "status": ..., "effects": [ { "effect": "fileinto", "mailbox": "X", "line": 3 } ] } */
json_t *print_json(const struct diag *, struct str message, const struct tamis_outcome *, enum tamis_status);
/* The value of an effect's option; empty if there is none of that name. */
struct str print_option(const struct tamis_effect *, const char *name);
/* A string as rules write it: in quotes, with "\" before quotes and
 * backslashes; line ends and bytes that terminals could take for commands as
 * \n, \t, \xHH. */
void print_quoted(struct buf *, struct str);

#endif
