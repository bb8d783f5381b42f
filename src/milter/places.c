/* places.c - what a start would trip over, told without one
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who asks may be somebody else than who will start the daemon: what he may not do himself says nothing then.  What is
 * not there is not there for anybody. */
#include "milter/places.h"

#include <errno.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/access.h"
#include "host/diag.h"
#include "host/secret.h"
#include "host/text.h"
#include "milter/listen.h"

/* The daemon's user, or who starts it, who may be root: socket and pid_file are opened by him. */
enum who { USER, STARTER };

enum { READ = R_OK | X_OK, WRITE = W_OK | X_OK };        /* of a directory */

struct places {
	const struct conf *conf;
	struct diag *diag;
	struct arena arena;
};

/* --- asking */

/* Are we, or can we ask as, that one? */
static bool
place_is_ours(const struct conf *c, enum who who)
{
	const struct passwd *user = who == USER && *c->user ? getpwnam(c->user) : NULL;

	return geteuid() == 0 || (user && user->pw_uid == geteuid());
}

/* 0, or errno. */
static int
place_error(const struct conf *c, enum who who, const char *path, int mode)
{
	int error;

	if (who == USER && *c->user && geteuid() == 0)
		error = access_as(c->user, path, mode);
	else
		error = access(path, mode) < 0 ? errno : 0;
	return (error == EACCES || error == EPERM) && !place_is_ours(c, who) ? 0 : error;
}

static void
place_warn(struct places *p, const char *path, const char *why, const char *hint)
{
	struct tamis_diagnostic d = { .severity = TAMIS_WARNING, .place.file = text_from(path), .text = why, .hint = hint };

	diag_report(p->diag, &d);
}

/* True: it is one, and may be written. */
static bool
place_directory(struct places *p, enum who who, const char *path, int mode, const char *hint)
{
	/* of a file in its place that it is no directory is an error only so */
	int error = place_error(p->conf, who, arena_printf(&p->arena, "%s/.", path).s, mode);

	if (error)
		place_warn(p, path, strerror(error), hint);
	return !error;
}

/* True: what is there a start neither opens nor replaces. */
static bool
place_taken(struct places *p, const char *path, mode_t type, const char *why, const char *hint)
{
	struct stat st;

	if (lstat(path, &st) < 0 || (st.st_mode & S_IFMT) == type)
		return false;
	place_warn(p, path, why, hint);
	return true;
}

/* The directory in which it is made. */
static const char *
place_above(struct places *p, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return ".";
	return arena_str(&p->arena, (struct str){ path, slash == path ? 1 : (size_t)(slash - path) }).s;
}

/* --- each */

#define WITHOUT ": the daemon makes no directories, and does not start without this one"
#define NO_FILE "there is something of that name that is no file"

/* What is there of an earlier daemon, perhaps of one of another user. */
static void
check_state(struct places *p)
{
	static const char *const names[] = { "journal", "journal.lock", "slots" };
	const char *directory = p->conf->state_dir;

	if (!place_directory(p, USER, directory, READ | WRITE, "it is state_dir, which the daemon's user reads and writes" WITHOUT))
		return;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *path = arena_printf(&p->arena, "%s/%s", directory, names[i]).s;
		int error = place_error(p->conf, USER, path, R_OK | W_OK);

		if (place_taken(p, path, S_IFREG, NO_FILE, "it is of state_dir, whose files the daemon makes: remove it"))
			continue;
		if (error && error != ENOENT)
			place_warn(p, path, strerror(error), "it is of state_dir, and another user's: the daemon does not start with it");
	}
}

static void
check_secret(struct places *p)
{
	const char *path = p->conf->secret_file, *directory;
	int error = *path ? place_error(p->conf, USER, path, R_OK) : 0;
	struct stat st;

	if (error == ENOENT && lstat(path, &st) == 0) {
		place_warn(p, path, "it is a link to what is not there", "it is secret_file: the daemon makes none behind a link, and does not start");
	} else if (error == ENOENT) {
		directory = place_above(p, path);
		if (strcmp(directory, p->conf->state_dir) != 0)
			place_directory(p, USER, directory, READ | WRITE, "secret_file is to be made there by the daemon's user" WITHOUT);
	} else if (error) {
		place_warn(p, path, strerror(error), "it is secret_file, which the daemon's user has to read: without, the daemon does not start");
	} else if (!*path || stat(path, &st) < 0) {
		return;
	} else if (S_ISDIR(st.st_mode)) {
		place_warn(p, path, strerror(EISDIR), "it is secret_file: with a directory in its place the daemon does not start");
	} else if ((S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode)) && st.st_size < SECRET_SIZE) {
		place_warn(p, path, "it has less than 32 bytes", "it is secret_file; remove it to have a new one made");
	} else if (S_ISREG(st.st_mode) && st.st_mode & (S_IROTH | S_IWOTH)) {
		place_warn(p, path, "everybody may read or write it", "it is secret_file, from which addresses and names are made that nobody "
		           "else shall make: take others' rights away (chmod o=)");
	}
}

static void
check_pid(struct places *p)
{
	const char *path = p->conf->pid_file;
	int error = *path ? place_error(p->conf, STARTER, path, W_OK) : 0;

	if (*path && place_taken(p, path, S_IFREG, NO_FILE, "it is pid_file: without it the daemon does not start"))
		return;
	if (error == ENOENT)
		place_directory(p, STARTER, place_above(p, path), WRITE, "pid_file is to be made there" WITHOUT);
	else if (error)
		place_warn(p, path, strerror(error), "it is pid_file: without it the daemon does not start");
}

static void
check_socket(struct places *p)
{
	const char *path = listen_unix_path(p->conf), *why = listen_inet_wrong(p->conf);

	if (why)
		place_warn(p, p->conf->socket, why, "it is socket, whose host has to be a name or an address of this machine: the daemon does not start");
	if (path && !place_taken(p, path, S_IFSOCK, "there is something of that name that is no socket",
	                         "it is socket, whose path the daemon leaves to what is there: it does not start"))
		place_directory(p, STARTER, place_above(p, path), WRITE, "the socket is to be made there" WITHOUT);
}

/* It may come later, and most messages need no room there. */
static void
check_spill(struct places *p)
{
	if (p->conf->mode != CONF_STRIP)
		place_directory(p, USER, p->conf->spill_dir, WRITE, "it is spill_dir: as long as nothing can be written there, messages over "
		                "max_memory whose body is needed are told to come again");
}

/* The start reads them before it becomes that user, who reads them at a reload. */
static void
check_again(struct places *p, const char *path, const char *hint)
{
	struct stat st;
	int error = *path && stat(path, &st) == 0 && S_ISREG(st.st_mode) ? place_error(p->conf, USER, path, R_OK) : 0;

	if (error)
		place_warn(p, path, strerror(error), hint);
}

void
places_check(const struct conf *conf, struct diag *diag)
{
	struct places p = { .conf = conf, .diag = diag };

	arena_init(&p.arena, 0);
	check_again(&p, conf_path(conf), "the daemon's user reads the configuration at each reload, which fails");
	check_again(&p, conf->users, "it is users, which the daemon's user reads at each reload: that fails");
	check_socket(&p);
	check_pid(&p);
	check_state(&p);
	check_secret(&p);
	check_spill(&p);
	arena_done(&p.arena);
}
