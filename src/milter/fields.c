/* fields.c - how one header becomes another
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Rules add fields above or below all others and delete any.  The server is
 * told the difference between the header that came and the one that is to
 * be, not the single edits: its numbers of fields shift while it edits, and
 * not in every server alike.  So deletions come first, the last field of a
 * name before the one above it; then what is added. */
#include "milter/fields.h"

#include <stdlib.h>

#include "base/fold.h"
#include "base/keyset.h"

/* New fields at the top that are looked for; with more the header is right as well, but more of it is told anew. */
enum { FIELDS_TOPS = 256 };

struct fields {
	struct str *v;
	size_t n, cap;
};

static void
fields_split(struct fields *f, struct str header)
{
	const char *p = header.s, *end = header.s + header.len, *stop;

	for (; p < end; p = stop) {
		stop = memchr(p, '\n', (size_t)(end - p));
		stop = stop ? stop + 1 : end;
		if ((*p == ' ' || *p == '\t') && f->n)
			f->v[f->n - 1].len += (size_t)(stop - p);
		else if (*p != '\r' && *p != '\n')
			vec_push(f, (struct str){ p, (size_t)(stop - p) });
	}
}

static struct str
field_name(struct str field)
{
	const char *colon = memchr(field.s, ':', field.len);

	return str_trim(str_sub(field, 0, colon ? (size_t)(colon - field.s) : field.len));
}

/* The value as servers take it: lines end in LF, the last one in nothing. */
static void
field_value(struct buf *b, struct str field)
{
	const char *colon = memchr(field.s, ':', field.len);
	size_t from = colon ? (size_t)(colon + 1 - field.s) : field.len;

	for (size_t i = from; i < field.len; i++)
		if (field.s[i] != '\r')
			buf_putc(b, field.s[i]);
	while (b->len && b->s[b->len - 1] == '\n')
		b->len--;
}

static int
field_add(const struct mta *mta, struct str field, bool above)
{
	struct buf name = { 0 }, value = { 0 };
	int rc;

	buf_add(&name, field_name(field));
	field_value(&value, field);
	rc = (above ? mta->insert_field : mta->append_field)(mta->ctx, buf_str(&name).s, buf_str(&value).s);
	buf_done(&name);
	buf_done(&value);
	return rc;
}

/* Which of `before` stay when `tops` fields of `after` are new above them; how many edits that makes. */
static size_t
fields_match(const struct fields *before, const struct fields *after, size_t tops, bool *stays, size_t *ret_bottom)
{
	size_t i, j = tops, kept = 0;

	for (i = 0; i < before->n; i++) {
		stays[i] = j < after->n && str_eq(before->v[i], after->v[j]);
		kept += stays[i];
		j += stays[i];
	}
	*ret_bottom = j;
	return before->n - kept + tops + (after->n - j);
}

/* Of each field: the how-manieth of its name it is. */
static int *
fields_count(struct arena *a, const struct fields *f)
{
	struct str *name = ARENA_ARRAY(a, f->n, struct str);
	int *index = ARENA_ARRAY(a, f->n, int), *count = ARENA_ARRAY(a, f->n, int);
	struct keyset *names;

	for (size_t i = 0; i < f->n; i++) {
		name[i] = arena_lower(a, field_name(f->v[i]));
		count[i] = 0;
	}
	names = keyset_new(a, name, f->n);
	for (size_t i = 0; i < f->n; i++)
		index[i] = ++count[keyset_find(names, name[i])];
	return index;
}

static int
fields_delete(const struct mta *mta, const struct fields *before, const bool *stays)
{
	struct arena a;
	const int *index;
	int rc = 0;

	arena_init(&a, 0);
	index = fields_count(&a, before);
	for (size_t i = before->n; rc == 0 && i-- > 0;) {
		struct str name = arena_str(&a, field_name(before->v[i]));

		if (!stays[i])
			rc = mta->delete_field(mta->ctx, name.s, index[i]);
	}
	arena_done(&a);
	return rc;
}

static int
fields_edit(const struct mta *mta, const struct fields *before, const struct fields *after, bool *stays)
{
	size_t best = SIZE_MAX, tops = 0, bottom, edits;
	int rc;

	/* so many new fields at the top are so many edits at least */
	for (size_t t = 0; t <= after->n && t < best && t <= FIELDS_TOPS; t++) {
		edits = fields_match(before, after, t, stays, &bottom);
		if (edits < best) {
			best = edits;
			tops = t;
		}
	}
	fields_match(before, after, tops, stays, &bottom);
	rc = fields_delete(mta, before, stays);
	for (size_t i = bottom; rc == 0 && i < after->n; i++)
		rc = field_add(mta, after->v[i], false);
	for (size_t i = tops; rc == 0 && i > 0; i--)
		rc = field_add(mta, after->v[i - 1], true);
	return rc;
}

int
fields_change(const struct mta *mta, struct str before, struct str after)
{
	struct fields b = { 0 }, a = { 0 };
	bool *stays;
	int rc;

	fields_split(&b, before);
	fields_split(&a, after);
	stays = mem_alloc(b.n + 1);
	rc = fields_edit(mta, &b, &a, stays);
	free(stays);
	vec_done(&a);
	vec_done(&b);
	return rc;
}

struct str
fields_ours(struct arena *a, const char *name, struct str value)
{
	struct buf b = { 0 };
	struct str ret;

	fold_literal(&b, str_from(name), value, "\r\n");
	ret = buf_copy(&b, a);
	buf_done(&b);
	return ret;
}

int
fields_insert(const struct mta *mta, struct str field)
{
	return field_add(mta, field, true);
}

bool
fields_next(struct str *rest, struct str *ret_name, struct str *ret_value)
{
	const char *p = rest->s, *end = rest->s + rest->len, *stop, *colon;

	while (p < end && (*p == '\r' || *p == '\n'))
		p++;
	for (stop = p; stop < end && (stop == p || *stop == ' ' || *stop == '\t');) {
		stop = memchr(stop, '\n', (size_t)(end - stop));
		stop = stop ? stop + 1 : end;
	}
	if (p == end)
		return false;
	*rest = (struct str){ stop, (size_t)(end - stop) };
	colon = memchr(p, ':', (size_t)(stop - p));
	*ret_name = field_name((struct str){ p, (size_t)(stop - p) });
	*ret_value = colon ? str_trim((struct str){ colon + 1, (size_t)(stop - colon - 1) }) : STR_EMPTY;
	return true;
}

bool
fields_first(struct str header, const char *name, struct str *ret)
{
	struct str at;

	while (fields_next(&header, &at, ret))
		if (str_iis(at, name))
			return true;
	return false;
}

bool
fields_is_resent(struct str name)
{
	static const char *const names[] = { "From", "Sender", "Reply-To", "To", "Cc", "Date", "Message-ID" };
	const struct str resent = STR("Resent-");

	for (size_t i = 0; str_istarts(name, resent) && i < sizeof(names) / sizeof(*names); i++)
		if (str_iis(str_sub(name, resent.len, name.len), names[i]))
			return true;
	return false;
}

bool
fields_has_resent(struct str header)
{
	struct str name, value;

	while (fields_next(&header, &name, &value))
		if (fields_is_resent(name))
			return true;
	return false;
}

/* Lines of a field end in LF, or in CRLF, as the server likes it.  What follows one is never another field, nor the end
 * of the header. */
static void
fields_add_lines(struct buf *b, struct str value)
{
	do {
		const char *nl = memchr(value.s, '\n', value.len);
		size_t n = nl ? (size_t)(nl - value.s) : value.len;
		char *to = buf_room(b, n + 3);

		to = (char *)mempcpy(to, value.s, n - (n && value.s[n - 1] == '\r'));
		*to++ = '\r';
		*to++ = '\n';
		while (n < value.len && (value.s[n] == '\r' || value.s[n] == '\n'))
			n++;
		value = str_sub(value, n, value.len);
		if (value.len && *value.s != ' ' && *value.s != '\t')
			*to++ = ' ';
		b->len = (size_t)(to - b->s);
	} while (value.len);
}

void
fields_add(struct buf *b, struct str name, struct str value, bool folded)
{
	char *to = buf_room(b, name.len + value.len + 3);

	to = (char *)mempcpy(to, name.s, name.len);
	*to++ = ':';
	b->len += name.len + 1;
	if (folded || !value.len || value.s[value.len - 1] == '\r') {
		fields_add_lines(b, value);
		return;
	}
	to = (char *)mempcpy(to, value.s, value.len);
	to[0] = '\r';
	to[1] = '\n';
	b->len += value.len + 2;
}
