/* test_base_search.c - key sets and automata against searching one by one
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdlib.h>

#include "base/automaton.h"
#include "base/keyset.h"
#include "base/limits.h"
#include "base/prefilter.h"

enum { KEYS_MOST = 200 };

static uint64_t
chance(uint64_t *state, uint64_t n)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (*state >> 33) % n;
}

static struct str
random_str(struct arena *a, uint64_t *state, size_t least, size_t most, unsigned letters)
{
	size_t len = least + chance(state, most - least + 1);
	char *s = arena_alloc(a, len + 1);

	for (size_t i = 0; i < len; i++)
		s[i] = (char)('a' + chance(state, letters));
	return (struct str){ s, len };
}

/* --- keyset */

START_TEST(keyset_as_one_by_one)
{
	struct arena a = { 0 };
	uint64_t state = 11;

	for (int round = 0; round < 3000; round++) {
		struct str keys[KEYS_MOST];
		size_t n = chance(&state, KEYS_MOST);
		struct keyset *set;

		arena_reset(&a);
		for (size_t i = 0; i < n; i++)
			keys[i] = random_str(&a, &state, 0, 5, 3);
		set = keyset_new(&a, keys, n);
		for (int probe = 0; probe < 50; probe++) {
			struct str v = random_str(&a, &state, 0, 5, 3);
			ptrdiff_t expect = -1;

			for (size_t i = n; i-- > 0;)
				if (str_eq(keys[i], v))
					expect = (ptrdiff_t)i;
			ck_assert_int_eq(keyset_find(set, v), expect);
		}
	}
	arena_done(&a);
}
END_TEST

START_TEST(keyset_large)
{
	enum { N = 300000 };
	struct arena a = { 0 };
	struct str *keys = ARENA_ARRAY(&a, N, struct str);
	struct keyset *set;

	for (size_t i = 0; i < N; i++)
		keys[i] = arena_printf(&a, "user%zu@example.org", i);
	set = keyset_new(&a, keys, N);
	for (size_t i = 0; i < N; i++) {
		ck_assert_int_eq(keyset_find(set, keys[i]), (ptrdiff_t)i);
		ck_assert_int_eq(keyset_find(set, str_sub(keys[i], 1, keys[i].len)), -1);
	}
	arena_done(&a);
}
END_TEST

/* --- prefilter */

static bool
begins(const struct str *keys, size_t n, struct str v, size_t at)
{
	for (size_t i = 0; i < n; i++)
		if (str_starts(str_sub(v, at, v.len), keys[i]))
			return true;
	return false;
}

/* No way of working may pass over a place where a key begins, and each should
 * pass over most of the others. */
START_TEST(prefilter_misses_nothing)
{
	struct arena a = { 0 };
	uint64_t state = 77;
	size_t stops = 0, bytes = 0;

	for (int round = 0; round < 3000; round++) {
		struct str keys[PREFILTER_KEYS], v;
		size_t n = 1 + chance(&state, 20), least = chance(&state, 6), at = 0;
		unsigned letters = 2 + (unsigned)chance(&state, 24);
		struct prefilter *f;

		arena_reset(&a);
		for (size_t i = 0; i < n; i++)
			keys[i] = random_str(&a, &state, least, least + 5, letters);
		v = random_str(&a, &state, 0, 300, letters);
		f = prefilter_new(&a, keys, n, (enum prefilter_way)_i);
		if (!f)
			continue;
		bytes += v.len;
		for (;;) {
			size_t next = prefilter_next(f, v, at);

			ck_assert_uint_ge(next, at);
			ck_assert_uint_le(next, v.len);
			for (size_t i = at; i < next; i++)
				ck_assert(!begins(keys, n, v, i));
			if (next == v.len)
				break;
			at = next + 1;
			stops++;
		}
	}
	ck_assert_uint_gt(bytes, 200000);
	ck_assert_uint_lt(stops, bytes / 3);
	arena_done(&a);
}
END_TEST

START_TEST(prefilter_refuses)
{
	struct arena a = { 0 };
	struct str keys[PREFILTER_KEYS + 1];

	for (size_t i = 0; i <= PREFILTER_KEYS; i++)
		keys[i] = STR("key");
	ck_assert_ptr_nonnull(prefilter_new(&a, keys, PREFILTER_KEYS, PREFILTER_32));
	ck_assert_ptr_null(prefilter_new(&a, keys, PREFILTER_KEYS + 1, PREFILTER_32));
	ck_assert_ptr_null(prefilter_new(&a, keys, 0, PREFILTER_32));
	keys[7] = STR("k");
	ck_assert_ptr_null(prefilter_new(&a, keys, 9, PREFILTER_32));
	arena_done(&a);
}
END_TEST

/* --- automaton */

struct found {
	size_t count[KEYS_MOST], left;
};

static bool
count_found(void *ctx, size_t key)
{
	struct found *f = ctx;

	f->count[key]++;
	return --f->left > 0;
}

/* how often a key ends somewhere in v */
static size_t
occurrences(struct str v, struct str key)
{
	size_t n = 0;

	for (size_t i = 0; i + key.len <= v.len; i++)
		n += !memcmp(v.s + i, key.s, key.len);
	return n;
}

static void
check_automaton(struct arena *arena, const struct str *keys, size_t n, struct str v)
{
	struct automaton *a = automaton_new(arena, keys, n);
	struct found all = { .left = SIZE_MAX }, some = { .left = 3 };
	uint64_t bits[KEYS_MOST / 64 + 1] = { 0 };
	size_t end = SIZE_MAX, total = 0, seen = 0;
	ptrdiff_t first = -1;

	automaton_each(a, v, count_found, &all);
	automaton_each(a, v, count_found, &some);
	automaton_mark(a, v, bits);
	for (size_t i = 0; i < n; i++) {
		ptrdiff_t at = str_find(v, keys[i]);

		ck_assert_uint_eq(all.count[i], occurrences(v, keys[i]));
		ck_assert_int_eq(bits[i / 64] >> i % 64 & 1, at >= 0);
		total += all.count[i];
		seen += some.count[i];
		if (at >= 0 && (size_t)at + keys[i].len < end) {
			end = (size_t)at + keys[i].len;
			first = (ptrdiff_t)i;
		}
	}
	ck_assert_uint_eq(seen, total < 3 ? total : 3);
	ck_assert_int_eq(automaton_first(a, v), first);
}

/* short keys of few letters overlap in every way; those of three bytes and
 * more, in long texts, are looked for with shifts */
START_TEST(automaton_as_one_by_one)
{
	struct arena a = { 0 };
	uint64_t state = (uint64_t)_i + 1;

	for (int round = 0; round < 4000; round++) {
		struct str keys[KEYS_MOST];
		size_t n = chance(&state, round % 50 ? 10 : KEYS_MOST);
		size_t least = chance(&state, 5), most = least + chance(&state, 8);
		unsigned letters = 1 + (unsigned)chance(&state, 4);

		arena_reset(&a);
		for (size_t i = 0; i < n; i++)
			keys[i] = random_str(&a, &state, least, most, letters);
		check_automaton(&a, keys, n,
		                random_str(&a, &state, 0, round % 2 ? 50 : 700,
		                           letters + (unsigned)chance(&state, 20)));
	}
	arena_done(&a);
}
END_TEST

/* every byte in use: none is left to stand for the others */
START_TEST(automaton_all_bytes)
{
	struct arena a = { 0 };
	uint64_t state = 3;
	char text[512];
	struct str keys[KEYS_MOST];

	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (char)i;
	for (int round = 0; round < 300; round++) {
		arena_reset(&a);
		keys[0] = (struct str){ text, round % 2 ? 256 : 255 };
		for (size_t i = 1; i < 50; i++) {
			size_t from = chance(&state, 250);

			keys[i] = str_sub((struct str){ text, 512 }, from,
			                  from + 1 + chance(&state, 5));
		}
		check_automaton(&a, keys, 50, (struct str){ text, 512 });
	}
	arena_done(&a);
}
END_TEST

/* more states than can have a row of their own */
START_TEST(automaton_beyond_rows)
{
	enum { N = 30000 };
	struct arena a = { 0 };
	uint64_t state = 17;
	struct str *keys = ARENA_ARRAY(&a, N, struct str), text;
	struct automaton *automaton;
	uint64_t *bits = arena_zalloc(&a, N / 8 + 8);

	for (size_t i = 0; i < N; i++)
		keys[i] = random_str(&a, &state, 20, 60, 26);
	automaton = automaton_new(&a, keys, N);
	/* half of them are in the text, some of those overlapping */
	text = arena_join(&a, keys, N / 2);
	automaton_mark(automaton, text, bits);
	for (size_t i = 0; i < N; i++) {
		ck_assert_int_eq(bits[i / 64] >> i % 64 & 1, i < N / 2);
		ck_assert_int_eq(automaton_first(automaton, keys[i]), (ptrdiff_t)i);
		ck_assert_int_eq(automaton_first(automaton, str_sub(keys[i], 1, keys[i].len)), -1);
	}
	arena_done(&a);
}
END_TEST

/* a, aa, aaa, ...: as many ends at each place as there are keys, and long
 * failures; what a naive search would take hours for */
START_TEST(automaton_worst_case)
{
	enum { N = 4000, TEXT = 3000000 };
	struct arena a = { 0 };
	struct str *keys = ARENA_ARRAY(&a, N, struct str);
	char *as = memset(arena_alloc(&a, TEXT), 'a', TEXT);
	uint64_t bits[N / 64 + 1] = { 0 };
	struct automaton *automaton;

	for (size_t i = 0; i < N; i++)
		keys[i] = (struct str){ as, i + 1 };
	automaton = automaton_new(&a, keys, N);
	automaton_mark(automaton, (struct str){ as, TEXT }, bits);
	for (size_t i = 0; i < N; i++)
		ck_assert_int_eq(bits[i / 64] >> i % 64 & 1, 1);

	/* no "b" ever follows */
	for (size_t i = 0; i < N; i++) {
		char *s = arena_alloc(&a, i + 2);

		memset(s, 'a', i + 1);
		s[i + 1] = 'b';
		keys[i] = (struct str){ s, i + 2 };
	}
	automaton = automaton_new(&a, keys, N / 2);
	ck_assert_int_eq(automaton_first(automaton, (struct str){ as, TEXT }), -1);
	arena_done(&a);
}
END_TEST

START_TEST(automaton_limit)
{
	struct arena a = { 0 };
	char *s = arena_zalloc(&a, AUTOMATON_MAX);
	struct str keys[3] = { { s, AUTOMATON_MAX - 5 }, { s, 5 }, { s, 1 } };

	ck_assert_ptr_nonnull(automaton_new(&a, keys, 2));
	ck_assert_ptr_null(automaton_new(&a, keys, 3));
	keys[0].len = SIZE_MAX;
	ck_assert_ptr_null(automaton_new(&a, keys, 2));
	arena_done(&a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base/search");
	TCase *c = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_set_timeout(c, 60);
	tcase_add_test(c, keyset_as_one_by_one);
	tcase_add_test(c, keyset_large);
	tcase_add_loop_test(c, prefilter_misses_nothing, PREFILTER_SHIFTS, PREFILTER_32 + 1);
	tcase_add_test(c, prefilter_refuses);
	tcase_add_loop_test(c, automaton_as_one_by_one, 0, 4);
	tcase_add_test(c, automaton_all_bytes);
	tcase_add_test(c, automaton_beyond_rows);
	tcase_add_test(c, automaton_worst_case);
	tcase_add_test(c, automaton_limit);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
