/* svtest_host.c - what test suites ask for by name
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "host/text.h"
#include "tamis/svtest.h"

struct str
svtest_host_keep(struct svtest *t, struct str v)
{
	return arena_str(&t->arena, v);
}

/* A request gets its key, may leave a reply, and is true or false. */
typedef bool svtest_request(struct svtest *, struct str key);

static void
svtest_host_reply(struct svtest *t, struct str text)
{
	buf_reset(&t->reply);
	buf_add(&t->reply, text);
}

/* Takes what stands before the next NUL. */
static struct str
svtest_host_part(struct str *key)
{
	const char *end = memchr(key->s, '\0', key->len);
	struct str part = end ? str_sub(*key, 0, (size_t)(end - key->s)) : *key;

	*key = end ? str_sub(*key, part.len + 1, key->len) : STR_EMPTY;
	return part;
}

/* --- tests */

/* where the suite is; where a script is that it runs says nothing about the suite */
static bool
svtest_host_line(struct svtest *t, struct str key)
{
	uint64_t line;

	if (!t->depth && str_number(key, &line))
		t->line = (unsigned)line;
	return true;
}

static bool
svtest_host_begin(struct svtest *t, struct str name)
{
	svtest_test_begins(t, name);
	return true;
}

static bool
svtest_host_end(struct svtest *t, struct str key)
{
	(void)key;
	svtest_test_succeeds(t);
	return true;
}

/* false: there is no block to leave, nor a script around this one */
static bool
svtest_host_fail(struct svtest *t, struct str reason)
{
	bool inside = t->inside || t->depth;

	svtest_test_failed(t, reason);
	return inside;
}

/* --- the scene */

static bool
svtest_host_message(struct svtest *t, struct str text)
{
	svtest_scene_message(t, text);
	return true;
}

/* A path with a mistake in it is none; so is what is meant to be one. */
static struct str
svtest_host_path(struct svtest *t, struct str key, bool null_too)
{
	struct str path;
	struct buf b = { 0 };

	if (svtest_scene_path(key, null_too, !null_too, &path))
		return svtest_host_keep(t, path);
	buf_printf(&b, "invalid address in the envelope: %.*s", STR_ARG(key));
	svtest_script_log(t, buf_str(&b));
	buf_done(&b);
	return STR_EMPTY;
}

static bool
svtest_host_from(struct svtest *t, struct str key)
{
	struct svtest_envelope e = svtest_scene_current(t)->envelope;

	e.from = svtest_host_path(t, key, true);
	svtest_scene_envelope(t, &e);
	return true;
}

static bool
svtest_host_to(struct svtest *t, struct str key)
{
	struct svtest_envelope e = svtest_scene_current(t)->envelope;

	e.to = e.orig_to = svtest_host_path(t, key, false);
	svtest_scene_envelope(t, &e);
	return true;
}

static bool
svtest_host_orig_to(struct svtest *t, struct str key)
{
	struct svtest_envelope e = svtest_scene_current(t)->envelope;

	e.orig_to = svtest_host_path(t, key, false);
	svtest_scene_envelope(t, &e);
	return true;
}

static bool
svtest_host_auth(struct svtest *t, struct str key)
{
	struct svtest_envelope e = svtest_scene_current(t)->envelope;

	e.auth = svtest_host_keep(t, key);
	svtest_scene_envelope(t, &e);
	return true;
}

static bool
svtest_host_sent(struct svtest *t, struct str key)
{
	uint64_t i;

	if (!str_number(key, &i) || i >= t->store.outbox.n)
		return false;
	svtest_scene_sent(t, &t->store.outbox.v[i]);
	return true;
}

/* Of a folder that cannot be opened the message is the default one. */
static bool
svtest_host_stored(struct svtest *t, struct str key)
{
	struct str number = svtest_host_part(&key);
	const struct svtest_folder *f = svtest_store_find(&t->store, key);
	uint64_t i;

	if (!f) {
		svtest_scene_message(t, str_from(svtest_scene_default));
		return false;
	}
	if (!str_number(number, &i) || i >= f->message.n)
		return false;
	svtest_scene_stored(t, &f->message.v[i]);
	return true;
}

static bool
svtest_host_create(struct svtest *t, struct str name)
{
	svtest_store_create(&t->store, name);
	return true;
}

static bool
svtest_host_delete(struct svtest *t, struct str name)
{
	(void)name;
	svtest_host_reply(t, STR("mailboxes cannot be deleted"));
	return false;
}

static bool
svtest_host_annotate(struct svtest *t, struct str key)
{
	struct str mailbox = svtest_host_part(&key), name = svtest_host_part(&key);
	const char *wrong = svtest_store_annotate(&t->store, mailbox, name, key);

	if (wrong)
		svtest_host_reply(t, str_from(wrong));
	return !wrong;
}

/* --- settings */

static bool
svtest_host_set(struct svtest *t, struct str key)
{
	struct str name = svtest_host_part(&key);

	svtest_config_set(t, name, key, true);
	return true;
}

static bool
svtest_host_unset(struct svtest *t, struct str key)
{
	svtest_config_set(t, key, STR_EMPTY, false);
	return true;
}

static bool
svtest_host_reload(struct svtest *t, struct str extension)
{
	const char *wrong = svtest_config_reload(t, extension);

	if (!wrong) {
		svtest_scene_settings(t);
		return true;
	}
	if (t->options->out)
		fprintf(t->options->out, "ERROR: %s\n", wrong);
	svtest_host_reply(t, str_from(wrong));
	return false;
}

/* --- results and logs */

static bool
svtest_host_action(struct svtest *t, struct str key)
{
	uint64_t i;

	if (!str_number(key, &i) || !i || i > t->result.action.n)
		return false;
	svtest_host_reply(t, t->result.action.v[i - 1].name);
	return true;
}

static bool
svtest_host_error(struct svtest *t, struct str key)
{
	uint64_t i;

	if (!str_number(key, &i) || !i || i > t->log.n)
		return false;
	svtest_host_reply(t, t->log.v[i - 1]);
	return true;
}

static bool
svtest_host_execute(struct svtest *t, struct str key)
{
	(void)key;
	svtest_script_clear_log(t);
	return svtest_result_execute(t, &t->result);
}

static bool
svtest_host_reset(struct svtest *t, struct str key)
{
	(void)key;
	svtest_result_reset(&t->result);
	t->store.outbox.n = 0;
	svtest_scene_refresh(t);
	return true;
}

static bool
svtest_host_print_message(struct svtest *t, struct str key)
{
	struct str text = svtest_scene_text(t, t->outcome, UINT32_MAX);

	(void)key;
	if (t->options->out)
		fprintf(t->options->out, "\n--MESSAGE: \n%.*s\n--MESSAGE--\n", STR_ARG(text));
	return true;
}

static bool
svtest_host_print_result(struct svtest *t, struct str key)
{
	FILE *out = t->options->out;
	size_t i;

	(void)key;
	if (!out)
		return true;
	fputs("\n--\n", out);
	for (i = 0; i < t->result.action.n; i++)
		fprintf(out, "%.*s%s\n", STR_ARG(t->result.action.v[i].name), t->result.action.v[i].done ? " (done)" : "");
	if (!svtest_result_cancelled(&t->result))
		fputs("implicit keep\n", out);
	fputs("--\n\n", out);
	return true;
}

/* --- scripts */

static bool
svtest_host_run(struct svtest *t, struct str key)
{
	return svtest_script_run(t, key.len > 0);
}

static bool
svtest_host_save(struct svtest *t, struct str name)
{
	if (svtest_script_save(t, name))
		return true;
	svtest_host_reply(t, STR("no script was compiled"));
	return false;
}

static bool
svtest_host_load(struct svtest *t, struct str name)
{
	if (svtest_script_load(t, name))
		return true;
	svtest_host_reply(t, STR("no script was saved under that name"));
	return false;
}

static bool
svtest_host_variable(struct svtest *t, struct str name)
{
	svtest_host_reply(t, str_iis(name, "path") ? str_from(t->directory) : STR_EMPTY);
	return true;
}

/* --- the host */

static const struct {
	const char *what;
	svtest_request *request;
} svtest_requests[] = {
	{ "test.line", svtest_host_line },
	{ "test.begin", svtest_host_begin },
	{ "test.end", svtest_host_end },
	{ "test.fail", svtest_host_fail },
	{ "test.message.set", svtest_host_message },
	{ "test.message.smtp", svtest_host_sent },
	{ "test.message.folder", svtest_host_stored },
	{ "test.message.print", svtest_host_print_message },
	{ "test.envelope.from", svtest_host_from },
	{ "test.envelope.to", svtest_host_to },
	{ "test.envelope.orig-to", svtest_host_orig_to },
	{ "test.envelope.auth", svtest_host_auth },
	{ "test.mailbox.create", svtest_host_create },
	{ "test.mailbox.delete", svtest_host_delete },
	{ "test.metadata.set", svtest_host_annotate },
	{ "test.config.set", svtest_host_set },
	{ "test.config.unset", svtest_host_unset },
	{ "test.config.reload", svtest_host_reload },
	{ "test.script.compile", svtest_script_compile },
	{ "test.script.run", svtest_host_run },
	{ "test.script.sequence", svtest_script_sequence },
	{ "test.program.save", svtest_host_save },
	{ "test.program.load", svtest_host_load },
	{ "test.result.action", svtest_host_action },
	{ "test.result.execute", svtest_host_execute },
	{ "test.result.reset", svtest_host_reset },
	{ "test.result.print", svtest_host_print_result },
	{ "test.error", svtest_host_error },
	{ "test.variable", svtest_host_variable },
};
enum { REQUESTS = sizeof(svtest_requests) / sizeof(*svtest_requests) };

enum tamis_answer
svtest_host_ask(void *ctx, struct tamis_recipient *recipient, struct tamis_text what, struct tamis_text key,
                struct tamis_text *ret)
{
	struct svtest *t = ctx;
	bool yes;
	size_t i;

	for (i = 0; i < REQUESTS && !str_is(text_str(what), svtest_requests[i].what); i++)
		;
	if (i == REQUESTS)
		return answer_ask(&t->session.answer, recipient, what, key, ret);
	t->told = true;
	svtest_result_absorb(t, &t->result);
	buf_reset(&t->reply);
	yes = svtest_requests[i].request(t, text_str(key));
	*ret = text_of(buf_str(&t->reply));
	return yes ? TAMIS_YES : TAMIS_NO;
}
