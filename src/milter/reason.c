/* reason.c - why a message is refused, as SMTP can say it
 * SPDX-License-Identifier: BSD-2-Clause */
#include "milter/reason.h"

#include <stdio.h>

#include "base/utf8.h"
#include "milter/transaction.h"

/* An enhanced code that rules put before their reason stays, else it is 5.7.1. */
static size_t
enhanced_length(struct str v)
{
	size_t i = 0;

	for (int part = 0; part < 3; part++) {
		size_t digits = 0;

		while (i < v.len && char_is_digit(v.s[i]) && digits < 3)
			i++, digits++;
		if (!digits || (part == 0 && (digits != 1 || v.s[0] != '5')) || (part < 2 && (i == v.len || v.s[i++] != '.')))
			return 0;
	}
	return i == v.len || memchr(" \t\r\n", v.s[i], 4) ? i : 0;
}

void
reason_lines(struct buf *b, struct str reason, unsigned *lines)
{
	const char *p = reason.s, *end = reason.s + reason.len, *stop;
	struct str line;

	for (; p < end && *lines < VERDICT_LINES; p = stop + 1) {
		stop = memchr(p, '\n', (size_t)(end - p));
		stop = stop ? stop : end;
		line = str_trim((struct str){ p, (size_t)(stop - p) });
		if (line.len > VERDICT_LINE)
			line.len = VERDICT_LINE;
		for (size_t i = 0; i < line.len; i++)
			buf_putc(b, (unsigned char)line.s[i] < 0x20 || line.s[i] == 0x7f ? '?' : line.s[i]);
		buf_putc(b, '\n');
		++*lines;
	}
}

struct str
reason_text(const struct conf *conf, const struct plan *p, struct str *ret_code)
{
	struct str reason = str_trim(p->reason);
	size_t code = enhanced_length(reason);

	*ret_code = str_sub(reason, 0, code);
	reason = str_trim(str_sub(reason, code, reason.len));
	return reason.len && utf8_is_ascii(reason) ? reason : str_from(conf->refusal_text);
}

void
reason_verdict(const struct conf *conf, const struct plan *p, struct verdict *v)
{
	unsigned lines = 0;
	struct str code, reason = reason_text(conf, p, &code);

	snprintf(v->enhanced, sizeof v->enhanced, "%.*s", STR_ARG(code.len ? code : STR("5.7.1")));
	reason_lines(&v->lines, reason, &lines);
}

void
reason_refuse(struct transaction *t, struct verdict *ret)
{
	struct str first = { NULL, 0 }, code, reason, first_code = STR("5.7.1");
	bool differ = false;
	unsigned lines = 0;

	ret->kind = VERDICT_REFUSE;
	for (size_t i = 0; i < t->rcpt.n; i++) {
		if (t->rcpt.v[i]->refused || !t->rcpt.v[i]->plan.refuses)
			continue;
		reason = reason_text(t->conf, &t->rcpt.v[i]->plan, &code);
		differ |= first.s && !str_eq(first, reason);
		if (!first.s && code.len)
			first_code = code;
		first = reason;
	}
	snprintf(ret->enhanced, sizeof ret->enhanced, "%.*s", STR_ARG(first_code));
	for (size_t i = 0; i < t->rcpt.n && lines < VERDICT_LINES; i++) {
		if (t->rcpt.v[i]->refused || !t->rcpt.v[i]->plan.refuses || (!differ && lines))
			continue;
		if (differ) {
			struct str heading = arena_printf(&t->arena, "%.*s:", STR_ARG(t->rcpt.v[i]->argument));

			reason_lines(&ret->lines, utf8_is_ascii(heading) ? heading : STR("<>:"), &lines);
		}
		reason_lines(&ret->lines, reason_text(t->conf, &t->rcpt.v[i]->plan, &code), &lines);
	}
}
