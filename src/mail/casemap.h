/* casemap.h - the canonical form of i;unicode-casemap (RFC 5051)
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MAIL_CASEMAP_H
#define MAIL_CASEMAP_H

#include "base/arena.h"

/* Each character in title case, then decomposed as far as it goes (RFC 5051 2).
 * Bytes that are not UTF-8 stay as they are.  May return its argument. */
struct str casemap_unicode(struct arena *, struct str);

#endif
