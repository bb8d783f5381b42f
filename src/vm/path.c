/* path.c - the addresses of an envelope
 * SPDX-License-Identifier: BSD-2-Clause */
#include "vm/path.h"

/* Nothing in it separates addresses or their parts. */
static bool
is_local(struct str v)
{
	for (size_t i = 0; i < v.len; i++)
		if ((unsigned char)v.s[i] <= ' ' || v.s[i] == 0x7f || strchr("\"(),:;<>@[\\]", v.s[i]))
			return false;
	return v.len > 0;
}

void
path_read(struct arena *arena, struct str text, struct mail_address *ret)
{
	if (address_path(arena, text, ret))
		return;
	text = str_trim(text);
	if (text.len >= 2 && text.s[0] == '<' && text.s[text.len - 1] == '>')
		text = str_sub(text, 1, text.len - 1);
	*ret = (struct mail_address){ .all = cell_of(text), .local = cell_of(STR_EMPTY), .domain = cell_of(STR_EMPTY) };
	if (is_local(text)) {
		ret->local = cell_of(text);
		ret->valid = true;
	}
}

struct mail_address *
path_fact(struct run *r, struct str name)
{
	struct fact *f = run_fact_of(r, name);

	if (!f)
		return NULL;
	if (!f->path || f->path_of != f->value.v.s) {
		f->path = ARENA_NEW(&r->message->arena, struct mail_address);
		f->path_of = f->value.v.s;
		path_read(&r->message->arena, f->value.v, f->path);
	}
	return f->path;
}
