/* twins.h - which deliveries of a message are the same
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Each could be compared with each other; but a message may have 100,000
 * recipients.  So they are sorted. */
#ifndef MILTER_TWINS_H
#define MILTER_TWINS_H

#include "milter/merge.h"

/* Gives equal contents equal numbers, from 0 on: how many there are. */
size_t twins_number(struct merge *);
/* The same content to the same address is sent once: covers all but the first of those that nothing covers yet. */
void twins_cover(struct merge *);
/* What is added to the server's own message comes with the content of that: to one address once, whatever else was meant. */
void twins_cover_queued(struct merge *);
/* The client named one person twice, in two ways of writing: covers the second of his copies, reports, quarantines. */
void twins_cover_copies(struct merge *);

#endif
