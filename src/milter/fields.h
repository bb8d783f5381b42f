/* fields.h - header fields that a server is to add and delete, so that one header becomes another
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_FIELDS_H
#define MILTER_FIELDS_H

#include "milter/mta.h"

/* `before` is the header as the server gave it; both may end with an empty line.  0, or -1 as a function of mta does. */
int fields_change(const struct mta *, struct str before, struct str after);
/* Above all others; field: "Name: value\n".  0 or -1. */
/* A field of ours, "Name: value\r\n": folded, and ASCII, as the message may be for servers that know nothing else. */
struct str fields_ours(struct arena *, const char *name, struct str value);
int fields_insert(const struct mta *, struct str field);

/* Field after field: the rest of the header becomes shorter; the value is without the blanks around it.  false: no more. */
bool fields_next(struct str *rest, struct str *ret_name, struct str *ret_value);
/* The first field of that name: its value without the blanks around it.  false: there is none. */
bool fields_first(struct str header, const char *name, struct str *ret);
/* "Resent-From" and the like (RFC 5322 3.6.6); is there one? */
bool fields_is_resent(struct str name);
bool fields_has_resent(struct str header);

/* As the server gave it, to a header whose lines end in CRLF.  folded: the value has a line end. */
void fields_add(struct buf *header, struct str name, struct str value, bool folded);

#endif
