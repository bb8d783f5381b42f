/* file.h - whole files, read safely
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_FILE_H
#define HOST_FILE_H

#include "base/buf.h"

/* Appends what can be read, up to `max` bytes in all.  0, or -1 with errno
 * (EFBIG: there is more). */
int file_read_fd(int fd, struct buf *, size_t max);
/* "-" is standard input; relative to dirfd unless that is AT_FDCWD.  Only
 * regular files, pipes and terminals; never blocks on opening a FIFO that
 * nobody writes: from where nothing came, ENXIO. */
int file_read(int dirfd, const char *path, struct buf *, size_t max);
/* As file_read(), for a daemon, which has more to do than to wait: ETIME if a
 * pipe is not at its end after LIMIT_PIPE_SECONDS. */
int file_read_soon(const char *path, struct buf *, size_t max);
/* of file_read_soon() */
const char *file_why(int error);
/* Is that a reason that may pass by itself (I/O, memory, descriptors)?  Then
 * a command ends with 75, else with 2. */
bool file_may_pass(int error);
/* For us alone, as long as it is open.  A daemon that ends has its locks for a moment longer than its pid_file: so long is
 * waited.  0, or -1 with errno: EWOULDBLOCK if somebody else has it. */
int file_lock(int fd);

#endif
