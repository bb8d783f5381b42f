/* progress.h - a bar on the terminal while a mailbox is read
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TAMIS_PROGRESS_H
#define TAMIS_PROGRESS_H

#include "host/source.h"

struct progress;

/* NULL, which all others accept, when there is nobody to see it: standard
 * error is no terminal, or standard output is one and shows lines anyway. */
struct progress *progress_new(size_t nsources, bool lines);
struct progress *progress_free(struct progress *);
/* One message more of that source is done. */
void progress_step(struct progress *, const struct source *);
/* One source more is done. */
void progress_source(struct progress *);
/* Takes the bar away, so that a line can be written. */
void progress_clear(struct progress *);

#endif
