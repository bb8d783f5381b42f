/* diag.h - what is wrong with rules: collected, positioned, handed to the host
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LANG_DIAG_H
#define LANG_DIAG_H

#include "lang/source.h"

struct diag {
	const struct tamis_host *host;
	struct arena *arena;
	unsigned errors, warnings, limit;       /* limit: errors reported at most; they are counted beyond */
	bool quiet;                             /* count only */
};

/* text: lower case, no full stop, subject in quotes; hint may be NULL. */
void diag_error(struct diag *, struct source *, struct span, const char *hint, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void diag_warning(struct diag *, struct source *, struct span, const char *hint, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void diag_note(struct diag *, struct source *, struct span, const char *hint, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

#endif
