/* svtest_dict.c - included scripts that a test suite keeps in a flat dictionary
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A dictionary is a text: a line with a key, a line with its value, and so on.
 * "priv/sieve/name/X" is the id of script X, "priv/sieve/data/ID" its text.
 * Line ends, tabs and the octet 1 are written as 1 and a letter. */
#include <fcntl.h>

#include "host/file.h"
#include "host/text.h"
#include "tamis/svtest.h"
#include "tamis/testfile.h"

enum { DICT_MAX = 16 << 20 };

#define SCRIPTS "sieve_script/"

/* What the settings say of one list of scripts. */
struct place {
	struct str type, driver, path;
};

/* "sieve_script/ELEMENT/...type": one of those settings, by the end of its name. */
static void
svtest_dict_setting(struct place *p, struct str rest, struct str value)
{
	static const struct {
		const char *end;
		size_t offset;
	} ends[] = {
		{ "type", offsetof(struct place, type) },
		{ "script_driver", offsetof(struct place, driver) },
		{ "path", offsetof(struct place, path) },
	};
	size_t i;

	if (str_is(rest, "driver"))
		p->driver = value;
	for (i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		struct str end = str_from(ends[i].end);

		if (rest.len >= end.len && str_eq(str_sub(rest, rest.len - end.len, rest.len), end))
			*(struct str *)((char *)p + ends[i].offset) = value;
	}
}

/* The element of the list that the setting is of; empty: of none. */
static struct str
svtest_dict_element(struct str name, struct str *ret_rest)
{
	const char *slash;

	if (!str_starts(name, STR(SCRIPTS)))
		return STR_EMPTY;
	name = str_sub(name, sizeof(SCRIPTS) - 1, name.len);
	slash = memchr(name.s, '/', name.len);
	if (!slash)
		return STR_EMPTY;
	*ret_rest = str_sub(name, (size_t)(slash + 1 - name.s), name.len);
	return str_sub(name, 0, (size_t)(slash - name.s));
}

static struct place
svtest_dict_place(const struct svtest *t, struct str element)
{
	struct place p = { STR_EMPTY, STR_EMPTY, STR_EMPTY };
	struct str rest;
	size_t i;

	for (i = 0; i < t->config.n; i++)
		if (t->config.v[i].set && str_eq(svtest_dict_element(t->config.v[i].name, &rest), element))
			svtest_dict_setting(&p, rest, t->config.v[i].value);
	return p;
}

static bool
svtest_dict_find(struct str text, struct str key, struct str *ret)
{
	struct str line, value;

	while (testfile_line(&text, &line) && testfile_line(&text, &value)) {
		if (!str_eq(str_trim(line), key))
			continue;
		if (value.len && value.s[value.len - 1] == '\n')
			value.len--;
		*ret = value;
		return true;
	}
	return false;
}

static void
svtest_dict_unescape(struct buf *b, struct str v)
{
	static const char letters[] = "1ntr0", octets[] = "\001\n\t\r";
	size_t i;

	for (i = 0; i < v.len; i++) {
		const char *at = v.s[i] == '\001' && i + 1 < v.len ? strchr(letters, v.s[i + 1]) : NULL;

		if (!at || !*at) {
			buf_putc(b, v.s[i]);
			continue;
		}
		buf_putc(b, octets[at - letters]);
		i++;
	}
}

static int
svtest_dict_read(struct svtest *t, struct str path, struct str name, struct tamis_text *ret)
{
	const char *full = svtest_script_path(t, path);
	struct buf file = { 0 }, key = { 0 }, text = { 0 };
	struct str id, data;
	int rc = -1;

	if (file_read(AT_FDCWD, full, &file, DICT_MAX) < 0)
		goto out;
	rc = 0;
	buf_printf(&key, "priv/sieve/name/%.*s", STR_ARG(name));
	if (!svtest_dict_find(buf_str(&file), buf_str(&key), &id))
		goto out;
	buf_reset(&key);
	buf_printf(&key, "priv/sieve/data/%.*s", STR_ARG(str_trim(id)));
	if (!svtest_dict_find(buf_str(&file), buf_str(&key), &data))
		goto out;
	svtest_dict_unescape(&text, data);
	*ret = text_of(svtest_host_keep(t, buf_str(&text)));
	rc = 1;
out:
	buf_done(&file);
	buf_done(&key);
	buf_done(&text);
	return rc;
}

bool
svtest_dict_load(struct svtest *t, struct str kind, struct str name, struct tamis_text *ret, int *ret_rc)
{
	struct str element, rest;
	struct place p;
	size_t i;

	for (i = 0; i < t->config.n; i++) {
		element = svtest_dict_element(t->config.v[i].name, &rest);
		if (!element.len)
			continue;
		p = svtest_dict_place(t, element);
		if (!str_is(p.driver, "dict") || !p.path.len || !str_eq(p.type, kind))
			continue;
		*ret_rc = svtest_dict_read(t, p.path, name, ret);
		return true;
	}
	return false;
}
