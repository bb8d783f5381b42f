/* envelope.c - the test of what SMTP said: sender, recipient (RFC 5228 5.4)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "vm/match.h"
#include "vm/path.h"

/* The parts besides "to" are facts of the same name, if the host knows them. */
static const char *const parts[] = { "from", "to", "auth", "orig_to" };
enum { PART_TO = 1 };

static int
part_find(struct str name)
{
	for (size_t i = 0; i < COUNT(parts); i++)
		if (str_iis(name, parts[i]))
			return (int)i;
	return -1;
}

/* RFC 5228 5.4: unknown parts should be considered an error. */
static const char *
part_check(struct str name)
{
	return part_find(name) < 0 ? "is not a part of the envelope: \"from\", \"to\", \"auth\", \"orig_to\"" : NULL;
}

/* --- envelope [ADDRESS-PART] <envelope-part: string-list> <key-list: string-list> */

static const struct param envelope_params[] = {
	{ "envelope-part", STRINGS, .check = part_check },
	{ "key-list", STRINGS, ROLE_KEYS },
};

/* The null path is the empty string whatever part of it is asked for, but is not counted (RFC 5231 4.2). */
static bool
envelope_match(struct match *m, struct mail_address *a)
{
	if (!a->all.v.len && m->matcher->type->counts)
		return false;
	return a->all.v.len ? match_address(m, a) : match_cell(m, &a->all);
}

static int
envelope_values(struct run *r, const struct call *k, const struct value *arg, struct match *m)
{
	(void)k;
	for (uint32_t i = 0; i < arg[0].n; i++) {
		int part = part_find(arg[0].str[i]);
		struct mail_address *a = NULL;

		if (part == PART_TO)
			a = recipient_to(r->recipient);
		else if (part >= 0)
			a = path_fact(r, str_from(parts[part]));
		if (a && envelope_match(m, a))
			break;
	}
	return YES;
}

static const struct command commands[] = {
	{ .name = "envelope", .kind = COMMAND_TEST, .summary = "compares addresses of the envelope",
	  .flags = COMMAND_MATCHES | COMMAND_ADDRESS_PART, PARAMS(envelope_params), .values = envelope_values },
};

const struct extension ext_envelope = {
	.name = "envelope", .document = "RFC 5228 5.4", .summary = "looks at the sender and the recipient that SMTP named",
	COMMANDS(commands),
};
