/* date.c - dates as mail writes them, and their parts
 * SPDX-License-Identifier: BSD-2-Clause */
#include "mail/date.h"

#define DAY             86400           /* seconds */
#define MJD_OF_1970     40587
#define FIRST_SECOND    (-62167219200)  /* 0000-01-01 00:00:00 */
#define LAST_SECOND     253402300799    /* 9999-12-31 23:59:59 */

static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char months[12][4] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
};

/* --- the calendar */

/* a / b rounded down; b > 0 */
static int64_t
divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int
month_length(int64_t year, int month)
{
	static const int length[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return length[month - 1] + (month == 2 && leap);
}

/* Years begin in March here, so that the leap day comes last; the 153 days of
 * five months from then on repeat. */
int64_t
date_days(int64_t year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int m = month > 2 ? month - 3 : month + 9;

	return 365 * y + divide(y, 4) - divide(y, 100) + divide(y, 400)
	       + (153 * m + 2) / 5 + day - 1 - 719468;
}

static void
split_days(int64_t count, struct date_parts *ret)
{
	int64_t year = divide(count * 400, 146097) + 1970;
	int month = 1;
	int64_t rest;

	/* the guess is at most a year off */
	while (date_days(year, 1, 1) > count)
		year--;
	while (date_days(year + 1, 1, 1) <= count)
		year++;
	rest = count - date_days(year, 1, 1);
	while (rest >= month_length(year, month))
		rest -= month_length(year, month++);
	ret->year = (int)year;
	ret->month = month;
	ret->day = (int)rest + 1;
	ret->weekday = (int)((count % 7 + 7 + 4) % 7);
	ret->mjd = count + MJD_OF_1970;
}

void
date_split(int64_t utc, int zone, struct date_parts *ret)
{
	int64_t local, count;
	int second;

	/* first alone, so that the sum cannot overflow */
	utc = utc < FIRST_SECOND ? FIRST_SECOND : utc > LAST_SECOND ? LAST_SECOND : utc;
	local = utc + (int64_t)zone * 60;
	local = local < FIRST_SECOND ? FIRST_SECOND : local > LAST_SECOND ? LAST_SECOND : local;
	count = divide(local, DAY);
	second = (int)(local - count * DAY);
	split_days(count, ret);
	ret->hour = second / 3600;
	ret->minute = second / 60 % 60;
	ret->second = second % 60;
	ret->zone = zone;
}

int64_t
date_join(const struct date_parts *parts)
{
	return date_days(parts->year, parts->month, parts->day) * DAY + parts->hour * 3600
	       + parts->minute * 60 + parts->second - (int64_t)parts->zone * 60;
}

static bool
is_sane(const struct date_parts *p)
{
	return p->year >= 0 && p->year <= 9999 && p->month >= 1 && p->month <= 12
	       && p->day >= 1 && p->day <= month_length(p->year, p->month)
	       && p->hour <= 23 && p->minute <= 59 && p->second <= 60;
}

/* --- reading */

static void
advance(struct str *v, size_t n)
{
	*v = str_sub(*v, n, v->len);
}

/* Blanks, folds and comments; an open comment goes to the end. */
static void
skip_blanks(struct str *v)
{
	size_t i = 0, depth = 0;

	for (; i < v->len; i++) {
		char c = v->s[i];

		if (c == '(')
			depth++;
		else if (c == ')' && depth)
			depth--;
		else if (c == '\\' && depth)
			i += i + 1 < v->len;
		else if (!depth && c != ' ' && c != '\t' && c != '\r' && c != '\n')
			break;
	}
	advance(v, i);
}

/* A number of `least` to `most` digits and no more: its value, or -1 */
static int
read_digits(struct str *v, size_t least, size_t most, size_t *ret_n)
{
	size_t n = 0;
	int value = 0;

	while (n < v->len && n <= most && char_is_digit(v->s[n]))
		n++;
	if (n < least || n > most)
		return -1;
	for (size_t i = 0; i < n; i++)
		value = value * 10 + (v->s[i] - '0');
	advance(v, n);
	if (ret_n)
		*ret_n = n;
	return value;
}

static struct str
read_letters(struct str *v)
{
	struct str word = { v->s, 0 };

	while (word.len < v->len && (unsigned char)(char_lower(v->s[word.len]) - 'a') < 26)
		word.len++;
	advance(v, word.len);
	return word;
}

static bool
read_char(struct str *v, char c)
{
	if (!v->len || v->s[0] != c)
		return false;
	advance(v, 1);
	return true;
}

/* 1 to 12 by the first three letters of its name, or 0 */
static int
month_number(struct str word)
{
	int i;

	for (i = 0; i < 12; i++)
		if (word.len >= 3 && str_istarts(word, (struct str){ months[i], 3 }))
			return i + 1;
	return 0;
}

/* RFC 5322 4.3: years of two digits are 1950 to 2049, of three from 1900 on */
static bool
read_year(struct str *v, struct date_parts *p)
{
	size_t n;

	p->year = read_digits(v, 2, 4, &n);
	if (n == 2 && p->year >= 0)
		p->year += p->year < 50 ? 2000 : 1900;
	else if (n == 3 && p->year >= 0)
		p->year += 1900;
	return p->year >= 0;
}

static bool
read_time(struct str *v, struct date_parts *p)
{
	p->hour = read_digits(v, 1, 2, NULL);
	skip_blanks(v);
	if (p->hour < 0 || !read_char(v, ':'))
		return false;
	skip_blanks(v);
	p->minute = read_digits(v, 1, 2, NULL);
	skip_blanks(v);
	if (!read_char(v, ':'))
		return p->minute >= 0;
	skip_blanks(v);
	p->second = read_digits(v, 1, 2, NULL);
	/* fractions are nobody's syntax, but they come */
	if (read_char(v, '.'))
		while (v->len && char_is_digit(v->s[0]))
			advance(v, 1);
	return p->minute >= 0 && p->second >= 0;
}

/* [+-]hhmm or, `colon`, [+-]hh:mm: 1; 0 if it is neither */
static int
read_offset(struct str *v, bool colon, int *ret)
{
	struct str rest = *v;
	bool west = read_char(&rest, '-');
	int hours, minutes;

	if (!west && !read_char(&rest, '+'))
		return 0;
	hours = rest.len >= 2 ? read_digits(&(struct str){ rest.s, 2 }, 2, 2, NULL) : -1;
	if (hours < 0)
		return 0;
	advance(&rest, 2);
	if (colon)
		read_char(&rest, ':');
	minutes = read_digits(&rest, 2, 2, NULL);
	if (minutes < 0 || minutes > 59)
		return 0;
	*ret = (west ? -1 : 1) * (hours * 60 + minutes);
	*v = rest;
	return 1;
}

int
date_parse_zone(struct str v, int *ret_zone)
{
	int zone;

	if (!read_offset(&v, false, &zone) || v.len)
		return 0;
	*ret_zone = zone;
	return 1;
}

/* RFC 5322 4.3: the zones that were ever meant as they are written; single
 * letters and all others say nothing. */
static int
named_zone(struct str word, int *ret)
{
	static const struct {
		const char *name;
		int hours;
	} zones[] = {
		{ "GMT", 0 }, { "UT", 0 }, { "UTC", 0 }, { "Z", 0 }, { "EST", -5 }, { "EDT", -4 },
		{ "CST", -6 }, { "CDT", -5 }, { "MST", -7 }, { "MDT", -6 }, { "PST", -8 }, { "PDT", -7 },
	};

	for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
		if (str_iis(word, zones[i].name)) {
			*ret = zones[i].hours * 60;
			return DATE_OK;
		}
	}
	*ret = 0;
	return DATE_NO_ZONE;
}

/* What follows the zone is of no interest; "GMT+0100" is an offset. */
static int
read_zone(struct str *v, int *ret)
{
	struct str word;
	const bool minus = v->len && v->s[0] == '-';
	int kind;

	*ret = 0;
	if (read_offset(v, true, ret))
		return minus && !*ret ? DATE_NO_ZONE : DATE_OK;
	word = read_letters(v);
	kind = named_zone(word, ret);
	if (kind == DATE_OK && !*ret && word.len > 1)
		read_offset(v, true, ret);
	return kind;
}

/* "1 Jan 2024 00:00:00 +0000", or with "-" between, or as ctime() puts it:
 * "Jan  1 00:00:00 2024"; v is behind the day of the week. */
static int
read_date(struct str *v, struct date_parts *p)
{
	p->day = read_digits(v, 1, 2, NULL);
	skip_blanks(v);
	read_char(v, '-');
	p->month = month_number(read_letters(v));
	skip_blanks(v);
	if (p->day < 0) {
		p->day = read_digits(v, 1, 2, NULL);
		skip_blanks(v);
		if (!read_time(v, p))
			return 0;
		skip_blanks(v);
		return read_year(v, p);
	}
	read_char(v, '-');
	if (!read_year(v, p))
		return 0;
	skip_blanks(v);
	return read_time(v, p);
}

int
date_parse_rfc5322(struct str v, int64_t *ret_utc, int *ret_zone)
{
	struct date_parts p = { 0 };
	struct str before;
	int kind;

	skip_blanks(&v);
	before = v;
	/* a first word is the day of the week, unless it is a month */
	if (month_number(read_letters(&v)) && !(v.len && v.s[0] == ','))
		v = before;
	skip_blanks(&v);
	read_char(&v, ',');
	skip_blanks(&v);
	if (!read_date(&v, &p))
		return 0;
	skip_blanks(&v);
	kind = read_zone(&v, &p.zone);
	if (!is_sane(&p))
		return 0;
	*ret_utc = date_join(&p);
	*ret_zone = p.zone;
	return kind;
}

/* The last ";" outside comments and quoted strings, or NULL */
static const char *
last_semicolon(struct str v)
{
	const char *last = NULL;
	unsigned comments = 0;
	bool quoted = false;
	size_t i;

	for (i = 0; i < v.len; i++) {
		char c = v.s[i];

		if (c == '\\' && (quoted || comments))
			i++;
		else if (c == '"' && !comments)
			quoted = !quoted;
		else if (c == '(' && !quoted)
			comments++;
		else if (c == ')' && comments)
			comments--;
		else if (c == ';' && !quoted && !comments)
			last = v.s + i;
	}
	return last;
}

/* What stands behind that ";"; where quotes or comments are left open, behind
 * any last one; else all of it. */
int
date_of_field(struct str value, int64_t *ret_utc, int *ret_zone)
{
	const char *from[] = { last_semicolon(value), memrchr(value.s, ';', value.len) };
	int kind = 0;
	size_t i;

	for (i = 0; i < sizeof from / sizeof *from && !kind; i++)
		if (from[i])
			kind = date_parse_rfc5322(str_sub(value, (size_t)(from[i] + 1 - value.s), value.len),
			                          ret_utc, ret_zone);
	return kind ? kind : date_parse_rfc5322(value, ret_utc, ret_zone);
}

static bool
read_iso_time(struct str *v, struct date_parts *p)
{
	p->hour = read_digits(v, 2, 2, NULL);
	if (p->hour < 0 || !read_char(v, ':'))
		return false;
	p->minute = read_digits(v, 2, 2, NULL);
	if (p->minute < 0)
		return false;
	if (!read_char(v, ':'))
		return true;
	p->second = read_digits(v, 2, 2, NULL);
	if (p->second >= 0 && (read_char(v, '.') || read_char(v, ',')))
		while (v->len && char_is_digit(v->s[0]))
			advance(v, 1);
	return p->second >= 0;
}

int
date_parse_iso8601(struct str v, int64_t *ret_utc, int *ret_zone)
{
	struct date_parts p = { 0 };
	int kind = DATE_NO_ZONE;

	v = str_trim(v);
	p.year = read_digits(&v, 4, 4, NULL);
	if (p.year < 0 || !read_char(&v, '-'))
		return 0;
	p.month = read_digits(&v, 2, 2, NULL);
	if (p.month < 0 || !read_char(&v, '-'))
		return 0;
	p.day = read_digits(&v, 2, 2, NULL);
	if (read_char(&v, 'T') || read_char(&v, 't') || read_char(&v, ' ')) {
		if (!read_iso_time(&v, &p))
			return 0;
		if (read_char(&v, 'Z') || read_char(&v, 'z') || read_offset(&v, true, &p.zone))
			kind = DATE_OK;
	}
	if (v.len || !is_sane(&p))
		return 0;
	*ret_utc = date_join(&p);
	*ret_zone = p.zone;
	return kind;
}

/* --- writing */

enum part {
	YEAR, MONTH, DAY_OF_MONTH, DATE, JULIAN, HOUR, MINUTE, SECOND, TIME, ISO8601, STD11, ZONE, WEEKDAY
};

static const char *const part_names[] = {
	[YEAR] = "year", [MONTH] = "month", [DAY_OF_MONTH] = "day", [DATE] = "date",
	[JULIAN] = "julian", [HOUR] = "hour", [MINUTE] = "minute", [SECOND] = "second",
	[TIME] = "time", [ISO8601] = "iso8601", [STD11] = "std11", [ZONE] = "zone",
	[WEEKDAY] = "weekday",
};

static struct str
zone_text(struct arena *a, int zone, const char *colon)
{
	int minutes = zone < 0 ? -zone : zone;

	return arena_printf(a, "%c%02d%s%02d", zone < 0 ? '-' : '+', minutes / 60, colon, minutes % 60);
}

static struct str
iso8601_text(struct arena *a, const struct date_parts *p)
{
	return arena_printf(a, "%04d-%02d-%02dT%02d:%02d:%02d%s", p->year, p->month, p->day,
	                    p->hour, p->minute, p->second, p->zone ? zone_text(a, p->zone, ":").s : "Z");
}

struct str
date_rfc5322(struct arena *a, const struct date_parts *p)
{
	return arena_printf(a, "%s, %d %s %04d %02d:%02d:%02d %s", days[p->weekday], p->day,
	                    months[p->month - 1], p->year, p->hour, p->minute, p->second,
	                    zone_text(a, p->zone, "").s);
}

bool
date_part(struct arena *a, const struct date_parts *p, struct str name, struct str *ret)
{
	const int number[] = {
		[MONTH] = p->month, [DAY_OF_MONTH] = p->day, [HOUR] = p->hour, [MINUTE] = p->minute,
		[SECOND] = p->second,
	};
	size_t i;

	for (i = 0; i < sizeof part_names / sizeof *part_names; i++)
		if (str_iis(name, part_names[i]))
			break;
	switch (i) {
	case YEAR:
		*ret = arena_printf(a, "%04d", p->year);
		return true;
	case DATE:
		*ret = arena_printf(a, "%04d-%02d-%02d", p->year, p->month, p->day);
		return true;
	case JULIAN:
		*ret = arena_printf(a, "%lld", (long long)p->mjd);
		return true;
	case TIME:
		*ret = arena_printf(a, "%02d:%02d:%02d", p->hour, p->minute, p->second);
		return true;
	case ISO8601:
		*ret = iso8601_text(a, p);
		return true;
	case STD11:
		*ret = date_rfc5322(a, p);
		return true;
	case ZONE:
		*ret = zone_text(a, p->zone, "");
		return true;
	case WEEKDAY:
		*ret = arena_printf(a, "%d", p->weekday);
		return true;
	case MONTH: case DAY_OF_MONTH: case HOUR: case MINUTE: case SECOND:
		*ret = arena_printf(a, "%02d", number[i]);
		return true;
	default:
		return false;
	}
}
