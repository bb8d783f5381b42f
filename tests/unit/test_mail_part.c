/* test_mail_part.c - MIME structure, transfer encodings, charsets
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "mail/charset.h"
#include "mail/header.h"
#include "mail/param.h"
#include "mail/transfer.h"

/* type/subtype, then {prologue|epilogue} of a multipart or [text] of a leaf,
 * then (children) */
static void
show(struct buf *b, struct message *m, struct mail_part *part)
{
	buf_printf(b, "%.*s/%.*s", STR_ARG(part->type), STR_ARG(part->subtype));
	if (str_is(part->type, "multipart"))
		buf_printf(b, "{%.*s|%.*s}", STR_ARG(part->prologue), STR_ARG(part->epilogue));
	else if (!part->child)
		buf_printf(b, "[%.*s]", STR_ARG(part_text(m, part, true)->v));
	if (!part->child)
		return;
	buf_putc(b, '(');
	for (part = part->child; part; part = part->next) {
		show(b, m, part);
		if (part->next)
			buf_putc(b, ' ');
	}
	buf_putc(b, ')');
}

static struct mail_part *
parse(struct message *m, struct str raw)
{
	struct str header, body;

	message_init(m);
	message_split(raw, &header, &body);
	message_set_header(m, header);
	message_set_body(m, body, raw.len);
	return message_parts(m);
}

#define TYPE(type) "Content-Type: " type "\n"
#define MIXED(b) TYPE("multipart/mixed; boundary=" b) "\n"

static const struct {
	const char *raw, *shown;
} structures[] = {
	{ "", "text/plain[]" },
	{ "A: b\n\nbody\n", "text/plain[body\n]" },
	{ TYPE("Text/HTML") "\n<b>x</b>", "text/html[x]" },
	{ TYPE("image/png") "\nx", "image/png[x]" },
	/* broken types are text (RFC 2045 5.2) */
	{ TYPE("text") "\nx", "text/plain[x]" },
	{ TYPE("te xt/plain") "\nx", "text/plain[x]" },
	{ TYPE("") "\nx", "text/plain[x]" },
	{ TYPE("/html") "\nx", "text/plain[x]" },
	{ TYPE("t\xc3\xa4xt/html") "\nx", "text/plain[x]" },
	{ TYPE("(c) text / (d)") "\nx", "text/plain[x]" },
	{ TYPE("(c) image/gif (d); x=y") "\nx", "image/gif[x]" },
	{ TYPE("multipart/mixed") "\n--x\n\na\n--x--\n", "text/plain[--x\n\na\n--x--\n]" },
	{ MIXED("\"\"") "x", "text/plain[x]" },
	/* the plain cases */
	{ MIXED("x") "pro\n--x\n\na\n--x\n\nb\n--x--\nepi\n", "multipart/mixed{pro|epi\n}(text/plain[a] text/plain[b])" },
	{ MIXED("x") "--x\n\na\n--x--", "multipart/mixed{|}(text/plain[a])" },
	{ MIXED("\"x y\"") "--x y\n\na\n--x y--\n", "multipart/mixed{|}(text/plain[a])" },
	{ MIXED("x") "--x \t\n\na\n--x-- \r\n", "multipart/mixed{|}(text/plain[a])" },
	{ "Content-Type: multipart/mixed; boundary=x\r\n\r\np\r\n\r\n--x\r\n\r\na\r\n\r\n--x--\r\n\r\ne\r\n",
	  "multipart/mixed{p\r\n|\r\ne\r\n}(text/plain[a\r\n])" },
	/* what is like a delimiter is none */
	{ MIXED("x") "--x\n\n--y\n--xy\n --x\na--x\n--\n-\n--x--\n", "multipart/mixed{|}(text/plain[--y\n--xy\n --x\na--x\n--\n-])" },
	{ MIXED("x") "--x\n\na\n--x-\n--x--y\n", "multipart/mixed{|}(text/plain[a\n--x-\n--x--y\n])" },
	/* empty parts, parts without an empty line, a delimiter in the header */
	{ MIXED("x") "--x\n--x\n\n--x\n\n\n--x--\n", "multipart/mixed{|}(text/plain[] text/plain[] text/plain[])" },
	{ MIXED("x") "--x\nA: b\n--x\nno field\n\na\n--x--\n", "multipart/mixed{|}(text/plain[] text/plain[no field\n\na])" },
	{ MIXED("\"x:y\"") "--x:y\nA: b\n--x:y\n\nz\n--x:y--", "multipart/mixed{|}(text/plain[] text/plain[z])" },
	/* what never ends */
	{ MIXED("x") "p\n--x\n\na\n", "multipart/mixed{p|}(text/plain[a\n])" },
	{ MIXED("x") "only a prologue\n", "multipart/mixed{only a prologue\n|}" },
	{ MIXED("x") "--x--\nepi", "multipart/mixed{|epi}" },
	/* nested */
	{ MIXED("x") "--x\n" MIXED("y") "--y\n\na\n--y--\ne\n--x\n\nb\n--x--\n",
	  "multipart/mixed{|}(multipart/mixed{|e}(text/plain[a]) text/plain[b])" },
	{ MIXED("x") "--x\n" MIXED("y") "--y\n\na\n--x\n\nb\n--x--\n",
	  "multipart/mixed{|}(multipart/mixed{|}(text/plain[a]) text/plain[b])" },
	{ MIXED("x") "--x\n" MIXED("y") "p\n--x--\ne",
	  "multipart/mixed{|e}(multipart/mixed{p|})" },
	/* a boundary that is another one's beginning */
	{ MIXED("x") "--x\n" MIXED("xx") "--xx\n\na\n--xx--\n--x--\n",
	  "multipart/mixed{|}(multipart/mixed{|}(text/plain[a]))" },
	/* the same boundary twice: the inner one's, until it is closed */
	{ MIXED("x") "--x\n" MIXED("x") "--x\n\na\n--x--\n--x\n\nb\n--x--\n",
	  "multipart/mixed{|}(multipart/mixed{|}(text/plain[a]) text/plain[b])" },
	{ MIXED("x") "--x--\n--x\n\na\n--x--\n", "multipart/mixed{|--x\n\na\n--x--\n}" },
	/* messages */
	{ MIXED("x") "--x\n" TYPE("message/rfc822") "\nSubject: s\n\nin\n--x--\n",
	  "multipart/mixed{|}(message/rfc822(text/plain[in]))" },
	{ TYPE("message/rfc822") "\n" TYPE("message/rfc822") "\n" TYPE("text/html") "\n<p>a",
	  "message/rfc822(message/rfc822(text/html[a]))" },
	{ TYPE("message/global") "\nA: b", "message/global(text/plain[])" },
	{ TYPE("message/rfc822") "Content-Transfer-Encoding: base64\n\nQTogYgo=\n", "message/rfc822[A: b\n]" },
	{ TYPE("message/delivery-status") "\nAction: failed\n", "message/delivery-status[Action: failed\n]" },
	{ TYPE("multipart/digest; boundary=x") "\n--x\n\nSubject: s\n\nin\n--x\nContent-Type: text/plain\n\nb\n--x--\n",
	  "multipart/digest{|}(message/rfc822(text/plain[in]) text/plain[b])" },
	/* parameters */
	{ TYPE("multipart/mixed; x=\"; boundary=y\"; BOUNDARY = \"x\\y\" (c)") "\n--xy\n\na\n--xy--",
	  "multipart/mixed{|}(text/plain[a])" },
	{ TYPE("multipart/mixed;\n boundary*0=x;\n boundary*1=y") "\n--xy\n\na\n--xy--", "multipart/mixed{|}(text/plain[a])" },
	{ MIXED("----=_Part/1?=") "------=_Part/1?=\n\na\n------=_Part/1?=--", "multipart/mixed{|}(text/plain[a])" },
};

START_TEST(structure)
{
	struct message m;
	struct buf b = { 0 };

	show(&b, &m, parse(&m, str_from(structures[_i].raw)));
	ck_assert_str_eq(buf_str(&b).s, structures[_i].shown);
	buf_done(&b);
	message_done(&m);
}
END_TEST

/* The example of RFC 5173 5.2: what its "&" lines show, to the byte */
START_TEST(rfc5173_example)
{
	static const char raw[] =
		"From: Whomever\r\nContent-Type: multipart/mixed; boundary=outer\r\n\r\n"
		"This is a multi-part message in MIME format.\r\n\r\n"
		"--outer\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n"
		"This is a nested multi-part message in MIME format.\r\n\r\n"
		"--inner\r\nContent-Type: text/plain; charset=\"us-ascii\"\r\n\r\nHello\r\n\r\n"
		"--inner\r\nContent-Type: text/html; charset=\"us-ascii\"\r\n\r\n<html><body>Hello</body></html>\r\n\r\n"
		"--inner--\r\n\r\nThis is the end of the inner MIME multipart.\r\n\r\n"
		"--outer\r\nContent-Type: message/rfc822\r\n\r\n"
		"From: Someone Else\r\nSubject: hello request\r\n\r\nPlease say Hello\r\n\r\n"
		"--outer--\r\n\r\nThis is the end of the outer MIME multipart.\r\n";
	struct message m;
	struct mail_part *outer = parse(&m, STR(raw)), *inner = outer->child, *nested = inner->next;

	ck_assert(str_is(outer->prologue, "This is a multi-part message in MIME format.\r\n"));
	ck_assert(str_is(outer->epilogue, "\r\nThis is the end of the outer MIME multipart.\r\n"));
	ck_assert(str_is(inner->prologue, "This is a nested multi-part message in MIME format.\r\n"));
	ck_assert(str_is(inner->epilogue, "\r\nThis is the end of the inner MIME multipart.\r\n"));
	ck_assert(str_is(part_text(&m, inner->child, true)->v, "Hello\r\n"));
	ck_assert(str_is(part_text(&m, inner->child->next, false)->v, "<html><body>Hello</body></html>\r\n"));
	ck_assert(str_is(part_text(&m, inner->child->next, true)->v, "Hello"));
	ck_assert(str_is(nested->type, "message"));
	ck_assert(str_is(nested->child->header_raw, "From: Someone Else\r\nSubject: hello request\r\n\r\n"));
	ck_assert(str_is(nested->child->raw, "Please say Hello\r\n"));
	ck_assert(str_is(field_value(&m, &nested->child->field[1])->v, "hello request"));
	/* spans, not copies */
	ck_assert_ptr_eq(inner->prologue.s, strstr(raw, "This is a nested"));
	ck_assert_ptr_eq(message_parts(&m), outer);
	message_done(&m);
}
END_TEST

START_TEST(walk)
{
	struct message m;
	struct mail_part *part = parse(&m, STR(MIXED("x") "--x\n" MIXED("y") "--y\n\n1\n--y\n\n2\n--y--\n--x\n\n3\n--x--\n"));
	struct buf b = { 0 };

	for (; part; part = part_next(part))
		buf_printf(&b, "%c", part->type.s[0]);
	ck_assert_str_eq(buf_str(&b).s, "mmttt");
	buf_done(&b);
	message_done(&m);
}
END_TEST

/* --- content */

#define CTE(name) "Content-Transfer-Encoding: " name "\n"

static const struct {
	const char *raw, *text;
	bool broken;
} contents[] = {
	{ CTE("base64") "\nSGVs\nbG8=\n", "Hello", false },
	{ CTE("BASE64 (c)") "\nSGVsbG8\n", "Hello", false },
	{ CTE("base64") "\nSGVsbG8hI", "Hello!", true },
	{ CTE("base64") "\nSGVs*bG8=", "Hello", true },
	{ CTE("base64") "\nSGk=SGk=", "HiHi", true },
	{ CTE("base64") "\n*** ###", "*** ###", true },
	{ CTE("base64") "\n", "", false },
	{ CTE("quoted-printable") "\na=3Db=\nc  \nd=20\n=", "a=bc\nd \n", false },
	{ CTE("quoted-printable") "\na= \t\r\nb\r\nc", "ab\r\nc", false },
	{ CTE("quoted-printable") "\na=zz=3", "a=zz=3", true },
	{ CTE("quoted-printable") "\n=c3=A9", "\xc3\xa9", false },
	{ CTE("7bit") "\na=3D", "a=3D", false },
	{ CTE("x-none") "\na=3D", "a=3D", true },
	{ CTE("x-uuencode") "\nbegin 644 a\n#0V%T\n`\nend\n", "Cat", false },
	/* charsets */
	{ TYPE("text/plain; charset=utf-8") "\n\xc3\xa9", "\xc3\xa9", false },
	{ TYPE("text/plain; charset=utf-8") "\n\xe9", "\xe9", true },
	{ TYPE("text/plain") "\n\xe9", "\xe9", true },
	{ TYPE("text/plain; charset=iso-8859-1") "\n\xe9\x80", "\xc3\xa9\xe2\x82\xac", false },
	{ TYPE("text/plain; charset=\"koi8-r\"") "\n\xf0", "\xd0\x9f", false },
	{ TYPE("text/plain; charset=none") "\n\xe9", "\xe9", true },
	{ TYPE("text/plain; charset=iso-2022-jp") "\n\x1b$B%F\x1b(B!", "\xe3\x83\x86!", false },
	{ TYPE("text/plain; charset=gb2312") "\n\xc4\xe3\xff.", "\xe4\xbd\xa0\xef\xbf\xbd.", true },
	{ TYPE("text/plain; charset*=us-ascii'en'iso-8859-1") "\n\xe9", "\xc3\xa9", false },
	{ TYPE("text/plain") "\n\xef\xbb\xbfx", "x", false },
	{ TYPE("text/plain; charset=utf-16be") CTE("base64") "\nAGEA6Q==", "a\xc3\xa9", false },
	{ TYPE("text/html") "\n<meta charset=koi8-r>\xf0", "\xd0\x9f", false },
	{ TYPE("text/html; charset=utf-8") "\n<meta charset=koi8-r>\xc3\xa9", "\xc3\xa9", false },
	/* other types are not converted */
	{ TYPE("image/x; charset=iso-8859-1") "\n\xe9", "\xe9", false },
};

START_TEST(content)
{
	struct message m;
	struct mail_part *part = parse(&m, str_from(contents[_i].raw));
	struct str v = part_text(&m, part, true)->v;

	ck_assert_msg(str_is(v, contents[_i].text), "\"%.*s\" is not \"%s\"", STR_ARG(v), contents[_i].text);
	ck_assert_int_eq(part->broken, contents[_i].broken);
	/* once and for all */
	ck_assert_ptr_eq(part_text(&m, part, true)->v.s, v.s);
	message_done(&m);
}
END_TEST

/* A text that is mostly not in its charset is left alone, and quickly so. */
START_TEST(wrong_charset)
{
	struct buf out = { 0 }, in = { 0 };

	while (in.len < 1000000)
		buf_puts(&in, "\xff\xff.");
	ck_assert_int_eq(charset_add(&out, STR("shift_jis"), buf_str(&in), false), CHARSET_UNKNOWN);
	ck_assert_uint_eq(out.len, 0);
	buf_done(&in);
	buf_done(&out);
}
END_TEST

static const struct {
	const char *text, *head, *name, *value;
} params[] = {
	{ "attachment; filename=a.txt", "attachment", "filename", "a.txt" },
	{ "attachment; filename=\"a;\\\"b\".txt", "attachment", "filename", "a;\"b" },
	{ "a;filename = \"x\" ; filename=y", "a", "filename", "x" },
	{ "a; (filename=z) filename=y (w)", "a", "filename", "y" },
	{ "a (b;c) ; filename=y", "a", "filename", "y" },
	{ "a; filename*=utf-8''%c3%a9.txt", "a", "filename", "\xc3\xa9.txt" },
	{ "a; filename*0=\"one \"; filename*1=two", "a", "filename", "one two" },
	{ "a; filename*0*=utf-8''%c3; filename*1*=%a9", "a", "filename", "\xc3\xa9" },
	{ "a; filenamex=y", "a", "filename", NULL },
	{ "a; filename", "a", "filename", NULL },
	{ "a; ;;filename=y", "a", "filename", "y" },
	{ "a; b=\"open; filename=y", "a", "filename", NULL },
	{ "", "", "x", NULL },
	{ ";x=", "", "x", "" },
};

START_TEST(parameter)
{
	struct arena a = { 0 };
	struct str text = str_from(params[_i].text), v;
	int found = param_get(&a, text, params[_i].name, &v);

	ck_assert(str_is(param_head(text), params[_i].head));
	ck_assert_int_eq(found, params[_i].value != NULL);
	if (found)
		ck_assert_msg(str_is(v, params[_i].value), "\"%.*s\" is not \"%s\"", STR_ARG(v), params[_i].value);
	arena_done(&a);
}
END_TEST

/* --- limits */

START_TEST(part_limit)
{
	struct buf b = { 0 };
	struct message m;
	struct mail_part *part;
	unsigned n = 0;

	buf_puts(&b, MIXED("x"));
	for (unsigned i = 0; i < LIMIT_PARTS + 5; i++)
		buf_printf(&b, "--x\n\n%u\n", i);
	buf_puts(&b, "--x--\n");
	part = parse(&m, buf_str(&b));
	while (part_next(part)) {
		part = part_next(part);
		n++;
	}
	ck_assert_uint_eq(n + 1, LIMIT_PARTS);
	ck_assert(str_is(part->type, "application"));
	ck_assert(str_is(part->subtype, "octet-stream"));
	/* nothing is lost: the last one has the rest */
	ck_assert(part->raw.s + part->raw.len == b.s + b.len);
	ck_assert(str_starts(part->raw, STR("\n9998\n--x\n")));
	message_done(&m);
	buf_done(&b);
}
END_TEST

static unsigned
depth_of(struct mail_part *part)
{
	unsigned depth = 0;

	for (; part->child; part = part->child)
		depth++;
	return depth;
}

START_TEST(nesting_limit)
{
	struct buf b = { 0 };
	struct message m;

	for (unsigned i = 0; i < 20000; i++)
		if (_i)
			buf_puts(&b, TYPE("message/rfc822") "\n");
		else
			buf_printf(&b, TYPE("multipart/mixed; boundary=x%u") "\n--x%u\n", i, i);
	ck_assert_uint_eq(depth_of(parse(&m, buf_str(&b))), LIMIT_PART_NESTING);
	message_done(&m);
	buf_done(&b);
}
END_TEST

/* Lines that look like delimiters of a hundred open multiparts */
START_TEST(hostile_lines)
{
	static const char *const unit[] = { "--\n", "--x\n", "a-\n", "-", "--x0-\n", "--x1--y\n", "Content-Type: multipart/mixed\n" };
	struct buf b = { 0 };
	struct message m;

	for (unsigned i = 0; i < 100; i++)
		buf_printf(&b, TYPE("multipart/mixed; boundary=x%u") "\n--x%u\n", i, i);
	while (b.len < 1000000)
		buf_puts(&b, unit[_i]);
	ck_assert_uint_ge(depth_of(parse(&m, buf_str(&b))), LIMIT_PART_NESTING);
	message_done(&m);
	buf_done(&b);
}
END_TEST

/* Pieces in any order (fixed seed), for the sanitizers; spans stay inside. */
START_TEST(garbage)
{
	static const char *const piece[] = {
		"--x", "--y", "--", "\n", "\r\n", "\n\n", TYPE("multipart/mixed; boundary=x"), TYPE("multipart/digest; boundary=y"),
		TYPE("message/rfc822"), "a", ": ", CTE("base64"), CTE("quoted-printable"), "QUJD", "=41", "=\n", " ", "--x\n", "--y\n",
		"--x--\n", TYPE("text/html; charset=gb2312"), "<b>", "&amp", "\xff",
	};
	uint32_t seed = 7;

	for (int round = 0; round < 5000; round++) {
		struct message m;
		struct buf b = { 0 };
		struct mail_part *part;
		char *raw;

		for (int n = 0; n < 25; n++) {
			seed = seed * 1664525 + 1013904223;
			buf_puts(&b, piece[(seed >> 8) % (sizeof piece / sizeof *piece)]);
		}
		raw = malloc(b.len);
		memcpy(raw, b.s, b.len);
		for (part = parse(&m, (struct str){ raw, b.len }); part; part = part_next(part)) {
			ck_assert(part->raw.s >= raw);
			ck_assert(part->raw.s + part->raw.len <= raw + b.len);
			part_text(&m, part, true);
			part_text(&m, part, false);
			if (part->parent && part->parent->child == part && str_is(part->parent->type, "multipart"))
				ck_assert(part->header_raw.s >= part->parent->prologue.s + part->parent->prologue.len);
		}
		message_done(&m);
		free(raw);
		buf_done(&b);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("mail/part");
	TCase *c = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_set_timeout(c, 30);
	tcase_add_loop_test(c, structure, 0, sizeof structures / sizeof *structures);
	tcase_add_test(c, rfc5173_example);
	tcase_add_test(c, walk);
	tcase_add_loop_test(c, content, 0, sizeof contents / sizeof *contents);
	tcase_add_test(c, wrong_charset);
	tcase_add_loop_test(c, parameter, 0, sizeof params / sizeof *params);
	tcase_add_test(c, part_limit);
	tcase_add_loop_test(c, nesting_limit, 0, 2);
	tcase_add_loop_test(c, hostile_lines, 0, 7);
	tcase_add_test(c, garbage);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
