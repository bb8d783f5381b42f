/* sequence.c - site rules before, the user's, site rules after: one decision
 * SPDX-License-Identifier: BSD-2-Clause */
#include "host/sequence.h"

enum tamis_status
sequence_run(struct tamis_program *const *program, size_t n, struct tamis_outcome *outcome,
             enum tamis_stage stage, const struct tamis_host *host)
{
	enum tamis_status all = TAMIS_DECIDED, status;
	size_t i;

	for (i = 0; i < n; i++) {
		status = tamis_run(program[i], outcome, stage, host);
		if (status == TAMIS_UNDECIDED || status == TAMIS_WAITING)
			return status;
		if (status == TAMIS_FAILED)
			all = TAMIS_FAILED;
		else if (!tamis_outcome_keeps(outcome))
			break;
	}
	return all;
}

unsigned
sequence_needs(struct tamis_program *const *program, size_t n)
{
	unsigned needs = 0;
	size_t i;

	for (i = 0; i < n; i++)
		needs |= tamis_program_needs(program[i]);
	return needs;
}
