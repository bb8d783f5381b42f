/* testfile_report.c - results as TAP or JSON
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "host/json.h"
#include "tamis/testfile_report.h"

enum { DIFF_LINES = 500 };      /* of either text; longer ones are shown one below the other */

/* --- differences */

struct lines {
	struct str *v;
	size_t n, cap;
};

static struct lines
testfile_report_lines(struct str text)
{
	struct lines l = { 0 };
	struct str line;

	while (testfile_line(&text, &line)) {
		while (line.len && (line.s[line.len - 1] == '\n' || line.s[line.len - 1] == '\r'))
			line.len--;
		vec_push(&l, line);
	}
	while (l.n && !l.v[l.n - 1].len)
		l.n--;
	return l;
}

static void
testfile_report_line(struct buf *b, const char *prefix, char sign, struct str line)
{
	buf_puts(b, prefix);
	buf_putc(b, sign);
	if (line.len)
		buf_putc(b, ' ');
	diag_clean(b, line);
	buf_putc(b, '\n');
}

/* Lengths of the longest common subsequences of the ends of a and b. */
static unsigned short *
testfile_report_common(const struct lines *a, const struct lines *b)
{
	size_t width = b->n + 1, i, j;
	unsigned short *c = calloc((a->n + 1) * width, sizeof(*c));

	if (!c)
		abort();
	for (i = a->n; i-- > 0;)
		for (j = b->n; j-- > 0;) {
			unsigned short down = c[(i + 1) * width + j], right = c[i * width + j + 1];

			if (str_eq(a->v[i], b->v[j]))
				c[i * width + j] = (unsigned short)(c[(i + 1) * width + j + 1] + 1);
			else
				c[i * width + j] = down > right ? down : right;
		}
	return c;
}

void
testfile_report_diff(struct buf *out, const char *prefix, struct str before, struct str after)
{
	struct lines a = testfile_report_lines(before), b = testfile_report_lines(after);
	bool large = a.n > DIFF_LINES || b.n > DIFF_LINES;
	unsigned short *c = large ? NULL : testfile_report_common(&a, &b);
	size_t i = 0, j = 0, width = b.n + 1;

	while (i < a.n || j < b.n) {
		if (!large && i < a.n && j < b.n && str_eq(a.v[i], b.v[j])) {
			testfile_report_line(out, prefix, ' ', a.v[i]);
			i++;
			j++;
		} else if (i < a.n && (large || j == b.n || c[(i + 1) * width + j] >= c[i * width + j + 1])) {
			testfile_report_line(out, prefix, '-', a.v[i++]);
		} else {
			testfile_report_line(out, prefix, '+', b.v[j++]);
		}
	}
	free(c);
	vec_done(&a);
	vec_done(&b);
}

/* --- TAP (version 12: nothing that older readers do not know) */

/* One line.  In titles "#" means something to readers of TAP. */
static void
testfile_report_text(struct buf *b, struct str text, bool title)
{
	struct buf clean = { 0 };
	size_t i;

	diag_clean(&clean, text);
	for (i = 0; i < clean.len; i++) {
		if (clean.s[i] == '#' && title)
			buf_putc(b, '\\');
		buf_putc(b, clean.s[i] == '\n' ? ' ' : clean.s[i]);
	}
	buf_done(&clean);
}

static void
testfile_report_failure(struct buf *b, const char *path, const struct testfile_failure *f)
{
	buf_printf(b, "# %s:%u: ", path, f->line);
	testfile_report_text(b, f->what, false);
	buf_puts(b, f->expected.len || f->got.len ? " (- expected, + got)\n" : "\n");
	testfile_report_diff(b, "#   ", f->expected, f->got);
}

static void
testfile_report_tap(struct testfile_report *r, const char *path, unsigned line, struct str title, bool ok,
                    struct str details)
{
	struct buf b = { 0 };

	buf_printf(&b, "%sok %zu - ", ok ? "" : "not ", r->n);
	testfile_report_text(&b, str_from(path), true);
	buf_puts(&b, ": ");
	if (title.len)
		testfile_report_text(&b, title, true);
	else
		buf_printf(&b, "line %u", line);
	buf_putc(&b, '\n');
	buf_add(&b, details);
	fwrite(b.s, 1, b.len, r->out);
	buf_done(&b);
}

/* --- JSON */

static json_t *
testfile_report_failure_json(const struct testfile_failure *f)
{
	json_t *o = json_object();

	json_put(o, "line", json_integer(f->line));
	json_put(o, "what", json_text(f->what));
	if (f->expected.len || f->got.len) {
		json_put(o, "expected", json_text(f->expected));
		json_put(o, "got", json_text(f->got));
	}
	return o;
}

static void
testfile_report_json(struct testfile_report *r, const char *path, unsigned line, struct str title,
                     const struct testfile_failure *failure, size_t n)
{
	json_t *o = json_object(), *all = json_array();
	size_t i;

	json_put(o, "file", json_text(str_from(path)));
	json_put(o, "line", json_integer(line));
	json_put(o, "title", json_text(title));
	json_put(o, "ok", json_boolean(!n));
	for (i = 0; i < n; i++)
		json_array_append_new(all, testfile_report_failure_json(&failure[i]));
	if (n)
		json_put(o, "failures", all);
	else
		json_decref(all);
	json_line(r->out, o);
}

/* --- both */

void
testfile_report_start(const struct testfile_report *r)
{
	if (!r->json && r->planned)
		fprintf(r->out, "1..%zu\n", r->planned);
}

static void
testfile_report_all(struct testfile_report *r, const char *path, unsigned line, struct str title,
                    const struct testfile_failure *failure, size_t n)
{
	struct buf details = { 0 };
	size_t i;

	r->n++;
	r->failed += n > 0;
	if (r->json) {
		testfile_report_json(r, path, line, title, failure, n);
		return;
	}
	for (i = 0; i < n; i++)
		testfile_report_failure(&details, path, &failure[i]);
	testfile_report_tap(r, path, line, title, !n, buf_str(&details));
	buf_done(&details);
}

void
testfile_report_case(struct testfile_report *r, const struct testfile_run *run)
{
	testfile_report_all(r, run->file->path, run->at->line, run->at->title, run->failure.v, run->failure.n);
}

void
testfile_report_one(struct testfile_report *r, const char *path, unsigned line, struct str title,
                    const struct testfile_failure *failure)
{
	testfile_report_all(r, path, line, title, failure, failure != NULL);
}

void
testfile_report_end(const struct testfile_report *r)
{
	json_t *o;

	if (r->json) {
		o = json_object();
		json_put(o, "tests", json_integer((json_int_t)r->n));
		json_put(o, "failed", json_integer((json_int_t)r->failed));
		json_line(r->out, o);
	} else if (!r->planned) {
		fprintf(r->out, "1..%zu\n", r->n);
	}
}
