/* transfer.c - undoing transfer encodings: base64, quoted-printable, "Q"
 * SPDX-License-Identifier: BSD-2-Clause */
#include "mail/transfer.h"

/* values 0 to 63; BLANK, PAD and OTHER have a bit above those */
enum { BLANK = 64, PAD = 65, OTHER = 128 };

#define O8 OTHER, OTHER, OTHER, OTHER, OTHER, OTHER, OTHER, OTHER
#define O16 O8, O8

static const unsigned char base64_value[256] = {
	OTHER, OTHER, OTHER, OTHER, OTHER, OTHER, OTHER, OTHER,
	OTHER, BLANK, BLANK, OTHER, OTHER, BLANK, OTHER, OTHER, O16,
	BLANK, OTHER, OTHER, OTHER, OTHER, OTHER, OTHER, OTHER,
	OTHER, OTHER, OTHER, 62, OTHER, OTHER, OTHER, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, OTHER, OTHER, OTHER, PAD, OTHER, OTHER,
	OTHER, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, OTHER, OTHER, OTHER, OTHER, OTHER,
	OTHER, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, OTHER, OTHER, OTHER, OTHER, OTHER,
	O16, O16, O16, O16, O16, O16, O16, O16
};

/* Whole groups of four; stops at the first byte that is no digit. */
static size_t
base64_groups(char **dst, const unsigned char *p, size_t len)
{
	const unsigned char *start = p, *end = p + len;
	char *d = *dst;

	while (end - p >= 4) {
		uint32_t a = base64_value[p[0]], b = base64_value[p[1]];
		uint32_t c = base64_value[p[2]], e = base64_value[p[3]];
		uint32_t bits = a << 18 | b << 12 | c << 6 | e;

		if ((a | b | c | e) >= 64)
			break;
		d[0] = (char)(bits >> 16);
		d[1] = (char)(bits >> 8);
		d[2] = (char)bits;
		d += 3;
		p += 4;
	}
	*dst = d;
	return (size_t)(p - start);
}

/* The bytes that n leftover digits carry; one digit alone carries none. */
static char *
base64_flush(char *d, uint32_t bits, unsigned n, bool *clean)
{
	if (n == 1)
		*clean = false;
	if (n >= 2)
		*d++ = (char)(bits >> (n == 2 ? 4 : 10));
	if (n == 3)
		*d++ = (char)(bits >> 2);
	return d;
}

size_t
transfer_base64(char *dst, struct str v, bool *ret_clean)
{
	const unsigned char *p = (const unsigned char *)v.s, *end = p + v.len;
	uint32_t bits = 0, value;
	unsigned n = 0;
	char *d = dst;
	bool clean = true, padded = false;

	while (p < end) {
		if (n == 0 && !padded)
			p += base64_groups(&d, p, (size_t)(end - p));
		if (p == end)
			break;
		value = base64_value[*p++];
		if (value < 64) {
			clean = clean && !padded;
			bits = bits << 6 | value;
			if (++n == 4) {
				*d++ = (char)(bits >> 16);
				*d++ = (char)(bits >> 8);
				*d++ = (char)bits;
				n = 0;
			}
		} else if (value == PAD) {
			/* data may go on, though it should not: as if begun anew */
			clean = clean && (n >= 2 || padded);
			d = base64_flush(d, bits, n, &clean);
			n = 0;
			padded = true;
		} else if (value == OTHER) {
			clean = false;
		}
	}
	d = base64_flush(d, bits, n, &clean);
	*ret_clean = clean;
	return (size_t)(d - dst);
}

/* one more than the value; 0: no digit */
static const unsigned char hex_value[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8,
	['8'] = 9, ['9'] = 10, ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
	['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

/* The byte of the "=XX" at p, or -1 */
static inline int
hex_escape(const char *p, const char *end)
{
	unsigned high, low;

	if (end - p < 3)
		return -1;
	high = hex_value[(unsigned char)p[1]];
	low = hex_value[(unsigned char)p[2]];
	return high && low ? (int)((high - 1) << 4 | (low - 1)) : -1;
}

/* Length of "=", blanks and a line end, or of "=" and blanks at the very end */
static size_t
soft_break(const char *p, const char *end)
{
	const char *start = p++;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (p < end && *p == '\r')
		p++;
	if (p < end && *p != '\n')
		return 0;
	return (size_t)(p + (p < end) - start);
}

/* Blanks before a line end were added on the way (6.7 rule 3). */
static char *
copy_lines(char *d, const char *p, const char *end)
{
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl ? nl : end;
		const char *text = stop;

		if (nl) {
			text -= text > p && text[-1] == '\r';
			stop = text;
			while (text > p && (text[-1] == ' ' || text[-1] == '\t'))
				text--;
		}
		memmove(d, p, (size_t)(text - p));
		d += text - p;
		p = nl ? nl + 1 : end;
		memmove(d, stop, (size_t)(p - stop));
		d += p - stop;
	}
	return d;
}

size_t
transfer_quoted(char *dst, struct str v, bool *ret_clean)
{
	const char *p = v.s, *end = p + v.len;
	char *d = dst;
	bool clean = true;

	while (p < end) {
		const char *eq;
		int byte;
		size_t n;

		if (*p != '=') {
			eq = memchr(p, '=', (size_t)(end - p));
			d = copy_lines(d, p, eq ? eq : end);
			p = eq ? eq : end;
		} else if ((byte = hex_escape(p, end)) >= 0) {
			*d++ = (char)byte;
			p += 3;
		} else if ((n = soft_break(p, end)) > 0) {
			p += n;
		} else {
			*d++ = *p++;
			clean = false;
		}
	}
	*ret_clean = clean;
	return (size_t)(d - dst);
}

size_t
transfer_q(char *dst, struct str v, bool *ret_clean)
{
	const char *p = v.s, *end = p + v.len;
	char *d = dst;
	bool clean = true;
	int byte;

	while (p < end) {
		if (*p == '=') {
			byte = hex_escape(p, end);
			if (byte < 0)
				clean = false;
			*d++ = byte < 0 ? '=' : (char)byte;
			p += byte < 0 ? 1 : 3;
		} else {
			*d++ = *p == '_' ? ' ' : *p;
			p++;
		}
	}
	*ret_clean = clean;
	return (size_t)(d - dst);
}
