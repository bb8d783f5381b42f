/* vocabulary.c - which words a script may use, and what a misspelt one may have meant
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/build.h"

#include <stdio.h>

enum { NEAR = 2 };              /* a word farther away than this is no misspelling */

/* Few enough words that their ends and their length tell them apart. */
static uint32_t
word_hash(struct str name, bool test)
{
	unsigned first = name.len ? (unsigned char)char_lower(name.s[0]) : 0;
	unsigned last = name.len ? (unsigned char)char_lower(name.s[name.len - 1]) : 0;

	return first * 13 + last * 29 + (uint32_t)name.len + test * 211u;
}

static inline bool
word_is(const struct word *w, struct str name)
{
	return w->name.len == name.len && (!memcmp(w->name.s, name.s, name.len) || str_ieq(w->name, name));
}

static bool
word_is_test(const struct command *k)
{
	return k->kind == COMMAND_TEST;
}

static void
build_tags(struct build *b, const struct extension *x, uint16_t e)
{
	for (size_t i = 0; i < x->nmatch_types; i++) {
		vec_push(&b->tags, (struct tag_word){ x->match_types[i].name, TAG_MATCH, e, &x->match_types[i] });
		if (x->match_types[i].initial)
			b->match_type = &x->match_types[i];
	}
	for (size_t i = 0; i < x->naddress_parts; i++)
		vec_push(&b->tags, (struct tag_word){ x->address_parts[i].name, TAG_PART, e, &x->address_parts[i] });
	for (size_t i = 0; i < x->ngrafts; i++)
		vec_push(&b->tags, (struct tag_word){ x->grafts[i].name, TAG_GRAFT, e, &x->grafts[i] });
	for (size_t i = 0; i < x->ncomparators; i++)
		if (x->comparators[i].initial)
			b->comparator = &x->comparators[i];
}

void
build_words(struct build *b)
{
	for (unsigned e = 0; extensions[e]; e++) {
		build_tags(b, extensions[e], (uint16_t)e);
		for (size_t i = 0; i < extensions[e]->ncommands; i++) {
			const struct command *k = &extensions[e]->commands[i];
			struct str name = str_from(k->name);
			uint32_t at = word_hash(name, word_is_test(k)) % COUNT(b->word);

			while (b->word[at].command)
				at = (at + 1) % COUNT(b->word);
			b->word[at] = (struct word){ name, k, (uint16_t)e };
		}
	}
}

const struct word *
build_find(const struct build *b, struct str name, bool test)
{
	uint32_t at = word_hash(name, test) % COUNT(b->word);

	for (; b->word[at].command; at = (at + 1) % COUNT(b->word))
		if (word_is_test(b->word[at].command) == test && word_is(&b->word[at], name))
			return &b->word[at];
	return NULL;
}

bool
vocabulary_bit(const uint64_t *bits, unsigned i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

static void
vocabulary_set(uint64_t *bits, unsigned i)
{
	bits[i / 64] |= (uint64_t)1 << (i % 64);
}

bool
vocabulary_ready(const struct compiler *c, unsigned extension)
{
	return !*extensions[extension]->name || vocabulary_bit(c->enabled, extension) || vocabulary_bit(c->guarded, extension);
}

/* May this host's rules use it? */
static bool
extension_allowed(const struct tamis_host *host, const struct extension *e)
{
	if (!*e->name)
		return true;
	if (e->missing)
		return false;
	if (!host || !host->allow)
		return !e->hosted;
	return host->allow(host->ctx, text_of(str_from(e->name)));
}

static bool
comparator_capability(struct str capability, const struct comparator *comparator)
{
	static const struct str prefix = { "comparator-", 11 };

	return str_starts(capability, prefix) && str_is(str_sub(capability, prefix.len, capability.len), comparator->name);
}

int
compile_capability(const struct tamis_host *host, struct str capability)
{
	for (unsigned e = 0; extensions[e]; e++) {
		const struct extension *x = extensions[e];

		if (*x->name && str_is(capability, x->name))
			return extension_allowed(host, x) ? (int)e : -1;
		for (size_t i = 0; i < x->ncomparators; i++)
			if (comparator_capability(capability, &x->comparators[i]))
				return extension_allowed(host, x) ? (int)e : -1;
	}
	return -1;
}

const char *
vocabulary_near_extension(const struct compiler *c, struct str name)
{
	const char *best = NULL;
	unsigned distance = NEAR + 1;

	for (unsigned e = 0; extensions[e]; e++) {
		unsigned d = str_distance(name, str_from(extensions[e]->name), NEAR);

		if (d < distance && *extensions[e]->name && extension_allowed(c->host, extensions[e])) {
			best = extensions[e]->name;
			distance = d;
		}
	}
	return best;
}

static void
vocabulary_enable(struct compiler *c, unsigned e)
{
	const struct extension *x = extensions[e];

	vocabulary_set(c->enabled, e);
	build_hook(c->build, e);
	c->templates |= x->templates;
	c->rewrites |= x->rewrite != NULL;
	c->captures |= x->templates;
	for (const char *const *also = x->requires; also && *also; also++) {
		int other = compile_capability(c->host, str_from(*also));

		if (other >= 0 && !vocabulary_bit(c->enabled, (unsigned)other))
			vocabulary_enable(c, (unsigned)other);
	}
	if (!x->ihave)
		return;
	c->ihave = true;
	for (unsigned i = 0; extensions[i]; i++)
		if (!extensions[i]->templates && !extensions[i]->rewrite && extension_allowed(c->host, extensions[i]))
			vocabulary_set(c->guarded, i);
}

bool
compile_lenient(const struct compiler *c)
{
	for (unsigned e = 0; extensions[e]; e++)
		if (extensions[e]->hosted && extension_allowed(c->host, extensions[e]))
			return true;
	return false;
}

bool
compile_enable(struct compiler *c, struct str capability, struct span at)
{
	int e = compile_capability(c->host, capability);
	const char *near;
	char hint[160];

	if (e >= 0) {
		vocabulary_enable(c, (unsigned)e);
		vec_push(&c->required, (struct required){ (unsigned)e, capability, at });
		return true;
	}
	near = vocabulary_near_extension(c, capability);
	if (near)
		snprintf(hint, sizeof hint, "did you mean \"%s\"?", near);
	for (unsigned i = 0; extensions[i]; i++)
		if (str_is(capability, extensions[i]->name)) {
			compile_error(c, at, extensions[i]->missing, "extension \"%.*s\" is not available here",
			              STR_ARG(capability));
			return false;
		}
	compile_error(c, at, near ? hint : NULL, "unknown extension \"%.*s\"", (int)(capability.len > 80 ? 80 : capability.len),
	              capability.s);
	return false;
}

bool
compile_enabled(struct compiler *c, const char *capability)
{
	int e = compile_capability(c->host, str_from(capability));

	if (e < 0 || !vocabulary_bit(c->enabled, (unsigned)e))
		return false;
	vocabulary_set(c->used, (unsigned)e);
	return true;
}

void
vocabulary_seen(struct compiler *c, unsigned extension)
{
	vocabulary_set(c->used, extension);
}

/* Has the extension words that could have been used?  Of one without nobody can tell. */
static bool
extension_has_words(const struct extension *x)
{
	return *x->name && (x->ncommands || x->ngrafts || x->nmatch_types || x->ncomparators || x->naddress_parts ||
	                    x->templates || x->rewrite);
}

void
vocabulary_unused(struct compiler *c)
{
	for (size_t i = 0; i < c->required.n && !c->ihave; i++) {
		const struct required *r = &c->required.v[i];

		if (!vocabulary_bit(c->used, r->extension) && extension_has_words(extensions[r->extension]) &&
		    !extensions[r->extension]->hosted)
			compile_warning(c, r->at, NULL, "extension \"%.*s\" is required, but not used", STR_ARG(r->capability));
	}
}

static bool
vocabulary_unready(struct compiler *c, unsigned e, struct span at, const char *what, struct str name)
{
	const struct extension *x = extensions[e];
	char hint[160];

	if (vocabulary_bit(c->guarded, e)) {
		build_hook(c->build, e);
		emit_enabled(c, e, at, "%s '%.*s' needs the extension \"%s\", which no ihave has enabled before", what,
		             STR_ARG(name), x->name);
		return true;
	}
	if (c->ihave) {
		compile_fail(c, at, "%s '%.*s' needs the extension \"%s\", which %s", what, STR_ARG(name), x->name,
		             extension_allowed(c->host, x) ? "ihave cannot enable" : "is not available here");
		return false;
	}
	snprintf(hint, sizeof hint, "add require \"%s\"; at the start of the script", x->name);
	if (extension_allowed(c->host, x))
		compile_error(c, at, hint, "%s '%.*s' needs the extension \"%s\"", what, STR_ARG(name), x->name);
	else
		compile_error(c, at, x->missing, "%s '%.*s' needs the extension \"%s\", which is not available here", what,
		              STR_ARG(name), x->name);
	vocabulary_enable(c, e);
	return true;
}

bool
vocabulary_use(struct compiler *c, unsigned e, struct span at, const char *what, struct str name)
{
	vocabulary_set(c->used, e);
	return !*extensions[e]->name || vocabulary_bit(c->enabled, e) || vocabulary_unready(c, e, at, what, name);
}

uint32_t
build_capability(struct build *b, unsigned extension)
{
	for (uint32_t i = 0; i < b->capabilities.n; i++)
		if (b->capabilities.v[i] == extensions[extension])
			return i;
	vec_push(&b->capabilities, extensions[extension]);
	return (uint32_t)b->capabilities.n - 1;
}

void
build_hook(struct build *b, unsigned extension)
{
	const struct extension *x = extensions[extension];

	for (uint32_t i = 0; i < b->hooks.n; i++)
		if (b->hooks.v[i] == x)
			return;
	if (x->effect)
		vec_push(&b->hooks, x);
}

const char *
vocabulary_near_command(const struct compiler *c, struct str name, bool test)
{
	const char *best = NULL;
	unsigned distance = NEAR + 1;

	for (size_t i = 0; i < COUNT(c->build->word); i++) {
		const struct word *w = &c->build->word[i];
		unsigned d;

		if (!w->command || word_is_test(w->command) != test || !extension_allowed(c->host, extensions[w->extension]))
			continue;
		d = str_distance(name, w->name, NEAR);
		if (d < distance && d < name.len) {
			best = w->command->name;
			distance = d;
		}
	}
	return best;
}

bool
graft_fits(const struct graft *g, const struct command *k)
{
	for (const char *const *on = g->on; *on; on++) {
		if (!strcmp(*on, k->name))
			return true;
		if (!strcmp(*on, "@headers") && k->kind == COMMAND_TEST)
			for (uint8_t i = 0; i < k->nparams; i++)
				if (k->params[i].role == ROLE_HEADERS)
					return true;
	}
	return false;
}

struct near {
	struct str tag;
	const char *best;
	unsigned distance;
};

static void
near_try(struct near *n, const char *name)
{
	unsigned d = str_distance(n->tag, str_from(name + 1), NEAR);

	if (*name == ':' && d < n->distance && d < n->tag.len) {
		n->best = name;
		n->distance = d;
	}
}

const char *
vocabulary_near_tag(const struct compiler *c, const struct command *k, struct str tag)
{
	struct near n = { tag, NULL, NEAR + 1 };

	for (uint8_t i = 0; i < k->nparams; i++)
		near_try(&n, k->params[i].name);
	for (unsigned e = 0; extensions[e]; e++) {
		const struct extension *x = extensions[e];

		if (!vocabulary_ready(c, e))
			continue;
		for (size_t i = 0; i < x->nmatch_types && k->flags & COMMAND_MATCHES; i++)
			near_try(&n, x->match_types[i].name);
		for (size_t i = 0; i < x->naddress_parts && k->flags & COMMAND_ADDRESS_PART; i++)
			near_try(&n, x->address_parts[i].name);
		for (size_t i = 0; i < x->ngrafts; i++)
			if (graft_fits(&x->grafts[i], k))
				near_try(&n, x->grafts[i].name);
	}
	if (k->flags & COMMAND_MATCHES)
		near_try(&n, ":comparator");
	return n.best;
}
