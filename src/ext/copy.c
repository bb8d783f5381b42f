/* copy.c - filing and redirecting copies without side effects (RFC 3894)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "vm/run.h"

static void
copy_effect(struct run *r, const struct value *v, struct effect *e)
{
	(void)v;
	effect_option(r, e, "copy", STR_EMPTY);
}

static const char *const copy_on[] = { "fileinto", "redirect", NULL };

static const struct graft grafts[] = {
	{ .name = ":copy", .type = FLAG, .on = copy_on, .summary = "does not cancel the implicit keep", .effect = copy_effect },
};

const struct extension ext_copy = {
	.name = "copy", .document = "RFC 3894", .summary = "files or redirects a copy, whatever else becomes of the message",
	GRAFTS(grafts),
};
