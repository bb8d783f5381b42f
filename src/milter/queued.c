/* queued.c - recipients as the mail server's queue has them
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Postfix takes away whose name in its queue is that name byte by byte, and
 * says nothing if there is none.  The name is the client's without comments,
 * quotes, brackets and route, but before it is completed: "alice" stays that,
 * though mail for her comes to alice@example.org.  What is submitted on the
 * machine itself we are told as it was completed and written anew, so each
 * name that can have become that one is taken away.  Only a source route,
 * @a:b@c, is not to be guessed. */
#include "milter/queued.h"

#include "host/canonical.h"

/* With its brackets and the byte behind it Sendmail's MAXNAME is an address's longest; bytes from 80 to 9F stand there for
 * what its own rules are made of.  Postfix takes from no client what is longer than a line of its (2048); what is longer
 * than a packet of the milter protocol it cannot be told. */
enum { SENDMAIL_ADDRESS = 253, SENDMAIL_OPERATORS = 0x80, SENDMAIL_OPERATORS_MASK = 0xe0, POSTFIX_ADDRESS = 2000 };

bool
queued_takes(bool sendmail, struct str address)
{
	if (!sendmail)
		return address.len <= POSTFIX_ADDRESS;
	for (size_t i = 0; i < address.len; i++)
		if (((unsigned char)address.s[i] & SENDMAIL_OPERATORS_MASK) == SENDMAIL_OPERATORS)
			return false;
	return address.len <= SENDMAIL_ADDRESS;
}

/* Without route. */
static struct str
queued_name(const struct rcpt *r)
{
	struct str v = r->address;
	ptrdiff_t colon = v.len && v.s[0] == '@' ? str_find(v, STR(":")) : -1;

	return colon < 0 ? v : str_sub(v, (size_t)colon + 1, v.len);
}

/* What Postfix reads a name from: a route goes only where it begins what stands in the outer brackets. */
static struct str
queued_read(const struct rcpt *r)
{
	struct str v = r->argument;
	ptrdiff_t colon;

	if (v.len > 1 && v.s[0] == '<' && v.s[v.len - 1] == '>')
		v = str_sub(v, 1, v.len - 1);
	colon = v.len && v.s[0] == '@' ? str_find(v, STR(":")) : -1;
	return colon < 0 ? v : str_sub(v, (size_t)colon + 1, v.len);
}

struct str
queued_unquoted(struct arena *a, struct str v)
{
	char *to = NULL;
	size_t n = 0;

	if (!memchr(v.s, '"', v.len) && !memchr(v.s, '\\', v.len))
		return v;
	to = arena_alloc(a, v.len + 1);
	for (size_t i = 0; i < v.len; i++) {
		if (v.s[i] == '"')
			continue;
		i += v.s[i] == '\\' && i + 1 < v.len;
		to[n++] = v.s[i];
	}
	to[n] = '\0';
	return (struct str){ to, n };
}

struct str
queued_plain(struct arena *a, struct str address)
{
	struct str local, domain;

	if (!str_split_last(address, '@', &local, &domain))
		return address;
	return canonical_written(a, queued_unquoted(a, local), domain);
}

/* ... and quotes; of two names that differ in case alone it keeps the first, for both. */
struct str
queued_group(struct arena *a, const struct rcpt *r)
{
	return arena_lower(a, queued_unquoted(a, queued_name(r)));
}

bool
queued_has(struct transaction *t, struct str address)
{
	struct str name = arena_lower(&t->arena, queued_unquoted(&t->arena, address));

	for (size_t i = 0; i < t->rcpt.n; i++)
		if (str_eq(t->rcpt.v[i]->group, name))
			return true;
	return false;
}

static struct str
queued_local(struct str address)
{
	struct str local, domain;

	str_split_last(address, '@', &local, &domain);
	return local;
}

/* Is it the name, before completion with the domain of the machine, of nobody who stays? */
static bool
queued_is_free(const struct transaction *t, const struct merge *m, struct str name)
{
	for (size_t i = 0; i < t->rcpt.n; i++)
		if (!m->rcpt[i].removed && str_eq(queued_local(t->rcpt.v[i]->group), name))
			return false;
	return true;
}

static int
queued_delete(struct transaction *t, const struct mta *mta, struct str name)
{
	return name.len ? mta->delete_rcpt(mta->ctx, arena_printf(&t->arena, "<%.*s>", STR_ARG(name)).s) : 0;
}

/* What alice@example.org may have been called on the machine itself; of what is "L" and "D" stand for her and the domain. */
static const char *const written[] = { "L", "L%D", "D!L" };

static struct str
queued_written(struct arena *a, const char *form, struct str address)
{
	struct str local = queued_local(address), ret;
	struct buf b = { 0 };

	for (; *form; form++) {
		if (*form == 'L')
			buf_add(&b, local);
		else if (*form == 'D')
			buf_add(&b, str_sub(address, local.len + 1, address.len));
		else
			buf_putc(&b, *form);
	}
	ret = buf_copy(&b, a);
	buf_done(&b);
	return ret;
}

static int
queued_delete_written(struct transaction *t, const struct mta *mta, const struct merge *m, const struct rcpt *r)
{
	const size_t n = memchr(r->group.s, '@', r->group.len) ? sizeof(written) / sizeof(*written) : 1;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++)
		if (queued_is_free(t, m, queued_written(&t->arena, written[i], r->group)))
			rc = queued_delete(t, mta, queued_written(&t->arena, written[i], queued_name(r)));
	return rc;
}

int
queued_remove(struct transaction *t, const struct mta *mta, const struct merge *m, size_t i)
{
	const struct rcpt *r = t->rcpt.v[i];
	struct str name = queued_name(r), read = queued_read(r);
	int rc;

	if (t->sendmail || (!r->respelled && r->argument.len <= name.len + 2))
		rc = mta->delete_rcpt(mta->ctx, r->argument.s);
	else
		rc = queued_delete(t, mta, name);
	if (rc == 0 && !t->sendmail && !str_eq(read, name))
		rc = mta->delete_rcpt(mta->ctx, arena_str(&t->arena, read).s);
	if (rc == 0 && t->local && !t->sendmail)
		rc = queued_delete_written(t, mta, m, r);
	return rc;
}
