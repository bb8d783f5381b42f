/* header.h - a block of bytes, seen as header fields
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include "mail/message.h"

/* Length of the field at the start of v, with its continuation lines and its
 * last line end; 0: v does not start with a field.  *ret_name is the length of
 * the name, *ret_colon where the colon is.  Any visible byte is taken for part
 * of a name, 8-bit ones too: a field that some reader would show must not hide
 * the ones below it. */
size_t header_next(struct str v, size_t *ret_name, size_t *ret_colon);
/* Length of the empty line at the start of v: 0, 1 (LF) or 2 (CRLF) */
size_t header_empty_line(struct str v);
/* Length of an mbox "From " line at the start of v, or 0 */
size_t header_mbox_line(struct str v);
/* All fields of a block, in order, LIMIT_FIELDS at most; hash, same and chain
 * are not set.  Returns how many. */
unsigned header_scan(struct arena *, struct str block, struct field **ret);
/* First field of that lower-case name in an array, or NULL */
struct field *header_find(struct field *, unsigned n, const char *name);

#endif
