/* moment.h - the time of day, and times that people write
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_MOMENT_H
#define HOST_MOMENT_H

#include "base/str.h"

/* microseconds since 1970, UTC */
int64_t moment_now(void);
/* milliseconds of a clock that nobody sets (CLOCK_MONOTONIC), for deadlines */
int64_t moment_clock(void);
/* seconds of such a clock, for how long ago something was; asked for each message, so it may be some
 * milliseconds late */
int64_t moment_seconds(void);
/* "2026-11-23T09:30:00+01:00" (RFC 3339; also with a blank for the "T", or the
 * date alone: midnight UTC), or seconds since 1970.  1, or 0 if it is neither. */
int moment_parse(struct str, int64_t *ret);

#endif
