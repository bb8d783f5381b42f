/* body.c - what the body of a message says (RFC 5173)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/compile.h"
#include "mail/header.h"
#include "mail/wire.h"
#include "vm/match.h"

/* --- body [COMPARATOR] [MATCH-TYPE] [":raw" / ":content" <content-types: string-list> / ":text"]
 *          <key-list: string-list> */

enum { RAW, CONTENT, TEXT, KEYS };
static const struct param body_params[] = {
	[RAW]     = { ":raw", FLAG, .group = 1 },
	[CONTENT] = { ":content", STRINGS, .group = 1 },
	[TEXT]    = { ":text", FLAG, .group = 1 },
	[KEYS]    = { "key-list", STRINGS, ROLE_KEYS },
};

/* RFC 5173 5.2: "/", "text/" and "a/b/c" are the type of no part. */
static bool
is_content_type(struct str v)
{
	const char *slash = memchr(v.s, '/', v.len);
	size_t at = slash ? (size_t)(slash - v.s) : 0;

	return !slash || (at && at + 1 < v.len && !memchr(slash + 1, '/', v.len - at - 1));
}

static bool
body_check(struct compiler *c, struct call *k, const struct ast_node *node)
{
	struct value *arg = (struct value *)k->arg;
	const struct value *types = &arg[CONTENT];

	(void)node;
	/* said or not, ":text" is one source to the index */
	if (arg[RAW].type == NONE && types->type == NONE && arg[TEXT].type == NONE)
		arg[TEXT] = (struct value){ .type = FLAG, .number = 1, .initial = true };
	for (uint32_t i = 0; i < types->n; i++)
		if (!is_content_type(types->str[i]) && !(types->template && types->template[i]))
			compile_warning(c, compile_at(c, types), "\"TYPE/SUBTYPE\", \"TYPE\", or \"\" for all",
			                "\"%.*s\" is no content type: no part matches", STR_ARG(types->str[i]));
	return true;
}

static bool
has_type(const struct mail_part *part, struct str wanted)
{
	size_t n = part->type.len;

	if (!wanted.len)
		return true;
	if (!memchr(wanted.s, '/', wanted.len))
		return str_ieq(wanted, part->type);
	return wanted.len > n && wanted.s[n] == '/' && str_ieq(str_sub(wanted, 0, n), part->type) &&
	       str_ieq(str_sub(wanted, n + 1, wanted.len), part->subtype);
}

static bool
is_selected(const struct mail_part *part, const struct value *types)
{
	for (uint32_t i = 0; i < types->n; i++)
		if (has_type(part, types->str[i]))
			return true;
	return false;
}

/* The block without the empty line that ends it */
static struct str
header_lines(struct str block)
{
	struct str lines = block;

	if (lines.len && lines.s[lines.len - 1] == '\n')
		lines.len--;
	if (lines.len && lines.s[lines.len - 1] == '\r')
		lines.len--;
	return !lines.len || lines.s[lines.len - 1] == '\n' ? lines : block;
}

/* Feeds a text with CRLF at the end of its lines. */
static bool
feed(struct match *m, struct message *message, struct wire **list, struct str v)
{
	bool folded = m->matcher->comparator->form == CELL_ASCII && !m->matcher->type->raw && !m->run->tracing;

	return match_cell(m, wire_cell(message, list, v, folded));
}

/* Is what the part decodes to made of lines?  All but base64 of what is no text. */
static bool
has_lines(struct message *m, struct mail_part *part)
{
	struct field *f;

	if (str_is(part->type, "text") || part_decoded(m, part)->v.s == part->raw.s)
		return true;
	f = header_find(part->field, part->nfields, "content-transfer-encoding");
	return f && str_istarts(field_plain(m, f)->v, STR("quoted"));
}

/* A multipart is its prologue and its epilogue, a message within the message
 * its header: all else in them are parts of their own. */
static bool
match_content(struct match *m, struct message *message, struct mail_part *part)
{
	if (str_is(part->type, "multipart"))
		return feed(m, message, &part->wire, part->prologue) ||
		       feed(m, message, &part->wire, part->epilogue);
	if (part->child)
		return feed(m, message, &part->wire, header_lines(part->child->header_raw));
	if (!has_lines(message, part))
		return match_cell(m, &part->decoded);
	return feed(m, message, &part->wire, part_text(message, part, false)->v);
}

static bool
match_text_part(struct match *m, struct message *message, struct mail_part *part)
{
	return feed(m, message, &part->wire, part_text(message, part, true)->v);
}

/* RFC 5173 4: a header without an empty line behind it has no body, not even an empty one. */
static bool
has_body(const struct message *m)
{
	return m->body.len || header_lines(m->header).len < m->header.len;
}

static int
body_values(struct run *r, const struct call *k, const struct value *arg, struct match *m)
{
	struct message *message = r->message;

	(void)k;
	if (!has_body(message))
		return NO;
	if (arg[RAW].type == FLAG) {
		feed(m, message, &message->wire, message->body);
		return YES;
	}
	for (struct mail_part *part = message_parts(message); part; part = part_next(part)) {
		if (arg[CONTENT].type == STRINGS ? is_selected(part, &arg[CONTENT]) && match_content(m, message, part)
		                                 : str_is(part->type, "text") && match_text_part(m, message, part))
			break;
		run_work(r, 64);
		if (!run_goes_on(r))
			return ERROR;
	}
	return YES;
}

static const struct command commands[] = {
	{ .name = "body", .kind = COMMAND_TEST, .summary = "compares the text of the message", .needs = TAMIS_BODY,
	  .flags = COMMAND_MATCHES | COMMAND_SILENT | COMMAND_LONG, PARAMS(body_params), .check = body_check,
	  .values = body_values },
};

const struct extension ext_body = {
	.name = "body", .document = "RFC 5173", .summary = "a test of the message's body", COMMANDS(commands),
};
