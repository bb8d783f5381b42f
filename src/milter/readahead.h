/* readahead.h - what a mail server sent at once is read at once, beneath libmilter
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * libmilter asks for each command's five bytes and then for its data, and asks poll() before each of these and once more
 * behind: five system calls a command, of which a message has twenty.  A mail server that wants no reply to most of them
 * sends them together.  So poll() fetches what is there, and read() hands out what was fetched: both are libmilter's, as are
 * accept() and close(), because a program's own functions come before those of libraries.  All other descriptors, whoever
 * asks, get what the system says. */
#ifndef MILTER_READAHEAD_H
#define MILTER_READAHEAD_H

/* Of connections that are accepted from that listener; -1: of none. */
void readahead_of(int listener);

#endif
