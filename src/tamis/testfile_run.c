/* testfile_run.c - runs a test case and compares
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "host/print.h"
#include "host/sequence.h"
#include "host/text.h"
#include "tamis/testfile_faults.h"

/* --- what is wrong */

struct testfile_failure *
testfile_run_fail(struct testfile_run *r, unsigned line, struct str what)
{
	vec_push(&r->failure, (struct testfile_failure){ .what = what, .line = line, .expected = STR_EMPTY, .got = STR_EMPTY });
	return &r->failure.v[r->failure.n - 1];
}

static struct str
testfile_run_trimmed(struct str v)
{
	while (v.len && (v.s[v.len - 1] == '\n' || v.s[v.len - 1] == '\r'))
		v.len--;
	return v;
}

/* A file may have been saved with line ends of another kind. */
static struct str
testfile_run_plain(struct testfile_run *r, struct str v)
{
	struct buf b = { 0 };
	struct str line;

	if (str_find(v, STR("\r\n")) < 0)
		return v;
	while (testfile_line(&v, &line)) {
		if (line.len > 1 && line.s[line.len - 2] == '\r') {
			buf_add(&b, str_sub(line, 0, line.len - 2));
			buf_putc(&b, '\n');
		} else {
			buf_add(&b, line);
		}
	}
	line = buf_copy(&b, &r->arena);
	buf_done(&b);
	return line;
}

/* Blank lines at the end do not count. */
static void
testfile_run_compare(struct testfile_run *r, const struct testfile_section *s, const char *what, struct str got)
{
	struct str expected = testfile_run_plain(r, testfile_text(&r->arena, s->body));
	struct testfile_failure *f;

	if (str_eq(testfile_run_trimmed(expected), testfile_run_trimmed(got)))
		return;
	f = testfile_run_fail(r, s->line, str_from(what));
	f->expected = expected;
	f->got = got;
	f->acceptable = true;
	f->section = s;
	f->kind = s->kind;
}

/* --- the host of compilations and runs */

static bool
testfile_run_allow(void *ctx, struct tamis_text extension)
{
	struct testfile_run *r = ctx;

	return rules_allow(&r->session.rules, extension);
}

static int
testfile_run_load(void *ctx, struct tamis_text kind, struct tamis_text name, struct tamis_text *ret)
{
	struct testfile_run *r = ctx;

	return testfile_host_load(&r->host, kind, name, ret);
}

static enum tamis_answer
testfile_run_ask(void *ctx, struct tamis_recipient *recipient, struct tamis_text what, struct tamis_text key,
                 struct tamis_text *ret)
{
	struct testfile_run *r = ctx;

	return testfile_host_ask(&r->host, recipient, what, key, ret);
}

static void
testfile_run_diagnostic(void *ctx, const struct tamis_diagnostic *d)
{
	struct testfile_run *r = ctx;

	diag_format(&r->session.diag, d, &r->diagnostics);
}

static void
testfile_run_error(void *ctx, const struct tamis_diagnostic *d)
{
	struct testfile_run *r = ctx;

	print_error(&r->errors, &r->session.diag, d);
}

static void
testfile_run_event(void *ctx, const struct tamis_event *e)
{
	struct testfile_run *r = ctx;

	if (r->options->cover)
		testfile_cover_event(r->options->cover, e);
	if (r->traced && tracing_wants(&r->tracing, e))
		tracing_text(&r->tracing, e);
}

static struct tamis_host
testfile_run_host(struct testfile_run *r, bool running)
{
	r->host.running = running;
	return (struct tamis_host){
		.ctx = r,
		.limits = &r->session.rules.limits,
		.allow = testfile_run_allow,
		.load = testfile_run_load,
		.ask = testfile_run_ask,
		.report = running ? testfile_run_error : testfile_run_diagnostic,
	};
}

/* --- compiling */

static void
testfile_run_compile(struct testfile_run *r, const char *name, const char *path, unsigned line, struct str text)
{
	static const unsigned flags[TESTFILE_VARIANTS] = {
		[TESTFILE_PLAIN] = 0, [TESTFILE_INDEXED] = TAMIS_RESIDENT,
	};
	struct tamis_host host = testfile_run_host(r, false);
	struct testfile_cover *cover = r->options->cover;
	unsigned i;

	diag_source(&r->session.diag, str_from(name), name, text);
	if (cover)
		testfile_cover_source(cover, str_from(name), path, line, text);
	for (i = 0; i < TESTFILE_VARIANTS; i++) {
		struct tamis_program *p = tamis_compile(&host, text_from(name), text_of(text), flags[i]);

		host.report = NULL;     /* once is enough */
		if (!p)
			r->good = false;
		else
			vec_push(&r->variant[i], p);
		if (p && cover && i == TESTFILE_PLAIN)
			testfile_cover_program(cover, p);
	}
}

/* "@FILE" alone stands for the rules in that file. */
static void
testfile_run_rules(struct testfile_run *r)
{
	struct str text = testfile_text(&r->arena, r->at->rules), word = str_trim(text);
	const char *name = "rules", *path = r->file->path;
	unsigned line = r->at->rules_line - 1;

	if (word.len > 1 && word.s[0] == '@' && !memchr(word.s, '\n', word.len)) {
		name = arena_str(&r->arena, str_sub(word, 1, word.len)).s;
		if (!testfile_scene_read(r, r->at->rules_line, str_from(name), &text)) {
			r->good = false;
			return;
		}
		path = testfile_scene_path(r, str_from(name));
		line = 0;
	}
	testfile_run_compile(r, name, path, line, text);
}

static void
testfile_run_beside(struct testfile_run *r, enum testfile_kind kind)
{
	const struct testfile_section *s;
	size_t i;

	for (i = 0; i < r->at->section.n; i++) {
		s = &r->at->section.v[i];
		if (s->kind == kind)
			testfile_run_compile(r, testfile_kind_name(kind), r->file->path, s->line,
			                     testfile_text(&r->arena, s->body));
	}
}

static void
testfile_run_programs(struct testfile_run *r)
{
	char *directory = testfile_scene_path(r, STR_EMPTY);
	size_t n = strlen(directory);

	if (n > 1)
		directory[n - 1] = '\0';
	r->session.rules.directory = n ? directory : ".";
	r->good = true;
	testfile_run_beside(r, TESTFILE_BEFORE);
	testfile_run_rules(r);
	testfile_run_beside(r, TESTFILE_AFTER);
}

static void
testfile_run_dump(void *ctx, const char *line)
{
	struct buf *b = ctx;

	buf_puts(b, line);
	buf_putc(b, '\n');
}

static struct str
testfile_run_code(struct testfile_run *r)
{
	struct buf b = { 0 };
	struct str code;
	size_t i;

	for (i = 0; i < r->variant[TESTFILE_PLAIN].n; i++)
		tamis_program_dump(r->variant[TESTFILE_PLAIN].v[i], testfile_run_dump, &b);
	code = buf_copy(&b, &r->arena);
	buf_done(&b);
	return code;
}

/* --- running */

struct tamis_recipient *
testfile_run_recipient(struct testfile_run *r)
{
	return answer_recipient(&r->session.answer, r->session.message);
}

/* What has come of the message by then; an engine that looks ahead finds nothing. */
static void
testfile_run_reveal(struct testfile_run *r, enum tamis_stage stage)
{
	struct tamis_text none = { "", 0 };
	bool all = stage == TAMIS_BODY;

	tamis_message_header(r->session.message, stage >= TAMIS_HEADER ? text_of(r->header) : none);
	tamis_message_body(r->session.message, all ? text_of(r->body) : none,
	                   all ? source_octets(r->header) + source_octets(r->body) : 0);
}

/* A trace ends with the plan. */
static void
testfile_run_traced(struct testfile_run *r, const struct tamis_outcome *o, enum tamis_status status)
{
	buf_puts(&r->tracing.line, "plan: ");
	print_plan_line(&r->tracing.line, o, status);
	buf_putc(&r->tracing.line, '\n');
}

void
testfile_run_decide(struct testfile_run *r, unsigned variant, struct tamis_recipient *recipient, enum tamis_stage stage,
                    bool remember, struct testfile_decision *ret)
{
	struct tamis_host host = testfile_run_host(r, true);
	struct tamis_outcome *o = tamis_outcome_new(recipient);
	struct programs *p = &r->variant[variant];
	const struct tamis_effect *e = NULL;

	bool watched = variant == TESTFILE_PLAIN && stage == r->stage && !r->host.fail;

	testfile_run_reveal(r, stage);
	if (watched && (r->options->cover || r->traced))
		host.trace = testfile_run_event;
	buf_reset(&r->errors);
	r->host.asked = 0;
	*ret = (struct testfile_decision){ .status = sequence_run(p->v, p->n, o, stage, &host) };
	if (watched && r->traced)
		testfile_run_traced(r, o, ret->status);
	print_plan(&r->errors, o, ret->status);
	ret->text = buf_copy(&r->errors, &r->arena);
	ret->asked = r->host.asked;
	while ((e = tamis_outcome_next(o, e))) {
		ret->refuses |= e->kind == TAMIS_REJECT;
		ret->discards |= e->kind == TAMIS_DISCARD;
		ret->keeps |= e->kind == TAMIS_KEEP;
		ret->files |= e->kind == TAMIS_FILE;
		ret->quarantines |= e->kind == TAMIS_QUARANTINE;
		ret->redirects |= e->kind == TAMIS_REDIRECT;
	}
	if (remember && (ret->status == TAMIS_DECIDED || ret->status == TAMIS_FAILED))
		memory_apply(r->session.answer.memory, o, r->session.answer.now);
	tamis_outcome_free(o);
}

static bool
testfile_run_final(const struct testfile_decision *d)
{
	return d->status == TAMIS_DECIDED || d->status == TAMIS_FAILED;
}

/* What was decided before all was known must be what is decided in the end. */
static void
testfile_run_early(struct testfile_run *r, unsigned line, const struct testfile_decision *early, enum tamis_stage stage,
                   const struct testfile_decision *last)
{
	struct testfile_failure *f;

	if (!testfile_run_final(early) || str_eq(early->text, last->text))
		return;
	f = testfile_run_fail(r, line, arena_printf(&r->arena, "decided at stage \"%s\", but not as in the end",
	                                            testfile_stages[stage]));
	f->expected = last->text;
	f->got = early->text;
}

/* All stages with one recipient, as a delivery has it; the last one's decision. */
static void
testfile_run_staged(struct testfile_run *r, unsigned line, unsigned variant, struct testfile_decision *ret)
{
	struct tamis_recipient *recipient = testfile_run_recipient(r);
	struct testfile_decision early[TAMIS_BODY + 1];
	unsigned i;

	for (i = TAMIS_ENVELOPE; i <= r->stage; i++)
		testfile_run_decide(r, variant, recipient, (enum tamis_stage)i,
		                    i == r->stage && variant + 1 == TESTFILE_VARIANTS, &early[i]);
	*ret = early[r->stage];
	for (i = TAMIS_ENVELOPE; i < r->stage; i++)
		testfile_run_early(r, line, &early[i], (enum tamis_stage)i, ret);
	tamis_recipient_free(recipient);
}

/* A step of the case: the same message, with and without index, at all stages. */
static void
testfile_run_step(struct testfile_run *r, unsigned line)
{
	struct testfile_decision d[TESTFILE_VARIANTS];
	struct testfile_failure *f;
	unsigned i;

	tracing_done(&r->tracing);
	r->tracing = (struct tracing){ .diag = &r->session.diag, .level = TRACING_TESTS };
	answer_message(&r->session.answer, r->session.message, r->header, STR_EMPTY, 0);
	for (i = 0; i < TESTFILE_VARIANTS; i++)
		testfile_run_staged(r, line, i, &d[i]);
	if (!str_eq(d[TESTFILE_PLAIN].text, d[TESTFILE_INDEXED].text)) {
		f = testfile_run_fail(r, line, STR("with the index over tests the plan differs"));
		f->expected = d[TESTFILE_PLAIN].text;
		f->got = d[TESTFILE_INDEXED].text;
	}
	if (r->options->faults)
		testfile_faults(r, line, &d[TESTFILE_PLAIN]);
	r->step = (struct testfile_step){ .ran = true, .plan = d[TESTFILE_PLAIN].text,
	                                  .trace = buf_copy(&r->tracing.line, &r->arena) };
}

/* --- the case */

/* What a section is compared with; two of a kind in a row are two deliveries. */
static struct str
testfile_run_got(struct testfile_run *r, const struct testfile_section *s)
{
	if (s->kind == TESTFILE_CODE)
		return testfile_run_code(r);
	if (s->kind == TESTFILE_CHECK || !r->good)
		return buf_copy(&r->diagnostics, &r->arena);
	if (!r->step.ran || r->step.used[s->kind])
		testfile_run_step(r, s->line);
	r->step.used[s->kind] = true;
	return s->kind == TESTFILE_TRACE ? r->step.trace : r->step.plan;
}

/* What is missing at the end of a case is what --accept writes there. */
static void
testfile_run_missing(struct testfile_run *r, struct str got)
{
	const struct testfile_case *c = r->at;
	struct str last = c->section.n ? c->section.v[c->section.n - 1].body : c->rules;
	struct testfile_failure *f = testfile_run_fail(r, c->line, STR("nothing is expected at the end of the case"));

	f->got = got;
	f->acceptable = true;
	f->kind = TESTFILE_EXPECT;
	f->at = last.s + last.len;
}

static void
testfile_run_sections(struct testfile_run *r)
{
	static const char *const what[TESTFILE_KINDS] = {
		[TESTFILE_CHECK] = "the diagnostics differ", [TESTFILE_CODE] = "the code differs",
		[TESTFILE_TRACE] = "the trace differs", [TESTFILE_EXPECT] = "the plan differs",
	};
	const struct testfile_section missing = { .kind = TESTFILE_EXPECT, .line = r->at->line };
	bool compared = false;
	size_t i;

	for (i = 0; i < r->at->section.n; i++) {
		const struct testfile_section *s = &r->at->section.v[i];

		if (testfile_compares(s->kind)) {
			testfile_run_compare(r, s, what[r->good ? s->kind : TESTFILE_CHECK], testfile_run_got(r, s));
			compared = true;
		} else {
			testfile_scene_set(r, s);
			r->step.ran = false;
			compared &= s->kind != TESTFILE_MESSAGE;
		}
	}
	if (!compared && !r->failure.n)
		testfile_run_missing(r, testfile_run_got(r, &missing));
}

static void
testfile_run_start(struct testfile_run *r)
{
	session_init(&r->session, &cmd_test, r->options->set);
	r->session.diag.color = false;
	r->host.answer = &r->session.answer;
	testfile_scene_start(r);
}

void
testfile_run(struct testfile_run *r, const struct testfile *file, const struct testfile_case *at,
             const struct testfile_options *options)
{
	*r = (struct testfile_run){ .file = file, .at = at, .options = options };
	testfile_run_start(r);
	if (options->cover)
		testfile_cover_case(options->cover, &r->session.diag);
	if (at->wrong) {
		testfile_run_fail(r, at->wrong_line, arena_printf(&r->arena, "%s \"%.*s\"", at->wrong, STR_ARG(at->wrong_word)));
		return;
	}
	testfile_scene_prepare(r);
	testfile_run_programs(r);
	testfile_run_sections(r);
}

void
testfile_run_done(struct testfile_run *r)
{
	unsigned i;

	for (i = 0; i < TESTFILE_VARIANTS; i++)
		programs_done(&r->variant[i]);
	testfile_host_done(&r->host);
	session_done(&r->session);
	buf_done(&r->diagnostics);
	buf_done(&r->errors);
	tracing_done(&r->tracing);
	vec_done(&r->failure);
	arena_done(&r->arena);
}
