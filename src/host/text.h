/* text.h - the engine's texts and our strings are the same thing
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_TEXT_H
#define HOST_TEXT_H

#include "base/str.h"
#include "tamis.h"

static inline struct str
text_str(struct tamis_text t)
{
	return (struct str){ t.s, t.len };
}

static inline struct tamis_text
text_of(struct str v)
{
	return (struct tamis_text){ v.s, v.len };
}

static inline struct tamis_text
text_from(const char *s)
{
	return (struct tamis_text){ s, strlen(s) };
}

#endif
