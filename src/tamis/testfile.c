/* testfile.c - test cases as text: titles, rules, sections (tamis-test(5))
 * SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <stdlib.h>

#include "host/file.h"
#include "tamis/testfile.h"

enum { FILE_MAX = 64 << 20 };

static const char *const testfile_names[TESTFILE_KINDS] = {
	[TESTFILE_MESSAGE] = "message", [TESTFILE_ENVELOPE] = "envelope", [TESTFILE_STAGE] = "stage",
	[TESTFILE_NOW] = "now", [TESTFILE_STATE] = "state", [TESTFILE_HOST] = "host", [TESTFILE_ENV] = "env",
	[TESTFILE_SCRIPT] = "script", [TESTFILE_BEFORE] = "before", [TESTFILE_AFTER] = "after",
	[TESTFILE_LIMITS] = "limits", [TESTFILE_CHECK] = "check", [TESTFILE_CODE] = "code",
	[TESTFILE_TRACE] = "trace", [TESTFILE_EXPECT] = "expect",
};

const char *
testfile_kind_name(enum testfile_kind kind)
{
	return testfile_names[kind];
}

bool
testfile_line(struct str *rest, struct str *ret)
{
	const char *end;
	size_t n;

	if (!rest->len)
		return false;
	end = memchr(rest->s, '\n', rest->len);
	n = end ? (size_t)(end - rest->s) + 1 : rest->len;
	*ret = str_sub(*rest, 0, n);
	*rest = str_sub(*rest, n, rest->len);
	return true;
}

/* Where a file is while it is read. */
struct reader {
	struct testfile *file;
	unsigned line;
	bool page, inside;              /* of a page only what is inside of its blocks is read */
	struct testfile_case *c;        /* the current one, or NULL */
	struct testfile_section *section;       /* the current one; NULL: the rules */
};

static void
testfile_wrong(struct reader *r, const char *what, struct str word)
{
	if (r->c->wrong)
		return;
	r->c->wrong = what;
	r->c->wrong_word = word;
	r->c->wrong_line = r->line;
}

struct str
testfile_trimmed(struct str v)
{
	size_t n;

	while (v.len && v.s[v.len - 1] == '\n') {
		n = v.len - (v.len > 1 && v.s[v.len - 2] == '\r' ? 2 : 1);
		if (n && v.s[n - 1] != '\n')
			break;
		v.len = n;
	}
	return v;
}

/* Blank lines at the end of a case are there for the eye. */
static void
testfile_end(struct reader *r)
{
	struct str *v;

	if (!r->c)
		return;
	v = r->section ? &r->section->body : &r->c->rules;
	*v = testfile_trimmed(*v);
	r->c = NULL;
	r->section = NULL;
}

static void
testfile_begin(struct reader *r, struct str title, const char *rules)
{
	testfile_end(r);
	vec_push(&r->file->c, (struct testfile_case){ .title = title, .line = r->line, .rules_line = r->line + 1,
	                                              .rules = { rules, 0 } });
	r->c = &r->file->c.v[r->file->c.n - 1];
}

/* "-- name argument": the name, if the line has that form. */
static bool
testfile_header(struct str line, struct str *ret_name, struct str *ret_argument)
{
	size_t n = 3;

	if (!str_starts(line, STR("-- ")))
		return false;
	while (n < line.len && line.s[n] >= 'a' && line.s[n] <= 'z')
		n++;
	if (n == 3 || (n < line.len && !strchr(" \t\r\n", line.s[n])))
		return false;
	*ret_name = str_sub(line, 3, n);
	*ret_argument = str_trim(str_sub(line, n, line.len));
	return true;
}

static void
testfile_section(struct reader *r, struct str name, struct str argument, const char *body)
{
	unsigned kind = 0;

	while (kind < TESTFILE_KINDS && !str_is(name, testfile_names[kind]))
		kind++;
	if (kind == TESTFILE_KINDS) {
		testfile_wrong(r, "there is no section", name);
		return;
	}
	vec_push(&r->c->section, (struct testfile_section){ .kind = (enum testfile_kind)kind, .line = r->line,
	                                                    .argument = argument, .body = { body, 0 } });
	r->section = &r->c->section.v[r->c->section.n - 1];
}

static void
testfile_text_line(struct reader *r, struct str line)
{
	struct str name, argument;

	if (str_starts(line, STR("== "))) {
		testfile_begin(r, str_trim(str_sub(line, 3, line.len)), line.s + line.len);
	} else if (!r->c) {
		return;                 /* a preface */
	} else if (testfile_header(line, &name, &argument)) {
		testfile_section(r, name, argument, line.s + line.len);
	} else if (r->section) {
		r->section->body.len += line.len;
	} else {
		r->c->rules.len += line.len;
	}
}

static bool
testfile_fence(struct str line)
{
	return str_starts(line, STR("```"));
}

/* A block begins a case, even without a title. */
static void
testfile_page_line(struct reader *r, struct str line, struct str rest)
{
	if (r->inside && testfile_fence(line)) {
		testfile_end(r);
		r->inside = false;
	} else if (r->inside) {
		testfile_text_line(r, line);
	} else if (testfile_fence(line) && str_is(str_trim(str_sub(line, 3, line.len)), "sieve-test")) {
		r->inside = true;
		if (!str_starts(rest, STR("== ")))
			testfile_begin(r, STR_EMPTY, rest.s);
	}
}

int
testfile_read(struct testfile *t, const char *path)
{
	struct reader r = { .file = t };
	struct str rest, line;
	size_t n = strlen(path);

	*t = (struct testfile){ .path = mem_strdup(path) };
	if (file_read(AT_FDCWD, path, &t->text, FILE_MAX) < 0)
		return -1;
	r.page = n > 3 && !strcmp(path + n - 3, ".md");
	rest = buf_str(&t->text);
	/* A mark of UTF-8 would make a preface of the first case. */
	if (str_starts(rest, STR("\xEF\xBB\xBF")))
		rest = str_sub(rest, 3, rest.len);
	while (testfile_line(&rest, &line)) {
		r.line++;
		if (r.page)
			testfile_page_line(&r, line, rest);
		else
			testfile_text_line(&r, line);
	}
	testfile_end(&r);
	return 0;
}

void
testfile_done(struct testfile *t)
{
	size_t i;

	for (i = 0; i < t->c.n; i++)
		vec_done(&t->c.v[i].section);
	vec_done(&t->c);
	buf_done(&t->text);
	free(t->path);
}

/* Would the line, without backslashes before it, begin a section or a case? */
static bool
testfile_guarded(struct str line)
{
	while (line.len && line.s[0] == '\\')
		line = str_sub(line, 1, line.len);
	return str_starts(line, STR("-- ")) || str_starts(line, STR("== ")) || testfile_fence(line);
}

struct str
testfile_text(struct arena *a, struct str body)
{
	struct buf b = { 0 };
	struct str line, out;

	while (testfile_line(&body, &line))
		buf_add(&b, line.s[0] == '\\' && testfile_guarded(line) ? str_sub(line, 1, line.len) : line);
	out = buf_copy(&b, a);
	buf_done(&b);
	return out;
}

void
testfile_escape(struct buf *b, struct str text)
{
	struct str line;

	while (testfile_line(&text, &line)) {
		if (testfile_guarded(line))
			buf_putc(b, '\\');
		buf_add(b, line);
		if (!text.len && line.s[line.len - 1] != '\n')
			buf_putc(b, '\n');
	}
}
