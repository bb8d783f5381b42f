/* editheader.c - header fields that rules add and delete (RFC 5293)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/utf8.h"
#include "lang/compile.h"
#include "vm/edit.h"
#include "vm/match.h"

/* --- which fields may not be edited (RFC 5293 6) */

#define OURS "tamis-"           /* our own marks */
#define FILING "tamis-file-"    /* what a mail store's own script takes away when it has filed */

/* A word of the list is a name, or the beginning of names and "*". */
static bool
is_listed(struct run *r, struct str list, struct str name)
{
	const struct cell *fact = run_fact(r, list);
	struct str *word;
	size_t n = fact ? arena_words(&r->arena, &fact->v, 1, &word) : 0;

	for (size_t i = 0; i < n; i++)
		if (str_ieq(word[i], name) ||
		    (word[i].s[word[i].len - 1] == '*' && str_istarts(name, str_sub(word[i], 0, word[i].len - 1))))
			return true;
	return false;
}

static bool
is_protected(struct run *r, struct str name, bool adding)
{
	static const char *const trace[] = { "received", "auto-submitted" };

	if (str_istarts(name, STR(OURS)))
		return adding || !str_istarts(name, STR(FILING));
	for (size_t i = 0; i < COUNT(trace) && !adding; i++)
		if (str_iis(name, trace[i]))
			return true;
	if (str_iis(name, "subject"))
		return false;
	return is_listed(r, adding ? STR("vnd.tamis.protect-add") : STR("vnd.tamis.protect-delete"), name);
}

/* What is forbidden, or finds nothing, is no error and no edit. */
static int
nothing(struct run *r, const char *why)
{
	r->idle = why;
	return YES;
}

/* Looking for one name again, and making its list. */
static void
edited(struct run *r)
{
	fields_forget(r);
	r->work += 10 + r->message->nfields / 4 + r->program->nnames / 16 + r->program->nprobes;
}

static int
many(struct run *r, const struct call *k)
{
	return r->outcome->version - r->outcome->begun < LIMIT_EDITS ? NO :
	       run_error(r, k, "'%s': too many edits of the header", k->command->name);
}

/* --- addheader [":last"] <field-name: string> <value: string> */

static const char *
name_check(struct str v)
{
	if (v.len > LIMIT_FIELD_NAME)
		return "is longer than a line can be";
	return header_name_ok(v) ? NULL : "is not the name of a header field";
}

/* Unfolded and trimmed.  NULL, or why no field can have that value: what
 * follows a line end could be taken for another field. */
static const char *
value_unfold(struct arena *arena, struct str v, struct str *ret)
{
	char *to = arena_alloc(arena, v.len + 1), *p = to;

	v = str_trim(v);
	for (size_t i = 0; i < v.len; i++) {
		size_t line = v.s[i] == '\r' && v.s[i + 1] == '\n' ? i + 1 : i;

		if (v.s[line] == '\n') {
			if (v.s[line + 1] != ' ' && v.s[line + 1] != '\t')
				return "has a line end with no blank behind it";
			i = line;
			continue;
		}
		if (((unsigned char)v.s[i] < ' ' && v.s[i] != '\t') || v.s[i] == 0x7f)
			return "has a control character in it";
		*p++ = v.s[i];
	}
	*ret = (struct str){ to, (size_t)(p - to) };
	return NULL;
}

/* The text of the field: UTF-8.  If it has to be encoded, what is encoded
 * already is taken as what it says. */
static const char *
value_read(struct arena *arena, struct str v, struct str *ret)
{
	const char *wrong = value_unfold(arena, v, ret);

	if (wrong || utf8_is_ascii(*ret))
		return wrong;
	return value_unfold(arena, utf8_repair(arena, header_decode(arena, *ret)), ret);
}

static const char *
value_check(struct str v)
{
	struct arena scratch = { 0 };
	struct str text;
	const char *wrong = value_read(&scratch, v, &text);

	arena_done(&scratch);
	return wrong;
}

enum { ADD_LAST, ADD_NAME, ADD_VALUE };
static const struct param addheader_params[] = {
	[ADD_LAST]  = { ":last", FLAG },
	[ADD_NAME]  = { "field-name", STRING, .check = name_check },
	[ADD_VALUE] = { "value", STRING, .check = value_check },
};

static size_t
value_longest(const struct tamis_limits *limits)
{
	return limits->field_value < LIMIT_FIELD_VALUE_LEAST ? LIMIT_FIELD_VALUE_LEAST : limits->field_value;
}

static bool
addheader_check(struct compiler *c, struct call *k, const struct ast_node *node)
{
	const struct value *v = &k->arg[ADD_VALUE];

	(void)node;
	if (v->dynamic || str_trim(v->str[0]).len <= value_longest(&c->program->limits))
		return true;
	compile_error(c, compile_at(c, v), NULL, "value of '%s' is longer than %zu bytes (limit 'field-value')", k->command->name,
	              value_longest(&c->program->limits));
	return false;
}

static int
addheader_act(struct run *r, const struct call *k, const struct value *arg)
{
	/* the host's limit is that of today, the program's that of its compilation */
	size_t longest = value_longest(r->host && r->host->limits ? r->host->limits : &r->program->limits);
	struct str name = arg[ADD_NAME].str[0], value;
	bool last = value_given(&arg[ADD_LAST]);
	const char *wrong = value_read(&r->arena, arg[ADD_VALUE].str[0], &value);
	struct effect *e;
	int rc;

	run_work(r, arg[ADD_VALUE].str[0].len);
	if (wrong)
		return run_error(r, k, "value of '%s' %s", k->command->name, wrong);
	if (value.len > longest)
		return run_error(r, k, "value of '%s' is longer than %zu bytes (limit 'field-value')", k->command->name, longest);
	if (is_protected(r, name, true))
		return nothing(r, "no such field may be added");
	if (many(r, k))
		return ERROR;
	e = run_effect(r, k, TAMIS_HEADER_ADD);
	if (last)
		effect_option(r, e, "last", STR_EMPTY);
	effect_option(r, e, "field", name);
	effect_option(r, e, "value", value);
	rc = run_commit(r, k, e);
	if (rc != YES)
		return rc;
	edit_add(r->outcome, name, value, last);
	edited(r);
	return YES;
}

/* --- deleteheader [":index" <fieldno: number> [":last"]] [COMPARATOR] [MATCH-TYPE] <field-name: string>
 *                  [<value-patterns: string-list>] */

enum { DELETE_INDEX, DELETE_LAST, DELETE_NAME, DELETE_PATTERNS };
static const struct param deleteheader_params[] = {
	[DELETE_INDEX]    = { ":index", NUMBER },
	[DELETE_LAST]     = { ":last", FLAG },
	[DELETE_NAME]     = { "field-name", STRING, .check = name_check },
	[DELETE_PATTERNS] = { "value-patterns", STRINGS, ROLE_KEYS, .flags = PARAM_OPTIONAL },
};

static bool
deleteheader_check(struct compiler *c, struct call *k, const struct ast_node *node)
{
	const struct value *index = &k->arg[DELETE_INDEX], *last = &k->arg[DELETE_LAST];

	(void)node;
	if (value_given(last) && !value_given(index)) {
		compile_error(c, compile_at(c, last), NULL, "'%s' needs '%s' with it", k->command->params[DELETE_LAST].name,
		              k->command->params[DELETE_INDEX].name);
		return false;
	}
	if (!value_given(index) || index->number)
		return true;
	compile_error(c, compile_at(c, index), "the first field has the number 1", "'%s' is given the number 0",
	              k->command->params[DELETE_INDEX].name);
	return false;
}

/* Of the fields of the name those that the arguments mean: marks them.  The
 * number is that of a field before any value is looked at (RFC 5293 5). */
static int
fields_mark(struct run *r, const struct call *k, const struct value *arg, struct field *first, bool *gone)
{
	const struct value *index = &arg[DELETE_INDEX];
	struct cell **cell = arena_array(&r->arena, first->nsame, sizeof *cell);
	unsigned nth = 0, from = 0, n = 0;

	if (value_given(index) && index->number > first->nsame)
		return YES;
	if (value_given(index))
		from = value_given(&arg[DELETE_LAST]) ? first->nsame - (unsigned)index->number : (unsigned)index->number - 1;
	for (struct field *f = first; f; f = f->same, nth++)
		if (!value_given(index) || nth == from)
			cell[n++] = (struct cell *)field_value(r->message, f);
	r->work += nth;
	if (value_given(&arg[DELETE_PATTERNS]))
		return match_each(r, k, arg, cell, n, gone + from);
	memset(gone + from, true, n * sizeof *gone);
	return YES;
}

static int
deleteheader_act(struct run *r, const struct call *k, const struct value *arg)
{
	struct str name = arena_lower(&r->arena, arg[DELETE_NAME].str[0]);
	struct field *first;
	struct effect *e;
	unsigned n = 0;
	bool *gone;
	int rc;

	if (is_protected(r, name, false))
		return nothing(r, "no such field may be deleted");
	first = run_field_lower(r, name);
	if (!first)
		return nothing(r, "there is no such field");
	gone = arena_zalloc(&r->arena, first->nsame * sizeof *gone);
	rc = fields_mark(r, k, arg, first, gone);
	if (rc != YES)
		return rc;
	e = run_effect(r, k, TAMIS_HEADER_DELETE);
	for (unsigned i = 0; i < first->nsame; i++)
		n += gone[i];
	if (!n)
		return nothing(r, "no field of that name matches");
	if (many(r, k))
		return ERROR;
	for (unsigned i = 0; i < first->nsame && n < first->nsame; i++)
		if (gone[i])
			effect_option(r, e, "index", arena_printf(&r->arena, "%u", i + 1));
	effect_option(r, e, "field", arg[DELETE_NAME].str[0]);
	rc = run_commit(r, k, e);
	if (rc != YES)
		return rc;
	edit_delete(r->outcome, name, gone);
	edited(r);
	return YES;
}

static const struct command commands[] = {
	{ .name = "addheader", .kind = COMMAND_ACTION, .summary = "adds a field to the header, at its top or its end",
	  PARAMS(addheader_params), .needs = TAMIS_HEADER, .effects = 1u << TAMIS_HEADER_ADD, .check = addheader_check,
	  .act = addheader_act },
	{ .name = "deleteheader", .kind = COMMAND_ACTION, .summary = "deletes fields of one name from the header",
	  .flags = COMMAND_MATCHES | COMMAND_SILENT, PARAMS(deleteheader_params), .needs = TAMIS_HEADER,
	  .effects = 1u << TAMIS_HEADER_DELETE, .check = deleteheader_check, .act = deleteheader_act },
};

const struct extension ext_editheader = {
	.name = "editheader", .document = "RFC 5293", .summary = "adds and deletes header fields", COMMANDS(commands),
};
