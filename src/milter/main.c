/* main.c - tamis-milter: each recipient's rules, while the sender is still connected
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <malloc.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "host/diag.h"
#include "host/log.h"
#include "host/moment.h"
#include "milter/milter.h"
#include "milter/places.h"

enum {
	STACK_SIZE = 1 << 20,           /* of a thread; the engine recurses over nesting alone, which is limited */
	ARENAS = 4                      /* of malloc: threads come and go */
};

struct options {
	const char *conf;
	bool foreground, check;
};

/* --- signals: a handler writes the signal's number, the main thread reads it */

static int signal_pipe[2];

static void
on_signal(int number)
{
	unsigned char byte = (unsigned char)number;
	int error = errno;

	/* a full pipe means that there is enough to do already */
	if (write(signal_pipe[1], &byte, 1) < 0)
		errno = error;
	errno = error;
}

/* The main thread is the only one that does not block them: libmilter's own does not get any (milter.c). */
static int
main_signals(void)
{
	static const int numbers[] = { SIGHUP, SIGUSR1, SIGTERM, SIGINT };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigaction(numbers[i], &action, NULL);
	/* a file that may not grow is an error of write(), not our end */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return 0;
}

static int
main_next_signal(void)
{
	struct pollfd p = { .fd = signal_pipe[0], .events = POLLIN };
	unsigned char byte;

	while (poll(&p, 1, -1) < 0 && errno == EINTR)
		;
	return read(signal_pipe[0], &byte, 1) == 1 ? byte : 0;
}

/* --- the process */

/* Who starts us may have closed these: what would be opened in their place is no place for messages. */
static void
main_standard(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
		;
	if (fd >= 0)
		close(fd);
}

static int
main_wrong(const char *what, const char *why)
{
	fprintf(stderr, "tamis-milter: %s: %s\n", what, why);
	return EX_CONFIG;
}

static int
main_stays(const char *name, int error)
{
	fprintf(stderr, "tamis-milter: user %s: %s%s\n", name, strerror(error),
	        error == EPERM && geteuid() != 0 ? ": root may start it, which then becomes that user" : "");
	return EX_CONFIG;
}

/* What was bound and read as root is kept; the rest is done as that user. */
static int
main_become(const char *name)
{
	const struct passwd *user;

	if (!*name)
		return 0;
	user = getpwnam(name);
	if (!user)
		return main_wrong(name, "there is no such user any more");
	if (geteuid() == user->pw_uid)
		return 0;
	if (initgroups(name, user->pw_gid) < 0 || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0)
		return main_stays(name, errno);
	return 0;
}

/* The start failed: what was not written to is nobody's. */
static void
main_pid_forget(const char *path)
{
	struct stat st;

	if (*path && lstat(path, &st) == 0 && S_ISREG(st.st_mode) && !st.st_size)
		unlink(path);
}

/* Is another daemon about to write to it? */
static bool
main_pid_locked(const char *path)
{
	int fd = *path ? open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
	bool locked = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;

	if (fd >= 0)
		close(fd);
	return locked;
}

/* The parent stays until the child serves, so that who started us learns whether it went well.  It may still do what the
 * child cannot as `user`. */
static int
main_background(const struct conf *conf)
{
	int ready[2], null;
	char byte;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid < 0)
		return -1;
	if (pid > 0) {
		close(ready[1]);
		if (read(ready[0], &byte, 1) == 1)
			_exit(EXIT_SUCCESS);
		if (!main_pid_locked(conf->pid_file))
			main_pid_forget(conf->pid_file);
		_exit(EX_CONFIG);
	}
	close(ready[0]);
	setsid();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
	}
	return ready[1];
}

/* Told that we serve; from here on nobody reads standard error, unless it is the log. */
static void
main_ready(int fd, bool log_stderr)
{
	int null;

	if (fd < 0)
		return;
	if (write(fd, "", 1) < 0)
		log_line(LOG_WARNING, NULL, "error=%s", "the process that started this one is gone");
	close(fd);
	null = log_stderr ? -1 : open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null >= 0)
		dup2(null, STDERR_FILENO);
}

/* Opened by who starts us, who may be root, and never through a link.  Until it is written it is another daemon's; from here
 * on it is locked as long as we run. */
static int
main_pid_open(const char *path, int *ret_fd)
{
	int fd = *path ? open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644) : -1;
	struct stat st;

	if (*path && fd < 0)
		return main_wrong(path, strerror(errno));
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		return main_wrong(path, "there is something of that name that is no file; remove it, or leave pid_file empty");
	}
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
		close(fd);
		return main_wrong(path, "it is the pid_file of another tamis-milter, which runs; each has one of its own");
	}
	*ret_fd = fd;
	return 0;
}

/* When nobody else has our state: a daemon that has ended since took its own file away. */
static int
main_pid_write(const char *path, int fd)
{
	struct stat st;
	int rc = 0;

	if (!*path)
		return 0;
	if (fstat(fd, &st) == 0 && !st.st_nlink) {
		close(fd);
		rc = main_pid_open(path, &fd);
	}
	if (rc == 0 && (ftruncate(fd, 0) < 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0))
		rc = main_wrong(path, strerror(errno));
	return rc;
}

/* The start failed: what we made goes, and what another daemon has stays. */
static void
main_undo(const struct conf *conf, int pid_fd)
{
	milter_close(conf);
	if (pid_fd >= 0)
		main_pid_forget(conf->pid_file);
}

/* --- serving */

static void *
main_serve(void *arg)
{
	struct daemon *d = arg;

	milter_serve();
	log_line(LOG_ERR, NULL, "error=%s", "libmilter stopped serving; to be started again");
	atomic_store(&d->lost, true);
	kill(getpid(), SIGTERM);
	return NULL;
}

/* Messages at their end are finished; all others the server is told to retry by our absence. */
static void
main_drain(struct daemon *d, const struct conf *conf)
{
	int64_t until = moment_clock() + (int64_t)conf->drain_seconds * 1000;

	while (atomic_load(&d->ending) && moment_clock() < until)
		usleep(20000);
	if (atomic_load(&d->ending))
		log_line(LOG_WARNING, NULL, "stop=%s messages=%u", "some messages did not end in time",
		         atomic_load(&d->ending));
	/* libmilter may still be writing the last verdict */
	usleep(50000);
}

static int
main_loop(struct daemon *d, const struct conf *conf)
{
	static const char *const modes[] = { [CONF_EDGE] = "edge", [CONF_FINAL] = "final", [CONF_STRIP] = "strip" };
	pthread_attr_t attr;
	pthread_t thread;
	int number;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_setattr_default_np(&attr);
	if (log_start() < 0 || pthread_create(&thread, &attr, main_serve, d))
		return main_wrong("threads", "cannot be made");
	pthread_attr_destroy(&attr);
	log_line(LOG_NOTICE, NULL, "start=%s version=%s socket=%s mode=%s", d->conf_path, tamis_version(), conf->socket,
	         modes[conf->mode]);
	while ((number = main_next_signal()) != SIGTERM && number != SIGINT)
		if (number)
			daemon_reload(d);
	atomic_store(&d->stopping, true);
	log_line(LOG_NOTICE, NULL, "stop=%s messages=%u", number == SIGINT ? "SIGINT" : "SIGTERM", atomic_load(&d->ending));
	/* libmilter would hear of it up to five seconds later, and go on accepting: nobody finds us from here on */
	milter_close(conf);
	main_drain(d, conf);
	daemon_tell_points(d);
	return atomic_load(&d->lost) ? EX_TEMPFAIL : EXIT_SUCCESS;
}

/* What the state has to say of an earlier daemon belongs in the log. */
static int
main_init(struct daemon *d, const struct options *o, struct conf *take_conf, struct diag *diag)
{
	log_open(take_conf->log_stderr, take_conf->log_facility, "tamis-milter");
	return daemon_init(d, o->conf, take_conf, diag);
}

static int
main_daemon(struct daemon *d, const struct options *o, struct conf *take_conf, struct diag *diag)
{
	struct conf *conf = conf_ref(take_conf);
	int ready = -1, pid = -1, rc = EX_CONFIG;

	mallopt(M_ARENA_MAX, ARENAS);
	if (!o->foreground && (ready = main_background(conf)) < 0)
		rc = main_wrong("background", strerror(errno));
	else if (main_signals() < 0 || milter_open(d, conf) < 0)
		conf_unref(take_conf);
	else if (main_pid_open(conf->pid_file, &pid) || main_become(conf->user)) {
		conf_unref(take_conf);
		main_undo(conf, pid);
	} else if (main_init(d, o, take_conf, diag) < 0 || main_pid_write(conf->pid_file, pid)) {
		main_undo(conf, pid);
	} else {
		main_ready(ready, conf->log_stderr);
		rc = main_loop(d, conf);
		/* sessions that still wait for their server go with the process, and so do rules at RCPT TO or the header */
		daemon_stop(d);
		log_close();
		if (*conf->pid_file)
			unlink(conf->pid_file);
		_exit(rc);
	}
	conf_unref(conf);
	return rc;
}

/* --- the command line */

static int
main_usage(FILE *out)
{
	fprintf(out,
	        "usage: tamis-milter [-c FILE] [-f] [-n]\n\n"
	        "  -c, --conf FILE     configuration (default: %s)\n"
	        "  -f, --foreground    stay there, do not become a daemon\n"
	        "  -n, --check         check configuration and site rules, and exit\n"
	        "  -V, --version\n"
	        "  -h, --help\n\n"
	        "tamis conf shows the settings, tamis-milter(8) tells the rest.\n", conf_standard_path());
	return out == stdout ? EXIT_SUCCESS : EX_USAGE;
}

static int
main_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "conf", required_argument, NULL, 'c' }, { "foreground", no_argument, NULL, 'f' },
		{ "check", no_argument, NULL, 'n' }, { "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:fnVh", longs, NULL)) != -1) {
		switch (c) {
		case 'c': o->conf = optarg; break;
		case 'f': o->foreground = true; break;
		case 'n': o->check = true; break;
		case 'V': printf("tamis-milter %s\n", tamis_version()); return EXIT_SUCCESS;
		case 'h': return main_usage(stdout);
		default: return main_usage(stderr);
		}
	}
	/* a variable of a script that is not set: without any file all of it would be as it comes */
	if (!*o->conf) {
		fprintf(stderr, "tamis-milter: -c names no file\n");
		return main_usage(stderr);
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "tamis-milter: unexpected operand \"%s\"\n", argv[optind]);
	return main_usage(stderr);
}

static void
main_no_name(const struct conf *conf, struct diag *diag, const char *setting, const char *name, const char *what, const char *hint)
{
	struct buf b = { 0 };

	buf_printf(&b, "\"%s\" of '%s': there is no such %s", name, setting, what);
	buf_putc(&b, '\0');
	conf_report(conf, diag, setting, hint, b.s);
	buf_done(&b);
}

/* Names that mean nothing on this machine. */
static bool
main_check_names(const struct conf *conf, struct diag *diag)
{
	const bool user = !*conf->user || getpwnam(conf->user), group = !*conf->socket_group || getgrnam(conf->socket_group);

	if (!user)
		main_no_name(conf, diag, "user", conf->user, "user", "useradd --system makes one");
	if (!group)
		main_no_name(conf, diag, "socket_group", conf->socket_group, "group", "groupadd --system makes one");
	return user && group;
}

/* The daemon reads them as its user, and so do we: whose they are, and who may read them, is not the same to root. */
static bool
main_check_rules(const struct conf *conf, struct rulebook *rules, struct diag *diag)
{
	int status;
	pid_t pid = geteuid() == 0 && *conf->user && getpwnam(conf->user) ? fork() : -1;

	if (pid < 0)
		return rulebook_check(rules, diag) == 0;
	if (pid == 0) {
		bool fine = main_become(conf->user) == 0 && rulebook_check(rules, diag) == 0;

		fflush(diag->out);
		_exit(fine ? EXIT_SUCCESS : EX_CONFIG);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

/* Everything, whatever else is wrong. */
static int
main_check(const char *path, struct diag *diag)
{
	bool wrong;
	struct conf *conf = conf_try(path, diag, &wrong);
	struct rulebook *rules = rulebook_new(conf, NULL);
	const bool meant = !wrong;

	wrong |= !main_check_rules(conf, rules, diag);
	wrong |= !main_check_names(conf, diag);
	/* of a setting that is wrong nobody knows which place was meant */
	if (meant)
		places_check(conf, diag);
	rulebook_free(rules);
	conf_unref(conf);
	return wrong ? EX_CONFIG : EXIT_SUCCESS;
}

static int
main_start(const struct options *o, struct diag *diag)
{
	static struct daemon daemon;
	struct conf *conf = conf_load(o->conf, diag);

	/* what is wrong with it has been said */
	if (conf && main_check_names(conf, diag))
		return main_daemon(&daemon, o, conf, diag);
	conf_unref(conf);
	return EX_CONFIG;
}

int
main(int argc, char **argv)
{
	struct options o = { .conf = conf_standard_path() };
	struct diag diag;
	int rc;

	main_standard();
	rc = main_options(argc, argv, &o);
	if (rc >= 0)
		return rc;
	diag_init(&diag, stderr);
	rc = o.check ? main_check(o.conf, &diag) : main_start(&o, &diag);
	diag_done(&diag);
	return rc;
}
