/* test_effects.c - a host that cannot do everything: what rules are told when they are compiled
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tamis.h"

static char said[2000];

static void
report(void *ctx, const struct tamis_diagnostic *d)
{
	size_t n = strlen(said);

	(void)ctx;
	snprintf(said + n, sizeof(said) - n, "%u:%u+%u %s\n", d->place.line, d->place.column, d->place.length, d->text);
}

#define ALL_BUT(kinds) (((1u << TAMIS_EFFECTS) - 1) & ~(uint32_t)(kinds))

static const struct {
	uint32_t effects;
	const char *rules, *said;
} cases[] = {
	{ 0, "require \"fileinto\";\nfileinto \"a\";\n", "" },
	{ ALL_BUT(0), "require \"fileinto\";\nfileinto \"a\";\n", "" },
	{ ALL_BUT(1u << TAMIS_FILE), "require \"fileinto\";\nkeep;\nif true {\n  fileinto \"a\";\n}\n",
	  "4:3+8 'fileinto' is not carried out here: the message is kept\n" },
	{ ALL_BUT(1u << TAMIS_FILE), "keep; discard;\nredirect \"a@example.org\";\n", "" },
	{ ALL_BUT(1u << TAMIS_REDIRECT), "redirect \"a@example.org\";\n", "1:1+8 'redirect' is not carried out here: the message is kept\n" },
	{ ALL_BUT(1u << TAMIS_DISCARD), "discard;\n", "1:1+7 'discard' is not carried out here: the message is kept\n" },
	{ ALL_BUT(1u << TAMIS_HEADER_ADD), "require \"editheader\";\naddheader \"X\" \"y\";\ndeleteheader \"Z\";\n",
	  "2:1+9 'addheader' is not carried out here\n" },
	{ ALL_BUT(1u << TAMIS_SEND), "require \"vacation\";\nvacation \"away\";\n", "2:1+8 'vacation' is not carried out here\n" },
	{ ALL_BUT(1u << TAMIS_KEEP), "stop;\n", "" },
	/* what is wrong is said alone */
	{ ALL_BUT(1u << TAMIS_FILE), "require \"fileinto\";\nkeep 5;\nfileinto \"a\";\n", "2:6+1 'keep' has too many arguments\n" },
};

START_TEST(test_effects)
{
	const struct tamis_host host = { .effects = cases[_i].effects, .report = report };
	const struct tamis_text name = { "rules", 5 }, rules = { cases[_i].rules, strlen(cases[_i].rules) };
	struct tamis_program *p = tamis_compile(&host, name, rules, 0);

	ck_assert_str_eq(said, cases[_i].said);
	ck_assert(!p == !!strstr(said, "too many"));
	tamis_program_unref(p);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("effects");
	TCase *t = tcase_create("effects");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, test_effects, 0, (int)(sizeof(cases) / sizeof(*cases)));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
