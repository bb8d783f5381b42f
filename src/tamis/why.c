/* why.c - why a condition came out as it did
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The tree of a condition is read from its words: what stands before "(" is a
 * list of tests, what stands before another word turns one round, and all else
 * is a test that was asked or not.  Which kind of list it is need not be
 * known: evaluation stops as soon as a list is decided, so its value is that
 * of the last test that was asked in it; and where all came out the same, all
 * were needed. */
#include <stdlib.h>

#include "tamis/story.h"
#include "tamis/words.h"

enum { NOT_ASKED = -2, UNKNOWN = -1 };

struct node {
	enum { LEAF, NOT, LIST } kind;
	int value;
	const struct story_test *test;
	size_t child, next;             /* indexes + 1; 0: none */
};

struct why_parse {
	const struct story *story;
	const struct story_rule *rule;
	struct str rest;
	size_t seen;                    /* tests of the rule that stand before rest */
	VEC(struct node) node;
	unsigned depth;
};

enum { DEPTH_MAX = 200 };       /* beyond the engine's limit, so never reached */

/* Comments and blanks are passed over. */
static void
why_skip(struct why_parse *p)
{
	size_t n;

	while ((n = words_token(p->rest)) &&
	       (strchr(" \t\r\n#", *p->rest.s) || (*p->rest.s == '/' && n > 1)))
		p->rest = str_sub(p->rest, n, p->rest.len);
}

static void
why_take(struct why_parse *p, size_t n)
{
	p->rest = str_sub(p->rest, n, p->rest.len);
	why_skip(p);
}

static bool
why_is_word(struct str v)
{
	return v.len && ((unsigned char)(char_lower(*v.s) - 'a') < 26 || *v.s == '_');
}

/* NULL: none of the rule's was asked, perhaps none of any rule */
static const struct story_test *
why_first(const struct story *s, const struct story_rule *r)
{
	return r->ntests ? s->test.v + r->first : NULL;
}

/* The test that was asked there: they were asked in the order in which they stand. */
static const struct story_test *
why_asked(struct why_parse *p)
{
	const struct story_test *t = why_first(p->story, p->rule);

	while (p->seen < p->rule->ntests && t[p->seen].source.s < p->rest.s)
		p->seen++;
	return p->seen < p->rule->ntests && t[p->seen].source.s == p->rest.s ? &t[p->seen] : NULL;
}

/* The arguments of a test that nobody asked. */
static void
why_arguments(struct why_parse *p)
{
	unsigned brackets = 0;

	while (p->rest.len) {
		char c = *p->rest.s;

		if (!brackets && (c == ',' || c == ')'))
			return;
		brackets += c == '[';
		brackets -= c == ']' && brackets;
		why_take(p, words_token(p->rest));
	}
}

static size_t why_node(struct why_parse *);

/* What is in parentheses; the value is that of the last one asked. */
static void
why_list(struct why_parse *p, size_t list)
{
	size_t last = 0, at;

	do {
		why_take(p, 1);
		if (!p->rest.len || *p->rest.s == ')')
			break;
		at = why_node(p);
		if (last)
			p->node.v[last - 1].next = at;
		else
			p->node.v[list - 1].child = at;
		last = at;
		if (p->node.v[at - 1].value != NOT_ASKED)
			p->node.v[list - 1].value = p->node.v[at - 1].value;
	} while (p->rest.len && *p->rest.s == ',');
	if (p->rest.len && *p->rest.s == ')')
		why_take(p, 1);
}

/* Index + 1 of the node that stands at p->rest. */
static size_t
why_node(struct why_parse *p)
{
	const struct story_test *t = why_asked(p);
	size_t at, child;

	vec_push(&p->node, (struct node){ .kind = LEAF, .value = t ? t->result : NOT_ASKED, .test = t });
	at = p->node.n;
	if (t) {
		why_take(p, t->source.len);
		return at;
	}
	why_take(p, words_token(p->rest));
	if (++p->depth < DEPTH_MAX && p->rest.len && *p->rest.s == '(') {
		p->node.v[at - 1].kind = LIST;
		why_list(p, at);
	} else if (p->depth < DEPTH_MAX && why_is_word(p->rest)) {
		p->node.v[at - 1].kind = NOT;
		child = why_node(p);
		p->node.v[at - 1].child = child;
		if (p->node.v[child - 1].value >= 0)
			p->node.v[at - 1].value = !p->node.v[child - 1].value;
		else
			p->node.v[at - 1].value = p->node.v[child - 1].value;
	} else {
		why_arguments(p);
	}
	p->depth--;
	return at;
}

static void
why_add(struct why *w, const struct story_test *t)
{
	if (w->n < WHY_TESTS)
		w->test[w->n++] = t;
	else
		w->others++;
}

/* Adds the tests that gave the node its value; `all`: where several did, all of them. */
static void
why_collect(const struct why_parse *p, size_t at, bool all, struct why *w)
{
	const struct node *n = &p->node.v[at - 1], *c;
	size_t i, last = 0, same = 0, asked = 0;

	if (n->kind == LEAF) {
		if (n->test)
			why_add(w, n->test);
		return;
	}
	for (i = n->child; i; i = c->next) {
		c = &p->node.v[i - 1];
		if (c->value == NOT_ASKED)
			continue;
		asked++;
		last = i;
		same += n->kind == NOT || c->value == n->value;
	}
	if (same < asked || asked <= 1) {
		if (last)
			why_collect(p, last, all, w);
		return;
	}
	for (i = n->child; i; i = c->next) {
		c = &p->node.v[i - 1];
		if (c->value == NOT_ASKED)
			continue;
		why_collect(p, i, all, w);
		if (!all) {
			w->others += asked - 1;
			return;
		}
	}
}

void
why_rule(const struct story *s, const struct story_rule *r, struct why *ret)
{
	struct why_parse p = { .story = s, .rule = r, .rest = r->source };
	const struct story_test *t = why_first(s, r);
	size_t root, i;

	*ret = (struct why){ .n = 0 };
	why_take(&p, words_token(p.rest));
	ret->alone = r->ntests == 1 && t->source.s == p.rest.s;
	root = p.rest.len ? why_node(&p) : 0;
	/* unknown: the first test of which nothing was known, whatever the rest */
	for (i = 0; r->result == UNKNOWN && i < r->ntests; i++) {
		if (t[i].result == UNKNOWN) {
			why_add(ret, &t[i]);
			break;
		}
	}
	if (root && !ret->n)
		why_collect(&p, root, r->result == 1, ret);
	free(p.node.v);
}
