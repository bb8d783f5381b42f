/* test_stages.c - what is decided early is what would be decided late
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Generated scripts, run at ENVELOPE and at HEADER; whenever a run is decided
 * there, its plan must be the plan at BODY for each of many messages made for
 * these scripts: their fields hold what the tests look for, in all combinations. */
#include "vm/run.h"
#include "probe.h"

static const char digits[] = "0123456789abcdef";

static const char *
one_of(const char *const *list, unsigned n)
{
	return list[random_below(n)];
}

/* a key for a value of one to three digits: sometimes a pattern, sometimes a variable */
static void
key(struct buf *out, bool pattern)
{
	static const char *const wild[] = { "*", "?*", "*?", "?", "*1*", "0*", "*a*b*", "??" };
	static const char *const variable[] = { "${1}", "${v}", "${w}", "${global.g}", "${2}" };

	if (pattern && random_below(3))
		buf_printf(out, "\"%s\"", one_of(wild, COUNT(wild)));
	else if (!random_below(4))
		buf_printf(out, "\"%s\"", one_of(variable, COUNT(variable)));
	else
		buf_printf(out, "\"%c%c\"", digits[random_below(4)], digits[random_below(4)]);
}

static void
test_leaf(struct buf *out)
{
	static const char *const source[] = {
		"header %s [\"x-a\"] ", "header %s [\"x-b\", \"subject\"] ", "address %s :localpart \"from\" ",
		"envelope %s :localpart \"from\" ", "envelope %s :detail \"to\" ", "string %s \"${v}\" ", "string %s \"${1}\" ",
		"string %s \"${w}${global.g}\" ", "envelope %s :localpart \"from\" ", "hasflag %s ", "hasflag %s [\"f\", \"v\"] ",
	};
	static const char *const type[] = { ":is", ":matches", ":contains", ":matches", ":regex" };
	const char *match = one_of(type, COUNT(type));

	switch (random_below(12)) {
	case 0:
		buf_printf(out, "size :over %u", 60 + random_below(40));
		return;
	case 1:
		buf_printf(out, "exists \"x-%c\"", "abc"[random_below(3)]);
		return;
	case 2:
		buf_puts(out, "body :contains ");
		key(out, false);
		return;
	default:
		break;
	}
	buf_printf(out, one_of(source, COUNT(source)), match);
	if (!strcmp(match, ":regex")) {
		buf_puts(out, random_below(2) ? "\"([0-3])(.*)\"" : "\"^(.)\"");
		return;
	}
	buf_putc(out, '[');
	key(out, !strcmp(match, ":matches"));
	buf_puts(out, ", ");
	key(out, !strcmp(match, ":matches"));
	buf_putc(out, ']');
}

static void
condition(struct buf *out, int depth)
{
	unsigned kind = random_below(depth > 3 ? 3 : 7);

	if (kind < 3) {
		test_leaf(out);
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

static void
action(struct buf *out)
{
	static const char *const text[] = {
		"fileinto \"f${v}${1}\";", "fileinto :copy \"c${global.g}\";", "set \"v\" \"${1}\";", "set :upper \"w\" \"${v}${2}\";",
		"set \"global.g\" \"${w}\";", "set \"v\" \"5\";", "keep;", "stop;", "discard;", "redirect \"r${1}@example.org\";",
		"redirect :copy \"a@example.org\";", "ereject \"no ${v}\";", "reject \"never\";", "include \"inner\";",
		"include :once \"inner\";", "ereject \"gone\"; stop;", "set :length \"w\" \"${1}\";", "return;",
		"addflag \"1${1}\";", "setflag \"${v} ${w}\";", "setflag \"2\";", "removeflag \"1 ${v}\";",
		"addflag \"f\" \"${1} 3\";", "setflag \"f\" \"0 1\";", "removeflag \"f\" [\"${w}\", \"1\"];", "keep :flags \"${f}\";",
		"addheader \"X-A\" \"${1}\";", "addheader :last \"Subject\" \"0${v}\";", "addheader \"X-C\" \"${global.g}1\";",
		"deleteheader \"X-A\";", "deleteheader :index 1 :matches \"X-B\" \"*${1}\";", "deleteheader :contains \"Subject\" \"1\";",
		"deleteheader :index 1 :last \"X-A\";",
		"fileinto :flags \"a${1}\" \"fl\";", "vacation :addresses \"b@example.org\" :subject \"${1}\" \"away ${v}\"; stop;",
	};

	buf_puts(out, one_of(text, COUNT(text)));
}

static void
block(struct buf *out, int depth, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (random_below(depth > 3 ? 4 : 7) < 3) {
			action(out);
			continue;
		}
		buf_puts(out, "if ");
		condition(out, 0);
		buf_puts(out, " {\n");
		block(out, depth + 1, 1 + random_below(2));
		buf_puts(out, "}\n");
		if (random_below(2)) {
			buf_puts(out, "elsif ");
			condition(out, 0);
			buf_puts(out, " {\n");
			block(out, depth + 1, 1);
			buf_puts(out, "}\n");
		}
		if (random_below(2)) {
			buf_puts(out, "else {\n");
			block(out, depth + 1, 1);
			buf_puts(out, "}\n");
		}
	}
}

#define REQUIRE "require [\"variables\", \"include\", \"fileinto\", \"copy\", \"envelope\", \"subaddress\", \"reject\", " \
	"\"ereject\", \"regex\", \"body\", \"imap4flags\", \"vacation\", \"editheader\"];\n"

static struct buf inner;

static int
load(void *ctx, struct tamis_text kind, struct tamis_text name, struct tamis_text *ret)
{
	(void)ctx;
	(void)kind;
	(void)name;
	*ret = (struct tamis_text){ inner.s, inner.len };
	return 1;
}

static enum tamis_answer
ask(void *ctx, struct tamis_recipient *r, struct tamis_text what, struct tamis_text key, struct tamis_text *ret)
{
	(void)ctx;
	(void)r;
	(void)what;
	(void)key;
	(void)ret;
	return TAMIS_NO;
}

static const struct tamis_host host = { .load = load, .ask = ask, .report = probe_report };

static int
append(void *ctx, struct tamis_text v)
{
	buf_add(ctx, str_of(v));
	return 0;
}

/* The plan as text, with the header as edited; empty for undecided. */
static void
plan(const struct program *p, struct message *m, const char *to, enum tamis_stage stage, struct buf *out)
{
	struct recipient *r = recipient_new(m, str_from(to), 0, NULL);
	struct outcome *o = outcome_new(r);
	enum tamis_status status = run_program(p, o, stage, &host);

	buf_reset(out);
	if (status == TAMIS_DECIDED || status == TAMIS_FAILED) {
		buf_puts(out, status == TAMIS_FAILED ? "failed:" : "decided:");
		for (const struct effect *e = o->first; e; e = e->next) {
			buf_printf(out, " %.*s %u", (int)e->public.name.len, e->public.name.s, e->public.version);
			for (size_t i = 0; i < e->public.noptions; i++)
				buf_printf(out, "[%.*s]", (int)e->public.options[i].value.len, e->public.options[i].value.s);
			buf_putc(out, ';');
		}
		if (o->edits) {
			outcome_write(o, o->version, append, out);
			out->len -= m->body.len;
		}
	}
	outcome_free(o);
	recipient_free(r);
}

static void
value(struct buf *out)
{
	for (unsigned i = random_below(4); i > 0; i--)
		buf_putc(out, digits[random_below(random_below(3) ? 4 : 16)]);
}

struct mail {
	char from[64], to[64];
	struct buf header, body;
};

static void
mail_envelope(struct mail *mail)
{
	struct buf local = { 0 }, detail = { 0 };

	buf_putc(&local, digits[random_below(4)]);
	value(&local);
	value(&detail);
	snprintf(mail->from, sizeof mail->from, "%.*s@example.org", STR_ARG(buf_str(&local)));
	snprintf(mail->to, sizeof mail->to, "me+%.*s@example.org", STR_ARG(buf_str(&detail)));
	buf_done(&local);
	buf_done(&detail);
}

static void
mail_content(struct mail *mail)
{
	static const char *const name[] = { "X-A", "X-B", "X-C", "Subject", "X-A" };

	buf_reset(&mail->header);
	for (unsigned i = 0; i < COUNT(name); i++) {
		if (!random_below(3))
			continue;
		buf_printf(&mail->header, "%s: ", name[i]);
		value(&mail->header);
		buf_puts(&mail->header, "\n");
	}
	buf_printf(&mail->header, "To: %c@example.org\nFrom: %c%c@example.org\n\n", "bc"[random_below(2)], digits[random_below(4)], digits[random_below(4)]);
	buf_reset(&mail->body);
	value(&mail->body);
	buf_puts(&mail->body, "\n");
}

static void
message_give(struct message *m, const struct mail *mail, enum tamis_stage stage)
{
	message_reset(m);
	message_set_fact(m, STR("from"), str_from(mail->from));
	if (stage >= TAMIS_HEADER)
		message_set_header(m, buf_str(&mail->header));
	if (stage >= TAMIS_BODY)
		message_set_body(m, buf_str(&mail->body), mail->header.len + mail->body.len);
}

struct counts {
	long runs, early, refused;
};

/* One script, one envelope: early plans, and then many messages. */
static void
one_envelope(const struct program *p, struct message *m, const char *text, struct counts *counts)
{
	struct buf early = { 0 }, header = { 0 }, late = { 0 };
	struct mail mail = { 0 };

	mail_envelope(&mail);
	message_give(m, &mail, TAMIS_ENVELOPE);
	plan(p, m, mail.to, TAMIS_ENVELOPE, &early);
	counts->refused += early.len && strstr(buf_str(&early).s, "ereject") != NULL;
	for (int i = 0; i < 6; i++) {
		mail_content(&mail);
		message_give(m, &mail, TAMIS_HEADER);
		plan(p, m, mail.to, TAMIS_HEADER, &header);
		message_give(m, &mail, TAMIS_BODY);
		plan(p, m, mail.to, TAMIS_BODY, &late);
		counts->runs += 2;
		counts->early += (early.len > 0) + (header.len > 0);
		ck_assert_msg(late.len, "undecided at the last stage:\n%s", text);
		ck_assert_msg(!early.len || str_eq(buf_str(&early), buf_str(&late)), "envelope %.*s\nbody %.*s\nfrom %s to %s\n%.*s\n%s\ninner: %.*s",
		              STR_ARG(buf_str(&early)), STR_ARG(buf_str(&late)), mail.from, mail.to, STR_ARG(buf_str(&mail.header)), text,
		              STR_ARG(buf_str(&inner)));
		ck_assert_msg(!header.len || str_eq(buf_str(&header), buf_str(&late)), "header %.*s\nbody %.*s\nfrom %s to %s\n%.*s\n%s\ninner: %.*s",
		              STR_ARG(buf_str(&header)), STR_ARG(buf_str(&late)), mail.from, mail.to, STR_ARG(buf_str(&mail.header)), text,
		              STR_ARG(buf_str(&inner)));
	}
	buf_done(&early);
	buf_done(&header);
	buf_done(&late);
	buf_done(&mail.header);
	buf_done(&mail.body);
}

START_TEST(early_equals_late)
{
	long n = campaign(20000);
	struct counts counts = { 0 };
	struct buf text = { 0 };
	struct message m;

	message_init(&m);
	for (long i = 0; i < n; i++) {
		struct program *p;

		buf_reset(&inner);
		buf_puts(&inner, REQUIRE);
		/* the inner script must not include itself */
		buf_puts(&inner, "if ");
		condition(&inner, 1);
		buf_puts(&inner, " { set \"global.g\" \"${1}\"; } else { fileinto :copy \"i${global.g}\"; }");
		buf_reset(&text);
		buf_puts(&text, REQUIRE);
		block(&text, 0, 2 + random_below(4));
		p = program_compile(&host, STR("rules"), buf_str(&text), i & 1 ? TAMIS_RESIDENT : 0);
		ck_assert_msg(p != NULL, "does not compile:\n%.*s", STR_ARG(buf_str(&text)));
		buf_putc(&text, '\0');
		for (int j = 0; j < 3; j++)
			one_envelope(p, &m, text.s, &counts);
		program_unref(p);
	}
	printf("# %ld scripts, %ld early runs: %ld decided (%ld times with a refusal at the envelope), all as at the last stage\n", n,
	       counts.runs, counts.early, counts.refused);
	ck_assert(counts.early * 20 > counts.runs && counts.refused > n / 100);
	message_done(&m);
	buf_done(&text);
	buf_done(&inner);
}
END_TEST

static void
tests(TCase *t)
{
	tcase_add_test(t, early_equals_late);
}

int
main(void)
{
	return run_suite("stages", tests);
}
