/* clock.c - local time as rules name zones
 * SPDX-License-Identifier: BSD-2-Clause */
#include "vm/clock.h"

#include "mail/date.h"
#include "mail/zone.h"

enum { ZONE_NAME_MAX = 64 };    /* bytes; the longest of the database has 32 */

/* An offset, or the name of a zone: where it is the time of, if nobody tells. */
static const struct str zone_fact = { "vnd.tamis.zone", 14 };

/* "Europe/Paris", "America/Port-au-Prince", "Etc/GMT+5": words with "/"
 * between them, each beginning with a letter. */
static bool
is_name(struct str v)
{
	bool first = true;

	for (size_t i = 0; i < v.len; i++) {
		char c = v.s[i];
		bool letter = (unsigned char)(char_lower(c) - 'a') < 26;

		if (c == '/' ? first : !(letter || (!first && (char_is_digit(c) || c == '+' || c == '-' || c == '_'))))
			return false;
		first = c == '/';
	}
	return !first && v.len <= ZONE_NAME_MAX;
}

const char *
clock_zone_check(struct str v)
{
	int offset;

	if (date_parse_zone(v, &offset) || is_name(v))
		return NULL;
	return "is neither an offset (\"+0100\") nor the name of a zone (\"Europe/Paris\")";
}

static void
zone_load(struct run *r, struct clock_zone *z)
{
	struct str data;

	z->status = YES;
	if (date_parse_zone(z->name, &z->offset))
		return;
	/* the one zone that needs no data */
	if (str_iis(z->name, "UTC"))
		return;
	z->status = UNKNOWN;
	if (!is_name(z->name) || run_load(r, STR("zone"), z->name, &data) != YES)
		return;
	run_work(r, data.len);
	z->zone = zone_parse(&r->arena, data);
	if (z->zone)
		z->status = YES;
}

const struct clock_zone *
clock_zone(struct run *r, struct str name)
{
	struct clock_zone *z;

	if (!name.len) {
		const struct cell *fact = run_fact(r, zone_fact);

		name = fact ? fact->v : STR("UTC");
	}
	for (z = r->zones; z; z = z->next)
		if (str_eq(z->name, name))
			return z;
	z = ARENA_NEW(&r->arena, struct clock_zone);
	z->name = name;
	zone_load(r, z);
	z->next = r->zones;
	r->zones = z;
	return z;
}

int
clock_offset(const struct clock_zone *z, int64_t utc)
{
	return z->zone ? zone_offset(z->zone, utc) : z->offset;
}

int64_t
clock_now(const struct run *r)
{
	int64_t now = run_now(r);

	return now / 1000000 - (now % 1000000 < 0);
}
