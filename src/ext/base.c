/* base.c - the actions and tests of RFC 5228 4 and 5 that need no require
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "lang/compile.h"
#include "vm/trace.h"

/* --- keep, discard */

static int
keep_act(struct run *r, const struct call *k, const struct value *arg)
{
	(void)arg;
	return run_commit(r, k, run_effect(r, k, TAMIS_KEEP));
}

static int
discard_act(struct run *r, const struct call *k, const struct value *arg)
{
	(void)arg;
	return run_commit(r, k, run_effect(r, k, TAMIS_DISCARD));
}

/* --- redirect <address: string> */

static const char *
address_check(struct str v)
{
	struct arena arena = { 0 };
	struct mail_address address;
	bool ok = address_one(&arena, v, &address);

	arena_done(&arena);
	return ok ? NULL : "is not a mail address";
}

static const struct param redirect_params[] = {
	{ "address", STRING, .check = address_check },
};

static int
redirect_act(struct run *r, const struct call *k, const struct value *arg)
{
	struct effect *e = run_effect(r, k, TAMIS_REDIRECT);
	struct mail_address address;

	if (!address_one(&r->arena, arg[0].str[0], &address))
		return run_error(r, k, "\"%.*s\" is not a mail address", STR_ARG(arg[0].str[0]));
	effect_option(r, e, "address", address_spec(&r->arena, &address));
	return run_commit(r, k, e);
}

/* --- header <header-names: string-list> <key-list: string-list> */

enum { NAMES };
static const struct param header_params[] = {
	[NAMES] = { "header-names", STRINGS, ROLE_HEADERS },
	{ "key-list", STRINGS, ROLE_KEYS },
};

/* the name as it stands in the rules; empty when only a run knows it */
static struct str
constant_name(const struct call *k, uint32_t i)
{
	const struct value *v = &k->arg[NAMES];

	return v->template && v->template[i] ? STR_EMPTY : v->str[i];
}

/* RFC 5228 2.4.2.2: what is no field name is no error, but a mistake surely. */
static bool
names_check(struct compiler *c, struct call *k, const struct ast_node *node)
{
	const struct value *v = &k->arg[NAMES];

	(void)node;
	for (uint32_t i = 0; i < v->n; i++) {
		struct str name = v->str[i];

		if ((!name.len || constant_name(k, i).len) && !header_name_ok(name))
			compile_warning(c, compile_at(c, v), NULL, "\"%.*s\" is no header field name: no field has it",
			                name.len > 80 ? 80 : (int)name.len, name.s);
	}
	return true;
}

static int
header_values(struct run *r, const struct call *k, const struct value *arg, struct match *m)
{
	struct fields f;

	fields_start(&f, r, k, &arg[0]);
	while (fields_next(&f))
		if (match_cell(m, (struct cell *)field_value(r->message, f.at)))
			break;
	return YES;
}

/* --- address [ADDRESS-PART] <header-list: string-list> <key-list: string-list> */

/* Fields that hold addresses: RFC 5228 5.1 wants the test restricted to them.
 * Of names with "X-" nobody can tell.  What rules ask for most stands first. */
static const char *const address_fields[] = {
	"from", "to", "cc", "sender", "reply-to",
	"abuse-reports-to", "apparently-to", "approved", "approved-by", "author", "bcc", "delivered-to",
	"disposition-notification-to", "envelope-from", "envelope-to", "errors-to", "followup-to", "for-approval",
	"for-comment", "for-handling", "generate-delivery-report", "mail-copies-to", "mail-followup-to",
	"mail-reply-to", "original-from", "original-recipient", "original-sender", "original-to", "prevent-delivery-report",
	"read-receipt-to", "registered-mail-reply-requested-by", "resent-bcc", "resent-cc", "resent-from",
	"resent-reply-to", "resent-sender", "resent-to", "return-path", "return-receipt-requested", "return-receipt-to",
};

static bool
holds_addresses(struct str name)
{
	if (name.len > 1 && name.s[1] == '-' && char_lower(*name.s) == 'x')
		return true;
	for (size_t i = 0; i < COUNT(address_fields); i++)
		if (name.len && char_lower(*name.s) == *address_fields[i] && str_iis(name, address_fields[i]))
			return true;
	return false;
}

static bool
address_fields_check(struct compiler *c, struct call *k, const struct ast_node *node)
{
	bool ok = names_check(c, k, node);

	for (uint32_t i = 0; i < k->arg[NAMES].n; i++) {
		struct str name = constant_name(k, i);

		if (!header_name_ok(name) || holds_addresses(name))
			continue;
		compile_error(c, compile_at(c, &k->arg[NAMES]), "use 'header'", "the field \"%.*s\" does not hold addresses",
		              name.len > 80 ? 80 : (int)name.len, name.s);
		ok = false;
	}
	return ok;
}

static int
address_values(struct run *r, const struct call *k, const struct value *arg, struct match *m)
{
	struct fields f;

	fields_start(&f, r, k, &arg[0]);
	while (fields_next(&f)) {
		int n = !arg[NAMES].dynamic || holds_addresses(f.at->name) ? field_addresses(r->message, f.at) : 0;

		for (int i = 0; i < n; i++)
			if (match_address(m, &f.at->address[i]))
				return YES;
	}
	return YES;
}

/* --- exists <header-names: string-list> */

static int
exists_test(struct run *r, const struct call *k, const struct value *arg)
{
	for (uint32_t i = 0; i < arg[0].n; i++)
		if (!run_field(r, &arg[0], i)) {
			TRACE(r, nearest, k, STR_EMPTY, arg[0].str[i]);
			return NO;
		}
	return YES;
}

/* --- size <":over" / ":under"> <limit: number> */

enum { OVER, UNDER, LIMIT };
static const struct param size_params[] = {
	[OVER]  = { ":over", FLAG, .flags = PARAM_REQUIRED, .group = 1 },
	[UNDER] = { ":under", FLAG, .flags = PARAM_REQUIRED, .group = 1 },
	[LIMIT] = { "limit", NUMBER },
};

static int
size_test(struct run *r, const struct call *k, const struct value *arg)
{
	if (r->tracing) {
		char octets[24];

		snprintf(octets, sizeof octets, "%llu", (unsigned long long)r->message->size);
		TRACE(r, value, k, str_from(octets), NO, STR_EMPTY);
	}
	return arg[OVER].type == FLAG ? r->message->size > arg[LIMIT].number : r->message->size < arg[LIMIT].number;
}

static const struct command commands[] = {
	{ .name = "keep", .kind = COMMAND_ACTION, .summary = "files the message where mail goes without rules",
	  .effects = 1u << TAMIS_KEEP, .act = keep_act },
	{ .name = "discard", .kind = COMMAND_ACTION, .summary = "cancels the implicit keep: the message is thrown away silently",
	  .effects = 1u << TAMIS_DISCARD, .act = discard_act },
	{ .name = "redirect", .kind = COMMAND_ACTION, .summary = "sends the message on to another address",
	  PARAMS(redirect_params), .effects = 1u << TAMIS_REDIRECT, .act = redirect_act },
	{ .name = "header", .kind = COMMAND_TEST, .summary = "compares the values of header fields", .flags = COMMAND_MATCHES,
	  PARAMS(header_params), .needs = TAMIS_HEADER, .check = names_check,
	  .values = header_values },
	{ .name = "address", .kind = COMMAND_TEST, .summary = "compares the addresses in header fields",
	  .flags = COMMAND_MATCHES | COMMAND_ADDRESS_PART, PARAMS(header_params), .needs = TAMIS_HEADER, .check = address_fields_check,
	  .values = address_values },
	{ .name = "exists", .kind = COMMAND_TEST, .summary = "is true if all of the header fields are there",
	  .params = header_params, .nparams = 1, .check = names_check, .needs = TAMIS_HEADER, .test = exists_test },
	{ .name = "size", .kind = COMMAND_TEST, .summary = "compares the size of the message in octets", PARAMS(size_params),
	  .needs = TAMIS_BODY, .program_needs = TAMIS_NEEDS_SIZE, .test = size_test },
};

static const struct address_part parts[] = {
	{ .name = ":all", .summary = "the whole address", .builtin = 1 },
	{ .name = ":localpart", .summary = "what stands before the \"@\"", .builtin = 2 },
	{ .name = ":domain", .summary = "what stands behind the \"@\"", .builtin = 3 },
};

const struct extension ext_base = {
	.name = "", .document = "RFC 5228", .summary = "the base of the language", COMMANDS(commands),
	.address_parts = parts, .naddress_parts = COUNT(parts),
};
