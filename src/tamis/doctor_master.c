/* doctor_master.c - the services of a Postfix, and what each of them was told
 * SPDX-License-Identifier: BSD-2-Clause */
#include <netdb.h>
#include <netinet/in.h>

#include "tamis/doctor_master.h"

/* It is told to ask no milters, whatever lists and tables there are. */
static bool
asks_nobody(const struct doctor *d, const struct master_service *s)
{
	return master_has_word(d, master_parameter(d, s, "receive_override_options"), "no_milters");
}

/* --- asking */

static bool
master_ask(const struct doctor *d, const char *option, struct str *ret)
{
	const char *argv[] = { "postconf", option, d->directory ? "-c" : NULL, d->directory, NULL };
	struct buf b = { 0 };
	bool asked = doctor_run(argv, &b);

	*ret = buf_copy(&b, d->arena);
	buf_done(&b);
	return asked;
}

static bool
next_line(struct str *rest, struct str *ret)
{
	const char *stop = memchr(rest->s, '\n', rest->len);

	if (!rest->len)
		return false;
	*ret = str_sub(*rest, 0, stop ? (size_t)(stop - rest->s) : rest->len);
	*rest = str_sub(*rest, ret->len + (stop != NULL), rest->len);
	return true;
}

/* "smtp inet n - y - - smtpd ..."; "-" for chroot means yes only where the old defaults are kept. */
static void
master_read(struct doctor *d, struct str text)
{
	bool old = str_is(master_parameter(d, NULL, "compatibility_level"), "0");
	struct str rest = text, line;
	size_t n = 0;

	while (next_line(&rest, &line))
		n++;
	d->service = ARENA_ARRAY(d->arena, n ? n : 1, struct master_service);
	d->services = 0;
	while (next_line(&text, &line)) {
		struct str *word;

		if (arena_words(d->arena, &line, 1, &word) < 8)
			continue;
		d->service[d->services++] = (struct master_service){
			.name = word[0], .type = word[1], .command = word[7], .maps = STR_EMPTY,
			.chrooted = str_is(word[4], "y") || (old && str_is(word[4], "-")),
		};
	}
}

/* Most have the same. */
static void
master_read_maps(struct doctor *d)
{
	const struct master_service *last = NULL;

	for (size_t i = 0; i < d->services; i++) {
		struct master_service *s = &d->service[i];

		if (!str_is(s->command, "smtpd") || asks_nobody(d, s))
			continue;
		s->maps = master_parameter(d, s, "smtpd_milter_maps");
		s->in_maps = last && str_eq(s->maps, last->maps) ? last->in_maps : maps_look(d, s->maps);
		last = s;
	}
}

bool
doctor_ask_postfix(struct doctor *d, struct str *ret)
{
	struct str services;

	*ret = arena_printf(d->arena, "postconf%s%s does not answer", d->directory ? " -c " : "",
	                    d->directory ? d->directory : "");
	if (!master_ask(d, "-x", &d->postfix) || !master_ask(d, "-Px", &d->overrides) || !master_ask(d, "-M", &services))
		return false;
	master_read(d, services);
	master_read_maps(d);
	return true;
}

/* --- parameters */

/* The value of "name = value" in lines; false if there is none. */
static bool
value_of(struct str lines, struct str name, struct str *ret)
{
	struct str line;

	while (next_line(&lines, &line))
		if (str_starts(line, name) && line.len > name.len && (line.s[name.len] == ' ' || line.s[name.len] == '=')) {
			*ret = str_trim(str_sub(line, (size_t)(str_find(line, STR("=")) + 1), line.len));
			return true;
		}
	return false;
}

struct str
master_parameter(const struct doctor *d, const struct master_service *s, const char *name)
{
	struct str value = STR_EMPTY;

	if (!s || !value_of(d->overrides, arena_printf(d->arena, "%.*s/%.*s/%s", STR_ARG(s->name), STR_ARG(s->type), name), &value))
		value_of(d->postfix, str_from(name), &value);
	return value;
}

struct str
master_milters(const struct doctor *d, const struct master_service *s)
{
	return asks_nobody(d, s) ? STR_EMPTY : master_parameter(d, s, "smtpd_milters");
}

const struct master_service *
master_find(const struct doctor *d, struct str name, const char *type)
{
	for (size_t i = 0; i < d->services; i++)
		if (str_eq(d->service[i].name, name) && str_is(d->service[i].type, type))
			return &d->service[i];
	return NULL;
}

const struct master_service *
master_cleanup(const struct doctor *d, const struct master_service *s)
{
	return master_find(d, master_parameter(d, s, "cleanup_service_name"), "unix");
}

bool
master_is_local(const struct doctor *d, const struct master_service *s)
{
	return (str_is(s->command, "pickup") || str_is(s->command, "qmqpd")) && !asks_nobody(d, s);
}

bool
master_next_word(struct str *rest, struct str *ret)
{
	size_t from = 0, to;
	int depth = 0;

	while (from < rest->len && strchr(", \t", rest->s[from]))
		from++;
	for (to = from; to < rest->len && (depth || !strchr(", \t", rest->s[to])); to++)
		depth += (rest->s[to] == '{') - (rest->s[to] == '}');
	*ret = str_sub(*rest, from, to);
	*rest = str_sub(*rest, to, rest->len);
	return ret->len;
}

bool
master_has_word(const struct doctor *d, struct str list, const char *word)
{
	struct str v;

	(void)d;
	while (master_next_word(&list, &v))
		if (str_is(v, word))
			return true;
	return false;
}

/* --- ports */

static struct str
port_of(struct str v)
{
	const char *colon = memrchr(v.s, ':', v.len);

	return colon ? str_sub(v, (size_t)(colon + 1 - v.s), v.len) : v;
}

unsigned
master_port_number(const struct doctor *d, struct str v)
{
	const struct servent *known;
	uint64_t n;

	if (str_number(v, &n))
		return n < 65536 ? (unsigned)n : 0;
	known = getservbyname(arena_str(d->arena, v).s, "tcp");
	return known ? ntohs((uint16_t)known->s_port) : 0;
}

bool
master_is_here(const char *where)
{
	static const char *const names[] = { "smtp:127.", "smtp:localhost:", "smtp:[::1]:" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_starts(str_from(where), str_from(names[i])))
			return true;
	return false;
}

const struct master_service *
master_port(const struct doctor *d, const char *where)
{
	unsigned port = master_is_here(where) ? master_port_number(d, port_of(str_from(where))) : 0;

	for (size_t i = 0; port && i < d->services; i++)
		if (str_is(d->service[i].type, "inet") && master_port_number(d, port_of(d->service[i].name)) == port)
			return &d->service[i];
	return NULL;
}

const struct master_service *
master_hop(const struct doctor *d, const struct master_service *s, struct str *ret_transport)
{
	struct str filter = master_parameter(d, s, "content_filter"), where;
	ptrdiff_t colon = str_find(filter, STR(":"));
	struct buf b = { 0 };

	if (colon < 0)
		return NULL;
	*ret_transport = str_sub(filter, 0, (size_t)colon);
	where = str_sub(filter, (size_t)colon + 1, filter.len);
	if (str_starts(where, STR("inet:")))
		where = str_sub(where, 5, where.len);
	buf_puts(&b, "smtp:");
	/* [127.0.0.1] is an address, [::1] one that needs its brackets */
	for (size_t i = 0; i < where.len; i++)
		if ((where.s[i] != '[' && where.s[i] != ']') || str_starts(where, STR("[::1]")))
			buf_putc(&b, where.s[i]);
	s = master_port(d, buf_str(&b).s);
	buf_done(&b);
	return s;
}

/* --- milters */

static bool
ends_with(struct str v, struct str end)
{
	return v.len >= end.len && str_eq(str_sub(v, v.len - end.len, v.len), end);
}

/* Is that our socket, if perhaps not where Postfix looks for it?  Of a path the last two parts tell, of TCP the port. */
bool
master_is_socket(const struct doctor *d, struct str name)
{
	struct str ours = str_from(d->conf->socket), last;
	const char *slash = strrchr(ours.s, '/'), *before = slash ? memrchr(ours.s, '/', (size_t)(slash - ours.s)) : NULL;
	const char *path = memchr(name.s, '/', name.len), *colon = strchr(ours.s, ':'), *at = strchr(ours.s, '@');

	if (slash)
		return path && (ends_with(name, str_from(before ? before : slash)) ||
		                ends_with(ours, str_sub(name, (size_t)(path - name.s), name.len)));
	last = str_from(colon ? colon : ours.s);
	return ends_with(name, at ? str_sub(last, 0, (size_t)(at - last.s)) : last);
}

bool
master_milter(const struct doctor *d, struct str list, struct master_milter *ret)
{
	struct str word, inner, rest = list;

	while (master_next_word(&rest, &word)) {
		struct str name = word;

		if (word.s[0] == '{') {
			inner = str_sub(word, 1, word.len - (word.s[word.len - 1] == '}'));
			master_next_word(&inner, &name);
		}
		if (master_is_socket(d, name)) {
			*ret = (struct master_milter){ .name = name, .text = word };
			ret->last = !master_next_word(&rest, &word);
			return true;
		}
	}
	return false;
}

/* "name=value", or "name = value" in braces of its own; false if it has no "=". */
static bool
is_attribute(struct str word, struct str *ret_name, struct str *ret_value)
{
	ptrdiff_t equals;

	if (word.s[0] == '{')
		word = str_sub(word, 1, word.len - (word.s[word.len - 1] == '}'));
	equals = str_find(word, STR("="));
	if (equals < 0)
		return false;
	*ret_name = str_trim(str_sub(word, 0, (size_t)equals));
	*ret_value = str_trim(str_sub(word, (size_t)equals + 1, word.len));
	return true;
}

/* The last one counts. */
struct str
master_attribute(const struct doctor *d, const struct master_milter *m, const char *name)
{
	struct str rest = m->text, word, found, value, ret = STR_EMPTY;

	(void)d;
	if (rest.len < 2 || rest.s[0] != '{')
		return STR_EMPTY;
	for (rest = str_sub(rest, 1, rest.len - (rest.s[rest.len - 1] == '}')); master_next_word(&rest, &word);)
		if (is_attribute(word, &found, &value) && str_is(found, name))
			ret = value;
	return ret;
}

/* --- roles */

static bool
asks(const struct doctor *d, const struct master_service *s)
{
	struct master_milter m;

	return master_milter(d, master_milters(d, s), &m);
}

/* Does another's content_filter lead to it? */
static bool
is_fed(const struct doctor *d, const struct master_service *s)
{
	struct str transport;

	for (size_t i = 0; i < d->services; i++)
		if (&d->service[i] != s && master_hop(d, &d->service[i], &transport) == s)
			return true;
	return false;
}

/* Is there one that asks and is fed? */
static bool
has_queue_before(const struct doctor *d)
{
	for (size_t i = 0; i < d->services; i++)
		if (str_is(d->service[i].command, "smtpd") && asks(d, &d->service[i]) && is_fed(d, &d->service[i]))
			return true;
	return false;
}

/* Behind the queue, of one that is not there: what it is to ask by itself or, if it does not, for some clients. */
static unsigned
master_ahead(const struct doctor *d, const struct master_service *s, unsigned ahead)
{
	if (asks(d, s))
		return MASTER_ASKS | ahead;
	return s->in_maps.how == MAPS_OURS ? ahead : s->in_maps.how == MAPS_UNKNOWN ? MASTER_DARK : 0;
}

unsigned
master_roles(const struct doctor *d, const struct master_service *s)
{
	const struct master_service *next;
	struct str transport;
	unsigned roles = 0;

	if (!str_is(s->command, "smtpd"))
		return 0;
	if (s == master_port(d, d->conf->copy_to))
		roles |= MASTER_COPIES;
	if (s == master_port(d, d->conf->filtered_to))
		roles |= MASTER_FILTERED;
	/* a port of copies that asks is wrong as that, and only as that */
	if (roles & MASTER_COPIES)
		return roles;
	if (d->conf->mode != CONF_FINAL)
		return roles | (asks(d, s) ? MASTER_ASKS : s->in_maps.how == MAPS_OURS ? MASTER_SOME : 0);
	next = master_hop(d, s, &transport);
	if (next && next != s && asks(d, next))
		return roles | master_ahead(d, s, MASTER_FRONT);
	if (is_fed(d, s) || !has_queue_before(d))
		return roles | (asks(d, s) ? MASTER_ASKS | MASTER_FINAL : 0);
	return roles | master_ahead(d, s, MASTER_BEFORE);
}

enum doctor_level
master_worst(const struct doctor *d, unsigned roles, master_look *look, struct str *ret)
{
	enum doctor_level worst = DOCTOR_FINE, level;
	bool any = false;

	*ret = STR_EMPTY;
	for (size_t i = 0; i < d->services; i++) {
		struct str what = STR_EMPTY;

		if (!(master_roles(d, &d->service[i]) & roles))
			continue;
		level = look(d, &d->service[i], &what);
		if (level > worst || !any)
			*ret = arena_printf(d->arena, "%.*s%s%.*s", STR_ARG(d->service[i].name), what.len ? ": " : "", STR_ARG(what));
		worst = level > worst ? level : worst;
		any = true;
	}
	return worst;
}
