/* gmime.h - what is asked from GMime
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Everything here is off the hot path: the odd one out of a thousand.  GMime
 * is initialised at the first call. */
#ifndef MAIL_GMIME_H
#define MAIL_GMIME_H

#include "base/arena.h"

/* The addr-specs of a piece of an address list, as GMime reads it; groups are
 * flattened.  Returns how many. */
size_t gmime_addresses(struct arena *, struct str piece, struct str **ret);
/* The name by which iconv may know a charset; the given one if nothing better
 * is known.  The name is NUL-terminated. */
const char *gmime_charset(const char *label);
/* The value of a parameter whose field is written as RFC 2231 has it
 * (continued, or with a charset), in UTF-8; false: not there */
bool gmime_param(struct arena *, struct str params, const char *name, struct str *ret);
/* Undoes uuencode; room for v.len bytes at dst; returns how many were written */
size_t gmime_uudecode(char *dst, struct str v);

#endif
