/* date.c - tests of dates in header fields, and of today's (RFC 5260 4, 5)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/compile.h"
#include "mail/date.h"
#include "vm/clock.h"

static const char *
part_check(struct str v)
{
	static const struct date_parts some_day = { .year = 1970, .month = 1, .day = 1 };
	struct arena arena = { 0 };
	struct str text;
	bool ok = date_part(&arena, &some_day, v, &text);

	arena_done(&arena);
	return ok ? NULL : "is not a part of a date";
}

static bool
part_match(struct run *r, struct match *m, int64_t utc, int offset, struct str part)
{
	struct date_parts parts;
	struct str text;

	date_split(utc, offset, &parts);
	return date_part(&r->arena, &parts, part, &text) && match_text(m, text);
}

/* The zone that the arguments name, or the local one; NULL: it cannot be told. */
static const struct clock_zone *
zone_of(struct run *r, const struct value *zone)
{
	const struct clock_zone *z = clock_zone(r, zone->type == STRING ? zone->str[0] : STR_EMPTY);

	return z->status == YES ? z : NULL;
}

/* Data of zones is asked for when a rule runs; that there is none can be said before. */
static bool
zone_exists_check(struct compiler *c, struct call *k, uint8_t zone)
{
	const struct value *v = &k->arg[zone];
	struct tamis_text data;
	int offset;

	if (v->type != STRING || v->dynamic || !c->host || !c->host->load || date_parse_zone(v->str[0], &offset) ||
	    str_iis(v->str[0], "UTC"))
		return true;
	if (c->host->load(c->host->ctx, text_of(STR("zone")), text_of(v->str[0]), &data) == 0)
		compile_warning(c, compile_at(c, v), "names are those of the IANA database, as they are written there",
		                "no time zone \"%.*s\" is known here", STR_ARG(v->str[0]));
	return true;
}

/* --- date [":zone" <time-zone: string> / ":originalzone"] <header-name: string> <date-part: string>
 *          <key-list: string-list> */

enum { DATE_ZONE, DATE_ORIGINAL, DATE_HEADER, DATE_PART, DATE_KEYS };
static const struct param date_params[] = {
	[DATE_ZONE]     = { ":zone", STRING, .group = 1, .check = clock_zone_check },
	[DATE_ORIGINAL] = { ":originalzone", FLAG, .group = 1 },
	[DATE_HEADER]   = { "header-name", STRING, ROLE_HEADERS },
	[DATE_PART]     = { "date-part", STRING, .check = part_check },
	[DATE_KEYS]     = { "key-list", STRINGS, ROLE_KEYS },
};

/* Only the first field of the name is looked at, or the one that ":index" selects. */
static int
date_values(struct run *r, const struct call *k, const struct value *arg, struct match *m)
{
	const struct clock_zone *zone = NULL;
	struct fields f;
	int64_t utc;
	int offset;

	fields_start(&f, r, k, &arg[DATE_HEADER]);
	if (!fields_next(&f) || !date_of_field(field_plain(r->message, f.at)->v, &utc, &offset))
		return YES;
	run_work(r, f.at->raw.len);
	if (arg[DATE_ORIGINAL].type != FLAG) {
		zone = zone_of(r, &arg[DATE_ZONE]);
		if (!zone)
			return UNKNOWN;
		offset = clock_offset(zone, utc);
	}
	part_match(r, m, utc, offset, arg[DATE_PART].str[0]);
	return YES;
}

static bool
date_check(struct compiler *c, struct call *k, const struct ast_node *node)
{
	const struct value *name = &k->arg[DATE_HEADER];

	(void)node;
	/* RFC 5228 2.4.2.2: no error */
	if (!name->dynamic && !header_name_ok(name->str[0]))
		compile_warning(c, compile_at(c, name), NULL, "\"%.*s\" is no header field name: no field has it",
		                name->str[0].len > 80 ? 80 : (int)name->str[0].len, name->str[0].s);
	return zone_exists_check(c, k, DATE_ZONE);
}

/* --- currentdate [":zone" <time-zone: string>] <date-part: string> <key-list: string-list> */

enum { NOW_ZONE, NOW_PART, NOW_KEYS };
static const struct param currentdate_params[] = {
	[NOW_ZONE] = { ":zone", STRING, .check = clock_zone_check },
	[NOW_PART] = { "date-part", STRING, .check = part_check },
	[NOW_KEYS] = { "key-list", STRINGS, ROLE_KEYS },
};

static int
currentdate_values(struct run *r, const struct call *k, const struct value *arg, struct match *m)
{
	const struct clock_zone *zone = zone_of(r, &arg[NOW_ZONE]);
	int64_t now = clock_now(r);

	(void)k;
	if (!zone)
		return UNKNOWN;
	part_match(r, m, now, clock_offset(zone, now), arg[NOW_PART].str[0]);
	return YES;
}

static bool
currentdate_check(struct compiler *c, struct call *k, const struct ast_node *node)
{
	(void)node;
	return zone_exists_check(c, k, NOW_ZONE);
}

static const struct command commands[] = {
	{ .name = "date", .kind = COMMAND_TEST, .summary = "compares a part of the date in a header field",
	  .flags = COMMAND_MATCHES, PARAMS(date_params), .needs = TAMIS_HEADER, .values = date_values, .check = date_check },
	{ .name = "currentdate", .kind = COMMAND_TEST, .summary = "compares a part of the current date",
	  .flags = COMMAND_MATCHES, PARAMS(currentdate_params), .values = currentdate_values, .check = currentdate_check },
};

const struct extension ext_date = {
	.name = "date", .document = "RFC 5260 4", .summary = "tests dates in header fields, and the current one", COMMANDS(commands),
};
