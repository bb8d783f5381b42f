/* test_base_str.c - spans, arenas, buffers, UTF-8
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/utf8.h"

#define ck_str(value, literal) \
	do { \
		struct str v_ = (value); \
		ck_assert_msg(str_is(v_, literal), "\"%.*s\" is not \"%s\"", STR_ARG(v_), literal); \
	} while (0)

/* the same numbers in every run */
static uint64_t
chance(uint64_t *state, uint64_t n)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (*state >> 33) % n;
}

/* --- str */

START_TEST(comparing)
{
	ck_assert(str_ieq(STR("Subject"), STR("sUBJECT")));
	ck_assert(!str_ieq(STR("Subject"), STR("Subjects")));
	/* 0x40 and 0x60 differ in the same bit as letters do */
	ck_assert(!str_ieq(STR("@"), STR("`")));
	ck_assert(!str_ieq(STR("["), STR("{")));
	ck_assert(!str_ieq(STR("\xc4"), STR("\xe4")));
	ck_assert(str_istarts(STR("X-Spam-Flag"), STR("x-spam")));
	ck_assert(!str_starts(STR("ab"), STR("abc")));
	ck_assert_int_lt(str_cmp(STR("a"), STR("ab")), 0);
	ck_assert_int_gt(str_cmp(STR("\xff"), STR("a")), 0);
	ck_assert_int_eq(str_cmp(STR("ab"), STR("ab")), 0);
	ck_assert_int_lt(str_cmp(STR_EMPTY, STR("a")), 0);
	ck_str(str_trim(STR(" \t\r\na b\n ")), "a b");
	ck_str(str_trim(STR(" \n")), "");
	ck_assert_int_eq(str_find(STR("abcabd"), STR("abd")), 3);
	ck_assert_int_eq(str_find(STR("abc"), STR("")), 0);
	ck_assert_int_eq(str_find(STR(""), STR("a")), -1);
}
END_TEST

START_TEST(split_at_the_last)
{
	static const struct {
		const char *text, *before, *behind;
		bool split;
	} cases[] = {
		{ "a@b", "a", "b", true }, { "\"a@b\"@c", "\"a@b\"", "c", true }, { "@", "", "", true }, { "a@", "a", "", true },
		{ "@b", "", "b", true }, { "a", "a", "", false }, { "", "", "", false },
	};
	struct str before, behind;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ck_assert(str_split_last(str_from(cases[i].text), '@', &before, &behind) == cases[i].split);
		ck_str(before, cases[i].before);
		ck_str(behind, cases[i].behind);
	}
	ck_assert(!str_split_last((struct str){ NULL, 0 }, '@', &before, &behind));
	ck_assert_uint_eq(before.len + behind.len, 0);
}
END_TEST

START_TEST(lower_any_length)
{
	char src[200], dst[200];

	for (size_t i = 0; i < sizeof src; i++)
		src[i] = (char)(i * 7 + 40);
	for (size_t from = 0; from < 40; from++) {
		for (size_t to = from; to < sizeof src; to++) {
			memset(dst, '!', sizeof dst);
			str_lower_into(dst + from, str_sub((struct str){ src, 200 }, from, to));
			for (size_t i = 0; i < sizeof dst; i++) {
				char c = src[i] >= 'A' && src[i] <= 'Z' ? (char)(src[i] + 32) : src[i];

				ck_assert_int_eq(dst[i], i >= from && i < to ? c : '!');
			}
		}
	}
	str_lower_into(src, (struct str){ src, sizeof src });
	str_lower_into(dst, (struct str){ src, sizeof src });
	ck_assert_mem_eq(src, dst, sizeof src);
}
END_TEST

/* every byte value, at every place of strings of every length around a word */
START_TEST(capitals)
{
	char text[32];

	for (size_t len = 0; len <= 26; len++)
		for (size_t at = 0; at < (len ? len : 1); at++)
			for (int byte = 0; byte < 256; byte++) {
				memset(text, byte & 1 ? 'z' : '@', sizeof text);
				text[at] = (char)byte;
				ck_assert_int_eq(str_has_capital((struct str){ text, len }), len && byte >= 'A' && byte <= 'Z');
			}
	memset(text, 0xc1, sizeof text);
	ck_assert(!str_has_capital((struct str){ text, sizeof text }));
}
END_TEST

START_TEST(hash_depends_on_everything)
{
	char text[70];

	memset(text, 'a', sizeof text);
	ck_assert_uint_eq(str_seed(), str_seed());
	for (size_t len = 0; len <= sizeof text; len++) {
		struct str v = { text, len };
		uint64_t hash = str_hash(v, 1);

		ck_assert_uint_ne(hash, str_hash(v, 2));
		ck_assert_uint_eq(hash, str_hash(v, 1));
		for (size_t other = 0; other < len; other++)
			ck_assert_uint_ne(hash, str_hash((struct str){ text, other }, 1));
		for (size_t i = 0; i < len * 8; i++) {
			text[i / 8] ^= (char)(1 << i % 8);
			ck_assert_uint_ne(hash, str_hash(v, 1));
			text[i / 8] ^= (char)(1 << i % 8);
		}
	}
}
END_TEST

/* the low bits choose slots: they must be spread even for keys that differ little */
START_TEST(hash_spreads)
{
	enum { SLOTS = 1024, KEYS = 16 * SLOTS };
	unsigned count[SLOTS] = { 0 }, most = 0;

	for (unsigned i = 0; i < KEYS; i++) {
		char key[32];
		int len = snprintf(key, sizeof key, "user%06u@example.org", i);

		count[str_hash((struct str){ key, (size_t)len }, 42) % SLOTS]++;
	}
	for (unsigned i = 0; i < SLOTS; i++)
		most = count[i] > most ? count[i] : most;
	ck_assert_uint_lt(most, 48);
}
END_TEST

static const struct {
	const char *a, *b;
	unsigned limit, distance;
} distances[] = {
	{ "", "", 2, 0 }, { "", "ab", 2, 2 }, { "ab", "", 2, 2 }, { "", "abc", 2, 3 },
	{ "keep", "KEEP", 2, 0 }, { "keep", "kepe", 2, 1 }, { "keep", "kee", 2, 1 },
	{ "keep", "kkeep", 2, 1 }, { "fileinto", "flieinot", 2, 2 },
	{ "fileinto", "discard", 2, 3 }, { "fileinto", "fileinto", 0, 0 },
	{ "fileinto", "filelnto", 0, 1 }, { "kitten", "sitting", 3, 3 },
	{ "kitten", "sitting", 2, 3 }, { "abcdef", "badcfe", 3, 3 },
	{ "redirect", "reject", 4, 3 }, { "abcdefgh", "hgfedcba", 15, 7 },
	{ "a", "b", 100, 1 },
};

START_TEST(distance)
{
	struct str a = str_from(distances[_i].a), b = str_from(distances[_i].b);
	unsigned limit = distances[_i].limit;

	ck_assert_uint_eq(str_distance(a, b, limit), distances[_i].distance);
	ck_assert_uint_eq(str_distance(b, a, limit), distances[_i].distance);
}
END_TEST

/* the whole table, without the band */
static unsigned
distance_slowly(struct str a, struct str b)
{
	unsigned d[12][12];

	for (size_t i = 0; i <= a.len; i++) {
		for (size_t j = 0; j <= b.len; j++) {
			unsigned best = i ? j ? d[i - 1][j - 1] + (a.s[i - 1] != b.s[j - 1])
			                      : (unsigned)i
			                  : (unsigned)j;

			if (i && j && d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (i && j && d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a.s[i - 1] == b.s[j - 2] && a.s[i - 2] == b.s[j - 1]
			    && d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	}
	return d[a.len][b.len];
}

static ptrdiff_t
find_slowly(struct str hay, struct str needle)
{
	for (size_t i = 0; i + needle.len <= hay.len; i++)
		if (!memcmp(hay.s + i, needle.s, needle.len))
			return (ptrdiff_t)i;
	return -1;
}

/* short texts and long ones are searched in different ways */
START_TEST(finding_at_any_length)
{
	uint64_t state = 7;

	for (int round = 0; round < 20000; round++) {
		size_t len = chance(&state, 300), n = 1 + chance(&state, 9);
		char *text = malloc(len + 1), needle[10];
		struct str v = { text, len }, key = { needle, n };

		for (size_t i = 0; i < len; i++)
			text[i] = (char)('a' + chance(&state, 2));
		for (size_t i = 0; i < n; i++)
			needle[i] = (char)('a' + chance(&state, 2));
		ck_assert_int_eq(str_find(v, key), find_slowly(v, key));
		free(text);
	}
}
END_TEST

START_TEST(distance_as_the_whole_table)
{
	uint64_t state = 5;

	for (int round = 0; round < 50000; round++) {
		char text[2][10];
		struct str v[2];
		unsigned limit = (unsigned)chance(&state, 12), expect;

		for (int k = 0; k < 2; k++) {
			v[k] = (struct str){ text[k], chance(&state, 11) };
			for (size_t i = 0; i < v[k].len; i++)
				text[k][i] = (char)('a' + chance(&state, 3));
		}
		expect = distance_slowly(v[0], v[1]);
		ck_assert_uint_eq(str_distance(v[0], v[1], limit),
		                  expect > limit ? limit + 1 : expect);
	}
}
END_TEST

START_TEST(numbers)
{
	uint64_t n = 7;

	ck_assert_int_eq(str_number(STR("18446744073709551615"), &n), 1);
	ck_assert_uint_eq(n, UINT64_MAX);
	ck_assert_int_eq(str_number(STR("000"), &n), 1);
	ck_assert_uint_eq(n, 0);
	n = 7;
	ck_assert_int_eq(str_number(STR("18446744073709551616"), &n), 0);
	ck_assert_int_eq(str_number(STR("99999999999999999999"), &n), 0);
	ck_assert_int_eq(str_number(STR(""), &n), 0);
	ck_assert_int_eq(str_number(STR("-1"), &n), 0);
	ck_assert_int_eq(str_number(STR("1 "), &n), 0);
	ck_assert_uint_eq(n, 7);
}
END_TEST

/* --- arena */

START_TEST(arena_all_sizes)
{
	struct arena a = { 0 };

	for (int round = 0; round < 3; round++) {
		VEC(char *) all = { 0 };
		size_t total = 0;

		for (size_t i = 0; i < 3000; i++) {
			size_t size = i % 500 == 499 ? i * 100 : i % 301;
			char *p = arena_alloc(&a, size);

			ck_assert_ptr_nonnull(p);
			ck_assert_uint_eq((uintptr_t)p % 16, 0);
			memset(p, (int)i, size);
			vec_push(&all, p);
			total += size;
		}
		/* none overwrote another */
		for (size_t i = 0; i < 3000; i++)
			for (size_t k = 0, size = i % 500 == 499 ? i * 100 : i % 301; k < size; k++)
				ck_assert_int_eq(all.v[i][k], (char)i);
		ck_assert_uint_ge(a.used, total);
		arena_reset(&a);
		ck_assert_uint_eq(a.used, 0);
		vec_done(&all);
	}
	arena_done(&a);
	arena_done(&a);
	arena_done(NULL);
}
END_TEST

START_TEST(arena_zeroes_what_was_used)
{
	struct arena a = { 0 };

	memset(arena_alloc(&a, 3000), 'x', 3000);
	arena_reset(&a);
	for (int i = 0; i < 100; i++)
		ck_assert_mem_eq(arena_zalloc(&a, 30), (char[30]){ 0 }, 30);
	arena_done(&a);
}
END_TEST

START_TEST(arena_budget)
{
	struct arena a;

	arena_init(&a, 10000);
	arena_alloc(&a, 9000);
	ck_assert(!arena_over(&a));
	memset(arena_alloc(&a, 2000), 1, 2000);
	ck_assert(arena_over(&a));
	arena_reset(&a);
	ck_assert(!arena_over(&a));
	ck_assert_uint_eq(a.budget, 10000);
	arena_done(&a);
}
END_TEST

static char *log_to;

static void
note(void *p)
{
	*log_to++ = *(char *)p;
}

START_TEST(arena_deferred_newest_first)
{
	struct arena a = { 0 };
	char seen[4] = "";

	log_to = seen;
	arena_on_reset(&a, note, (char *)"1");
	arena_on_reset(&a, note, (char *)"2");
	arena_reset(&a);
	ck_assert_str_eq(seen, "21");
	arena_reset(&a);
	arena_on_reset(&a, note, (char *)"3");
	arena_done(&a);
	ck_assert_str_eq(seen, "213");
}
END_TEST

START_TEST(arena_strings)
{
	struct arena a = { 0 };
	struct str parts[] = { STR("a"), STR_EMPTY, STR("bc") }, v;

	v = arena_join(&a, parts, 3);
	ck_str(v, "abc");
	ck_assert_int_eq(v.s[v.len], '\0');
	ck_str(arena_join(&a, parts, 0), "");
	ck_str(arena_lower(&a, STR("AbC")), "abc");
	ck_str(arena_printf(&a, "%s-%d", "x", 5), "x-5");
	for (int width = 250; width < 260; width++) {
		v = arena_printf(&a, "%*d", width, 7);
		ck_assert_uint_eq(v.len, (size_t)width);
		ck_assert_int_eq(v.s[v.len - 1], '7');
		ck_assert_int_eq(v.s[v.len], '\0');
	}
	arena_done(&a);
}
END_TEST

START_TEST(arena_count_overflow)
{
	struct arena a = { 0 };

	arena_array(&a, SIZE_MAX / 4 + 2, 4);
}
END_TEST

/* --- buf */

START_TEST(buffers)
{
	struct buf b = { 0 };
	struct arena a = { 0 };

	ck_str(buf_str(&b), "");
	for (int i = 0; i < 1000; i++) {
		buf_putc(&b, 'x');
		ck_assert_uint_eq(strlen(buf_str(&b).s), (size_t)i + 1);
	}
	buf_reset(&b);
	for (int width = 0; width < 300; width += 7)
		buf_printf(&b, "%*s|", width, "");
	ck_assert_uint_eq(b.len, 43 * 42 / 2 * 7 + 43);
	buf_reset(&b);
	buf_puts(&b, "one ");
	buf_add(&b, STR("two"));
	memcpy(buf_room(&b, 5000), " three", 6);
	b.len += 6;
	ck_str(buf_copy(&b, &a), "one two three");
	buf_done(&b);
	buf_done(&b);
	ck_str(buf_str(&b), "");
	arena_done(&a);
}
END_TEST

/* In the array as long as it fits, with the NUL; then in memory of its own, with what it had. */
START_TEST(lent)
{
	char room[8];
	struct buf b = BUF_ON(room);

	ck_str(buf_str(&b), "");
	for (int i = 0; i < 7; i++)
		buf_putc(&b, (char)('a' + i));
	ck_str(buf_str(&b), "abcdefg");
	ck_assert_ptr_eq(buf_str(&b).s, room);
	buf_puts(&b, "hi");
	ck_str(buf_str(&b), "abcdefghi");
	ck_assert_ptr_ne(buf_str(&b).s, room);
	buf_done(&b);
	ck_str(buf_str(&b), "");
	b = (struct buf)BUF_ON(room);
	buf_puts(&b, "eightish");
	ck_str(buf_str(&b), "eightish");
	buf_done(&b);
	b = (struct buf)BUF_ON(room);
	buf_done(&b);
}
END_TEST

START_TEST(vectors)
{
	VEC(struct str) v = { 0 };

	for (size_t i = 0; i < 1000; i++)
		vec_push(&v, (struct str){ "x", i });
	for (size_t i = 0; i < 1000; i++)
		ck_assert_uint_eq(v.v[i].len, i);
	vec_done(&v);
	ck_assert_uint_eq(v.cap, 0);
}
END_TEST

/* --- UTF-8 */

START_TEST(utf8_every_code)
{
	for (uint32_t code = 0; code < 0x120000; code++) {
		char s[4];
		size_t len = utf8_put(s, code);
		uint32_t back = 0;

		if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
			ck_assert_uint_eq(len, 0);
			continue;
		}
		ck_assert_uint_eq(len, 1u + (code >= 0x80) + (code >= 0x800) + (code >= 0x10000));
		ck_assert_uint_eq(utf8_next((struct str){ s, len }, &back), len);
		ck_assert_uint_eq(back, code);
		if (len > 1)
			ck_assert_uint_eq(utf8_next((struct str){ s, len - 1 }, &back), 0);
	}
}
END_TEST

static const char *const bad[] = {
	"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2 ", "\xe0\x80\x80", "\xe0\x9f\xbf",
	"\xed\xa0\x80", "\xed\xbf\xbf", "\xe2\x82", "\xe2\x82 ", "\xf0\x80\x80\x80",
	"\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xfe",
	"\xf0\x9f\x98", "\xf0\x9f\x98 ",
};

START_TEST(utf8_bad)
{
	struct arena a = { 0 };
	struct str v = str_from(bad[_i]), fixed;
	uint32_t code;

	ck_assert_uint_eq(utf8_next(v, &code), 0);
	/* at any distance from the start, and of blocks */
	for (size_t before = 0; before < 70; before++) {
		struct str all = arena_printf(&a, "%*s%sz", (int)before, "", bad[_i]);

		ck_assert_int_eq(utf8_check(all), (ptrdiff_t)before);
		fixed = utf8_repair(&a, all);
		ck_assert_int_eq(utf8_check(fixed), -1);
		ck_assert_int_eq(utf8_check(str_sub(fixed, before, fixed.len)), -1);
		ck_assert_int_eq(str_find(fixed, STR("\xef\xbf\xbd")), (ptrdiff_t)before);
		ck_assert_int_eq(fixed.s[fixed.len - 1], 'z');
		ck_assert_uint_eq(utf8_count(fixed), utf8_count(all));
	}
	arena_done(&a);
}
END_TEST

START_TEST(utf8_strings)
{
	struct arena a = { 0 };
	struct str v = STR("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z");

	ck_assert_int_eq(utf8_check(v), -1);
	ck_assert_uint_eq(utf8_count(v), 5);
	ck_assert_ptr_eq(utf8_repair(&a, v).s, v.s);
	ck_str(utf8_repair(&a, STR("a\xff\xe2\x82z\xc3")),
	       "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd");
	for (size_t max = 0, starts[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11 }; max < 13; max++)
		ck_assert_uint_eq(utf8_cut(v, max).len, starts[max]);
	/* what is not UTF-8 is cut anywhere */
	ck_assert_uint_eq(utf8_cut(STR("\x80\x80\x80\x80\x80\x80"), 4).len, 4);
	ck_assert_uint_eq(utf8_cut(STR("\xe2\x82zzz"), 2).len, 2);
	arena_done(&a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/str");
	TCase *c = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_set_timeout(c, 60);
	tcase_add_test(c, comparing);
	tcase_add_test(c, split_at_the_last);
	tcase_add_test(c, lower_any_length);
	tcase_add_test(c, capitals);
	tcase_add_test(c, hash_depends_on_everything);
	tcase_add_test(c, hash_spreads);
	tcase_add_loop_test(c, distance, 0, sizeof distances / sizeof *distances);
	tcase_add_test(c, finding_at_any_length);
	tcase_add_test(c, distance_as_the_whole_table);
	tcase_add_test(c, numbers);
	tcase_add_test(c, arena_all_sizes);
	tcase_add_test(c, arena_zeroes_what_was_used);
	tcase_add_test(c, arena_budget);
	tcase_add_test(c, arena_deferred_newest_first);
	tcase_add_test(c, arena_strings);
	tcase_add_test_raise_signal(c, arena_count_overflow, 6);
	tcase_add_test(c, buffers);
	tcase_add_test(c, lent);
	tcase_add_test(c, vectors);
	tcase_add_test(c, utf8_every_code);
	tcase_add_loop_test(c, utf8_bad, 0, sizeof bad / sizeof *bad);
	tcase_add_test(c, utf8_strings);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
