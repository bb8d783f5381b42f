/* test_verify.c - mutated programs: what the verifier lets pass runs clean
 * SPDX-License-Identifier: BSD-2-Clause */
#include "vm/run.h"
#include "probe.h"

static const char rules[] =
	"require [\"variables\", \"include\", \"fileinto\", \"copy\", \"relational\", \"comparator-i;ascii-numeric\", \"index\", \"regex\", \"envelope\"];\n"
	"global \"g\";\n"
	"if anyof(header :matches \"subject\" \"h*\", allof(size :over 1, not exists \"x\")) {\n"
	"  fileinto :copy \"a${1}${g}\"; set :upper \"v\" \"${1}\";\n"
	"} elsif not allof(envelope \"from\" \"a@b\", address :domain [\"from\", \"to\"] [\"b\", \"c\", \"d\", \"e\", \"f\", \"g\"]) {\n"
	"  include :once \"b\"; set \"g\" \"${v}x\";\n"
	"} else { include \"a\"; redirect \"a@b.example\"; }\n"
	"if header :index 1 :count \"gt\" :comparator \"i;ascii-numeric\" \"subject\" \"0\" { keep; }\n"
	"if string :contains \"${g}${v}\" [\"x\", \"${1}\"] { discard; stop; }\n"
	"if header :regex \"subject\" \"(h)(.*)\" { fileinto \"r${2}\"; }\n";
static const char inner[] = "require [\"include\", \"variables\", \"fileinto\"]; global \"g\"; set \"w\" \"${g}\";"
	"if header :matches \"subject\" \"*e*\" { fileinto \"i${1}${w}\"; return; } set \"g\" \"z\";";

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

/* one change to code, a condition or a call record; undone from the copy */
static void
mutate_insn(struct program *p)
{
	struct unit *u = &p->unit[random_below(p->nunits)];
	struct insn *i = &u->code[random_below(u->ninsns)];

	switch (random_below(4)) {
	case 0:
		i->op = (uint8_t)random_below(OPS + 1);
		break;
	case 1:
		i->a = (uint8_t)random_below(random_below(4) ? 4 : 256);
		break;
	case 2:
		i->b = random_below(u->ninsns + 2);
		break;
	default:
		i->b = random_below(p->ncalls + 1);
		break;
	}
}

static void
mutate_rule(struct program *p)
{
	struct rule *r = &p->rule[random_below(p->nrules)];
	uint32_t *field[] = { &r->yes, &r->no, &r->end };

	*field[random_below(3)] = random_below(40);
}

static void
mutate_call(struct program *p)
{
	struct call *k = &p->call[random_below(p->ncalls)];
	struct value *v = k->nargs ? (struct value *)&k->arg[random_below(k->nargs)] : NULL;

	switch (random_below(7)) {
	case 0:
		k->unit = (uint16_t)random_below(p->nunits + 1);
		break;
	case 1:
		k->loop = (uint8_t)random_below(3);
		break;
	case 2:
		k->stage = (uint8_t)random_below(5);
		break;
	case 3:
		if (v)
			v->type = (uint8_t)random_below(STRINGS + 1);
		break;
	case 4:
		if (v && v->id)
			*(uint32_t *)v->id = random_below(2) ? random_below(8) : GLOBAL_SLOT | random_below(4);
		break;
	case 5:
		k->probe = (int16_t)((int)random_below(4) - 1);
		break;
	default:
		k->dynamic = !k->dynamic;
		break;
	}
}

/* Everything that a mutation can touch. */
struct copy {
	struct insn *code[8];
	struct rule *rule;
	struct call *call;
	struct value *arg[64];
	uint32_t id[64][16];
};

static void
save(const struct program *p, struct copy *c)
{
	for (uint32_t u = 0; u < p->nunits; u++)
		memcpy(c->code[u] = mem_alloc(p->unit[u].ninsns * sizeof(struct insn)), p->unit[u].code,
		       p->unit[u].ninsns * sizeof(struct insn));
	memcpy(c->rule = mem_alloc(p->nrules * sizeof *c->rule), p->rule, p->nrules * sizeof *c->rule);
	memcpy(c->call = mem_alloc(p->ncalls * sizeof *c->call), p->call, p->ncalls * sizeof *c->call);
	for (uint32_t i = 0; i < p->ncalls; i++) {
		size_t size = p->call[i].nargs * sizeof(struct value);

		c->arg[i] = mem_alloc(size);
		if (size)
			memcpy(c->arg[i], p->call[i].arg, size);
		for (uint8_t j = 0; j < p->call[i].nargs && j < 16; j++)
			c->id[i][j] = p->call[i].arg[j].id ? *p->call[i].arg[j].id : 0;
	}
}

static void
restore(struct program *p, const struct copy *c)
{
	for (uint32_t u = 0; u < p->nunits; u++)
		memcpy(p->unit[u].code, c->code[u], p->unit[u].ninsns * sizeof(struct insn));
	memcpy(p->rule, c->rule, p->nrules * sizeof *c->rule);
	memcpy(p->call, c->call, p->ncalls * sizeof *c->call);
	for (uint32_t i = 0; i < p->ncalls; i++) {
		if (p->call[i].nargs)
			memcpy((void *)p->call[i].arg, c->arg[i], p->call[i].nargs * sizeof(struct value));
		for (uint8_t j = 0; j < p->call[i].nargs && j < 16; j++)
			if (p->call[i].arg[j].id)
				*(uint32_t *)p->call[i].arg[j].id = c->id[i][j];
	}
}

static void
forget(const struct program *p, struct copy *c)
{
	for (uint32_t u = 0; u < p->nunits; u++)
		free(c->code[u]);
	for (uint32_t i = 0; i < p->ncalls; i++)
		free(c->arg[i]);
	free(c->rule);
	free(c->call);
}

static void
run_all_stages(const struct program *p, struct message *m)
{
	for (int stage = TAMIS_ENVELOPE; stage <= TAMIS_BODY; stage++) {
		struct recipient *r = recipient_new(m, STR("a+b@example.org"), 0, NULL);
		struct outcome *o = outcome_new(r);

		run_program(p, o, (enum tamis_stage)stage, &host);
		outcome_free(o);
		recipient_free(r);
	}
}

START_TEST(mutants)
{
	long n = campaign(20000), accepted = 0, rejected = 0;
	struct program *p = program_compile(&host, STR("rules"), str_from(rules), 0);
	struct message m;
	struct copy copy;

	ck_assert_ptr_nonnull(p);
	ck_assert(p->nunits >= 3 && p->nunits <= 8 && p->ncalls <= 64);
	message_init(&m);
	message_set_header(&m, STR("Subject: hello\nFrom: a@b\nTo: c@d\n\n"));
	message_set_body(&m, STR("body\n"), 40);
	message_set_fact(&m, STR("from"), STR("a@b"));
	save(p, &copy);
	for (long i = 0; i < n; i++) {
		unsigned changes = 1 + random_below(2);

		while (changes--)
			switch (random_below(4)) {
			case 0:
				mutate_call(p);
				break;
			case 1:
				mutate_rule(p);
				break;
			default:
				mutate_insn(p);
				break;
			}
		if (program_verify(p)) {
			rejected++;
		} else {
			accepted++;
			run_all_stages(p, &m);
		}
		restore(p, &copy);
	}
	printf("# %ld mutants: %ld accepted and run, %ld rejected\n", n, accepted, rejected);
	ck_assert_msg(accepted * 10 > n, "only %ld of %ld were accepted: the test says little", accepted, n);
	ck_assert_msg(rejected * 10 > n, "only %ld of %ld were rejected: does the verifier look?", rejected, n);
	forget(p, &copy);
	message_done(&m);
	program_unref(p);
}
END_TEST

static void
tests(TCase *t)
{
	tcase_add_test(t, mutants);
}

int
main(void)
{
	return run_suite("verify", tests);
}
