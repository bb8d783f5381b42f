/* test_verify_each.c - each rule of the verifier, broken once
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * test_verify.c shows that what is accepted runs clean, which a verifier that
 * refuses too little may do as well: a run has its budget. */
#include "vm/run.h"
#include "probe.h"

static const char rules[] =
	"require [\"variables\", \"fileinto\", \"include\", \"regex\", \"relational\"];\n"
	"global \"g\"; set \"v\" \"${g}\";\n"
	"if anyof(header \"subject\" \"x\", not exists \"y\") { fileinto \"a${v}\"; }\n"
	"elsif size :over 5 { include \"inner\"; }\n"
	"else { keep; }\n"
	"if string :count \"gt\" \"${g}\" \"1\" { discard; }\n";
static const char inner[] = "require \"variables\"; set \"w\" \"z\";";

static int
load(void *ctx, struct tamis_text kind, struct tamis_text name, struct tamis_text *ret)
{
	(void)ctx;
	(void)kind;
	(void)name;
	*ret = (struct tamis_text){ inner, sizeof inner - 1 };
	return 1;
}

static const struct tamis_host host = { .load = load, .report = probe_report };

static struct unit *
main_unit(struct program *p)
{
	return &p->unit[p->nunits - 1];
}

static struct insn *
find_insn(struct program *p, enum op op)
{
	struct unit *u = main_unit(p);

	for (uint32_t i = 0; i < u->ninsns; i++)
		if (u->code[i].op == op)
			return &u->code[i];
	ck_abort_msg("no instruction %d", (int)op);
	return NULL;
}

static struct call *
find_call(struct program *p, const char *name)
{
	for (uint32_t i = 0; i < p->ncalls; i++)
		if (!strcmp(p->call[i].command->name, name) && p->call[i].unit == p->nunits - 1)
			return &p->call[i];
	ck_abort_msg("no call of %s", name);
	return NULL;
}

static uint32_t
place(struct program *p, const struct insn *i)
{
	return (uint32_t)(i - main_unit(p)->code);
}

/* --- code */

enum where { OP_FIELD, A, B, C, HERE, BEHIND, LAST_OP };
static const struct {
	enum op op;
	enum where where;               /* which field gets the value; HERE, BEHIND: b is this place, the end */
	uint32_t value;
	const char *words;
} code_breaches[] = {
	{ OP_JUMP, HERE, 0, "jump backwards, into a loop or out of the unit" },
	{ OP_JUMP, BEHIND, 0, "jump backwards, into a loop or out of the unit" },
	{ OP_JUMP_IFNOT, HERE, 0, "jump backwards, into a loop or out of the unit" },
	{ OP_SETTLE, HERE, 0, "jump backwards, into a loop or out of the unit" },
	{ OP_JUMP_IFNOT, A, MAX_MARK + 1, "no such mark" },
	{ OP_SETTLE, A, 0, "no such mark" },
	{ OP_CLEAR, A, 0, "no such mark" },
	{ OP_CLEAR, A, MAX_MARK + 1, "no such mark" },
	{ OP_JUMP, OP_FIELD, OPS, "no such instruction" },
	{ OP_JUMP, OP_FIELD, OP_EACH, "loops" },
	{ OP_JUMP, OP_FIELD, OP_NEXT, "NEXT without its EACH" },
	{ OP_TEST, B, 1000, "no such call" },
	{ OP_ACT, B, 1000, "no such call" },
	{ OP_TEST, OP_FIELD, OP_ACT, "call of another kind" },
	{ OP_ACT, OP_FIELD, OP_TEST, "call of another kind" },
	{ OP_TEST, A, 1, "index" },
	{ OP_CALL, B, 1, "call to itself or backwards" },
	{ OP_CALL, B, 1000, "call to itself or backwards" },
	{ OP_CALL, A, 2, "call to itself or backwards" },
	{ OP_RULE, B, 1000, "no such condition" },
	{ OP_JUMP, OP_FIELD, OP_ENABLED, "no such capability" },
	{ OP_JUMP, OP_FIELD, OP_FAIL, "no such message" },
	{ OP_HALT, OP_FIELD, OP_CLEAR, "no such mark" },
	{ OP_HALT, LAST_OP, OP_CLEAR, "does not end" },
};

static void
break_code(struct program *p, size_t n)
{
	struct insn *i = find_insn(p, code_breaches[n].op);

	switch (code_breaches[n].where) {
	case OP_FIELD:
		i->op = (uint8_t)code_breaches[n].value;
		break;
	case A:
		i->a = (uint8_t)code_breaches[n].value;
		break;
	case B:
		i->b = code_breaches[n].value;
		break;
	case C:
		i->c = (uint16_t)code_breaches[n].value;
		break;
	case HERE:
		i->b = place(p, i);
		break;
	case BEHIND:
		i->b = main_unit(p)->ninsns;
		break;
	case LAST_OP:
		*i = (struct insn){ .op = (uint8_t)code_breaches[n].value, .a = 1 };
		break;
	}
}

START_TEST(code)
{
	struct program *p = program_compile(&host, STR("rules"), str_from(rules), 0);
	const char *wrong;

	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_null(program_verify(p));
	break_code(p, (size_t)_i);
	wrong = program_verify(p);
	ck_assert_ptr_nonnull(wrong);
	ck_assert_str_eq(wrong, code_breaches[_i].words);
	program_unref(p);
}
END_TEST

/* --- conditions */

START_TEST(conditions)
{
	struct program *p = program_compile(&host, STR("rules"), str_from(rules), 0);
	struct rule good;
	uint32_t *const field[] = { &p->rule[0].yes, &p->rule[0].yes, &p->rule[0].no, &p->rule[0].end };
	const uint32_t value[] = { 0, p->rule[0].no + 1, p->rule[0].end + 1, 1000 };

	good = p->rule[0];
	for (size_t i = 0; i < COUNT(field); i++) {
		*field[i] = value[i];
		ck_assert_ptr_nonnull(program_verify(p));
		p->rule[0] = good;
		ck_assert_ptr_null(program_verify(p));
	}
	program_unref(p);
}
END_TEST

/* --- call records: equal to the table of their command */

static void
no_command(struct program *p)
{
	find_call(p, "keep")->command = NULL;
}

static void
too_few(struct program *p)
{
	find_call(p, "fileinto")->nargs = 0;
}

static void
no_such_stage(struct program *p)
{
	find_call(p, "keep")->stage = TAMIS_BODY + 1;
}

static void
no_such_loop(struct program *p)
{
	find_call(p, "keep")->loop = 1;
}

static void
no_such_unit(struct program *p)
{
	find_call(p, "keep")->unit = (uint16_t)p->nunits;
}

static void
other_unit(struct program *p)
{
	find_call(p, "keep")->unit = 0;
}

/* the n-th argument of a command, to be changed */
static struct value *
argument(struct program *p, const char *name, unsigned n)
{
	return (struct value *)&find_call(p, name)->arg[n];
}

static void
number_for_string(struct program *p)
{
	argument(p, "fileinto", 0)->type = NUMBER;
}

static void
strings_for_string(struct program *p)
{
	argument(p, "fileinto", 0)->type = STRINGS;
}

static void
nothing_for_string(struct program *p)
{
	argument(p, "fileinto", 0)->type = NONE;
}

static void
empty_list(struct program *p)
{
	argument(p, "header", 0)->n = 0;
}

static void
no_strings(struct program *p)
{
	argument(p, "header", 1)->str = NULL;
}

static void
no_such_name(struct program *p)
{
	*(uint32_t *)argument(p, "header", 0)->id = p->nnames;
}

static void
no_such_variable(struct program *p)
{
	*(uint32_t *)argument(p, "set", 0)->id = main_unit(p)->nlocals;
}

static void
no_such_global(struct program *p)
{
	*(uint32_t *)argument(p, "set", 0)->id = GLOBAL_SLOT | p->nglobals;
}

static void
variable_without_slot(struct program *p)
{
	argument(p, "set", 0)->id = NULL;
}

static void
no_such_piece(struct program *p)
{
	struct template *t = (struct template *)argument(p, "fileinto", 0)->template[0];

	for (uint32_t i = 0; i < t->npieces; i++)
		if (t->piece[i].kind == PIECE_LOCAL)
			((struct piece *)&t->piece[i])->slot = main_unit(p)->nlocals;
}

static void
dynamic_without_template(struct program *p)
{
	argument(p, "fileinto", 0)->template = NULL;
}

static void
no_matcher(struct program *p)
{
	find_call(p, "header")->matcher = NULL;
}

static void
needless_matcher(struct program *p)
{
	find_call(p, "keep")->matcher = find_call(p, "header")->matcher;
}

static void
no_such_relation(struct program *p)
{
	((struct matcher *)find_call(p, "string")->matcher)->argument = 6;
}

static void
no_comparator(struct program *p)
{
	((struct matcher *)find_call(p, "header")->matcher)->comparator = NULL;
}

static void
keys_not_ready(struct program *p)
{
	((struct matcher *)find_call(p, "header")->matcher)->prepared_ok = false;
}

static void
no_such_probe(struct program *p)
{
	find_call(p, "header")->probe = 0;
}

static void
no_units(struct program *p)
{
	p->nunits = 0;
}

static void (*const call_breaches[])(struct program *) = {
	no_command, too_few, no_such_stage, no_such_loop, no_such_unit, other_unit, number_for_string, strings_for_string,
	nothing_for_string, empty_list, no_strings, no_such_name, no_such_variable, no_such_global, variable_without_slot,
	no_such_piece, dynamic_without_template, no_matcher, needless_matcher, no_such_relation, no_comparator,
	keys_not_ready, no_such_probe, no_units,
};

START_TEST(calls)
{
	struct program *p = program_compile(&host, STR("rules"), str_from(rules), 0);

	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_null(program_verify(p));
	call_breaches[_i](p);
	ck_assert_ptr_nonnull(program_verify(p));
	program_unref(p);
}
END_TEST

static void
tests(TCase *t)
{
	(void)campaign;
	(void)random_below;
	(void)ext_probe;
	tcase_add_loop_test(t, code, 0, (int)COUNT(code_breaches));
	tcase_add_test(t, conditions);
	tcase_add_loop_test(t, calls, 0, (int)COUNT(call_breaches));
}

int
main(void)
{
	return run_suite("verify-each", tests);
}
