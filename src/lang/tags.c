/* tags.c - tagged arguments: the command's own, and those that others bring
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/arguments.h"

/* The argument behind a tag, NULL after an error. */
static const struct ast_arg *
tag_argument(struct arguments *a, const struct ast_arg *tag, enum type type)
{
	const struct ast_arg *arg = tag->next;

	if (arg && argument_empty(a, arg))
		return NULL;
	if (arg && argument_fits(type, arg))
		return arg;
	if (!arg)
		compile_error(a->c, tag->at, argument_hint(a), "':%.*s' of '%s' needs %s behind it", STR_ARG(tag->tag),
		              a->command->name, argument_wanted(type));
	else
		compile_error(a->c, arg->at, argument_hint(a), "argument of ':%.*s' must be %s, not %s", STR_ARG(tag->tag),
		              argument_wanted(type), argument_kind(arg));
	a->bad = true;
	return NULL;
}

static bool
tag_is(struct str tag, const char *name)
{
	return *name == ':' && name[1] == char_lower(*tag.s) && str_iis(tag, name + 1);
}

static const struct ast_arg *
tag_param(struct arguments *a, const struct ast_arg *tag, uint8_t i)
{
	const struct param *p = &a->command->params[i];
	const struct ast_arg *arg = tag;

	if (argument_given(a, i)) {
		compile_error(a->c, tag->at, NULL, "'%s' is given twice", p->name);
		a->bad = true;
	}
	for (uint8_t j = 0; p->group && j < a->command->nparams; j++)
		if (j != i && a->command->params[j].group == p->group && argument_given(a, j)) {
			compile_error(a->c, tag->at, argument_hint(a), "'%s' and '%s' exclude each other", a->command->params[j].name,
			              p->name);
			a->bad = true;
		}
	a->c->build->at[i] = tag->at;
	if (p->type == FLAG) {
		a->value[i] = (struct value){ .type = FLAG, .number = 1 };
		return tag;
	}
	arg = tag_argument(a, tag, p->type);
	if (!arg)
		return tag->next && tag->next->kind != AST_TAG ? tag->next : tag;
	a->c->build->at[i] = arg->at;
	argument_read(a, p->name, p->type, p->role, p->flags, p->check, arg, &a->value[i]);
	return arg;
}

static void
tag_exclusive(struct arguments *a, const struct ast_arg *tag, const char *before, const char *what)
{
	if (!before)
		return;
	if (tag_is(tag->tag, before))
		compile_error(a->c, tag->at, NULL, "'%s' is given twice", before);
	else
		compile_error(a->c, tag->at, NULL, "'%s' and ':%.*s' exclude each other: a test has one %s", before,
		              STR_ARG(tag->tag), what);
	a->bad = true;
}

static const char *
words_hint(struct compiler *c, const char *const *word)
{
	struct buf out = { 0 };
	struct str copy;

	for (buf_puts(&out, "one of"); *word; word++)
		buf_printf(&out, " \"%s\"%s", *word, word[1] ? "," : "");
	copy = buf_copy(&out, c->scratch);
	buf_done(&out);
	return copy.s;
}

static const struct ast_arg *
tag_match_argument(struct arguments *a, const struct ast_arg *tag, const struct match_type *type)
{
	const struct ast_arg *arg = tag_argument(a, tag, STRING);
	struct str word;

	if (!arg)
		return tag;
	word = arg->string->value;
	for (uint8_t i = 0; type->argument[i]; i++)
		if (str_iis(word, type->argument[i])) {
			a->match_argument = i;
			return arg;
		}
	compile_error(a->c, arg->at, words_hint(a->c, type->argument), "'%s' does not know \"%.*s\"", type->name,
	              word.len > 40 ? 40 : (int)word.len, word.s);
	a->bad = true;
	return arg;
}

/* A graft has to fit the command too: more than one may have that name. */
static const struct tag_word *
tag_find(const struct arguments *a, enum tag_kind kind, struct str tag)
{
	const struct build *b = a->c->build;

	for (size_t i = 0; i < b->tags.n; i++)
		if (b->tags.v[i].kind == kind && tag_is(tag, b->tags.v[i].name) &&
		    (kind != TAG_GRAFT || graft_fits(b->tags.v[i].what, a->command)))
			return &b->tags.v[i];
	return NULL;
}

static bool
tag_match(struct arguments *a, const struct ast_arg **tag)
{
	const struct tag_word *w = tag_find(a, TAG_MATCH, (*tag)->tag);
	const struct match_type *type;

	if (!w)
		return false;
	type = w->what;
	a->unknown |= !vocabulary_use(a->c, w->extension, (*tag)->at, "match type", str_from(type->name));
	tag_exclusive(a, *tag, a->match_type ? a->match_type->name : NULL, "match type");
	a->match_type = type;
	a->match_at = (*tag)->at;
	if (type->argument)
		*tag = tag_match_argument(a, *tag, type);
	return true;
}

const struct comparator *
comparator_find(struct str name, unsigned *ret_extension)
{
	for (unsigned e = 0; extensions[e]; e++)
		for (size_t i = 0; i < extensions[e]->ncomparators; i++)
			if (str_is(name, extensions[e]->comparators[i].name)) {
				*ret_extension = e;
				return &extensions[e]->comparators[i];
			}
	return NULL;
}

static bool
tag_comparator(struct arguments *a, const struct ast_arg **tag)
{
	const struct ast_arg *arg;
	const struct comparator *k;
	unsigned e = 0;

	if (!str_iis((*tag)->tag, "comparator"))
		return false;
	tag_exclusive(a, *tag, a->comparator ? ":comparator" : NULL, "comparator");
	arg = tag_argument(a, *tag, STRING);
	if (!arg)
		return true;
	*tag = arg;
	k = comparator_find(arg->string->value, &e);
	if (!k && a->c->ihave) {
		compile_fail(a->c, arg->at, "unknown comparator \"%.*s\"", STR_ARG(arg->string->value));
		a->unknown = true;
		return true;
	}
	if (!k) {
		compile_error(a->c, arg->at, "such as \"i;octet\" or \"i;ascii-casemap\"", "unknown comparator \"%.*s\"",
		              arg->string->value.len > 80 ? 80 : (int)arg->string->value.len, arg->string->value.s);
		a->bad = true;
		return true;
	}
	if (!k->substring || !compile_lenient(a->c))
		a->unknown |= !vocabulary_use(a->c, e, arg->at, "comparator", arg->string->value);
	a->comparator = k;
	a->comparator_at = arg->at;
	return true;
}

static bool
tag_part(struct arguments *a, const struct ast_arg *tag)
{
	const struct tag_word *w = tag_find(a, TAG_PART, tag->tag);

	if (!w)
		return false;
	a->unknown |= !vocabulary_use(a->c, w->extension, tag->at, "address part", str_from(w->name));
	tag_exclusive(a, tag, a->part ? a->part->name : NULL, "address part");
	a->part = w->what;
	return true;
}

static const struct ast_arg *
graft_add(struct arguments *a, const struct ast_arg *tag, const struct graft *g)
{
	struct graft_use *use = ARENA_NEW(&a->c->program->arena, struct graft_use), **last;
	const struct ast_arg *arg = tag;

	for (const struct graft_use *u = call_grafts(a->call); u; u = u->next)
		if (u->graft == g || (g->group && u->graft->group == g->group)) {
			compile_error(a->c, tag->at, NULL, u->graft == g ? "'%s' is given twice" : "'%s' and '%s' exclude each other",
			              u->graft->name, g->name);
			a->bad = true;
		}
	use->graft = g;
	use->at = tag->at;
	use->value = (struct value){ .type = FLAG, .number = 1 };
	if (g->type != FLAG) {
		arg = tag_argument(a, tag, g->type);
		if (!arg)
			return tag->next && tag->next->kind != AST_TAG ? tag->next : tag;
		use->at = arg->at;
		argument_read(a, g->name, g->type, g->role, 0, g->check, arg, &use->value);
	}
	for (last = (struct graft_use **)&compile_more(a->c, a->call)->grafts; *last; last = &(*last)->next)
		;
	*last = use;
	return arg;
}

static bool
tag_graft(struct arguments *a, const struct ast_arg **tag)
{
	const struct tag_word *w = tag_find(a, TAG_GRAFT, (*tag)->tag);

	if (!w)
		return false;
	if (vocabulary_use(a->c, w->extension, (*tag)->at, "tag", str_from(w->name)))
		*tag = graft_add(a, *tag, w->what);
	else
		a->unknown = true;
	return true;
}

static const struct ast_arg *
tag_unknown(struct arguments *a, const struct ast_arg *tag)
{
	const char *near = vocabulary_near_tag(a->c, a->command, tag->tag);
	const char *hint = near ? arena_printf(a->c->scratch, "did you mean '%s'?", near).s : argument_hint(a);

	a->unknown = a->c->ihave;
	a->bad = true;
	if (a->c->ihave)
		compile_fail(a->c, tag->at, "unknown tag ':%.*s' of '%s'", STR_ARG(tag->tag), a->command->name);
	else
		compile_error(a->c, tag->at, hint, "unknown tag ':%.*s' of '%s'", STR_ARG(tag->tag), a->command->name);
	return tag;
}

const struct ast_arg *
tag_read(struct arguments *a, const struct ast_arg *tag)
{
	for (uint8_t i = 0; i < a->command->nparams; i++)
		if (tag_is(tag->tag, a->command->params[i].name))
			return tag_param(a, tag, i);
	if (a->command->flags & COMMAND_MATCHES && (tag_match(a, &tag) || tag_comparator(a, &tag)))
		return tag;
	if (a->command->flags & COMMAND_ADDRESS_PART && tag_part(a, tag))
		return tag;
	return tag_graft(a, &tag) ? tag : tag_unknown(a, tag);
}
