/* probe.c - a message with forged fields, and what of them arrives
 * SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "host/digest.h"
#include "host/source.h"
#include "tamis/probe.h"

enum { TOKEN_BYTES = 16 };

/* In a pattern @ is what the field is known by, & the verifier's name; of an upper-case one && is in capitals. */
static const struct forgery {
	enum probe_kind kind;
	const char *name, *how, *pattern;
} forgeries[] = {
	{ PROBE_OURS, "Tamis-Refused", "as we write it", "Tamis-Refused: \"@\"\r\n" },
	{ PROBE_OURS, "Tamis-Trouble", "in capitals", "TAMIS-TROUBLE: @\r\n" },
	{ PROBE_OURS, "Tamis-Would", "in small letters, without a blank", "tamis-would:@\r\n" },
	{ PROBE_OURS, "Tamis-Redirected", "a blank before the colon", "Tamis-Redirected : 1 @\r\n" },
	{ PROBE_OURS, "Tamis-File-aaaaaaaaaaaaaaaaaaaaaaaaaa", "folded",
	  "Tamis-File-aaaaaaaaaaaaaaaaaaaaaaaaaa:\r\n\t[]\r\n @\r\n" },
	{ PROBE_OURS, "Tamis-Probe", "a name that we do not have yet", "Tamis-Probe: @\r\n" },
	{ PROBE_RESULT, "Authentication-Results", "as filters write it", "Authentication-Results: &; none (@)\r\n" },
	{ PROBE_RESULT, "Authentication-Results", "in capitals", "AUTHENTICATION-RESULTS: &&; none (@)\r\n" },
	{ PROBE_RESULT, "Authentication-Results", "in small letters, without a blank", "authentication-results:&;none (@)\r\n" },
	{ PROBE_RESULT, "Authentication-Results", "a blank before the colon", "Authentication-Results : &; none (@)\r\n" },
	{ PROBE_RESULT, "Authentication-Results", "folded", "Authentication-Results:\r\n\t&;\r\n none (@)\r\n" },
	{ PROBE_RESULT, "Authentication-Results", "with a version", "Authentication-Results: & 1; none (@)\r\n" },
	{ PROBE_RESULT, "Authentication-Results", "a comment behind the name", "Authentication-Results: &(x); none (@)\r\n" },
	{ PROBE_ODD_RESULT, "Authentication-Results", "a comment before the name", "Authentication-Results: (x) &; none (@)\r\n" },
	{ PROBE_ODD_RESULT, "Authentication-Results", "the name in quotes", "Authentication-Results: \"&\"; none (@)\r\n" },
};
enum { FORGERIES = sizeof(forgeries) / sizeof(*forgeries) };

/* What the field of that number is known by: "TOKEN.7." */
static struct str
probe_mark(const struct probe *p, size_t i)
{
	return arena_printf(p->arena, "%s.%zu.", p->token, i);
}

static struct str
probe_text(const struct probe *p, const char *pattern, const char *verifier, struct str mark)
{
	struct buf b = { 0 };
	struct str text;

	for (; *pattern; pattern++) {
		if (*pattern == '@') {
			buf_add(&b, mark);
		} else if (*pattern != '&') {
			buf_putc(&b, *pattern);
		} else if (pattern[1] != '&') {
			buf_puts(&b, verifier);
		} else {
			for (const char *v = verifier; *v; v++)
				buf_putc(&b, (char)toupper((unsigned char)*v));
			pattern++;
		}
	}
	text = buf_copy(&b, p->arena);
	buf_done(&b);
	return text;
}

void
probe_init(struct probe *p, struct arena *arena, const char *authserv_id, const char *token)
{
	uint8_t random[TOKEN_BYTES];

	*p = (struct probe){ .arena = arena, .field = ARENA_ARRAY(arena, FORGERIES, struct probe_field) };
	digest_random(random, sizeof random);
	digest_base32(random, sizeof random, p->token);
	if (token)
		memcpy(p->token, token, sizeof p->token);
	p->id = arena_printf(arena, "<tamis-probe.%s@", p->token);
	/* a message without it has not arrived as a whole */
	p->end = arena_printf(arena, "end of probe %s.", p->token);
	for (size_t i = 0; i < FORGERIES; i++) {
		const struct forgery *f = &forgeries[i];

		if (f->kind != PROBE_OURS && !*authserv_id)
			continue;
		p->field[p->n] = (struct probe_field){ .name = f->name, .how = f->how, .kind = f->kind, .renamed = STR_EMPTY };
		p->field[p->n].text = probe_text(p, f->pattern, authserv_id, probe_mark(p, p->n));
		p->n++;
	}
}

bool
probe_is_token(const char *s)
{
	return strlen(s) == PROBE_TOKEN && strspn(s, "abcdefghijklmnopqrstuvwxyz234567") == PROBE_TOKEN;
}

/* --- there */

struct sending {
	const struct probe *probe;
	struct str text;
};

static int
sending_write(void *ctx, int (*put)(void *put_ctx, struct str), void *put_ctx)
{
	const struct sending *s = ctx;

	return put(put_ctx, s->text);
}

static struct str
probe_message(const struct probe *p, const char *to, const char *host)
{
	struct buf b = { 0 };
	time_t now = time(NULL);
	struct str text;
	struct tm tm;
	char date[64];

	gmtime_r(&now, &tm);
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &tm);
	for (size_t i = 0; i < p->n; i++)
		buf_add(&b, p->field[i].text);
	buf_printf(&b, "Date: %s\r\nMessage-ID: %.*s%s>\r\nFrom: <%s>\r\nTo: <%s>\r\n", date, STR_ARG(p->id), host, to, to);
	buf_printf(&b, "Subject: tamis probe %s\r\nAuto-Submitted: auto-generated\r\n", p->token);
	buf_puts(&b, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n");
	buf_puts(&b, "\"tamis doctor --probe\" sent this message, with forged fields in its header, to see\r\n"
	             "whether the mail server takes them away.  It may be deleted.\r\n\r\n");
	buf_add(&b, p->end);
	buf_puts(&b, "\r\n");
	text = buf_copy(&b, p->arena);
	buf_done(&b);
	return text;
}

enum submit_result
probe_send(const struct probe *p, const char *server, const char *to, int64_t deadline, char *reply, size_t size)
{
	char host[256] = "localhost";
	struct submit_rcpt rcpt = { .address = str_from(to), .notify = STR("NEVER"), .orcpt = STR_EMPTY };
	struct sending sending = { .probe = p };
	struct submission s = {
		.from = STR_EMPTY, .ret = STR_EMPTY, .envid = STR_EMPTY, .rcpt = &rcpt, .n = 1, .write = sending_write, .ctx = &sending,
	};
	enum submit_result result;

	if (gethostname(host, sizeof host - 1) < 0 || !*host)
		strcpy(host, "localhost");
	sending.text = probe_message(p, to, host);
	result = submit(arena_printf(p->arena, "smtp:%s", server).s, host, &s, deadline);
	snprintf(reply, size, "%s", s.reply);
	return result;
}

/* --- and back */

/* The next field of the header, with its line ends. */
static bool
next_field(struct str *rest, struct str *ret)
{
	const char *p = rest->s, *end = rest->s + rest->len, *stop = p;

	do {
		stop = memchr(stop, '\n', (size_t)(end - stop));
		stop = stop ? stop + 1 : end;
	} while (stop < end && (*stop == ' ' || *stop == '\t'));
	*ret = (struct str){ p, (size_t)(stop - p) };
	*rest = (struct str){ stop, (size_t)(end - stop) };
	return p < end;
}

static struct str
field_name(struct str field)
{
	ptrdiff_t colon = str_find(field, STR(":"));

	return str_trim(str_sub(field, 0, colon < 0 ? 0 : (size_t)colon));
}

static void
probe_note(struct probe *p, struct str field)
{
	struct str name = field_name(field);

	for (size_t i = 0; i < p->n; i++) {
		if (str_find(field, probe_mark(p, i)) < 0)
			continue;
		if (str_iis(name, p->field[i].name))
			p->field[i].arrived = true;
		else
			p->field[i].renamed = arena_str(p->arena, name);
	}
}

static bool
probe_is(const struct probe *p, struct str header)
{
	struct str field;

	while (next_field(&header, &field))
		if (str_iis(field_name(field), "Message-ID") && str_find(field, p->id) >= 0)
			return true;
	return false;
}

int
probe_look(struct probe *p, const char *path)
{
	struct source *source = source_open(path);
	struct str field;
	struct source_message m;
	int rc, found = 0;

	if (!source)
		return -1;
	/* one that is gone already, or that is not ours to read, is not it */
	while ((rc = source_next(source, SOURCE_BODY, &m)) != 0) {
		struct str header = m.header;

		if (rc < 0 || !probe_is(p, header) || str_find(m.body, p->end) < 0)
			continue;
		found = 1;
		while (next_field(&header, &field))
			probe_note(p, field);
	}
	source_free(source);
	return found;
}
