/* testfile_faults.h - each question fails once: mail is kept all the same
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TAMIS_TESTFILE_FAULTS_H
#define TAMIS_TESTFILE_FAULTS_H

#include "tamis/testfile_run.h"

/* Decides the current message again and again: the first question cannot be
 * answered, then the second, and so on, at every stage up to that of the case.
 * good: the decision when all goes well. */
void testfile_faults(struct testfile_run *, unsigned line, const struct testfile_decision *good);

#endif
