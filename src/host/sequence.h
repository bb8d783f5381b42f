/* sequence.h - site rules before, the user's, site rules after: one decision
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_SEQUENCE_H
#define HOST_SEQUENCE_H

#include "tamis.h"

/* Runs the programs in order on one outcome.  A keep, implicit or not, means
 * "go on"; what cancels it ends the sequence.  An error skips the rest of its
 * script alone.  A script that is not decided leaves the later ones undecided.
 * TAMIS_FAILED: decided, but at least one script failed. */
enum tamis_status sequence_run(struct tamis_program *const *, size_t n, struct tamis_outcome *,
                               enum tamis_stage, const struct tamis_host *);
/* What any of them needs. */
unsigned sequence_needs(struct tamis_program *const *, size_t n);

#endif
