/* charset.h - text of any charset to UTF-8
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MAIL_CHARSET_H
#define MAIL_CHARSET_H

#include "base/buf.h"

enum {
	CHARSET_UNKNOWN = -1,           /* no such charset, or not a text in it: nothing was added */
	CHARSET_OK = 0,
	CHARSET_REPAIRED = 1            /* U+FFFD stands where bytes meant nothing */
};

/* Is a text of that charset taken as it is?  (UTF-8, US-ASCII, no charset) */
bool charset_is_utf8(struct str charset);
/* Adds bytes of that charset to out, as UTF-8.  `strict`: bytes that mean
 * nothing make it CHARSET_UNKNOWN. */
int charset_add(struct buf *out, struct str charset, struct str bytes, bool strict);

/* The code point of a byte of windows-1252, which is also taken for ISO 8859-1 */
uint32_t charset_windows1252(unsigned char byte);

#endif
