/* test_host_users.c - canonical recipients, and the users map
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "host/diag.h"
#include "host/users.h"

#define COUNT(a) (int)(sizeof(a) / sizeof(*(a)))

static void
write_file(char *path, struct str text)
{
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text.s, text.len), (ssize_t)text.len);
	close(fd);
}

static struct conf *
configure(const char *text)
{
	char path[] = "/tmp/tamis-users-XXXXXX";
	struct conf *c;
	struct diag d;

	write_file(path, str_from(text));
	diag_init(&d, stderr);
	c = conf_load(path, &d);
	ck_assert_ptr_nonnull(c);
	diag_done(&d);
	unlink(path);
	return c;
}

/* --- canonical recipients */

static const struct {
	const char *conf, *address, *user;      /* user NULL: nobody */
	const char *detail;                     /* NULL: none */
	bool sendmail;
} addresses[] = {
	/* form */
	{ "", "alice@example.org", "alice@example.org", NULL, 0 },
	{ "", "<alice@example.org>", "alice@example.org", NULL, 0 },
	{ "", "<Alice@Example.ORG>", "alice@example.org", NULL, 0 },
	{ "localpart_case = exact", "<Alice@Example.ORG>", "Alice@example.org", NULL, 0 },
	{ "", "<@a.example,@b.example:alice@example.org>", "alice@example.org", NULL, 0 },
	{ "", "\"alice\"@example.org", "alice@example.org", NULL, 0 },
	{ "", "\"al\\ice\"@example.org", "alice@example.org", NULL, 0 },
	{ "", "\"a b\"@example.org", "a b@example.org", NULL, 0 },
	{ "", "\"a@b\"@example.org", "a@b@example.org", NULL, 0 },
	{ "", "\"a\\\"b\"@example.org", "a\"b@example.org", NULL, 0 },
	{ "", "a..b@example.org", "a..b@example.org", NULL, 0 },
	{ "", "..@example.org", "..@example.org", NULL, 0 },
	{ "", "", NULL, NULL, 0 }, { "", "<>", NULL, NULL, 0 }, { "", "<", NULL, NULL, 0 }, { "", ">", NULL, NULL, 0 },
	{ "", "alice", NULL, NULL, 0 }, { "", "@example.org", NULL, NULL, 0 }, { "", "alice@", NULL, NULL, 0 },
	{ "", "<alice@example.org", NULL, NULL, 0 }, { "", "alice@example.org>", NULL, NULL, 0 },
	{ "", "\"\"@example.org", NULL, NULL, 0 }, { "", "\"alice@example.org", NULL, NULL, 0 },
	{ "", "\"al\"ice@example.org", NULL, NULL, 0 }, { "", "\"al\"ice\"@example.org", NULL, NULL, 0 },
	{ "", "\"alice\\\"@example.org", NULL, NULL, 0 }, { "", "al ice@example.org", NULL, NULL, 0 },
	{ "", "al\\ice@example.org", NULL, NULL, 0 }, { "", "a,b@example.org", NULL, NULL, 0 },
	{ "", "<@a.example alice@example.org>", NULL, NULL, 0 },
	/* what must not become part of a path or a log line */
	{ "", "a/b@example.org", NULL, NULL, 0 }, { "", "\"a/b\"@example.org", NULL, NULL, 0 },
	{ "", "\"a\\/b\"@example.org", NULL, NULL, 0 }, { "", "../../etc/passwd@example.org", NULL, NULL, 0 },
	{ "", "\"a\nb\"@example.org", NULL, NULL, 0 }, { "", "\"a\tb\"@example.org", NULL, NULL, 0 },
	{ "", "a\x7f@example.org", NULL, NULL, 0 }, { "", "a\xc2\x85" "b@example.org", NULL, NULL, 0 },
	{ "", "a\xe2\x80\xa8" "b@example.org", NULL, NULL, 0 },
	{ "", "a\xc0\xaf" "b@example.org", NULL, NULL, 0 },             /* an overlong "/" */
	{ "", "a\xe0\x80\xaf" "b@example.org", NULL, NULL, 0 },
	{ "", "a\xed\xa0\x80" "b@example.org", NULL, NULL, 0 },         /* half a surrogate pair */
	{ "", "a\xff@example.org", NULL, NULL, 0 }, { "", "\"a\\\xc3\"@example.org", NULL, NULL, 0 },
	{ "", "a\xef\xbc\x8f" "b@example.org", "a\xef\xbc\x8f" "b@example.org", NULL, 0 },      /* fullwidth: no "/" */
	/* UTF-8: NFC, no folding but of ASCII */
	{ "", "J\xc3\xb6rg@example.org", "j\xc3\xb6rg@example.org", NULL, 0 },
	{ "", "Jo\xcc\x88rg@example.org", "j\xc3\xb6rg@example.org", NULL, 0 },
	{ "", "\xc3\x96@example.org", "\xc3\x96@example.org", NULL, 0 },
	{ "", "\xe2\x84\xaa@example.org", "k@example.org", NULL, 0 },   /* the Kelvin sign is K */
	/* domains */
	{ "", "a@B\xc3\xbc" "cher.example", "a@xn--bcher-kva.example", NULL, 0 },
	{ "", "a@Bu\xcc\x88" "cher.example", "a@xn--bcher-kva.example", NULL, 0 },
	{ "", "a@XN--bcher-KVA.example", "a@xn--bcher-kva.example", NULL, 0 },
	{ "", "a@\xc3\xbc\xe3\x80\x82" "example", "a@xn--tda.example", NULL, 0 },       /* an ideographic full stop */
	{ "", "a@[192.0.2.1]", "a@[192.0.2.1]", NULL, 0 }, { "", "a+x@[192.0.2.1]", "a@[192.0.2.1]", "x", 0 },
	{ "", "a@[IPv6:2001:DB8:0::1]", "a@[ipv6:2001:db8::1]", NULL, 0 }, { "", "a@[2001:db8::1]", "a@[ipv6:2001:db8::1]", NULL, 0 },
	{ "", "a@[192.0.2]", NULL, NULL, 0 }, { "", "a@[192.0.2.1", NULL, NULL, 0 }, { "", "a@[", NULL, NULL, 0 },
	{ "", "a@[]", NULL, NULL, 0 }, { "", "a@[ipv6:]", NULL, NULL, 0 }, { "", "a@[ipv6:192.0.2.1]", NULL, NULL, 0 },
	{ "", "a@[mx.example]", NULL, NULL, 0 }, { "", "a@[192.0.2.1]x", NULL, NULL, 0 }, { "", "a@[../x]", NULL, NULL, 0 },
	{ "", "a@[0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]", NULL, NULL, 0 },
	{ "", "a@example.org..", NULL, NULL, 0 }, { "", "a@.example.org", NULL, NULL, 0 },
	{ "", "a@a..b", NULL, NULL, 0 }, { "", "a@..", NULL, NULL, 0 }, { "", "a@a/b", NULL, NULL, 0 }, { "", "a@a b", NULL, NULL, 0 },
	{ "", "a@\xc3\xbc/b", NULL, NULL, 0 }, { "", "a@\xef\xbc\x8f\xc3\xbc", NULL, NULL, 0 }, { "", "a@\xff.example", NULL, NULL, 0 },
	/* details, as Postfix splits */
	{ "", "alice+x@example.org", "alice@example.org", "x", 0 },
	{ "", "alice+x+y@example.org", "alice@example.org", "x+y", 0 },
	{ "", "alice+@example.org", "alice@example.org", "", 0 },
	{ "", "+x@example.org", "+x@example.org", NULL, 0 },
	{ "", "+a+x@example.org", "+a+x@example.org", NULL, 0 },
	{ "", "\"alice+a b\"@example.org", "alice@example.org", "a b", 0 },
	/* whoever writes to a detail that is no name gets round nobody's rules */
	{ "", "alice+a/b@example.org", "alice@example.org", "a/b", 0 }, { "", "\"alice+/\"@example.org", "alice@example.org", "/", 0 },
	{ "", "alice+../../x@example.org", "alice@example.org", "../../x", 0 }, { "", "a/b+x@example.org", NULL, NULL, 0 },
	{ "", "+/@example.org", NULL, NULL, 0 }, { "", "\"alice+\t\"@example.org", "alice@example.org", "\t", 0 },
	{ "", "alice+\x7f@example.org", "alice@example.org", "\x7f", 0 }, { "", "alice+\xff@example.org", "alice@example.org", "\xff", 0 },
	{ "", "\"al\tice+x\"@example.org", NULL, NULL, 0 }, { "", "al\xff+x@example.org", NULL, NULL, 0 },
	{ "", "Jo\xcc\x88rg+Jo\xcc\x88rg@example.org", "j\xc3\xb6rg@example.org", "j\xc3\xb6rg", 0 },
	/* a delimiter is one, whatever combines with what is behind it */
	{ "recipient_delimiter = =", "a=\xcc\xb8@example.org", "a@example.org", "\xcc\xb8", 0 }, { "", "postmaster+/@example.org", "postmaster@example.org", "/", 0 },
	{ "", "a+x@Example.org.", "a@example.org", "x", 0 }, { "", "a@.", NULL, NULL, 0 },
	{ "", "Postmaster+x@example.org", "postmaster@example.org", "x", 0 },
	{ "", "alice-x@example.org", "alice-x@example.org", NULL, 0 },
	{ "recipient_delimiter = +-", "alice-x+y@example.org", "alice@example.org", "x+y", 0 },
	{ "recipient_delimiter = +-", "alice+x-y@example.org", "alice@example.org", "x-y", 0 },
	{ "recipient_delimiter = -", "owner-list@example.org", "owner-list@example.org", NULL, 0 },
	{ "recipient_delimiter = -", "Owner-list@example.org", "owner-list@example.org", NULL, 0 },
	{ "recipient_delimiter = -", "list-request@example.org", "list-request@example.org", NULL, 0 },
	{ "recipient_delimiter = -", "list-REQUEST@example.org", "list-request@example.org", NULL, 0 },
	{ "recipient_delimiter = -", "list-requests@example.org", "list@example.org", "requests", 0 },
	{ "recipient_delimiter = -", "mailer-daemon@example.org", "mailer-daemon@example.org", NULL, 0 },
	{ "recipient_delimiter = -", "double-bounce@example.org", "double-bounce@example.org", NULL, 0 },
	{ "recipient_delimiter = +", "owner-list+x@example.org", "owner-list@example.org", "x", 0 },
	{ "recipient_delimiter =", "alice+x@example.org", "alice+x@example.org", NULL, 0 },
	/* and Sendmail */
	{ "recipient_delimiter = -", "alice+x-y@example.org", "alice@example.org", "x-y", 1 },
	{ "recipient_delimiter = -", "alice-x@example.org", "alice-x@example.org", NULL, 1 },
	{ "", "+a+x@example.org", "+a@example.org", "x", 1 }, { "", "alice+/x@example.org", "alice@example.org", "/x", 1 },
	{ "", "+x@example.org", "+x@example.org", NULL, 1 },
	{ "recipient_delimiter = -", "owner-list+x@example.org", "owner-list@example.org", "x", 1 },
};

START_TEST(test_canonical)
{
	struct conf *conf = configure(addresses[_i].conf);
	const char *text = addresses[_i].address, *user = addresses[_i].user, *detail = addresses[_i].detail;
	struct arena a = { 0 };
	struct canonical c;
	int rc = canonical_address(conf, addresses[_i].sendmail, &a, str_from(text), &c);

	ck_assert_msg(rc == (user ? 0 : -1), "%s", text);
	if (!rc) {
		ck_assert_str_eq(canonical_user(&a, &c).s, user);
		ck_assert_msg(c.has_detail == !!detail, "%s", text);
		ck_assert_msg(str_eq(c.detail, str_from(detail ? detail : "")), "%s", text);
	}
	arena_done(&a);
	conf_unref(conf);
}
END_TEST

/* The bytes n times, then what follows. */
static int
long_address(size_t n, const char *tail, struct arena *a, struct canonical *ret)
{
	struct conf *conf = configure("");
	struct buf b = { 0 };
	int rc;

	while (n--)
		buf_putc(&b, 'a');
	buf_puts(&b, tail);
	rc = canonical_address(conf, false, a, buf_str(&b), ret);
	buf_done(&b);
	conf_unref(conf);
	return rc;
}

START_TEST(test_lengths)
{
	struct arena a = { 0 };
	struct canonical c;
	struct buf b = { 0 };
	size_t i;

	ck_assert_int_eq(long_address(64, "@example.org", &a, &c), 0);
	ck_assert_int_eq(long_address(65, "@example.org", &a, &c), -1);
	ck_assert_int_eq(long_address(64, "+detail@example.org", &a, &c), 0);
	ck_assert_int_eq(long_address(65, "+detail@example.org", &a, &c), -1);
	buf_puts(&b, "+");
	for (i = 0; i < CANONICAL_WHOLE - 2; i++)
		buf_putc(&b, 'd');
	buf_puts(&b, "@example.org");
	ck_assert_int_eq(long_address(1, buf_str(&b).s, &a, &c), 0);
	ck_assert_int_eq(long_address(2, buf_str(&b).s, &a, &c), -1);
	buf_reset(&b);
	for (i = 0; i < 4; i++)
		buf_puts(&b, ".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"); /* 62 each */
	b.s[0] = '@';
	buf_puts(&b, ".aaaaa");
	ck_assert_int_eq(long_address(1, buf_str(&b).s, &a, &c), 0);
	ck_assert_uint_eq(c.domain.len, 253);
	buf_putc(&b, 'a');
	ck_assert_int_eq(long_address(1, buf_str(&b).s, &a, &c), -1);
	buf_done(&b);
	arena_done(&a);
}
END_TEST

START_TEST(test_nul)
{
	struct conf *conf = configure("");
	struct arena a = { 0 };
	struct canonical c;

	ck_assert_int_eq(canonical_address(conf, false, &a, STR("al\0ice@example.org"), &c), -1);
	ck_assert_int_eq(canonical_address(conf, false, &a, STR("\"al\0ice\"@example.org"), &c), -1);
	ck_assert_int_eq(canonical_address(conf, false, &a, STR("alice@example.org\0.example"), &c), -1);
	ck_assert_int_eq(canonical_address(conf, false, &a, STR("alice@\xc3\xbc\0.example"), &c), -1);
	arena_done(&a);
	conf_unref(conf);
}
END_TEST

/* --- the map */

/* NULL if it is wrong; what is reported goes to *ret_said. */
static struct users *
map(const struct conf *conf, struct str text, char **ret_said)
{
	char path[] = "/tmp/tamis-users-XXXXXX";
	size_t size;
	FILE *out = open_memstream(ret_said, &size);
	struct users *u;
	struct diag d;

	write_file(path, text);
	diag_init(&d, out);
	u = users_load(conf, path, &d);
	ck_assert(!u == !!d.errors);
	diag_done(&d);
	fclose(out);
	unlink(path);
	return u;
}

static const char good[] =
	"# who is who\r\n"
	"al@example.org          alice@example.org       # a comment\r\n"
	"\n"
	"Team@Example.org        Alice@example.org, bob@example.net  carol@example.org\n"
	"all@example.org         team@example.org bob@example.org\n"
	"both@example.org        al@example.org alice@example.org\n"
	"bob+list@example.org    carol@example.org\n"
	"\"d d\"@example.org     dd@example.org\n"
	"dave@example.org        dave@example.org\n"
	"erin@example.org        erin@example.net\n"
	"frank@example.net       carol@example.org\n"
	"hugo@example.org        frank@example.com\n"
	"ida@example.org         Alice+Ida@example.com\n"
	"jack@example.org        bob+list@example.org bob+jack@example.org ida+x@example.org\n"
	"kim@example.org         kim+own@example.org\n"
	"@example.net            @example.org\n"
	"@example.com\t@example.net\n"
	"@[192.0.2.1] @example.org\n"
	"@[IPv6:2001:DB8::1] @example.org\n"
	"@b\xc3\xbc" "cher.example @example.org\n"
	"login:al                alice@example.org\n"
	"login:boss              team@example.org\n"
	"login:x@y               bob@example.com\n";

static const struct {
	const char *address, *users;
	bool listed;
} finds[] = {
	{ "al@example.org", "alice@example.org", true },
	{ "AL+x@example.org", "alice@example.org", true },
	{ "alice@example.org", "alice@example.org", true },
	{ "al@example.net", "alice@example.org", true },
	{ "al@example.com", "alice@example.org", true },
	{ "al@xn--bcher-kva.example", "alice@example.org", true },
	{ "team@example.org", "alice@example.org bob@example.org carol@example.org", true },
	{ "team+x@example.com", "alice@example.org bob@example.org carol@example.org", true },
	{ "all@example.org", "alice@example.org bob@example.org carol@example.org", true },
	{ "both@example.org", "alice@example.org", true },
	{ "bob@example.org", "bob@example.org", true },
	{ "bob+list@example.org", "carol@example.org", true },
	{ "bob+LIST@example.net", "carol@example.org", true },
	{ "bob+other@example.org", "bob@example.org", true },
	{ "\"d d\"@example.org", "dd@example.org", true },
	{ "dave@example.org", "dave@example.org", true },
	{ "erin@example.org", "erin@example.org", true },
	{ "erin@example.com", "erin@example.org", true },
	/* each domain on the way has addresses of its own */
	{ "frank@example.org", "frank@example.org", false },
	{ "frank@example.net", "carol@example.org", true },
	{ "frank@example.com", "carol@example.org", true },
	{ "frank+x@example.com", "carol@example.org", true },
	{ "hugo@example.com", "carol@example.org", true },
	/* a detail on the right makes nobody else of a user */
	{ "ida@example.org", "alice@example.org", true },
	{ "jack@example.org", "carol@example.org bob@example.org alice@example.org", true },
	{ "kim+x@example.net", "kim@example.org", true },
	{ "nobody@example.org", "nobody@example.org", false },
	{ "nobody@example.com", "nobody@example.org", true },
	{ "alice@example.edu", "alice@example.edu", false },
	{ "al@[192.0.2.1]", "alice@example.org", true },
	{ "Alice+x@[IPv6:2001:db8:0::1]", "alice@example.org", true },
	{ "alice@[192.0.2.2]", "alice@[192.0.2.2]", false },
};

START_TEST(test_find)
{
	struct conf *conf = configure("");
	char *said;
	struct users *u = map(conf, str_from(good), &said);
	struct users_found found;
	struct arena a = { 0 };
	struct buf b = { 0 };
	struct canonical c;
	size_t i;

	ck_assert_msg(u != NULL, "%s", said);
	ck_assert_int_eq(canonical_address(conf, false, &a, str_from(finds[_i].address), &c), 0);
	users_find(u, &a, &c, &found);
	for (i = 0; i < found.n; i++) {
		buf_puts(&b, i ? " " : "");
		buf_add(&b, found.user[i]);
	}
	ck_assert_str_eq(buf_str(&b).s, finds[_i].users);
	ck_assert_int_eq(found.listed, finds[_i].listed);
	users_find(NULL, &a, &c, &found);
	ck_assert_uint_eq(found.n, 1);
	ck_assert(!found.listed);
	buf_done(&b);
	arena_done(&a);
	users_free(u);
	free(said);
	conf_unref(conf);
}
END_TEST

static const struct {
	const char *login, *address;
	bool owns;
} owners[] = {
	{ "al", "alice@example.org", true }, { "al", "al@example.com", true }, { "al", "<Alice+x@Example.ORG>", true },
	{ "al", "bob@example.org", false }, { "al", "team@example.org", false }, { "AL", "alice@example.org", false },
	{ "boss", "bob@example.org", true }, { "boss", "carol@example.org", true }, { "boss", "team@example.org", false },
	{ "x@y", "bob@example.org", true }, { "x@y", "x@y", false },
	{ "alice@example.org", "al@example.org", true }, { "alice@example.net", "alice@example.org", true },
	{ "bob@example.org", "alice@example.org", false }, { "alice", "alice@example.org", false },
	{ "team@example.org", "alice@example.org", false }, { "", "alice@example.org", false }, { "al", "", false },
};

START_TEST(test_owns)
{
	struct conf *conf = configure("");
	char *said;
	struct users *u = map(conf, str_from(good), &said);

	ck_assert_msg(users_owns(conf, u, str_from(owners[_i].login), str_from(owners[_i].address)) == owners[_i].owns,
	              "%s %s", owners[_i].login, owners[_i].address);
	ck_assert(users_owns(conf, NULL, STR("alice@example.org"), STR("alice@example.org")));
	ck_assert(!users_owns(conf, NULL, STR("alice@example.org"), STR("al@example.org")));
	users_free(u);
	free(said);
	conf_unref(conf);
}
END_TEST

/* --- mistakes: the place and the text of the first, and how many there are */

static const struct {
	const char *map, *says;
	int errors;
} mistakes[] = {
	{ "alice\n", ":1:1: error: \"alice\" is no address", 1 },
	{ "al@example.org\n", ":1:1: error: whose it is is missing", 1 },
	{ "al@example.org # alice@example.org\n", ":1:1: error: whose it is is missing", 1 },
	{ "al@example.org alice@\n", ":1:16: error: \"alice@\" is no address", 1 },
	{ "al@example.org alice@example.org bob/x@example.org\n", ":1:34: error: \"bob/x@example.org\" is no address", 1 },
	{ "al@example.org @example.net\n", ":1:16: error: \"@example.net\" is no address", 1 },
	{ "@example.net alice@example.org\n", ":1:14: error: \"alice@example.org\" is no alias of a domain", 1 },
	{ "@ex/ample @example.org\n", ":1:1: error: \"@ex/ample\" is no domain", 1 },
	{ "@a @b @c\n", ":1:7: error: a domain is an alias of one other", 1 },
	{ "login: alice@example.org\n", ":1:1: error: the login is missing", 1 },
	{ "a@x b@x\n\nA@X c@x\n", ":3:1: error: \"A@X\" is there twice; first in line 1", 1 },
	{ "\xc3\xa4@x b@x\n  \xc3\xa4\xc3\xb6@ c@x\n", ":2:3: error: \"\xc3\xa4\xc3\xb6@\" is no address", 1 },
	{ "a@x \xff@x\n", ":1:5: error: is not UTF-8", 1 },
	{ "a@x b@x\nb@x a@x\n", ":2:5: error: \"a@x\" leads back to itself", 1 },
	{ "a@x b@x\nb@x c@x\nc@x d@x, a@x\n", ":3:10: error: \"a@x\" leads back to itself", 1 },
	{ "x@a x@b\n@b @a\n", NULL, 0 },
	{ "x@a y@b\n@b @a\ny@a x@b\n", ":3:5: error: \"x@b\" leads back to itself", 1 },
	{ "x@a y+z@a\ny@a x+z@a\n", ":2:5: error: \"x+z@a\" leads back to itself", 1 },
	{ "x+y@a x+y@a\n", NULL, 0 },
	{ "login:a b@x\nb@x c@x\nc@x b@x\n", ":3:5: error: \"b@x\" leads back to itself", 1 },
	{ "@a @b\n@b @a\n", ":1:1: error: aliases of \"a\" go in a circle", 2 },
	{ "@a @a\n", ":1:1: error: aliases of \"a\" go in a circle", 1 },
	{ "a@x a@x\n", NULL, 0 },
	{ "a@x a@x b@x\n", NULL, 0 },
};

START_TEST(test_mistakes)
{
	struct conf *conf = configure("");
	char *said, *p;
	struct users *u = map(conf, str_from(mistakes[_i].map), &said);
	int errors = 0;

	ck_assert_msg(!u == !!mistakes[_i].says, "%s%s", mistakes[_i].map, said);
	if (mistakes[_i].says)
		ck_assert_msg(strstr(said, mistakes[_i].says) != NULL, "%s%s", mistakes[_i].map, said);
	for (p = said; (p = strstr(p, ": error: ")); p++)
		errors++;
	ck_assert_int_eq(errors, mistakes[_i].errors);
	users_free(u);
	free(said);
	conf_unref(conf);
}
END_TEST

/* a1 -> a2 -> ... in this order or the other; how many steps are allowed does not depend on it */
static bool
chain(const struct conf *conf, int n, bool domains, bool backwards)
{
	struct buf b = { 0 };
	struct users *u;
	char *said;
	int i;

	for (i = 0; i < n; i++) {
		int at = backwards ? n - 1 - i : i;

		buf_printf(&b, domains ? "@a%d @a%d\n" : "a%d@x a%d@x\n", at, at + 1);
	}
	u = map(conf, buf_str(&b), &said);
	buf_done(&b);
	free(said);
	if (!u)
		return false;
	users_free(u);
	return true;
}

START_TEST(test_chains)
{
	struct conf *conf = configure("");
	int i;

	for (i = 0; i < 4; i++) {
		ck_assert(chain(conf, LIMIT_USERS_CHAIN, i & 1, i & 2));
		ck_assert(!chain(conf, LIMIT_USERS_CHAIN + 1, i & 1, i & 2));
		ck_assert(!chain(conf, 5000, i & 1, i & 2));
	}
	conf_unref(conf);
}
END_TEST

START_TEST(test_many_users)
{
	struct conf *conf = configure("");
	struct buf b = { 0 };
	struct users *u;
	char *said;
	int i;

	buf_puts(&b, "team@x");
	for (i = 0; i < LIMIT_USERS; i++)
		buf_printf(&b, " u%d@x", i);
	u = map(conf, buf_str(&b), &said);
	ck_assert_msg(u != NULL, "%s", said);
	users_free(u);
	free(said);
	buf_puts(&b, " one@x\n");
	ck_assert_ptr_null(map(conf, buf_str(&b), &said));
	ck_assert_ptr_nonnull(strstr(said, "more than 1000 users"));
	free(said);
	/* the same by way of others */
	buf_reset(&b);
	buf_puts(&b, "all@x a@x b@x\na@x");
	for (i = 0; i < LIMIT_USERS; i++)
		buf_printf(&b, " u%d@x", i);
	buf_puts(&b, "\nb@x c@x d@x\n");
	ck_assert_ptr_null(map(conf, buf_str(&b), &said));
	ck_assert_ptr_nonnull(strstr(said, "more than 1000 users"));
	free(said);
	buf_done(&b);
	conf_unref(conf);
}
END_TEST

START_TEST(test_large)
{
	enum { LINES = 100000 };
	struct conf *conf = configure("");
	struct timespec from, to;
	struct users_found found;
	struct arena a = { 0 };
	struct buf b = { 0 };
	struct canonical c;
	struct users *u;
	char *said;
	int i;

	for (i = 0; i < LINES; i++)
		buf_printf(&b, "address%d@example.org user%d@example.org\n", i, i / 2);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	u = map(conf, buf_str(&b), &said);
	ck_assert_msg(u != NULL, "%s", said);
	for (i = 0; i < LINES; i++) {
		buf_reset(&b);
		buf_printf(&b, "address%d@example.org", i);
		canonical_address(conf, false, &a, buf_str(&b), &c);
		users_find(u, &a, &c, &found);
		ck_assert_uint_eq(found.n, 1);
		arena_reset(&a);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	/* quadratic would be minutes; a slow machine with sanitizers needs two seconds */
	ck_assert_int_lt(to.tv_sec - from.tv_sec, 30);
	users_free(u);
	free(said);
	arena_done(&a);
	buf_done(&b);
	conf_unref(conf);
}
END_TEST

START_TEST(test_by_conf)
{
	char path[] = "/tmp/tamis-users-XXXXXX";
	struct buf b = { 0 };
	struct conf *c;

	write_file(path, STR("al@example.org alice@example.org\n"));
	buf_printf(&b, "users = %s\nlocal_domains = Example.org\n", path);
	c = configure(buf_str(&b).s);
	ck_assert_ptr_nonnull(conf_users(c));
	ck_assert(conf_local_domain(c, STR("example.org")));
	ck_assert(!conf_local_domain(c, STR("example.net")));
	conf_unref(c);
	unlink(path);
	buf_done(&b);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("host/users");
	TCase *t = tcase_create("users");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, test_canonical, 0, COUNT(addresses));
	tcase_add_test(t, test_lengths);
	tcase_add_test(t, test_nul);
	tcase_add_loop_test(t, test_find, 0, COUNT(finds));
	tcase_add_loop_test(t, test_owns, 0, COUNT(owners));
	tcase_add_loop_test(t, test_mistakes, 0, COUNT(mistakes));
	tcase_add_test(t, test_chains);
	tcase_add_test(t, test_many_users);
	tcase_add_test(t, test_large);
	tcase_add_test(t, test_by_conf);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
