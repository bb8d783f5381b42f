/* fields.h - header fields that a server is to add and delete, so that one header becomes another
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_FIELDS_H
#define MILTER_FIELDS_H

#include "milter/mta.h"

/* `before` is the header as the server gave it; both may end with an empty line.  0, or -1 as a function of mta does. */
int fields_change(const struct mta *, struct str before, struct str after);
/* Above all others; field: "Name: value\n".  0 or -1. */
int fields_insert(const struct mta *, struct str field);

/* Field after field: the rest of the header becomes shorter; the value is without the blanks around it.  false: no more. */
bool fields_next(struct str *rest, struct str *ret_name, struct str *ret_value);
/* The first field of that name: its value without the blanks around it.  false: there is none. */
bool fields_first(struct str header, const char *name, struct str *ret);

#endif
