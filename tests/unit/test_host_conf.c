/* test_host_conf.c - what is asked of a configuration once it is loaded
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "host/conf.h"
#include "host/diag.h"
#include "host/submit.h"

/* The configuration that the text is; NULL if it is wrong. */
static struct conf *
load(struct str text, unsigned *ret_errors)
{
	char path[] = "/tmp/tamis-conf-XXXXXX";
	int fd = mkstemp(path);
	struct conf *c;
	struct diag d;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text.s, text.len), (ssize_t)text.len);
	close(fd);
	diag_init(&d, stderr);
	d.form = DIAG_NONE;
	c = conf_load(path, &d);
	ck_assert_int_eq(errno, 0);
	*ret_errors = d.errors;
	diag_done(&d);
	unlink(path);
	return c;
}

static struct conf *
good(const char *text)
{
	unsigned errors;
	struct conf *c = load(str_from(text), &errors);

	ck_assert_msg(c && !errors, "%s", text);
	return c;
}

/* --- clients */

static const struct {
	const char *ip;
	bool own;
} clients[] = {
	{ "192.0.2.0", true }, { "192.0.2.255", true }, { "192.0.3.0", false }, { "192.0.1.255", false },
	{ "198.51.100.7", true }, { "198.51.100.6", false }, { "198.51.100.8", false },
	{ "::ffff:192.0.2.9", true }, { "::FFFF:C000:0209", true }, { "::192.0.2.9", false }, { "IPv6:2001:db8:1::1", true },
	{ "2001:db8::", true }, { "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true }, { "2001:db9::", false }, { "2001:db7::", false },
	{ "203.0.113.127", true }, { "203.0.113.128", false }, { "203.0.113.96", true }, { "203.0.113.95", false },
	{ "10.1.2.3", false }, { "", false }, { "unknown", false }, { "192.0.2", false }, { "192.0.2.1 ", false },
	{ "2001:db8::1%eth0", false }, { "fe80::1", false },
};

START_TEST(test_own_client)
{
	struct conf *c = good("own_clients = 192.0.2.0/24, 198.51.100.7 2001:db8::/32\nown_clients = 203.0.113.96/27\n");

	ck_assert_msg(conf_own_client(c, str_from(clients[_i].ip)) == clients[_i].own, "%s", clients[_i].ip);
	conf_unref(c);
}
END_TEST

START_TEST(test_own_client_all)
{
	struct conf *c = good("own_clients = 0.0.0.0/0\n"), *all = good("own_clients = ::/0\n"), *none = good("");

	ck_assert(conf_own_client(c, STR("8.8.8.8")));
	ck_assert(conf_own_client(c, STR("::ffff:8.8.8.8")));
	ck_assert(!conf_own_client(c, STR("2001:db8::1")));
	ck_assert(conf_own_client(all, STR("2001:db8::1")));
	ck_assert(conf_own_client(all, STR("8.8.8.8")));
	ck_assert(!conf_own_client(none, STR("127.0.0.1")));
	conf_unref(c);
	conf_unref(all);
	conf_unref(none);
}
END_TEST

/* --- sections */

START_TEST(test_effect_for)
{
	struct conf *c = good("effect = tag\nrules_dir = /r\n[domain example.org]\neffect = full\n"
	                      "[user Al@Example.ORG]\neffect = observe\n[rules example.org/x.sieve]\neffect = tag\n"
	                      "[rules /elsewhere/y]\neffect = observe\n[domain silent.example]\n");
	const struct str none = STR_EMPTY, org = STR("example.org"), al = STR("al@example.org"), bo = STR("bo@example.org");

	ck_assert_int_eq(conf_effect_for(c, none, none, none), CONF_TAG);
	ck_assert_int_eq(conf_effect_for(c, bo, org, none), CONF_FULL);
	ck_assert_int_eq(conf_effect_for(c, al, org, none), CONF_OBSERVE);
	ck_assert_int_eq(conf_effect_for(c, al, org, STR("/r/example.org/x.sieve")), CONF_TAG);
	ck_assert_int_eq(conf_effect_for(c, bo, org, STR("/elsewhere/y")), CONF_OBSERVE);
	ck_assert_int_eq(conf_effect_for(c, bo, org, STR("/elsewhere/z")), CONF_FULL);
	ck_assert_int_eq(conf_effect_for(c, bo, STR("silent.example"), none), CONF_TAG);
	/* a user is no domain, nor the other way round */
	ck_assert_int_eq(conf_effect_for(c, org, none, none), CONF_TAG);
	ck_assert_int_eq(conf_effect_for(c, none, al, none), CONF_TAG);
	conf_unref(c);
}
END_TEST

/* A file is the same however its path is written, and a comment is none of a name's. */
static const char *const spelled[] = {
	"rules_dir = /r/\n[rules /r/example.org/x]\n", "rules_dir = /r\n[rules /r//example.org/x]\n",
	"rules_dir = //r\n[rules /r/example.org/x]\n", "rules_dir = /r/\n[rules example.org/x]\n",
	"rules_dir = /r\n[rules example.org//x] # [1]\n", "rules_dir = /r\n[rules /r/example.org/x]# see [2]\n",
	"rules_dir = /r\n[rules [192.0.2.1]/x]\neffect = tag\n[rules example.org/x]\n",
};

START_TEST(test_spelled)
{
	struct buf b = { 0 };
	struct conf *c;

	buf_printf(&b, "%seffect = full\n", spelled[_i]);
	c = good(buf_str(&b).s);
	ck_assert_str_eq(c->rules_dir, "/r");
	ck_assert_msg(conf_effect_for(c, STR_EMPTY, STR_EMPTY, STR("/r/example.org/x")) == CONF_FULL, "%s", spelled[_i]);
	if (strstr(spelled[_i], "/x]\neffect"))
		ck_assert_int_eq(conf_effect_for(c, STR_EMPTY, STR_EMPTY, STR("/r/[192.0.2.1]/x")), CONF_TAG);
	conf_unref(c);
	buf_done(&b);
}
END_TEST

/* What is taken here has to be understood when the port is called. */
static const struct {
	const char *port;
	bool good;
} ports[] = {
	{ "smtp:[::1]:25", true }, { "smtp:[127.0.0.1]:25", true }, { "lmtp:unix:/x", true }, { "smtp:localhost:25", true },
	{ "smtp:[IPv6:::1]:25", false }, { "smtp:[ipv6:2001:db8::1]:25", false }, { "smtp:::1:25", false },
};

START_TEST(test_ports)
{
	struct buf b = { 0 };
	unsigned errors;
	struct conf *c;

	buf_printf(&b, "copy_to = %s\n", ports[_i].port);
	c = load(buf_str(&b), &errors);
	ck_assert_msg((c != NULL) == ports[_i].good, "%s", ports[_i].port);
	ck_assert(!c || !submit_check(c->copy_to));
	conf_unref(c);
	buf_done(&b);
}
END_TEST

START_TEST(test_exact_users)
{
	struct conf *c = good("localpart_case = exact\n[user Al@Example.ORG]\neffect = full\n[user al@example.org]\neffect = tag\n");

	ck_assert_int_eq(conf_effect_for(c, STR("Al@example.org"), STR_EMPTY, STR_EMPTY), CONF_FULL);
	ck_assert_int_eq(conf_effect_for(c, STR("al@example.org"), STR_EMPTY, STR_EMPTY), CONF_TAG);
	ck_assert_int_eq(conf_effect_for(c, STR("AL@example.org"), STR_EMPTY, STR_EMPTY), CONF_OBSERVE);
	conf_unref(c);
}
END_TEST

/* --- values */

START_TEST(test_values)
{
	struct conf *c = good("\xef\xbb\xbfmode = final\r\nlog = stderr\nlocal_domains = B.example \"a.example\" , C.Example\n"
	                      "max_memory = 1g\nrcpt_deadline = 5\njournal_days = 7\nsocket_mode = 777\n"
	                      "refusal_text = \"a \\\"b\\\" \\\\ # c\"   # d\nlimit_memory=8M\nlimit_actions = 0\nusers = \"\"\n");

	ck_assert_int_eq(c->mode, CONF_FINAL);
	ck_assert(c->log_stderr);
	ck_assert_uint_eq(c->local_domains.n, 3);
	ck_assert_str_eq(c->local_domains.v[0], "b.example");
	ck_assert_str_eq(c->local_domains.v[2], "c.example");
	ck_assert_uint_eq(c->max_memory, 1u << 30);
	ck_assert_uint_eq(c->rcpt_deadline, 5);
	ck_assert_uint_eq(c->journal_days, 7);
	ck_assert_uint_eq(c->socket_mode, 0777);
	ck_assert_str_eq(c->refusal_text, "a \"b\" \\ # c");
	ck_assert_uint_eq(c->limits.memory, 8u << 20);
	ck_assert_uint_eq(c->limits.actions, 0);
	ck_assert_str_eq(c->users, "");
	conf_unref(c);
}
END_TEST

START_TEST(test_standards)
{
	struct diag d;
	struct conf *c, *again;

	diag_init(&d, stderr);
	c = conf_load("", &d);
	ck_assert_ptr_nonnull(c);
	ck_assert_uint_eq(d.errors + d.warnings, 0);
	ck_assert_int_eq(c->effect, CONF_OBSERVE);
	ck_assert_uint_eq(c->journal_days, 5);
	ck_assert_uint_eq(c->trouble_seconds, 3600);
	ck_assert_uint_eq(c->socket_mode, 0660);
	ck_assert_int_eq(memcmp(&c->limits, &tamis_limits_default, sizeof(c->limits)), 0);
	again = conf_ref(c);
	conf_unref(c);
	ck_assert_str_eq(again->rules_file, "%d/%u.sieve");
	ck_assert_ptr_null(conf_unref(again));
	ck_assert_ptr_null(conf_unref(NULL));
	diag_done(&d);
}
END_TEST

START_TEST(test_unreadable)
{
	struct diag d;

	diag_init(&d, stderr);
	d.form = DIAG_NONE;
	ck_assert_ptr_null(conf_load("/nonexistent/tamis.conf", &d));
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_uint_eq(d.errors, 1);
	diag_done(&d);
}
END_TEST

/* --- limits */

START_TEST(test_list_limit)
{
	struct buf b = { 0 };
	unsigned errors;
	struct conf *c;
	size_t i;

	buf_puts(&b, "protect_add =");
	for (i = 0; i < LIMIT_CONF_LIST; i++)
		buf_puts(&b, i % 1000 ? " X" : "\nprotect_add = X");
	buf_putc(&b, '\n');
	c = load(buf_str(&b), &errors);
	ck_assert_ptr_nonnull(c);
	ck_assert_uint_eq(c->protect_add.n, LIMIT_CONF_LIST);
	conf_unref(c);
	buf_puts(&b, "protect_add = Y\n");
	ck_assert_ptr_null(load(buf_str(&b), &errors));
	ck_assert_uint_eq(errors, 1);
	buf_done(&b);
}
END_TEST

START_TEST(test_file_limit)
{
	char path[] = "/tmp/tamis-conf-XXXXXX";
	int fd = mkstemp(path);
	struct diag d;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)LIMIT_CONF_SIZE + 1), 0);
	close(fd);
	diag_init(&d, stderr);
	d.form = DIAG_NONE;
	ck_assert_ptr_null(conf_load(path, &d));
	ck_assert_int_eq(errno, EFBIG);
	diag_done(&d);
	unlink(path);
}
END_TEST

/* Any bytes: no crash, and what is accepted is whole. */
START_TEST(test_any_bytes)
{
	static const char some[] = "mode = edge\n[user a@b]\neffect = \"full\"#\\,/%u@xlimit_work=1\xc3\xa4\r\0";
	uint64_t state = (uint64_t)_i + 1;
	struct buf b = { 0 };
	unsigned errors, n;
	struct conf *c;

	for (n = 0; n < 400; n++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		if (state >> 61)
			buf_putc(&b, some[(state >> 33) % sizeof(some)]);
		else
			buf_add(&b, str_sub(str_from(some), (state >> 33) % 30, 30 + (state >> 40) % 20));
	}
	c = load(buf_str(&b), &errors);
	ck_assert(!c == !!errors);
	conf_unref(c);
	buf_done(&b);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("host/conf");
	TCase *t = tcase_create("conf");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, test_own_client, 0, sizeof(clients) / sizeof(*clients));
	tcase_add_test(t, test_own_client_all);
	tcase_add_test(t, test_effect_for);
	tcase_add_loop_test(t, test_spelled, 0, (int)(sizeof spelled / sizeof *spelled));
	tcase_add_loop_test(t, test_ports, 0, (int)(sizeof ports / sizeof *ports));
	tcase_add_test(t, test_exact_users);
	tcase_add_test(t, test_values);
	tcase_add_test(t, test_standards);
	tcase_add_test(t, test_unreadable);
	tcase_add_test(t, test_list_limit);
	tcase_add_test(t, test_file_limit);
	tcase_add_loop_test(t, test_any_bytes, 0, 50);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
