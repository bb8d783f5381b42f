/* entity.h - character references of HTML ("&amp;", "&#65;")
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MAIL_ENTITY_H
#define MAIL_ENTITY_H

#include "base/str.h"

/* no reference stands for more bytes than this */
enum { ENTITY_MAX = 8 };

/* Length of the character reference at the start of v (HTML standard,
 * 13.2.5.72 to 80), or 0; the UTF-8 for it goes to dst.  None is longer than
 * 5/4 of what it is written as. */
size_t entity_read(struct str v, char dst[ENTITY_MAX], size_t *ret_len);

#endif
