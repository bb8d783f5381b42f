/* test_base_glob.c - wildcards, against a matcher that tries everything
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdlib.h>

#include "base/glob.h"
#include "base/limits.h"
#include "base/utf8.h"

enum { RET = 32, LONG = 40 };

static uint64_t
chance(uint64_t *state, uint64_t n)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (*state >> 33) % n;
}

/* Captures joined by "|", or NULL: no match. */
static const char *
match(struct arena *a, const char *pattern, const char *value, bool octets)
{
	struct str ret[RET], line = STR_EMPTY;
	size_t n = 0;
	uint64_t work = 0;

	if (!glob_match(glob_new(a, str_from(pattern), octets), str_from(value), ret, RET, &n, &work))
		return NULL;
	ck_assert_uint_gt(work, 0);
	ck_assert(str_is(ret[0], value));
	for (size_t i = 1; i < n; i++)
		line = arena_join(a, (struct str[]){ line, STR("|"), ret[i] }, 3);
	return line.s;
}

static const struct {
	const char *pattern, *value, *captures;
} cases[] = {
	{ "", "", "" }, { "", "a", NULL }, { "a", "a", "" }, { "a", "", NULL }, { "a", "ab", NULL },
	{ "*", "", "|" }, { "*", "abc", "|abc" }, { "?", "", NULL }, { "?", "a", "|a" },
	{ "**", "abc", "||abc" }, { "*?*", "abc", "||a|bc" }, { "?*?", "ab", "|a||b" },
	/* RFC 5229 3.2, the example and its rule */
	{ "*.example.*", "www.example.example.com", "|www|example.com" },
	{ "*[*] *", "[acme-users] [fwd] version 1.0 is out", "||acme-users|[fwd] version 1.0 is out" },
	{ "*a*a", "xaaxa", "|x|ax" }, { "a*a", "a", NULL }, { "ab*bc", "abc", NULL },
	{ "*ab*ab*", "abab", "|||" }, { "*ab*ab*", "aab", NULL },
	/* the ends are found first */
	{ "*b?", "abcbd", "|abc|d" }, { "a?c*", "abcd", "|b|d" }, { "*??", "abc", "|a|b|c" },
	{ "*?b*", "bab", "|b|a|" }, { "*??b*", "abcb", "|a|b|c|" }, { "*?b*", "b", NULL },
	/* quoting: RFC 5228 2.7.1 */
	{ "\\*", "*", "" }, { "\\*", "a", NULL }, { "\\?\\\\", "?\\", "" }, { "a\\", "a\\", "" },
	{ "\\a\\b", "ab", "" }, { "\\**\\*", "*x*", "|x" },
	/* characters, not bytes */
	{ "?", "\xc3\xa4", "|\xc3\xa4" }, { "??", "\xc3\xa4", NULL },
	{ "*?", "\xf0\x9f\x98\x80", "||\xf0\x9f\x98\x80" }, { "*???", "\xe2\x82\xac", NULL },
	{ "?b", "\xe2\x82\xac" "b", "|\xe2\x82\xac" },
	{ "*?b*", "a\xe2\x82\xac" "b", "|a|\xe2\x82\xac|" },
	/* a bad byte is one */
	{ "?", "\xff", "|\xff" }, { "??", "\xe2\x82", "|\xe2|\x82" },
	{ "??", "\xa4\xa4", "|\xa4|\xa4" }, { "?*", "\xa4\xc3\xa4", "|\xa4|\xc3\xa4" },
	{ "*a*b*c*", "xaybzc", "|x|y|z|" },
};

START_TEST(tables)
{
	struct arena a = { 0 };
	const char *got = match(&a, cases[_i].pattern, cases[_i].value, false);
	const char *expect = cases[_i].captures;

	ck_assert_msg(!got == !expect && (!got || !strcmp(got, expect)), "%s on %s: %s, not %s",
	              cases[_i].pattern, cases[_i].value, got ? got : "no", expect ? expect : "no");
	arena_done(&a);
}
END_TEST

START_TEST(octets)
{
	struct arena a = { 0 };

	ck_assert_ptr_null(match(&a, "?", "\xc3\xa4", true));
	ck_assert_str_eq(match(&a, "??", "\xc3\xa4", true), "|\xc3|\xa4");
	ck_assert_str_eq(match(&a, "*?", "\xc3\xa4", true), "|\xc3|\xa4");
	arena_done(&a);
}
END_TEST

START_TEST(literals)
{
	struct arena a = { 0 };
	static const char *const of[][2] = {
		{ "", "" }, { "*", "" }, { "abc", "abc" }, { "*ab*cde?f", "cde" }, { "ab*cd", "ab" },
		{ "\\*\\?*a", "*?" }, { "a\\bc?", "abc" }, { "??", "" },
	};

	for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
		struct glob *g = glob_new(&a, str_from(of[i][0]), false);

		ck_assert_msg(str_is(glob_literal(g), of[i][1]), "%s", of[i][0]);
	}
	ck_assert(glob_wild(glob_new(&a, STR("a?"), false)));
	ck_assert(glob_wild(glob_new(&a, STR("*"), false)));
	ck_assert(!glob_wild(glob_new(&a, STR("a\\*\\?"), false)));
	arena_done(&a);
}
END_TEST

/* --- the reference */

struct reference {
	struct str v;
	bool octets, boundary[LONG + 1], dead[2 * LONG + 1][LONG + 1];
	char kind[2 * LONG], byte[2 * LONG];    /* of each item: 'c', '?' or '*' */
	size_t items, from[2 * LONG], to[2 * LONG];
};

static void
reference_init(struct reference *r, struct str pattern, struct str v, bool octets_)
{
	uint32_t code;

	*r = (struct reference){ .v = v, .octets = octets_ };
	for (size_t i = 0; i < pattern.len; i++) {
		char c = pattern.s[i];

		r->kind[r->items] = c == '*' || c == '?' ? c : 'c';
		if (c == '\\' && i + 1 < pattern.len)
			c = pattern.s[++i];
		r->byte[r->items++] = c;
	}
	for (size_t i = 0; i < v.len;) {
		size_t len = octets_ ? 1 : utf8_next(str_sub(v, i, v.len), &code);

		r->boundary[i] = true;
		i += len ? len : 1;
	}
	r->boundary[v.len] = true;
}

static bool
reference_match(struct reference *r, size_t item, size_t pos)
{
	if (item == r->items)
		return pos == r->v.len;
	if (r->dead[item][pos])
		return false;
	r->from[item] = pos;
	if (r->kind[item] == '*') {
		for (size_t to = pos; to <= r->v.len; to++) {
			r->to[item] = to;
			if (reference_match(r, item + 1, to))
				return true;
		}
	} else if (pos < r->v.len) {
		size_t to = pos + 1;

		while (r->kind[item] == '?' && !r->boundary[to])
			to++;
		r->to[item] = to;
		if ((r->kind[item] == '?' ? r->boundary[pos] : r->v.s[pos] == r->byte[item])
		    && reference_match(r, item + 1, to))
			return true;
	}
	r->dead[item][pos] = true;
	return false;
}

static struct str
random_from(struct arena *a, uint64_t *state, size_t most, const char *const *pieces, size_t n)
{
	struct str v = STR_EMPTY;

	for (size_t count = chance(state, most); count--;) {
		struct str piece = str_from(pieces[chance(state, n)]);

		v = arena_join(a, (struct str[]){ v, piece }, 2);
	}
	return v;
}

static void
check_one(struct arena *a, struct reference *r, struct str pattern, struct str v, bool octets_)
{
	struct glob *g = glob_new(a, pattern, octets_);
	struct str ret[2 * LONG];
	size_t n = 0, wild = 0, least = 0;
	uint64_t work = 0;
	bool expect;

	reference_init(r, pattern, v, octets_);
	expect = reference_match(r, 0, 0);
	ck_assert_msg(glob_match(g, v, ret, 2 * LONG, &n, &work) == expect,
	              "'%.*s' on '%.*s': not %d", STR_ARG(pattern), STR_ARG(v), expect);
	ck_assert_int_eq(glob_match(g, v, NULL, 0, NULL, &work), expect);
	if (!expect)
		return;
	ck_assert_int_ge(str_find(v, glob_literal(g)), 0);
	for (size_t i = 0; i < r->items; i++) {
		if (r->kind[i] == 'c')
			continue;
		wild++;
		ck_assert_msg(ret[wild].s == v.s + r->from[i] && ret[wild].len == r->to[i] - r->from[i],
		              "'%.*s' on '%.*s': %zu is '%.*s'", STR_ARG(pattern), STR_ARG(v), wild,
		              STR_ARG(ret[wild]));
	}
	ck_assert_uint_eq(n, wild + 1);
	/* room for fewer */
	least = chance(&(uint64_t){ wild + v.len }, 3);
	memset(ret, 0, sizeof ret);
	glob_match(g, v, ret, least, &n, &work);
	ck_assert_uint_eq(n, least < wild + 1 ? least : wild + 1);
	ck_assert_ptr_null(ret[least].s);
}

/* Each character of a text of ASCII becomes one of one to three bytes, none of them a wildcard: the same matches, and the
 * same characters are captured. */
static struct str
grown(struct arena *a, struct str v, size_t *at)
{
	struct str out = STR_EMPTY;

	for (size_t i = 0; i < v.len; i++) {
		struct str c = str_sub(v, i, i + 1);

		at[i] = out.len;
		out = arena_join(a, (struct str[]){ out, c, str_is(c, "b") ? STR("x") : str_is(c, "*") ? STR("yz") : STR_EMPTY }, 3);
	}
	at[v.len] = out.len;
	return out;
}

static void
check_grown(struct arena *a, struct str pattern, struct str v)
{
	struct str ret[LONG], wide[LONG], key = STR_EMPTY, long_v;
	size_t n = 0, m = 0, at[LONG];
	uint64_t starts[LONG] = { 0 }, work = 0;
	bool expect = glob_match(glob_new(a, pattern, true), v, ret, LONG, &n, &work);

	long_v = grown(a, v, at);
	for (size_t i = 0; i <= v.len; i++)
		starts[at[i] / 64] |= (uint64_t)1 << (at[i] % 64);
	for (size_t i = 0; i < pattern.len; i++) {
		bool quoted = pattern.s[i] == '\\' && i + 1 < pattern.len;
		struct str c = str_sub(pattern, i, i + 1 + quoted);

		i += quoted;
		key = arena_join(a, (struct str[]){ key, c, str_is(c, "b") ? STR("x") : str_is(c, "\\*") ? STR("yz") : STR_EMPTY },
		                 3);
	}
	ck_assert_msg(glob_match_starts(glob_new(a, key, false), long_v, starts, wide, LONG, &m, &work) == expect,
	              "'%.*s' on '%.*s': not %d", STR_ARG(key), STR_ARG(long_v), expect);
	if (!expect)
		return;
	ck_assert_uint_eq(n, m);
	for (size_t i = 0; i < n; i++) {
		size_t from = (size_t)(ret[i].s - v.s);

		ck_assert_ptr_eq(wide[i].s, long_v.s + at[from]);
		ck_assert_uint_eq(wide[i].len, at[from + ret[i].len] - at[from]);
	}
}

START_TEST(characters_of_another_form)
{
	static const char *const pieces[] = { "a", "b", "a", "b", "*", "?", "?", "\\*" };
	struct arena a = { 0 };
	uint64_t state = 11;

	for (int round = 0; round < 60000; round++) {
		struct str pattern, v;

		arena_reset(&a);
		pattern = random_from(&a, &state, 9, pieces, 8);
		v = random_from(&a, &state, 12, pieces, 5);
		check_grown(&a, pattern, v);
	}
	arena_done(&a);
}
END_TEST

START_TEST(as_the_reference)
{
	static const char *const ascii[] = { "a", "b", "a", "b", "ab", "*", "?", "\\*" };
	static const char *const wide[] = {
		"a", "\xc3\xa4", "\xc3", "\xa4", "\xe2\x82\xac", "\x82\xac", "*", "?", "?", "*",
	};
	const char *const *pieces = _i ? wide : ascii;
	struct arena a = { 0 };
	struct reference *r = mem_alloc(sizeof *r);
	uint64_t state = (uint64_t)_i + 9;
	size_t matched = 0;

	for (int round = 0; round < 60000; round++) {
		struct str pattern, v;

		arena_reset(&a);
		pattern = random_from(&a, &state, 9, pieces, _i ? 10 : 8);
		v = random_from(&a, &state, 12, pieces, _i ? 6 : 5);
		check_one(&a, r, pattern, v, chance(&state, 4) == 0);
		matched += reference_match(r, 0, 0);
	}
	ck_assert_uint_gt(matched, 3000);
	free(r);
	arena_done(&a);
}
END_TEST

/* --- bounds */

START_TEST(never_exponential)
{
	enum { VALUE = 1000000, STARS = 2000 };
	struct arena a = { 0 };
	char *v = memset(arena_alloc(&a, VALUE), 'a', VALUE);
	char *pattern = arena_alloc(&a, 2 * STARS + 1);
	uint64_t work = 0;

	for (size_t i = 0; i < STARS; i++)
		memcpy(pattern + 2 * i, "*a", 2);
	pattern[2 * STARS] = 'b';
	ck_assert(!glob_match(glob_new(&a, (struct str){ pattern, 2 * STARS + 1 }, false),
	                      (struct str){ v, VALUE }, NULL, 0, NULL, &work));
	ck_assert(glob_match(glob_new(&a, (struct str){ pattern, 2 * STARS }, false),
	                     (struct str){ v, VALUE }, NULL, 0, NULL, &work));
	/* "*a*a...b*" */
	pattern[2 * STARS - 1] = 'b';
	pattern[2 * STARS] = '*';
	ck_assert(!glob_match(glob_new(&a, (struct str){ pattern, 2 * STARS + 1 }, false),
	                      (struct str){ v, VALUE }, NULL, 0, NULL, &work));
	ck_assert_uint_lt(work, 4 * VALUE / 64);
	arena_done(&a);
}
END_TEST

/* value * pattern steps: given up, and the caller sees that it was too much */
START_TEST(work_limit)
{
	enum { VALUE = 4 << 20, PATTERN = 1 << 20 };
	struct arena a = { 0 };
	char *v = memset(arena_alloc(&a, VALUE), 'a', VALUE);
	char *pattern = arena_alloc(&a, PATTERN);
	uint64_t work = 0;

	for (size_t i = 0; i < PATTERN; i++)
		pattern[i] = i % 2 ? '?' : 'a';
	pattern[0] = '*';
	pattern[PATTERN - 2] = 'b';
	pattern[PATTERN - 1] = '*';
	ck_assert(!glob_match(glob_new(&a, (struct str){ pattern, PATTERN }, false),
	                      (struct str){ v, VALUE }, NULL, 0, NULL, &work));
	ck_assert_uint_gt(work, LIMIT_WORK);
	ck_assert_uint_lt(work, LIMIT_WORK + LIMIT_WORK / 10);
	arena_done(&a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/glob");
	TCase *c = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, tables, 0, sizeof cases / sizeof *cases);
	tcase_add_test(c, octets);
	tcase_add_test(c, literals);
	tcase_add_test(c, characters_of_another_form);
	tcase_add_loop_test(c, as_the_reference, 0, 2);
	tcase_add_test(c, never_exponential);
	tcase_add_test(c, work_limit);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
