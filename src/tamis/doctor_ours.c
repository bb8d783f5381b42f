/* doctor_ours.c - traps in our own configuration and files
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/access.h"
#include "host/connection.h"
#include "host/moment.h"
#include "tamis/doctor.h"

enum { DAEMON_WAIT = 5000 };            /* milliseconds for who listens to TCP */

static const char *
socket_path(const struct conf *c)
{
	if (!strncmp(c->socket, "unix:", 5))
		return c->socket + 5;
	if (!strncmp(c->socket, "local:", 6))
		return c->socket + 6;
	return c->socket[0] == '/' ? c->socket : NULL;
}

/* "inet:8899@127.0.0.1", "inet:127.0.0.1:8899", "inet:8899": as HOST:PORT; who listens everywhere listens here. */
static struct str
tcp_place(const struct doctor *d)
{
	const char *where = strchr(d->conf->socket, ':') + 1, *at = strchr(where, '@'), *colon = strrchr(where, ':');
	struct str host = STR("127.0.0.1"), port = str_from(where);

	if (at) {
		host = str_from(at + 1);
		port.len = (size_t)(at - where);
	} else if (colon) {
		host = (struct str){ where, (size_t)(colon - where) };
		port = str_from(colon + 1);
	} else if (!strncmp(d->conf->socket, "inet6", 5)) {
		host = STR("::1");
	}
	return arena_printf(d->arena, host.s[0] != '[' && memchr(host.s, ':', host.len) ? "[%.*s]:%.*s" : "%.*s:%.*s", STR_ARG(host),
	                    STR_ARG(port));
}

static enum doctor_level
look_tcp_daemon(const struct doctor *d, struct str *ret)
{
	struct connection c = { .waits = NULL };
	bool open;

	if (strncmp(d->conf->socket, "inet", 4))
		return DOCTOR_FINE;
	open = connection_open(&c, tcp_place(d).s, moment_clock() + DAEMON_WAIT) == 0;
	*ret = arena_printf(d->arena, "%s: %s", d->conf->socket, open ? "somebody listens" : c.trouble);
	connection_close(&c);
	return open ? DOCTOR_FINE : DOCTOR_WARNING;
}

static enum doctor_level
look_daemon(const struct doctor *d, struct str *ret)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const char *path = socket_path(d->conf);
	int fd, rc, error;

	if (!path)
		return look_tcp_daemon(d, ret);
	if (strlen(path) >= sizeof at.sun_path)
		return DOCTOR_FINE;
	memcpy(at.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	rc = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)(const void *)&at, sizeof at);
	error = errno;
	if (fd >= 0)
		close(fd);
	*ret = arena_printf(d->arena, "%s: %s", path, rc < 0 ? strerror(error) : "somebody listens");
	return rc >= 0 ? DOCTOR_FINE : error == EACCES ? DOCTOR_DENIED : DOCTOR_WARNING;
}

static enum doctor_level
look_tcp(const struct doctor *d, struct str *ret)
{
	*ret = str_from(d->conf->socket);
	return socket_path(d->conf) || !strncmp(d->conf->socket, "fd:", 3) ? DOCTOR_FINE : DOCTOR_WARNING;
}

/* Whoever reaches the socket can play the mail server, and have copies sent past all that it stands for. */
static enum doctor_level
look_reach(const struct doctor *d, struct str *ret)
{
	static const char *const inside[] = { "127.", "localhost", "[::1]", "::1" };
	struct str socket = str_from(d->conf->socket), host;
	ptrdiff_t colon = str_find(socket, STR(":")), at = str_find(socket, STR("@"));

	if (colon < 0 || !str_starts(socket, STR("inet")))
		return DOCTOR_FINE;
	*ret = socket;
	host = at < 0 ? str_sub(socket, (size_t)colon + 1, socket.len) : str_sub(socket, (size_t)at + 1, socket.len);
	for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
		if (str_starts(host, str_from(inside[i])))
			return DOCTOR_FINE;
	*ret = arena_printf(d->arena, "%s: other machines may reach it", d->conf->socket);
	return DOCTOR_WARNING;
}

static bool
has_sections(const struct doctor *d)
{
	struct conf_scoped one;

	return conf_scoped(d->conf, 0, d->arena, &one);
}

/* Does it do more with mail than to refuse it, or to take fields away? */
static bool
does_more(const struct doctor *d)
{
	return d->conf->mode != CONF_STRIP && (d->conf->effect != CONF_REFUSE || has_sections(d));
}

static enum doctor_level
look_effect(const struct doctor *d, struct str *ret)
{
	static const char *const names[] = {
		[CONF_OBSERVE] = "observe", [CONF_TAG] = "tag", [CONF_REFUSE] = "refuse", [CONF_FULL] = "full",
	};

	*ret = str_from(names[d->conf->effect]);
	if (has_sections(d))
		*ret = arena_printf(d->arena, "%s, where no section says otherwise", names[d->conf->effect]);
	return d->conf->effect >= CONF_REFUSE || d->conf->mode == CONF_STRIP ? DOCTOR_FINE : DOCTOR_NOTE;
}

static enum doctor_level
look_directory(const struct doctor *d, const char *path, unsigned wrong, struct str *ret)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		*ret = arena_printf(d->arena, "%s: %s", path, strerror(errno));
		return errno == EACCES ? DOCTOR_DENIED : DOCTOR_ERROR;
	}
	if (!S_ISDIR(st.st_mode)) {
		*ret = arena_printf(d->arena, "%s: %s", path, strerror(ENOTDIR));
		return DOCTOR_ERROR;
	}
	*ret = arena_printf(d->arena, "%s: mode %04o", path, (unsigned)(st.st_mode & 07777));
	return st.st_mode & wrong ? DOCTOR_ERROR : DOCTOR_FINE;
}

/* The daemon's alone: what is in it is believed. */
static enum doctor_level
look_state(const struct doctor *d, struct str *ret)
{
	enum doctor_level level = look_directory(d, d->conf->state_dir, 0022, ret);
	const struct passwd *user, *owner;
	struct stat st;

	if (level != DOCTOR_FINE || !*d->conf->user || stat(d->conf->state_dir, &st) < 0)
		return level;
	owner = getpwuid(st.st_uid);
	*ret = arena_printf(d->arena, "%.*s of %s, here user %s", STR_ARG(*ret), owner ? owner->pw_name : "nobody known", d->conf->user);
	user = getpwnam(d->conf->user);
	return user && user->pw_uid == st.st_uid ? DOCTOR_FINE : DOCTOR_ERROR;
}

static enum doctor_level
look_spill(const struct doctor *d, struct str *ret)
{
	return look_directory(d, d->conf->spill_dir, 0, ret);
}

static enum doctor_level
look_rules(const struct doctor *d, struct str *ret)
{
	const char *path = d->conf->rules_dir;
	enum doctor_level level;
	int error;

	*ret = STR("not set: nobody has rules");
	if (!*path)
		return d->conf->mode == CONF_STRIP ? DOCTOR_FINE : DOCTOR_NOTE;
	level = look_directory(d, path, 0022, ret);
	if (level != DOCTOR_FINE || !*d->conf->user || !(error = access_as(d->conf->user, path, X_OK)))
		return level;
	*ret = arena_printf(d->arena, "%.*s, and user %s may not enter it: %s", STR_ARG(*ret), d->conf->user, strerror(error));
	return DOCTOR_ERROR;
}

static struct str
secret_directory(const struct doctor *d)
{
	const char *path = d->conf->secret_file, *slash = strrchr(path, '/');

	return slash ? arena_str(d->arena, (struct str){ path, slash == path ? 1 : (size_t)(slash - path) }) : STR(".");
}

/* The first start makes it, in a directory that is there; that state_dir is not there is told of that. */
static enum doctor_level
look_no_secret(const struct doctor *d, struct str *ret)
{
	struct str above = secret_directory(d);

	*ret = arena_printf(d->arena, "%s: not there yet, the first start makes it", d->conf->secret_file);
	if (str_is(above, d->conf->state_dir) || access(above.s, F_OK) == 0)
		return DOCTOR_FINE;
	*ret = arena_printf(d->arena, "%s: there is no directory in which the first start could make it", d->conf->secret_file);
	return DOCTOR_ERROR;
}

/* That the daemon's user may not enter state_dir is told of that, too. */
static enum doctor_level
look_readable(const struct doctor *d, struct str *ret)
{
	const char *user = d->conf->user;
	int error = *user ? access_as(user, d->conf->secret_file, R_OK) : 0;

	if (!error || (str_is(secret_directory(d), d->conf->state_dir) && access_as(user, d->conf->state_dir, X_OK)))
		return DOCTOR_FINE;
	*ret = arena_printf(d->arena, "%.*s, and user %s may not read it: %s", STR_ARG(*ret), user, strerror(error));
	return DOCTOR_ERROR;
}

static enum doctor_level
look_secret(const struct doctor *d, struct str *ret)
{
	const char *path = d->conf->secret_file;
	struct stat st;
	int error;

	*ret = str_from(path);
	if (!*path)
		return DOCTOR_FINE;
	if (stat(path, &st) < 0) {
		error = errno;
		if (error == ENOENT)
			return look_no_secret(d, ret);
		*ret = arena_printf(d->arena, "%s: %s", path, strerror(error));
		return error == EACCES ? DOCTOR_DENIED : DOCTOR_ERROR;
	}
	*ret = arena_printf(d->arena, "%s: mode %04o", path, (unsigned)(st.st_mode & 07777));
	return st.st_mode & 0077 ? DOCTOR_ERROR : look_readable(d, ret);
}

static enum doctor_level
look_copy(const struct doctor *d, struct str *ret)
{
	*ret = *d->conf->copy_to ? str_from(d->conf->copy_to) : STR("not set");
	return *d->conf->copy_to || !does_more(d) ? DOCTOR_FINE : DOCTOR_NOTE;
}

static enum doctor_level
look_quarantine(const struct doctor *d, struct str *ret)
{
	*ret = *d->conf->quarantine_to ? str_from(d->conf->quarantine_to) : STR("not set");
	return *d->conf->quarantine_to || d->conf->mode == CONF_FINAL || !does_more(d) ? DOCTOR_FINE : DOCTOR_NOTE;
}

const struct doctor_trap doctor_ours[] = {
	{ "daemon", look_daemon, "start tamis-milter; its log says why it does not serve" },
	{ "socket", look_tcp, "use a Unix socket: over TCP servers and libmilter wait 40 ms for each other at every edit" },
	{ "open socket", look_reach, "name an address of this machine only, such as inet:8899@127.0.0.1: whoever "
	  "reaches it can hand in mail past the mail server" },
	{ "effect", look_effect, "nobody is refused until it is refuse or full, and "
	  "nothing else is done until it is full" },
	{ "state_dir", look_state, "it must exist, and only the daemon's user may write to it" },
	{ "spill_dir", look_spill, "it must exist: large messages are kept in it while rules run" },
	{ "rules_dir", look_rules, "it must exist, the daemon's user must be able to enter it, and neither group nor "
	  "others may write to it" },
	{ "secret_file", look_secret, "the daemon's user must be able to read it, or to make it, and nobody else (chmod 600): "
	  "whoever reads it can make bounce addresses and file into folders" },
	{ "copy_to", look_copy, "without a port for copies, edits that are not the same for all recipients are left out" },
	{ "quarantine_to", look_quarantine, "without it a message is held only if all its recipients put it in "
	  "quarantine; otherwise recipients whose rules do so keep it, marked" },
	{ NULL, NULL, NULL }
};
