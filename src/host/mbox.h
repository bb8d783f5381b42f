/* mbox.h - the messages of an mbox
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_MBOX_H
#define HOST_MBOX_H

#include "base/str.h"

struct mbox;

/* Is what begins with this text an mbox?  -1: that takes more of it. */
int mbox_begins(struct str text);
/* fd is borrowed; first: what has been read from it already (copied). */
struct mbox *mbox_new(int fd, struct str first);
struct mbox *mbox_free(struct mbox *);
/* 1: the next message, without its "From " line, valid until the next call,
 * and its number from 1; 0 at the end; -1: errno, once, then the end. */
int mbox_next(struct mbox *, struct str *ret, size_t *ret_number);
/* Bytes used so far and in all (0 when fd is no file). */
void mbox_progress(const struct mbox *, uint64_t *ret_done, uint64_t *ret_all);

#endif
