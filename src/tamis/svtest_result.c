/* svtest_result.c - the actions of test suites: collected, then carried out
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "host/print.h"
#include "host/text.h"
#include "tamis/svtest.h"

void
svtest_result_reset(struct svtest_result *r)
{
	r->action.n = 0;
	r->kept = false;
	r->keep_flags = STR_EMPTY;
	if (r->outcome)
		tamis_outcome_clear(r->outcome);
}

struct str
svtest_result_option(const struct svtest_action *a, const char *name)
{
	size_t i;

	for (i = 0; i < a->noptions; i++)
		if (str_is(text_str(a->options[i].name), name))
			return text_str(a->options[i].value);
	return STR_EMPTY;
}

static bool
svtest_result_has(const struct svtest_action *a, const char *name)
{
	size_t i;

	for (i = 0; i < a->noptions; i++)
		if (str_is(text_str(a->options[i].name), name))
			return true;
	return false;
}

/* --- collecting */

/* Suites have names of their own for some actions. */
static const char *const svtest_result_names[TAMIS_EFFECTS] = {
	[TAMIS_FILE] = "store", [TAMIS_REJECT] = "reject",
};

/* Where it takes the message: a mailbox, an address. */
struct str
svtest_result_target(const struct svtest_action *a)
{
	static const char *const names[TAMIS_EFFECTS] = {
		[TAMIS_FILE] = "mailbox",
		[TAMIS_REDIRECT] = "address",
	};

	return names[a->kind] ? svtest_result_option(a, names[a->kind]) : STR_EMPTY;
}

/* What a mailbox action files into; empty: it is none. */
static struct str
svtest_result_folder(const struct svtest_action *a)
{
	struct str name = a->kind == TAMIS_KEEP ? STR("INBOX") : STR_EMPTY;

	if (a->kind == TAMIS_FILE)
		name = svtest_result_target(a);
	return str_iis(name, "INBOX") ? STR("INBOX") : name;
}

/* The same address: domains in letters of either case. */
static bool
svtest_result_same_address(struct str a, struct str b)
{
	const char *at = memrchr(a.s, '@', a.len);
	size_t n = at ? (size_t)(at - a.s) : a.len;

	return a.len == b.len && !memcmp(a.s, b.s, n) && str_ieq(str_sub(a, n, a.len), str_sub(b, n, b.len));
}

static bool
svtest_result_twins(const struct svtest_action *a, const struct svtest_action *b)
{
	struct str folder = svtest_result_folder(a);

	if (folder.len)
		return str_eq(folder, svtest_result_folder(b));
	if (a->kind != b->kind)
		return false;
	if (a->kind == TAMIS_REDIRECT)
		return svtest_result_same_address(svtest_result_target(a), svtest_result_target(b));
	return a->kind == TAMIS_DISCARD || a->kind == TAMIS_REJECT || a->kind == TAMIS_QUARANTINE;
}

static void
svtest_result_options(struct svtest *t, struct svtest_action *a, const struct tamis_effect *e)
{
	struct tamis_option *o = arena_array(&t->arena, e->noptions + 1, sizeof(*o));
	size_t i;

	for (i = 0; i < e->noptions; i++) {
		o[i].name = text_of(svtest_host_keep(t, text_str(e->options[i].name)));
		o[i].value = text_of(svtest_host_keep(t, text_str(e->options[i].value)));
	}
	a->options = o;
	a->noptions = e->noptions;
}

static bool
svtest_result_cancels(const struct svtest_action *a)
{
	return !svtest_result_has(a, "copy") && (a->kind == TAMIS_DISCARD || a->kind == TAMIS_REJECT ||
	                                          a->kind == TAMIS_FILE || a->kind == TAMIS_REDIRECT ||
	                                          a->kind == TAMIS_QUARANTINE);
}

bool
svtest_result_cancelled(const struct svtest_result *r)
{
	size_t i;

	for (i = 0; i < r->action.n; i++)
		if (r->action.v[i].cancels)
			return true;
	return false;
}

/* Effects that are no actions in the sense of suites: they happen at once, or are not seen. */
static const bool svtest_result_silent[TAMIS_EFFECTS] = {
	[TAMIS_HEADER_ADD] = true, [TAMIS_HEADER_DELETE] = true, [TAMIS_HEADER_REPLACE] = true, [TAMIS_BODY_REPLACE] = true,
	[TAMIS_REMEMBER] = true,
};

/* Of equal actions the first keeps its place, the last its flags. */
static bool
svtest_result_merge(struct svtest_result *r, const struct svtest_action *a)
{
	size_t i;

	for (i = 0; i < r->action.n; i++) {
		struct svtest_action *twin = &r->action.v[i];

		if (!svtest_result_twins(twin, a))
			continue;
		twin->cancels |= a->cancels;
		if (svtest_result_has(a, "flags") && !twin->done)
			twin->flags = a->flags;
		return true;
	}
	return false;
}

static void
svtest_result_add(struct svtest *t, struct svtest_result *r, const struct tamis_effect *e)
{
	const char *name = svtest_result_names[e->kind];
	struct svtest_action a = { .effect = e, .kind = e->kind };

	a.name = name ? str_from(name) : svtest_host_keep(t, text_str(e->name));
	svtest_result_options(t, &a, e);
	a.cancels = svtest_result_cancels(&a);
	a.flags = svtest_result_option(&a, "flags");
	if (svtest_result_merge(r, &a))
		return;
	a.text = e->kind == TAMIS_SEND ? svtest_mail_text(t, r->outcome, e) : svtest_scene_text(t, r->outcome, e->version);
	vec_push(&r->action, a);
}

/* An equal action in the same script may have changed this one. */
static bool
svtest_result_known(struct svtest *t, struct svtest_result *r, const struct tamis_effect *e)
{
	size_t i;

	for (i = 0; i < r->action.n; i++) {
		struct svtest_action *a = &r->action.v[i];

		if (a->effect != e)
			continue;
		svtest_result_options(t, a, e);
		a->cancels |= svtest_result_cancels(a);
		a->flags = svtest_result_option(a, "flags");
		return true;
	}
	return false;
}

void
svtest_result_absorb(struct svtest *t, struct svtest_result *r)
{
	const struct tamis_effect *e = NULL;

	while ((e = tamis_outcome_next(r->outcome, e))) {
		if (e->implicit)
			r->keep_flags = svtest_host_keep(t, print_option(e, "flags"));
		else if (!svtest_result_silent[e->kind] && !svtest_result_known(t, r, e))
			svtest_result_add(t, r, e);
	}
}

/* --- carrying out */

static bool
svtest_result_error(struct svtest *t, const char *what, struct str name, const char *why)
{
	struct buf b = { 0 };

	buf_printf(&b, "%s '%.*s': %s", what, STR_ARG(name), why);
	svtest_script_log(t, buf_str(&b));
	buf_done(&b);
	return false;
}

/* Can it be done?  All actions are asked before any is carried out. */
static bool
svtest_result_possible(struct svtest *t, const struct svtest_action *a)
{
	struct str folder = svtest_result_folder(a);
	const char *wrong;

	if (a->kind != TAMIS_FILE || a->done)
		return true;
	wrong = svtest_store_name(folder);
	if (!wrong && svtest_result_has(a, "create"))
		svtest_store_create(&t->store, folder);
	if (!wrong && !svtest_store_find(&t->store, folder))
		wrong = "mailbox doesn't exist";
	return wrong ? svtest_result_error(t, "failed to store into mailbox", folder, wrong) : true;
}

static void
svtest_result_store(struct svtest *t, const struct svtest_action *a)
{
	struct svtest_folder *f = svtest_store_find(&t->store, svtest_result_folder(a));

	if (f)
		svtest_store_put(&t->store, f, a->text, a->flags);
}

static void
svtest_result_do(struct svtest *t, struct svtest_result *r, struct svtest_action *a)
{
	switch (a->kind) {
	case TAMIS_KEEP:
	case TAMIS_FILE:
		svtest_result_store(t, a);
		r->kept |= a->kind == TAMIS_KEEP;
		break;
	case TAMIS_REDIRECT:
		/* a loop: this redirect did not happen, so the message stays */
		if (!svtest_mail_redirect(t, a))
			a->cancels = false;
		break;
	case TAMIS_REJECT:
		svtest_mail_bounce(t, a);
		break;
	case TAMIS_SEND:
		svtest_mail_reply(t, a);
		break;
	default:
		break;
	}
	a->done = true;
}

static void
svtest_result_keep(struct svtest *t, struct svtest_result *r)
{
	struct svtest_action keep = { .kind = TAMIS_KEEP, .flags = r->keep_flags };

	if (r->kept)
		return;
	keep.text = svtest_scene_text(t, r->outcome, UINT32_MAX);
	svtest_result_store(t, &keep);
	r->kept = true;
}

bool
svtest_result_execute(struct svtest *t, struct svtest_result *r)
{
	bool good = true;
	size_t i;

	for (i = 0; i < r->action.n; i++)
		good &= svtest_result_possible(t, &r->action.v[i]);
	for (i = 0; good && i < r->action.n; i++)
		if (!r->action.v[i].done)
			svtest_result_do(t, r, &r->action.v[i]);
	if (!good || !svtest_result_cancelled(r))
		svtest_result_keep(t, r);
	return good;
}
