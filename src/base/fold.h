/* fold.h - header fields that we write
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_FOLD_H
#define BASE_FOLD_H

#include "base/buf.h"

/* The name, ":", the value and a line end.  The value is UTF-8 without line
 * ends; lines are folded at blanks where 78 columns end, and what is not ASCII,
 * or too long to be folded, is put into words of RFC 2047. */
void fold_field(struct buf *out, struct str name, struct str value, const char *end);
/* The same for a value that is to be read as it is, also where it looks encoded, with all of its blanks. */
void fold_literal(struct buf *out, struct str name, struct str value, const char *end);
/* Words of RFC 2047, one a line but for the first, which begins in that column: the column behind the last */
size_t fold_words(struct buf *out, struct str v, size_t column, const char *end);
void fold_base64(struct buf *out, struct str v);

#endif
