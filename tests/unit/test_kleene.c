/* test_kleene.c - conditions in jump code equal Kleene's logic over the tree
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/parse.h"
#include "probe.h"

extern const struct extension ext_base, ext_control, ext_match;
const struct extension *const extensions[] = { &ext_control, &ext_match, &ext_base, &ext_probe, NULL };

/* The reference: ten lines over the tree. */
static int
kleene(const struct ast_node *n, int stage)
{
	bool any = str_is(n->name, "anyof");
	unsigned i;
	int all = any ? NO : YES;

	if (str_is(n->name, "x")) {
		i = (unsigned)(n->args->number % PROBES);
		return probe_unavailable[i] || probe_stage[i] > stage ? UNKNOWN : probe_truth[i];
	}
	if (str_is(n->name, "not"))
		return kleene(n->tests, stage) == UNKNOWN ? UNKNOWN : !kleene(n->tests, stage);
	for (const struct ast_node *t = n->tests; t; t = t->next) {
		int v = kleene(t, stage);

		if (v == (any ? YES : NO))
			return v;
		all = v == UNKNOWN ? UNKNOWN : all;
	}
	return all;
}

static void
condition(struct buf *out, int depth)
{
	unsigned kind = random_below(depth > 4 ? 3 : 7);

	if (kind < 3) {
		buf_printf(out, "x %u", random_below(PROBES));
	} else if (kind == 3) {
		buf_puts(out, "not ");
		condition(out, depth + 1);
	} else {
		unsigned n = 1 + random_below(3);

		buf_puts(out, kind & 1 ? "anyof(" : "allof(");
		for (unsigned i = 0; i < n; i++) {
			buf_puts(out, i ? ", " : "");
			condition(out, depth + 1);
		}
		buf_puts(out, ")");
	}
}

/* What `if C { discard; } else { keep; }` shows of C's value. */
static int
run_value(const struct program *p, struct message *m, enum tamis_stage stage)
{
	struct recipient *r = recipient_new(m, STR("a@example.org"), 0, NULL);
	struct outcome *o = outcome_new(r);
	enum tamis_status status = run_program(p, o, stage, NULL);
	int value = status == TAMIS_UNDECIDED || o->degraded ? UNKNOWN : o->first->public.kind == TAMIS_DISCARD;

	/* no branch was taken: the message is kept, and not by the else */
	if (o->degraded)
		ck_assert(stage == TAMIS_BODY && o->first->public.implicit);
	outcome_free(o);
	recipient_free(r);
	return value;
}

static void
shuffle(void)
{
	bool trouble = random_below(2);

	for (int i = 0; i < PROBES; i++) {
		probe_truth[i] = (int)random_below(2);
		probe_stage[i] = (int)random_below(3);
		probe_unavailable[i] = trouble && !random_below(4);
	}
}

START_TEST(conditions_equal_the_reference)
{
	long n = campaign(100000), seen[3] = { 0 };
	struct buf text = { 0 };
	struct message m;

	message_init(&m);
	for (long i = 0; i < n; i++) {
		struct arena arena = { 0 };
		struct diag diag = { .arena = &arena };
		struct source source;
		struct ast_node *tree;
		struct program *p;

		buf_reset(&text);
		buf_puts(&text, "if ");
		condition(&text, 0);
		buf_puts(&text, " { discard; } else { keep; }");
		source = (struct source){ STR("x"), buf_str(&text) };
		tree = parse_script(&arena, &arena, &source, &diag);
		shuffle();
		p = program_compile(NULL, STR("x"), buf_str(&text), 0);
		ck_assert_ptr_nonnull(p);
		for (int stage = TAMIS_ENVELOPE; stage <= TAMIS_BODY; stage++) {
			int want = kleene(tree->tests, stage), got = run_value(p, &m, (enum tamis_stage)stage);

			seen[want + 1]++;
			ck_assert_msg(got == want, "stage %d: %d, reference %d: %.*s", stage, got, want, STR_ARG(buf_str(&text)));
		}
		program_unref(p);
		arena_done(&arena);
	}
	printf("# %ld conditions at 3 stages: %ld true, %ld false, %ld unknown, all as the reference\n", n, seen[2], seen[1], seen[0]);
	ck_assert(seen[0] > n / 4 && seen[1] > n / 4 && seen[2] > n / 4);
	message_done(&m);
	buf_done(&text);
}
END_TEST

static void
tests(TCase *t)
{
	tcase_add_test(t, conditions_equal_the_reference);
}

int
main(void)
{
	return run_suite("kleene", tests);
}
