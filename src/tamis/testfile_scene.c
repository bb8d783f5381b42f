/* testfile_scene.c - what a test case sets up: message, envelope, clock, host
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>

#include "host/file.h"
#include "host/limit.h"
#include "host/moment.h"
#include "tamis/testfile_run.h"

enum { MESSAGE_MAX = 64 << 20 };

/* What a case that says nothing of them gets; the same on every machine. */
static const char testfile_message[] =
	"From: sender@example.com\nTo: recipient@example.org\nSubject: test\n\ntest\n";
static const char testfile_now[] = "2025-06-02T12:00:00Z";
static const char *const testfile_facts[] = { "host=mx.example.org", "domain=example.org" };

const char *const testfile_stages[] = {
	[TAMIS_ENVELOPE] = "envelope", [TAMIS_HEADER] = "header", [TAMIS_BODY] = "body",
};

/* A section's line that means nothing. */
static void
testfile_scene_bad(struct testfile_run *r, const struct testfile_section *s, struct str line, const char *what)
{
	testfile_run_fail(r, s->line, arena_printf(&r->arena, "\"%.*s\" %s", STR_ARG(str_trim(line)), what));
}

/* The path of a file that the case names, relative to its own. */
char *
testfile_scene_path(struct testfile_run *r, struct str name)
{
	const char *slash = strrchr(r->file->path, '/');
	struct str directory = slash ? (struct str){ r->file->path, (size_t)(slash + 1 - r->file->path) } : STR_EMPTY;

	if (name.len && name.s[0] == '/')
		directory = STR_EMPTY;
	return (char *)arena_printf(&r->arena, "%.*s%.*s", STR_ARG(directory), STR_ARG(name)).s;
}

bool
testfile_scene_read(struct testfile_run *r, unsigned line, struct str name, struct str *ret)
{
	const char *path = testfile_scene_path(r, name);
	struct buf b = { 0 };
	bool ok = !file_read(AT_FDCWD, path, &b, MESSAGE_MAX);

	if (ok)
		*ret = buf_copy(&b, &r->arena);
	else
		testfile_run_fail(r, line, arena_printf(&r->arena, "%s: %s", path, strerror(errno)));
	buf_done(&b);
	return ok;
}

static void
testfile_scene_split(struct testfile_run *r, struct str text)
{
	bool found;
	size_t n = source_header_end(text, &found);

	r->header = str_sub(text, 0, n);
	r->body = str_sub(text, n, text.len);
}

static void
testfile_scene_message(struct testfile_run *r, const struct testfile_section *s)
{
	struct str text;

	if (!s->argument.len)
		text = testfile_text(&r->arena, s->body);
	else if (s->argument.s[0] != '@')
		return testfile_scene_bad(r, s, s->argument, "is not \"@FILE\"");
	else if (!testfile_scene_read(r, s->line, str_sub(s->argument, 1, s->argument.len), &text))
		return;
	testfile_scene_split(r, text);
}

/* "name: value" lines set facts; the envelope's two addresses are more than that. */
static const char *
testfile_scene_fact(struct testfile_run *r, struct str line)
{
	struct answer *a = &r->session.answer;
	ptrdiff_t colon = str_find(line, STR(":"));
	struct str name, value;

	if (colon <= 0)
		return "is not \"NAME: VALUE\"";
	name = str_trim(str_sub(line, 0, (size_t)colon));
	value = arena_str(&r->arena, str_trim(str_sub(line, (size_t)colon + 1, line.len)));
	if (str_iis(name, "from"))
		a->from = value.s;
	else if (str_iis(name, "to"))
		a->to = value.s;
	else
		answer_env(a, arena_printf(&r->arena, "%.*s=%.*s", STR_ARG(name), STR_ARG(value)));
	return NULL;
}

static const char *
testfile_scene_limit(struct testfile_run *r, struct str line)
{
	uint64_t least, most;
	struct str name;

	switch (limit_set(&r->session.rules.limits, line, &name)) {
	case LIMIT_UNKNOWN:
		return "names no limit";
	case LIMIT_BAD_VALUE:
		limit_range(name, &least, &most);
		return arena_printf(&r->arena, "is not \"LIMIT=NUMBER\" with a number from %ju to %ju", (uintmax_t)least,
		                    (uintmax_t)most).s;
	default:
		return NULL;
	}
}

static const char *
testfile_scene_reply(struct testfile_run *r, struct str line)
{
	return testfile_host_reply(&r->host, line);
}

static const char *
testfile_scene_state(struct testfile_run *r, struct str line)
{
	return testfile_host_state(&r->host, line);
}

static void
testfile_scene_lines(struct testfile_run *r, const struct testfile_section *s,
                   const char *(*take)(struct testfile_run *, struct str line))
{
	struct str rest = testfile_text(&r->arena, s->body), line;
	const char *wrong;

	while (testfile_line(&rest, &line)) {
		line = str_trim(line);
		wrong = line.len ? take(r, line) : NULL;
		if (wrong)
			testfile_scene_bad(r, s, line, wrong);
	}
}

/* What stands behind the name, or below it. */
static struct str
testfile_scene_word(const struct testfile_section *s)
{
	return s->argument.len ? s->argument : str_trim(s->body);
}

static void
testfile_scene_stage(struct testfile_run *r, const struct testfile_section *s)
{
	unsigned i;

	for (i = TAMIS_ENVELOPE; i <= TAMIS_BODY; i++) {
		if (str_is(testfile_scene_word(s), testfile_stages[i])) {
			r->stage = (enum tamis_stage)i;
			return;
		}
	}
	testfile_scene_bad(r, s, testfile_scene_word(s), "is no stage: envelope, header, body");
}

void
testfile_scene_set(struct testfile_run *r, const struct testfile_section *s)
{
	switch (s->kind) {
	case TESTFILE_MESSAGE:
		testfile_scene_message(r, s);
		break;
	case TESTFILE_ENVELOPE:
	case TESTFILE_ENV:
		testfile_scene_lines(r, s, testfile_scene_fact);
		break;
	case TESTFILE_STAGE:
		testfile_scene_stage(r, s);
		break;
	case TESTFILE_NOW:
		if (!moment_parse(testfile_scene_word(s), &r->session.answer.now))
			testfile_scene_bad(r, s, testfile_scene_word(s), "is not a time like 2025-11-23T09:30:00Z");
		break;
	case TESTFILE_STATE:
		testfile_scene_lines(r, s, testfile_scene_state);
		break;
	case TESTFILE_HOST:
		testfile_scene_lines(r, s, testfile_scene_reply);
		break;
	default:
		break;
	}
}

static void
testfile_scene_script(struct testfile_run *r, const struct testfile_section *s)
{
	struct str kind, name, path, text;
	size_t n = 0;

	while (n < s->argument.len && s->argument.s[n] != ' ')
		n++;
	kind = str_sub(s->argument, 0, n);
	name = arena_str(&r->arena, str_trim(str_sub(s->argument, n, s->argument.len)));
	if (!name.len || !(str_is(kind, "personal") || str_is(kind, "global"))) {
		testfile_scene_bad(r, s, s->argument, "is not \"personal NAME\" or \"global NAME\"");
		return;
	}
	path = str_is(kind, "personal") ? name : arena_printf(&r->arena, "%.*s/%.*s", STR_ARG(kind), STR_ARG(name));
	text = testfile_text(&r->arena, s->body);
	vec_push(&r->host.script, (struct testfile_script){ kind, name, text, path.s });
	if (r->options->cover)
		testfile_cover_source(r->options->cover, path, r->file->path, s->line, text);
}

/* Of the host's answers those that a compilation asks for. */
static const char *
testfile_scene_load(struct testfile_run *r, struct str line)
{
	if (str_starts(line, STR("load personal")) || str_starts(line, STR("load global")))
		testfile_host_reply(&r->host, line);
	return NULL;
}

/* Limits and scripts count wherever they stand. */
void
testfile_scene_prepare(struct testfile_run *r)
{
	size_t i;

	for (i = 0; i < r->at->section.n; i++) {
		const struct testfile_section *s = &r->at->section.v[i];

		if (s->kind == TESTFILE_LIMITS)
			testfile_scene_lines(r, s, testfile_scene_limit);
		else if (s->kind == TESTFILE_SCRIPT)
			testfile_scene_script(r, s);
		else if (s->kind == TESTFILE_HOST)
			testfile_scene_lines(r, s, testfile_scene_load);
		r->traced |= s->kind == TESTFILE_TRACE;
	}
}

void
testfile_scene_start(struct testfile_run *r)
{
	size_t i;

	r->stage = TAMIS_BODY;
	moment_parse(str_from(testfile_now), &r->session.answer.now);
	for (i = 0; i < sizeof(testfile_facts) / sizeof(*testfile_facts); i++)
		answer_env(&r->session.answer, str_from(testfile_facts[i]));
	testfile_scene_split(r, str_from(testfile_message));
}
