/* access.h - what somebody else may do with a file
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_ACCESS_H
#define HOST_ACCESS_H

/* May that user do that, as access(2) has it: directories above, groups and whatever else there may be have their say.
 * 0, or errno; 0 also where it cannot be told: we are not root, or there is no such user. */
int access_as(const char *user, const char *path, int mode);

#endif
