/* words.h - rules and values in one line, shortened
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TAMIS_WORDS_H
#define TAMIS_WORDS_H

#include "base/buf.h"

/* Rules as one line: each run of blanks, line ends and comments is one blank;
 * strings stay.  At most max bytes (0: all), then "...". */
void words_flat(struct buf *, struct str, size_t max);
/* A value in quotes; at most max bytes of it (0: all), then how long it is. */
void words_quoted(struct buf *, struct str, size_t max);
/* The same of a value of len bytes of which no more than the start is there, at least max. */
void words_quoted_start(struct buf *, struct str, size_t len, size_t max);
/* Length of what begins rules and is to be taken as one: a quoted string, a
 * comment, a run of blanks, a word, or one other character. */
size_t words_token(struct str);

#endif
