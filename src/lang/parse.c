/* parse.c - rules to a tree: what Bison's parser calls, and its tokens
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/parse.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"

#include "grammar/sieve.h"

enum { LIST_ADOPTED = 1000 };   /* strings of a list, from which on the parser's own array becomes the tree's */

int parse_token(SIEVE_STYPE *, struct parse *);

struct ast_node *
parse_node(struct parse *p, const struct ast_string *name, struct ast_arg *args, uint32_t end)
{
	struct ast_node *node = arena_alloc(p->arena, sizeof *node);

	*node = (struct ast_node){ .name = name->value, .at = name->at, .args = args,
	                           .end = end > name->at.to ? end : name->at.to };
	return node;
}

struct ast_arg *
parse_arg(struct parse *p, struct ast_arg **first, struct ast_arg **last, enum ast_kind kind, struct span at)
{
	struct ast_arg *arg = arena_alloc(p->arena, sizeof *arg);

	*arg = (struct ast_arg){ .kind = kind, .at = at };
	if (*last)
		(*last)->next = arg;
	else
		*first = arg;
	*last = arg;
	return arg;
}

void
parse_append(struct ast_node **first, struct ast_node **last, struct ast_node *node)
{
	if (*last)
		(*last)->next = node;
	else
		*first = node;
	*last = node;
}

void
parse_string(struct parse *p, const struct ast_string *string)
{
	if (p->nstrings == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 64;
		p->strings = mem_realloc(p->strings, p->cap * sizeof *p->strings);
	}
	if (p->nstrings == LIMIT_LIST)
		diag_error(p->lex.diag, p->lex.source, string->at, NULL, "list has too many strings (limit is %d)", LIMIT_LIST);
	if (p->nstrings < LIMIT_LIST + 1)
		p->strings[p->nstrings++] = *string;
}

void
parse_one_string(struct parse *p, struct ast_arg *arg, const struct ast_string *string)
{
	struct ast_string *copy = arena_alloc(p->arena, sizeof *copy);

	*copy = *string;
	arg->string = copy;
	arg->nstrings = 1;
}

void
parse_strings(struct parse *p, struct ast_arg *arg)
{
	struct ast_string *strings = p->strings;

	if (p->nstrings >= LIST_ADOPTED) {      /* rather than copy megabytes */
		arena_on_reset(p->arena, free, strings);
		p->strings = NULL;
		p->cap = 0;
	} else {
		strings = arena_array(p->arena, p->nstrings, sizeof *strings);
		memcpy(strings, p->strings, p->nstrings * sizeof *strings);
	}
	arg->string = strings;
	arg->nstrings = p->nstrings;
	p->nstrings = 0;
}

void
parse_empty_list(struct parse *p, struct ast_arg *arg)
{
	/* it stays: else the command would be told that its argument is missing */
	parse_one_string(p, arg, &(struct ast_string){ STR_EMPTY, arg->at });
	arg->nstrings = 0;
	diag_error(p->lex.diag, p->lex.source, arg->at, "RFC 5228 8.2: a list holds at least one string; \"\" is the empty string",
	           "list of strings is empty");
}

/* "a, b or c" */
static void
parse_list_names(char *out, size_t size, const char *const *names, int n)
{
	size_t used = 0;

	out[0] = '\0';
	for (int i = 0; i < n && used < size; i++) {
		int k = snprintf(out + used, size - used, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " or ", names[i]);

		used += k > 0 ? (size_t)k : 0;
	}
}

void
parse_unexpected(struct parse *p, const char *got, bool end, const char *const *expected, int n)
{
	char names[256], hint[300];
	struct span at = p->at;
	struct str word = str_sub(p->lex.source->text, at.from, at.to);

	p->broken = true;
	if (p->lex.too_deep)
		return;
	parse_list_names(names, sizeof names, expected, n);
	snprintf(hint, sizeof hint, "expected %s", p->was_open ? names : "a command");
	if (end)
		diag_error(p->lex.diag, p->lex.source, at, n > 0 ? hint : NULL, "file ends in the middle of a command");
	else if (got[0] == '\'')
		diag_error(p->lex.diag, p->lex.source, at, n > 0 ? hint : NULL, "unexpected %s", got);
	else
		diag_error(p->lex.diag, p->lex.source, at, n > 0 ? hint : NULL, "unexpected %s %s%.*s%s", got,
		           *word.s == '"' ? "" : "'", word.len > 40 ? 40 : (int)word.len, word.s, *word.s == '"' ? "" : "'");
}

/* A token that the writer forgot, put in before `token` so that the rest of
 * the file is still understood; 0 if none is. */
static int
parse_missing(struct parse *p, int token)
{
	struct span at = SPAN(p->previous_end, p->previous_end);

	if (p->lex.too_deep || p->bracket)
		return 0;
	if (token == END && p->nbraces && (!p->open || p->broken)) {
		diag_error(p->lex.diag, p->lex.source, SPAN(p->brace[p->nbraces - 1], p->brace[p->nbraces - 1] + 1), "end it with '}'",
		           "block is never closed");
		return '}';
	}
	if (!p->open || p->broken)
		return 0;
	if (p->parens && (token == '{' || token == '}' || token == END)) {
		diag_error(p->lex.diag, p->lex.source, at, NULL, "')' is missing");
		p->parens--;
		return ')';
	}
	if (token == '}' || token == END) {
		diag_error(p->lex.diag, p->lex.source, at, NULL, "';' is missing after '%.*s'", STR_ARG(p->last_word));
		return ';';
	}
	return 0;
}

/* punctuation, and what is broken */
static void
parse_follow(struct parse *p, int token)
{
	p->argument = token == ']' || token == LIST;
	switch (token) {
	case '{':
		if (p->nbraces < LIMIT_NESTING)
			p->brace[p->nbraces++] = p->previous_end - 1;
		/* fall through */
	case ';': case '}':
		p->nbraces -= token == '}' && p->nbraces;
		p->open = p->broken = p->bracket = false;
		p->parens = 0;
		break;
	case '(':
		p->parens++;
		break;
	case ')':
		p->parens -= p->parens > 0;
		break;
	case '[': case ']':
		p->bracket = token == '[';
		break;
	case BROKEN:
		p->broken = true;
		break;
	default:
		break;
	}
}

static int
parse_put_in(struct parse *p, SIEVE_STYPE *value, int token, int missing)
{
	p->kept = token;
	p->at = value->at = SPAN(p->previous_end, p->previous_end);
	p->open = missing == ')';
	p->nbraces -= missing == '}';
	return missing;
}

/* Behind "[": a list that is nothing but strings is one token. */
static bool
parse_list(struct parse *p)
{
	const char *start = p->lex.p;
	uint32_t from = p->lex.at.from;
	char behind;

	do {
		behind = p->nstrings < LIMIT_LIST ? lex_item(&p->lex) : 0;
		if (behind)
			parse_string(p, &(struct ast_string){ p->lex.text, p->lex.at });
	} while (behind == ',');
	if (behind) {
		p->lex.at = SPAN(from, (uint32_t)(p->lex.p - p->lex.start));
		return true;
	}
	p->nstrings = 0;
	p->lex.p = start;
	p->lex.at = SPAN(from, from + 1);
	return false;
}

/* A "}" that closes nothing is told and passed over: what follows is fine. */
static bool
parse_closes_nothing(struct parse *p, int token)
{
	if (token != '}' || p->nbraces || p->open)
		return false;
	diag_error(p->lex.diag, p->lex.source, p->lex.at, NULL, "'}' closes no block");
	return true;
}

/* identifiers, tags and strings */
static inline int
parse_word(struct parse *p, SIEVE_STYPE *value, enum lex_token got)
{
	value->word = (struct ast_string){ p->lex.text, p->lex.at };
	p->at = p->lex.at;
	/* a multi-line string's token ends behind its last line */
	p->previous_end = (uint32_t)(p->lex.p - p->lex.start);
	p->was_open = p->open;
	p->argument = true;
	if (got != LEX_IDENTIFIER)
		return got == LEX_TAG ? TAG : STRING;
	if (!p->open)
		p->last_word = p->lex.text;
	p->open = true;
	return IDENTIFIER;
}

/* the others, as they were read or put in */
static int
parse_other(struct parse *p, SIEVE_STYPE *value, int token)
{
	int missing = token == END || token == '{' || token == '}' ? parse_missing(p, token) : 0;

	if (missing)
		return parse_put_in(p, value, token, missing);
	if (token == '[') {
		p->nstrings = 0;        /* those of a broken list */
		if (p->argument && !p->bracket && parse_list(p))
			token = LIST;
	}
	p->at = p->lex.at;
	p->previous_end = p->lex.at.to;
	p->was_open = p->open;
	if (token == NUMBER) {
		value->number.value = p->lex.number;
		value->number.at = p->lex.at;
		p->argument = true;
	} else {
		value->at = p->lex.at;
		parse_follow(p, token);
	}
	return token;
}

int
parse_token(SIEVE_STYPE *value, struct parse *p)
{
	enum lex_token got;
	int token = p->kept;

	if (token >= 0) {
		p->kept = -1;
		return parse_other(p, value, token);
	}
	do {
		got = lex_next(&p->lex);
		if (got <= LEX_STRING)
			return parse_word(p, value, got);
		token = got == LEX_PUNCTUATION ? p->lex.punctuation : got == LEX_NUMBER ? NUMBER : got == LEX_END ? END : BROKEN;
	} while (parse_closes_nothing(p, token));
	return parse_other(p, value, token);
}

void
parse_command(struct parse *p, struct ast_node *node)
{
	p->command(p->ctx, p, node);
}

void
parse_stream(struct parse *p, struct arena *strings, struct source *source, struct diag *diag)
{
	p->kept = -1;
	lex_init(&p->lex, source, diag, strings);
	sieve_parse(p);
	free(p->strings);
	p->strings = NULL;
}

struct nodes {
	struct ast_node *first, *last;
};

static void
parse_collect(void *ctx, struct parse *p, struct ast_node *node)
{
	struct nodes *all = ctx;

	(void)p;
	parse_append(&all->first, &all->last, node);
}

struct ast_node *
parse_script(struct arena *arena, struct arena *strings, struct source *source, struct diag *diag)
{
	struct nodes all = { 0 };
	struct parse p = { .arena = arena, .command = parse_collect, .ctx = &all };

	parse_stream(&p, strings, source, diag);
	return all.first;
}
