/* index.c - the n-th of several header fields (RFC 5260 6)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/compile.h"

enum { INDEX, LAST };
static const struct graft grafts[];

static struct graft_use *
use_of(const struct call *k, const struct graft *g)
{
	for (struct graft_use *u = (struct graft_use *)call_grafts(k); u; u = u->next)
		if (u->graft == g)
			return u;
	return NULL;
}

/* --- [":index" <fieldno: number> [":last"]]: n of its value says that the end is where counting begins */

static bool
index_compile(struct compiler *c, struct call *k, struct graft_use *u)
{
	(void)k;
	if (u->value.number)
		return true;
	compile_error(c, u->at, "the first field has the number 1", "'%s' is given the number 0", u->graft->name);
	return false;
}

static bool
index_select(const struct value *v, const struct field *f, unsigned nth, unsigned total)
{
	(void)f;
	return v->number == (v->n ? total - nth + 1 : nth);
}

static bool
last_compile(struct compiler *c, struct call *k, struct graft_use *u)
{
	struct graft_use *index = use_of(k, &grafts[INDEX]);

	if (!index) {
		compile_error(c, u->at, NULL, "'%s' needs '%s' with it", u->graft->name, grafts[INDEX].name);
		return false;
	}
	index->value.n = 1;
	return true;
}

static const char *const index_on[] = { "header", "address", "date", NULL };

static const struct graft grafts[] = {
	[INDEX] = { .name = ":index", .type = NUMBER, .on = index_on, .summary = "only the field of that number, from 1",
	            .compile = index_compile, .select = index_select },
	[LAST] = { .name = ":last", .type = FLAG, .on = index_on, .summary = "the number counts from the last field",
	           .compile = last_compile },
};

const struct extension ext_index = {
	.name = "index", .document = "RFC 5260 6", .summary = "tests one of several header fields", GRAFTS(grafts),
};
