/* session.c - one SMTP connection: its messages, one after the other
 * SPDX-License-Identifier: BSD-2-Clause */
#include "milter/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "host/canonical.h"
#include "host/log.h"
#include "host/moment.h"
#include "host/text.h"
#include "milter/copy.h"
#include "milter/fields.h"
#include "milter/queued.h"
#include "milter/reason.h"
#include "milter/sender.h"

struct session {
	struct daemon *daemon;
	struct transaction *t;          /* NULL: between messages, when it costs as little as can be */
	char *client_host, *client_ip, *helo;   /* helo NULL: none yet */
	bool local, crowded;
	bool asked, sendmail;           /* who the server is, at the first message */
};

/* --- the connection */

/* Postfix says that a client of its own has port 0; and so, behind a proxy that does not tell it, has any. */
static bool
is_here(const char *ip)
{
	return !strncmp(ip, "127.", 4) || !strcmp(ip, "::1");
}

/* Of whom the name could not be found out servers have the address in its place, in brackets, or a word. */
static const char *
session_client_name(const char *host)
{
	return !host || *host == '[' || !strcasecmp(host, "unknown") ? "" : host;
}

struct session *
session_new(struct daemon *daemon, const char *host, const char *ip, unsigned port, bool crowded)
{
	struct session *s = mem_alloc(sizeof *s);

	memset(s, 0, sizeof *s);
	s->daemon = daemon;
	s->client_host = mem_strdup(session_client_name(host));
	s->client_ip = mem_strdup(ip ? ip : "");
	s->local = !port && is_here(s->client_ip);
	s->crowded = crowded;
	daemon_point(daemon, POINT_CONNECT);
	return s;
}

void
session_helo(struct session *s, const char *name)
{
	free(s->helo);
	s->helo = mem_strdup(name ? name : "");
	daemon_point(s->daemon, POINT_HELO);
}

static void
session_forget(struct session *s)
{
	if (s->t)
		pool_give(&s->daemon->pool, s->t);
	s->t = NULL;
}

struct session *
session_free(struct session *s)
{
	if (s) {
		daemon_point(s->daemon, POINT_CLOSE);
		session_forget(s);
		free(s->client_host);
		free(s->client_ip);
		free(s->helo);
		free(s);
	}
	return NULL;
}

void
session_abort(struct session *s)
{
	daemon_point(s->daemon, POINT_ABORT);
	session_forget(s);
}

/* --- the envelope */

/* Postfix takes brackets within brackets. */
static struct str
strip_angles(struct str v)
{
	v = str_trim(v);
	while (v.len >= 2 && v.s[0] == '<' && v.s[v.len - 1] == '>')
		v = str_sub(v, 1, v.len - 1);
	return v;
}

/* The value of an ESMTP argument, or s NULL if it is not there. */
static struct str
esmtp(char **argv, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; argv[0] && argv[i + 1]; i++) {
		const char *arg = argv[i + 1];

		if (char_lower(*arg) == char_lower(*name) && !strncasecmp(arg, name, len) && (arg[len] == '=' || !arg[len]))
			return str_from(arg[len] ? arg + len + 1 : arg + len);
	}
	return (struct str){ NULL, 0 };
}

static struct str
esmtp_copy(struct arena *a, char **argv, const char *name)
{
	struct str v = esmtp(argv, name);

	return v.s ? arena_str(a, v) : STR_EMPTY;
}

static struct str
macro(struct transaction *t, const struct mta *mta, const char *name)
{
	const char *v = mta->macro(mta->ctx, name);

	return v ? arena_str(&t->arena, str_from(v)) : STR_EMPTY;
}

/* Postfix tells the id from the second recipient on; until then it is not known. */
static void
session_id(struct transaction *t, const struct mta *mta)
{
	if (t->id_known)
		return;
	t->id = macro(t, mta, "i");
	t->id_known = t->id.len;
	if (!t->id_known)
		t->id = STR("NOQUEUE");
}

static bool
session_is_sendmail(struct session *s, const struct conf *conf, const struct mta *mta)
{
	if (!s->asked) {
		const char *v = mta->macro(mta->ctx, "v");

		s->sendmail = v && !strstr(v, "Postfix");
		s->asked = true;
	}
	return conf->mta == CONF_MTA_AUTO ? s->sendmail : conf->mta == CONF_MTA_SENDMAIL;
}

static void
session_fact(struct transaction *t, const char *name, struct str value)
{
	if (value.len)
		tamis_message_fact(t->message, text_from(name), text_of(value));
}

/* What rules may know of the client and of us (RFC 5183): most do not ask. */
static void
session_facts(void *ctx, struct tamis_message *unused)
{
	struct transaction *t = ctx;
	struct str host = t->host;
	const char *dot = memchr(host.s, '.', host.len);

	(void)unused;
	tamis_message_fact(t->message, text_from("from"), text_of(t->sender));
	session_fact(t, "name", STR("tamis"));
	session_fact(t, "version", str_from(tamis_version()));
	session_fact(t, "location", STR("MTA"));
	session_fact(t, "phase", STR("pre"));
	session_fact(t, "host", host);
	session_fact(t, "domain", dot ? str_sub(host, (size_t)(dot + 1 - host.s), host.len) : host);
	if (t->conf->mode == CONF_FINAL)
		return;                 /* the client is our own queue, not the sender's side */
	if (t->client_ip.len)           /* an item of which there is nothing to say is there all the same */
		tamis_message_fact(t->message, text_from("remote-host"), text_of(t->client_host));
	session_fact(t, "remote-ip", t->client_ip);
	session_fact(t, "auth", t->login);
}

void
session_mail(struct session *s, const struct mta *mta, char **argv)
{
	struct str body = esmtp(argv, "BODY");
	struct transaction *t;

	session_forget(s);
	daemon_point(s->daemon, POINT_MAIL);
	t = s->t = pool_take(&s->daemon->pool);
	t->daemon = s->daemon;
	t->local = s->local;
	t->setup = daemon_setup(t->daemon);
	t->conf = t->setup->conf;
	t->client_host = str_from(s->client_host);
	t->client_ip = str_from(s->client_ip);
	t->helo = str_from(s->helo ? s->helo : "");
	t->sendmail = session_is_sendmail(s, t->conf, mta);
	t->ours = t->conf->mode == CONF_FINAL || t->local || conf_own_client(t->conf, t->client_ip);
	t->sender = arena_str(&t->arena, argv[0] ? strip_angles(str_from(argv[0])) : STR_EMPTY);
	t->login = macro(t, mta, "{auth_authen}");
	t->ret = esmtp_copy(&t->arena, argv, "RET");
	t->envid = esmtp_copy(&t->arena, argv, "ENVID");
	t->smtputf8 = esmtp(argv, "SMTPUTF8").s != NULL;
	t->eightbit = body.s && str_iis(body, "8BITMIME");
	t->host = *t->conf->hostname ? str_from(t->conf->hostname) : macro(t, mta, "j");
	t->hostname = t->host.len ? t->host : STR("localhost");
	t->id = STR("NOQUEUE");
	tamis_message_facts(t->message, session_facts, t);
}

/* The same argument twice is one recipient, with one run. */
static struct rcpt *
session_find(const struct transaction *t, struct str argument)
{
	for (size_t i = 0; i < t->rcpt.n; i++)
		if (str_eq(t->rcpt.v[i]->argument, argument))
			return t->rcpt.v[i];
	return NULL;
}

/* alice%example.org@example.org is Alice to the servers, where mail is local, and so is "alice@example.org"@example.org:
 * they look inside quotes. */
static bool
session_is_routed(const struct rcpt *r)
{
	static const char routes[] = { '%', '!', '@' };

	for (size_t i = 0; i < sizeof(routes); i++)
		if (memchr(r->parts.whole.s, routes[i], r->parts.whole.len))
			return true;
	return false;
}

/* Of an address that we cannot split: what stands behind its @, if that is a domain; else that of the machine. */
static struct str
session_domain(struct transaction *t, const struct rcpt *r)
{
	struct str local, behind, domain;

	if (r->parsed)
		return r->parts.domain;
	if (str_split_last(r->address, '@', &local, &behind) && !canonical_domain(&t->arena, behind, &domain))
		return domain;
	return t->hostname;
}

/* Sendmail has no domain for whom it delivers to itself, and delivers to what is left of \alice and alice"" without quotes
 * and backslashes. */
static struct str
session_resolved(struct transaction *t, const struct mta *mta, const struct rcpt *r)
{
	struct str server = macro(t, mta, "{rcpt_addr}");

	if (!t->sendmail)
		return server;
	/* run_find() knows what to do with it; who gets it next may look inside quotes as well */
	if (!server.len || memchr(server.s, '@', server.len))
		return r->parsed ? r->address : queued_plain(&t->arena, r->address);
	return canonical_written(&t->arena, queued_unquoted(&t->arena, server), session_domain(t, r));
}

/* Postfix takes comments, blanks and the like in an address, and delivers to what is left of it: that is whose rules
 * are meant. */
static void
session_parse(struct transaction *t, const struct mta *mta, struct rcpt *r)
{
	struct canonical parts;
	struct str server;

	r->parsed = canonical_address(t->conf, t->sendmail, &t->arena, r->address, &r->parts) == 0;
	if (r->parsed && !session_is_routed(r))
		return;
	server = session_resolved(t, mta, r);
	if (str_ieq(server, r->address) || canonical_address(t->conf, t->sendmail, &t->arena, server, &parts) < 0)
		return;
	r->parsed = r->respelled = true;
	r->parts = parts;
	r->address = server;
}

static struct rcpt *
session_add(struct transaction *t, const struct mta *mta, char **argv)
{
	struct arena *a = &t->arena;
	struct rcpt *r = pool_take_rcpt(t);

	r->argument = arena_str(a, str_from(argv[0]));
	r->address = strip_angles(r->argument);
	session_parse(t, mta, r);
	r->notify = esmtp_copy(a, argv, "NOTIFY");
	r->orcpt = esmtp_copy(a, argv, "ORCPT");
	r->group = t->sendmail ? macro(t, mta, "{rcpt_addr}") : queued_group(a, r);
	r->srs = r->broken = STR_EMPTY;
	r->canonical = r->parsed ? canonical_mailbox(a, &r->parts) : arena_lower(a, r->address);
	plan_keep(&r->plan);
	vec_push(&t->rcpt, r);
	return r;
}

static void
verdict_say(struct verdict *v, enum verdict_kind kind, const char *enhanced, const char *text)
{
	v->kind = kind;
	snprintf(v->enhanced, sizeof v->enhanced, "%s", enhanced);
	buf_puts(&v->lines, text);
	buf_putc(&v->lines, '\n');
}

static void
session_refuse(struct transaction *t, struct rcpt *r, struct verdict *ret)
{
	ret->kind = VERDICT_REFUSE;
	reason_verdict(t->conf, &r->plan, ret);
}

/* Why there is no room for one more; NULL: there is.  text, enhanced: for the sender. */
struct crowd {
	const char *why, *enhanced, *text;
};

static const struct crowd *
session_crowd(const struct session *s)
{
	static const struct crowd connections = {
		"there are more connections than descriptors for them", "4.3.2", "too many connections; later",
	}, recipients = {
		"there are more recipients than max_recipients", "4.5.3", "too many recipients of one message; the others later",
	};

	if (s->t->rcpt.n >= s->t->conf->max_recipients)
		return &recipients;
	return s->crowded && !s->t->local ? &connections : NULL;
}

/* A message that is submitted here comes as a whole or never, and nobody waits for rules that are only watched: they get
 * it without. */
static void
session_turn_away(struct transaction *t, struct rcpt *r, const struct crowd *crowd, struct verdict *ret)
{
	r->trouble = crowd->why;
	if (run_is_watched(t, r) || t->local)
		return;
	log_line(LOG_WARNING, t->id.s, "rcpt=%.*s verdict=again why=%s", STR_ARG(r->address), crowd->why);
	verdict_say(ret, VERDICT_AGAIN, crowd->enhanced, crowd->text);
	t->rcpt.n--;
	pool_give_rcpt(t, r);
}

void
session_rcpt(struct session *s, const struct mta *mta, char **argv, struct verdict *ret)
{
	struct transaction *t = s->t;
	const struct crowd *crowd;
	struct rcpt *r;

	if (!t || !argv[0])
		return;
	daemon_point(t->daemon, POINT_RCPT);
	session_id(t, mta);
	if (t->conf->mode == CONF_STRIP)
		return;
	r = session_find(t, str_from(argv[0]));
	if (r && r->refused)
		session_refuse(t, r, ret);
	if (r)
		return;
	crowd = session_crowd(s);
	r = session_add(t, mta, argv);
	if (crowd) {
		session_turn_away(t, r, crowd, ret);
		return;
	}
	t->deadline = moment_clock() + (int64_t)t->conf->rcpt_deadline * 1000;
	if (run_find(t, r) < 0) {
		log_line(LOG_WARNING, t->id.s, "rcpt=%.*s verdict=again why=%s", STR_ARG(r->address), r->trouble);
		verdict_say(ret, VERDICT_AGAIN, "4.3.0", "rules cannot be read now");
		t->rcpt.n--;
		pool_give_rcpt(t, r);
		return;
	}
	/* a refusal is all that can be done now: what others decide by the envelope they decide at the header as well */
	if (r->rules && r->rules->effects & 1u << TAMIS_REJECT)
		run_stage(t, r, TAMIS_ENVELOPE, 0);
	if (t->ours || r->effect < CONF_REFUSE || !(r->no_bounce || run_refuses_early(r)))
		return;
	r->refused = true;
	session_refuse(t, r, ret);
	transaction_log_rcpt(t, r, "refused");
}

/* --- fields that only we and our verifier may write (mode = strip) */

static bool
is_forged(const struct conf *conf, struct str name, struct str value)
{
	return str_istarts(name, STR("Tamis-")) ||
	       (str_iis(name, "Authentication-Results") && sender_is_result(value, str_from(conf->authserv_id)));
}

/* The header without them; false: there are none. */
static bool
session_strip(const struct transaction *t, struct buf *ret)
{
	struct str rest = buf_str(&t->header), name, value;
	bool any = false;

	for (struct str at = rest; fields_next(&rest, &name, &value); at = rest) {
		if (is_forged(t->conf, name, value))
			any = true;
		else
			buf_add(ret, str_sub(at, 0, at.len - rest.len));
	}
	return any;
}

static void
session_strip_end(struct transaction *t, const struct mta *mta, struct verdict *ret)
{
	struct buf clean = { 0 };

	if (session_strip(t, &clean)) {
		log_line(LOG_NOTICE, t->id.s, "sender=%s client=%s forged=%s", t->sender.s, t->client_ip.s, "removed");
		if (fields_change(mta, buf_str(&t->header), buf_str(&clean)) < 0)
			verdict_say(ret, VERDICT_AGAIN, "4.3.0", "header fields cannot be removed now");
	}
	buf_done(&clean);
}

/* --- the message */

/* Of a Received field: was it a copy of ours that was received? */
static bool
field_is_of_copy(struct str value)
{
	static const char ours[] = " (tamis ";
	const char *end = value.s + value.len;

	/* the bracket first: blanks are everywhere */
	for (const char *p = value.s; (p = memchr(p, ours[1], (size_t)(end - p))); p++)
		if (p > value.s && str_starts((struct str){ p - 1, (size_t)(end - p) + 1 }, STR(ours)))
			return true;
	return false;
}

static void
field_count(struct transaction *t, struct str name, struct str value)
{
	t->nfields++;
	if (str_iis(name, "Received")) {
		t->hops++;
		t->copies += field_is_of_copy(value);
	}
	t->redirected += str_iis(name, "Tamis-Redirected");
}

void
session_field(struct session *s, const char *name, const char *value)
{
	struct transaction *t = s->t;
	const char *line = strchrnul(value, '\n');
	struct str field = str_from(name), body = { value, (size_t)(line - value) };
	size_t before;

	if (!t)
		return;
	if (*line)
		body.len += strlen(line);
	daemon_point(t->daemon, POINT_FIELD);
	field_count(t, field, body);
	if (t->header_over)
		return;
	before = t->header.len;
	fields_add(&t->header, field, body, *line);
	if (t->conf->mode == CONF_STRIP || t->header.len <= t->conf->max_header)
		return;
	t->header_over = true;
	t->header.len = before;
}

static void
session_stage(struct transaction *t, enum tamis_stage stage, uint64_t seconds)
{
	t->deadline = moment_clock() + (int64_t)seconds * 1000;
	for (size_t i = 0; i < t->rcpt.n; i++)
		run_stage(t, t->rcpt.v[i], stage, t->rcpt.n - i - 1);
}

/* Does the body, or its size, matter to those who are not decided? */
static void
session_wants(struct transaction *t)
{
	for (size_t i = 0; i < t->rcpt.n; i++) {
		const struct rcpt *r = t->rcpt.v[i];

		if (!r->rules || r->outcome || r->trouble)
			continue;
		t->want_body |= (r->rules->needs & TAMIS_NEEDS_BODY) != 0;
		t->want_size |= (r->rules->needs & TAMIS_NEEDS_SIZE) != 0;
	}
	/* what left already is to be known by its body, though there may be no room for that any more */
	t->hashing = copy_known(t);
	if (t->hashing)
		digest_init(&t->body_digest);
	t->want_body |= apply_needs_body(t) || t->hashing;
}

void
session_header_end(struct session *s, const struct mta *mta, struct verdict *ret)
{
	struct transaction *t = s->t;

	if (!t)
		return;
	daemon_point(t->daemon, POINT_HEADER_END);
	session_id(t, mta);
	if (t->conf->mode == CONF_STRIP) {
		struct buf clean = { 0 };

		if (!session_strip(t, &clean))
			ret->kind = VERDICT_ACCEPT;
		buf_done(&clean);
		return;
	}
	buf_puts(&t->header, "\r\n");
	tamis_message_header(t->message, text_of(buf_str(&t->header)));
	session_stage(t, TAMIS_HEADER, t->conf->rcpt_deadline);
	session_wants(t);
	if (!t->want_body && !t->want_size && apply_nothing(t)) {
		transaction_log(t, "pass");
		session_forget(s);
		ret->kind = VERDICT_ACCEPT;
	}
}

void
session_body(struct session *s, struct str chunk, struct verdict *ret)
{
	struct transaction *t = s->t;

	if (!t)
		return;
	daemon_point(t->daemon, POINT_BODY);
	t->size += chunk.len;
	if (t->hashing)
		digest_add(&t->body_digest, chunk);
	/* a chunk that cannot be kept is an error at the end, where it can be answered */
	if (t->want_body)
		spool_add(&t->body, chunk, t->conf->max_memory, t->conf->spill_dir);
	else if (!t->want_size)
		ret->kind = VERDICT_SKIP;
}

static void
session_apply(struct transaction *t, const struct mta *mta, struct verdict *ret)
{
	t->ending = mta;
	apply_message(t, mta, ret);
	t->ending = NULL;
}

void
session_end(struct session *s, const struct mta *mta, struct verdict *ret)
{
	struct transaction *t = s->t;

	if (!t)
		return;
	daemon_point(t->daemon, POINT_END);
	session_id(t, mta);
	if (t->conf->mode == CONF_STRIP)
		session_strip_end(t, mta, ret);
	else
		session_apply(t, mta, ret);
	daemon_point(t->daemon, POINT_VERDICT);
	session_forget(s);
}
