/* casemap.h - the canonical form of i;unicode-casemap (RFC 5051)
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MAIL_CASEMAP_H
#define MAIL_CASEMAP_H

#include "base/arena.h"

/* Each character in title case, then decomposed as far as it goes (RFC 5051
 * 2).  Character by character, so that a part of a text folds to a part of its
 * form.  Hangul syllables are decomposed too, so that text that arrives in
 * either normal form is equal.  Bytes that are not UTF-8 stay as they are and
 * compare as octets. */
struct str casemap_unicode(struct arena *, struct str);

#endif
