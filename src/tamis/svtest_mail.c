/* svtest_mail.c - the messages that a test suite's actions send
 * SPDX-License-Identifier: BSD-2-Clause */
#include "host/text.h"
#include "tamis/svtest.h"
#include "tamis/testfile.h"

/* Suites look for these fields by their names in the dialect's first engine. */
#define FIELD_SIEVE "X-Sieve: Pigeonhole Sieve"
#define FIELD_REDIRECTED "X-Sieve-Redirected-From"
#define POSTMASTER "postmaster@example.com"

/* --- fields */

/* The next field of *rest with its continuation lines; false at the end of the header. */
static bool
svtest_mail_field(struct str *rest, struct str *ret)
{
	size_t n = 0;
	const char *end;

	if (!rest->len || rest->s[0] == '\n' || rest->s[0] == '\r')
		return false;
	do {
		end = memchr(rest->s + n, '\n', rest->len - n);
		n = end ? (size_t)(end - rest->s) + 1 : rest->len;
	} while (n < rest->len && (rest->s[n] == ' ' || rest->s[n] == '\t'));
	*ret = str_sub(*rest, 0, n);
	*rest = str_sub(*rest, n, rest->len);
	return true;
}

/* The body of the field, if that is its name. */
static bool
svtest_mail_is(struct str field, const char *name, struct str *ret)
{
	const char *colon = memchr(field.s, ':', field.len);
	size_t n = colon ? (size_t)(colon - field.s) : 0;

	if (!colon || !str_iis(str_trim(str_sub(field, 0, n)), name))
		return false;
	*ret = str_trim(str_sub(field, n + 1, field.len));
	return true;
}

static const char *
svtest_mail_end(struct str text)
{
	const char *lf = memchr(text.s, '\n', text.len);

	return lf && lf > text.s && lf[-1] == '\r' ? "\r\n" : "\n";
}

bool
svtest_mail_attached(struct str text)
{
	struct str line, value;

	while (svtest_mail_field(&text, &line))
		if (svtest_mail_is(line, "content-disposition", &value) && str_istarts(value, STR("attachment")))
			return true;
	/* fields of parts stand in the body */
	while (testfile_line(&text, &line))
		if (svtest_mail_is(line, "content-disposition", &value) && str_istarts(value, STR("attachment")))
			return true;
	return false;
}

/* --- redirect */

/* The message names us as one who redirected it: it has come round. */
static bool
svtest_mail_loops(struct str text, struct str self)
{
	struct str field, value;

	while (svtest_mail_field(&text, &field))
		if (svtest_mail_is(field, FIELD_REDIRECTED, &value) && str_ieq(value, self))
			return true;
	return false;
}

struct sources {
	const char *name;
	struct str address;
};

/* An address by the name of where it comes from, as settings have it. */
static struct str
svtest_mail_source(struct svtest *t, const char *setting, struct str otherwise)
{
	const struct svtest_envelope *e = &svtest_scene_current(t)->envelope;
	struct str value, own = e->to;
	size_t i;

	if (!svtest_config_get(t, setting, &value))
		return otherwise;
	svtest_config_get(t, "sieve_user_email", &own);
	value = str_trim(value);
	const struct sources sources[] = {
		{ "default", otherwise }, { "sender", e->from }, { "recipient", e->to }, { "orig_recipient", e->orig_to },
		{ "user_email", own }, { "postmaster", STR(POSTMASTER) },
	};
	for (i = 0; i < sizeof(sources) / sizeof(*sources); i++)
		if (str_iis(value, sources[i].name))
			return sources[i].address;
	if (value.len > 1 && value.s[0] == '<' && svtest_scene_path(value, true, false, &value))
		return value;
	return otherwise;
}

bool
svtest_mail_redirect(struct svtest *t, const struct svtest_action *a)
{
	const struct svtest_envelope *e = &svtest_scene_current(t)->envelope;
	struct str rest = a->text, self = e->to, field, value, from = e->from;
	const char *end = svtest_mail_end(a->text);
	struct buf b = { 0 };

	svtest_config_get(t, "sieve_user_email", &self);
	if (svtest_mail_loops(a->text, self))
		return false;
	buf_printf(&b, "%s (tamis %s)%s%s: %.*s%s", FIELD_SIEVE, tamis_version(), end, FIELD_REDIRECTED, STR_ARG(self), end);
	while (svtest_mail_field(&rest, &field))
		if (!svtest_mail_is(field, "return-path", &value))
			buf_add(&b, field);
	buf_add(&b, rest);
	/* who gets no answers does not get them by another way either */
	if (from.len)
		from = svtest_mail_source(t, "sieve_redirect_envelope_from", from);
	svtest_store_send(&t->store, from, svtest_result_target(a), buf_str(&b));
	buf_done(&b);
	return true;
}

/* --- answers, which the engine writes */

static int
svtest_mail_bytes(void *ctx, struct tamis_text text)
{
	buf_add(ctx, text_str(text));
	return 0;
}

struct str
svtest_mail_text(struct svtest *t, const struct tamis_outcome *o, const struct tamis_effect *e)
{
	struct buf b = { 0 };
	struct str text;

	buf_printf(&b, "%s (tamis %s)\r\n", FIELD_SIEVE, tamis_version());
	tamis_reply_write(o, e, svtest_mail_bytes, &b);
	text = svtest_host_keep(t, buf_str(&b));
	buf_done(&b);
	return text;
}

void
svtest_mail_reply(struct svtest *t, const struct svtest_action *a)
{
	struct str from = STR_EMPTY, setting;

	if (svtest_config_get(t, "sieve_vacation_send_from_recipient", &setting) && str_iis(str_trim(setting), "yes"))
		from = svtest_scene_current(t)->envelope.to;
	svtest_store_send(&t->store, from, svtest_result_option(a, "to"), a->text);
}

/* --- reject: a disposition notification (RFC 5429 2.2) */

static void
svtest_mail_header(struct buf *b, struct str text)
{
	struct str rest = text, field;

	while (svtest_mail_field(&rest, &field))
		buf_add(b, field);
}

bool
svtest_mail_bounce(struct svtest *t, const struct svtest_action *a)
{
	const struct svtest_envelope *e = &svtest_scene_current(t)->envelope;
	struct str reason = svtest_result_option(a, "reason");
	static const char boundary[] = "=_refused";
	struct buf b = { 0 };

	if (!e->from.len)
		return false;
	buf_printf(&b, "%s (tamis %s)\r\nFrom: Postmaster <%s>\r\nTo: <%.*s>\r\nSubject: Message refused\r\n"
	           "Auto-Submitted: auto-replied (rejected)\r\nPrecedence: bulk\r\nMIME-Version: 1.0\r\n"
	           "Content-Type: multipart/report; report-type=disposition-notification;\r\n\tboundary=\"%s\"\r\n\r\n",
	           FIELD_SIEVE, tamis_version(), POSTMASTER, STR_ARG(e->from), boundary);
	buf_printf(&b, "--%s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
	           "Your message to <%.*s> was refused:\r\n\r\n%.*s\r\n",
	           boundary, STR_ARG(e->to), STR_ARG(reason));
	buf_printf(&b, "\r\n--%s\r\nContent-Type: message/disposition-notification\r\n\r\n"
	           "Reporting-UA: %s; tamis %s\r\nFinal-Recipient: rfc822; %.*s\r\n"
	           "Disposition: automatic-action/MDN-sent-automatically; deleted\r\n",
	           boundary, "localhost", tamis_version(), STR_ARG(e->to));
	buf_printf(&b, "\r\n--%s\r\nContent-Type: text/rfc822-headers\r\n\r\n", boundary);
	svtest_mail_header(&b, a->text);
	buf_printf(&b, "\r\n--%s--\r\n", boundary);
	svtest_store_send(&t->store, STR_EMPTY, e->from, buf_str(&b));
	buf_done(&b);
	return true;
}
