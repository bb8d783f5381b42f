/* vacation.c - answers those who write, not too often (RFC 5230)
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Whom a message is answered: vm/personal.c.  How: vm/reply.c.  Whether the
 * sender has been answered before is a question to the host, and that he has
 * been, an effect. */
#include "base/utf8.h"
#include "lang/compile.h"
#include "vm/path.h"
#include "vm/reply.h"
#include "vm/trace.h"

enum { DAY = 86400 };

static const char *
address_check(struct str v)
{
	struct arena scratch = { 0 };
	struct mail_address address;
	bool ok = address_one(&scratch, v, &address) > 0;

	arena_done(&scratch);
	return ok ? NULL : "is not a mail address";
}

/* --- vacation [":days" <number>] [":subject" <string>] [":from" <string>] [":addresses" <string-list>] [":mime"]
 *              [":handle" <string>] <reason: string> */

enum { DAYS, SUBJECT, FROM, ADDRESSES, MIME, HANDLE, REASON };
static const struct param vacation_params[] = {
	[DAYS]      = { ":days", NUMBER, .initial = 7 },
	[SUBJECT]   = { ":subject", STRING },
	[FROM]      = { ":from", STRING, .check = reply_from_check },
	[ADDRESSES] = { ":addresses", STRINGS, .check = address_check },
	[MIME]      = { ":mime", FLAG },
	[HANDLE]    = { ":handle", STRING },
	[REASON]    = { "reason", STRING },
};

/* --- which answers are the same (RFC 5230 4.2)
 *
 * That of a handle is its name; that of others a hash (FNV-1a) of what they
 * say, as the rules spell it: before variables are filled in.  It is in stores
 * that outlive programs, so it never changes. */

static uint64_t
hash_add(uint64_t hash, struct str v)
{
	for (size_t i = 0; i < v.len; i++)
		hash = (hash ^ (unsigned char)v.s[i]) * 0x100000001b3u;
	return hash;
}

/* Counted, so that no string can be taken for part of another. */
static uint64_t
hash_argument(uint64_t hash, struct arena *arena, const struct value *v)
{
	if (v->type == NONE || v->type == FLAG)
		return hash_add(hash, v->type == NONE ? STR("-") : STR("+"));
	return hash_add(hash_add(hash, arena_printf(arena, "%zu:", v->str[0].len)), v->str[0]);
}

static bool
is_plain(struct str v)
{
	for (size_t i = 0; i < v.len; i++)
		if ((unsigned char)v.s[i] <= ' ' || (unsigned char)v.s[i] >= 0x7f)
			return false;
	return v.len && v.len <= LIMIT_REPLY_HANDLE;
}

static struct str
answer_name(struct arena *arena, const struct value *arg)
{
	static const uint8_t said[] = { SUBJECT, FROM, MIME, REASON };
	uint64_t hash = 0xcbf29ce484222325u;

	if (arg[HANDLE].type != NONE && is_plain(arg[HANDLE].str[0]))
		return arena_printf(arena, "handle %.*s", STR_ARG(arg[HANDLE].str[0]));
	if (arg[HANDLE].type != NONE)
		return arena_printf(arena, "handle-hash %016llx", (unsigned long long)hash_argument(hash, arena, &arg[HANDLE]));
	for (size_t i = 0; i < COUNT(said); i++)
		hash = hash_argument(hash, arena, &arg[said[i]]);
	return arena_printf(arena, "hash %016llx", (unsigned long long)hash);
}

/* --- when compiled */

struct vacation {
	struct str answer;              /* its name */
	struct addresses own;           /* that are constant */
};

static bool
text_check(struct compiler *c, const struct value *v, const char *name)
{
	if (v->type == NONE || v->dynamic || utf8_check(v->str[0]) < 0)
		return true;
	compile_error(c, compile_at(c, v), NULL, "%s of 'vacation' is not UTF-8", name);
	return false;
}

static bool
mime_check(struct compiler *c, const struct value *reason)
{
	struct str extra;
	const char *wrong = reason->dynamic ? NULL : reply_mime_check(reason->str[0], &extra);

	if (wrong)
		compile_error(c, compile_at(c, reason), "write it as encoded words (RFC 2047)", "reason of 'vacation' %s", wrong);
	else if (!reason->dynamic && extra.len)
		compile_warning(c, compile_at(c, reason), "only fields that describe the content are",
		                "field '%.*s' of the reason is not sent", STR_ARG(extra));
	return !wrong;
}

static bool
vacation_check(struct compiler *c, struct call *call, const struct ast_node *node)
{
	struct vacation *v = ARENA_NEW(&c->program->arena, struct vacation);
	const struct value *arg = call->arg;
	bool ok = text_check(c, &arg[SUBJECT], ":subject");

	(void)node;
	ok &= text_check(c, &arg[REASON], "reason");
	if (arg[MIME].type != NONE)
		ok &= mime_check(c, &arg[REASON]);
	if (arg[HANDLE].dynamic)
		compile_warning(c, compile_at(c, &arg[HANDLE]), NULL, "variables in ':handle' are not filled in (RFC 5230 4.2)");
	v->answer = answer_name(&c->program->arena, arg);
	if (!arg[ADDRESSES].dynamic)
		v->own = personal_addresses(&c->program->arena, &arg[ADDRESSES]);
	compile_more(c, call)->data = v;
	return ok;
}

/* --- when run */

/* For how long the sender is not answered again; another extension may have a word in it. */
static uint64_t
seconds_of(const struct call *k, const struct value *days)
{
	uint64_t most = LIMIT_REPLY_SECONDS;

	for (const struct graft_use *g = call_grafts(k); g; g = g->next)
		if (g->graft->type == NUMBER)
			return g->value.number < most ? g->value.number : most;
	if (days->number < 1)
		return DAY;
	return days->number < most / DAY ? days->number * DAY : most;
}

static int
vacation_send(struct run *r, const struct call *k, const struct value *arg, const struct personal *who)
{
	struct reply reply = { .from = STR_EMPTY, .subject = STR_EMPTY, .reason = arg[REASON].str[0] };
	struct effect *e = run_effect(r, k, TAMIS_SEND);

	if (arg[FROM].type != NONE)
		reply.from = arg[FROM].str[0];
	if (arg[SUBJECT].type != NONE)
		reply.subject = arg[SUBJECT].str[0];
	reply.mime = arg[MIME].type != NONE;
	reply_describe(r, e, who, &reply);
	return run_commit(r, k, e);
}

static int
vacation_remember(struct run *r, const struct call *k, struct str key, uint64_t seconds)
{
	struct effect *e = run_effect(r, k, TAMIS_REMEMBER);

	effect_option(r, e, "what", STR("vacation"));
	effect_option(r, e, "key", key);
	effect_option(r, e, "seconds", arena_printf(&r->arena, "%llu", (unsigned long long)seconds));
	return run_commit(r, k, e);
}

static struct str
vacation_key(struct arena *arena, const struct mail_address *sender, const struct vacation *v)
{
	struct str who = arena_lower(arena, address_spec(arena, sender));

	return arena_join(arena, (struct str[]){ who, STR(" "), v->answer }, 3);
}

/* If the message is answered at all. */
static void
vacation_questions(const struct call *k, struct recipient *r, void (*want)(void *ctx, struct str what, struct str key),
                   void *ctx)
{
	const struct fact *from = recipient_known(r, STR("from"));
	struct mail_address sender;

	if (!from || !from->value.v.len || !seconds_of(k, &k->arg[DAYS]))
		return;
	path_read(&r->arena, from->value.v, &sender);
	if (sender.valid && sender.all.v.len)
		want(ctx, STR("vacation"), vacation_key(&r->arena, &sender, call_data(k)));
}

/* The first time; the arguments are in order. */
static int
vacation_answer(struct run *r, const struct call *k, const struct value *arg)
{
	const struct vacation *v = call_data(k);
	uint64_t seconds = seconds_of(k, &arg[DAYS]);
	struct addresses own = arg[ADDRESSES].dynamic ? personal_addresses(&r->arena, &arg[ADDRESSES]) : v->own;
	struct personal who;
	struct str key;
	int rc;

	r->idle = personal_read(r, &own, &who);
	if (r->idle)
		return YES;
	key = vacation_key(&r->arena, &who.sender, v);
	rc = seconds ? run_ask(r, STR("vacation"), key, NULL) : NO;
	if (rc != NO) {
		r->idle = rc == YES ? "its sender has been answered before" : "nobody knows whether its sender has been answered";
		return rc;
	}
	/* in doubt nothing leaves: it could not be taken back */
	if (r->degraded) {
		r->idle = "something else is not known";
		return YES;
	}
	rc = vacation_send(r, k, arg, &who);
	return rc == YES && seconds ? vacation_remember(r, k, key, seconds) : rc;
}

static int
vacation_act(struct run *r, const struct call *k, const struct value *arg)
{
	const char *wrong = outcome_answer(r->outcome);

	if (wrong)
		return run_error(r, k, "'%s': %s", k->command->name, wrong);
	if (arg[MIME].type != NONE && arg[REASON].dynamic) {
		wrong = reply_mime_check(arg[REASON].str[0], NULL);
		if (wrong)
			return run_error(r, k, "reason of '%s' %s", k->command->name, wrong);
	}
	return vacation_answer(r, k, arg);
}

static const struct command commands[] = {
	{ .name = "vacation", .kind = COMMAND_ACTION, .summary = "answers the sender, once in a while", PARAMS(vacation_params),
	  .needs = TAMIS_HEADER, .program_needs = TAMIS_NEEDS_STATE, .effects = 1u << TAMIS_SEND | 1u << TAMIS_REMEMBER,
	  .act = vacation_act, .check = vacation_check, .questions = vacation_questions },
};

const struct extension ext_vacation = {
	.name = "vacation", .document = "RFC 5230", .summary = "answers while one is away", COMMANDS(commands),
};
