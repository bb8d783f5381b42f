/* test_host.c - what command line and test runner share, where text cannot reach
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/answer.h"
#include "host/diag.h"
#include "host/moment.h"
#include "host/limit.h"
#include "host/mbox.h"
#include "host/memory.h"
#include "host/source.h"
#include "host/zone.h"

static uint64_t
chance(uint64_t *state, uint64_t n)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (*state >> 33) % n;
}

/* --- clock */

static const struct {
	const char *text;
	int64_t seconds, micro;         /* seconds -1: none */
} times[] = {
	{ "0", 0, 0 }, { "1763890200", 1763890200, 0 }, { "1970-01-01", 0, 0 },
	{ "2025-11-23T09:30:00Z", 1763890200, 0 }, { "2025-11-23t09:30:00z", 1763890200, 0 },
	{ "2025-11-23 10:30:00+01:00", 1763890200, 0 }, { "2025-11-23T09:30Z", 1763890200, 0 },
	{ "2025-11-23T04:30:00.25-0500", 1763890200, 250000 }, { "2025-11-23T09:30:00.1234567Z", 1763890200, 123456 },
	{ "2000-02-29", 951782400, 0 }, { "2024-02-29", 1709164800, 0 }, { "2016-12-31T23:59:60Z", 1483228800, 0 },
	{ "1900-02-29", -1, 0 }, { "2025-02-29", -1, 0 }, { "2025-13-01", -1, 0 }, { "2025-00-01", -1, 0 },
	{ "2025-04-31", -1, 0 }, { "2025-04-00", -1, 0 }, { "2025-11-23T24:00:00Z", -1, 0 },
	{ "2025-11-23T09:60:00Z", -1, 0 }, { "2025-11-23T09:30:61Z", -1, 0 }, { "2025-11-23T09:30:00", -1, 0 },
	{ "2025-11-23T09:30:00Zx", -1, 0 }, { "2025-11-23T09:30:00.Z", -1, 0 }, { "2025-11-23T09:30:00+25:00", -1, 0 },
	{ "", -1, 0 }, { "now", -1, 0 }, { "-1", -1, 0 }, { "99999999999999999999", -1, 0 }, { "9223372036854775807", -1, 0 },
};

START_TEST(test_clock)
{
	int64_t t = 0;
	int ok = moment_parse(str_from(times[_i].text), &t);

	ck_assert_msg(ok == (times[_i].seconds >= 0), "%s", times[_i].text);
	if (ok)
		ck_assert_int_eq(t, times[_i].seconds * 1000000 + times[_i].micro);
}
END_TEST

/* --- where a header ends */

static const struct {
	const char *text;
	size_t end;
	bool found;
} headers[] = {
	{ "", 0, false }, { "\nbody", 1, true }, { "\r\nbody", 2, true }, { "A: b\n\nbody", 6, true },
	{ "A: b\r\n\r\nbody", 8, true }, { "A: b\r\n\nbody", 7, true }, { "A: b\n c\n\n", 9, true },
	{ "A: b\n\tc\nB : d\n\n", 15, true }, { "A: b\nno field\n", 5, true }, { "A: b\n: x\n", 5, true },
	{ "From x\nA: b\n\n", 13, true }, { "A: b\nFrom x\n\n", 5, true }, { " x\n\n", 0, true },
	{ "A: b", 4, false }, { "A: b\n", 5, false }, { "A: b\n\r", 6, false }, { "A: b\n\xc3\xa4: c\n\n", 5, true },
};

START_TEST(test_header_end)
{
	bool found;

	ck_assert_uint_eq(source_header_end(str_from(headers[_i].text), &found), headers[_i].end);
	ck_assert_int_eq(found, headers[_i].found);
}
END_TEST

START_TEST(test_octets)
{
	uint64_t seed = (uint64_t)_i, expected;
	char text[1000];
	size_t len = chance(&seed, sizeof(text)), i;

	for (i = 0; i < len; i++)
		text[i] = "\n\rab"[chance(&seed, 4)];
	for (i = 0, expected = len; i < len; i++)
		expected += text[i] == '\n' && !(i && text[i - 1] == '\r');
	ck_assert_uint_eq(source_octets((struct str){ text, len }), expected);
}
END_TEST

/* --- envelopes */

static const struct {
	const char *header, *from, *to;
} envelopes[] = {
	{ "", "", "" },
	{ "From: a@x\nTo: b@y\n\n", "a@x", "b@y" },
	{ "FROM : A <a@x>\nto: \"B, \\\"b\" <b@y>, c@z\n\n", "a@x", "b@y" },
	{ "From: a@x\nSender: s@x\n\n", "s@x", "" },
	{ "Return-Path: <r@x>\nFrom: a@x\nSender: s@x\n\n", "r@x", "" },
	{ "Return-Path: <>\nFrom: a@x\n\n", "", "" },
	{ "Return-Path: <r@x>\nReturn-Path: <q@x>\n\n", "r@x", "" },
	{ "To: b@y\nX-Original-To: o@y\nDelivered-To: d@y\n\n", "", "d@y" },
	{ "To: b@y\nX-Original-To: o@y\n\n", "", "o@y" },
	{ "Delivered-To:\nTo: b@y\n\n", "", "b@y" },
	{ "To: undisclosed-recipients:;\n\n", "", "" },
	{ "To: people: b@y, c@y;\n\n", "", "b@y" },
	{ "To: b@y (B (of) \\) Y), c@y\n\n", "", "b@y" },
	{ "To: (x) b@y\n\n", "", "b@y" },
	{ "To:\n folded\n <b@y>\n\n", "", "b@y" },
	{ "To: \"a b\"@y\n\n", "", "\"a b\"@y" },
	{ "To: \"<no@y>\" <b@y>\n\n", "", "b@y" },
	{ "To: <b@y\n\n", "", "b@y" }, { "To: \"open\n\n", "", "\"open" }, { "To: (open\n\n", "", "" }, { "To: \\", "", "\\" },
	{ "Tox: b@y\nXTo: c@y\nT: d@y\n\n", "", "" },
};

START_TEST(test_envelope)
{
	struct str from, to;

	answer_envelope(str_from(envelopes[_i].header), &from, &to);
	ck_assert_msg(str_is(from, envelopes[_i].from), "from: %.*s", STR_ARG(from));
	ck_assert_msg(str_is(str_trim(to), envelopes[_i].to), "to: %.*s", STR_ARG(to));
}
END_TEST

/* --- an mbox, however it is cut by reading */

static const char box[] =
	"From a@x Mon Oct  6 09:00:00 2025\nSubject: one\n\nFrom here on, no message.\n>From\n>From b\n>>From c\n\n"
	"From b@x Mon Oct  6 09:00:00 2025\r\nSubject: two\r\n\r\nbody\r\n\r\n"
	"From c@x Mon Oct  6 09:00:00 2025\n\nFrom 09:00\nFrom d@x 09:00 2025\nnot after an empty line\n\n\n"
	"From e@x 09:00 2025";
static const char *const box_texts[] = {
	"Subject: one\n\nFrom here on, no message.\n>From\nFrom b\n>From c\n",
	"Subject: two\r\n\r\nbody\r\n",
	"\nFrom 09:00\nFrom d@x 09:00 2025\nnot after an empty line\n\n",
	"",
};

START_TEST(test_mbox)
{
	size_t n = sizeof(box_texts) / sizeof(*box_texts), number, i, cut = (size_t)_i;
	struct str text;
	struct mbox *m;
	int fd[2];

	ck_assert_int_eq(pipe(fd), 0);
	ck_assert_int_eq(write(fd[1], box + cut, sizeof(box) - 1 - cut), (ssize_t)(sizeof(box) - 1 - cut));
	close(fd[1]);
	m = mbox_new(fd[0], (struct str){ box, cut });
	for (i = 0; i < n; i++) {
		ck_assert_int_eq(mbox_next(m, &text, &number), 1);
		ck_assert_uint_eq(number, i + 1);
		ck_assert_msg(str_is(text, box_texts[i]), "%.*s", STR_ARG(text));
	}
	ck_assert_int_eq(mbox_next(m, &text, &number), 0);
	mbox_free(m);
	close(fd[0]);
}
END_TEST

/* --- memory, limits, zones */

START_TEST(test_memory)
{
	struct memory *m = memory_new();
	struct buf key = { 0 };
	struct str v;
	int i;

	for (i = 0; i < 1000; i++) {
		buf_reset(&key);
		buf_printf(&key, "key %d", i);
		memory_put(m, STR("what"), buf_str(&key), str_sub(buf_str(&key), 4, key.len), i);
	}
	ck_assert(memory_get(m, STR("what"), STR("key 700"), 699, &v) && str_is(v, "700"));
	ck_assert(!memory_get(m, STR("what"), STR("key 700"), 700, &v));
	ck_assert(!memory_get(m, STR("whatk"), STR("ey 700"), 0, &v));
	memory_put(m, STR("what"), STR("key 700"), STR("new"), 800);
	ck_assert(memory_get(m, STR("what"), STR("key 700"), 700, &v) && str_is(v, "new"));
	buf_done(&key);
	memory_free(m);
}
END_TEST

START_TEST(test_limit)
{
	struct tamis_limits l = tamis_limits_default;
	struct str name;

	ck_assert_int_eq(limit_set(&l, STR("script-size=2M"), &name), 0);
	ck_assert_uint_eq(l.script_size, 2u << 20);
	ck_assert_int_eq(limit_set(&l, STR("actions=7"), &name), 0);
	ck_assert_uint_eq(l.actions, 7);
	ck_assert_int_eq(limit_set(&l, STR("actions=4G"), &name), LIMIT_BAD_VALUE);
	ck_assert_int_eq(limit_set(&l, STR("work=20000000000G"), &name), LIMIT_BAD_VALUE);
	ck_assert_int_eq(limit_set(&l, STR("work"), &name), LIMIT_BAD_VALUE);
	ck_assert_int_eq(limit_set(&l, STR("works=1"), &name), LIMIT_UNKNOWN);
	ck_assert(str_is(name, "works"));
	ck_assert_uint_eq(l.work, tamis_limits_default.work);
}
END_TEST

static const char *const bad_zones[] = {
	"", "/etc/passwd", "../../etc/passwd", "Europe/../UTC", "Europe//Paris", "Europe/", "/UTC", ".", "UTC.", "zone.tab",
	"No/Such", "Europe", "U\tC", "-1",
};

START_TEST(test_zones)
{
	struct zones z = { 0 };
	struct str data;

	ck_assert_int_eq(zones_load(&z, str_from(bad_zones[_i]), &data), 0);
	ck_assert_int_eq(zones_load(&z, (struct str){ "UTC\0x", 5 }, &data), 0);
	zones_done(&z);
}
END_TEST

/* Whoever guesses names takes them from nobody else. */
START_TEST(test_zones_guessed)
{
	struct zones z = { 0 }, other = { 0 };
	struct str data;
	char name[32];
	int there = zones_load(&other, STR("Europe/Paris"), &data);

	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof name, "No/Such%d", i);
		ck_assert_int_eq(zones_load(&z, str_from(name), &data), 0);
	}
	ck_assert_int_eq(zones_load(&z, STR("Europe/Paris"), &data), there);
	zones_done(&other);
	zones_done(&z);
}
END_TEST

/* --- where a place is in a text */

/* the place by walking there */
static struct str
place_slowly(struct str text, unsigned line, unsigned column)
{
	size_t at = 0;

	for (; line > 1; line--)
		at = (size_t)((const char *)memchr(text.s + at, '\n', text.len - at) + 1 - text.s);
	for (; column > 1 && at < text.len && text.s[at] != '\n' && !str_starts(str_sub(text, at, text.len), STR("\r\n")); column--)
		do
			at++;
		while (((unsigned char)text.s[at] & 0xc0) == 0x80);
	return str_sub(text, at, text.len);
}

START_TEST(test_place)
{
	static const char *const words[] = { "a", "bc", "\xc3\xa9", "\xe2\x82\xac", "\n", "\r\n", "long", "\xf0\x9f\x98\x80" };
	struct diag d;
	struct buf text = { 0 };
	unsigned lines = 1;
	uint64_t state = (uint64_t)_i + 1;

	/* many short lines, or few long ones */
	for (unsigned i = 0; i < 30000; i++) {
		const char *word = words[chance(&state, 8)];

		if (strchr(word, '\n') && _i % 2 && chance(&state, 800))
			continue;
		lines += strchr(word, '\n') != NULL;
		buf_puts(&text, word);
	}
	diag_init(&d, stdout);
	diag_source(&d, STR("x"), "path", buf_str(&text));
	for (unsigned i = 0; i < 300; i++) {
		struct tamis_place p = { { "x", 1 }, 1 + (unsigned)chance(&state, lines), 1 + (unsigned)chance(&state, _i % 2 ? 15000 : 8), 1 };
		struct str line = diag_line(&d, STR("x"), p.line), found = diag_text(&d, &p);
		struct str rest = place_slowly(buf_str(&text), p.line, p.column);

		if (!line.len) {
			ck_assert_uint_eq(found.len, 0);
			continue;
		}
		ck_assert_ptr_eq(line.s, place_slowly(buf_str(&text), p.line, 1).s);
		ck_assert_ptr_eq(found.s, rest.s);
		ck_assert_uint_eq(found.len > 0, rest.len > 0);
	}
	diag_done(&d);
	buf_done(&text);
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof(*(a)))

int
main(void)
{
	Suite *suite = suite_create("host");
	TCase *t = tcase_create("host");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(t, test_clock, 0, COUNT(times));
	tcase_add_loop_test(t, test_header_end, 0, COUNT(headers));
	tcase_add_loop_test(t, test_octets, 0, 200);
	tcase_add_loop_test(t, test_envelope, 0, COUNT(envelopes));
	tcase_add_loop_test(t, test_mbox, 5, COUNT(box));
	tcase_add_test(t, test_memory);
	tcase_add_test(t, test_limit);
	tcase_add_loop_test(t, test_zones, 0, COUNT(bad_zones));
	tcase_add_test(t, test_zones_guessed);
	tcase_add_loop_test(t, test_place, 0, 6);
	suite_add_tcase(suite, t);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
