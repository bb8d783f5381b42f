/* testfile_host.c - the host that a test case describes
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "host/text.h"
#include "tamis/testfile_host.h"

static const struct {
	const char *name;
	int answer;
} testfile_verbs[] = {
	{ "unavailable", TAMIS_UNAVAILABLE }, { "later", TAMIS_LATER }, { "no", TAMIS_NO }, { "missing", TAMIS_NO },
	{ "yes", TAMIS_YES },
};
enum { VERBS = sizeof(testfile_verbs) / sizeof(*testfile_verbs) };

void
testfile_host_done(struct testfile_host *h)
{
	vec_done(&h->reply);
	vec_done(&h->script);
}

/* Takes the next word of *v. */
static struct str
testfile_host_word(struct str *v)
{
	struct str word;
	size_t n = 0;

	*v = str_trim(*v);
	while (n < v->len && v->s[n] != ' ' && v->s[n] != '\t')
		n++;
	word = str_sub(*v, 0, n);
	*v = str_trim(str_sub(*v, n, v->len));
	return word;
}

/* "name key: rest", at the first colon with a blank behind it, or at the end. */
static bool
testfile_host_split(struct str line, struct str *ret_name, struct str *ret_key, struct str *ret_rest)
{
	size_t i;

	line = str_trim(line);
	for (i = 0; i < line.len; i++)
		if (line.s[i] == ':' && (i + 1 == line.len || line.s[i + 1] == ' '))
			break;
	if (i == line.len)
		return false;
	*ret_rest = str_trim(str_sub(line, i + 1, line.len));
	*ret_key = str_sub(line, 0, i);
	*ret_name = testfile_host_word(ret_key);
	return ret_name->len > 0;
}

const char *
testfile_host_reply(struct testfile_host *h, struct str line)
{
	struct testfile_reply r = { .load = false };
	struct str rest, verb;
	size_t i;

	if (!testfile_host_split(line, &r.what, &r.key, &rest))
		return "is not \"NAME KEY: unavailable|later|no|yes [VALUE]\"";
	if (str_is(r.what, "load")) {
		r.load = true;
		r.what = testfile_host_word(&r.key);
	}
	if (!r.key.len)
		r.key = STR("*");
	verb = testfile_host_word(&rest);
	for (i = 0; i < VERBS && !str_is(verb, testfile_verbs[i].name); i++)
		;
	if (i == VERBS)
		return "answers neither unavailable, later, no, missing nor yes";
	r.verb = testfile_verbs[i].answer;
	r.value = rest;
	vec_push(&h->reply, r);
	return NULL;
}

const char *
testfile_host_state(struct testfile_host *h, struct str line)
{
	struct str name, key, value;

	if (!testfile_host_split(line, &name, &key, &value))
		return "is not \"NAME KEY: VALUE\"";
	memory_put(h->answer->memory, name, key, value, INT64_MAX);
	return NULL;
}

/* The newest line wins. */
static const struct testfile_reply *
testfile_host_find(const struct testfile_host *h, bool load, struct str what, struct str key)
{
	size_t i;

	for (i = h->reply.n; i-- > 0;) {
		const struct testfile_reply *r = &h->reply.v[i];

		if (r->load == load && (str_is(r->what, "*") || str_eq(r->what, what)) &&
		    (str_is(r->key, "*") || str_eq(r->key, key)))
			return r;
	}
	return NULL;
}

static bool
testfile_host_fails(struct testfile_host *h)
{
	return ++h->asked == h->fail;
}

enum tamis_answer
testfile_host_ask(struct testfile_host *h, struct tamis_recipient *recipient, struct tamis_text what,
                  struct tamis_text key, struct tamis_text *ret)
{
	const struct testfile_reply *r = testfile_host_find(h, false, text_str(what), text_str(key));

	if (testfile_host_fails(h))
		return TAMIS_UNAVAILABLE;
	if (!r)
		return answer_ask(h->answer, recipient, what, key, ret);
	*ret = text_of(r->value);
	return (enum tamis_answer)r->verb;
}

int
testfile_host_load(struct testfile_host *h, struct tamis_text kind, struct tamis_text name, struct tamis_text *ret)
{
	const struct testfile_reply *r = testfile_host_find(h, true, text_str(kind), text_str(name));
	size_t i;

	if (h->running && testfile_host_fails(h))
		return -1;
	if (r && r->verb <= TAMIS_NO)
		return r->verb < 0 ? -1 : 0;
	for (i = 0; i < h->script.n; i++) {
		const struct testfile_script *s = &h->script.v[i];

		if (str_eq(s->kind, text_str(kind)) && str_eq(s->name, text_str(name))) {
			diag_source(h->answer->rules->diag, str_from(s->path), s->path, s->text);
			*ret = text_of(s->text);
			return 1;
		}
	}
	return rules_load(h->answer->rules, kind, name, ret);
}
