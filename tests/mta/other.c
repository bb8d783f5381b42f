/* other.c - a milter that changes or answers what it is told to: what may stand before tamis-milter, or behind it
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: other unix:PATH WHAT=ARGUMENT[|ARGUMENT]...
 *
 * At RCPT TO: turn=ADDRESS refuses him. At the end of each message: insert=NAME|VALUE, drop=NAME|INDEX, body=TEXT, add=ADDRESS, take=ADDRESS, sender=ADDRESS,
 * hold=REASON; then end=refuse, again, discard or die, the first N times only with end=WHAT|N. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmilter/mfapi.h>

static char **changes;
static int times;

/* Both servers hang up on who dies as on who is away. */
static sfsistat
answer(const char *what, const char *count)
{
	if (count != what && times++ >= atoi(count))
		return SMFIS_CONTINUE;
	if (!strcmp(what, "die"))
		_exit(1);
	return !strcmp(what, "refuse") ? SMFIS_REJECT : !strcmp(what, "discard") ? SMFIS_DISCARD : SMFIS_TEMPFAIL;
}

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
at_rcpt(SMFICTX *smfi, char **argument)
{
	(void)smfi;
	for (char **c = changes; *c; c++)
		if (!strncmp(*c, "turn=", 5) && !strcmp(*c + 5, argument[0]))
			return SMFIS_REJECT;
	return SMFIS_CONTINUE;
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
		if (!strcmp(text, "end"))
			return answer(first, second ? second : first);
		if (strcmp(text, "turn") && change(smfi, text, first, second ? second : first) != MI_SUCCESS)
			return SMFIS_TEMPFAIL;
	}
	return SMFIS_CONTINUE;
}

int
main(int argc, char **argv)
{
	struct smfiDesc d = {
		.xxfi_name = "other", .xxfi_version = SMFI_VERSION, .xxfi_envrcpt = at_rcpt, .xxfi_eom = at_end,
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
