/* regex.c - regular expressions: the only file that sees PCRE2
 * SPDX-License-Identifier: BSD-2-Clause */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/pattern.h"
#include "base/regex.h"
#include "base/utf8.h"

struct regex {
	pcre2_code *code;
	size_t memory;          /* bytes that it may still take */
	struct str literal;
	unsigned groups;
	bool fold, jit;
};

struct regex_scratch {
	pcre2_match_data *data;
	pcre2_match_context *context;
};

/* What nested counts like "(a{1,1000}){1,1000}" unfold to is bounded here. */
static void *
memory_take(size_t size, void *ctx)
{
	size_t *left = ctx;

	if (size > *left)
		return NULL;
	*left -= size;
	return malloc(size);
}

static void
memory_give(void *p, void *ctx)
{
	(void)ctx;
	free(p);
}

static void
code_free(void *code)
{
	pcre2_code_free(code);
}

static struct str
error_text(struct arena *a, int error)
{
	char text[256];

	if (error == PCRE2_ERROR_HEAP_FAILED || error == PCRE2_ERROR_PATTERN_TOO_LARGE)
		return STR("regular expression is too large");
	if (pcre2_get_error_message(error, (PCRE2_UCHAR *)text, sizeof text) < 0)
		return STR("not a regular expression");
	return arena_str(a, str_from(text));
}

static pcre2_code *
compile(struct regex *re, struct str pattern, uint32_t options, int *ret_error,
        size_t *ret_offset)
{
	pcre2_general_context *memory =
		pcre2_general_context_create(memory_take, memory_give, &re->memory);
	pcre2_compile_context *context = memory ? pcre2_compile_context_create(memory) : NULL;
	pcre2_code *code = NULL;
	int error = PCRE2_ERROR_HEAP_FAILED;
	PCRE2_SIZE offset = 0;

	if (context) {
		pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
		pcre2_set_max_pattern_length(context, LIMIT_PATTERN);
		pcre2_set_parens_nest_limit(context, LIMIT_REGEX_NESTING);
		code = pcre2_compile((PCRE2_SPTR)pattern.s, pattern.len, options, &error,
		                     &offset, context);
	}
	pcre2_compile_context_free(context);
	pcre2_general_context_free(memory);
	if (!code) {
		*ret_error = error;
		*ret_offset = offset < pattern.len ? offset : pattern.len;
	}
	return code;
}

struct regex *
regex_new(struct arena *a, struct str pattern, unsigned flags, struct str *ret_error,
          size_t *ret_offset)
{
	struct regex *re = ARENA_NEW(a, struct regex);
	uint32_t options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, groups;
	int error;

	if (pattern.len > LIMIT_PATTERN) {
		*ret_error = STR("regular expression is too large");
		*ret_offset = LIMIT_PATTERN;
		return NULL;
	}
	re->fold = flags & REGEX_FOLD;
	re->memory = LIMIT_REGEX_SIZE;
	if (re->fold)
		options |= PCRE2_CASELESS;
	if (!pattern_scan(a, pattern, re->fold, &re->literal, ret_error, ret_offset))
		return NULL;
	re->code = compile(re, pattern, options, &error, ret_offset);
	if (!re->code) {
		*ret_error = error_text(a, error);
		return NULL;
	}
	arena_on_reset(a, code_free, re->code);
	pcre2_pattern_info(re->code, PCRE2_INFO_CAPTURECOUNT, &groups);
	re->groups = groups;
	/* without it, or if it fails, PCRE2 interprets */
	re->jit = (flags & REGEX_JIT)
	          && !pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE);
	return re;
}

unsigned
regex_groups(const struct regex *re)
{
	return re->groups;
}

struct str
regex_literal(const struct regex *re)
{
	return re->literal;
}

static void
scratch_free(void *p)
{
	struct regex_scratch *scratch = p;

	pcre2_match_data_free(scratch->data);
	pcre2_match_context_free(scratch->context);
}

struct regex_scratch *
regex_scratch_new(struct arena *a)
{
	struct regex_scratch *scratch = ARENA_NEW(a, struct regex_scratch);

	scratch->data = pcre2_match_data_create(LIMIT_MATCH_VARIABLES, NULL);
	scratch->context = pcre2_match_context_create(NULL);
	if (!scratch->data || !scratch->context)
		abort();
	pcre2_set_heap_limit(scratch->context, LIMIT_REGEX_DEPTH);
	arena_on_reset(a, scratch_free, scratch);
	return scratch;
}

/* JIT code runs on 32 KB of the machine's stack; what needs more is
 * interpreted, on the heap. */
static int
match(const struct regex *re, struct regex_scratch *scratch, struct str v)
{
	const uint32_t options = PCRE2_NO_UTF_CHECK;
	PCRE2_SPTR s = (PCRE2_SPTR)v.s;
	int rc = PCRE2_ERROR_JIT_STACKLIMIT;

	if (re->jit)
		rc = pcre2_jit_match(re->code, s, v.len, 0, options, scratch->data,
		                     scratch->context);
	if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
		rc = pcre2_match(re->code, s, v.len, 0, options | PCRE2_NO_JIT,
		                 scratch->data, scratch->context);
	return rc;
}

static size_t
captures(const struct regex *re, const struct regex_scratch *scratch, struct str v,
         struct str *ret, size_t n)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(scratch->data);

	if (n > LIMIT_MATCH_VARIABLES)
		n = LIMIT_MATCH_VARIABLES;
	if (n > re->groups + 1)
		n = re->groups + 1;
	for (size_t i = 0; i < n; i++) {
		if (at[2 * i] == PCRE2_UNSET || at[2 * i] > at[2 * i + 1])
			ret[i] = STR_EMPTY;
		else
			ret[i] = str_sub(v, at[2 * i], at[2 * i + 1]);
	}
	return n;
}

int
regex_match(const struct regex *re, struct regex_scratch *scratch, struct arena *a,
            struct str v, struct str *ret, size_t n, size_t *ret_n,
            uint32_t match_limit, uint64_t *work)
{
	int rc;

	*work += v.len / 64 + 1;
	v = utf8_repair(a, v);
	pcre2_set_match_limit(scratch->context, match_limit);
	rc = match(re, scratch, v);
	if (rc == PCRE2_ERROR_NOMATCH)
		return REGEX_NO;
	if (rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_HEAPLIMIT
	    || rc == PCRE2_ERROR_DEPTHLIMIT) {
		*work += match_limit;
		return REGEX_LIMIT;
	}
	if (rc < 0)
		return REGEX_ERROR;
	if (ret)
		n = captures(re, scratch, v, ret, n);
	if (ret && ret_n)
		*ret_n = n;
	return REGEX_YES;
}
