/* test_flow.c - which actions of a script are reached
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Scripts are generated, and what they do is noted on the way: every branch is
 * known to be taken or not, and so is where a script ends.  The machine must
 * come to the same plan at each stage, as nothing here has to be waited for. */
#include "vm/run.h"
#include "probe.h"

enum { INNER = 3, ACTIONS = 4000 };

/* What a script does: files into numbered mailboxes, up to its end. */
struct flow {
	struct buf text;
	unsigned did[ACTIONS], n;
	bool returned, stopped;
	bool once[INNER];               /* that script has been included */
};

static struct flow inner[INNER];        /* what scripts include; they include nothing themselves */
static unsigned names;                  /* of mailboxes so far */

static bool
condition(struct buf *out, unsigned depth)
{
	unsigned kind = random_below(depth > 3 ? 2 : 5), n;
	bool value;

	switch (kind) {
	case 0: case 1:
		buf_puts(out, kind ? "true" : "false");
		return kind;
	case 2:
		buf_puts(out, "not ");
		return !condition(out, depth + 1);
	default:
		buf_puts(out, kind == 3 ? "anyof(" : "allof(");
		value = kind != 3;
		n = 1 + random_below(3);
		for (unsigned i = 0; i < n; i++) {
			bool one;

			buf_puts(out, i ? ", " : "");
			one = condition(out, depth + 1);
			value = kind == 3 ? value | one : value & one;
		}
		buf_puts(out, ")");
		return value;
	}
}

/* A mailbox counts once (RFC 5228 2.10.3). */
static void
flow_do(struct flow *f, unsigned name)
{
	for (unsigned i = 0; i < f->n; i++)
		if (f->did[i] == name)
			return;
	ck_assert_uint_lt(f->n, ACTIONS);
	f->did[f->n++] = name;
}

static void
flow_include(struct flow *f, bool live, unsigned level)
{
	unsigned which = random_below(level);
	bool once = random_below(2);

	buf_printf(&f->text, "include %s\"%u\";\n", once ? ":once " : "", which);
	if (!live || (once && f->once[which]))
		return;
	f->once[which] = true;
	for (unsigned i = 0; i < inner[which].n; i++)
		flow_do(f, inner[which].did[i]);
	f->stopped |= inner[which].stopped;
}

static void
flow_action(struct flow *f, bool live, unsigned level)
{
	switch (random_below(12)) {
	case 0:
		buf_puts(&f->text, "stop;\n");
		f->stopped |= live;
		break;
	case 1:
		buf_puts(&f->text, "return;\n");
		f->returned |= live;
		break;
	case 2: case 3: case 4:
		if (level) {
			flow_include(f, live, level);
			break;
		}
		/* fall through */
	default:
		buf_printf(&f->text, "fileinto \"%u\";\n", names);
		if (live)
			flow_do(f, names);
		names++;
		break;
	}
}

static void
flow_block(struct flow *f, bool live, unsigned depth, unsigned level)
{
	for (unsigned i = random_below(4); i-- > 0;) {
		bool taken = false;
		unsigned more = random_below(3);

		live = live && !f->stopped && !f->returned;
		if (depth > 3 || random_below(2)) {
			flow_action(f, live, level);
			continue;
		}
		for (unsigned branch = 0; branch <= more; branch++) {
			bool value = true;

			buf_puts(&f->text, branch ? branch == more ? "else" : "elsif " : "if ");
			if (!branch || branch < more)
				value = condition(&f->text, 0);
			buf_puts(&f->text, " {\n");
			flow_block(f, live && value && !taken, depth + 1, level);
			buf_puts(&f->text, "}\n");
			taken |= value;
		}
	}
}

static void
flow_new(struct flow *f, unsigned level)
{
	buf_reset(&f->text);
	f->n = 0;
	f->returned = f->stopped = false;
	memset(f->once, 0, sizeof f->once);
	buf_puts(&f->text, "require [\"fileinto\", \"include\"];\n");
	flow_block(f, true, 0, level);
	flow_block(f, true, 0, level);
}

static int
load(void *ctx, struct tamis_text kind, struct tamis_text name, struct tamis_text *ret)
{
	struct str text;

	(void)ctx;
	/* folders have no numbers of scripts */
	if (kind.len != strlen("personal") || memcmp(kind.s, "personal", kind.len) != 0)
		return 0;
	text = buf_str(&inner[name.s[0] - '0'].text);
	*ret = (struct tamis_text){ text.s, text.len };
	return 1;
}

static void
flow_expected(const struct flow *f, struct buf *out)
{
	buf_reset(out);
	for (unsigned i = 0; i < f->n; i++)
		buf_printf(out, "%u ", f->did[i]);
	if (!f->n)
		buf_puts(out, "keep ");
}

static void
flow_run(const struct program *p, struct message *m, enum tamis_stage stage, const struct tamis_host *host, struct buf *out)
{
	struct recipient *r = recipient_new(m, STR("a@example.org"), 0, NULL);
	struct outcome *o = outcome_new(r);

	buf_reset(out);
	ck_assert_int_eq(run_program(p, o, stage, host), TAMIS_DECIDED);
	for (const struct effect *e = o->first; e; e = e->next) {
		if (e->public.kind == TAMIS_KEEP)
			buf_puts(out, "keep");
		for (size_t i = 0; i < e->public.noptions; i++)
			buf_printf(out, "%.*s", (int)e->public.options[i].value.len, e->public.options[i].value.s);
		buf_putc(out, ' ');
	}
	outcome_free(o);
	recipient_free(r);
}

START_TEST(flows)
{
	static struct flow script;
	struct tamis_limits limits = tamis_limits_default;
	const struct tamis_host host = { .load = load, .report = probe_report, .limits = &limits };
	long n = campaign(20000), actions = 0, stopped = 0;
	struct buf want = { 0 }, got = { 0 };
	struct message m;

	limits.actions = ACTIONS;
	message_init(&m);
	for (long i = 0; i < n; i++) {
		struct program *p;

		names = 0;
		for (unsigned k = 0; k < INNER; k++)
			flow_new(&inner[k], 0);
		flow_new(&script, INNER);
		p = program_compile(&host, STR("rules"), buf_str(&script.text), i & 1 ? TAMIS_RESIDENT : 0);
		ck_assert_msg(p, "%s", buf_str(&script.text).s);
		flow_expected(&script, &want);
		flow_run(p, &m, (enum tamis_stage)(i % 3), &host, &got);
		ck_assert_msg(str_eq(buf_str(&want), buf_str(&got)), "expected %s, got %s of\n%s", buf_str(&want).s,
		              buf_str(&got).s, buf_str(&script.text).s);
		actions += script.n;
		stopped += script.stopped;
		program_unref(p);
	}
	printf("# %ld scripts: %ld actions, %ld stopped, all as foretold\n", n, actions, stopped);
	ck_assert_msg(stopped * 20 > n && actions > n, "the scripts do too little");
	for (unsigned k = 0; k < INNER; k++)
		buf_done(&inner[k].text);
	buf_done(&script.text);
	buf_done(&want);
	buf_done(&got);
	message_done(&m);
}
END_TEST

static void
tests(TCase *t)
{
	(void)ext_probe;
	tcase_add_test(t, flows);
}

int
main(void)
{
	return run_suite("flow", tests);
}
