/* rulelimits.h - what rules may do here, by the configuration
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_RULELIMITS_H
#define HOST_RULELIMITS_H

#include "host/conf.h"

struct rules;

/* The configuration has to live as long as what is compiled by it; `site`: the rules are an administrator's. */
void rulelimits_set(const struct conf *, bool site, struct rules *);

#endif
