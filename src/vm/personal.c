/* personal.c - may a machine answer a message for its recipient? (RFC 3834 2; RFC 5230 4.5, 4.6)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "vm/personal.h"

#include "vm/path.h"

#define WORD(literal) { (literal), sizeof(literal) - 1 }

/* --- who wrote it */

/* Local parts that belong to programs.  Not "postmaster": people read that,
 * and want to know that nobody does (RFC 5230 4.6). */
static const struct str machines[] = {
	WORD("mailer-daemon"), WORD("listserv"), WORD("majordomo"), WORD("double-bounce"), WORD("noreply"), WORD("no-reply"),
	WORD("donotreply"), WORD("do-not-reply"),
};
static const struct str machine_ends[] = { WORD("-request"), WORD("-owner"), WORD("-bounces") };

static bool
is_machine(struct str local)
{
	/* "list-bounces+alice=example.org" tells which recipient's mail came back */
	const char *plus = memchr(local.s, '+', local.len);
	struct str v = plus ? str_sub(local, 0, (size_t)(plus - local.s)) : local;

	for (size_t i = 0; i < COUNT(machines); i++)
		if (str_ieq(v, machines[i]))
			return true;
	for (size_t i = 0; i < COUNT(machine_ends); i++)
		if (v.len > machine_ends[i].len && str_ieq(str_sub(v, v.len - machine_ends[i].len, v.len), machine_ends[i]))
			return true;
	return str_istarts(v, STR("owner-"));
}

static struct field *
field_named(struct run *r, struct str name)
{
	return run_field_lower(r, name);
}

/* The envelope's sender; after final delivery it may be in a field alone
 * (RFC 5230 4.2). */
static bool
sender_read(struct run *r, struct mail_address *ret)
{
	const struct mail_address *known = path_fact(r, STR("from"));
	struct field *f = known ? NULL : field_named(r, STR("return-path"));

	if (known)
		*ret = *known;
	else if (f)
		path_read(&r->arena, field_plain(r->message, f)->v, ret);
	return known || f;
}

/* --- what it says of itself */

/* RFC 5230 4.6, RFC 2369, RFC 2919, and what lists without them write */
static const struct str list_fields[] = {
	WORD("list-id"), WORD("list-help"), WORD("list-subscribe"), WORD("list-unsubscribe"), WORD("list-post"),
	WORD("list-owner"), WORD("list-archive"), WORD("mailing-list"), WORD("x-mailing-list"),
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
field_says(struct run *r, struct str name, const char *const *word, bool any)
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
	for (struct field *f = field_named(r, STR("auto-submitted")); f; f = f->same) {
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

	for (size_t i = 0; i < COUNT(list_fields); i++)
		if (field_named(r, list_fields[i]))
			return "it comes from a mailing list";
	if (is_automatic(r))
		return "it was sent by a machine ('Auto-Submitted')";
	if (field_says(r, STR("precedence"), bulk, false))
		return "it is bulk mail ('Precedence')";
	if (field_says(r, STR("x-auto-response-suppress"), suppressed, true))
		return "its sender wants no automatic answer ('X-Auto-Response-Suppress')";
	if (field_says(r, STR("content-type"), report, false))
		return "it is a report";
	return NULL;
}

/* --- whom it was written to */

static bool
same_address(const struct mail_address *a, const struct mail_address *b)
{
	return str_ieq(a->local.v, b->local.v) && str_ieq(a->domain.v, b->domain.v);
}

struct addresses
personal_addresses(struct arena *arena, const struct value *list)
{
	struct addresses a = { NULL, 0 };

	if (list->type == NONE)
		return a;
	a.v = arena_array(arena, list->n, sizeof *a.v);
	for (uint32_t i = 0; i < list->n; i++)
		a.n += address_one(arena, list->str[i], &a.v[a.n]) > 0;
	return a;
}

/* That of the envelope, or one of those in the rules. */
static const struct mail_address *
own_find(struct run *r, const struct addresses *own, const struct mail_address *a)
{
	const struct mail_address *to = recipient_to(r->recipient);

	r->work += 1 + own->n / 8;
	if (!a->valid)
		return NULL;
	if (to->valid && to->all.v.len && same_address(to, a))
		return to;
	for (size_t i = 0; i < own->n; i++)
		if (same_address(&own->v[i], a))
			return &own->v[i];
	return NULL;
}

/* RFC 5230 4.5: the first of them that the message is addressed to */
static const struct mail_address *
own_addressed(struct run *r, const struct addresses *own)
{
	static const struct str fields[] = {
		WORD("to"), WORD("cc"), WORD("bcc"), WORD("resent-to"), WORD("resent-cc"), WORD("resent-bcc"),
	};

	for (size_t k = 0; k < COUNT(fields); k++)
		for (struct field *f = field_named(r, fields[k]); f; f = f->same) {
			int addresses = field_addresses(r->message, f);

			for (int i = 0; i < addresses; i++) {
				const struct mail_address *found = own_find(r, own, &f->address[i]);

				if (found)
					return found;
			}
		}
	return NULL;
}

/* --- */

const char *
personal_read(struct run *r, const struct addresses *own, struct personal *ret)
{
	const struct mail_address *self;
	const char *why;

	if (!sender_read(r, &ret->sender) || !ret->sender.valid)
		return "its sender is not known";
	if (!ret->sender.all.v.len)
		return "it has the null sender";
	if (is_machine(ret->sender.local.v))
		return "its sender is a machine";
	if (own_find(r, own, &ret->sender))
		return "it comes from its recipient";
	why = header_refuses(r);
	if (why)
		return why;
	self = own_addressed(r, own);
	if (!self)
		return "it is not addressed to its recipient";
	ret->self = address_spec(&r->arena, self);
	return NULL;
}
