/* test_host_srs.c - senders that are rewritten find back, and only those
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <ctype.h>
#include <stdlib.h>

#include "host/srs.h"

#define OURS "fwd.example.net"
#define DAY 86400

static const uint8_t key[32] = "the key of this test", other[32] = "another key";
static const int64_t now = 1796000000;

static const char *const senders[] = {
	"alice@example.org", "a@b", "Alice.Smith+lists@Example.ORG", "a=b=c@example.org", "SRS=x@example.org", "SRS0@example.org",
	"SRS1=x@example.org", "SRS0=@example.org", "j\xc3\xbcrgen@example.org", "-a@example.org", "a..b@example.org", "bounce-1=x=y@lists.example.com",
	"!#$%&'*+-/=?^_`{|}~@example.org", "\"a b\"@example.org", "\"a\\\"b\\\\c\"@example.org", "\"a@b\"@example.org", "\" \"@example.org",
	"\".a\"@example.org", "\"a..b\"@example.org", "\"a.\"@example.org", "\"(x=,;:<>[])\"@example.org",
	"\"j\xc3\xbcrgen x\"@example.org", "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx y\"@example.org",
};

static void
change_case(struct buf *b)
{
	for (size_t i = 0; i < b->len; i++)
		b->s[i] = (char)(i % 2 ? toupper((unsigned char)b->s[i]) : tolower((unsigned char)b->s[i]));
}

START_TEST(test_there_and_back)
{
	struct buf there = { 0 }, back = { 0 };

	ck_assert_int_eq(srs_forward(key, str_from(senders[_i]), OURS, now, &there), 0);
	ck_assert(str_starts(buf_str(&there), senders[_i][0] == '"' ? STR("\"SRS0=") : STR("SRS0=")));
	ck_assert_ptr_nonnull(strstr(buf_str(&there).s, "@" OURS));
	ck_assert_int_eq(srs_reverse(key, buf_str(&there), OURS, now + 20 * DAY, &back), 1);
	ck_assert_str_eq(buf_str(&back).s, senders[_i]);
	/* some servers change the case of a local part */
	change_case(&there);
	buf_reset(&back);
	ck_assert_int_eq(srs_reverse(key, buf_str(&there), OURS, now, &back), 1);
	ck_assert(str_iis(buf_str(&back), senders[_i]));
	buf_done(&there);
	buf_done(&back);
}
END_TEST

/* Three forwarders: the bounce goes to the first of them, and from him to the sender. */
START_TEST(test_chain)
{
	static const char *const whose[] = { "alice@example.org", "\"a b\"@example.org" };
	const struct str tag = _i ? STR("\"SRS1=") : STR("SRS1=");
	struct buf a = { 0 }, b = { 0 }, c = { 0 }, back = { 0 };

	ck_assert_int_eq(srs_forward(key, str_from(whose[_i]), "one.example", now, &a), 0);
	ck_assert_int_eq(srs_forward(other, buf_str(&a), "two.example", now, &b), 0);
	ck_assert(str_starts(buf_str(&b), tag));
	ck_assert_ptr_nonnull(strstr(buf_str(&b).s, "=one.example=="));
	ck_assert_int_eq(srs_forward(key, buf_str(&b), "three.example", now, &c), 0);
	ck_assert(str_starts(buf_str(&c), tag));
	ck_assert_ptr_nonnull(strstr(buf_str(&c).s, "=one.example=="));
	ck_assert_int_eq(srs_reverse(key, buf_str(&c), "three.example", now, &back), 1);
	ck_assert_str_eq(buf_str(&back).s, buf_str(&a).s);
	buf_reset(&back);
	ck_assert_int_eq(srs_reverse(other, buf_str(&b), "two.example", now, &back), 1);
	ck_assert_str_eq(buf_str(&back).s, a.s);
	buf_reset(&back);
	ck_assert_int_eq(srs_reverse(key, buf_str(&a), "one.example", now, &back), 1);
	ck_assert_str_eq(buf_str(&back).s, whose[_i]);
	ck_assert_int_eq(srs_reverse(key, buf_str(&b), "two.example", now, &back), -1);
	buf_done(&a);
	buf_done(&b);
	buf_done(&c);
	buf_done(&back);
}
END_TEST

/* Another forwarder in between: the bounce that comes here goes to the sender, not to an address of ours. */
START_TEST(test_round)
{
	static const char *const whose[] = { "alice@example.org", "\"a b\"@example.org" };
	struct buf a = { 0 }, b = { 0 }, c = { 0 };

	ck_assert_int_eq(srs_forward(key, str_from(whose[_i]), OURS, now, &a), 0);
	ck_assert_int_eq(srs_forward(other, buf_str(&a), "two.example", now, &b), 0);
	if (_i)
		change_case(&b);
	ck_assert_int_eq(srs_forward(key, buf_str(&b), OURS, now + DAY, &c), 0);
	ck_assert(str_iis(buf_str(&c), buf_str(&a).s));
	buf_done(&a);
	buf_done(&b);
	buf_done(&c);
}
END_TEST

/* Quotes that nothing needs are no part of an address; a server on the way may take them away, or put them there. */
START_TEST(test_needless_quotes)
{
	struct buf plain = { 0 }, quoted = { 0 }, back = { 0 };
	struct str address;

	ck_assert_int_eq(srs_forward(key, STR("alice@example.org"), OURS, now, &plain), 0);
	ck_assert_int_eq(srs_forward(key, STR("\"al\\ice\"@example.org"), OURS, now, &quoted), 0);
	ck_assert_str_eq(buf_str(&plain).s, buf_str(&quoted).s);
	buf_reset(&quoted);
	address = buf_str(&plain);
	buf_printf(&quoted, "\"%.*s\"@" OURS, (int)(address.len - strlen("@" OURS)), address.s);
	ck_assert_int_eq(srs_reverse(key, buf_str(&quoted), OURS, now, &back), SRS_OURS);
	ck_assert_str_eq(buf_str(&back).s, "alice@example.org");
	buf_done(&plain);
	buf_done(&quoted);
	buf_done(&back);
}
END_TEST

START_TEST(test_unchanged)
{
	struct buf out = { 0 };

	ck_assert_int_eq(srs_forward(key, STR_EMPTY, OURS, now, &out), 0);
	ck_assert_uint_eq(out.len, 0);
	ck_assert_int_eq(srs_forward(key, STR("alice@FWD.example.net"), OURS, now, &out), 0);
	ck_assert_str_eq(buf_str(&out).s, "alice@FWD.example.net");
	buf_done(&out);
}
END_TEST

static const char *const odd[] = {
	"alice", "@example.org", "alice@", "alice@[192.0.2.1]", "\"\"@example.org", "\"a\"b@example.org", "a\"b\"@example.org",
	"\"a@example.org", "\"a\\\"@example.org", "\"a\"b\"@example.org", "\"a\tb\"@example.org", "\"a\nb\"@example.org", "\"@example.org",
	"\"a\x7f\"@example.org", "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx y\"@example.org", "a b@example.org", "a\n@example.org", "a>@b",
	"a@b,c@d", "an.address.that.is.too.long.to.be.rewritten@some.domain.example.org",
};

START_TEST(test_kept)
{
	struct buf out = { 0 };

	ck_assert_int_eq(srs_forward(key, str_from(odd[_i]), OURS, now, &out), -1);
	ck_assert_uint_eq(out.len, 0);
	buf_done(&out);
}
END_TEST

/* 64 octets are just right, 65 too many; the whole address has 254. */
START_TEST(test_longest)
{
	const size_t around = 5 + SRS_HASH + 1 + 2 + 1 + 11 + 1;        /* SRS0=HASH=DAY=example.org= */
	struct buf sender = { 0 }, out = { 0 }, domain = { 0 };

	for (size_t i = around; i < SRS_LOCAL_MAX; i++)
		buf_putc(&sender, 'x');
	buf_puts(&sender, "@example.org");
	ck_assert_int_eq(srs_forward(key, buf_str(&sender), OURS, now, &out), 0);
	ck_assert_uint_eq(out.len, SRS_LOCAL_MAX + 1 + strlen(OURS));
	buf_reset(&out);
	for (size_t i = SRS_LOCAL_MAX + 1; i < SRS_ADDRESS_MAX; i++)
		buf_putc(&domain, 'y');
	ck_assert_int_eq(srs_forward(key, buf_str(&sender), buf_str(&domain).s, now, &out), 0);
	ck_assert_uint_eq(out.len, SRS_ADDRESS_MAX);
	buf_reset(&out);
	buf_putc(&domain, 'y');
	ck_assert_int_eq(srs_forward(key, buf_str(&sender), buf_str(&domain).s, now, &out), -1);
	buf_reset(&sender);
	for (size_t i = around; i < SRS_LOCAL_MAX + 1; i++)
		buf_putc(&sender, 'x');
	buf_puts(&sender, "@example.org");
	ck_assert_int_eq(srs_forward(key, buf_str(&sender), OURS, now, &out), -1);
	ck_assert_uint_eq(out.len, 0);
	buf_done(&sender);
	buf_done(&out);
	buf_done(&domain);
}
END_TEST

/* Any character of it changed: not ours. */
START_TEST(test_forged)
{
	struct buf there[3] = { 0 }, back = { 0 };

	srs_forward(key, STR("alice@example.org"), OURS, now, &there[0]);
	srs_forward(key, STR("SRS0=aaaa=bb=example.org=alice@first.example"), OURS, now, &there[1]);
	srs_forward(key, STR("\"a b\"@example.org"), OURS, now, &there[2]);
	for (int k = 0; k < 3; k++) {
		struct str v = buf_str(&there[k]);
		size_t from = k < 2 ? 5 : 6, local = v.len - strlen(k < 2 ? "@" OURS : "\"@" OURS);

		ck_assert_int_eq(srs_reverse(key, v, OURS, now, &back), 1);
		ck_assert_int_eq(srs_reverse(other, v, OURS, now, &back), -1);
		for (size_t i = from; i < local; i++) {
			char was = there[k].s[i];

			there[k].s[i] = was == 'x' ? 'y' : 'x';
			buf_reset(&back);
			ck_assert_msg(srs_reverse(key, v, OURS, now, &back) == -1 && !back.len, "%s", v.s);
			there[k].s[i] = was;
		}
		for (size_t i = from; i < local; i++) {
			struct buf cut = { 0 };

			buf_add(&cut, str_sub(v, 0, i));
			buf_add(&cut, str_sub(v, local, v.len));
			ck_assert_int_eq(srs_reverse(key, buf_str(&cut), OURS, now, &back), -1);
			buf_done(&cut);
		}
	}
	buf_done(&there[0]);
	buf_done(&there[1]);
	buf_done(&there[2]);
	buf_done(&back);
}
END_TEST

START_TEST(test_age)
{
	struct buf there = { 0 }, back = { 0 };
	/* also where the days begin again */
	int64_t when = _i ? now : (int64_t)DAY * 1024 * 21 - 1;

	srs_forward(key, STR("alice@example.org"), OURS, when, &there);
	for (int days = -3; days <= 1020; days++) {
		bool good = days >= -1 && days <= SRS_DAYS;

		ck_assert_int_eq(srs_reverse(key, buf_str(&there), OURS, when + (int64_t)days * DAY, &back), good ? SRS_OURS : SRS_EXPIRED);
	}
	buf_done(&there);
	buf_done(&back);
}
END_TEST

START_TEST(test_none_of_ours)
{
	static const char *const addresses[] = {
		"", "alice@" OURS, "alice@example.org", "SRS0=aaaaaa=aa=example.org=a@example.com", "SRS0@" OURS, "SRS2=a=b=c=d@" OURS,
		"SRS0aaaaaa=aa=b=c@" OURS, "xSRS0=a=b=c=d@" OURS, "\"xSRS0=a=b=c=d\"@" OURS, "\"SRS0=a=b=c=d@" OURS,
	};
	struct buf back = { 0 };

	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
		ck_assert_int_eq(srs_reverse(key, str_from(addresses[i]), OURS, now, &back), 0);
	ck_assert_uint_eq(back.len, 0);
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof(*(a)))

int
main(void)
{
	Suite *suite = suite_create("host_srs");
	TCase *t = tcase_create("host_srs");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(t, test_there_and_back, 0, COUNT(senders));
	tcase_add_loop_test(t, test_chain, 0, 2);
	tcase_add_loop_test(t, test_round, 0, 2);
	tcase_add_test(t, test_needless_quotes);
	tcase_add_test(t, test_unchanged);
	tcase_add_loop_test(t, test_kept, 0, COUNT(odd));
	tcase_add_test(t, test_longest);
	tcase_add_test(t, test_forged);
	tcase_add_loop_test(t, test_age, 0, 2);
	tcase_add_test(t, test_none_of_ours);
	suite_add_tcase(suite, t);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
