/* usage.c - the usage line of a command, from its table, in the notation of the RFCs
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/build.h"

static const char *
type_name(enum type type)
{
	switch (type) {
	case NUMBER:
		return "number";
	case STRING:
		return "string";
	case STRINGS:
		return "string-list";
	case NONE: case FLAG:
		break;
	}
	return "";
}

static void
usage_tag(struct buf *out, const char *name, enum type type)
{
	buf_puts(out, name);
	if (type != FLAG)
		buf_printf(out, " <%s>", type_name(type));
}

static bool
same_group(const struct param *p, const struct param *q)
{
	return *q->name == ':' && q->group == p->group && p->group;
}

/* A tag, with those that exclude it: "[:a / :b <number>]". */
static void
usage_group(struct buf *out, const struct command *k, uint8_t first)
{
	const struct param *p = &k->params[first];
	bool required = p->flags & PARAM_REQUIRED;

	for (uint8_t i = 0; i < first; i++)
		if (same_group(p, &k->params[i]))
			return;
	buf_puts(out, required && !p->group ? " " : required ? " <" : " [");
	usage_tag(out, p->name, p->type);
	for (uint8_t i = (uint8_t)(first + 1); i < k->nparams; i++)
		if (same_group(p, &k->params[i])) {
			buf_puts(out, " / ");
			usage_tag(out, k->params[i].name, k->params[i].type);
		}
	buf_puts(out, required && !p->group ? "" : required ? ">" : "]");
}

static void
usage_grafts(struct buf *out, const struct command *k, const struct compiler *c)
{
	for (unsigned e = 0; extensions[e]; e++)
		for (size_t i = 0; i < extensions[e]->ngrafts; i++)
			if ((!c || vocabulary_bit(c->enabled, e)) && graft_fits(&extensions[e]->grafts[i], k)) {
				buf_puts(out, " [");
				usage_tag(out, extensions[e]->grafts[i].name, extensions[e]->grafts[i].type);
				buf_putc(out, ']');
			}
}

struct str
command_usage(struct arena *arena, const struct command *k, const struct compiler *c)
{
	struct buf out = { 0 };
	struct str copy;

	buf_puts(&out, k->name);
	usage_grafts(&out, k, c);
	if (k->flags & COMMAND_MATCHES)
		buf_puts(&out, " [COMPARATOR] [MATCH-TYPE]");
	if (k->flags & COMMAND_ADDRESS_PART)
		buf_puts(&out, " [ADDRESS-PART]");
	for (uint8_t i = 0; i < k->nparams; i++)
		if (*k->params[i].name == ':')
			usage_group(&out, k, i);
	for (uint8_t i = 0; i < k->nparams; i++)
		if (*k->params[i].name != ':')
			buf_printf(&out, k->params[i].flags & PARAM_OPTIONAL ? " [<%s: %s>]" : " <%s: %s>", k->params[i].name,
			           type_name(k->params[i].type));
	if (k->flags & COMMAND_TEST_ONE)
		buf_puts(&out, " <test>");
	if (k->flags & COMMAND_TEST_LIST)
		buf_puts(&out, " <tests: test-list>");
	if (k->flags & COMMAND_BLOCK)
		buf_puts(&out, " <block>");
	copy = buf_copy(&out, arena);
	buf_done(&out);
	return copy;
}
