/* zone.h - time zones from TZif data (RFC 8536)
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The bytes come from whoever runs us; no file, no TZ, no localtime(). */
#ifndef MAIL_ZONE_H
#define MAIL_ZONE_H

#include "base/arena.h"

struct zone;

/* NULL: not TZif, or broken.  The bytes need not outlive the call. */
struct zone *zone_parse(struct arena *, struct str tzif);
/* Seconds and minutes east of UTC at that time.  After the last transition of
 * the data its rule (the footer) goes on for ever.  Offsets of odd seconds,
 * which ended with local mean time, are rounded to the nearest minute. */
int zone_offset_seconds(const struct zone *, int64_t utc);
int zone_offset(const struct zone *, int64_t utc);
/* The time at which clocks there show this local time (seconds as if it were
 * UTC).  Shown twice: the first; never shown: as if they had not yet been put
 * forward. */
int64_t zone_to_utc(const struct zone *, int64_t local);

#endif
