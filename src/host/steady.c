/* steady.c - seconds since 1970 that no step of the system's clock reaches
 * SPDX-License-Identifier: BSD-2-Clause */
#include <time.h>

#include "host/steady.h"

/* It goes on while the machine sleeps. */
static int64_t
steady_clock(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec;
}

struct steady
steady_start(int64_t at)
{
	return (struct steady){ at, steady_clock() };
}

int64_t
steady_now(const struct steady *s)
{
	return s->at + (steady_clock() - s->since);
}
