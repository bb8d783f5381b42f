/* answer.c - what a command line knows of a message besides its bytes
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <unistd.h>

#include "host/answer.h"
#include "host/moment.h"
#include "host/text.h"

/* The fields that an envelope is made of: first those of the sender, in the
 * order in which they are believed, then those of the recipient. */
enum { FIELDS = 6, SENDERS = 3 };
static const struct str answer_names[FIELDS] = {
	{ "return-path", 11 }, { "sender", 6 }, { "from", 4 },
	{ "delivered-to", 12 }, { "x-original-to", 13 }, { "to", 2 },
};

static void
answer_fact(struct answer *a, struct str name, const char *value)
{
	size_t i;

	for (i = 0; i < a->fact.n; i++) {
		if (str_ieq(a->fact.v[i].name, name)) {
			free(a->fact.v[i].value);
			a->fact.v[i].value = mem_strdup(value);
			return;
		}
	}
	vec_push(&a->fact, (struct answer_fact){ name, mem_strdup(value) });
}

void
answer_init(struct answer *a, struct rules *rules)
{
	char host[256] = "localhost";
	const char *dot;

	*a = (struct answer){ .rules = rules, .now = moment_now() };
	if (gethostname(host, sizeof(host) - 1) < 0)
		strcpy(host, "localhost");
	dot = strchr(host, '.');
	answer_fact(a, STR("name"), "tamis");
	answer_fact(a, STR("version"), tamis_version());
	answer_fact(a, STR("host"), host);
	answer_fact(a, STR("domain"), dot ? dot + 1 : host);
	answer_fact(a, STR("location"), "MDA");         /* RFC 5183 4.1 */
	answer_fact(a, STR("phase"), "during");
}

void
answer_done(struct answer *a)
{
	size_t i;

	for (i = 0; i < a->fact.n; i++)
		free(a->fact.v[i].value);
	for (i = 0; i < a->text.n; i++)
		free(a->text.v[i]);
	vec_done(&a->fact);
	vec_done(&a->text);
}

int
answer_env(struct answer *a, struct str setting)
{
	ptrdiff_t eq = str_find(setting, STR("="));
	char *name;

	if (eq <= 0)
		return -1;
	name = mem_alloc(setting.len + 1);
	memcpy(name, setting.s, setting.len);
	name[setting.len] = name[eq] = '\0';
	vec_push(&a->text, name);
	answer_fact(a, (struct str){ name, (size_t)eq }, name + eq + 1);
	return 0;
}

/* Up to the end of a quoted string or comment that begins at *p. */
static const char *
answer_skip(const char *p, const char *end)
{
	char close = *p == '"' ? '"' : ')', open = *p;
	int depth = 0;

	for (; p < end; p++) {
		if (*p == '\\' && p + 1 < end)
			p++;
		else if (*p == close && (open == '(' ? --depth == 0 : depth++ > 0))
			return p + 1;
		else if (open == '(' && *p == '(')
			depth++;
	}
	return end;
}

/* The first address of a field's body: what stands in the first "<>", be it
 * nothing, else the first word; s is NULL if there is none. */
static struct str
answer_first(struct str v)
{
	const char *p = v.s, *end = v.s + v.len, *word = NULL, *stop = NULL;

	for (; p < end && *p != '<' && *p != ','; p++) {
		if (*p == '(') {
			stop = word && !stop ? p : stop;
			p = answer_skip(p, end) - 1;
		} else if (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n') {
			stop = word && !stop ? p : stop;
		} else if (*p == ';') {
			break;
		} else if (*p == ':') {         /* a group's name ends */
			word = stop = NULL;
		} else {
			word = word ? word : p;
			if (*p == '"')
				p = answer_skip(p, end) - 1;
		}
	}
	if (p < end && *p == '<') {
		word = ++p;
		while (p < end && *p != '>')
			p = *p == '"' ? answer_skip(p, end) : p + 1;
		return str_trim((struct str){ word, (size_t)(p - word) });
	}
	if (!word)
		return (struct str){ NULL, 0 };
	return (struct str){ word, (size_t)((stop ? stop : p) - word) };
}

/* Which of the fields a line begins, or -1. */
static int
answer_which(const char *line, const char *stop)
{
	const char *colon;
	struct str name;
	int i;

	/* most lines end here */
	switch (char_lower(*line)) {
	case 'r': case 's': case 'f': case 'd': case 'x': case 't':
		break;
	default:
		return -1;
	}
	colon = memchr(line, ':', (size_t)(stop - line));
	if (!colon)
		return -1;
	name = (struct str){ line, (size_t)(colon - line) };
	while (name.len && (name.s[name.len - 1] == ' ' || name.s[name.len - 1] == '\t'))
		name.len--;
	for (i = 0; i < FIELDS; i++)
		if (name.len == answer_names[i].len && str_ieq(name, answer_names[i]))
			return i;
	return -1;
}

/* The bodies of the fields, each the first of its name; s is NULL where there is none. */
static void
answer_fields(struct str header, struct str ret[FIELDS])
{
	const char *p = header.s, *end = header.s + header.len, *stop;
	struct str *field = NULL;
	int i;

	for (i = 0; i < FIELDS; i++)
		ret[i] = (struct str){ NULL, 0 };
	for (; p < end; p = stop) {
		stop = memchr(p, '\n', (size_t)(end - p));
		stop = stop ? stop + 1 : end;
		if (*p == ' ' || *p == '\t') {
			if (field)
				field->len = (size_t)(stop - field->s);
			continue;
		}
		i = answer_which(p, stop);
		field = i < 0 || ret[i].s ? NULL : &ret[i];
		if (field) {
			field->s = (const char *)memchr(p, ':', (size_t)(stop - p)) + 1;
			field->len = (size_t)(stop - field->s);
		}
	}
}

/* The first of n fields that there is and has an address decides. */
static struct str
answer_choose(const struct str *field, int n)
{
	struct str v;
	int i;

	for (i = 0; i < n; i++) {
		if (!field[i].s)
			continue;
		v = answer_first(field[i]);
		if (v.s)
			return v;
	}
	return STR_EMPTY;
}

void
answer_envelope(struct str header, struct str *ret_sender, struct str *ret_recipient)
{
	struct str field[FIELDS];

	answer_fields(header, field);
	*ret_sender = answer_choose(field, SENDERS);
	*ret_recipient = answer_choose(field + SENDERS, FIELDS - SENDERS);
}

void
answer_message(struct answer *a, struct tamis_message *m, struct str header, struct str body, uint64_t size)
{
	size_t i;

	answer_envelope(header, &a->sender, &a->recipient);
	if (a->from)
		a->sender = str_from(a->from);
	if (a->to)
		a->recipient = str_from(a->to);
	tamis_message_reset(m);
	tamis_message_fact(m, text_of(STR("from")), text_of(a->sender));
	for (i = 0; i < a->fact.n; i++)
		tamis_message_fact(m, text_of(a->fact.v[i].name), text_from(a->fact.v[i].value));
	tamis_message_header(m, text_of(header));
	tamis_message_body(m, text_of(body), size);
}

struct tamis_recipient *
answer_recipient(struct answer *a, struct tamis_message *m)
{
	struct str to = a->recipient.len ? a->recipient : STR("nobody@localhost");

	return tamis_recipient_new(m, text_of(to), a->now, a->seed);
}

enum tamis_answer
answer_ask(void *ctx, struct tamis_recipient *r, struct tamis_text what, struct tamis_text key, struct tamis_text *ret)
{
	struct answer *a = ctx;
	struct str value;

	(void)r;
	if (!a->memory || !memory_get(a->memory, text_str(what), text_str(key), a->now, &value))
		return TAMIS_NO;
	*ret = text_of(value);
	return TAMIS_YES;
}

static int
answer_load(void *ctx, struct tamis_text kind, struct tamis_text name, struct tamis_text *ret)
{
	struct answer *a = ctx;

	return rules_load(a->rules, kind, name, ret);
}

static void
answer_report(void *ctx, const struct tamis_diagnostic *t)
{
	struct answer *a = ctx;

	if (a->report)
		a->report(a->report_ctx, t);
	else
		diag_report(a->rules->diag, t);
}

static void
answer_trace(void *ctx, const struct tamis_event *event)
{
	struct answer *a = ctx;

	a->trace(a->trace_ctx, event);
}

static bool
answer_allow(void *ctx, struct tamis_text extension)
{
	struct answer *a = ctx;

	return rules_allow(a->rules, extension);
}

struct tamis_host
answer_host(struct answer *a)
{
	return (struct tamis_host){
		.ctx = a,
		.limits = &a->rules->limits,
		.allow = answer_allow,
		.load = answer_load,
		.ask = answer_ask,
		.report = answer_report,
		.trace = a->trace ? answer_trace : NULL,
	};
}
