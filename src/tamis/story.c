/* story.c - what a run did, remembered, so that it can be asked why
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/utf8.h"
#include "host/text.h"
#include "tamis/story.h"
#include "tamis/words.h"

enum {
	VALUE_KEPT = 1000,              /* bytes of a value */
	STORY_MAX = 200000              /* tests, rules, actions: each */
};

void
story_init(struct story *s, const struct diag *diag)
{
	*s = (struct story){ .diag = diag };
}

void
story_reset(struct story *s)
{
	arena_reset(&s->arena);
	s->test.n = s->rule.n = s->action.n = 0;
}

void
story_done(struct story *s)
{
	arena_done(&s->arena);
	vec_done(&s->test);
	vec_done(&s->rule);
	vec_done(&s->action);
}

static struct story_text
story_keep(struct story *s, struct tamis_text t)
{
	return (struct story_text){ arena_str(&s->arena, utf8_cut(text_str(t), VALUE_KEPT)), t.len };
}

/* From a "{" that may follow blanks to the "}" that belongs to it. */
static struct str
story_block(struct str text)
{
	size_t depth = 0, at = 0, start = 0, n;

	for (; at < text.len; at += n) {
		struct str rest = str_sub(text, at, text.len);

		n = words_token(rest);
		if (*rest.s == '{') {
			if (!depth++)
				start = at;
		} else if (*rest.s == '}') {
			if (!depth)
				return STR_EMPTY;
			if (!--depth)
				return str_sub(text, start, at + 1);
		} else if (!depth && n == 1 && *rest.s == ';') {
			return STR_EMPTY;
		}
	}
	return STR_EMPTY;
}

/* The rules from a place inside them to their end. */
static struct str
story_rest(const struct story *s, const struct tamis_place *p, const char *from)
{
	struct str all = diag_source_text(s->diag, text_str(p->file));

	if (!all.len || from < all.s || from > all.s + all.len)
		return STR_EMPTY;
	return (struct str){ from, (size_t)(all.s + all.len - from) };
}

static void
story_rule(struct story *s, const struct tamis_event *e)
{
	struct story_rule r = { .place = e->place, .source = diag_text(s->diag, &e->place), .result = -1, .block = STR_EMPTY };

	if (r.source.len)
		r.block = story_block(story_rest(s, &e->place, r.source.s + r.source.len));
	r.first = s->test.n;
	vec_push(&s->rule, r);
}

static void
story_test(struct story *s, const struct tamis_event *e)
{
	vec_push(&s->test, (struct story_test){
		.place = e->place,
		.source = diag_text(s->diag, &e->place),
		.result = -1,
		.compares = e->value.len > 0,
	});
	if (s->rule.n)
		s->rule.v[s->rule.n - 1].ntests++;
}

static struct story_test *
story_last(struct story *s)
{
	return s->test.n ? &s->test.v[s->test.n - 1] : NULL;
}

static void
story_value(struct story *s, const struct tamis_event *e)
{
	struct story_test *t = story_last(s);

	if (!t || e->result < 0)
		return;
	if (t->nvalues < STORY_VALUES)
		t->value[t->nvalues] = story_keep(s, e->value);
	t->nvalues++;
}

static void
story_key(struct story *s, const struct tamis_event *e)
{
	struct story_test *t = story_last(s);

	if (!t || t->matched)
		return;
	t->matched = e->kind == TAMIS_MATCHED;
	t->nearest = e->kind == TAMIS_NEAREST;
	t->key = story_keep(s, e->text);
	t->key_value = story_keep(s, e->value);
}

void
story_event(void *ctx, const struct tamis_event *e)
{
	struct story *s = ctx;

	if (s->test.n >= STORY_MAX || s->rule.n >= STORY_MAX || s->action.n >= STORY_MAX)
		return;
	switch (e->kind) {
	case TAMIS_RULE:
		story_rule(s, e);
		break;
	case TAMIS_RULE_END:
		if (s->rule.n)
			s->rule.v[s->rule.n - 1].result = e->result;
		break;
	case TAMIS_TEST:
		story_test(s, e);
		break;
	case TAMIS_VALUE:
		story_value(s, e);
		break;
	case TAMIS_MATCHED: case TAMIS_NEAREST:
		story_key(s, e);
		break;
	case TAMIS_RESULT:
		if (s->test.n)
			s->test.v[s->test.n - 1].result = e->result;
		break;
	case TAMIS_ACTION:
		vec_push(&s->action, (struct story_action){ e->place, diag_text(s->diag, &e->place), s->rule.n });
		break;
	case TAMIS_ASKED: case TAMIS_ASSIGNED:
		break;
	}
}

bool
story_strays(const struct story *s, struct str file)
{
	size_t i;

	for (i = 0; i < s->rule.n; i++)
		if (!str_eq(text_str(s->rule.v[i].place.file), file))
			return true;
	for (i = 0; i < s->action.n; i++)
		if (!str_eq(text_str(s->action.v[i].place.file), file))
			return true;
	return false;
}

const struct story_action *
story_find(const struct story *s, const struct tamis_place *p)
{
	size_t i;

	for (i = s->action.n; i-- > 0;) {
		const struct tamis_place *q = &s->action.v[i].place;

		if (p->line == q->line && p->column == q->column && str_eq(text_str(p->file), text_str(q->file)))
			return &s->action.v[i];
	}
	return NULL;
}

static bool
story_inside(struct str block, const char *p)
{
	return block.len && p > block.s && p < block.s + block.len;
}

bool
story_guards(const struct story_rule *r, const struct story_action *a)
{
	return r->result == 1 && story_inside(r->block, a->source.s);
}

bool
story_guards_rest(const struct story *s, const struct story_rule *r, const struct story_action *a)
{
	struct str rest;
	size_t n;

	if (r->result != 0 || !r->block.len)
		return false;
	rest = story_rest(s, &r->place, r->block.s + r->block.len);
	/* one word and a block: no condition of its own stands between them */
	while ((n = words_token(rest)) && (strchr(" \t\r\n#", *rest.s) || (*rest.s == '/' && n > 1)))
		rest = str_sub(rest, n, rest.len);
	rest = str_sub(rest, n, rest.len);
	while ((n = words_token(rest)) && (strchr(" \t\r\n#", *rest.s) || (*rest.s == '/' && n > 1)))
		rest = str_sub(rest, n, rest.len);
	return rest.len && *rest.s == '{' && story_inside(story_block(rest), a->source.s);
}
