/* diag.h - what is wrong with rules: collected, positioned, handed to the host
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LANG_DIAG_H
#define LANG_DIAG_H

#include "base/buf.h"
#include "lang/source.h"

struct diag_item {
	struct source *source;
	struct span at;
	int severity;
	const char *text, *hint;
	size_t number;                          /* in the order in which they were found */
};

struct diag {
	const struct tamis_host *host;
	struct arena *arena;                    /* of the texts, until they are handed over */
	unsigned errors, warnings, limit;       /* limit: errors reported at most; they are counted beyond */
	VEC(struct diag_item) items;
};

/* Hands over what was found since items.n was `first`, in the order of the
 * source: those of an included script before those of the including one. */
void diag_flush(struct diag *, size_t first);

/* text: lower case, no full stop, subject in quotes; hint may be NULL. */
void diag_error(struct diag *, struct source *, struct span, const char *hint, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void diag_warning(struct diag *, struct source *, struct span, const char *hint, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void diag_note(struct diag *, struct source *, struct span, const char *hint, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

#endif
