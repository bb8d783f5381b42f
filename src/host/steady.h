/* steady.h - seconds since 1970 that no step of the system's clock reaches
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_STEADY_H
#define HOST_STEADY_H

#include <stdint.h>

struct steady {
	int64_t at, since;              /* what it was, and when that was on a clock that only goes on */
};

/* It is `at` now. */
struct steady steady_start(int64_t at);
int64_t steady_now(const struct steady *);

#endif
