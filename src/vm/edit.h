/* edit.h - edits of the header: an overlay, never written into the message
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A message is shared by its recipients, so what rules add and delete belongs
 * to the outcome.  Version n of the message is what n edits made of it. */
#ifndef VM_EDIT_H
#define VM_EDIT_H

#include "vm/outcome.h"

/* Was some field of that lower-case name edited?  Then the first of those that there are now, or NULL. */
bool edit_find(const struct outcome *, struct str name, struct field **ret);
/* The next version has one field more, above or below all others. */
void edit_add(struct outcome *, struct str name, struct str value, bool last);
/* The next version is without those fields of that lower-case name that are marked, by their number from 0. */
void edit_delete(struct outcome *, struct str name, const bool *gone);
/* That version is the newest again. */
void edit_undo(struct outcome *, unsigned version);
/* What outcome_write() does if there may be edits: fields that nobody touched are as they came, byte for byte. */
int edit_write(const struct outcome *, unsigned version, int (*write)(void *ctx, struct tamis_text), void *ctx);

#endif
