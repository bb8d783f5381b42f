/* secret.h - the secret of the site: what rewritten senders and filing fields are made with
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_SECRET_H
#define HOST_SECRET_H

#include "base/str.h"

#define SECRET_SIZE 32

/* Reads the first bytes of the file; with `make`, one that does not exist is written, readable by its owner alone.
 * 0, or -1 with errno; ERANGE: the file is too short.  A new secret makes void what was made with the old one. */
int secret_load(const char *path, bool make, uint8_t ret[SECRET_SIZE]);

#endif
