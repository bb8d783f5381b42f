/* svtest_scene.c - the message of a test suite, and its envelope
 * SPDX-License-Identifier: BSD-2-Clause */
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/print.h"
#include "host/text.h"
#include "tamis/svtest.h"

const char svtest_scene_default[] =
	"From: sender@example.com\nTo: recipient@example.org\nSubject: Frop!\n\nFriep!\n";

/* What suites expect to find around them. */
static const struct {
	const char *name, *value;
} svtest_facts[] = {
	{ "name", "Pigeonhole Sieve" }, { "location", "MS" }, { "phase", "post" },
	{ "vnd.dovecot.default-mailbox", "INBOX" },
};

/* --- addresses in fields, found by the engine itself: it files into them */

#define FILE_IF(condition, field) \
	condition " allof (address :localpart :matches \"" field "\" \"?*\", address :matches \"" field "\" \"?*\") {" \
	" fileinto \"${0}\"; }\n"
static const char *const svtest_scene_rules[] = {
	"require [\"fileinto\", \"variables\"];\n" FILE_IF("if", "return-path") FILE_IF("elsif", "sender")
	FILE_IF("elsif", "from"),
	"require [\"fileinto\", \"variables\"];\n" FILE_IF("if", "envelope-to") FILE_IF("elsif", "to"),
};
enum { SENDER, RECIPIENT };

static struct str
svtest_scene_address(struct svtest *t, const struct svtest_scene *s, int which, struct str otherwise)
{
	struct tamis_program **p = &t->addresses[which];
	struct str rules = str_from(svtest_scene_rules[which]), found = STR_EMPTY;
	const struct tamis_effect *e = NULL;
	struct tamis_recipient *r;
	struct tamis_outcome *o;

	if (!*p)
		*p = tamis_compile(NULL, text_from("addresses"), text_of(rules), 0);
	r = tamis_recipient_new(s->message, text_from(""), 0, NULL);
	o = tamis_outcome_new(r);
	if (*p && tamis_run(*p, o, TAMIS_BODY, NULL) == TAMIS_DECIDED && (e = tamis_outcome_next(o, NULL)) &&
	    e->kind == TAMIS_FILE)
		found = svtest_host_keep(t, print_option(e, "mailbox"));
	tamis_outcome_free(o);
	tamis_recipient_free(r);
	return found.len ? found : otherwise;
}

/* --- messages */

static const char *
svtest_scene_login(void)
{
	const struct passwd *p = getpwuid(geteuid());

	return p && p->pw_name && *p->pw_name ? p->pw_name : "user";
}

static void
svtest_scene_fact(struct tamis_message *m, const char *name, struct str value)
{
	tamis_message_fact(m, text_from(name), text_of(value));
}

/* A message without facts and recipient. */
static struct svtest_scene *
svtest_scene_new(struct svtest *t, struct str text)
{
	struct svtest_scene *s = mem_alloc(sizeof(*s));
	struct str header, body;
	bool found;
	size_t n;

	*s = (struct svtest_scene){ .text = svtest_host_keep(t, text), .message = tamis_message_new(), .flags = STR_EMPTY };
	n = source_header_end(s->text, &found);
	header = str_sub(s->text, 0, n);
	body = str_sub(s->text, n, s->text.len);
	tamis_message_header(s->message, text_of(header));
	tamis_message_body(s->message, text_of(body), source_octets(header) + source_octets(body));
	return s;
}

void
svtest_scene_settings(struct svtest *t)
{
	struct tamis_message *m = svtest_scene_current(t)->message;
	struct str delimiter = STR("+");

	svtest_config_get(t, "recipient_delimiter", &delimiter);
	svtest_scene_fact(m, "vnd.tamis.recipient-delimiter", delimiter);
	svtest_scene_fact(m, "vnd.tamis.protect-add", svtest_config_protected(t, "forbid_add"));
	svtest_scene_fact(m, "vnd.tamis.protect-delete", svtest_config_protected(t, "forbid_delete"));
}

static void
svtest_scene_facts(struct svtest *t, struct svtest_scene *s)
{
	size_t i;

	svtest_scene_fact(s->message, "from", s->envelope.from);
	svtest_scene_fact(s->message, "auth", s->envelope.auth);
	svtest_scene_fact(s->message, "orig_to", s->envelope.orig_to);
	svtest_scene_fact(s->message, "vnd.tamis.flags", s->flags);
	for (i = 0; i < sizeof(svtest_facts) / sizeof(*svtest_facts); i++)
		svtest_scene_fact(s->message, svtest_facts[i].name, str_from(svtest_facts[i].value));
	for (i = 0; i < t->session.answer.fact.n; i++) {
		const struct answer_fact *f = &t->session.answer.fact.v[i];

		if (str_is(f->name, "host") || str_is(f->name, "domain") || str_is(f->name, "version"))
			tamis_message_fact(s->message, text_of(f->name), text_from(f->value));
	}
	svtest_scene_fact(s->message, "vnd.dovecot.username", str_from(svtest_scene_login()));
}

/* It becomes the current one, for what runs already as well. */
static void
svtest_scene_enter(struct svtest *t, struct svtest_scene *s)
{
	svtest_scene_facts(t, s);
	s->recipient = tamis_recipient_new(s->message, text_of(s->envelope.to), t->session.answer.now, t->session.answer.seed);
	vec_push(&t->scene, s);
	svtest_scene_settings(t);
	if (t->outcome)
		tamis_outcome_switch(t->outcome, s->recipient);
}

static void
svtest_scene_received(struct svtest *t, struct svtest_scene *s)
{
	s->envelope.from = svtest_scene_address(t, s, SENDER, STR("sender@example.com"));
	s->envelope.to = s->envelope.orig_to = svtest_scene_address(t, s, RECIPIENT, STR("recipient@example.com"));
	s->envelope.auth = svtest_host_keep(t, str_from(svtest_scene_login()));
	svtest_scene_enter(t, s);
}

void
svtest_scene_message(struct svtest *t, struct str text)
{
	svtest_scene_received(t, svtest_scene_new(t, text));
}

void
svtest_scene_stored(struct svtest *t, const struct svtest_stored *stored)
{
	struct svtest_scene *s = svtest_scene_new(t, stored->text);

	s->flags = stored->flags;
	svtest_scene_received(t, s);
}

void
svtest_scene_sent(struct svtest *t, const struct svtest_sent *sent)
{
	struct svtest_scene *s = svtest_scene_new(t, sent->text);

	s->envelope = svtest_scene_current(t)->envelope;
	s->envelope.from = sent->from;
	s->envelope.to = s->envelope.orig_to = sent->to;
	svtest_scene_enter(t, s);
}

void
svtest_scene_envelope(struct svtest *t, const struct svtest_envelope *e)
{
	struct svtest_scene *s = svtest_scene_new(t, svtest_scene_current(t)->text);

	s->envelope = *e;
	s->flags = svtest_scene_current(t)->flags;
	svtest_scene_enter(t, s);
}

void
svtest_scene_refresh(struct svtest *t)
{
	svtest_scene_envelope(t, &svtest_scene_current(t)->envelope);
}

struct svtest_scene *
svtest_scene_current(struct svtest *t)
{
	return t->scene.v[t->scene.n - 1];
}

void
svtest_scene_done(struct svtest *t)
{
	size_t i;

	for (i = 0; i < t->scene.n; i++) {
		tamis_recipient_free(t->scene.v[i]->recipient);
		tamis_message_free(t->scene.v[i]->message);
		free(t->scene.v[i]);
	}
	vec_done(&t->scene);
}

/* --- paths */

/* Of the local part and the domain of a path only what no path can have is refused. */
static bool
svtest_scene_plain(struct str v)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < v.len; i++) {
		unsigned char c = (unsigned char)v.s[i];

		if (c == '"')
			quoted = !quoted;
		else if (quoted && c == '\\')
			i++;
		else if (c < ' ' || c == 0x7f || (!quoted && strchr(" <>()[],;:@", c) && c))
			return false;
	}
	return v.len > 0 && !quoted;
}

bool
svtest_scene_path(struct str path, bool null_too, bool local_too, struct str *ret)
{
	struct str local, domain;

	path = str_trim(path);
	if (path.len > 1 && path.s[0] == '<' && path.s[path.len - 1] == '>')
		path = str_sub(path, 1, path.len - 1);
	*ret = path;
	if (!path.len)
		return null_too;
	if (!str_split_last(path, '@', &local, &domain))
		return local_too && svtest_scene_plain(path);
	if (domain.len > 2 && domain.s[0] == '[' && domain.s[domain.len - 1] == ']')
		domain = STR("literal");
	return svtest_scene_plain(local) && svtest_scene_plain(domain);
}

/* --- bytes */

static int
svtest_scene_bytes(void *ctx, struct tamis_text text)
{
	buf_add(ctx, text_str(text));
	return 0;
}

struct str
svtest_scene_text(struct svtest *t, const struct tamis_outcome *o, unsigned version)
{
	struct buf b = { 0 };
	struct str text;

	tamis_outcome_write(o, version, svtest_scene_bytes, &b);
	text = svtest_host_keep(t, buf_str(&b));
	buf_done(&b);
	return text;
}
