/* summary.h - how often each of some texts came
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TAMIS_SUMMARY_H
#define TAMIS_SUMMARY_H

#include "base/arena.h"
#include "host/json.h"

struct summary_row {
	struct str text;
	uint64_t hash;
	size_t count;
};

struct summary {
	struct arena arena;
	struct summary_row *row;        /* a hash table */
	size_t n, cap, all;
	size_t other;                   /* beyond SUMMARY_MAX texts */
};

void summary_done(struct summary *);
void summary_add(struct summary *, struct str);
/* A table, the most frequent first: count, share, text. */
void summary_print(const struct summary *, const char *what);
/* [ { "count": 3, "plan": "keep" } ] */
json_t *summary_json(const struct summary *, const char *key);
/* "10,000" */
const char *summary_number(char to[32], size_t n);

#endif
