/* template.c - strings with "${name}" in them (RFC 5229 3), split when compiled
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/limits.h"
#include "lang/build.h"

static bool
is_alpha(char c)
{
	return (unsigned char)(char_lower(c) - 'a') < 26 || c == '_';
}

/* length of an identifier or number at the start of v */
static size_t
name_length(struct str v)
{
	size_t n = 0;

	if (v.len && char_is_digit(*v.s)) {
		while (n < v.len && char_is_digit(v.s[n]))
			n++;
		return n;
	}
	while (n < v.len && (is_alpha(v.s[n]) || (n && char_is_digit(v.s[n]))))
		n++;
	return n;
}

bool
variable_name_ok(struct str name)
{
	return name.len && !char_is_digit(*name.s) && name_length(name) == name.len;
}

static struct variable_name *
name_find(struct compiler *c, struct str name)
{
	uint32_t i = names_find(&c->known, name);

	return i == NAMES_NONE ? NULL : &c->names.v[i];
}

static void
name_add(struct compiler *c, struct variable_name v)
{
	names_add(&c->known, v.name);
	vec_push(&c->names, v);
}

/* Is there room for one more? */
static bool
names_room(struct compiler *c, size_t n, struct span at)
{
	unsigned most = c->program->limits.variables;

	if (n >= most && !c->full)
		compile_error(c, at, NULL, "too many variables: more than %u (limit 'variables')", most);
	c->full |= n >= most;
	return n < most;
}

static uint32_t
global_slot(struct compiler *c, struct str name, struct span at)
{
	struct names *globals = &c->build->globals;

	if (names_find(globals, name) == NAMES_NONE && !names_room(c, globals->n, at))
		return GLOBAL_SLOT;
	return GLOBAL_SLOT | names_add(globals, name);
}

/* Names are not case-sensitive; kept in lower case. */
static bool
name_prepare(struct compiler *c, struct str *name, struct span at)
{
	if (!variable_name_ok(*name)) {
		compile_error(c, at, "letters, digits and '_', no digit first", "'%.*s' is not a variable name",
		              name->len > 80 ? 80 : (int)name->len, name->s);
		return false;
	}
	if (name->len > LIMIT_VARIABLE_NAME) {
		compile_error(c, at, NULL, "variable name is longer than %d bytes", LIMIT_VARIABLE_NAME);
		return false;
	}
	*name = arena_lower(&c->program->arena, *name);
	return true;
}

static const struct namespace *
space_find(struct str name, unsigned *ret_extension)
{
	for (unsigned e = 0; extensions[e]; e++)
		for (size_t i = 0; i < extensions[e]->nnamespaces; i++)
			if (str_iis(name, extensions[e]->namespaces[i].name)) {
				*ret_extension = e;
				return &extensions[e]->namespaces[i];
			}
	return NULL;
}

/* "global.x" and its like: the namespace, or NULL after an error */
static const struct namespace *
space_use(struct compiler *c, struct str space, struct span at)
{
	unsigned e = 0;
	const struct namespace *s = space_find(space, &e);

	if (!s && c->ihave) {
		compile_fail(c, at, "unknown namespace '%.*s' in a variable", STR_ARG(space));
		return NULL;
	}
	if (!s) {
		compile_error(c, at, NULL, "unknown namespace '%.*s' in a variable", STR_ARG(space));
		return NULL;
	}
	return vocabulary_use(c, e, at, "namespace", space) ? s : NULL;
}

/* A name without namespace: its slot, made if new; -1 after an error. */
static int64_t
plain_slot(struct compiler *c, struct str name, struct span at, bool set)
{
	struct variable_name *known;

	if (!name_prepare(c, &name, at))
		return -1;
	known = name_find(c, name);
	if (known) {
		known->set |= set;
		return known->slot;
	}
	if (!names_room(c, c->names.n, at))
		return -1;
	name_add(c, (struct variable_name){ name, c->nlocals, set });
	return c->nlocals++;
}

int64_t
compile_variable(struct compiler *c, struct str name, struct span at, bool set)
{
	ptrdiff_t dot = str_find(name, STR("."));

	if (dot > 0) {
		const struct namespace *s = space_use(c, str_sub(name, 0, (size_t)dot), at);

		if (!s)
			return -1;
		if (!s->globals) {
			compile_error(c, at, NULL, "variables of the namespace '%s' cannot be %s", s->name,
			              set ? "set" : "named here");
			return -1;
		}
		name = str_sub(name, (size_t)dot + 1, name.len);
		return name_prepare(c, &name, at) ? (int64_t)global_slot(c, name, at) : -1;
	}
	return plain_slot(c, name, at, set);
}

void
compile_global(struct compiler *c, struct str name, struct span at)
{
	struct variable_name *known;

	if (!name_prepare(c, &name, at))
		return;
	known = name_find(c, name);
	if (!known) {
		name_add(c, (struct variable_name){ name, global_slot(c, name, at), false });
		return;
	}
	if (known->slot & GLOBAL_SLOT)
		return;
	if (known->set)
		compile_error(c, at, "declare it global before it is set (RFC 6609 3.4.1)",
		              "variable '%.*s' is already in use as this script's own", STR_ARG(name));
	/* what was read before was its own, and empty */
	known->slot = global_slot(c, name, at);
}

/* "${" ref "}" at the start of v: its length, and the parts */
static size_t
reference(struct str v, struct str *ret_space, struct str *ret_name)
{
	size_t at = 2, n;

	*ret_space = STR_EMPTY;
	n = name_length(str_sub(v, at, v.len));
	if (!n)
		return 0;
	if (at + n < v.len && v.s[at + n] == '.' && !char_is_digit(v.s[at])) {
		size_t from = at + n + 1, end = from;

		*ret_space = str_sub(v, at, at + n);
		for (;;) {
			n = name_length(str_sub(v, end, v.len));
			if (!n)
				return 0;
			end += n;
			if (end >= v.len || v.s[end] != '.')
				break;
			end++;
		}
		*ret_name = str_sub(v, from, end);
		at = end;
	} else {
		*ret_name = str_sub(v, at, at + n);
		at += n;
	}
	return at < v.len && v.s[at] == '}' ? at + 1 : 0;
}

static uint32_t
space_index(struct build *b, const struct namespace *s)
{
	for (uint32_t i = 0; i < b->spaces.n; i++)
		if (b->spaces.v[i] == s)
			return i;
	vec_push(&b->spaces, s);
	return (uint32_t)b->spaces.n - 1;
}

static struct piece
piece_variable(struct compiler *c, struct str name, struct span at)
{
	int64_t slot;
	uint64_t number;

	if (char_is_digit(*name.s)) {
		if (str_number(name, &number) && number < MATCH_SLOTS)
			return (struct piece){ .kind = PIECE_MATCH, .slot = (uint32_t)number };
		/* RFC 5229 6: as a syntax error */
		compile_error(c, at, NULL, "match variable '${%.*s}' is out of range (the last is ${%d})",
		              name.len > 40 ? 40 : (int)name.len, name.s, MATCH_SLOTS - 1);
		return (struct piece){ .kind = PIECE_TEXT, .text = STR_EMPTY };
	}
	slot = plain_slot(c, name, at, false);
	if (slot < 0)
		return (struct piece){ .kind = PIECE_TEXT, .text = STR_EMPTY };
	if (slot & GLOBAL_SLOT)
		return (struct piece){ .kind = PIECE_GLOBAL, .slot = (uint32_t)slot & ~GLOBAL_SLOT };
	return (struct piece){ .kind = PIECE_LOCAL, .slot = (uint32_t)slot };
}

static struct piece
piece_space(struct compiler *c, struct str space, struct str name, struct span at)
{
	struct piece none = { .kind = PIECE_TEXT, .text = STR_EMPTY };
	const struct namespace *s = space_use(c, space, at);
	const char *wrong;

	if (!s)
		return none;
	if (s->globals) {
		struct str lower = name;

		return name_prepare(c, &lower, at)
		       ? (struct piece){ .kind = PIECE_GLOBAL, .slot = global_slot(c, lower, at) & ~GLOBAL_SLOT } : none;
	}
	wrong = s->check ? s->check(name) : NULL;
	if (wrong) {
		compile_error(c, at, NULL, "'${%s.%.*s}': %s", s->name, STR_ARG(name), wrong);
		return none;
	}
	return (struct piece){ .kind = PIECE_SPACE, .slot = space_index(c->build, s), .text = arena_str(&c->program->arena, name) };
}

/* A "${...}" was read: what lets strings hold one is in use. */
static void
templates_seen(struct compiler *c)
{
	for (unsigned e = 0; extensions[e]; e++)
		if (extensions[e]->templates)
			vocabulary_seen(c, e);
}

const struct template *
compile_template(struct compiler *c, struct str text, struct span at)
{
	VEC(struct piece) pieces = { 0 };
	struct template *t = NULL;
	size_t done = 0, from = 0;
	bool found = false;

	for (ptrdiff_t hit; (hit = str_find(str_sub(text, from, text.len), STR("${"))) >= 0;) {
		struct str space, name;
		size_t start = from + (size_t)hit, n = reference(str_sub(text, start, text.len), &space, &name);

		from = start + 2;
		if (!n)
			continue;
		if (start > done)
			vec_push(&pieces, (struct piece){ .kind = PIECE_TEXT, .text = str_sub(text, done, start) });
		vec_push(&pieces, space.len ? piece_space(c, space, name, at) : piece_variable(c, name, at));
		from = done = start + n;
		found = true;
	}
	if (found) {
		templates_seen(c);
		if (done < text.len)
			vec_push(&pieces, (struct piece){ .kind = PIECE_TEXT, .text = str_sub(text, done, text.len) });
		t = arena_alloc(&c->program->arena, sizeof *t + pieces.n * sizeof *t->piece);
		t->npieces = (uint32_t)pieces.n;
		memcpy(t->piece, pieces.v, pieces.n * sizeof *t->piece);
	}
	vec_done(&pieces);
	return t;
}
