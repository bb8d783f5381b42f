/* prefilter.c - where in a long text might one of a few strings begin?
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Two ways.  Where the processor can look up 16 bytes at once (Intel's
 * "Teddy"): the keys are in eight groups, one bit each.  For each of the first
 * bytes of a key there is a table of the groups that have a certain low half
 * there, and one for the high half.  The lookups of all bytes and halves,
 * and'ed, leave the groups that may begin at each place.  Where one is left, a
 * bit set of hashes tells whether some key begins with exactly these bytes.
 *
 * Elsewhere a table of shifts (Wu and Manber, blocks of two bytes): the last
 * two bytes of a window as long as the shortest key say how far it may move. */
#include "base/prefilter.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define PREFILTER_X86 1
#else
#define PREFILTER_X86 0
#endif

enum {
	GROUPS = 8,
	PRINT = 4,              /* bytes of a key that are looked at */
	LEAST = 2,              /* bytes of the shortest key */
	PRINT_BITS = 12,        /* of its hash */
	SHIFTS = 1 << 12,
	WINDOW = 255,           /* bytes, at most */
};

struct prefilter {
	size_t window;          /* bytes of the shortest key, or WINDOW */
	enum prefilter_way way;
	unsigned char *shifts;
	unsigned char low[PRINT][16], high[PRINT][16];
	uint32_t print_mask;    /* of the bytes that all keys have */
	uint64_t prints[(1 << PRINT_BITS) / 64];
};

static enum prefilter_way
way_here(void)
{
#if PREFILTER_X86
	if (__builtin_cpu_supports("avx2"))
		return PREFILTER_32;
	if (__builtin_cpu_supports("ssse3"))
		return PREFILTER_16;
#endif
	return PREFILTER_SHIFTS;
}

static uint32_t
print_hash(const struct prefilter *f, const char *p)
{
	uint32_t print;

	memcpy(&print, p, sizeof print);
	return (print & f->print_mask) * 0x9e3779b1u >> (32 - PRINT_BITS);
}

static void
tables_init(struct prefilter *f, const struct str *keys, size_t n)
{
	memset(&f->print_mask, 0xff, f->window < PRINT ? f->window : PRINT);
	for (size_t i = 0; i < n; i++) {
		unsigned char group = (unsigned char)(1u << i * GROUPS / n);
		char print[PRINT] = { 0 };
		uint32_t hash;

		memcpy(print, keys[i].s, keys[i].len < PRINT ? keys[i].len : PRINT);
		hash = print_hash(f, print);
		f->prints[hash / 64] |= (uint64_t)1 << hash % 64;

		for (size_t k = 0; k < PRINT; k++) {
			unsigned char c = k < keys[i].len ? (unsigned char)keys[i].s[k] : 0;

			for (unsigned half = 0; half < 16; half++) {
				/* behind the end of a key anything goes */
				if (k >= keys[i].len || half == (c & 15u))
					f->low[k][half] |= group;
				if (k >= keys[i].len || half == c >> 4)
					f->high[k][half] |= group;
			}
		}
	}
}

static uint32_t
shift_hash(const char *p)
{
	uint32_t block = (uint32_t)(unsigned char)p[0] | (uint32_t)(unsigned char)p[1] << 8;

	return (block ^ block >> 4) & (SHIFTS - 1);
}

/* How far the window may move when these are its last two bytes: to the
 * nearest place where a key has them, or beyond. */
static void
shifts_init(struct prefilter *f, const struct str *keys, size_t n)
{
	memset(f->shifts, (int)f->window - 1, SHIFTS);
	for (size_t i = 0; i < n; i++) {
		for (size_t end = 2; end <= f->window; end++) {
			unsigned char *shift = &f->shifts[shift_hash(keys[i].s + end - 2)];

			if (*shift > f->window - end)
				*shift = (unsigned char)(f->window - end);
		}
	}
}

struct prefilter *
prefilter_new(struct arena *a, const struct str *keys, size_t n, enum prefilter_way way)
{
	struct prefilter *f;
	size_t window = WINDOW;

	for (size_t i = 0; i < n; i++)
		if (keys[i].len < window)
			window = keys[i].len;
	if (!n || n > PREFILTER_KEYS || window < LEAST)
		return NULL;
	f = ARENA_NEW(a, struct prefilter);
	f->window = window;
	f->way = way < way_here() ? way : way_here();
	if (f->way == PREFILTER_SHIFTS) {
		f->shifts = arena_alloc(a, SHIFTS);
		shifts_init(f, keys, n);
	} else {
		tables_init(f, keys, n);
	}
	return f;
}

static size_t
next_by_shifts(const struct prefilter *f, struct str v, size_t at)
{
	while (f->window <= v.len - at) {
		size_t n = f->shifts[shift_hash(v.s + at + f->window - 2)];

		if (!n)
			return at;
		at += n;
	}
	return v.len;
}

#if PREFILTER_X86
/* The first of `places` (a bit each, from s on) where a key may begin; none: 32. */
static inline size_t
first_place(const struct prefilter *f, const char *s, uint32_t places)
{
	for (; places; places &= places - 1) {
		size_t place = (size_t)__builtin_ctz(places);
		uint32_t hash = print_hash(f, s + place);

		if (f->prints[hash / 64] >> hash % 64 & 1)
			return place;
	}
	return 32;
}

__attribute__((target("avx2"))) static size_t
next_by_32(const struct prefilter *f, struct str v, size_t at)
{
	const __m256i half = _mm256_set1_epi8(15), none = _mm256_setzero_si256();
	__m256i low[PRINT], high[PRINT];

	for (int k = 0; k < PRINT; k++) {
		low[k] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)f->low[k]));
		high[k] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)f->high[k]));
	}
	for (; v.len - at >= 32 + PRINT - 1; at += 32) {
		__m256i groups = _mm256_set1_epi8(-1);
		size_t place;

		for (int k = 0; k < PRINT; k++) {
			__m256i c = _mm256_loadu_si256((const __m256i *)(v.s + at + k));
			__m256i h = _mm256_and_si256(_mm256_srli_epi16(c, 4), half);

			c = _mm256_shuffle_epi8(low[k], _mm256_and_si256(c, half));
			h = _mm256_shuffle_epi8(high[k], h);
			groups = _mm256_and_si256(groups, _mm256_and_si256(c, h));
		}
		groups = _mm256_cmpeq_epi8(groups, none);
		place = first_place(f, v.s + at, ~(uint32_t)_mm256_movemask_epi8(groups));
		if (place < 32)
			return at + place;
	}
	return at;
}

__attribute__((target("ssse3"))) static size_t
next_by_16(const struct prefilter *f, struct str v, size_t at)
{
	const __m128i half = _mm_set1_epi8(15), none = _mm_setzero_si128();

	for (; v.len - at >= 16 + PRINT - 1; at += 16) {
		__m128i groups = _mm_set1_epi8(-1);
		size_t place;

		for (int k = 0; k < PRINT; k++) {
			__m128i low = _mm_loadu_si128((const __m128i *)f->low[k]);
			__m128i high = _mm_loadu_si128((const __m128i *)f->high[k]);
			__m128i c = _mm_loadu_si128((const __m128i *)(v.s + at + k));
			__m128i h = _mm_and_si128(_mm_srli_epi16(c, 4), half);

			c = _mm_shuffle_epi8(low, _mm_and_si128(c, half));
			groups = _mm_and_si128(groups, _mm_and_si128(c, _mm_shuffle_epi8(high, h)));
		}
		groups = _mm_cmpeq_epi8(groups, none);
		place = first_place(f, v.s + at, 0xffff & ~(uint32_t)_mm_movemask_epi8(groups));
		if (place < 32)
			return at + place;
	}
	return at;
}
#endif

/* In what is left at the end, too short for a block, a key may begin at any
 * place: the caller finds out. */
size_t
prefilter_next(const struct prefilter *f, struct str v, size_t at)
{
	if (f->way == PREFILTER_SHIFTS)
		return next_by_shifts(f, v, at);
#if PREFILTER_X86
	at = f->way == PREFILTER_32 ? next_by_32(f, v, at) : next_by_16(f, v, at);
#endif
	return f->window <= v.len - at ? at : v.len;
}
