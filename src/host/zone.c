/* zone.c - time zone data from the system's directory
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/file.h"
#include "host/zone.h"

#define ZONE_DIRECTORY "/usr/share/zoneinfo/"
enum {
	ZONE_NAME_MAX = 255,
	ZONE_SIZE_MAX = 256 * 1024,     /* the largest of the database has some 4 KB */
	ZONES_MAX = 4096,               /* the database has some 1,300 names */
};

void
zones_done(struct zones *z)
{
	size_t i;

	for (i = 0; i < z->file.n; i++) {
		free(z->file.v[i]->name);
		buf_done(&z->file.v[i]->data);
		free(z->file.v[i]);
	}
	vec_done(&z->file);
}

/* Components of letters, digits, "+", "-", "_", none beginning with anything
 * else: no ".", so no way out of the directory and no "posixrules"-like files
 * with a suffix. */
static bool
zone_name_ok(struct str name)
{
	bool first = true;
	size_t i;

	for (i = 0; i < name.len; i++) {
		char c = name.s[i];
		bool alnum = char_is_digit(c) || (unsigned char)(char_lower(c) - 'a') < 26;

		if (c == '/' ? first : !(alnum || (!first && (c == '+' || c == '-' || c == '_'))))
			return false;
		first = c == '/';
	}
	return name.len && name.len <= ZONE_NAME_MAX && !first;
}

/* 1, 0 there is none, or -1 */
static int
zone_read(const char *name, struct buf *ret)
{
	char path[sizeof(ZONE_DIRECTORY) + ZONE_NAME_MAX];

	snprintf(path, sizeof(path), "%s%s", ZONE_DIRECTORY, name);
	if (file_read(AT_FDCWD, path, ret, ZONE_SIZE_MAX) < 0)
		return file_may_pass(errno) ? -1 : 0;
	return ret->len > 4 && !memcmp(ret->s, "TZif", 4);
}

/* What is none is not remembered: whoever guesses names shall not take the room of those that there are. */
static int
zone_add(struct zones *z, struct str name)
{
	struct zone_file *f = mem_alloc(sizeof(*f));
	int rc;

	*f = (struct zone_file){ .name = mem_alloc(name.len + 1) };
	memcpy(f->name, name.s, name.len);
	f->name[name.len] = '\0';
	rc = z->file.n < ZONES_MAX ? zone_read(f->name, &f->data) : -1;
	if (rc > 0) {
		vec_push(&z->file, f);
		return rc;
	}
	free(f->name);
	buf_done(&f->data);
	free(f);
	return rc;
}

int
zones_load(struct zones *z, struct str name, struct str *ret)
{
	size_t i;
	int rc;

	if (!zone_name_ok(name))
		return 0;
	for (i = 0; i < z->file.n; i++)
		if (str_is(name, z->file.v[i]->name))
			break;
	if (i == z->file.n && (rc = zone_add(z, name)) <= 0)
		return rc;
	*ret = buf_str(&z->file.v[i]->data);
	return 1;
}
