/* regex.c - regular expressions: the only file that sees PCRE2
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * PCRE2's match limit counts backtracking at one place where a match might
 * begin, not the places, nor the bytes that "[a-z]*" runs over for each count.
 * So a match is made in one of two ways.  Plain, if places * count * bytes is
 * small with a limit that is useful: the value is short, or the pattern cannot
 * reach far.  Metered, if that is not so or was not enough: interpreted, with a
 * callout before each item, which counts items and the bytes between them, and
 * ends the match. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/pattern.h"
#include "base/regex.h"
#include "base/utf8.h"

enum {
	PLAIN_STEPS = 1 << 28,          /* at worst, some tenths of a second */
	PLAIN_LEAST = 16,               /* a match limit that is of use */
	LINES_VALUE = 4096,             /* worth to look for its longest line */
	LONG_VALUE = 1024,              /* worth to look for the literal first */
	STEP_COST = 16,                 /* of an item, in bytes */
	STEPS_BYTE = 8,                 /* items for each byte of the value */
	UNIT = 64,                      /* bytes */
	NEWEST = 8,                     /* metered codes kept */
};

struct regex {
	pcre2_code *code;
	struct str text;
	uint32_t options;
	struct pattern pattern;
	size_t memory;          /* bytes that the code may still take */
	unsigned groups;
	bool fold, jit;
};

struct metered {
	const struct regex *regex;
	pcre2_code *code;
	size_t memory;
};

struct regex_scratch {
	pcre2_match_data *data;
	pcre2_match_context *context;
	struct metered metered[NEWEST];         /* made when they are needed */
	unsigned next;
};

struct meter {
	const struct regex *regex;
	uint64_t cost, most;            /* bytes */
	size_t at;                      /* in the value */
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

/* `left` must live as long as the code: it keeps its allocator for JIT. */
static pcre2_code *
compile(struct str text, uint32_t options, size_t *left, int *ret_error,
        size_t *ret_offset)
{
	pcre2_general_context *memory =
		pcre2_general_context_create(memory_take, memory_give, left);
	pcre2_compile_context *context = memory ? pcre2_compile_context_create(memory) : NULL;
	pcre2_code *code = NULL;
	int error = PCRE2_ERROR_HEAP_FAILED;
	PCRE2_SIZE offset = 0;

	if (context) {
		pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
		pcre2_set_max_pattern_length(context, LIMIT_PATTERN);
		pcre2_set_parens_nest_limit(context, LIMIT_REGEX_NESTING);
		code = pcre2_compile((PCRE2_SPTR)text.s, text.len, options, &error, &offset,
		                     context);
	}
	pcre2_compile_context_free(context);
	pcre2_general_context_free(memory);
	if (!code) {
		*ret_error = error;
		*ret_offset = offset < text.len ? offset : text.len;
	}
	return code;
}

/* What is said of many small ones counts: 20 bytes of rules may become some hundred thousand. */
static size_t
code_size(const pcre2_code *code)
{
	size_t size = 0, machine = 0;

	pcre2_pattern_info(code, PCRE2_INFO_SIZE, &size);
	pcre2_pattern_info(code, PCRE2_INFO_JITSIZE, &machine);
	return size + machine;
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
	if (a->held >= LIMIT_REGEXES_SIZE) {
		*ret_error = STR("regular expressions are too large together");
		*ret_offset = 0;
		return NULL;
	}
	re->fold = flags & REGEX_FOLD;
	if (re->fold)
		options |= PCRE2_CASELESS;
	if (!pattern_scan(a, pattern, re->fold, &re->pattern, ret_error, ret_offset))
		return NULL;
	re->text = arena_str(a, pattern);
	re->options = options;
	re->memory = LIMIT_REGEX_SIZE;
	re->code = compile(re->text, options, &re->memory, &error, ret_offset);
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
	a->held += code_size(re->code);
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
	return re->pattern.literal;
}

bool
regex_excludes(const struct regex *re, struct str v)
{
	const struct pattern *p = &re->pattern;

	for (unsigned i = 0; i < p->nparts; i++) {
		ptrdiff_t hit = str_find(v, p->part[i]);

		if (hit < 0)
			return true;
		v = str_sub(v, (size_t)hit + p->part[i].len, v.len);
	}
	return false;
}

static void
scratch_free(void *p)
{
	struct regex_scratch *scratch = p;

	for (int i = 0; i < NEWEST; i++)
		pcre2_code_free(scratch->metered[i].code);
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
match_plain(const struct regex *re, struct regex_scratch *scratch, struct str v)
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

/* A reference to a group compares as many bytes as that has. */
static size_t
reference_cost(struct str text, const pcre2_callout_block *b)
{
	struct str item = str_sub(text, b->pattern_position, text.len);
	size_t most = 0;

	if (!(item.len > 1 && item.s[0] == '\\'
	      && (char_is_digit(item.s[1]) || item.s[1] == 'g' || item.s[1] == 'k'))
	    && !str_starts(item, STR("(?P=")))
		return 0;
	for (uint32_t i = 1; i < b->capture_top; i++) {
		PCRE2_SIZE from = b->offset_vector[2 * i], to = b->offset_vector[2 * i + 1];

		if (from != PCRE2_UNSET && to > from && to - from > most)
			most = to - from;
	}
	return most;
}

static int
meter_step(pcre2_callout_block *b, void *ctx)
{
	struct meter *m = ctx;
	size_t at = b->current_position, moved = at > m->at ? at - m->at : m->at - at;

	m->at = at;
	m->cost += STEP_COST + moved * m->regex->pattern.weight
	           + reference_cost(m->regex->text, b);
	return m->cost > m->most ? PCRE2_ERROR_CALLOUT : 0;
}

static pcre2_code *
metered_code(const struct regex *re, struct regex_scratch *scratch)
{
	struct metered *m;
	size_t offset;
	int error;

	for (int i = 0; i < NEWEST; i++)
		if (scratch->metered[i].regex == re)
			return scratch->metered[i].code;
	m = &scratch->metered[scratch->next++ % NEWEST];
	pcre2_code_free(m->code);
	m->memory = LIMIT_REGEX_SIZE;
	m->code = compile(re->text, re->options | PCRE2_AUTO_CALLOUT, &m->memory, &error,
	                  &offset);
	m->regex = re;
	return m->code;
}

/* Room for some items at each byte of the value, and for match_limit more. */
static int
match_metered(const struct regex *re, struct regex_scratch *scratch, struct str v,
              uint32_t match_limit, uint64_t *work)
{
	struct meter m = {
		.regex = re,
		.most = STEP_COST * ((uint64_t)match_limit + STEPS_BYTE * (uint64_t)v.len),
	};
	pcre2_code *code = metered_code(re, scratch);
	int rc;

	/* with callouts it is too large: a limit, too */
	if (!code)
		return PCRE2_ERROR_MATCHLIMIT;
	pcre2_set_match_limit(scratch->context, match_limit);
	pcre2_set_callout(scratch->context, meter_step, &m);
	rc = pcre2_match(code, (PCRE2_SPTR)v.s, v.len, 0, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT,
	                 scratch->data, scratch->context);
	pcre2_set_callout(scratch->context, NULL, NULL);
	*work += m.cost / UNIT;
	return rc;
}

/* Is the literal surely not in v? */
static bool
literal_misses(const struct regex *re, struct str v)
{
	struct str literal = re->pattern.literal;
	char block[4096];

	if (!literal.len)
		return false;
	if (!re->fold)
		return str_find(v, literal) < 0;
	if (literal.len > sizeof block / 2)
		return false;
	/* blocks overlap by what might be cut in two */
	for (size_t from = 0, to; ; from = to - literal.len + 1) {
		to = v.len - from > sizeof block ? from + sizeof block : v.len;
		str_lower_into(block, str_sub(v, from, to));
		if (str_find((struct str){ block, to - from }, literal) >= 0)
			return false;
		if (to == v.len)
			return true;
	}
}

static size_t
longest_line(struct str v)
{
	size_t longest = 0;

	for (size_t from = 0, to; from < v.len; from = to + 1) {
		const char *end = memchr(v.s + from, '\n', v.len - from);

		to = end ? (size_t)(end - v.s) : v.len;
		if (to - from > longest)
			longest = to - from;
	}
	return longest;
}

/* The match limit with which even the worst plain match soon ends. */
static uint32_t
plain_limit(const struct regex *re, struct str v, uint32_t match_limit)
{
	size_t reach = re->pattern.reach < v.len ? re->pattern.reach : v.len;
	uint64_t limit;

	if (re->pattern.one_line && reach == v.len && v.len >= LINES_VALUE)
		reach = longest_line(v);
	limit = PLAIN_STEPS / re->pattern.weight / ((uint64_t)v.len + 1) / (reach + 1);
	return limit < match_limit ? (uint32_t)limit : match_limit;
}

static int
match(const struct regex *re, struct regex_scratch *scratch, struct str v,
      uint32_t match_limit, uint64_t *work)
{
	uint32_t limit;
	int rc;

	*work += v.len / UNIT + 1;
	if (v.len >= LONG_VALUE) {
		*work += v.len / UNIT;
		if (literal_misses(re, v))
			return PCRE2_ERROR_NOMATCH;
	}
	limit = plain_limit(re, v, match_limit);
	if (limit >= PLAIN_LEAST || limit == match_limit) {
		pcre2_set_match_limit(scratch->context, limit);
		rc = match_plain(re, scratch, v);
		if (rc != PCRE2_ERROR_MATCHLIMIT)
			return rc;
		*work += limit;
	}
	return match_metered(re, scratch, v, match_limit, work);
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

	v = utf8_repair(a, v);
	rc = match(re, scratch, v, match_limit, work);
	if (rc == PCRE2_ERROR_NOMATCH)
		return REGEX_NO;
	if (rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_HEAPLIMIT
	    || rc == PCRE2_ERROR_CALLOUT)
		return REGEX_LIMIT;
	if (rc < 0)
		return REGEX_ERROR;
	if (ret)
		n = captures(re, scratch, v, ret, n);
	if (ret && ret_n)
		*ret_n = n;
	return REGEX_YES;
}
