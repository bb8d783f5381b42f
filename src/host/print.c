/* print.c - a plan in words
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/utf8.h"
#include "host/print.h"
#include "host/text.h"

enum { BARE_MAX = 4 };

/* What an effect is about: these options are shown as plain strings, in this
 * order, behind the others, which are shown as tags.  `many` of them differ
 * from message to message and are left out of summaries; a silent kind is
 * the host's business, and shown to nobody but programs. */
static const struct print_kind {
	const char *bare[BARE_MAX];
	bool many, silent;
} print_kinds[TAMIS_EFFECTS] = {
	[TAMIS_KEEP] = { { NULL }, false, false },
	[TAMIS_DISCARD] = { { NULL }, false, false },
	[TAMIS_REJECT] = { { "reason", "text" }, true, false },
	[TAMIS_FILE] = { { "mailbox" }, false, false },
	[TAMIS_REDIRECT] = { { "address" }, false, false },
	[TAMIS_SEND] = { { "reason", "text", "message" }, true, false },
	[TAMIS_HEADER_ADD] = { { "field", "value" }, true, false },
	[TAMIS_HEADER_DELETE] = { { "field" }, true, false },
	[TAMIS_HEADER_REPLACE] = { { "field", "value" }, true, false },
	[TAMIS_BODY_REPLACE] = { { "text", "body" }, true, false },
	[TAMIS_QUARANTINE] = { { "reason", "text" }, true, false },
	[TAMIS_REMEMBER] = { { "what", "key", "value" }, true, true },
	[TAMIS_NOTIFY] = { { "method" }, true, false },
	[TAMIS_HOLD] = { { "reason", "text" }, true, false },
};

struct str
print_option(const struct tamis_effect *e, const char *name)
{
	size_t i;

	for (i = 0; i < e->noptions; i++)
		if (str_is(text_str(e->options[i].name), name))
			return text_str(e->options[i].value);
	return STR_EMPTY;
}

void
print_quoted(struct buf *b, struct str v)
{
	buf_putc(b, '"');
	while (v.len) {
		uint32_t code;
		size_t n = utf8_next(v, &code);

		if (n && (code == '"' || code == '\\'))
			buf_printf(b, "\\%c", (char)code);
		else if (n && code == '\n')
			buf_puts(b, "\\n");
		else if (n && code == '\t')
			buf_puts(b, "\\t");
		else if (n && (code >= 0xa0 || (code >= ' ' && code < 0x7f)))
			buf_add(b, str_sub(v, 0, n));
		else if (n && code == '\r' && v.len > 1 && v.s[1] == '\n')
			n = 1;          /* CRLF and LF look the same */
		else
			diag_clean(b, str_sub(v, 0, n ? n : 1));
		v = str_sub(v, n ? n : 1, v.len);
	}
	buf_putc(b, '"');
}

static const struct print_kind *
print_kind(const struct tamis_effect *e)
{
	static const struct print_kind unknown = { { NULL }, false, false };

	return (unsigned)e->kind < TAMIS_EFFECTS ? &print_kinds[e->kind] : &unknown;
}

bool
print_is_silent(const struct tamis_effect *e)
{
	return print_kind(e)->silent;
}

static bool
print_is_bare(const struct print_kind *k, struct str name)
{
	size_t i;

	for (i = 0; i < BARE_MAX && k->bare[i]; i++)
		if (str_is(name, k->bare[i]))
			return true;
	return false;
}

/* An option may be given several times. */
static void
print_bare(struct buf *b, const struct tamis_effect *e, const struct print_kind *k)
{
	size_t i, j;

	for (i = 0; i < BARE_MAX && k->bare[i]; i++) {
		for (j = 0; j < e->noptions; j++) {
			if (!str_is(text_str(e->options[j].name), k->bare[i]))
				continue;
			buf_putc(b, ' ');
			print_quoted(b, text_str(e->options[j].value));
		}
	}
}

void
print_effect(struct buf *b, const struct tamis_effect *e)
{
	const struct print_kind *k = print_kind(e);
	size_t i;

	buf_add(b, text_str(e->name));
	for (i = 0; i < e->noptions; i++) {
		if (print_is_bare(k, text_str(e->options[i].name)))
			continue;
		buf_printf(b, " :%.*s", STR_ARG(text_str(e->options[i].name)));
		if (e->options[i].value.len) {
			buf_putc(b, ' ');
			print_quoted(b, text_str(e->options[i].value));
		}
	}
	print_bare(b, e, k);
}

bool
print_effect_short(struct buf *b, const struct tamis_effect *e)
{
	const struct print_kind *k = print_kind(e);

	if (k->silent)
		return false;
	buf_add(b, text_str(e->name));
	if (!k->many)
		print_bare(b, e, k);
	return true;
}

const char *
print_status(enum tamis_status s)
{
	static const char *const names[] = {
		[TAMIS_DECIDED] = "decided", [TAMIS_UNDECIDED] = "undecided",
		[TAMIS_WAITING] = "waiting", [TAMIS_FAILED] = "failed",
	};

	return names[s];
}

bool
print_final(enum tamis_status s)
{
	return s == TAMIS_DECIDED || s == TAMIS_FAILED;
}

void
print_plan(struct buf *b, const struct tamis_outcome *o, enum tamis_status s)
{
	const struct tamis_effect *e = NULL;

	if (!print_final(s)) {
		buf_printf(b, "%s\n", print_status(s));
		return;
	}
	while ((e = tamis_outcome_next(o, e))) {
		if (print_kind(e)->silent)
			continue;
		print_effect(b, e);
		buf_putc(b, '\n');
	}
}

static void
print_joined(struct buf *b, const struct tamis_outcome *o, enum tamis_status s, bool brief)
{
	const struct tamis_effect *e = NULL;
	size_t start = b->len;

	if (!print_final(s)) {
		buf_puts(b, print_status(s));
		return;
	}
	while ((e = tamis_outcome_next(o, e))) {
		if (print_kind(e)->silent)
			continue;
		if (b->len > start)
			buf_puts(b, ", ");
		if (brief)
			print_effect_short(b, e);
		else
			print_effect(b, e);
	}
	if (b->len == start)
		buf_puts(b, "nothing");
}

void
print_plan_line(struct buf *b, const struct tamis_outcome *o, enum tamis_status s)
{
	print_joined(b, o, s, false);
}

void
print_plan_short(struct buf *b, const struct tamis_outcome *o, enum tamis_status s)
{
	print_joined(b, o, s, true);
}

void
print_error(struct buf *b, const struct diag *d, const struct tamis_diagnostic *t)
{
	buf_printf(b, "%s: ", diag_severity(t));
	if (t->place.file.len) {
		diag_clean(b, diag_path(d, text_str(t->place.file)));
		if (t->place.line)
			buf_printf(b, ":%u:%u", t->place.line, t->place.column);
		buf_puts(b, ": ");
	}
	diag_clean(b, str_from(t->text));
	buf_putc(b, '\n');
}

/* A string; a flag is true; what is given several times is a list. */
static void
print_option_json(json_t *o, const struct tamis_option *option)
{
	json_t *value = option->value.len ? json_text(text_str(option->value)) : json_true();
	struct buf name = { 0 };
	json_t *old, *list;

	buf_add(&name, text_str(option->name));
	old = json_object_get(o, buf_str(&name).s);
	if (!old) {
		json_put(o, name.s, value);
	} else if (json_is_array(old)) {
		json_array_append_new(old, value);
	} else {
		list = json_array();
		json_array_append(list, old);
		json_array_append_new(list, value);
		json_put(o, name.s, list);
	}
	buf_done(&name);
}

static json_t *
print_effect_json(const struct diag *d, const struct tamis_effect *e)
{
	json_t *o = json_object();
	size_t i;

	json_put(o, "effect", json_text(text_str(e->name)));
	for (i = 0; i < e->noptions; i++)
		print_option_json(o, &e->options[i]);
	if (e->implicit)
		json_put(o, "implicit", json_true());
	if (e->version)
		json_put(o, "version", json_integer(e->version));
	if (e->place.line) {
		json_put(o, "file", json_text(diag_path(d, text_str(e->place.file))));
		json_put(o, "line", json_integer(e->place.line));
		json_put(o, "column", json_integer(e->place.column));
	}
	return o;
}

json_t *
print_json(const struct diag *d, struct str message, const struct tamis_outcome *outcome, enum tamis_status s)
{
	json_t *o = json_object(), *effects = json_array();
	const struct tamis_effect *e = NULL;

	json_put(o, "message", json_text(message));
	json_put(o, "status", json_text(str_from(print_status(s))));
	if (tamis_outcome_degraded(outcome))
		json_put(o, "degraded", json_true());
	if (print_final(s))
		while ((e = tamis_outcome_next(outcome, e)))
			json_array_append_new(effects, print_effect_json(d, e));
	json_put(o, "effects", effects);
	return o;
}
