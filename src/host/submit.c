/* submit.c - hand one message to an SMTP or LMTP server
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * RFC 5321, 2033, 3461, 6152, 6531.  Nothing is pipelined: a reply belongs to
 * the command before it, and one that nobody asked for is never taken for the
 * answer to the next. */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "host/connection.h"
#include "host/moment.h"
#include "host/submit.h"

enum capability { OFFERS_8BITMIME = 1, OFFERS_DSN = 2, OFFERS_SMTPUTF8 = 4 };

static const struct {
	const char *word;
	enum capability bit;
} capabilities[] = {
	{ "8BITMIME", OFFERS_8BITMIME }, { "DSN", OFFERS_DSN }, { "SMTPUTF8", OFFERS_SMTPUTF8 },
};

struct dialogue {
	struct submission *s;
	struct connection c;
	struct buf text;                /* the last reply */
	bool lmtp;
	unsigned offers;
	bool midway;                    /* DATA was allowed, and no dot was sent: what we say now would be message */
	bool answered;                  /* the codes are those after the dot */
	/* of the message while it is sent */
	bool line_start, after_cr;
};

static void
say(struct submission *s, const char *what)
{
	snprintf(s->reply, sizeof s->reply, "%s", what);
}

/* --- replies */

/* The code, or -1: there was no reply that one can understand. */
static int
reply_line(struct dialogue *d, struct str *ret)
{
	struct str v;

	if (connection_line(&d->c, &v) < 0) {
		say(d->s, d->c.trouble);
		return -1;
	}
	if (v.len < 3 || v.s[0] < '2' || v.s[0] > '5' || !char_is_digit(v.s[1]) || !char_is_digit(v.s[2]) ||
	    (v.len > 3 && v.s[3] != ' ' && v.s[3] != '-')) {
		say(d->s, "the server said something that is no SMTP reply");
		return -1;
	}
	*ret = v;
	return (v.s[0] - '0') * 100 + (v.s[1] - '0') * 10 + (v.s[2] - '0');
}

static void
offer_add(struct dialogue *d, struct str line)
{
	const char *blank = memchr(line.s, ' ', line.len);
	struct str word = blank ? str_sub(line, 0, (size_t)(blank - line.s)) : line;

	for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++)
		if (str_iis(word, capabilities[i].word))
			d->offers |= capabilities[i].bit;
}

/* A whole reply: its code, or -1.  Its lines are joined for people, and looked through for what is offered. */
static int
reply_read(struct dialogue *d)
{
	int first = 0;

	buf_reset(&d->text);
	d->offers = 0;
	for (int n = 0; n < SUBMIT_REPLY_LINES; n++) {
		struct str line;
		int code = reply_line(d, &line);

		if (code < 0)
			return -1;
		if (n && code != first)
			break;
		first = code;
		buf_add(&d->text, n ? STR(" ") : str_sub(line, 0, 3));
		buf_add(&d->text, n ? str_sub(line, line.len > 3 ? 4 : 3, line.len) : str_sub(line, 3, line.len));
		if (n)
			offer_add(d, str_sub(line, line.len > 3 ? 4 : 3, line.len));
		if (line.len == 3 || line.s[3] == ' ') {
			snprintf(d->s->reply, sizeof d->s->reply, "%.*s", STR_ARG(buf_str(&d->text)));
			return first;
		}
	}
	say(d->s, "the server's reply has no end, or more than one code");
	return -1;
}

/* What the server says although nobody asked: a refusal counts, the rest is no answer. */
static int
reply_unasked(struct dialogue *d)
{
	int code = reply_read(d);

	if (code >= 500)
		return code;
	if (code >= 0)
		say(d->s, "the server said something before it was asked");
	return -1;
}

static int
command(struct dialogue *d, struct str line)
{
	if (connection_pending(&d->c))
		return reply_unasked(d);
	if (connection_put(&d->c, line) < 0 || connection_put(&d->c, STR("\r\n")) < 0 || connection_flush(&d->c) < 0) {
		say(d->s, d->c.trouble);
		return -1;
	}
	return reply_read(d);
}

static bool
is_good(int code)
{
	return code >= 200 && code < 300;
}

static enum submit_result
result_of(int code)
{
	return is_good(code) ? SUBMIT_TAKEN : code >= 500 ? SUBMIT_REFUSED : SUBMIT_AGAIN;
}

/* --- what may not be said */

/* NULL, or why it could end a command or begin another one.  What else is odd the server has taken from somebody: who
 * writes such an address shall get round nothing by it. */
static const char *
address_check(struct str v)
{
	bool quoted = false;

	if (v.len > SUBMIT_ADDRESS_MAX)
		return "is too long";
	for (size_t i = 0; i < v.len; i++) {
		bool pair = v.s[i] == '\\';

		if (pair && ++i == v.len)
			return "ends within a quoted pair";
		if (v.s[i] == '\r' || v.s[i] == '\n' || v.s[i] == '\0')
			return "has line ends";
		if (!quoted && !pair && (v.s[i] == '<' || v.s[i] == '>'))
			return "has angle brackets";
		quoted ^= v.s[i] == '"' && !pair;
	}
	return quoted ? "has a quoted string that does not end" : NULL;
}

static bool
parameter_is_good(struct str v)
{
	for (size_t i = 0; i < v.len; i++)
		if ((unsigned char)v.s[i] <= ' ' || v.s[i] == 0x7f)
			return false;
	return true;
}

static bool
is_sayable(struct submission *s)
{
	const char *why = address_check(s->from);
	size_t i;

	if (why)
		snprintf(s->reply, sizeof s->reply, "the sender's address %s", why);
	for (i = 0; !why && i < s->n; i++) {
		struct submit_rcpt *r = &s->rcpt[i];

		why = r->address.len ? address_check(r->address) : "is empty";
		if (!why && (!parameter_is_good(r->notify) || !parameter_is_good(r->orcpt)))
			why = "has DSN parameters with blanks or controls";
		if (why)
			snprintf(s->reply, sizeof s->reply, "recipient %zu: the address %s", i + 1, why);
	}
	if (!why && (!parameter_is_good(s->ret) || !parameter_is_good(s->envid)))
		say(s, why = "the sender's DSN parameters have blanks or controls");
	return !why;
}

/* --- commands */

static void
parameter_add(struct buf *b, const char *name, struct str value)
{
	if (value.len)
		buf_printf(b, " %s=%.*s", name, STR_ARG(value));
}

/* What no client may write, and servers take all the same: who writes it shall not have the message refused for it. */
static void
dsn_add(struct buf *b, const char *name, struct str value, bool utf8)
{
	if (value.len <= SUBMIT_DSN_MAX && (utf8 || utf8_is_ascii(value)))
		parameter_add(b, name, value);
}

static int
greet(struct dialogue *d, const char *helo)
{
	struct buf line = { 0 };
	int code = reply_read(d);

	if (is_good(code)) {
		helo = *helo && parameter_is_good(str_from(helo)) ? helo : "localhost";
		buf_printf(&line, "%s %s", d->lmtp ? "LHLO" : "EHLO", helo);
		code = command(d, buf_str(&line));
		if (code >= 500 && !d->lmtp) {
			buf_reset(&line);
			buf_printf(&line, "HELO %s", helo);
			code = command(d, buf_str(&line));
		}
	}
	buf_done(&line);
	return code;
}

static bool
needs_utf8(const struct submission *s)
{
	bool ascii = !s->smtputf8;

	for (size_t i = 0; ascii && i < s->n; i++)
		ascii = utf8_is_ascii(s->rcpt[i].address);
	return !ascii;
}

static int
mail(struct dialogue *d, unsigned offers, bool utf8)
{
	const struct submission *s = d->s;
	struct buf line = { 0 };
	int code;

	buf_printf(&line, "MAIL FROM:<%.*s>", STR_ARG(s->from));
	if (s->eightbit && (offers & OFFERS_8BITMIME))
		parameter_add(&line, "BODY", STR("8BITMIME"));
	if (utf8)
		buf_puts(&line, " SMTPUTF8");
	if (offers & OFFERS_DSN) {
		dsn_add(&line, "RET", s->ret, utf8);
		dsn_add(&line, "ENVID", s->envid, utf8);
	}
	code = command(d, buf_str(&line));
	buf_done(&line);
	return code;
}

/* All are asked, so that the caller knows each who is refused. */
static enum submit_result
recipients(struct dialogue *d, unsigned offers, bool utf8)
{
	enum submit_result result = SUBMIT_TAKEN;
	struct buf line = { 0 };
	char refusal[sizeof d->s->reply] = "";

	for (size_t i = 0; i < d->s->n; i++) {
		struct submit_rcpt *r = &d->s->rcpt[i];
		int code;

		buf_reset(&line);
		buf_printf(&line, "RCPT TO:<%.*s>", STR_ARG(r->address));
		if (offers & OFFERS_DSN) {
			parameter_add(&line, "NOTIFY", r->notify);
			dsn_add(&line, "ORCPT", r->orcpt, utf8);
		}
		code = command(d, buf_str(&line));
		r->code = code < 0 ? 0 : code;
		if (!is_good(code) && result != SUBMIT_REFUSED) {
			result = result_of(code);
			memcpy(refusal, d->s->reply, sizeof refusal);
		}
		if (code < 0 || code == 421)
			break;
	}
	if (result != SUBMIT_TAKEN)
		memcpy(d->s->reply, refusal, sizeof refusal);
	buf_done(&line);
	return result;
}

/* --- the message */

static int
content_put(void *ctx, struct str v)
{
	struct dialogue *d = ctx;

	while (v.len) {
		const char *end = memchr(v.s, '\n', v.len);
		size_t n = end ? (size_t)(end - v.s) : v.len;

		if (d->line_start && v.s[0] == '.' && connection_put(&d->c, STR(".")) < 0)
			return -1;
		if (n)
			d->after_cr = v.s[n - 1] == '\r';
		if (connection_put(&d->c, str_sub(v, 0, n)) < 0)
			return -1;
		if (end && connection_put(&d->c, d->after_cr ? STR("\n") : STR("\r\n")) < 0)
			return -1;
		d->line_start = end;
		d->after_cr = d->after_cr && !end;
		v = str_sub(v, n + (end != NULL), v.len);
	}
	return 0;
}

/* 0: the dot is on its way, and replies will follow; else the code or -1, and there was no dot. */
static int
content(struct dialogue *d)
{
	int code = command(d, STR("DATA"));

	if (code != 354)
		return code < 400 ? -1 : code;
	d->midway = d->line_start = true;
	d->after_cr = false;
	if (d->s->write(d->s->ctx, content_put, d) != 0) {
		bool gone = d->c.trouble;

		say(d->s, gone ? d->c.trouble : "the message could not be read");
		/* a server that wants no more of it says so, and goes */
		return gone && connection_pending(&d->c) ? reply_unasked(d) : -1;
	}
	if (connection_pending(&d->c))          /* an answer to what was not said yet is none */
		return reply_unasked(d);
	if (connection_put(&d->c, d->line_start ? STR(".\r\n") : STR("\r\n.\r\n")) < 0 || connection_flush(&d->c) < 0) {
		say(d->s, d->c.trouble);
		return -1;
	}
	d->midway = false;
	return 0;
}

/* One reply after the dot; LMTP: one for each recipient, in their order (RFC 2033 4.2). */
static enum submit_result
verdicts(struct dialogue *d)
{
	enum submit_result result = SUBMIT_TAKEN, one;
	char refusal[sizeof d->s->reply] = "";
	size_t replies = d->lmtp ? d->s->n : 1;
	const int64_t least = moment_clock() + d->s->answer_least;

	d->answered = true;
	if (d->c.deadline < least)
		d->c.deadline = least;
	for (size_t i = 0; i < d->s->n; i++)
		d->s->rcpt[i].code = 0;
	for (size_t i = 0; i < replies; i++) {
		int code = reply_read(d);

		for (size_t k = i; code > 0 && k < (d->lmtp ? i + 1 : d->s->n); k++)
			d->s->rcpt[k].code = code;
		one = result_of(code);
		if (one > result) {
			result = one;
			memcpy(refusal, d->s->reply, sizeof refusal);
		}
		if (code < 0)
			break;
	}
	if (result != SUBMIT_TAKEN)
		memcpy(d->s->reply, refusal, sizeof refusal);
	return result;
}

/* --- all of it */

static enum submit_result
transaction(struct dialogue *d, const char *helo)
{
	bool utf8 = needs_utf8(d->s);
	enum submit_result result;
	unsigned offers;
	int code;

	if (!is_good(greet(d, helo)))
		return SUBMIT_AGAIN;
	offers = d->offers;
	if (utf8 && !(offers & OFFERS_SMTPUTF8)) {
		say(d->s, "the server does not offer SMTPUTF8, which the message needs");
		d->s->unsayable = true;
		return SUBMIT_REFUSED;
	}
	utf8 |= (d->s->smtputf8_asked || !utf8_is_ascii(d->s->from)) && (offers & OFFERS_SMTPUTF8);
	code = mail(d, offers, utf8);
	if (!is_good(code))
		return result_of(code);
	result = recipients(d, offers, utf8);
	if (result != SUBMIT_TAKEN)
		return result;
	code = content(d);
	return code ? result_of(code) : verdicts(d);
}

static const char *
server_of(const char *where, bool *ret_lmtp)
{
	*ret_lmtp = !strncmp(where, "lmtp:", 5);
	return *ret_lmtp || !strncmp(where, "smtp:", 5) ? where + 5 : NULL;
}

const char *
submit_check(const char *where)
{
	bool lmtp;
	const char *server = server_of(where, &lmtp);

	return server ? connection_check(server) : "does not begin with \"smtp:\" or \"lmtp:\"";
}

enum submit_result
submit(const char *where, const char *helo, struct submission *s, int64_t deadline)
{
	struct dialogue *d = mem_alloc(sizeof *d);
	enum submit_result result = SUBMIT_AGAIN;
	const char *wrong = submit_check(where), *server;
	bool lmtp;

	server = server_of(where, &lmtp);
	*d = (struct dialogue){ .s = s, .lmtp = lmtp, .c = { .fd = -1, .waits = s->waits, .waits_ctx = s->ctx } };
	for (size_t i = 0; i < s->n; i++)
		s->rcpt[i].code = 0;
	s->reply[0] = '\0';
	s->unsayable = false;
	if (wrong || !s->n) {
		say(s, wrong ? wrong : "there is no recipient");
	} else if (!is_sayable(s)) {
		result = SUBMIT_REFUSED;
	} else if (connection_open(&d->c, server, deadline) < 0) {
		say(s, d->c.trouble);
	} else {
		result = transaction(d, helo);
	}
	for (size_t i = 0; result != SUBMIT_TAKEN && !d->answered && i < s->n; i++)
		if (is_good(s->rcpt[i].code))
			s->rcpt[i].code = 0;    /* it said yes to RCPT, and has no message */
	/* its answer is of no interest, and nobody waits to be able to say it */
	d->c.deadline = 0;
	if (d->c.fd >= 0 && !d->midway && connection_put(&d->c, STR("QUIT\r\n")) == 0)
		connection_flush(&d->c);
	connection_close(&d->c);
	buf_done(&d->text);
	free(d);
	return result;
}
