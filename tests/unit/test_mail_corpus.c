/* test_mail_corpus.c - what is found in the messages of tests/mail
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Prints fields, addresses, dates and parts of each message and compares all
 * of it with tests/mail/expected.txt; with ACCEPT=1 it writes that file. */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "mail/date.h"
#include "mail/message.h"

enum { SHOWN = 90 };            /* bytes of a value that are printed */

static void
read_file(struct buf *b, const char *name)
{
	const char *source = getenv("TAMIS_SOURCE");
	char path[1000];
	FILE *in;
	size_t n;

	snprintf(path, sizeof path, "%s/tests/mail/%s", source ? source : ".", name);
	in = fopen(path, "rb");
	ck_assert_msg(in, "cannot open %s", path);
	while ((n = fread(buf_room(b, 65536), 1, 65536, in)) > 0)
		b->len += n;
	fclose(in);
}

static void
show(struct buf *out, struct str v)
{
	size_t i;

	buf_putc(out, '"');
	for (i = 0; i < v.len && i < SHOWN; i++) {
		unsigned char c = (unsigned char)v.s[i];

		if (c < ' ' || c > '~' || c == '"' || c == '\\')
			buf_printf(out, "\\x%02x", c);
		else
			buf_putc(out, (char)c);
	}
	buf_putc(out, '"');
	if (v.len > SHOWN)
		buf_printf(out, "... (%zu bytes)", v.len);
	buf_putc(out, '\n');
}

static void
show_addresses(struct buf *out, struct message *m, struct field *f)
{
	int n = field_addresses(m, f);

	for (int i = 0; i < n; i++) {
		buf_puts(out, f->address[i].valid ? "    address " : "    no address ");
		show(out, f->address[i].all.v);
	}
}

static void
show_date(struct buf *out, struct message *m, struct field *f)
{
	struct arena a = { 0 };
	struct date_parts p;
	int64_t utc;
	int zone, kind = date_of_field(field_plain(m, f)->v, &utc, &zone);

	if (kind) {
		date_split(utc, zone, &p);
		buf_printf(out, "    date %lld %.*s%s\n", (long long)utc, STR_ARG(date_rfc5322(&a, &p)),
		           kind == DATE_NO_ZONE ? " (no zone)" : "");
	} else {
		buf_puts(out, "    no date\n");
	}
	arena_done(&a);
}

static void
show_fields(struct buf *out, struct message *m)
{
	static const char *const address[] = { "from", "to", "cc", "return-path" };
	static const char *const date[] = { "date", "x-date", "x-old", "resent-date", "received" };

	message_index(m);
	buf_printf(out, "%u fields\n", m->nfields);
	for (unsigned i = 0; i < m->nfields; i++) {
		struct field *f = &m->field[i];

		if (m->nfields > 100 && i > 2 && i + 3 < m->nfields)
			continue;
		buf_printf(out, "  %.*s ", STR_ARG(f->name));
		show(out, field_value(m, f)->v);
		for (size_t k = 0; k < sizeof address / sizeof *address; k++)
			if (str_is(f->name, address[k]))
				show_addresses(out, m, f);
		for (size_t k = 0; k < sizeof date / sizeof *date; k++)
			if (str_is(f->name, date[k]))
				show_date(out, m, f);
	}
}

static void
show_parts(struct buf *out, struct message *m)
{
	struct mail_part *part, *up;

	for (part = message_parts(m); part; part = part_next(part)) {
		struct str text = part_text(m, part, true)->v;

		for (up = part; up; up = up->parent)
			buf_puts(out, "  ");
		buf_printf(out, "%.*s/%.*s, %zu bytes%s ", STR_ARG(part->type), STR_ARG(part->subtype),
		           part->raw.len, part->broken ? ", broken" : "");
		if (!part->child) {
			show(out, text);
		} else if (str_is(part->type, "multipart")) {
			show(out, part->prologue);
		} else {
			buf_putc(out, '\n');
		}
	}
}

static void
show_message(struct buf *out, const char *name)
{
	struct message m;
	struct str header, body;
	struct buf raw = { 0 };
	char *copy;

	read_file(&raw, name);
	/* exactly as long as it is: a read beyond is seen by sanitizers */
	copy = malloc(raw.len ? raw.len : 1);
	if (raw.len)
		memcpy(copy, raw.s, raw.len);
	message_split((struct str){ copy, raw.len }, &header, &body);
	message_init(&m);
	message_set_header(&m, header);
	message_set_body(&m, body, message_wire_size((struct str){ copy, raw.len }));
	buf_printf(out, "== %s, %llu octets\n", name, (unsigned long long)m.size);
	show_fields(out, &m);
	show_parts(out, &m);
	message_done(&m);
	free(copy);
	buf_done(&raw);
}

static int
is_message(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 4 && !strcmp(entry->d_name + n - 4, ".eml");
}

static int
by_octets(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void
accept_all(const struct buf *out)
{
	const char *source = getenv("TAMIS_SOURCE");
	char path[1000];
	FILE *to;

	snprintf(path, sizeof path, "%s/tests/mail/expected.txt", source ? source : ".");
	to = fopen(path, "wb");
	ck_assert_ptr_nonnull(to);
	fwrite(out->s, 1, out->len, to);
	fclose(to);
}

/* The first line that differs is told with its message. */
static void
compare(struct str ours, struct str expected)
{
	size_t line = 0, section = 0, i = 0;

	while (i < ours.len && i < expected.len && ours.s[i] == expected.s[i]) {
		if (ours.s[i++] != '\n')
			continue;
		line = i;
		if (i < ours.len && ours.s[i] == '=')
			section = i;
	}
	if (i < ours.len || i < expected.len)
		ck_abort_msg("%.*s\n  expected: %.*s\n  found: %.*s",
		             (int)strcspn(ours.s + section, "\n"), ours.s + section,
		             (int)strcspn(expected.s + line, "\n"), expected.s + line,
		             (int)strcspn(ours.s + line, "\n"), ours.s + line);
}

START_TEST(corpus)
{
	const char *source = getenv("TAMIS_SOURCE");
	struct buf out = { 0 }, expected = { 0 };
	struct dirent **entry;
	char path[1000];
	int n;

	snprintf(path, sizeof path, "%s/tests/mail", source ? source : ".");
	n = scandir(path, &entry, is_message, by_octets);
	ck_assert_int_ge(n, 40);
	for (int i = 0; i < n; i++) {
		show_message(&out, entry[i]->d_name);
		free(entry[i]);
	}
	free(entry);
	if (getenv("ACCEPT"))
		accept_all(&out);
	read_file(&expected, "expected.txt");
	compare(buf_str(&out), buf_str(&expected));
	buf_done(&expected);
	buf_done(&out);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("mail/corpus");
	TCase *c = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_set_timeout(c, 30);
	tcase_add_test(c, corpus);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
