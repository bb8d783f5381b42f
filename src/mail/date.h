/* date.h - dates as mail writes them, and their parts
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Times are seconds since 1970-01-01 00:00:00 UTC, without leap seconds, in
 * the Gregorian calendar throughout.  Zones are minutes east of UTC.  Nothing
 * here knows the clock or TZ. */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H

#include "base/arena.h"

enum {
	DATE_OK = 1,
	DATE_NO_ZONE = 2        /* understood, but the zone says nothing ("-0000", unknown letters, none) */
};

struct date_parts {
	int year, month, day;           /* 1 to 12, 1 to 31 */
	int hour, minute, second;
	int weekday;                    /* 0: Sunday */
	int64_t mjd;                    /* Modified Julian Day of the local day (RFC 5260 4.2 "julian") */
	int zone;
};

/* RFC 5322 3.3 with the obsolete forms of 4.3; the day of the week may be
 * missing or wrong, comments may be anywhere.  DATE_OK, DATE_NO_ZONE (*ret_zone
 * is 0), or 0 when it is no date. */
int date_parse_rfc5322(struct str, int64_t *ret_utc, int *ret_zone);
/* The date that a field's value is, or that follows its last ";" (RFC 5260 4) */
int date_of_field(struct str value, int64_t *ret_utc, int *ret_zone);
/* RFC 3339; also ISO 8601 without seconds, without zone, with a blank for "T",
 * or a day alone.  Returns the same. */
int date_parse_iso8601(struct str, int64_t *ret_utc, int *ret_zone);
/* "+hhmm" or "-hhmm": 1, or 0 */
int date_parse_zone(struct str, int *ret_zone);

/* Local years are 0 to 9999; a time outside of them is taken for the nearest. */
void date_split(int64_t utc, int zone, struct date_parts *ret);
/* year to second and zone count; the other parts are not looked at */
int64_t date_join(const struct date_parts *);
/* days from 1970-01-01 */
int64_t date_days(int64_t year, int month, int day);

/* A date part of RFC 5260 4.2 by its name, letters of either case; false: no
 * such part. */
bool date_part(struct arena *, const struct date_parts *, struct str name, struct str *ret);
/* as in "Mon, 1 Jan 2024 00:00:00 +0000" (RFC 5322 3.3) */
struct str date_rfc5322(struct arena *, const struct date_parts *);

#endif
