/* unicode.c - one form for what can be written in several, by way of libunistring and libidn2
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include <idn2.h>
#include <uninorm.h>

#include "base/utf8.h"
#include "host/unicode.h"

bool
unicode_nfc(struct arena *a, struct str v, struct str *ret)
{
	uint8_t *form;
	size_t len;

	if (utf8_is_ascii(v)) {
		*ret = v;
		return true;
	}
	form = u8_normalize(UNINORM_NFC, (const uint8_t *)v.s, v.len, NULL, &len);
	if (!form)
		return false;
	*ret = arena_str(a, (struct str){ (const char *)form, len });
	free(form);
	return true;
}

bool
unicode_domain(struct arena *a, struct str v, struct str *ret)
{
	uint8_t *ascii;
	struct str text = arena_str(a, v);

	if (idn2_lookup_u8((const uint8_t *)text.s, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return false;
	*ret = arena_str(a, str_from((const char *)ascii));
	idn2_free(ascii);
	return true;
}
