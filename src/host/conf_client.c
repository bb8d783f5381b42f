/* conf_client.c - addresses and networks of clients
 * SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>

#include "host/conf_table.h"

enum { ADDRESS_TEXT = 64 };             /* more than INET6_ADDRSTRLEN */

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

bool
conf_client_address(struct str ip, uint8_t ret[16])
{
	char text[ADDRESS_TEXT];

	if (str_istarts(ip, STR("IPv6:")))
		ip = str_sub(ip, 5, ip.len);
	if (!ip.len || ip.len >= sizeof(text) || memchr(ip.s, '\0', ip.len))
		return false;
	memcpy(text, ip.s, ip.len);
	text[ip.len] = '\0';
	if (inet_pton(AF_INET, text, ret + 12) == 1) {
		memcpy(ret, mapped, sizeof(mapped));
		return true;
	}
	return inet_pton(AF_INET6, text, ret) == 1;
}

/* the mask's byte i */
static unsigned
conf_client_mask(unsigned bits, unsigned i)
{
	return bits >= 8 * (i + 1) ? 0xff : bits <= 8 * i ? 0 : (0xff00u >> (bits - 8 * i)) & 0xff;
}

const char *
conf_client_parse(struct str v, struct conf_block *ret)
{
	ptrdiff_t slash = str_find(v, STR("/"));
	struct str ip = slash < 0 ? v : str_sub(v, 0, (size_t)slash);
	bool four = str_find(ip, STR(":")) < 0;
	uint64_t bits = four ? 32 : 128;
	unsigned i;

	if (!conf_client_address(ip, ret->address))
		return "is neither an IPv4 nor an IPv6 address, nor a network like 192.0.2.0/24";
	if (slash >= 0 && (!str_number(str_sub(v, (size_t)slash + 1, v.len), &bits) || bits > (four ? 32 : 128)))
		return four ? "has no prefix length from 0 to 32" : "has no prefix length from 0 to 128";
	ret->bits = (unsigned)bits + (four ? 96 : 0);
	for (i = 0; i < 16; i++)
		if (ret->address[i] & ~conf_client_mask(ret->bits, i) & 0xff)
			return "is an address within a network: shorten it to the network, or lengthen the prefix";
	return NULL;
}

bool
conf_client_in(const struct conf_block *block, const uint8_t address[16])
{
	unsigned i;

	for (i = 0; i < 16; i++)
		if ((address[i] ^ block->address[i]) & conf_client_mask(block->bits, i))
			return false;
	return true;
}
