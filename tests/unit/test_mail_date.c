/* test_mail_date.c - dates, their parts, and time zones
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "mail/date.h"
#include "mail/zone.h"

#define NONE DATE_NO_ZONE
#define Y2024 1704067200        /* Mon, 1 Jan 2024 00:00:00 +0000 */

static const struct {
	const char *text;
	int kind;
	int64_t utc;
	int zone;
} mail_dates[] = {
	{ "Mon, 1 Jan 2024 00:00:00 +0000", DATE_OK, Y2024, 0 },
	{ "1 Jan 2024 00:00 +0000", DATE_OK, Y2024, 0 },
	{ "Mon, 01 Jan 2024 01:30:05 +0130", DATE_OK, Y2024 + 5, 90 },
	{ "Sun, 31 Dec 2023 16:00:00 -0800", DATE_OK, Y2024, -480 },
	{ "Mon, 1 Jan 2024 00:00:00 -0000", NONE, Y2024, 0 },
	{ "Mon, 1 Jan 2024 00:00:00", NONE, Y2024, 0 },
	/* the day of the week is wrong, has no comma, is in another language */
	{ "Fri, 1 Jan 2024 00:00:00 +0000", DATE_OK, Y2024, 0 },
	{ "Mon 1 Jan 2024 00:00:00 +0000", DATE_OK, Y2024, 0 },
	{ "Lun, 1 January 2024 00:00:00 +0000", DATE_OK, Y2024, 0 },
	/* blanks, folds, comments */
	{ " \r\n Mon , 1\tJan\r\n 2024 00 : 00 : 00 +0000 \r\n", DATE_OK, Y2024, 0 },
	{ "(a(b)\\)) Mon, (c) 1 (d) Jan (e) 2024 (f) 00:00:00 (g) +0000 (UTC)", DATE_OK, Y2024, 0 },
	/* obsolete */
	{ "1 Jan 24 00:00:00 GMT", DATE_OK, Y2024, 0 },
	{ "1 Jan 124 00:00:00 UT", DATE_OK, Y2024, 0 },
	{ "1 Jan 70 00:00:00 Z", DATE_OK, 0, 0 },
	{ "31 Dec 2023 19:00:00 EST", DATE_OK, Y2024, -300 },
	{ "31 Dec 2023 17:00:00 pdt", DATE_OK, Y2024, -420 },
	{ "1 Jan 2024 00:00:00 A", NONE, Y2024, 0 },
	{ "1 Jan 2024 00:00:00 CEST", NONE, Y2024, 0 },
	/* seen in the wild */
	{ "Mon Jan  1 00:00:00 2024", NONE, Y2024, 0 },
	{ "Mon Jan  1 01:00:00 2024 +0100", DATE_OK, Y2024, 60 },
	{ "Mon, 01-Jan-2024 00:00:00 GMT", DATE_OK, Y2024, 0 },
	{ "Mon, 1 Jan 2024 00:00:00.123 +0000", DATE_OK, Y2024, 0 },
	{ "Mon, 1 Jan 2024 01:00:00 GMT+0100", DATE_OK, Y2024, 60 },
	{ "Mon, 1 Jan 2024 01:00:00 +01:00", DATE_OK, Y2024, 60 },
	{ "Mon, 1 Jan 2024 00:00:00 +0000 trailing", DATE_OK, Y2024, 0 },
	/* the edges */
	{ "29 Feb 2024 00:00:00 +0000", DATE_OK, Y2024 + 59 * 86400, 0 },
	{ "31 Dec 9999 23:59:59 +0000", DATE_OK, 253402300799, 0 },
	{ "1 Jan 0000 00:00:00 +0000", DATE_OK, -62167219200, 0 },
	{ "31 Dec 1969 23:59:60 +0000", DATE_OK, 0, 0 },
	{ "1 Jan 2024 00:00:00 +9959", DATE_OK, Y2024 - (99 * 60 + 59) * 60, 99 * 60 + 59 },
	/* no dates */
	{ "", 0, 0, 0 },
	{ "Mon", 0, 0, 0 },
	{ "today", 0, 0, 0 },
	{ "1 Jan", 0, 0, 0 },
	{ "1 Jan 2024", 0, 0, 0 },
	{ "1 Jan 2024 00", 0, 0, 0 },
	{ "1 Jan 2024 :00", 0, 0, 0 },
	{ "1 Foo 2024 00:00:00 +0000", 0, 0, 0 },
	{ "30 Feb 2024 00:00:00 +0000", 0, 0, 0 },
	{ "29 Feb 2023 00:00:00 +0000", 0, 0, 0 },
	{ "0 Jan 2024 00:00:00 +0000", 0, 0, 0 },
	{ "1 Jan 2024 24:00:00 +0000", 0, 0, 0 },
	{ "1 Jan 2024 00:60:00 +0000", 0, 0, 0 },
	{ "1 Jan 2024 00:00:61 +0000", 0, 0, 0 },
	{ "1 Jan 20244 00:00:00 +0000", 0, 0, 0 },
	{ "111 Jan 2024 00:00:00 +0000", 0, 0, 0 },
	{ "1 Jan 2024 99999999999:00:00 +0000", 0, 0, 0 },
	{ "2024-01-01T00:00:00Z", 0, 0, 0 },
	{ "(1 Jan 2024 00:00:00 +0000", 0, 0, 0 },
};

START_TEST(mail_date)
{
	int64_t utc = 0;
	int zone = 0;

	ck_assert_int_eq(date_parse_rfc5322(str_from(mail_dates[_i].text), &utc, &zone), mail_dates[_i].kind);
	ck_assert_int_eq(utc, mail_dates[_i].utc);
	ck_assert_int_eq(zone, mail_dates[_i].zone);
}
END_TEST

static const struct {
	const char *text;
	int kind;
	int64_t utc;
} fields[] = {
	{ "from a by b; Mon, 1 Jan 2024 00:00:00 +0000", DATE_OK, Y2024 },
	{ "from a (x; y) by b;\r\n\tMon, 1 Jan 2024 00:00:00 +0000 (c)", DATE_OK, Y2024 },
	{ "Mon, 1 Jan 2024 00:00:00 +0000 (a; b)", DATE_OK, Y2024 },
	{ "from a by b;", 0, 0 },
	{ "from a by b", 0, 0 },
};

START_TEST(date_in_a_field)
{
	int64_t utc = 0;
	int zone;

	ck_assert_int_eq(date_of_field(str_from(fields[_i].text), &utc, &zone), fields[_i].kind);
	ck_assert_int_eq(utc, fields[_i].utc);
}
END_TEST

static const struct {
	const char *text;
	int kind;
	int64_t utc;
	int zone;
} iso_dates[] = {
	{ "2024-01-01T00:00:00Z", DATE_OK, Y2024, 0 },
	{ "2024-01-01t00:00:00.25z", DATE_OK, Y2024, 0 },
	{ "2024-01-01 01:00:00+01:00", DATE_OK, Y2024, 60 },
	{ " 2023-12-31T16:00-0800 ", DATE_OK, Y2024, -480 },
	{ "2024-01-01T00:00:00-00:00", DATE_OK, Y2024, 0 },
	{ "2024-01-01T00:00:00", NONE, Y2024, 0 },
	{ "2024-01-01", NONE, Y2024, 0 },
	{ "2024-1-01", 0, 0, 0 },
	{ "2024-01-32", 0, 0, 0 },
	{ "2024-13-01", 0, 0, 0 },
	{ "24-01-01", 0, 0, 0 },
	{ "2024-01-01T", 0, 0, 0 },
	{ "2024-01-01T00", 0, 0, 0 },
	{ "2024-01-01T00:00:00X", 0, 0, 0 },
	{ "2024-01-01T00:00:00+1", 0, 0, 0 },
	{ "", 0, 0, 0 },
};

START_TEST(iso_date)
{
	int64_t utc = 0;
	int zone = 0;

	ck_assert_int_eq(date_parse_iso8601(str_from(iso_dates[_i].text), &utc, &zone), iso_dates[_i].kind);
	ck_assert_int_eq(utc, iso_dates[_i].utc);
	ck_assert_int_eq(zone, iso_dates[_i].zone);
}
END_TEST

START_TEST(zone_argument)
{
	int zone = 7;

	ck_assert_int_eq(date_parse_zone(STR("+0530"), &zone), 1);
	ck_assert_int_eq(zone, 330);
	ck_assert_int_eq(date_parse_zone(STR("-1200"), &zone), 1);
	ck_assert_int_eq(zone, -720);
	ck_assert_int_eq(date_parse_zone(STR("0530"), &zone), 0);
	ck_assert_int_eq(date_parse_zone(STR("+530"), &zone), 0);
	ck_assert_int_eq(date_parse_zone(STR("+05:30"), &zone), 0);
	ck_assert_int_eq(date_parse_zone(STR("+05300"), &zone), 0);
	ck_assert_int_eq(date_parse_zone(STR("+0560"), &zone), 0);
	ck_assert_int_eq(date_parse_zone(STR(""), &zone), 0);
	ck_assert_int_eq(zone, -720);
}
END_TEST

/* Every day of 10,000 years: the same as the C library says, and back */
START_TEST(calendar)
{
	for (int64_t day = -719528; day <= 2932896; day += 1) {
		time_t t = (time_t)(day * 86400 + (day & 0xffff));
		struct date_parts p;
		struct tm tm;

		date_split(t, 0, &p);
		gmtime_r(&t, &tm);
		if (p.year != tm.tm_year + 1900 || p.month != tm.tm_mon + 1 || p.day != tm.tm_mday
		    || p.hour != tm.tm_hour || p.minute != tm.tm_min || p.second != tm.tm_sec
		    || p.weekday != tm.tm_wday || p.mjd != day + 40587 || date_join(&p) != t)
			ck_abort_msg("day %lld is not %d-%d-%d", (long long)day, p.year, p.month, p.day);
	}
}
END_TEST

START_TEST(clock_out_of_range)
{
	struct date_parts p;

	date_split(INT64_MIN, -720, &p);
	ck_assert_int_eq(p.year, 0);
	ck_assert_int_eq(p.day, 1);
	date_split(INT64_MAX, 720, &p);
	ck_assert_int_eq(p.year, 9999);
	ck_assert_int_eq(p.second, 59);
	date_split(-1, 0, &p);
	ck_assert_int_eq(p.year, 1969);
	ck_assert_int_eq(p.second, 59);
}
END_TEST

static const struct {
	const char *name, *text;
} parts[] = {
	{ "year", "2007" }, { "month", "02" }, { "day", "26" }, { "DATE", "2007-02-26" }, { "julian", "54157" },
	{ "hour", "09" }, { "minute", "08" }, { "second", "07" }, { "time", "09:08:07" },
	{ "iso8601", "2007-02-26T09:08:07-05:00" }, { "std11", "Mon, 26 Feb 2007 09:08:07 -0500" },
	{ "zone", "-0500" }, { "weekday", "1" }, { "nothing", NULL }, { "", NULL }, { "yea", NULL },
};

START_TEST(part)
{
	struct arena a = { 0 };
	struct date_parts p;
	struct str v;

	date_split(1172498887, -300, &p);
	ck_assert_int_eq(date_part(&a, &p, str_from(parts[_i].name), &v), parts[_i].text != NULL);
	if (parts[_i].text)
		ck_assert_msg(str_is(v, parts[_i].text), "%.*s", STR_ARG(v));
	arena_done(&a);
}
END_TEST

START_TEST(zero_is_z)
{
	struct arena a = { 0 };
	struct date_parts p;
	struct str v;

	date_split(0, 0, &p);
	ck_assert(date_part(&a, &p, STR("iso8601"), &v) && str_is(v, "1970-01-01T00:00:00Z"));
	ck_assert(date_part(&a, &p, STR("zone"), &v) && str_is(v, "+0000"));
	ck_assert(str_is(date_rfc5322(&a, &p), "Thu, 1 Jan 1970 00:00:00 +0000"));
	arena_done(&a);
}
END_TEST

/* --- zones */

static void
put32(struct buf *b, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_putc(b, (char)(v >> shift));
}

static void
put_block(struct buf *b, char version, uint32_t ntimes, uint32_t ntypes)
{
	buf_puts(b, "TZif");
	buf_putc(b, version);
	for (int i = 0; i < 15; i++)
		buf_putc(b, 0);
	put32(b, 0);
	put32(b, 0);
	put32(b, 0);
	put32(b, ntimes);
	put32(b, ntypes);
	put32(b, 0);
}

/* Local mean time (+0:09:21) up to 1,000,000, then +1:00, then the footer */
static struct str
make_tzif(struct buf *b, const char *footer)
{
	put_block(b, '2', 0, 0);
	put_block(b, '2', 1, 2);
	put32(b, 0);
	put32(b, 1000000);
	buf_putc(b, 1);
	put32(b, 561);
	buf_putc(b, 0);
	buf_putc(b, 0);
	put32(b, 3600);
	buf_putc(b, 0);
	buf_putc(b, 0);
	buf_printf(b, "\n%s\n", footer);
	return buf_str(b);
}

#define PARIS "CET-1CEST,M3.5.0,M10.5.0/3"
#define SYDNEY "AEST-10AEDT,M10.1.0,M4.1.0/3"

static const struct {
	const char *footer, *when;
	int minutes;
} zones[] = {
	{ PARIS, "1970-01-12T13:46:39Z", 9 },
	{ PARIS, "1970-01-12T13:46:40Z", 60 },
	{ PARIS, "2024-03-31T00:59:59Z", 60 },
	{ PARIS, "2024-03-31T01:00:00Z", 120 },
	{ PARIS, "2024-10-27T00:59:59Z", 120 },
	{ PARIS, "2024-10-27T01:00:00Z", 60 },
	{ PARIS, "2424-07-01T00:00:00Z", 120 },
	{ PARIS, "9999-12-31T23:59:59Z", 60 },
	{ SYDNEY, "2024-04-06T15:59:59Z", 660 },
	{ SYDNEY, "2024-04-06T16:00:00Z", 600 },
	{ SYDNEY, "2024-10-05T15:59:59Z", 600 },
	{ SYDNEY, "2024-10-05T16:00:00Z", 660 },
	{ SYDNEY, "2024-12-31T20:00:00Z", 660 },
	{ "EST5", "2024-07-01T00:00:00Z", -300 },
	{ "<+0545>-5:45", "2024-07-01T00:00:00Z", 345 },
	{ "NST3:30NDT,M3.2.0,M11.1.0", "2024-07-01T00:00:00Z", -150 },
	{ "IST-1GMT0,M10.5.0,M3.5.0/1", "2024-01-01T00:00:00Z", 0 },
	{ "IST-1GMT0,M10.5.0,M3.5.0/1", "2024-07-01T00:00:00Z", 60 },
	{ "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2024-03-31T00:59:59Z", -120 },
	{ "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2024-03-31T01:00:00Z", -60 },
	{ "AAA0BBB,J60/0,J61/0", "2024-03-01T12:00:00Z", 60 },
	{ "AAA0BBB,J60/0,J61/0", "2024-02-29T12:00:00Z", 0 },
	{ "AAA0BBB,59/0,60/0", "2024-02-29T12:00:00Z", 60 },
	{ "AAA0BBB,59/0,60/0", "2023-03-01T12:00:00Z", 60 },
	{ "", "2024-07-01T00:00:00Z", 60 },
};

START_TEST(zone_rule)
{
	struct arena a = { 0 };
	struct buf b = { 0 };
	struct zone *z = zone_parse(&a, make_tzif(&b, zones[_i].footer));
	int64_t utc;
	int none;

	ck_assert_ptr_nonnull(z);
	ck_assert_int_eq(date_parse_iso8601(str_from(zones[_i].when), &utc, &none), DATE_OK);
	ck_assert_int_eq(zone_offset(z, utc), zones[_i].minutes);
	buf_done(&b);
	arena_done(&a);
}
END_TEST

START_TEST(zone_extremes)
{
	struct arena a = { 0 };
	struct buf b = { 0 };
	struct zone *z = zone_parse(&a, make_tzif(&b, PARIS));

	ck_assert_int_eq(zone_offset(z, INT64_MIN), 9);
	ck_assert_int_eq(zone_offset(z, INT64_MAX), 60);
	ck_assert_int_eq(zone_offset_seconds(z, 0), 561);
	ck_assert_int_le(zone_to_utc(z, INT64_MIN), 0);
	ck_assert_int_ge(zone_to_utc(z, INT64_MAX), 0);
	buf_done(&b);
	arena_done(&a);
}
END_TEST

static const struct {
	const char *local, *utc;
} clocks[] = {
	{ "2024-01-01T12:00:00Z", "2024-01-01T11:00:00Z" },
	{ "2024-07-01T12:00:00Z", "2024-07-01T10:00:00Z" },
	{ "2024-03-31T01:59:59Z", "2024-03-31T00:59:59Z" },
	{ "2024-03-31T02:30:00Z", "2024-03-31T01:30:00Z" },     /* never shown */
	{ "2024-03-31T03:00:00Z", "2024-03-31T01:00:00Z" },
	{ "2024-10-27T02:30:00Z", "2024-10-27T00:30:00Z" },     /* shown twice */
	{ "2024-10-27T03:00:00Z", "2024-10-27T02:00:00Z" },
};

START_TEST(local_clock)
{
	struct arena a = { 0 };
	struct buf b = { 0 };
	struct zone *z = zone_parse(&a, make_tzif(&b, PARIS));
	int64_t local, utc;
	int none;

	date_parse_iso8601(str_from(clocks[_i].local), &local, &none);
	date_parse_iso8601(str_from(clocks[_i].utc), &utc, &none);
	ck_assert_int_eq(zone_to_utc(z, local), utc);
	buf_done(&b);
	arena_done(&a);
}
END_TEST

static const char *const bad_footers[] = {
	"X", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
	"CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J1", "CET-1CEST,366,1", "CET-1CEST,M3.5.0/168,M10.5.0", "CET-1,",
	"CET-1CEST,M3.5.0,M10.5.0x", "<CET-1", "CET-27", "CET-1:60", "CET-1CEST-1:,M3.5.0,M10.5.0",
};

START_TEST(bad_footer)
{
	struct arena a = { 0 };
	struct buf b = { 0 };

	ck_assert_ptr_null(zone_parse(&a, make_tzif(&b, bad_footers[_i])));
	buf_done(&b);
	arena_done(&a);
}
END_TEST

/* Every prefix, and every byte changed: refused or harmless */
START_TEST(broken_tzif)
{
	struct buf b = { 0 };
	struct str whole = make_tzif(&b, PARIS);

	for (size_t i = 0; i < whole.len; i++) {
		struct arena a = { 0 };
		char *copy = malloc(whole.len);
		struct zone *z;

		memcpy(copy, whole.s, whole.len);
		ck_assert_ptr_null(zone_parse(&a, (struct str){ copy, i }));
		for (int bit = 0; bit < 8; bit++) {
			copy[i] = (char)(whole.s[i] ^ (1 << bit));
			z = zone_parse(&a, (struct str){ copy, whole.len });
			if (z)
				ck_assert_int_le(abs(zone_offset(z, Y2024)), 26 * 60);
		}
		free(copy);
		arena_done(&a);
	}
	buf_done(&b);
}
END_TEST

START_TEST(version_1)
{
	struct arena a = { 0 };
	struct buf b = { 0 };
	struct zone *z;

	put_block(&b, 0, 2, 2);
	put32(&b, (uint32_t)-100);
	put32(&b, 100);
	buf_putc(&b, 1);
	buf_putc(&b, 0);
	put32(&b, (uint32_t)-3600);
	buf_putc(&b, 0);
	buf_putc(&b, 0);
	put32(&b, 7200);
	buf_putc(&b, 1);
	buf_putc(&b, 0);
	z = zone_parse(&a, buf_str(&b));
	ck_assert_ptr_nonnull(z);
	ck_assert_int_eq(zone_offset(z, -101), -60);
	ck_assert_int_eq(zone_offset(z, -100), 120);
	ck_assert_int_eq(zone_offset(z, 99), 120);
	ck_assert_int_eq(zone_offset(z, 100), -60);
	buf_done(&b);
	arena_done(&a);
}
END_TEST

static bool
read_file(const char *path, struct buf *b)
{
	FILE *in = fopen(path, "rb");
	size_t n;

	if (!in)
		return false;
	while ((n = fread(buf_room(b, 4096), 1, 4096, in)) > 0)
		b->len += n;
	fclose(in);
	return true;
}

/* Where the system has zone files, the C library's answers are ours. */
START_TEST(same_as_the_c_library)
{
	static const char *const names[] = {
		"Europe/Paris", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Casablanca", "Asia/Tehran",
		"America/Godthab", "Europe/Dublin", "Pacific/Apia", "Asia/Kathmandu", "Antarctica/Troll", "UTC",
	};
	struct arena a = { 0 };
	struct buf b = { 0 };
	char path[100];
	struct zone *z;

	snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", names[_i]);
	if (read_file(path, &b)) {
		z = zone_parse(&a, buf_str(&b));
		ck_assert_ptr_nonnull(z);
		setenv("TZ", names[_i], 1);
		tzset();
		for (int64_t t = -3000000000; t < 8000000000; t += 5 * 3600 + 7) {
			time_t at = (time_t)t;
			struct tm tm;

			localtime_r(&at, &tm);
			if (zone_offset_seconds(z, t) != tm.tm_gmtoff)
				ck_abort_msg("%s: %lld: %d is not %ld", names[_i], (long long)t,
				             zone_offset_seconds(z, t), tm.tm_gmtoff);
		}
	}
	buf_done(&b);
	arena_done(&a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("mail/date");
	TCase *c = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, mail_date, 0, sizeof mail_dates / sizeof *mail_dates);
	tcase_add_loop_test(c, date_in_a_field, 0, sizeof fields / sizeof *fields);
	tcase_add_loop_test(c, iso_date, 0, sizeof iso_dates / sizeof *iso_dates);
	tcase_add_test(c, zone_argument);
	tcase_add_test(c, calendar);
	tcase_add_test(c, clock_out_of_range);
	tcase_add_loop_test(c, part, 0, sizeof parts / sizeof *parts);
	tcase_add_test(c, zero_is_z);
	tcase_add_loop_test(c, zone_rule, 0, sizeof zones / sizeof *zones);
	tcase_add_test(c, zone_extremes);
	tcase_add_loop_test(c, local_clock, 0, sizeof clocks / sizeof *clocks);
	tcase_add_loop_test(c, bad_footer, 0, sizeof bad_footers / sizeof *bad_footers);
	tcase_add_test(c, broken_tzif);
	tcase_add_test(c, version_1);
	tcase_add_loop_test(c, same_as_the_c_library, 0, 12);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
