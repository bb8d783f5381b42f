/* moment.c - the time of day, and times that people write
 * SPDX-License-Identifier: BSD-2-Clause */
#include <time.h>

#include "host/moment.h"

enum { SECOND = 1000000 };

int64_t
moment_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * SECOND + t.tv_nsec / 1000;
}

int64_t
moment_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
moment_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec;
}

/* Exactly n digits, not above max; they are taken off v. */
static bool
moment_digits(struct str *v, size_t n, unsigned max, unsigned *ret)
{
	uint64_t number;

	if (v->len < n || !str_number(str_sub(*v, 0, n), &number) || number > max)
		return false;
	*v = str_sub(*v, n, v->len);
	*ret = (unsigned)number;
	return true;
}

static bool
moment_char(struct str *v, const char *one_of)
{
	if (!v->len || !v->s[0] || !strchr(one_of, v->s[0]))
		return false;
	*v = str_sub(*v, 1, v->len);
	return true;
}

/* days since 1970 of the proleptic Gregorian calendar */
static int64_t
moment_days(unsigned year, unsigned month, unsigned day)
{
	int64_t y = (int64_t)year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool
moment_date(struct str *v, int64_t *ret)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned year, month, day, last;

	if (!moment_digits(v, 4, 9999, &year) || !moment_char(v, "-") || !moment_digits(v, 2, 12, &month) ||
	    !moment_char(v, "-") || !moment_digits(v, 2, 31, &day) || !month || !day)
		return false;
	last = days[month - 1];
	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		last++;
	if (day > last)
		return false;
	*ret = moment_days(year, month, day) * 86400 * SECOND;
	return true;
}

static bool
moment_fraction(struct str *v, int64_t *ret)
{
	int64_t unit = SECOND / 10;

	if (!v->len || !char_is_digit(v->s[0]))
		return false;
	for (; v->len && char_is_digit(v->s[0]); *v = str_sub(*v, 1, v->len)) {
		*ret += unit * (v->s[0] - '0');
		unit /= 10;
	}
	return true;
}

static bool
moment_time(struct str *v, int64_t *ret)
{
	unsigned hour, minute, second = 0, zone_hour, zone_minute;
	bool east;

	if (!moment_digits(v, 2, 23, &hour) || !moment_char(v, ":") || !moment_digits(v, 2, 59, &minute))
		return false;
	if (moment_char(v, ":") && !moment_digits(v, 2, 60, &second))
		return false;
	*ret += (int64_t)(hour * 3600 + minute * 60 + second) * SECOND;
	if (moment_char(v, ".") && !moment_fraction(v, ret))
		return false;
	if (moment_char(v, "Zz"))
		return true;
	east = v->len && v->s[0] == '+';
	if (!moment_char(v, "+-") || !moment_digits(v, 2, 23, &zone_hour))
		return false;
	moment_char(v, ":");
	if (!moment_digits(v, 2, 59, &zone_minute))
		return false;
	*ret += (east ? -1 : 1) * (int64_t)(zone_hour * 3600 + zone_minute * 60) * SECOND;
	return true;
}

int
moment_parse(struct str v, int64_t *ret)
{
	uint64_t seconds;
	int64_t t;

	if (str_number(v, &seconds)) {
		if (seconds > INT64_MAX / SECOND)
			return 0;
		*ret = (int64_t)seconds * SECOND;
		return 1;
	}
	if (!moment_date(&v, &t))
		return 0;
	if (v.len && (!moment_char(&v, "Tt ") || !moment_time(&v, &t) || v.len))
		return 0;
	*ret = t;
	return 1;
}
