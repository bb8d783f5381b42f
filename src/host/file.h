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
 * nobody writes. */
int file_read(int dirfd, const char *path, struct buf *, size_t max);
/* Is that a reason that may pass by itself (I/O, memory, descriptors)?  Then
 * a command ends with 75, else with 2. */
bool file_may_pass(int error);

#endif
