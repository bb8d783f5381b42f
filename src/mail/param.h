/* param.h - fields like "text/plain; charset=utf-8" (RFC 2045 5.1, RFC 2231)
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MAIL_PARAM_H
#define MAIL_PARAM_H

#include "base/arena.h"

/* What stands before the first ";", without blanks and comments at its ends */
struct str param_head(struct str text);
/* The first parameter of that lower-case name: 1, or 0 if there is none.
 * Quotes are undone, RFC 2231 parts joined and decoded to UTF-8. */
int param_get(struct arena *, struct str text, const char *name, struct str *ret);

#endif
