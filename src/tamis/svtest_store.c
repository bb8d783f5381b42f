/* svtest_store.c - mailboxes and an outbox in memory, for test suites
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/utf8.h"
#include "tamis/svtest.h"

enum { COMPONENT_MAX = 255 };   /* bytes between two separators */

void
svtest_store_done(struct svtest_store *s)
{
	size_t i;

	for (i = 0; i < s->folder.n; i++)
		vec_done(&s->folder.v[i].message);
	vec_done(&s->folder);
	vec_done(&s->outbox);
	vec_done(&s->annotation);
	arena_done(&s->arena);
}

/* A store of directories, with "." between the parts of a name. */
const char *
svtest_store_name(struct str name)
{
	size_t part = 0, i;

	if (!name.len || name.s[0] == '~' || utf8_check(name) >= 0)
		return "invalid mailbox name";
	for (i = 0; i <= name.len; i++) {
		if (i < name.len && name.s[i] == '/')
			return "invalid mailbox name: it contains the character '/'";
		if (i < name.len && name.s[i] != '.') {
			if (++part > COMPONENT_MAX)
				return "invalid mailbox name: it is too long";
			continue;
		}
		if (!part)
			return "invalid mailbox name: a part of it is empty";
		part = 0;
	}
	return NULL;
}

static bool
svtest_store_is_inbox(struct str name)
{
	return str_iis(name, "INBOX");
}

static struct svtest_folder *
svtest_store_there(struct svtest_store *s, struct str name)
{
	size_t i;

	for (i = 0; i < s->folder.n; i++) {
		struct svtest_folder *f = &s->folder.v[i];

		if (str_eq(f->name, name) || (svtest_store_is_inbox(f->name) && svtest_store_is_inbox(name)))
			return f;
	}
	return NULL;
}

struct svtest_folder *
svtest_store_find(struct svtest_store *s, struct str name)
{
	if (svtest_store_is_inbox(name))
		svtest_store_create(s, STR("INBOX"));
	return svtest_store_there(s, name);
}

bool
svtest_store_create(struct svtest_store *s, struct str name)
{
	if (svtest_store_name(name) || svtest_store_there(s, name))
		return false;
	vec_push(&s->folder, (struct svtest_folder){ .name = arena_str(&s->arena, name) });
	return true;
}

void
svtest_store_put(struct svtest_store *s, struct svtest_folder *f, struct str text, struct str flags)
{
	/* what the server that suites know says of every message */
	const char *keyword = svtest_mail_attached(text) ? "$HasAttachment" : "$HasNoAttachment";

	flags = arena_printf(&s->arena, "%.*s%s%s", STR_ARG(flags), flags.len ? " " : "", keyword);
	vec_push(&f->message, (struct svtest_stored){ arena_str(&s->arena, text), flags });
}

/* RFC 5464 2: names begin with who may see them, and are in letters of either case. */
const char *
svtest_store_annotate(struct svtest_store *s, struct str mailbox, struct str name, struct str value)
{
	struct svtest_annotation *a;
	size_t i;

	if (!str_istarts(name, STR("/private/")) && !str_istarts(name, STR("/shared/")))
		return "the name of an annotation begins with /private/ or /shared/";
	if (mailbox.len && !svtest_store_find(s, mailbox))
		return "mailbox doesn't exist";
	for (i = 0; i < s->annotation.n; i++)
		if (str_eq(s->annotation.v[i].mailbox, mailbox) && str_ieq(s->annotation.v[i].name, name))
			break;
	if (i == s->annotation.n)
		vec_push(&s->annotation, (struct svtest_annotation){ arena_str(&s->arena, mailbox), arena_str(&s->arena, name),
		                                                     STR_EMPTY });
	a = &s->annotation.v[i];
	a->value = arena_str(&s->arena, value);
	return NULL;
}

void
svtest_store_send(struct svtest_store *s, struct str from, struct str to, struct str text)
{
	vec_push(&s->outbox, (struct svtest_sent){ arena_str(&s->arena, from), arena_str(&s->arena, to),
	                                           arena_str(&s->arena, text) });
}
