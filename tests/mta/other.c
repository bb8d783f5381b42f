/* other.c - a milter that changes what it is told to: what may stand before tamis-milter
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: other unix:PATH WHAT=ARGUMENT[|ARGUMENT]...
 *
 * At the end of each message: insert=NAME|VALUE, drop=NAME|INDEX, body=TEXT, add=ADDRESS, take=ADDRESS, sender=ADDRESS,
 * hold=REASON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmilter/mfapi.h>

static char **changes;

static int
change(SMFICTX *smfi, const char *what, char *first, char *second)
{
	if (!strcmp(what, "insert"))
		return smfi_insheader(smfi, 0, first, second);
	if (!strcmp(what, "drop"))
		return smfi_chgheader(smfi, first, atoi(second), NULL);
	if (!strcmp(what, "body"))
		return smfi_replacebody(smfi, (unsigned char *)first, (int)strlen(first));
	if (!strcmp(what, "add"))
		return smfi_addrcpt(smfi, first);
	if (!strcmp(what, "take"))
		return smfi_delrcpt(smfi, first);
	if (!strcmp(what, "sender"))
		return smfi_chgfrom(smfi, first, NULL);
	if (!strcmp(what, "hold"))
		return smfi_quarantine(smfi, first);
	return MI_FAILURE;
}

static sfsistat
at_end(SMFICTX *smfi)
{
	for (char **c = changes; *c; c++) {
		char text[1000], *first, *second;

		snprintf(text, sizeof text, "%s", *c);
		first = strchr(text, '=');
		if (!first)
			return SMFIS_TEMPFAIL;
		*first++ = '\0';
		second = strchr(first, '|');
		if (second)
			*second++ = '\0';
		if (change(smfi, text, first, second ? second : first) != MI_SUCCESS)
			return SMFIS_TEMPFAIL;
	}
	return SMFIS_CONTINUE;
}

int
main(int argc, char **argv)
{
	struct smfiDesc d = {
		.xxfi_name = "other", .xxfi_version = SMFI_VERSION, .xxfi_eom = at_end,
		.xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_CHGBODY | SMFIF_ADDRCPT | SMFIF_DELRCPT | SMFIF_QUARANTINE |
		              SMFIF_CHGFROM,
	};

	if (argc < 2)
		return 64;
	changes = argv + 2;
	if (smfi_setconn(argv[1]) != MI_SUCCESS || smfi_register(d) != MI_SUCCESS)
		return 78;
	return smfi_main();
}
