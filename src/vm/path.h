/* path.h - the addresses of an envelope
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef VM_PATH_H
#define VM_PATH_H

#include "vm/run.h"

/* An SMTP path as address_path() has it; also a local part alone, which local
 * mail knows.  Anything else is an address without parts. */
void path_read(struct arena *, struct str text, struct mail_address *ret);
/* The fact of that name as a path, read once for each message; NULL: not known. */
struct mail_address *path_fact(struct run *, struct str name);

#endif
