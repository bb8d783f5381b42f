/* test_base_regex.c - regular expressions: what is refused, matched, bounded
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/pattern.h"
#include "base/regex.h"

static uint64_t
chance(uint64_t *state, uint64_t n)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (*state >> 33) % n;
}

/* --- compiling */

static const struct {
	const char *pattern, *error;
	size_t offset;
} refused[] = {
	{ "a(?R)", "recursion is not supported", 1 },
	{ "(a(?1)?)", "recursion is not supported", 2 },
	{ "(a(?-1)?)", "recursion is not supported", 2 },
	{ "(?+1)(a)", "recursion is not supported", 0 },
	{ "(?<n>a(?&n)?)", "recursion is not supported", 6 },
	{ "(?P<n>a(?P>n)?)", "recursion is not supported", 7 },
	{ "(a\\g<1>?)", "recursion is not supported", 2 },
	{ "(a\\g'1'?)", "recursion is not supported", 2 },
	{ "a(?C)", "callouts are not supported", 1 },
	{ "a(?C'text')", "callouts are not supported", 1 },
	{ "(?(?C1)(?=a)b)", "callouts are not supported", 2 },
	{ "(*UTF)a", "'(*' is not supported", 0 },
	{ "(*LIMIT_MATCH=9)a", "'(*' is not supported", 0 },
	{ "a(*COMMIT)b", "'(*' is not supported", 1 },
	{ "a\\Cb", "'\\C' is not supported", 1 },
	{ "\\Ga", "'\\G' is not supported", 0 },
	{ "(?xx)a", "option 'xx' is not supported", 0 },
	/* what looks like a quotation, a class, a comment, and is none */
	{ "\\Q\\E(?R)", "recursion is not supported", 4 },
	{ "\\\\Q(?R)", "recursion is not supported", 3 },
	{ "[]](?R)", "recursion is not supported", 3 },
	{ "[^]](?R)", "recursion is not supported", 4 },
	{ "[\\]](?R)", "recursion is not supported", 4 },
	{ "[[:alpha:]](?R)", "recursion is not supported", 11 },
	{ "[[:alpha](?R)", "recursion is not supported", 9 },
	{ "[a[](?R)", "recursion is not supported", 4 },
	{ "[\\Q]\\E](?R)", "recursion is not supported", 7 },
	{ "[\\c]](?R)", "recursion is not supported", 5 },
	{ "\\c\\(?R)", "recursion is not supported", 3 },
	{ "\\[(?R)", "recursion is not supported", 2 },
	{ "(?#[)(?R)", "recursion is not supported", 5 },
	{ "(?x)#[\n(?R)", "recursion is not supported", 7 },
	{ "(?x:#(\n)[#](?R)", "recursion is not supported", 11 },
	{ "(?x:a)#[](?R)]", "missing", 0 },
	{ "(?-x)#(?R)", "recursion is not supported", 6 },
	{ "(?x)(?-x:#(?R))", "recursion is not supported", 10 },
	{ "(?x)(?^)#(?R)", "recursion is not supported", 9 },
	/* PCRE2's own */
	{ "(a", "missing closing parenthesis", 2 }, { "a)", "unmatched closing parenthesis", 1 },
	{ "*a", "quantifier does not follow a repeatable item", 0 },
	{ "\xff", "UTF-8 error: illegal byte (0xfe or 0xff)", 0 },
};

START_TEST(refusals)
{
	struct arena a = { 0 };
	struct str error = STR_EMPTY;
	size_t offset = 99;
	struct regex *re = regex_new(&a, str_from(refused[_i].pattern), 0, &error, &offset);

	if (!strcmp(refused[_i].error, "missing")) {
		/* "x" ended with its group: "#" is a character, and "[](?R)]" a class */
		ck_assert_ptr_nonnull(re);
	} else {
		ck_assert_ptr_null(re);
		ck_assert_msg(str_is(error, refused[_i].error), "%.*s", STR_ARG(error));
		ck_assert_uint_eq(offset, refused[_i].offset);
	}
	arena_done(&a);
}
END_TEST

/* Quoted, the refused is text. */
static const char *const accepted[] = {
	"\\(\\?R\\)", "[(?R)]", "\\Q(?R)\\E", "\\Q(*UTF)", "(?#(?R)", "[]\\](?R)]", "[^](?C)]",
	"[[:alpha:](?R)]", "[\\Q]\\E(?R)]", "(?x)#(?R)\na", "(?x:#(?R)\n)a", "\\\\C", "(a)\\g{1}",
	"(?<n>a)\\k<n>\\k'n'(?P=n)", "(?<!a)(?<=b)(?!c)(?=d)(?>e)(?|f|g)", "(a)?(?(1)b|c)",
	"(?(?=a)ab|c)", "(?i)a(?-i)b", "\\p{L}\\pL\\x{41}\\o{101}\\N{U+41}", "[[.](?R)]", "a{,3}", "[\\Q\\E](?R)]",
};

START_TEST(acceptances)
{
	struct arena a = { 0 };
	struct str error = STR_EMPTY;
	size_t offset;

	if (!strcmp(accepted[_i], "[[.](?R)]")) {
		/* no ".]" follows: the class ends early */
		ck_assert_ptr_null(regex_new(&a, str_from(accepted[_i]), 0, &error, &offset));
		ck_assert(str_is(error, "recursion is not supported"));
	} else {
		ck_assert_msg(regex_new(&a, str_from(accepted[_i]), 0, &error, &offset) != NULL,
		              "%s: %.*s", accepted[_i], STR_ARG(error));
	}
	arena_done(&a);
}
END_TEST

static void
check_too_much(struct arena *a, struct str pattern, const char *expect)
{
	struct str error = STR_EMPTY;
	size_t offset;

	ck_assert_ptr_null(regex_new(a, pattern, 0, &error, &offset));
	ck_assert_msg(str_is(error, expect), "%.*s", STR_ARG(error));
	ck_assert_uint_le(offset, pattern.len);
}

START_TEST(compile_limits)
{
	const char *large = "regular expression is too large";
	struct arena a = { 0 };
	struct str error;
	size_t offset;
	char *s = arena_alloc(&a, LIMIT_PATTERN + 1);

	memset(s, 'a', LIMIT_PATTERN + 1);
	check_too_much(&a, (struct str){ s, LIMIT_PATTERN + 1 }, large);
	check_too_much(&a, STR("((a{1,100}){1,100}){1,100}"), large);
	check_too_much(&a, STR("(((a{1,1000}){1,1000}){1,1000}){1,1000}"), large);
	memset(s, '(', LIMIT_REGEX_NESTING + 1);
	memset(s + LIMIT_REGEX_NESTING + 1, ')', LIMIT_REGEX_NESTING + 1);
	check_too_much(&a, (struct str){ s, 2 * LIMIT_REGEX_NESTING + 2 }, "too many groups in groups");
	ck_assert_ptr_nonnull(regex_new(&a, (struct str){ s + 1, 2 * LIMIT_REGEX_NESTING }, 0,
	                                &error, &offset));
	arena_done(&a);
}
END_TEST

/* Few bytes of rules make many of memory: what all of one program take is bounded. */
START_TEST(compile_limits_together)
{
	struct arena a = { 0 };
	struct str error = STR_EMPTY;
	size_t offset, n = 0;

	while (n < 100000 && !str_is(error, "regular expressions are too large together")) {
		regex_new(&a, STR("((a{1,200}){1,200}b)"), REGEX_JIT, &error, &offset);
		n++;
	}
	ck_assert_uint_gt(n, 100);
	ck_assert_uint_lt(n, 2000);
	check_too_much(&a, STR("a"), "regular expressions are too large together");
	arena_reset(&a);
	ck_assert_ptr_nonnull(regex_new(&a, STR("a"), 0, &error, &offset));
	arena_done(&a);
}
END_TEST

/* --- literals */

static const struct {
	const char *pattern, *plain, *fold;
} literals[] = {
	{ "", "", "" }, { "Invoice", "Invoice", "invoice" }, { "a|b", "", "" },
	{ "(?:a|b)cde", "cde", "cde" }, { "ab?cd", "cd", "cd" }, { "abc*", "ab", "ab" },
	{ "abc+de", "abc", "abc" }, { "ab{0,2}c", "a", "a" }, { "ab{2}", "a", "a" },
	{ "ab\\.cd", "ab.cd", "ab.cd" }, { "a\\dbc", "bc", "bc" }, { "a\\x41bc", "a", "a" },
	{ "a\\x{41}bc", "bc", "bc" }, { "a\\012bc", "a", "a" }, { "\\Qa*b\\E*", "a*", "a*" },
	{ "ab(?#x)*", "a", "a" }, { "(abc)de", "de", "de" }, { "(abc)?", "", "" }, { "[abc]de", "de", "de" },
	{ "(?i)abc", "", "" }, { "(?i:abc)def", "", "" }, { "^abc$", "abc", "abc" },
	{ "a\xc3\xa4?bc", "bc", "bc" }, { "a\xc3\xa4" "b", "a\xc3\xa4" "b", "a" },
	{ "asbkcd", "asbkcd", "cd" }, { "a\xef\xbf\xbd" "bc", "bc", "bc" },
	{ "(?!abc)de", "de", "de" }, { "\\bab\\b", "ab", "ab" }, { "ab+?cd", "ab", "ab" },
	{ "\\pLu", "u", "u" }, { "\\p{Lu}u", "u", "u" }, { "(a)\\1bc", "", "" }, { "\\cAbc", "bc", "bc" },
	{ "a\\Q\\E*bc", "bc", "bc" }, { "(a)\\g{1}bc", "bc", "bc" }, { "x{abc}", "abc}", "abc}" },
};

START_TEST(literal)
{
	struct arena a = { 0 };
	struct str error;
	size_t offset;

	for (int fold = 0; fold < 2; fold++) {
		const char *expect = fold ? literals[_i].fold : literals[_i].plain;
		struct regex *re = regex_new(&a, str_from(literals[_i].pattern), fold ? REGEX_FOLD : 0,
		                             &error, &offset);

		ck_assert_ptr_nonnull(re);
		ck_assert_msg(str_is(regex_literal(re), expect), "%s: '%.*s'", literals[_i].pattern,
		              STR_ARG(regex_literal(re)));
	}
	arena_done(&a);
}
END_TEST

static const struct {
	const char *pattern, *value;
	bool excluded;
} excluded[] = {
	{ "from +[^ ]*then", "from x then", false }, { "from +[^ ]*then", "then from x", true },
	{ "from +[^ ]*then", "from x", true }, { "aba.*ab", "abab", true }, { "aba.*ab", "abaab", false },
	{ "abc+cd", "abccd", false }, { "ab|cd", "x", false }, { "(?i)ab", "AB", false }, { "a.b", "x", false },
	{ "ab.cd.ef.gh.ij.kl.mn.op.qr", "ab cd ef gh ij kl mn op", false },
	{ "ab.cd.ef.gh.ij.kl.mn.op.qr", "ab cd ef gh ij kl mn", true },
};

START_TEST(excludes)
{
	struct arena a = { 0 };
	struct str error;
	size_t offset;
	struct regex *re = regex_new(&a, str_from(excluded[_i].pattern), 0, &error, &offset);

	ck_assert_ptr_nonnull(re);
	ck_assert_int_eq(regex_excludes(re, str_from(excluded[_i].value)), excluded[_i].excluded);
	arena_done(&a);
}
END_TEST

/* Whatever matches contains the literal, and with JIT and without it the same
 * matches. */
static const char *const tokens[] = {
	"a", "b", "s", "K", "\xc3\xa4", "\xef\xbf\xbd", "a", "b", "*", "+", "?", "{0,1}", "{2}", "{1,}",
	"{", "|", "(", ")", "(?:", "(?=", "(?!", "(?i)", "(?x)", "(?#b)", "[ab]", "[^a]", "[]a]",
	"[\\Q]\\E]", "\\Q", "\\E", "\\.", "\\x62", "\\x{61}", "\\d", "\\w", "\\b", ".", "^", "$", " ",
	"#", "\n", "\\cA", "\\1", "\\pL", "\\K", "(?|", "(?>", "++", "*?", "(a)", "(?(1)", "[ -~]",
	"[^\\d]", "\\s", "\\D", "\\v", "\\H", "[[:space:]]", "[[:alpha:]]",
	"(?s)", "\\R", "\\X", "[\\w.]", "\\N", "{3}",
};

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

static size_t
check_value(struct arena *a, struct regex *const re[2], unsigned fold, struct str v,
            struct str pattern)
{
	struct regex_scratch *scratch = regex_scratch_new(a);
	struct str ret[2][5], canon = fold ? arena_lower(a, v) : v;
	size_t n[2] = { 0, 0 };
	uint64_t work = 0;
	int rc[2];

	for (int jit = 0; jit < 2; jit++)
		rc[jit] = regex_match(re[jit], scratch, a, v, ret[jit], 5, &n[jit],
		                      LIMIT_REGEX_MATCH, &work);
	ck_assert_int_eq(rc[0], rc[1]);
	ck_assert_uint_eq(n[0], n[1]);
	if (rc[0] != REGEX_YES)
		return 0;
	ck_assert_msg(str_find(canon, regex_literal(re[0])) >= 0, "'%.*s' on '%.*s': '%.*s'",
	              STR_ARG(pattern), STR_ARG(v), STR_ARG(regex_literal(re[0])));
	ck_assert_msg(!regex_excludes(re[0], canon), "'%.*s' on '%.*s'", STR_ARG(pattern), STR_ARG(v));
	for (size_t i = 0; i < n[0]; i++)
		ck_assert(str_eq(ret[0][i], ret[1][i]));
	return 1;
}

START_TEST(literal_is_in_every_match)
{
	static const char *const letters[] = {
		"a", "b", "s", "K", "k", "\xc3\xa4", "\xc3\x84", "\xff", "\xe2\x84\xaa", "\xc5\xbf", "A",
		".", "1", " ",
	};
	struct arena a = { 0 };
	uint64_t state = (uint64_t)_i + 21;
	size_t good = 0, matched = 0;

	for (int round = 0; round < 15000; round++) {
		struct str pattern, error;
		struct regex *re[2];
		size_t offset;

		arena_reset(&a);
		pattern = random_from(&a, &state, 9, tokens, sizeof tokens / sizeof *tokens);
		for (unsigned jit = 0; jit < 2; jit++)
			re[jit] = regex_new(&a, pattern, (unsigned)_i | (jit ? REGEX_JIT : 0), &error,
			                    &offset);
		if (!re[0])
			continue;
		good++;
		for (int i = 0; i < 20; i++)
			matched += check_value(&a, re, (unsigned)_i,
			                       random_from(&a, &state, 8, letters, 14), pattern);
	}
	ck_assert_uint_gt(good, 3000);
	ck_assert_uint_gt(matched, 10000);
	arena_done(&a);
}
END_TEST

/* --- matching */

struct fixture {
	struct arena arena;
	struct regex_scratch *scratch;
	struct str ret[LIMIT_MATCH_VARIABLES];
	size_t n;
	uint64_t work;
};

/* of the two rounds of a test */
static unsigned
flags(int round)
{
	return round ? REGEX_JIT : 0;
}

static int
run(struct fixture *f, struct str pattern, unsigned how, struct str v)
{
	struct str error = STR_EMPTY;
	size_t offset;
	struct regex *re = regex_new(&f->arena, pattern, how, &error, &offset);

	ck_assert_msg(re != NULL, "%.*s", STR_ARG(error));
	if (!f->scratch)
		f->scratch = regex_scratch_new(&f->arena);
	return regex_match(re, f->scratch, &f->arena, v, f->ret, LIMIT_MATCH_VARIABLES, &f->n,
	                   LIMIT_REGEX_MATCH, &f->work);
}

START_TEST(captures)
{
	struct fixture f = { 0 };
	struct str v = STR("one <two> three");

	ck_assert_int_eq(run(&f, STR("(x)?<(.*)>(y)?"), flags(_i), v), REGEX_YES);
	ck_assert_uint_eq(f.n, 4);
	ck_assert_ptr_eq(f.ret[0].s, v.s + 4);
	ck_assert_uint_eq(f.ret[0].len, 5);
	ck_assert_uint_eq(f.ret[1].len, 0);
	ck_assert(str_is(f.ret[2], "two"));
	ck_assert_uint_eq(f.ret[3].len, 0);
	ck_assert_int_eq(run(&f, STR("(q)"), flags(_i), v), REGEX_NO);
	ck_assert_int_eq(run(&f, STR("ONE"), flags(_i), v), REGEX_NO);
	ck_assert_int_eq(run(&f, STR("ONE"), REGEX_FOLD | flags(_i), v), REGEX_YES);
	ck_assert_int_eq(run(&f, STR("\xc3\x84"), REGEX_FOLD | flags(_i), STR("\xc3\xa4")),
	                 REGEX_YES);
	ck_assert_int_eq(run(&f, STR("^.$"), flags(_i), STR("\xe2\x82\xac")), REGEX_YES);
	ck_assert_int_eq(run(&f, STR(""), flags(_i), STR_EMPTY), REGEX_YES);
	ck_assert_uint_eq(f.n, 1);
	ck_assert_int_eq(run(&f, STR("[[:digit:]]{3}$"), flags(_i), STR("a1234")), REGEX_YES);
	arena_done(&f.arena);
}
END_TEST

START_TEST(more_groups_than_variables)
{
	struct fixture f = { 0 };
	struct str pattern = STR_EMPTY;
	char v[40];

	for (int i = 0; i < 40; i++) {
		pattern = arena_join(&f.arena, (struct str[]){ pattern, STR("(.)") }, 2);
		v[i] = (char)('A' + i);
	}
	ck_assert_int_eq(run(&f, pattern, flags(_i), (struct str){ v, 40 }), REGEX_YES);
	ck_assert_uint_eq(f.n, LIMIT_MATCH_VARIABLES);
	for (size_t i = 1; i < f.n; i++)
		ck_assert_int_eq(f.ret[i].s[0], v[i - 1]);
	/* a back reference beyond them still works */
	pattern = arena_join(&f.arena, (struct str[]){ pattern, STR("\\40") }, 2);
	v[39] = v[38];
	ck_assert_int_eq(run(&f, pattern, flags(_i), (struct str){ v, 40 }), REGEX_NO);
	arena_done(&f.arena);
}
END_TEST

START_TEST(bad_bytes)
{
	struct fixture f = { 0 };

	ck_assert_int_eq(run(&f, STR("a(.)b"), flags(_i), STR("\xff" "a\x80" "b\xc3")), REGEX_YES);
	ck_assert(str_is(f.ret[1], "\xef\xbf\xbd"));
	ck_assert_int_eq(run(&f, STR("^.a.b.$"), flags(_i), STR("\xff" "a\x80" "b\xc3")), REGEX_YES);
	arena_done(&f.arena);
}
END_TEST

/* --- bounds */

START_TEST(backtracking_ends)
{
	static const char *const slow[] = { "(a+)+$", "(?:a|aa)+$", "(a*)*b\\b|(a*a*a*a*)*$", "(.*)(.*)(.*)(.*)(.*)\\d$" };
	struct fixture f = { 0 };
	char v[5000];

	memset(v, 'a', sizeof v);
	v[sizeof v - 1] = '!';
	for (size_t i = 0; i < sizeof slow / sizeof *slow; i++) {
		uint64_t before = f.work;
		int rc = run(&f, str_from(slow[i]), flags(_i), (struct str){ v, sizeof v });

		ck_assert_msg(rc == REGEX_LIMIT, "%s: %d", slow[i], rc);
		ck_assert_uint_gt(f.work - before, 10000);
	}
	arena_done(&f.arena);
}
END_TEST

/* What PCRE2's limit does not see: at each of many places a long run.  Hours
 * without a bound of ours. */
static const struct {
	const char *pattern, *fill, *end;
} quadratic[] = {
	{ "[a-z]*\\d", "a", "!1" }, { "(?:a|ab)*+\\d", "a", "!1" }, { "href=[^>]*+\"", "href=", ">\"" },
	{ "(a*)\\1[bc]\\d", "a", "!1" }, { "(?P<n>a{2,})(?P=n)+\\d", "a", "!1" },
	{ "\\w+@\\w+", "a", " @" }, { "(?<=a)(a|\xc3\xa4)*+[\xc3\xa4\xc3\xb6]\\d", "a", "!1" },
};

START_TEST(runs_end)
{
	enum { LEN = 3000000 };
	struct fixture f = { 0 };
	struct str fill = str_from(quadratic[_i].fill), end = str_from(quadratic[_i].end);
	char *v = arena_alloc(&f.arena, LEN);

	for (size_t i = 0; i + fill.len <= LEN - end.len; i += fill.len)
		memcpy(v + i, fill.s, fill.len);
	memcpy(v + LEN / fill.len * fill.len - end.len, end.s, end.len);
	for (int jit = 0; jit < 2; jit++) {
		struct str value = { v, LEN / fill.len * fill.len };
		int rc = run(&f, str_from(quadratic[_i].pattern), flags(jit), value);

		ck_assert_msg(rc == REGEX_LIMIT, "%s: %d", quadratic[_i].pattern, rc);
	}
	ck_assert_uint_gt(f.work, 1000000);
	ck_assert_uint_lt(f.work, LIMIT_WORK);
	arena_done(&f.arena);
}
END_TEST

/* What the choice between the two ways of matching relies on. */
static void
check_facts(struct arena *a, struct str text, struct str match)
{
	struct pattern pattern;
	struct str error;
	size_t offset;

	ck_assert(pattern_scan(a, text, false, &pattern, &error, &offset));
	ck_assert_uint_le(match.len, pattern.reach);
	if (pattern.one_line)
		ck_assert_msg(!memchr(match.s, '\n', match.len) && !memchr(match.s, '\r', match.len),
		              "%.*s", STR_ARG(text));
}

/* A second alternative that cannot match, but reach far, makes long values
 * metered: with the same result. */
START_TEST(metered_as_plain)
{
	enum { TAIL = 9000 };
	static const char *const letters[] = { "a", "b", "s", "K", "\xc3\xa4", "1", "\r", "\n" };
	struct arena a = { 0 };
	char *tail = memset(mem_alloc(TAIL), '\n', TAIL);
	uint64_t state = 5;
	size_t matched = 0;

	for (int round = 0; round < 10000; round++) {
		struct str ret[2][5], error, p[2], v;
		struct regex_scratch *scratch;
		size_t n[2] = { 0, 0 }, offset;
		struct regex *re[2];
		uint64_t work[2] = { 0, 0 };
		int rc[2];

		arena_reset(&a);
		scratch = regex_scratch_new(&a);
		p[0] = random_from(&a, &state, 7, tokens, sizeof tokens / sizeof *tokens);
		p[1] = arena_join(&a, (struct str[]){ STR("(?:"), p[0], STR("|(?!)a*)") }, 3);
		v = random_from(&a, &state, 40, letters, 8);
		v = arena_join(&a, (struct str[]){ v, { tail, TAIL } }, 2);
		for (int i = 0; i < 2; i++)
			re[i] = regex_new(&a, p[i], flags(i), &error, &offset);
		if (!re[0] || !re[1])
			continue;
		for (int i = 0; i < 2; i++)
			rc[i] = regex_match(re[i], scratch, &a, v, ret[i], 5, &n[i], LIMIT_REGEX_MATCH,
			                    &work[i]);
		if (rc[0] == REGEX_LIMIT || rc[1] == REGEX_LIMIT)
			continue;
		ck_assert_msg(rc[0] == rc[1], "%.*s: %d, %d on %.*s", STR_ARG(p[0]), rc[0],
		              rc[1], STR_ARG(str_sub(v, 0, v.len - TAIL)));
		ck_assert_uint_eq(n[0], n[1]);
		for (size_t i = 0; i < n[0]; i++)
			ck_assert(str_eq(ret[0][i], ret[1][i]));
		if (rc[0] == REGEX_YES) {
			check_facts(&a, p[0], ret[0][0]);
			matched++;
		}
	}
	ck_assert_uint_gt(matched, 1000);
	free(tail);
	arena_done(&a);
}
END_TEST

/* more than fits on the stack of JIT code */
START_TEST(deep)
{
	enum { LEN = 20000, BEYOND = 500000 };
	struct str pattern = STR("^(?:a|b)*$");
	struct fixture f = { 0 };
	char *v = memset(arena_alloc(&f.arena, BEYOND), 'a', BEYOND);

	ck_assert_int_eq(run(&f, pattern, flags(_i), (struct str){ v, LEN }), REGEX_YES);
	ck_assert_uint_eq(f.ret[0].len, LEN);
	ck_assert_int_eq(run(&f, pattern, flags(_i), (struct str){ v, BEYOND }), REGEX_LIMIT);
	arena_done(&f.arena);
}
END_TEST

START_TEST(work_grows_with_the_value)
{
	enum { LEN = 1 << 20 };
	struct fixture f = { 0 };
	char *v = memset(arena_alloc(&f.arena, LEN), 'a', LEN);

	ck_assert_int_eq(run(&f, STR("bcd"), flags(_i), (struct str){ v, LEN }), REGEX_NO);
	ck_assert_uint_ge(f.work, LEN / 64);
	ck_assert_uint_le(f.work, LEN / 4);
	arena_done(&f.arena);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/regex");
	TCase *c = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, refusals, 0, sizeof refused / sizeof *refused);
	tcase_add_loop_test(c, acceptances, 0, sizeof accepted / sizeof *accepted);
	tcase_add_test(c, compile_limits);
	tcase_add_test(c, compile_limits_together);
	tcase_add_loop_test(c, literal, 0, sizeof literals / sizeof *literals);
	tcase_add_loop_test(c, excludes, 0, sizeof excluded / sizeof *excluded);
	tcase_add_loop_test(c, literal_is_in_every_match, 0, 2);
	/* each interpreted and with JIT */
	tcase_add_loop_test(c, captures, 0, 2);
	tcase_add_loop_test(c, more_groups_than_variables, 0, 2);
	tcase_add_loop_test(c, bad_bytes, 0, 2);
	tcase_add_loop_test(c, backtracking_ends, 0, 2);
	tcase_add_loop_test(c, runs_end, 0, sizeof quadratic / sizeof *quadratic);
	tcase_add_test(c, metered_as_plain);
	tcase_add_loop_test(c, deep, 0, 2);
	tcase_add_loop_test(c, work_grows_with_the_value, 0, 2);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
