/* transfer.h - undoing transfer encodings (RFC 2045 6)
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MAIL_TRANSFER_H
#define MAIL_TRANSFER_H

#include "base/str.h"

/* All decode into dst, which has room for v.len bytes, and return how many
 * were written.  *ret_clean is false if something was not as it should be;
 * what could be decoded was. */

/* Bytes outside the alphabet are skipped (6.8); only those other than blanks
 * and line ends are unclean, as is an end inside a byte. */
size_t transfer_base64(char *dst, struct str v, bool *ret_clean);
/* 6.7; an "=" that starts no escape stays */
size_t transfer_quoted(char *dst, struct str v, bool *ret_clean);
/* "Q" of RFC 2047 4.2 */
size_t transfer_q(char *dst, struct str v, bool *ret_clean);

#endif
