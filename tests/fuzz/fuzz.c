/* fuzz.c - what the fuzz targets share: a host, a message, what a run decided
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

_Noreturn void
fuzz_broken(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

static bool
text_is(struct tamis_text t, const char *s)
{
	return t.len == strlen(s) && !memcmp(t.s, s, t.len);
}

static uint64_t
hash(uint64_t seed, struct tamis_text t)
{
	for (size_t i = 0; i < t.len; i++)
		seed = (seed ^ (unsigned char)t.s[i]) * 0x100000001b3u;
	return seed ^ seed >> 29;
}

static bool
host_allow(void *ctx, struct tamis_text extension)
{
	(void)ctx;
	return extension.len > 0;
}

/* scripts to include, one of which includes itself and one of which is wrong */
static int
host_load(void *ctx, struct tamis_text kind, struct tamis_text name, struct tamis_text *ret)
{
	static const struct {
		const char *name;
		struct tamis_text rules;
	} scripts[] = {
		{ "a", FUZZ_TEXT("require [\"fileinto\"]; if header :contains \"subject\" \"a\" { fileinto \"a\"; }") },
		{ "b", FUZZ_TEXT("require [\"include\", \"variables\"]; global \"v\"; set \"v\" \"b${v}\"; return;") },
		{ "loop", FUZZ_TEXT("require \"include\"; include \"loop\";") },
		{ "wrong", FUZZ_TEXT("if { keep") },
		{ "stop", FUZZ_TEXT("stop;") },
	};

	(void)ctx;
	if (!text_is(kind, "personal") && !text_is(kind, "global"))
		return hash(1, name) % 2 ? 0 : -1;
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
		if (text_is(name, scripts[i].name)) {
			*ret = scripts[i].rules;
			return 1;
		}
	return 0;
}

/* The same question has the same answer, whatever was asked before it. */
static enum tamis_answer
host_ask(void *ctx, struct tamis_recipient *recipient, struct tamis_text what, struct tamis_text key,
         struct tamis_text *ret)
{
	(void)ctx, (void)recipient;
	switch (hash(hash(7, what), key) % 4) {
	case 0:
		return TAMIS_NO;
	case 1:
		return TAMIS_UNAVAILABLE;
	default:
		*ret = key.len % 2 ? FUZZ_TEXT("5") : FUZZ_TEXT("yes");
		return TAMIS_YES;
	}
}

/* Everything that a host could read is read. */
static void
host_report(void *ctx, const struct tamis_diagnostic *d)
{
	struct fuzz_result *result = ctx;

	FUZZ_CHECK(d->text && *d->text);
	FUZZ_CHECK(!d->place.file.len || d->place.line);
	FUZZ_CHECK(!d->hint || *d->hint);
	if (result && strstr(d->text, "limit"))
		result->limited = true;
}

struct tamis_host
fuzz_host(struct fuzz_result *result)
{
	static const struct tamis_limits limits = {
		.work = 500000, .memory = 16u << 20, .script_size = 65536, .nesting = 20, .actions = 16, .redirects = 4,
		.includes = 16, .include_nesting = 4, .variable_value = 4096, .variables = 128,
	};

	return (struct tamis_host){
		.ctx = result,
		.limits = &limits,
		.allow = host_allow,
		.load = host_load,
		.ask = host_ask,
		.report = host_report,
	};
}

struct tamis_host
fuzz_host_for(struct tamis_text rules)
{
	struct tamis_host host = fuzz_host(NULL);

	if (!memmem(rules.s, rules.len, "testsuite", strlen("testsuite")))
		host.allow = NULL;
	return host;
}

size_t
fuzz_split(struct tamis_text raw)
{
	size_t start = 0;

	for (size_t i = 0; i < raw.len; i++)
		if (raw.s[i] == '\n') {
			if (i == start || (i == start + 1 && raw.s[start] == '\r'))
				return i + 1;
			start = i + 1;
		}
	return raw.len;
}

static void
result_add(struct fuzz_result *r, struct tamis_text t)
{
	size_t need = r->len + t.len + 1;

	if (need > r->cap) {
		r->cap = need * 2;
		r->text = realloc(r->text, r->cap);
		if (!r->text)
			abort();
	}
	memcpy(r->text + r->len, t.s, t.len);
	r->text[r->len + t.len] = '\n';
	r->len = need;
}

static int
result_write(void *ctx, struct tamis_text t)
{
	result_add(ctx, t);
	return 0;
}

static void
result_read(const struct tamis_outcome *outcome, struct fuzz_result *ret)
{
	const struct tamis_effect *e = NULL;
	char head[64];
	size_t n = 0;

	ret->degraded = tamis_outcome_degraded(outcome);
	ret->keeps = tamis_outcome_keeps(outcome);
	while ((e = tamis_outcome_next(outcome, e)) != NULL) {
		FUZZ_CHECK(e->kind < TAMIS_EFFECTS);
		FUZZ_CHECK(n++ < 1000);
		snprintf(head, sizeof head, "%d %d %u %u", (int)e->kind, e->implicit, e->version, e->place.line);
		result_add(ret, (struct tamis_text){ head, strlen(head) });
		for (size_t i = 0; i < e->noptions; i++) {
			result_add(ret, e->options[i].name);
			result_add(ret, e->options[i].value);
		}
	}
}

/* Memory that ends where the text ends, and begins where it begins: a look beyond either is seen. */
static struct tamis_text
text_alone(const char *s, size_t len)
{
	char *copy = malloc(len + !len);

	if (!copy)
		abort();
	memcpy(copy, s, len);
	return (struct tamis_text){ copy, len };
}

void
fuzz_run(const struct tamis_program *program, struct tamis_text raw, enum tamis_stage stage, struct fuzz_result *ret)
{
	static const uint8_t seed[32] = { 1, 2, 3 };
	size_t split = fuzz_split(raw);
	struct tamis_text header = text_alone(raw.s, split), body = text_alone(raw.s + split, raw.len - split);
	struct tamis_message *m = tamis_message_new();
	struct tamis_recipient *recipient;
	struct tamis_outcome *outcome;
	struct tamis_host host = fuzz_host(ret);

	*ret = (struct fuzz_result){ 0 };
	tamis_message_fact(m, FUZZ_TEXT("from"), FUZZ_TEXT("<sender@example.org>"));
	tamis_message_fact(m, FUZZ_TEXT("remote-ip"), FUZZ_TEXT("192.0.2.1"));
	recipient = tamis_recipient_new(m, FUZZ_TEXT("user+detail@example.org"), 1750000000000000, seed);
	if (stage >= TAMIS_HEADER)
		tamis_message_header(m, header);
	if (stage >= TAMIS_BODY)
		tamis_message_body(m, body, raw.len);
	outcome = tamis_outcome_new(recipient);
	ret->status = tamis_run(program, outcome, stage, &host);
	if (ret->status == TAMIS_DECIDED || ret->status == TAMIS_FAILED)
		result_read(outcome, ret);
	if (stage == TAMIS_BODY) {
		FUZZ_CHECK(ret->status == TAMIS_DECIDED || ret->status == TAMIS_FAILED);
		tamis_outcome_write(outcome, 0, result_write, ret);
		tamis_outcome_write(outcome, UINT32_MAX, result_write, ret);
	}
	tamis_outcome_free(outcome);
	tamis_recipient_free(recipient);
	tamis_message_free(m);
	free((void *)header.s);
	free((void *)body.s);
}

void
fuzz_result_done(struct fuzz_result *r)
{
	free(r->text);
	r->text = NULL;
}
