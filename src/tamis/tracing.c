/* tracing.c - the events of a run, as lines
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "host/text.h"
#include "tamis/tracing.h"
#include "tamis/words.h"

enum {
	VALUES_SHOWN = 5,               /* of one test, below TRACING_ALL */
	TEXT_SHOWN = 160                /* bytes of one text, below TRACING_ALL */
};

static const char *
tracing_result(int result)
{
	return result > 0 ? "= true" : result ? "= unknown" : "= false";
}

static const struct {
	const char *name;
	enum tracing_level level;
} tracing_events[] = {
	[TAMIS_RULE] = { "rule", TRACING_RULES },
	[TAMIS_RULE_END] = { "rule-end", TRACING_RULES },
	[TAMIS_TEST] = { "test", TRACING_TESTS },
	[TAMIS_VALUE] = { "value", TRACING_TESTS },
	[TAMIS_MATCHED] = { "matched", TRACING_TESTS },
	[TAMIS_NEAREST] = { "nearest", TRACING_TESTS },
	[TAMIS_RESULT] = { "result", TRACING_TESTS },
	[TAMIS_ACTION] = { "action", TRACING_ACTIONS },
	[TAMIS_ASKED] = { "asked", TRACING_TESTS },
	[TAMIS_ASSIGNED] = { "assigned", TRACING_TESTS },
};

json_t *
tracing_json(const struct tracing *t, const struct tamis_event *e)
{
	json_t *o = json_object();

	json_put(o, "event", json_text(str_from(tracing_events[e->kind].name)));
	json_put(o, "file", json_text(diag_path(t->diag, text_str(e->place.file))));
	json_put(o, "line", json_integer(e->place.line));
	json_put(o, "column", json_integer(e->place.column));
	if (e->name.len)
		json_put(o, "name", json_text(text_str(e->name)));
	if (e->text.len || e->kind == TAMIS_MATCHED || e->kind == TAMIS_NEAREST || e->kind == TAMIS_ASSIGNED)
		json_put(o, "text", json_text(text_str(e->text)));
	if (e->value.len || e->kind == TAMIS_VALUE)
		json_put(o, "value", json_text(text_str(e->value)));
	if (e->kind == TAMIS_VALUE && e->result < 0)
		json_put(o, "counted", json_true());
	if (e->kind == TAMIS_RULE_END || e->kind == TAMIS_RESULT)
		json_put(o, "result", json_truth(e->result));
	return o;
}

/* "   7  " before what is at line 7; the file's name above it when that changes. */
static void
tracing_line(struct tracing *t, const struct tamis_place *p)
{
	struct str path = diag_path(t->diag, text_str(p->file));

	if (!t->file || !str_is(path, t->file)) {
		free(t->file);
		t->file = mem_alloc(path.len + 1);
		memcpy(t->file, path.s, path.len);
		t->file[path.len] = '\0';
		diag_clean(&t->line, path);
		buf_putc(&t->line, '\n');
	}
	buf_printf(&t->line, "%5u  ", p->line);
}

static size_t
tracing_max(const struct tracing *t)
{
	return t->level < TRACING_ALL ? TEXT_SHOWN : 0;
}

/* The words at the place, behind its line number. */
static void
tracing_source(struct tracing *t, const struct tamis_place *p, struct tamis_text name)
{
	struct str v = diag_text(t->diag, p);

	words_flat(&t->line, v.len ? v : text_str(name), tracing_max(t));
}

/* Is the condition nothing but this test?  Then it is not shown twice. */
static bool
tracing_alone(const struct tracing *t, const struct tamis_event *e)
{
	struct str rule = t->rule, test = diag_text(t->diag, &e->place);
	struct str word;

	if (!test.len || test.len >= rule.len || test.s < rule.s || test.s + test.len != rule.s + rule.len)
		return false;
	word = str_trim((struct str){ rule.s, (size_t)(test.s - rule.s) });
	return words_token(word) == word.len;
}

static struct str
tracing_value(const struct tamis_event *e)
{
	return text_str(e->value.len ? e->value : e->text);
}

static void
tracing_saw(struct tracing *t, const char *word, struct str v)
{
	buf_printf(&t->line, "%15s%-8s ", "", word);
	words_quoted(&t->line, v, tracing_max(t));
	buf_putc(&t->line, '\n');
}

/* What a command assigns is told before the command itself. */
static void
tracing_assigned(struct tracing *t, const struct tamis_event *e)
{
	buf_printf(&t->assigned, "%15s%.*s = ", "", STR_ARG(text_str(e->name)));
	words_quoted(&t->assigned, text_str(e->text), tracing_max(t));
	buf_putc(&t->assigned, '\n');
}

static void
tracing_assign(struct tracing *t)
{
	buf_add(&t->line, buf_str(&t->assigned));
	buf_reset(&t->assigned);
}

static void
tracing_test(struct tracing *t, const struct tamis_event *e)
{
	t->values = t->counted = 0;
	t->compares = e->value.len > 0;
	t->alone = tracing_alone(t, e);
	if (t->alone)
		return;
	buf_printf(&t->line, "%11s", "");
	tracing_source(t, &e->place, e->name);
	buf_putc(&t->line, '\n');
}

static void
tracing_more(struct tracing *t, unsigned *n)
{
	if (t->level < TRACING_ALL && *n > VALUES_SHOWN)
		buf_printf(&t->line, "%15s... and %u more values\n", "", *n - VALUES_SHOWN);
	if (*n > VALUES_SHOWN)
		*n = VALUES_SHOWN;
}

/* Those that are counted, then their number. */
static void
tracing_values(struct tracing *t, const struct tamis_event *e)
{
	unsigned *n = e->result < 0 ? &t->counted : &t->values;

	if (n == &t->values)
		tracing_more(t, &t->counted);
	if (++*n <= VALUES_SHOWN || t->level == TRACING_ALL)
		tracing_saw(t, n == &t->counted ? "counted" : "value", tracing_value(e));
}

/* With the value that it was, where that may be one of those that are not shown. */
static void
tracing_key(struct tracing *t, const char *word, const char *link, const struct tamis_event *e)
{
	bool hidden = t->level < TRACING_ALL && t->values > VALUES_SHOWN;

	tracing_more(t, &t->values);
	buf_printf(&t->line, "%15s%-8s ", "", word);
	words_quoted(&t->line, text_str(e->text), tracing_max(t));
	if (hidden) {
		buf_puts(&t->line, link);
		words_quoted(&t->line, text_str(e->value), tracing_max(t));
	}
	buf_putc(&t->line, '\n');
}

static void
tracing_end(struct tracing *t, const struct tamis_event *e)
{
	if (!t->values && t->compares && e->result == 0)
		buf_printf(&t->line, "%15sno value\n", "");
	tracing_more(t, &t->values);
	tracing_assign(t);
	if (!t->alone)
		buf_printf(&t->line, "%15s%s\n", "", tracing_result(e->result));
}

static void
tracing_rule_end(struct tracing *t, const struct tamis_event *e)
{
	buf_printf(&t->line, "%7s%s\n", "", tracing_result(e->result));
}

/* As the rules have it; with variables in it, then also as it was run. */
static void
tracing_action(struct tracing *t, const struct tamis_event *e)
{
	struct str source = diag_text(t->diag, &e->place);

	tracing_line(t, &e->place);
	tracing_source(t, &e->place, e->name);
	buf_putc(&t->line, '\n');
	if (str_find(source, STR("${")) >= 0) {
		buf_printf(&t->line, "%11s= %.*s ", "", STR_ARG(text_str(e->name)));
		words_flat(&t->line, text_str(e->text), tracing_max(t));
		buf_putc(&t->line, '\n');
	}
	if (e->value.len)
		buf_printf(&t->line, "%11snothing: %.*s\n", "", STR_ARG(text_str(e->value)));
	tracing_assign(t);
}

static void
tracing_asked(struct tracing *t, const struct tamis_event *e)
{
	buf_printf(&t->line, "%15sasked    ", "");
	diag_clean(&t->line, text_str(e->name));
	buf_putc(&t->line, ' ');
	words_quoted(&t->line, text_str(e->text), tracing_max(t));
	buf_printf(&t->line, ": %s", e->result > 0 ? "yes" : e->result ? "unknown" : "no");
	if (e->value.len) {
		buf_puts(&t->line, ", ");
		words_quoted(&t->line, text_str(e->value), tracing_max(t));
	}
	buf_putc(&t->line, '\n');
}

void
tracing_text(struct tracing *t, const struct tamis_event *e)
{
	switch (e->kind) {
	case TAMIS_RULE:
		t->rule = diag_text(t->diag, &e->place);
		tracing_line(t, &e->place);
		tracing_source(t, &e->place, e->name);
		buf_putc(&t->line, '\n');
		break;
	case TAMIS_RULE_END:
		tracing_rule_end(t, e);
		break;
	case TAMIS_TEST:
		tracing_test(t, e);
		break;
	case TAMIS_VALUE:
		tracing_values(t, e);
		break;
	case TAMIS_MATCHED:
		tracing_key(t, "matched", " in ", e);
		break;
	case TAMIS_NEAREST:
		tracing_key(t, t->compares ? "nearest" : "missing", " to ", e);
		break;
	case TAMIS_RESULT:
		tracing_end(t, e);
		break;
	case TAMIS_ACTION:
		tracing_action(t, e);
		break;
	case TAMIS_ASKED:
		tracing_asked(t, e);
		break;
	case TAMIS_ASSIGNED:
		tracing_assigned(t, e);
		break;
	}
}

bool
tracing_wants(const struct tracing *t, const struct tamis_event *e)
{
	return tracing_events[e->kind].level <= t->level;
}

void
tracing_done(struct tracing *t)
{
	buf_done(&t->line);
	buf_done(&t->assigned);
	free(t->file);
	t->file = NULL;
}
