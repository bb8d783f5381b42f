/* modifier.c - tags that change a value before it is stored (RFC 5229 4.1)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/build.h"

bool
modifiers_sort(struct compiler *c, struct call *call)
{
	struct graft_use *sorted = NULL, *next;
	bool ok = true;

	for (struct graft_use *u = (struct graft_use *)call_grafts(call); u; u = next) {
		struct graft_use **at = &sorted;

		next = u->next;
		for (; *at && (*at)->graft->order >= u->graft->order; at = &(*at)->next)
			if (u->graft->modify && (*at)->graft->order == u->graft->order) {
				compile_error(c, u->at, NULL, "'%s' and '%s' exclude each other: they have the same precedence",
				              (*at)->graft->name, u->graft->name);
				ok = false;
			}
		u->next = *at;
		*at = u;
	}
	if (sorted)
		compile_more(c, call)->grafts = sorted;
	return ok;
}
