/* outcome.c - recipients, and what runs for them decided
 * SPDX-License-Identifier: BSD-2-Clause */
#include "vm/outcome.h"

#include <stdlib.h>

#include "vm/edit.h"
#include "vm/mailbox.h"
#include "vm/path.h"

/* --- recipients */

static void
recipient_begin(struct recipient *r, struct str address, int64_t now, const uint8_t seed[32])
{
	r->written = arena_str(&r->arena, address);
	r->now = now;
	if (seed)
		memcpy(r->seed, seed, sizeof r->seed);
}

struct mail_address *
recipient_to(struct recipient *r)
{
	if (!r->is_read)
		path_read(&r->arena, r->written, &r->to);
	r->is_read = true;
	return &r->to;
}

struct recipient *
recipient_new(struct message *m, struct str address, int64_t now, const uint8_t seed[32])
{
	struct recipient *r = mem_alloc(sizeof *r);

	*r = (struct recipient){ .message = m };
	recipient_begin(r, address, now, seed);
	return r;
}

void
recipient_reset(struct recipient *r, struct str address, int64_t now, const uint8_t seed[32])
{
	arena_reset(&r->arena);
	*r = (struct recipient){ .arena = r->arena, .message = r->message };
	recipient_begin(r, address, now, seed);
}

struct recipient *
recipient_free(struct recipient *r)
{
	if (r) {
		arena_done(&r->arena);
		free(r);
	}
	return NULL;
}

void
recipient_fact(struct recipient *r, struct str name, struct str value)
{
	struct fact *f = ARENA_NEW(&r->arena, struct fact);

	f->name = arena_str(&r->arena, name);
	f->value = cell_of(arena_str(&r->arena, value));
	f->next = r->fact;
	r->fact = f;
}

struct fact *
recipient_known(struct recipient *r, struct str name)
{
	for (struct fact *f = r->fact; f; f = f->next)
		if (str_ieq(f->name, name))
			return f;
	for (struct fact *f = message_facts(r->message); f; f = f->next)
		if (str_ieq(f->name, name))
			return f;
	return NULL;
}

void
recipient_answer(struct recipient *r, struct str what, struct str key, enum tamis_answer answer, struct str value)
{
	struct answer *a = ARENA_NEW(&r->arena, struct answer);

	a->what = arena_str(&r->arena, what);
	a->key = arena_str(&r->arena, key);
	a->value = arena_str(&r->arena, value);
	a->answer = answer;
	a->next = r->answer;
	r->answer = a;
}

const struct answer *
recipient_find(const struct recipient *r, struct str what, struct str key)
{
	for (const struct answer *a = r->answer; a; a = a->next)
		if (str_eq(a->what, what) && str_eq(a->key, key))
			return a;
	return NULL;
}

/* --- outcomes */

struct outcome *
outcome_new(struct recipient *r)
{
	struct outcome *o = mem_alloc(sizeof *o);

	*o = (struct outcome){ .recipient = r };
	return o;
}

void
outcome_reset(struct outcome *o)
{
	arena_reset(&o->arena);
	*o = (struct outcome){ .arena = o->arena, .recipient = o->recipient };
}

struct outcome *
outcome_free(struct outcome *o)
{
	if (o) {
		arena_done(&o->arena);
		free(o);
	}
	return NULL;
}

void
outcome_switch(struct outcome *o, struct recipient *r)
{
	o->recipient = r;
	o->version = o->begun = 0;
	o->edits = NULL;
}

void
outcome_clear(struct outcome *o)
{
	o->cleared++;
	o->first = o->last = NULL;
	o->nactions = o->nredirects = 0;
	o->flags = STR_EMPTY;
	o->cancelled = o->kept = o->answered = o->failed = o->degraded = false;
}

static void
outcome_drop(struct outcome *o, bool (*drop)(const struct outcome *, const struct effect *))
{
	struct effect **link = &o->first;

	o->last = NULL;
	while (*link) {
		if (drop(o, *link)) {
			*link = (*link)->next;
			continue;
		}
		o->last = *link;
		link = &(*link)->next;
	}
}

static bool
is_keep(const struct outcome *o, const struct effect *e)
{
	(void)o;
	return e->public.kind == TAMIS_KEEP;
}

static bool
of_this_run(const struct outcome *o, const struct effect *e)
{
	return e->public.run == o->nruns;
}

static void
outcome_append(struct outcome *o, struct effect *e)
{
	e->public.run = o->nruns;
	e->next = NULL;
	if (o->last)
		o->last->next = e;
	else
		o->first = e;
	o->last = e;
}

bool
outcome_keeps(const struct outcome *o)
{
	return !o->cancelled || o->kept;
}

void
outcome_option(struct outcome *o, struct effect *e, const char *name, struct str value)
{
	struct tamis_option *options = (struct tamis_option *)e->public.options;

	if (e->public.noptions == e->cap) {
		e->cap = e->cap ? e->cap * 2 : 4;
		options = arena_array(&o->arena, e->cap, sizeof *options);
		if (e->public.noptions)
			memcpy(options, e->public.options, e->public.noptions * sizeof *options);
		e->public.options = options;
	}
	options[e->public.noptions++] = (struct tamis_option){ text_of(str_from(name)), text_of(arena_str(&o->arena, value)) };
}

/* NULL: it has no such option */
static const struct tamis_option *
option_find(const struct effect *e, const char *name)
{
	for (size_t i = 0; i < e->public.noptions; i++)
		if (str_is(str_of(e->public.options[i].name), name))
			return &e->public.options[i];
	return NULL;
}

static struct str
option_of(const struct effect *e, const char *name)
{
	const struct tamis_option *o = option_find(e, name);

	return o ? str_of(o->value) : STR_EMPTY;
}

static void
option_remove(struct effect *e, const char *name)
{
	struct tamis_option *options = (struct tamis_option *)e->public.options;

	for (size_t i = 0; i < e->public.noptions; i++)
		if (str_is(str_of(options[i].name), name)) {
			options[i] = options[--e->public.noptions];
			return;
		}
}

/* The option becomes what it is of another effect, if only nothing. */
static void
option_take(struct outcome *o, struct effect *e, const struct effect *from, const char *name)
{
	const struct tamis_option *option = option_find(from, name);

	option_remove(e, name);
	if (option)
		outcome_option(o, e, name, str_of(option->value));
}

/* NULL: nothing is kept */
static struct effect *
outcome_keep(const struct outcome *o)
{
	for (struct effect *e = o->first; e; e = e->next)
		if (e->public.kind == TAMIS_KEEP)
			return e;
	return NULL;
}

/* A keep goes where mail goes without rules, which is the INBOX (RFC 5228 4.3). */
static bool
to_inbox(const struct effect *e)
{
	return e->public.kind == TAMIS_KEEP || (e->public.kind == TAMIS_FILE && mailbox_is_inbox(option_of(e, "mailbox")));
}

/* The flags with which the script kept the message, if that is the same as what it has filed. */
static struct str
outcome_flags_kept(const struct outcome *o)
{
	for (const struct effect *e = o->kept ? o->first : NULL; e; e = e->next)
		if (to_inbox(e) && e->public.run == o->nruns)
			return option_of(e, "flags");
	return STR_EMPTY;
}

/* What was filed as well stays, whatever the scripts behind say. */
static void
outcome_file_kept(struct outcome *o, struct effect *keep)
{
	const struct effect *filed = keep->filed;

	keep->filed = NULL;
	keep->call = filed->call;
	keep->public.kind = filed->public.kind;
	keep->public.name = filed->public.name;
	keep->public.place = filed->public.place;
	for (size_t i = 0; i < filed->public.noptions; i++)
		if (!str_is(str_of(filed->public.options[i].name), "flags"))
			outcome_option(o, keep, filed->public.options[i].name.s, str_of(filed->public.options[i].value));
}

void
outcome_begin(struct outcome *o)
{
	struct effect *keep = outcome_keep(o);

	/* the keep of a script that is not the last means "go on" */
	o->flags = keep ? option_of(keep, "flags") : outcome_flags_kept(o);
	if (keep && keep->filed)
		outcome_file_kept(o, keep);
	outcome_drop(o, is_keep);
	o->nruns++;
	o->begun = o->version;
	o->nactions = o->nredirects = 0;
	o->cancelled = o->kept = o->answered = false;
}

/* Effects of scripts before become what they were. */
static void
outcome_undo(struct outcome *o)
{
	for (struct effect *e = o->first; e; e = e->next)
		if (e->before && e->public.again == o->nruns) {
			e->public = e->before->public;
			e->cap = e->before->cap;
			e->before = NULL;
		}
}

struct effect *
outcome_end(struct outcome *o, bool failed)
{
	struct effect *keep;

	if (failed) {
		outcome_drop(o, of_this_run);
		outcome_undo(o);
		/* RFC 5293 7: an error keeps the message as it was */
		edit_undo(o, o->begun);
		o->cancelled = o->kept = false;
	}
	o->failed = failed;
	/* one that is explicit may be the same as what goes into the INBOX */
	if (o->cancelled || o->kept || outcome_keep(o))
		return NULL;
	keep = ARENA_NEW(&o->arena, struct effect);
	keep->public.kind = TAMIS_KEEP;
	keep->public.name = text_of(STR("keep"));
	keep->public.implicit = true;
	keep->public.place.file.s = "";
	keep->public.version = o->version;
	outcome_append(o, keep);
	return keep;
}

void
outcome_keep_flags(struct outcome *o)
{
	struct effect *keep = outcome_keep(o);

	if (keep && o->flags.len && !option_find(keep, "flags"))
		outcome_option(o, keep, "flags", o->flags);
}

/* What of an effect says where mail goes; equal ones are one (RFC 5228 2.10.3). */
static const char *
target_option(enum tamis_effect_kind kind)
{
	return kind == TAMIS_FILE ? "mailbox" : kind == TAMIS_REDIRECT ? "address" : NULL;
}

/* Domains are compared without case, local parts and mailboxes are not. */
static bool
same_target(enum tamis_effect_kind kind, struct str a, struct str b)
{
	const char *at;

	if (a.len != b.len || kind != TAMIS_REDIRECT)
		return str_eq(a, b);
	at = memrchr(a.s, '@', a.len);
	if (!at)
		return str_eq(a, b);
	return !memcmp(a.s, b.s, (size_t)(at - a.s)) &&
	       str_ieq(str_sub(a, (size_t)(at - a.s), a.len), str_sub(b, (size_t)(at - a.s), b.len));
}

static struct effect *
effect_twin(const struct outcome *o, const struct effect *e)
{
	const char *target = target_option(e->public.kind);
	bool inbox = to_inbox(e);

	for (struct effect *x = o->first; x; x = x->next) {
		/* what a script before has filed there is not what this one keeps: where both go is one place to the host */
		if (inbox && to_inbox(x) && (e->public.kind != TAMIS_KEEP || x->public.run == o->nruns))
			return x;
		if (x->public.kind == e->public.kind &&
		    (e->public.kind == TAMIS_DISCARD || e->public.kind == TAMIS_QUARANTINE ||
		     (target && same_target(e->public.kind, option_of(x, target), option_of(e, target)))))
			return x;
	}
	return NULL;
}

static bool
delivers(enum tamis_effect_kind kind)
{
	return kind == TAMIS_KEEP || kind == TAMIS_FILE || kind == TAMIS_REDIRECT || kind == TAMIS_SEND || kind == TAMIS_QUARANTINE;
}

/* Those that leave nothing to the recipient himself. */
static bool
withholds(enum tamis_effect_kind kind)
{
	return kind == TAMIS_REJECT || kind == TAMIS_DISCARD || kind == TAMIS_QUARANTINE;
}

/* RFC 5429 2.4: a refusal does not go with anything that delivers or answers. */
static const char *
effect_conflict(const struct outcome *o, const struct effect *e)
{
	if (e->public.kind == TAMIS_REJECT && o->answered)
		return "a message that is answered is not refused";
	for (const struct effect *x = o->first; x; x = x->next) {
		if (x->public.run != o->nruns && x->public.again != o->nruns)
			continue;
		if (e->public.kind == TAMIS_REJECT && x->public.kind == TAMIS_REJECT)
			return "the message has been refused already";
		if ((e->public.kind == TAMIS_REJECT && delivers(x->public.kind)) ||
		    (x->public.kind == TAMIS_REJECT && delivers(e->public.kind)))
			return "a refused message is neither delivered nor answered";
	}
	return NULL;
}

const char *
outcome_answer(struct outcome *o)
{
	if (o->answered)
		return "the message has been answered already";
	for (const struct effect *x = o->first; x; x = x->next)
		if (x->public.run == o->nruns && x->public.kind == TAMIS_REJECT)
			return "a refused message is neither delivered nor answered";
	o->answered = true;
	return NULL;
}

/* Once is enough; what of it is as the last one has it. */
static void
outcome_ask_again(struct outcome *o, struct effect *twin, const struct effect *e, bool copy)
{
	struct effect *before;

	if (twin->public.run != o->nruns && twin->public.again != o->nruns) {
		before = ARENA_NEW(&o->arena, struct effect);
		*before = *twin;
		before->public.noptions = before->cap = 0;
		for (size_t i = 0; i < twin->public.noptions; i++)
			outcome_option(o, before, twin->public.options[i].name.s, str_of(twin->public.options[i].value));
		twin->before = before;
	}
	twin->public.again = o->nruns;
	if (twin->public.kind == TAMIS_KEEP && e->public.kind == TAMIS_FILE)
		twin->filed = e;
	if (!copy)
		option_remove(twin, "copy");
	/* RFC 5232 3: the last list of flags wins */
	option_take(o, twin, e, "flags");
}

/* degraded: something could not be told, so nothing is refused, thrown away or
 * set aside on the strength of it (RFC 5228 2.10.6: keep when in doubt). */
const char *
outcome_add(struct outcome *o, const struct program *p, struct effect *e, bool degraded)
{
	const char *wrong;
	bool copy = option_find(e, "copy") != NULL;
	struct effect *twin;

	if (degraded && withholds(e->public.kind)) {
		e->public.kind = TAMIS_KEEP;
		e->public.name = text_of(STR("keep"));
		e->public.early = false;
		e->public.noptions = 0;
	}
	/* edits go with everything, and have a limit of their own */
	if (e->public.kind == TAMIS_HEADER_ADD || e->public.kind == TAMIS_HEADER_DELETE) {
		outcome_append(o, e);
		return NULL;
	}
	wrong = effect_conflict(o, e);
	if (wrong)
		return wrong;
	copy |= degraded && e->public.kind == TAMIS_REDIRECT;
	if (withholds(e->public.kind) || (!copy && target_option(e->public.kind)))
		o->cancelled = true;
	o->kept |= e->public.kind == TAMIS_KEEP;
	twin = effect_twin(o, e);
	if (twin) {
		outcome_ask_again(o, twin, e, copy);
		return NULL;
	}
	if (++o->nactions > p->limits.actions)
		return "too many actions (limit 'actions')";
	if (e->public.kind == TAMIS_REDIRECT && ++o->nredirects > p->limits.redirects)
		return "too many redirects (limit 'redirects')";
	outcome_append(o, e);
	return NULL;
}

/* --- the bytes */

int
outcome_write(const struct outcome *o, unsigned version, int (*write)(void *ctx, struct tamis_text), void *ctx)
{
	const struct message *m = o->recipient->message;
	int rc;

	if (o->edits && version)
		return edit_write(o, version, write, ctx);
	rc = write(ctx, text_of(m->header));
	return rc < 0 || !m->body.len ? rc : write(ctx, text_of(m->body));
}
