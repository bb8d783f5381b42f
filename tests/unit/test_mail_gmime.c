/* test_mail_gmime.c - our addresses and encoded words are those of GMime
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Inputs are made of pieces, then damaged at random (fixed seed).  Where the
 * two differ, a row of the table below must say why we are content; a
 * difference that no row covers fails the test. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include <gmime/gmime.h>

#include "base/utf8.h"
#include "mail/message.h"

enum { INPUTS = 15000 };        /* for each of 0, 1 and 2 damages */

struct tolerance {
	const char *why;
	bool (*applies)(struct str input, struct str ours, struct str theirs);
};

static uint32_t
next_random(uint32_t *seed, uint32_t n)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % n;
}

/* One byte is replaced, removed or added. */
static void
damage(struct buf *b, uint32_t *seed, const char *with)
{
	uint32_t at = b->len ? next_random(seed, (uint32_t)b->len) : 0;
	char c = with[next_random(seed, (uint32_t)strlen(with))];

	if (!b->len)
		return;
	switch (next_random(seed, 3)) {
	case 0:
		b->s[at] = c;
		break;
	case 1:
		memmove(b->s + at, b->s + at + 1, b->len - at - 1);
		b->len--;
		break;
	default:
		buf_putc(b, ' ');
		memmove(b->s + at + 1, b->s + at, b->len - at - 1);
		b->s[at] = c;
	}
}

static bool
has(struct str v, const char *what)
{
	return str_find(v, str_from(what)) >= 0;
}

static bool
has_any(struct str v, const char *bytes)
{
	for (size_t i = 0; i < v.len; i++)
		if (strchr(bytes, v.s[i]))
			return true;
	return false;
}

/* --- addresses: outcomes are "a@b|c@d|" */

static const char *const address_pieces[] = {
	"joe@example.org", "Joe <joe@example.org>", "\"Doe, J\" <j.d@example.org>", "J. Doe <j@example.org>",
	"=?utf-8?Q?J=C3=B6?= <j@example.org>", "a@b (c)", "(c (d)) a@b", "Group: a@b, Joe <c@d>;", "G:;",
	"\"q r\"@example.org", "a.b+c=d@e.f", "x@[192.0.2.1]", "<a@b>", "<@r1,@r2:a@b>", "J\xc3\xb6 <j@x>",
	"joe @ example . org", "a . b@c", "\"a\\\"b\" <c@d>", "joe", "Joe Doe", "<>", "a@b.", "J <a@b> (x)", "J\r\n <a@b>",
	"'x' <a@b>", "a@b <c@d>", "\"\" <a@b>", "a@b c@d", "a/b@c", "j@\xc3\xa4.org", "a..b@c", "J [x] <a@b>", "a@b; c@d",
};

/* are all of inner's addresses in outer, in that order? */
static bool
is_within(struct str inner, struct str outer)
{
	while (inner.len) {
		size_t n = (size_t)str_find(inner, STR("|")), k;

		for (;; outer = str_sub(outer, k + 1, outer.len)) {
			if (!outer.len)
				return false;
			k = (size_t)str_find(outer, STR("|"));
			if (str_eq(str_sub(inner, 0, n), str_sub(outer, 0, k)))
				break;
		}
		inner = str_sub(inner, n + 1, inner.len);
		outer = str_sub(outer, k + 1, outer.len);
	}
	return true;
}

static bool
odd_dots(struct str input, struct str ours, struct str theirs)
{
	(void)input;
	return (has(ours, "..") || has(ours, ".@") || has(ours, "|.") || str_starts(ours, STR(".")))
	       && is_within(theirs, ours);
}

/* between a comma and "<" */
static bool
specials_in_name(struct str input, struct str ours, struct str theirs)
{
	size_t start = 0;

	(void)ours;
	(void)theirs;
	for (size_t i = 0; i < input.len; i++) {
		if (input.s[i] == ',')
			start = i;
		else if (input.s[i] == '<' && has_any(str_sub(input, start, i), "[])@\\=."))
			return true;
	}
	return false;
}

static bool
semicolon(struct str input, struct str ours, struct str theirs)
{
	(void)ours;
	(void)theirs;
	return has(input, ";");
}

static bool
open_quote_or_comment(struct str input, struct str ours, struct str theirs)
{
	size_t quotes = 0, opened = 0, closed = 0;

	for (size_t i = 0; i < input.len; i++) {
		quotes += input.s[i] == '"';
		opened += input.s[i] == '(';
		closed += input.s[i] == ')';
	}
	(void)ours;
	(void)theirs;
	return quotes % 2 || opened != closed || has_any(input, "\\") || has(input, "\"\"");
}

/* an angle without its pair, or with something odd in it */
static bool
broken_angle(struct str input, struct str ours, struct str theirs)
{
	const char *open = memchr(input.s, '<', input.len), *close = memchr(input.s, '>', input.len);

	return (open || close) && is_within(theirs, ours);
}

static bool
not_utf8(struct str input, struct str ours, struct str theirs)
{
	return utf8_check(input) >= 0 && is_within(theirs, ours);
}

/* more than one "@", or words, where a "," should be */
static bool
missing_comma(struct str input, struct str ours, struct str theirs)
{
	return is_within(ours, theirs) && has_any(input, "<@ ");
}

static bool
colon(struct str input, struct str ours, struct str theirs)
{
	(void)ours;
	(void)theirs;
	return has(input, ":");
}

static bool
odd_literal(struct str input, struct str ours, struct str theirs)
{
	(void)ours;
	(void)theirs;
	return has(input, "[") && has(input, "@");
}

static const struct tolerance address_tolerances[] = {
	{ "local parts with dots at odd places are addresses for us: they exist", odd_dots },
	{ "anything may stand in an unquoted name before \"<\"", specials_in_name },
	{ "what GMime alone finds has no comma before or after it", missing_comma },
	{ "\";\" separates for us outside of groups, too", semicolon },
	{ "an open quote or comment ends at different places", open_quote_or_comment },
	{ "GMime finds nothing more after a broken \"<...>\"; we go on at the comma", broken_angle },
	{ "GMime refuses domains that are not UTF-8", not_utf8 },
	{ "a colon after something that is no name", colon },
	{ "blanks and quotes in domain literals", odd_literal },
};

static void
make_addresses(struct buf *b, uint32_t *seed, int damages)
{
	uint32_t n = 1 + next_random(seed, 3);

	for (uint32_t i = 0; i < n; i++) {
		if (i)
			buf_puts(b, ", ");
		buf_puts(b, address_pieces[next_random(seed, sizeof address_pieces / sizeof *address_pieces)]);
	}
	while (damages--)
		damage(b, seed, "<>@,;:\"().[]\\ \t=?a");
}

static void
their_addresses(struct buf *b, InternetAddressList *list)
{
	for (int i = 0; list && i < internet_address_list_length(list); i++) {
		InternetAddress *one = internet_address_list_get_address(list, i);
		const char *s;

		if (INTERNET_ADDRESS_IS_GROUP(one)) {
			their_addresses(b, internet_address_group_get_members(INTERNET_ADDRESS_GROUP(one)));
			continue;
		}
		s = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(one));
		if (!s || !strchr(s, '@'))
			continue;
		for (; *s; s++) {
			if (*s == '\\' && s[1])
				buf_putc(b, *++s);
			else if (*s != '"')
				buf_putc(b, *s);
		}
		buf_putc(b, '|');
	}
}

static void
compare_addresses(struct str input, struct buf *ours, struct buf *theirs)
{
	struct arena a = { 0 };
	InternetAddressList *list = internet_address_list_parse(NULL, input.s);
	struct mail_address *v;
	int n = address_parse(&a, input, &v);

	for (int i = 0; i < n; i++) {
		if (!v[i].valid)
			continue;
		buf_add(ours, v[i].all.v);
		buf_putc(ours, '|');
	}
	their_addresses(theirs, list);
	if (list)
		g_object_unref(list);
	arena_done(&a);
}

/* --- encoded words */

static const char *const word_pieces[] = {
	"=?utf-8?Q?caf=C3=A9?=", "=?utf-8?B?Y2Fmw6k=?=", "=?iso-8859-1?q?caf=E9_x?=", "=?koi8-r?B?8NLJ18XU?=",
	"=?gb2312?B?xOO6ww==?=", "=?iso-2022-jp?B?GyRCJUYlOSVIGyhC?=", "=?utf-8?Q?=C3?=", "=?utf-8?Q?=A9?=",
	"=?utf-8?B?w6M?=", "=?us-ascii?Q?x_y?=", " ", " ", "\t", " plain ", "text", "(", ")", "\"", " =? ", "?=",
	"=?utf-8?q?" "?=", "=?us-ascii*en?Q?hi?=", "=?windows-1251?Q?=CF=F0?=", "=?big5?B?p0GmbQ==?=",
	"=?euc-kr?B?vsiz5w==?=", "=?shift_jis?B?g2WDWINn?=", "\xc3\xa9",
};

static bool
word_stayed(struct str input, struct str ours, struct str theirs)
{
	(void)input;
	(void)theirs;
	return has(ours, "=?");
}

static bool
theirs_stayed(struct str input, struct str ours, struct str theirs)
{
	(void)input;
	return has(theirs, "=?") && !has(ours, "=?");
}

static bool
raw_bytes(struct str input, struct str ours, struct str theirs)
{
	(void)ours;
	(void)theirs;
	return utf8_check(input) >= 0;
}

/* A "B" word that is not in whole groups of four: "=?x?B?YQ?=" */
static bool
short_base64(struct str input, struct str ours, struct str theirs)
{
	(void)ours;
	(void)theirs;
	for (size_t i = 3; i < input.len; i++) {
		size_t digits = 0;

		if (!str_ieq(str_sub(input, i - 3, i), STR("?b?")))
			continue;
		while (i < input.len && input.s[i] != '?')
			digits += input.s[i++] != ' ';
		if (digits % 4)
			return true;
	}
	return false;
}

static bool
padding_inside(struct str input, struct str ours, struct str theirs)
{
	return has(input, "=?=") && ours.len > theirs.len;
}

static size_t
count(struct str v, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < v.len; i++)
		n += v.s[i] == c;
	return n;
}

static bool
more_than_the_label(struct str input, struct str ours, struct str theirs)
{
	return count(theirs, '?') > count(ours, '?') || has(input, "=?shift_jis") || has(input, "=?iso-8859-1");
}

static bool
bad_escape(struct str input, struct str ours, struct str theirs)
{
	return has(input, "?Q?") && has(ours, "=") && ours.len > theirs.len;
}

static const struct tolerance word_tolerances[] = {
	{ "a broken word stays as it is; GMime guesses a charset or writes \"?\"", word_stayed },
	{ "GMime leaves a word behind a broken one or an empty one undecoded", theirs_stayed },
	{ "raw bytes that are not UTF-8 stay; GMime takes them for Latin 1", raw_bytes },
	{ "GMime drops what a group of less than four digits carries", short_base64 },
	{ "GB 18030, CP949, CP932, CP1252 and UTF-8 are read where less is declared", more_than_the_label },
	{ "a \"=\" that starts no escape stays; GMime drops it", bad_escape },
	{ "GMime drops the second of two words of one charset, the first of which was padded", padding_inside },
};

static void
make_words(struct buf *b, uint32_t *seed, int damages)
{
	uint32_t n = 1 + next_random(seed, 4);

	for (uint32_t i = 0; i < n; i++) {
		if (i && next_random(seed, 2))
			buf_putc(b, ' ');
		buf_puts(b, word_pieces[next_random(seed, sizeof word_pieces / sizeof *word_pieces)]);
	}
	while (damages--)
		damage(b, seed, "=?_ QBqb-8utf(\"*");
}

static void
compare_words(struct str input, struct buf *ours, struct buf *theirs)
{
	struct arena a = { 0 };
	/* blanks at the ends are no field's value */
	struct str v = arena_str(&a, str_trim(input));
	char *text = g_mime_utils_header_decode_text(NULL, v.s);

	buf_add(ours, header_decode(&a, v));
	buf_puts(theirs, text);
	g_free(text);
	arena_done(&a);
}

/* --- both */

static const struct subject {
	const char *name;
	void (*make)(struct buf *, uint32_t *seed, int damages);
	void (*compare)(struct str input, struct buf *ours, struct buf *theirs);
	const struct tolerance *tolerance;
	size_t n;
	unsigned equal[3];              /* of 100, at least, with 0, 1 and 2 damages */
} subjects[] = {
	{ "addresses", make_addresses, compare_addresses, address_tolerances,
	  sizeof address_tolerances / sizeof *address_tolerances, { 80, 75, 70 } },
	{ "words", make_words, compare_words, word_tolerances,
	  sizeof word_tolerances / sizeof *word_tolerances, { 50, 40, 30 } },
};

static const struct tolerance *
find_tolerance(const struct subject *s, struct str input, struct str ours, struct str theirs)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->tolerance[i].applies(input, ours, theirs))
			return &s->tolerance[i];
	return NULL;
}

static void
report(const struct subject *s, int damages, unsigned equal, const unsigned *counts)
{
	printf("%s, damaged %d times: %u of %d equal\n", s->name, damages, equal, INPUTS);
	for (size_t i = 0; i < s->n; i++)
		if (counts[i])
			printf("%6u  %s\n", counts[i], s->tolerance[i].why);
}

START_TEST(differences)
{
	const struct subject *s = &subjects[_i / 3];
	const int damages = _i % 3;
	unsigned equal = 0, counts[16] = { 0 };
	uint32_t seed = (uint32_t)_i + 1;

	g_mime_init();
	for (int round = 0; round < INPUTS; round++) {
		struct buf input = { 0 }, ours = { 0 }, theirs = { 0 };
		const struct tolerance *t;

		s->make(&input, &seed, damages);
		s->compare(buf_str(&input), &ours, &theirs);
		if (str_eq(buf_str(&ours), buf_str(&theirs))) {
			equal++;
		} else {
			t = find_tolerance(s, buf_str(&input), buf_str(&ours), buf_str(&theirs));
			ck_assert_msg(t, "\"%s\": ours \"%s\", theirs \"%s\"", buf_str(&input).s,
			              buf_str(&ours).s, buf_str(&theirs).s);
			counts[t - s->tolerance]++;
		}
		buf_done(&input);
		buf_done(&ours);
		buf_done(&theirs);
	}
	report(s, damages, equal, counts);
	ck_assert_uint_ge(equal, INPUTS / 100 * s->equal[damages]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("mail/gmime");
	TCase *c = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, differences, 0, 6);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
