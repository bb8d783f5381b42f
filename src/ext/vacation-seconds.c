/* vacation-seconds.c - answers more often than once a day (RFC 6131)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/compile.h"

#define SECONDS_MOST ((uint64_t)1 << 31)

static bool
seconds_compile(struct compiler *c, struct call *call, struct graft_use *use)
{
	bool ok = true;

	for (uint8_t i = 0; i < call->nargs; i++)
		if (call->arg[i].type == NUMBER && !call->arg[i].initial) {
			compile_error(c, use->at, NULL, "'%s' and '%s' exclude each other", call->command->params[i].name,
			              use->graft->name);
			ok = false;
		}
	if (use->value.number > SECONDS_MOST) {
		compile_error(c, use->at, NULL, "argument of '%s' is larger than %llu", use->graft->name,
		              (unsigned long long)SECONDS_MOST);
		ok = false;
	}
	return ok;
}

static const char *const seconds_on[] = { "vacation", NULL };
static const char *const seconds_requires[] = { "vacation", NULL };

static const struct graft grafts[] = {
	{ .name = ":seconds", .type = NUMBER, .on = seconds_on, .summary = "answers again after that time, not after days",
	  .compile = seconds_compile },
};

const struct extension ext_vacation_seconds = {
	.name = "vacation-seconds", .document = "RFC 6131", .summary = "seconds between answers", GRAFTS(grafts),
	.requires = seconds_requires,
};
