/* journal.h - what left already, so that a retry does not send it twice
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The file "journal" of a directory, one line for each thing that was done:
 *
 *     K <digest> <seconds since 1970> <text for people>
 *     T <digest> <when it first failed> <how often; 0: it does not any more>
 *
 * Its end may be torn by a crash; a line counts when it is whole.  When somebody
 * removes it, puts it away or empties it, the next line makes a new one that has
 * all that is known.
 *
 * A system's clock that is set must not make lines old: seconds are those that
 * have gone by since the journal was opened.  If all that it had was too old
 * then, whether it is the clock or nothing was done for long, time goes on
 * from its newest line. */
#ifndef HOST_JOURNAL_H
#define HOST_JOURNAL_H

#include "base/str.h"

enum {
	JOURNAL_KEY = 32,               /* bytes: a SHA-256 */
	JOURNAL_TEXT_MAX = 200,         /* bytes of a text that are written */
	/* Keys that are remembered at the same time, and troubles.  Then the oldest quarter is forgotten, and the log
	 * says so: better a second copy, should one of them be retried, than mail that waits for days. */
	JOURNAL_ENTRIES_MAX = 1 << 20,
};

struct journal;                         /* may be used by many threads */

/* NULL: *ret_errno; EWOULDBLOCK: another process has it open.  Entries live for `days`. */
struct journal *journal_open(const char *directory, unsigned days, int *ret_errno);
struct journal *journal_close(struct journal *);
/* The process is about to end, though other threads may still use it: waits, for a while, for what is being written, then
 * a last attempt at what could not be. */
void journal_stop(struct journal *);

bool journal_has(struct journal *, const uint8_t key[JOURNAL_KEY]);
/* Then it has no key at all. */
bool journal_is_empty(struct journal *);
/* 0: it is on the disk, whatever happens next, and lives from now on, give or take a minute.  -1, errno: it is not, and
 * journal_has() will say so; or it was there before, and a new line of that length cannot be written now. */
int journal_add(struct journal *, const uint8_t key[JOURNAL_KEY], struct str text);
/* The same of what has happened already: what cannot be written journal_has() knows nevertheless until the process ends,
 * and the next line that can be written takes it along.  -1, errno: it is not on the disk yet. */
int journal_note(struct journal *, const uint8_t key[JOURNAL_KEY], struct str text);

/* An internal error befell that message once more.  True when it was the `times`-th, or the first is `seconds` ago:
 * then it is not held up any longer.  What cannot be written is counted all the same, until the process ends. */
bool journal_trouble(struct journal *, const uint8_t fingerprint[JOURNAL_KEY], unsigned times, unsigned seconds);
/* The same question, without counting. */
bool journal_troubled(struct journal *, const uint8_t fingerprint[JOURNAL_KEY], unsigned times, unsigned seconds);
/* It is over: the next one is the first.  What cannot be written is known until the process ends. */
void journal_calm(struct journal *, const uint8_t fingerprint[JOURNAL_KEY]);
/* Then there is none at all. */
bool journal_is_calm(struct journal *);

#endif
