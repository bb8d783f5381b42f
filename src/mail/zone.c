/* zone.c - time zones from TZif data (RFC 8536)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "mail/date.h"
#include "mail/zone.h"

#define HOUR            3600
#define DAY             86400
#define OFFSET_MOST     (26 * HOUR)     /* RFC 8536 3.2: at least -25 to +26 hours */
#define RULE_TIME_MOST  (167 * HOUR)    /* RFC 8536 3.3.1 */

/* When within a year; time is in seconds of that day, and may leave it */
struct rule {
	enum { JULIAN, ZERO_BASED, MONTH_WEEK } kind;
	int month, week, day;
	int time;
};

struct zone {
	size_t ntimes, ntypes;
	int64_t *time;                  /* transitions, ascending */
	unsigned char *type;            /* from time[i] on */
	int32_t *offset;                /* of each type */
	bool has_rule, has_dst;         /* the footer */
	int std, dst;
	struct rule start, end;         /* of daylight saving time */
};

/* --- the file */

struct block {
	uint32_t isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt;
	char version;
	struct str data;
};

static uint32_t
read32(const char *p)
{
	const unsigned char *b = (const unsigned char *)p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static int64_t
read_time(const char *p, size_t width)
{
	if (width == 4)
		return (int32_t)read32(p);
	return (int64_t)((uint64_t)read32(p) << 32 | read32(p + 4));
}

/* Header and data block at the start of *v, which moves behind it */
static bool
read_block(struct str *v, size_t width, struct block *ret)
{
	enum { HEADER = 44 };
	const char *p = v->s;
	uint64_t size;

	if (v->len < HEADER || memcmp(p, "TZif", 4))
		return false;
	*ret = (struct block){
		.version = p[4],
		.isutcnt = read32(p + 20), .isstdcnt = read32(p + 24), .leapcnt = read32(p + 28),
		.timecnt = read32(p + 32), .typecnt = read32(p + 36), .charcnt = read32(p + 40),
	};
	size = (uint64_t)ret->timecnt * (width + 1) + (uint64_t)ret->typecnt * 6 + ret->charcnt
	       + (uint64_t)ret->leapcnt * (width + 4) + ret->isstdcnt + ret->isutcnt;
	if (size > v->len - HEADER)
		return false;
	ret->data = str_sub(*v, HEADER, HEADER + (size_t)size);
	*v = str_sub(*v, HEADER + (size_t)size, v->len);
	return true;
}

static bool
read_data(struct arena *a, struct zone *z, const struct block *b, size_t width)
{
	const char *times = b->data.s, *types = times + b->timecnt * width;
	const char *infos = types + b->timecnt;
	size_t i;

	if (!b->typecnt || b->typecnt > 256)
		return false;
	z->ntimes = b->timecnt;
	z->ntypes = b->typecnt;
	z->time = ARENA_ARRAY(a, z->ntimes, int64_t);
	z->type = ARENA_ARRAY(a, z->ntimes, unsigned char);
	z->offset = ARENA_ARRAY(a, z->ntypes, int32_t);
	for (i = 0; i < z->ntimes; i++) {
		z->time[i] = read_time(times + i * width, width);
		z->type[i] = (unsigned char)types[i];
		if (z->type[i] >= z->ntypes || (i && z->time[i] <= z->time[i - 1]))
			return false;
	}
	for (i = 0; i < z->ntypes; i++) {
		z->offset[i] = (int32_t)read32(infos + i * 6);
		if (z->offset[i] < -OFFSET_MOST || z->offset[i] > OFFSET_MOST)
			return false;
	}
	return true;
}

/* --- the footer: "CET-1CEST,M3.5.0,M10.5.0/3" (POSIX TZ, RFC 8536 3.3.1) */

static bool
read_char(struct str *v, char c)
{
	if (!v->len || v->s[0] != c)
		return false;
	*v = str_sub(*v, 1, v->len);
	return true;
}

/* A number of at most three digits; false: there is none */
static bool
read_number(struct str *v, int *ret)
{
	size_t n = 0;
	int value = 0;

	for (; n < v->len && n < 3 && char_is_digit(v->s[n]); n++)
		value = value * 10 + (v->s[n] - '0');
	if (!n)
		return false;
	*v = str_sub(*v, n, v->len);
	*ret = value;
	return true;
}

static bool
skip_name(struct str *v)
{
	const char close = '>';
	size_t n = 0;

	if (read_char(v, '<')) {
		const char *end = memchr(v->s, close, v->len);

		if (!end)
			return false;
		*v = str_sub(*v, (size_t)(end + 1 - v->s), v->len);
		return true;
	}
	while (n < v->len && (unsigned char)(char_lower(v->s[n]) - 'a') < 26)
		n++;
	*v = str_sub(*v, n, v->len);
	return n >= 3;
}

/* [+-]hh[:mm[:ss]] in seconds */
static bool
read_hms(struct str *v, int most, int *ret)
{
	bool negative = read_char(v, '-');
	int h, m = 0, s = 0;

	if (!negative)
		read_char(v, '+');
	if (!read_number(v, &h))
		return false;
	if (read_char(v, ':') && (!read_number(v, &m) || (read_char(v, ':') && !read_number(v, &s))))
		return false;
	if (m > 59 || s > 59 || h * HOUR + m * 60 + s > most)
		return false;
	*ret = (negative ? -1 : 1) * (h * HOUR + m * 60 + s);
	return true;
}

static bool
read_rule(struct str *v, struct rule *r)
{
	bool ok;

	*r = (struct rule){ .time = 2 * HOUR };
	if (!read_char(v, ','))
		return false;
	if (read_char(v, 'M')) {
		r->kind = MONTH_WEEK;
		ok = read_number(v, &r->month) && read_char(v, '.') && read_number(v, &r->week)
		     && read_char(v, '.') && read_number(v, &r->day)
		     && r->month >= 1 && r->month <= 12 && r->week >= 1 && r->week <= 5 && r->day <= 6;
	} else {
		r->kind = read_char(v, 'J') ? JULIAN : ZERO_BASED;
		ok = read_number(v, &r->day) && r->day <= 365 && (r->kind == ZERO_BASED || r->day >= 1);
	}
	if (ok && read_char(v, '/'))
		ok = read_hms(v, RULE_TIME_MOST, &r->time);
	return ok;
}

static bool
read_footer(struct zone *z, struct str v)
{
	if (!skip_name(&v) || !read_hms(&v, OFFSET_MOST, &z->std))
		return false;
	/* POSIX counts west of UTC */
	z->std = -z->std;
	z->has_rule = true;
	if (!v.len)
		return true;
	if (!skip_name(&v))
		return false;
	z->dst = z->std + HOUR;
	if (v.len && v.s[0] != ',') {
		if (!read_hms(&v, OFFSET_MOST, &z->dst))
			return false;
		z->dst = -z->dst;
	}
	z->has_dst = true;
	return read_rule(&v, &z->start) && read_rule(&v, &z->end) && !v.len;
}

struct zone *
zone_parse(struct arena *a, struct str tzif)
{
	struct zone *z = ARENA_NEW(a, struct zone);
	struct block b;
	const char *nl;

	if (!read_block(&tzif, 4, &b))
		return NULL;
	if (b.version < '2')
		return read_data(a, z, &b, 4) ? z : NULL;
	/* the first block is for readers of version 1 alone (3.) */
	if (!read_block(&tzif, 8, &b) || !read_data(a, z, &b, 8))
		return NULL;
	if (!read_char(&tzif, '\n') || !(nl = memchr(tzif.s, '\n', tzif.len)))
		return NULL;
	tzif.len = (size_t)(nl - tzif.s);
	return !tzif.len || read_footer(z, tzif) ? z : NULL;
}

/* --- offsets */

/* Local seconds (since 1970, as if UTC) of a rule in a year */
static int64_t
rule_time(const struct rule *r, int year)
{
	int64_t first, day = 0;
	int weekday;

	switch (r->kind) {
	case JULIAN:
		/* 29 February is never counted */
		day = date_days(year, 1, 1) + r->day - 1;
		if (r->day >= 60)
			day = date_days(year, 3, 1) + r->day - 60;
		break;
	case ZERO_BASED:
		day = date_days(year, 1, 1) + r->day;
		break;
	case MONTH_WEEK:
		first = date_days(year, r->month, 1);
		weekday = (int)((first % 7 + 7 + 4) % 7);
		day = first + (r->day - weekday + 7) % 7 + (r->week - 1) * 7;
		/* week 5 is the last one */
		if (r->week == 5 && day >= date_days(year + r->month / 12, r->month % 12 + 1, 1))
			day -= 7;
		break;
	}
	return day * DAY + r->time;
}

static int
rule_offset(const struct zone *z, int64_t utc)
{
	struct date_parts local;
	int64_t start, end;
	bool dst;

	if (!z->has_dst)
		return z->std;
	date_split(utc + z->std, 0, &local);
	start = rule_time(&z->start, local.year) - z->std;
	end = rule_time(&z->end, local.year) - z->dst;
	/* south of the equator it is the rest of the year that is special */
	dst = start < end ? utc >= start && utc < end : utc >= start || utc < end;
	return dst ? z->dst : z->std;
}

/* No clock shows more than 34,000 years either way; sums stay in range. */
static int64_t
nearest(int64_t t)
{
	const int64_t most = (int64_t)1 << 40;

	return t < -most ? -most : t > most ? most : t;
}

int
zone_offset_seconds(const struct zone *z, int64_t utc)
{
	size_t low = 0, high = z->ntimes;

	utc = nearest(utc);
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (z->time[middle] <= utc)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == z->ntimes && z->has_rule)
		return rule_offset(z, utc);
	return z->offset[low ? z->type[low - 1] : 0];
}

int
zone_offset(const struct zone *z, int64_t utc)
{
	int seconds = zone_offset_seconds(z, utc);

	return (seconds + (seconds < 0 ? -30 : 30)) / 60;
}

int64_t
zone_to_utc(const struct zone *z, int64_t local)
{
	int before, after;

	local = nearest(local);
	before = zone_offset_seconds(z, local - DAY);
	after = zone_offset_seconds(z, local + DAY);
	/* the offset of the day before is right until the clocks are changed */
	if (zone_offset_seconds(z, local - before) == before || before == after)
		return local - before;
	return zone_offset_seconds(z, local - after) == after ? local - after : local - before;
}
