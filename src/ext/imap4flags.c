/* imap4flags.c - flags that a message is delivered with (RFC 5232)
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A list of flags is a string: names with spaces between them.  What is no
 * flag that IMAP lets people set is ignored, wherever it comes from. */
#include "lang/compile.h"
#include "vm/match.h"

/* --- flags */

static const char *const system_flags[] = { "\\answered", "\\flagged", "\\deleted", "\\seen", "\\draft" };

/* RFC 3501 9, without flags that only servers set, or may set one day */
static bool
flag_ok(struct str v)
{
	if (v.len && *v.s == '\\') {
		for (size_t i = 0; i < COUNT(system_flags); i++)
			if (str_iis(v, system_flags[i]))
				return true;
		return false;
	}
	for (size_t i = 0; i < v.len; i++)
		if ((unsigned char)v.s[i] <= ' ' || (unsigned char)v.s[i] >= 0x7f || strchr("(){%*\"\\]", v.s[i]))
			return false;
	return true;
}

/* A table of the flags met so far, in lower case; .s NULL: free.  One place
 * more than twice as many as there are. */
struct flag_table {
	struct str *seen;
	size_t mask;
};

static bool
flag_is_new(struct run *r, const struct flag_table *t, struct str flag)
{
	struct str lower = arena_lower(&r->arena, flag);
	size_t i = str_hash(lower, str_seed()) & t->mask;

	for (; t->seen[i].s; i = (i + 1) & t->mask)
		if (str_eq(t->seen[i], lower))
			return false;
	t->seen[i] = lower;
	return true;
}

/* The distinct flags of n lists, as they were spelt first, without those of
 * the list `but`. */
static size_t
flags_read(struct run *r, const struct str *list, size_t n, const struct value *but, struct str **ret)
{
	struct str *flag, *out = NULL;
	size_t nbut = but ? arena_words(&r->arena, but->str, but->n, &out) : 0;
	size_t words = arena_words(&r->arena, list, n, &flag), kept = 0;
	struct flag_table t = { .mask = 15 };

	while (t.mask < 2 * (words + nbut))
		t.mask = 2 * t.mask + 1;
	t.seen = arena_zalloc(&r->arena, (t.mask + 1) * sizeof *t.seen);
	for (size_t i = 0; i < nbut; i++)
		flag_is_new(r, &t, out[i]);
	for (size_t i = 0; i < words; i++)
		if (flag_ok(flag[i]) && flag_is_new(r, &t, flag[i]))
			flag[kept++] = flag[i];
	r->work += (words + nbut) / 4;
	*ret = flag;
	return kept;
}

/* As many as fit a variable, whole. */
static struct str
flags_join(struct run *r, const struct str *flag, size_t n)
{
	struct buf out = { 0 };
	struct str copy;

	for (size_t i = 0; i < n; i++) {
		if (out.len + 1 + flag[i].len > r->program->limits.variable_value)
			continue;
		if (out.len)
			buf_putc(&out, ' ');
		buf_add(&out, flag[i]);
	}
	copy = buf_copy(&out, &r->arena);
	buf_done(&out);
	run_work(r, copy.len);
	return copy;
}

static struct str
flags_of(struct run *r, const struct str *list, size_t n, const struct value *but)
{
	struct str *flag;

	n = flags_read(r, list, n, but, &flag);
	return flags_join(r, flag, n);
}

/* --- the variable that is meant when none is named */

/* Empty when a script begins (RFC 5232 3), but a host may run one on a message
 * that is in a mailbox already, and say which flags it has there. */
static struct variable *
internal_variable(struct run *r)
{
	const struct cell *fact;

	if (r->flags)
		return r->flags;
	r->flags = ARENA_NEW(&r->arena, struct variable);
	fact = run_fact(r, STR("vnd.tamis.flags"));
	r->flags->v = fact ? flags_of(r, &fact->v, 1, NULL) : STR_EMPTY;
	return r->flags;
}

static struct variable *
variable_of(struct run *r, const struct value *name)
{
	return name->type == NONE ? internal_variable(r) : run_variable(r, name->id[0]);
}

static void
variable_set(struct run *r, const struct call *k, const struct value *name, struct str v)
{
	if (name->type != NONE)
		run_assign(r, k, name->id[0], v);
	else
		*internal_variable(r) = (struct variable){ v, r->taint };
}

/* --- setflag, addflag, removeflag [<variablename: string>] <list-of-flags: string-list> */

enum { NAME, LIST };
static const struct param list_params[] = {
	[NAME] = { "variablename", STRING, ROLE_VARIABLE, .flags = PARAM_OPTIONAL | PARAM_CONSTANT },
	[LIST] = { "list-of-flags", STRINGS },
};

static int
setflag_act(struct run *r, const struct call *k, const struct value *arg)
{
	variable_set(r, k, &arg[NAME], flags_of(r, arg[LIST].str, arg[LIST].n, NULL));
	return YES;
}

static int
addflag_act(struct run *r, const struct call *k, const struct value *arg)
{
	const struct variable *old = variable_of(r, &arg[NAME]);
	struct str *all = arena_array(&r->arena, arg[LIST].n + 1u, sizeof *all);

	r->taint |= old->taint;
	all[0] = old->v;
	memcpy(all + 1, arg[LIST].str, arg[LIST].n * sizeof *all);
	variable_set(r, k, &arg[NAME], flags_of(r, all, arg[LIST].n + 1u, NULL));
	return YES;
}

static int
removeflag_act(struct run *r, const struct call *k, const struct value *arg)
{
	const struct variable *old = variable_of(r, &arg[NAME]);

	r->taint |= old->taint;
	variable_set(r, k, &arg[NAME], flags_of(r, &old->v, 1, &arg[LIST]));
	return YES;
}

/* Constant strings in which something will be ignored (RFC 5232 2) */
static void
list_doubt(struct compiler *c, const struct value *list, struct span at)
{
	for (uint32_t i = 0; i < list->n; i++) {
		struct str *word;
		size_t n = list->template && list->template[i] ? 0 : arena_words(c->scratch, &list->str[i], 1, &word);

		for (size_t w = 0; w < n; w++)
			if (!flag_ok(word[w]))
				compile_warning(c, at, NULL, "\"%.*s\" is no flag that can be set: it is ignored",
				                word[w].len > 80 ? 80 : (int)word[w].len, word[w].s);
	}
}

static bool
list_check(struct compiler *c, struct call *call, const struct ast_node *node)
{
	(void)node;
	list_doubt(c, &call->arg[LIST], compile_at(c, &call->arg[LIST]));
	return true;
}

/* --- hasflag [MATCH-TYPE] [COMPARATOR] [<variable-list: string-list>] <list-of-flags: string-list> */

enum { VARIABLES, KEYS };
static const struct param hasflag_params[] = {
	[VARIABLES] = { "variable-list", STRINGS, ROLE_VARIABLES, .flags = PARAM_OPTIONAL | PARAM_CONSTANT },
	[KEYS]      = { "list-of-flags", STRINGS, ROLE_KEYS, .flags = PARAM_WORDS },
};

/* YES: there may be more to see */
static int
hasflag_variable(struct run *r, struct match *m, const struct variable *v)
{
	struct str *flag;
	size_t n;

	if (v->taint)
		return UNKNOWN;
	n = flags_read(r, &v->v, 1, NULL, &flag);
	for (size_t i = 0; i < n; i++)
		if (match_text(m, flag[i]))
			return NO;
	return YES;
}

/* RFC 5232 4: ":count" is the sum of the numbers of distinct flags */
static int
hasflag_values(struct run *r, const struct call *k, const struct value *arg, struct match *m)
{
	int rc = YES;

	(void)k;
	/* an empty string is no flag: there is nothing to look for */
	if (arg[KEYS].n == 1 && !arg[KEYS].str[0].len)
		return NO;
	if (arg[VARIABLES].type == NONE)
		rc = hasflag_variable(r, m, internal_variable(r));
	for (uint32_t i = 0; arg[VARIABLES].type != NONE && i < arg[VARIABLES].n && rc == YES; i++)
		rc = hasflag_variable(r, m, run_variable(r, arg[VARIABLES].id[i]));
	return rc == UNKNOWN ? UNKNOWN : YES;
}

static const struct command commands[] = {
	{ .name = "setflag", .kind = COMMAND_ACTION, .summary = "sets the flags of the message, or of a variable",
	  .flags = COMMAND_TAINTED, PARAMS(list_params), .act = setflag_act, .check = list_check },
	{ .name = "addflag", .kind = COMMAND_ACTION, .summary = "adds flags to those set so far", .flags = COMMAND_TAINTED,
	  PARAMS(list_params), .act = addflag_act, .check = list_check },
	{ .name = "removeflag", .kind = COMMAND_ACTION, .summary = "takes flags from those set so far",
	  .flags = COMMAND_TAINTED, PARAMS(list_params), .act = removeflag_act, .check = list_check },
	{ .name = "hasflag", .kind = COMMAND_TEST, .summary = "compares the flags set so far, or those in variables",
	  .flags = COMMAND_MATCHES | COMMAND_CHANGING, PARAMS(hasflag_params), .values = hasflag_values },
};

/* --- :flags <list-of-flags: string-list>, and what stands for it where it is not given */

static bool
flags_compile(struct compiler *c, struct call *call, struct graft_use *use)
{
	(void)call;
	list_doubt(c, &use->value, use->at);
	return true;
}

static void
flags_option(struct run *r, struct effect *e, struct str flags)
{
	if (flags.len)
		effect_option(r, e, "flags", flags);
}

static void
flags_effect(struct run *r, const struct value *list, struct effect *e)
{
	flags_option(r, e, flags_of(r, list->str, list->n, NULL));
}

static const char *const flags_on[] = { "keep", "fileinto", NULL };

static const struct graft grafts[] = {
	{ .name = ":flags", .type = STRINGS, .on = flags_on, .summary = "delivers with these flags and no others",
	  .compile = flags_compile, .effect = flags_effect },
};

static bool
flags_given(const struct effect *e)
{
	for (const struct graft_use *g = e->call ? call_grafts(e->call) : NULL; g; g = g->next)
		if (g->graft == grafts)
			return true;
	return false;
}

static int
internal_effect(struct run *r, struct effect *e)
{
	const struct variable *v;

	if ((e->public.kind != TAMIS_KEEP && e->public.kind != TAMIS_FILE) || flags_given(e))
		return YES;
	v = internal_variable(r);
	flags_option(r, e, v->v);
	return v->taint ? UNKNOWN : YES;
}

const struct extension ext_imap4flags = {
	.name = "imap4flags", .document = "RFC 5232", .summary = "flags of delivered messages", COMMANDS(commands), GRAFTS(grafts),
	.effect = internal_effect,
};
