/* doctor_say.c - what was seen, and what to do
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "host/diag.h"
#include "host/json.h"
#include "tamis/doctor.h"

static const char *const levels[] = {
	[DOCTOR_FINE] = "fine", [DOCTOR_NOTE] = "note", [DOCTOR_WARNING] = "warning", [DOCTOR_ERROR] = "error",
};

static json_t *
doctor_object(const char *name, enum doctor_level level, struct str seen, const char *remedy)
{
	json_t *o = json_object();

	json_put(o, "trap", json_text(str_from(name)));
	json_put(o, "level", json_text(str_from(levels[level])));
	json_put(o, "seen", json_text(seen));
	if (level != DOCTOR_FINE)
		json_put(o, "remedy", json_text(str_from(remedy)));
	return o;
}

void
doctor_say(const struct settings *set, const char *name, enum doctor_level level, struct str seen, const char *remedy)
{
	struct buf b = { 0 };

	if (level == DOCTOR_FINE && set->quiet)
		return;
	if (set->json) {
		json_line(stdout, doctor_object(name, level, seen, remedy));
		return;
	}
	diag_clean(&b, seen);
	printf("%-8s %s%s%.*s\n", levels[level], name, b.len ? ": " : "", (int)b.len, b.len ? b.s : "");
	if (level != DOCTOR_FINE)
		printf("         %s\n", remedy);
	buf_done(&b);
}
