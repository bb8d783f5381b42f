/* utf8.h - UTF-8 (RFC 3629)
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/buf.h"

/* Length of the valid sequence at the start of v, or 0: no overlong forms, no
 * surrogates, nothing above U+10FFFF. */
size_t utf8_next(struct str v, uint32_t *ret_code);
/* offset of the first invalid byte, or -1; fast on ASCII */
ptrdiff_t utf8_check(struct str);
bool utf8_is_ascii(struct str);
size_t utf8_count(struct str);          /* characters; an invalid byte counts as one */
/* 1 to 4 bytes into dst; 0 for what is not a Unicode scalar value */
size_t utf8_put(char dst[4], uint32_t code);
/* the longest prefix of at most `max` bytes that does not cut a character */
struct str utf8_cut(struct str, size_t max);
/* v itself if valid, else a copy with U+FFFD for each bad byte */
struct str utf8_repair(struct arena *, struct str v);

#endif
