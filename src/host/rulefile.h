/* rulefile.h - a user's files, below a directory that they never leave
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * `root` is an absolute path that an administrator chose, `name` a path below it, parts of which others did.  No part of
 * it may be a symbolic link.  A file counts only if root, this process or the owner of its directory owns it, and nobody
 * else may write it. */
#ifndef HOST_RULEFILE_H
#define HOST_RULEFILE_H

#include <sys/stat.h>
#include <time.h>

#include "base/buf.h"

enum rulefile_result {
	RULEFILE_TROUBLE = -2,          /* it cannot be told now: errno */
	RULEFILE_REFUSED = -1,          /* it does not count: why */
	RULEFILE_NONE = 0,
	RULEFILE_FINE = 1
};

/* What of a file changes when it does. */
struct rulefile_stamp {
	bool there;
	bool marked;                    /* by rulefile_forget() */
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

/* The text is appended; of a file longer than `max` one byte more than that. */
enum rulefile_result rulefile_read(const char *root, const char *name, size_t max, struct buf *text,
                                   struct rulefile_stamp *ret_stamp, const char **ret_why);
/* FINE or NONE, of whatever is there; or TROUBLE.  In one step and without judgement: what has the same stamp as a file
 * that was read is that file. */
enum rulefile_result rulefile_stat(const char *root, const char *name, struct rulefile_stamp *ret_stamp);
/* The same of "ROOT/NAME". */
enum rulefile_result rulefile_stat_path(const char *path, struct rulefile_stamp *ret_stamp);
/* The same file or directory, whatever is in it now? */
bool rulefile_is(const struct rulefile_stamp *, const struct rulefile_stamp *);
bool rulefile_same(const struct rulefile_stamp *, const struct rulefile_stamp *);
/* So new that a second change could leave the same stamp? */
bool rulefile_young(const struct rulefile_stamp *, time_t read_at);
/* Can it be entered?  0, or an errno: ENOTDIR if it is something else. */
int rulefile_enter(const char *directory);
/* Is there such a directory? */
enum rulefile_result rulefile_directory(const char *root, const char *name);
/* All of it or nothing, for our eyes only.  0, or errno. */
int rulefile_write(const char *root, const char *name, struct str text);

enum { RULEFILE_AWAY = 60 };    /* seconds */
/* Of a file of ours, the copy of another that is away, or there again since then (0: nobody knows, or wants it removed):
 * marked as long as that one is away, and removed when it was so for longer than an editor takes to write it anew.  0, or errno. */
int rulefile_forget(const char *root, const char *name, bool away, time_t when);

/* "%d/%u.sieve" for a user: false if a part of it would be empty, too long or begin with ".". */
bool rulefile_expand(struct arena *, const char *template, struct str local, struct str domain, struct str *ret);

#endif
