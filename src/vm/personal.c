/* personal.c - may a machine answer a message for its recipient? (RFC 3834 2; RFC 5230 4.5, 4.6)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "vm/personal.h"

#include "vm/path.h"

/* --- who wrote it */

/* Local parts that belong to programs.  Not "postmaster": people read that,
 * and want to know that nobody does (RFC 5230 4.6). */
static const char *const machines[] = {
	"mailer-daemon", "listserv", "majordomo", "double-bounce", "noreply", "no-reply", "donotreply", "do-not-reply", NULL
};
static const char *const machine_starts[] = { "owner-", NULL };
static const char *const machine_ends[] = { "-request", "-owner", "-bounces", NULL };
static const char *const machine_parts[] = { "-request+", "-owner+", "-bounces+", NULL };

static bool
is_machine(struct run *r, struct str local)
{
	struct str v = arena_lower(&r->arena, local);
	const char *const *p;

	for (p = machines; *p; p++)
		if (str_is(v, *p))
			return true;
	for (p = machine_starts; *p; p++)
		if (str_starts(v, str_from(*p)))
			return true;
	for (p = machine_ends; *p; p++)
		if (v.len > strlen(*p) && str_is(str_sub(v, v.len - strlen(*p), v.len), *p))
			return true;
	/* addresses that tell which recipient's mail came back: "list-bounces+alice=example.org" */
	for (p = machine_parts; *p; p++)
		if (str_find(v, str_from(*p)) > 0)
			return true;
	return false;
}

static struct field *
field_named(struct run *r, const char *name)
{
	return message_field(r->message, str_from(name), field_hash(str_from(name)));
}

/* The envelope's sender; after final delivery it may be in a field alone
 * (RFC 5230 4.2). */
static bool
sender_read(struct run *r, struct mail_address *ret)
{
	const struct mail_address *known = path_fact(r, STR("from"));
	struct field *f = known ? NULL : field_named(r, "return-path");

	if (known)
		*ret = *known;
	else if (f)
		path_read(&r->arena, field_plain(r->message, f)->v, ret);
	return known || f;
}

/* --- what it says of itself */

/* RFC 5230 4.6, RFC 2369, RFC 2919, and what lists without them write */
static const char *const list_fields[] = {
	"list-id", "list-help", "list-subscribe", "list-unsubscribe", "list-post", "list-owner", "list-archive",
	"mailing-list", "x-mailing-list", NULL
};

static bool
is_separator(char c)
{
	return c == ',' || c == ';' || c == '(' || c == ' ' || c == '\t';
}

/* The first word of *v, which is taken away. */
static struct str
word_next(struct str *v)
{
	size_t from = 0, to;
	struct str word;

	while (from < v->len && is_separator(v->s[from]))
		from++;
	for (to = from; to < v->len && !is_separator(v->s[to]); to++)
		;
	word = str_sub(*v, from, to);
	*v = str_sub(*v, to, v->len);
	return word;
}

/* Does a field of that name have one of the words, be it the first one or, if `any`, another? */
static bool
field_says(struct run *r, const char *name, const char *const *word, bool any)
{
	for (struct field *f = field_named(r, name); f; f = f->same) {
		struct str rest = field_plain(r->message, f)->v, w = word_next(&rest);

		run_work(r, f->raw.len);
		for (; w.len; w = any ? word_next(&rest) : STR_EMPTY)
			for (const char *const *p = word; *p; p++)
				if (str_iis(w, *p))
					return true;
	}
	return false;
}

/* Any value other than "no": an empty one, too */
static bool
is_automatic(struct run *r)
{
	for (struct field *f = field_named(r, "auto-submitted"); f; f = f->same) {
		struct str rest = field_plain(r->message, f)->v;

		if (!str_iis(word_next(&rest), "no"))
			return true;
	}
	return false;
}

static const char *
header_refuses(struct run *r)
{
	static const char *const bulk[] = { "bulk", "junk", "list", NULL };
	static const char *const suppressed[] = { "all", "oof", NULL };
	static const char *const report[] = { "multipart/report", NULL };

	for (const char *const *name = list_fields; *name; name++)
		if (field_named(r, *name))
			return "it comes from a mailing list";
	if (is_automatic(r))
		return "it was sent by a machine ('Auto-Submitted')";
	if (field_says(r, "precedence", bulk, false))
		return "it is bulk mail ('Precedence')";
	if (field_says(r, "x-auto-response-suppress", suppressed, true))
		return "its sender wants no automatic answer ('X-Auto-Response-Suppress')";
	if (field_says(r, "content-type", report, false))
		return "it is a report";
	return NULL;
}

/* --- whom it was written to */

static bool
same_address(const struct mail_address *a, const struct mail_address *b)
{
	return str_ieq(a->local.v, b->local.v) && str_ieq(a->domain.v, b->domain.v);
}

/* The recipient's own addresses: that of the envelope, and those in the rules. */
static size_t
own_read(struct run *r, const struct value *addresses, struct mail_address **ret)
{
	struct mail_address *own = arena_array(&r->arena, addresses->n + 1u, sizeof *own);
	size_t n = 0;

	if (r->recipient->to.valid && r->recipient->to.all.v.len)
		own[n++] = r->recipient->to;
	for (uint32_t i = 0; addresses->type != NONE && i < addresses->n; i++)
		n += address_one(&r->arena, addresses->str[i], &own[n]) > 0;
	*ret = own;
	return n;
}

static const struct mail_address *
own_find(struct run *r, const struct mail_address *own, size_t n, const struct mail_address *a)
{
	r->work += 1 + n / 8;
	for (size_t i = 0; a->valid && i < n; i++)
		if (same_address(&own[i], a))
			return &own[i];
	return NULL;
}

/* RFC 5230 4.5: the first of them that the message is addressed to */
static const struct mail_address *
own_addressed(struct run *r, const struct mail_address *own, size_t n)
{
	static const char *const fields[] = { "to", "cc", "bcc", "resent-to", "resent-cc", "resent-bcc", NULL };

	for (const char *const *name = fields; *name; name++)
		for (struct field *f = field_named(r, *name); f; f = f->same) {
			int addresses = field_addresses(r->message, f);

			for (int i = 0; i < addresses; i++) {
				const struct mail_address *found = own_find(r, own, n, &f->address[i]);

				if (found)
					return found;
			}
		}
	return NULL;
}

/* --- */

const char *
personal_read(struct run *r, const struct value *addresses, struct personal *ret)
{
	const struct mail_address *self;
	struct mail_address *own;
	const char *why;
	size_t n;

	if (!sender_read(r, &ret->sender) || !ret->sender.valid)
		return "its sender is not known";
	if (!ret->sender.all.v.len)
		return "it has the null sender";
	if (is_machine(r, ret->sender.local.v))
		return "its sender is a machine";
	n = own_read(r, addresses, &own);
	if (own_find(r, own, n, &ret->sender))
		return "it comes from its recipient";
	why = header_refuses(r);
	if (why)
		return why;
	self = own_addressed(r, own, n);
	if (!self)
		return "it is not addressed to its recipient";
	ret->self = address_spec(&r->arena, self);
	return NULL;
}
