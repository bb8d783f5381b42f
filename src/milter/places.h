/* places.h - what a start would trip over, told without one
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_PLACES_H
#define MILTER_PLACES_H

#include "host/conf.h"

/* Warns of files and directories that a start, or a reload, would need and not have; changes nothing. */
void places_check(const struct conf *, struct diag *);

#endif
