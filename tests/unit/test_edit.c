/* test_edit.c - the bytes of edited messages
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "tamis.h"

#define REQUIRE "require [\"editheader\", \"variables\", \"encoded-character\"];\n"

static struct tamis_text
text(const char *s)
{
	return (struct tamis_text){ s, strlen(s) };
}

static int
append(void *ctx, struct tamis_text v)
{
	buf_add(ctx, (struct str){ v.s, v.len });
	return 0;
}

/* Rules that run over a message. */
struct edited {
	struct tamis_program *program;
	struct tamis_message *message;
	struct tamis_recipient *recipient;
	struct tamis_outcome *outcome;
	enum tamis_status status;
};

static void
count_report(void *ctx, const struct tamis_diagnostic *d)
{
	*(int *)ctx += d->severity == TAMIS_ERROR;
}

static struct edited
edit(const char *rules, struct tamis_text header, struct tamis_text body, int *errors)
{
	struct tamis_host host = { .ctx = errors, .report = errors ? count_report : NULL };
	struct edited e = { .program = tamis_compile(&host, text("rules"), text(rules), 0), .message = tamis_message_new() };
	static const uint8_t seed[32];

	ck_assert_msg(e.program != NULL, "does not compile:\n%s", rules);
	tamis_message_header(e.message, header);
	tamis_message_body(e.message, body, header.len + body.len);
	e.recipient = tamis_recipient_new(e.message, text("me@example.org"), 0, seed);
	e.outcome = tamis_outcome_new(e.recipient);
	e.status = tamis_run(e.program, e.outcome, TAMIS_BODY, &host);
	return e;
}

static void
edited_done(struct edited *e)
{
	tamis_outcome_free(e->outcome);
	tamis_recipient_free(e->recipient);
	tamis_message_free(e->message);
	tamis_program_unref(e->program);
}

static void
written(const struct edited *e, unsigned version, const char *expected)
{
	struct buf out = { 0 };

	ck_assert_int_eq(tamis_outcome_write(e->outcome, version, append, &out), 0);
	buf_putc(&out, '\0');
	ck_assert_msg(out.len == strlen(expected) + 1, "version %u is %zu bytes:\n%s", version, out.len - 1, out.s);
	ck_assert_str_eq(out.s, expected);
	buf_done(&out);
}

static void
one_edit(const char *rule, const char *header, const char *body, const char *expected)
{
	struct edited e;
	struct buf rules = { 0 };

	buf_printf(&rules, REQUIRE "%s", rule);
	e = edit(buf_str(&rules).s, text(header), text(body), NULL);
	ck_assert_int_eq(e.status, TAMIS_DECIDED);
	written(&e, ~0u, expected);
	edited_done(&e);
	buf_done(&rules);
}

/* --- versions */

START_TEST(each_version_is_what_the_edits_before_it_made)
{
	struct edited e = edit(REQUIRE
		"addheader \"X-Top\" \"1\"; deleteheader \"B\"; addheader :last \"X-End\" \"2\"; addheader \"X-Top\" \"3\";\n"
		"deleteheader :index 2 \"X-Top\"; deleteheader \"none\"; addheader \"B\" \"4\"; deleteheader \"X-End\";",
		text("A: a\nB:  b\n\tb\nC: c\nb : d\n\n"), text("body\n"), NULL);

	ck_assert_int_eq(e.status, TAMIS_DECIDED);
	written(&e, 0, "A: a\nB:  b\n\tb\nC: c\nb : d\n\nbody\n");
	written(&e, 1, "X-Top: 1\nA: a\nB:  b\n\tb\nC: c\nb : d\n\nbody\n");
	written(&e, 2, "X-Top: 1\nA: a\nC: c\n\nbody\n");
	written(&e, 3, "X-Top: 1\nA: a\nC: c\nX-End: 2\n\nbody\n");
	written(&e, 4, "X-Top: 3\nX-Top: 1\nA: a\nC: c\nX-End: 2\n\nbody\n");
	written(&e, 5, "X-Top: 3\nA: a\nC: c\nX-End: 2\n\nbody\n");
	written(&e, 6, "B: 4\nX-Top: 3\nA: a\nC: c\nX-End: 2\n\nbody\n");
	written(&e, 7, "B: 4\nX-Top: 3\nA: a\nC: c\n\nbody\n");
	written(&e, 8, "B: 4\nX-Top: 3\nA: a\nC: c\n\nbody\n");
	edited_done(&e);
}
END_TEST

START_TEST(a_redirect_before_an_edit_sends_the_old_header)
{
	struct edited e = edit("require [\"editheader\", \"copy\"]; redirect :copy \"a@example.org\"; addheader \"X\" \"1\";\n"
	                       "redirect :copy \"b@example.org\"; deleteheader \"X\";", text("A: a\n\n"), text(""), NULL);
	const struct tamis_effect *f = NULL;
	static const unsigned version[] = { 0, 0, 1, 1, 2 };
	unsigned i = 0;

	while ((f = tamis_outcome_next(e.outcome, f)))
		ck_assert_uint_eq(f->version, version[i++]);
	ck_assert_uint_eq(i, 5);
	written(&e, 0, "A: a\n\n");
	written(&e, 1, "X: 1\nA: a\n\n");
	written(&e, 2, "A: a\n\n");
	edited_done(&e);
}
END_TEST

START_TEST(a_refusal_and_a_keep_after_an_error_are_of_the_original)
{
	struct edited e = edit("require [\"editheader\", \"reject\"]; addheader \"X\" \"1\"; reject \"no\";", text("A: a\n\n"), text("b"), NULL);
	const struct tamis_effect *f;
	int errors = 0;

	f = tamis_outcome_next(e.outcome, tamis_outcome_next(e.outcome, NULL));
	ck_assert_int_eq(f->kind, TAMIS_REJECT);
	ck_assert_uint_eq(f->version, 0);
	edited_done(&e);
	e = edit(REQUIRE "set \"n\" \"X Y\"; addheader \"X\" \"1\"; deleteheader \"A\"; addheader \"${n}\" \"1\";", text("A: a\n\n"),
	         text("b"), &errors);
	ck_assert_int_eq(e.status, TAMIS_FAILED);
	ck_assert_int_eq(errors, 1);
	f = tamis_outcome_next(e.outcome, NULL);
	ck_assert_int_eq(f->kind, TAMIS_KEEP);
	ck_assert_uint_eq(f->version, 0);
	written(&e, f->version, "A: a\n\nb");
	written(&e, ~0u, "A: a\n\nb");
	edited_done(&e);
}
END_TEST

START_TEST(a_failed_script_leaves_the_edits_of_the_one_before)
{
	struct edited e = edit(REQUIRE "addheader \"X\" \"1\"; deleteheader :index 1 \"A\";", text("A: a\nA: b\n\n"), text(""), NULL);
	const char *bad = REQUIRE "set \"n\" \"X Y\"; addheader \"X\" \"2\"; deleteheader \"A\"; deleteheader \"X\"; addheader \"${n}\" \"\";";
	struct tamis_program *p = tamis_compile(NULL, text("bad"), text(bad), 0), *more;

	ck_assert_int_eq(tamis_run(p, e.outcome, TAMIS_BODY, NULL), TAMIS_FAILED);
	written(&e, ~0u, "X: 1\nA: b\n\n");
	more = tamis_compile(NULL, text("more"), text(REQUIRE "addheader :last \"A\" \"c\"; deleteheader :index 1 \"A\";"), 0);
	ck_assert_int_eq(tamis_run(more, e.outcome, TAMIS_BODY, NULL), TAMIS_DECIDED);
	written(&e, 2, "X: 1\nA: b\n\n");
	written(&e, 3, "X: 1\nA: b\nA: c\n\n");
	written(&e, 4, "X: 1\nA: c\n\n");
	tamis_program_unref(p);
	tamis_program_unref(more);
	edited_done(&e);
}
END_TEST

START_TEST(another_message_is_unedited)
{
	struct edited e = edit(REQUIRE "addheader \"X\" \"1\";", text("A: a\n\n"), text(""), NULL);
	struct tamis_message *m = tamis_message_new();
	struct tamis_recipient *r = tamis_recipient_new(m, text("me@example.org"), 0, NULL);

	tamis_message_header(m, text("B: b\n\n"));
	tamis_outcome_switch(e.outcome, r);
	written(&e, ~0u, "B: b\n\n");
	ck_assert_int_eq(tamis_run(e.program, e.outcome, TAMIS_HEADER, NULL), TAMIS_DECIDED);
	written(&e, 1, "X: 1\nB: b\n\n");
	tamis_outcome_switch(e.outcome, e.recipient);
	tamis_recipient_free(r);
	tamis_message_free(m);
	edited_done(&e);
}
END_TEST

/* --- places */

START_TEST(odd_headers)
{
	/* line ends are those of the message */
	one_edit("addheader \"X\" \"1\"; addheader :last \"Y\" \"2\";", "A: a\r\n\r\n", "b\r\n", "X: 1\r\nA: a\r\nY: 2\r\n\r\nb\r\n");
	one_edit("addheader \"X\" \"1\";", "A: a\r\nB: b\n\n", "b\n", "X: 1\r\nA: a\r\nB: b\n\n" "b\n");
	/* no empty line, no line end, nothing at all */
	one_edit("addheader \"X\" \"1\"; addheader :last \"Y\" \"2\";", "A: a\n", "", "X: 1\nA: a\nY: 2\n");
	one_edit("addheader \"X\" \"1\"; addheader :last \"Y\" \"2\";", "A: a\nB: b", "", "X: 1\nA: a\nB: b\nY: 2\n");
	one_edit("addheader \"X\" \"1\"; addheader :last \"Y\" \"2\";", "A: a", "", "X: 1\r\nA: a\r\nY: 2\r\n");
	one_edit("addheader \"X\" \"1\"; addheader :last \"Y\" \"2\";", "", "", "X: 1\r\nY: 2\r\n");
	one_edit("addheader \"X\" \"1\"; addheader :last \"Y\" \"2\";", "\n", "b\n", "X: 1\nY: 2\n\nb\n");
	one_edit("deleteheader \"B\";", "A: a\nB: b", "", "A: a\n");
	one_edit("deleteheader \"A\";", "A: a\n\n", "b\n", "\nb\n");
	/* a body without an empty line before it must not run into the header */
	one_edit("addheader \"X\" \"1\";", "", " folded?\n", "X: 1\n\n folded?\n");
	one_edit("addheader :last \"X\" \"1\";", "A: a\n", "no field\n", "A: a\nX: 1\n\nno field\n");
	one_edit("deleteheader \"A\";", "A: a\nB: b\n", "no field\n", "B: b\nno field\n");
	/* the line of an mbox stays the first */
	one_edit("addheader \"X\" \"1\"; deleteheader \"A\";", "From a@b Mon\nA: a\nB: b\n\n", "", "From a@b Mon\nX: 1\nB: b\n\n");
}
END_TEST

START_TEST(fields_beyond_the_limit_stay)
{
	struct buf header = { 0 }, expected = { 0 };

	for (unsigned i = 0; i < LIMIT_FIELDS + 10; i++)
		buf_puts(&header, i < LIMIT_FIELDS ? "A: a\n" : "B: b\n");
	buf_puts(&header, "\n");
	buf_puts(&expected, "X: 1\nB: b\nB: b\nB: b\nB: b\nB: b\nB: b\nB: b\nB: b\nB: b\nB: b\nY: 2\n\nbody");
	one_edit("addheader \"X\" \"1\"; deleteheader \"A\"; addheader :last \"Y\" \"2\";", buf_str(&header).s, "body", buf_str(&expected).s);
	buf_done(&header);
	buf_done(&expected);
}
END_TEST

/* --- values */

static void
value(const char *v, const char *expected)
{
	struct buf rule = { 0 }, all = { 0 };

	buf_printf(&rule, "addheader \"Subject\" \"%s\";", v);
	buf_printf(&all, "%sA: a\n\n", expected);
	one_edit(buf_str(&rule).s, "A: a\n\n", "", buf_str(&all).s);
	buf_done(&rule);
	buf_done(&all);
}

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define THOUSAND HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED

START_TEST(values_are_folded)
{
	value("", "Subject:\n");
	value("  blanks around  ", "Subject: blanks around\n");
	value("one  two\tthree", "Subject: one  two\tthree\n");
	value("folded\n already", "Subject: folded already\n");
	/* 78 columns, and 79 */
	value(TEN TEN TEN TEN TEN TEN " 12345678", "Subject: " TEN TEN TEN TEN TEN TEN " 12345678\n");
	value(TEN TEN TEN TEN TEN TEN " 123456789", "Subject: " TEN TEN TEN TEN TEN TEN "\n 123456789\n");
	value(TEN TEN TEN TEN TEN TEN "  \t123456789 x", "Subject: " TEN TEN TEN TEN TEN TEN "\n  \t123456789 x\n");
	/* what cannot be folded may be longer, but not than a line can be */
	value(HUNDRED, "Subject: " HUNDRED "\n");
	value("a " HUNDRED " b", "Subject: a\n " HUNDRED "\n b\n");
	value(HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN "0123456",
	      "Subject:\n " HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN "0123456\n");
}
END_TEST

START_TEST(values_are_encoded)
{
	value("Grüße", "Subject: =?utf-8?B?R3LDvMOfZQ==?=\n");
	value("an Grüße für alle", "Subject: an =?utf-8?B?R3LDvMOfZSBmw7xy?= alle\n");
	value("Müller <m@example.org>", "Subject: =?utf-8?B?TcO8bGxlcg==?= <m@example.org>\n");
	value("\\\"Müller, M.\\\" <m@example.org>", "Subject: =?utf-8?B?Ik3DvGxsZXIsIE0uIg==?= <m@example.org>\n");
	value("5\\\" und ä", "Subject: 5\" und =?utf-8?B?w6Q=?=\n");
	/* what is no encoded word must not become one, what is one stays */
	value("=?utf-8?q?=C3=A4?= x", "Subject: =?utf-8?q?=C3=A4?= x\n");
	value("=?utf-8?q?=C3=A4?= ö", "Subject: =?utf-8?B?w6Qgw7Y=?=\n");
	value("=?x?= ö", "Subject: =?utf-8?B?PT94Pz0gw7Y=?=\n");
	/* lines of 76, no character cut */
	value("ääääääääääääääääääääääääääääääää",
	      "Subject: =?utf-8?B?w6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6Q=?=\n"
	      " =?utf-8?B?w6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6Q=?=\n");
	/* U+FFFD for what is no UTF-8 */
	value("a${hex:e4}b", "Subject: =?utf-8?B?Ye+/vWI=?=\n");
}
END_TEST

static void
lines_fit(const char *line)
{
	for (const char *end; (end = strchr(line, '\n')); line = end + 1)
		ck_assert_int_le(end - line, strstr(line, "=?") && strstr(line, "=?") < end ? 76 : 998);
}

/* Of any value the lines are as long as they may be, and read again it is the same. */
static void
read_again(const char *v, const char *name)
{
	struct buf rules = { 0 }, out = { 0 }, again = { 0 };
	struct edited e, f;

	buf_printf(&rules, REQUIRE "addheader \"%s\" \"%s\";", name, v);
	e = edit(buf_str(&rules).s, text("A: a\n\n"), text(""), NULL);
	ck_assert_int_eq(tamis_outcome_write(e.outcome, 1, append, &out), 0);
	lines_fit(buf_str(&out).s);
	buf_printf(&again, "require \"fileinto\"; if header :comparator \"i;octet\" \"%s\" \"%s\" { fileinto \"same\"; }", name, v);
	f = edit(buf_str(&again).s, (struct tamis_text){ out.s, out.len }, text(""), NULL);
	ck_assert_msg(tamis_outcome_next(f.outcome, NULL)->kind == TAMIS_FILE, "another value:\n%s\n%s", v, out.s);
	edited_done(&e);
	edited_done(&f);
	buf_done(&rules);
	buf_done(&out);
	buf_done(&again);
}

START_TEST(what_is_written_is_read_again)
{
	struct buf v = { 0 }, name = { 0 };

	read_again(THOUSAND, "X");
	read_again("a " THOUSAND " b", "X");
	read_again("a  " HUNDRED "   " HUNDRED " ä  ö u  ü ß " HUNDRED, "X");
	for (int i = 0; i < 990; i++)
		buf_putc(&name, 'n');
	read_again("value", buf_str(&name).s);
	read_again("änderung und wörter", buf_str(&name).s);
	for (int i = 0; i < LIMIT_FIELD_VALUE / 3; i++)
		buf_puts(&v, "\xe2\x82\xac");
	read_again(buf_str(&v).s, "X");
	buf_done(&v);
	buf_done(&name);
}
END_TEST

/* Wherever a word stands, and with however many blanks before it. */
START_TEST(blanks_make_no_line_too_long)
{
	struct buf rules = { 0 }, out = { 0 };
	struct edited e;

	for (int n = 1; n < 100; n++) {
		buf_reset(&rules);
		buf_printf(&rules, REQUIRE "addheader \"X\" \"%.*s %s\"; addheader \"X\" \"x%*s%.*s%d\"; addheader \"X\" \"x%*s%s\";",
		           n, HUNDRED, "ää", n, "", 996, THOUSAND, 7, n, "", "ä");
		e = edit(buf_str(&rules).s, text("A: a\n\n"), text(""), NULL);
		buf_reset(&out);
		ck_assert_int_eq(tamis_outcome_write(e.outcome, 3, append, &out), 0);
		lines_fit(buf_str(&out).s);
		edited_done(&e);
	}
	buf_done(&rules);
	buf_done(&out);
}
END_TEST

/* --- limits */

START_TEST(limits_are_reached)
{
	struct tamis_limits limits = tamis_limits_default;
	struct buf rules = { 0 };
	struct edited e;
	struct tamis_host host = { .limits = &limits, .report = count_report };
	int errors = 0;

	host.ctx = &errors;
	buf_puts(&rules, REQUIRE "addheader \"X\" \"" THOUSAND THOUSAND "0123456789012345678901234567890123456789" "01234567\";");
	e = edit(buf_str(&rules).s, text("A: a\n\n"), text(""), NULL);
	ck_assert_int_eq(e.status, TAMIS_DECIDED);
	edited_done(&e);
	buf_reset(&rules);
	buf_puts(&rules, REQUIRE "addheader \"X\" \"" THOUSAND THOUSAND "0123456789012345678901234567890123456789" "012345678\";");
	ck_assert_ptr_null(tamis_compile(&host, text("rules"), text(buf_str(&rules).s), 0));
	ck_assert_int_eq(errors, 1);
	buf_reset(&rules);
	buf_puts(&rules, REQUIRE "addheader \"");
	for (int i = 0; i < LIMIT_FIELD_NAME + 1; i++)
		buf_putc(&rules, 'n');
	buf_puts(&rules, "\" \"\";");
	ck_assert_ptr_null(tamis_compile(&host, text("rules"), text(buf_str(&rules).s), 0));
	ck_assert_int_eq(errors, 2);
	/* whatever the host says, 998 bytes are good (RFC 5293 4) */
	limits.field_value = 1;
	for (int more = 0; more < 2; more++) {
		struct tamis_program *p;

		buf_reset(&rules);
		buf_puts(&rules, REQUIRE "addheader \"X\" \"");
		for (int i = 0; i < LIMIT_FIELD_VALUE_LEAST + more; i++)
			buf_putc(&rules, 'v');
		buf_puts(&rules, "\";");
		p = tamis_compile(&host, text("rules"), text(buf_str(&rules).s), 0);
		ck_assert_int_eq(p == NULL, more);
		tamis_program_unref(p);
	}
	/* so many edits, and one more */
	for (int more = 0; more < 2; more++) {
		buf_reset(&rules);
		buf_puts(&rules, REQUIRE);
		for (int i = 0; i < LIMIT_EDITS / 2; i++)
			buf_puts(&rules, "addheader \"X\" \"1\"; deleteheader \"X\"; deleteheader \"X\";\n");
		buf_puts(&rules, more ? "addheader \"X\" \"1\";" : "");
		errors = 0;
		e = edit(buf_str(&rules).s, text("A: a\n\n"), text(""), &errors);
		ck_assert_int_eq(e.status, more ? TAMIS_FAILED : TAMIS_DECIDED);
		ck_assert_int_eq(errors, more);
		written(&e, ~0u, "A: a\n\n");
		edited_done(&e);
	}
	buf_done(&rules);
}
END_TEST

/* --- at random, against a list of lines */

enum { LINES = 64, EDITS = 20, LINE_BYTES = 16 };

struct lines {
	char line[LINES][LINE_BYTES];
	unsigned n;
};

static uint64_t random_state = 88172645463325252u;

static unsigned
random_below(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)((random_state >> 11) % n);
}

static void
lines_add(struct lines *l, unsigned at, char name, char v)
{
	memmove(l->line[at + 1], l->line[at], (l->n - at) * LINE_BYTES);
	snprintf(l->line[at], LINE_BYTES, "%c: %c\n", name, v);
	l->n++;
}

/* false: nothing there */
static bool
lines_delete(struct lines *l, char name, unsigned index, bool last, char v)
{
	unsigned total = 0, nth = 0, kept = 0, before = l->n;

	for (unsigned i = 0; i < l->n; i++)
		total += l->line[i][0] == name;
	for (unsigned i = 0; i < l->n; i++) {
		bool gone = l->line[i][0] == name;

		if (gone)
			nth++;
		gone = gone && (!index || index == (last ? total - nth + 1 : nth)) && (!v || l->line[i][3] == v);
		if (!gone)
			memmove(l->line[kept++], l->line[i], LINE_BYTES);
	}
	l->n = kept;
	return kept < before;
}

static void
lines_text(const struct lines *l, struct buf *out)
{
	buf_reset(out);
	for (unsigned i = 0; i < l->n; i++)
		buf_puts(out, l->line[i]);
	buf_puts(out, "\nbody\n");
}

/* One random edit as a rule and of the lines: did it do anything? */
static bool
random_edit(struct lines *l, struct buf *rules)
{
	char name = "ABC"[random_below(3)], v = "123"[random_below(3)];
	bool last = random_below(2);

	if (random_below(2)) {
		buf_printf(rules, "addheader %s\"%c\" \"%c\";\n", last ? ":last " : "", name, v);
		lines_add(l, last ? l->n : 0, name, v);
		return true;
	} else {
		unsigned index = random_below(4);
		bool by_value = random_below(2);

		buf_puts(rules, "deleteheader ");
		if (index)
			buf_printf(rules, ":index %u %s", index, last ? ":last " : "");
		buf_printf(rules, by_value ? "\"%c\" \"%c\";\n" : "\"%c\";\n", name, v);
		return lines_delete(l, name, index, last, by_value ? v : '\0');
	}
}

START_TEST(edits_at_random)
{
	struct lines *version = calloc(EDITS + 1, sizeof *version);
	struct buf rules = { 0 }, header = { 0 }, expected = { 0 };

	for (int i = 0; i < 3000; i++) {
		struct lines now = { .n = 0 };
		struct edited e;
		unsigned n = 0;

		for (unsigned k = random_below(8); k > 0; k--)
			lines_add(&now, now.n, "ABC"[random_below(3)], "123"[random_below(3)]);
		version[0] = now;
		lines_text(&now, &header);
		buf_reset(&rules);
		buf_puts(&rules, REQUIRE);
		for (unsigned k = random_below(EDITS); k > 0; k--)
			if (random_edit(&now, &rules))
				version[++n] = now;
		e = edit(buf_str(&rules).s, (struct tamis_text){ header.s, header.len - 5 }, text("body\n"), NULL);
		ck_assert_int_eq(e.status, TAMIS_DECIDED);
		for (unsigned k = 0; k <= n; k++) {
			lines_text(&version[k], &expected);
			written(&e, k, buf_str(&expected).s);
		}
		edited_done(&e);
	}
	free(version);
	buf_done(&rules);
	buf_done(&header);
	buf_done(&expected);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("edit");
	TCase *tcase = tcase_create("edit");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, each_version_is_what_the_edits_before_it_made);
	tcase_add_test(tcase, a_redirect_before_an_edit_sends_the_old_header);
	tcase_add_test(tcase, a_refusal_and_a_keep_after_an_error_are_of_the_original);
	tcase_add_test(tcase, a_failed_script_leaves_the_edits_of_the_one_before);
	tcase_add_test(tcase, another_message_is_unedited);
	tcase_add_test(tcase, odd_headers);
	tcase_add_test(tcase, fields_beyond_the_limit_stay);
	tcase_add_test(tcase, values_are_folded);
	tcase_add_test(tcase, values_are_encoded);
	tcase_add_test(tcase, what_is_written_is_read_again);
	tcase_add_test(tcase, blanks_make_no_line_too_long);
	tcase_add_test(tcase, limits_are_reached);
	tcase_add_test(tcase, edits_at_random);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
