/* fuzz_message.c - any bytes as a message, under rules that look at all of it
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"

/* What one capability can look at or change; those that this build lacks are left out. */
static const struct {
	const char *capability, *rules;
} piece[] = {
	{ "variables",
	  "if header :matches \"subject\" \"*a*\" { set \"seen\" \"${1}\"; }\n"
	  "if address :localpart :matches [\"from\", \"to\"] \"*b*\" { set \"b\" \"${1}\"; }\n" },
	{ "regex",
	  "if header :regex [\"received\", \"x-spam\"] \"([a-z]+)[0-9]*\" { keep; }\n" },
	{ "relational",
	  "if header :count \"ge\" :comparator \"i;ascii-casemap\" [\"to\", \"cc\"] \"2\" { keep; }\n"
	  "if address :value \"lt\" \"from\" \"n\" { keep; }\n" },
	{ "index",
	  "if header :index 1 :last :contains \"received\" \"from\" { keep; }\n"
	  "if address :index 2 :is \"to\" \"a@example.org\" { keep; }\n" },
	{ "subaddress",
	  "if address :detail :contains [\"to\"] \"x\" { keep; }\n"
	  "if address :user :contains [\"from\", \"cc\"] \"a\" { keep; }\n" },
	{ "date",
	  "if date :is \"date\" \"iso8601\" \"2000\" { keep; }\n"
	  "if date :originalzone :contains \"received\" \"zone\" \"+02\" { keep; }\n" },
	{ "body",
	  "if body :text :contains [\"a\", \"money\"] { keep; }\n"
	  "if body :raw :contains \"--\" { keep; }\n"
	  "if body :content [\"text\", \"message/rfc822\", \"multipart\"] :contains \"b\" { keep; }\n" },
	{ "foreverypart",
	  "foreverypart {\n"
	  "  if header :contains \"content-type\" \"x\" { break; }\n"
	  "}\n" },
	{ "mime",
	  "if header :mime :anychild :type :is \"content-type\" \"text\" { keep; }\n"
	  "if header :mime :subtype :contains \"content-type\" \"html\" { keep; }\n"
	  "if header :mime :param \"filename\" :contains \"content-disposition\" \".exe\" { keep; }\n"
	  "if exists :mime \"content-id\" { keep; }\n" },
	{ "editheader",
	  "deleteheader :index 1 \"received\";\n"
	  "addheader \"X-Seen\" \"yes\";\n" },
	{ "vacation",
	  "vacation :days 1 \"away\";\n" },
};

/* what needs no capability, after the require */
static const char plain[] =
	"if exists [\"subject\", \"from\"] { keep; }\n"
	"if header :contains [\"subject\", \"x-spam\"] [\"a\", \"money\", \"b\"] { keep; }\n"
	"if address :all :contains [\"from\", \"to\", \"cc\", \"bcc\", \"sender\", \"reply-to\"] \"a@\" { keep; }\n"
	"if address :domain :is [\"from\", \"to\"] \"example.org\" { keep; }\n"
	"if size :over 1K { keep; }\n"
	"keep;\n";

static bool
have(const char *capability)
{
	struct tamis_word word;

	for (size_t i = 0; tamis_word(i, &word); i++)
		if (!strcmp(word.kind, "extension") && !strcmp(word.name, capability))
			return true;
	return false;
}

static struct tamis_program *
compile(void)
{
	struct tamis_host host = fuzz_host(NULL);
	char rules[8192];
	size_t n = (size_t)snprintf(rules, sizeof rules, "require [\"envelope\"");

	for (size_t i = 0; i < sizeof piece / sizeof *piece; i++)
		if (have(piece[i].capability))
			n += (size_t)snprintf(rules + n, sizeof rules - n, ", \"%s\"", piece[i].capability);
	n += (size_t)snprintf(rules + n, sizeof rules - n, "];\n%s", plain);
	for (size_t i = 0; i < sizeof piece / sizeof *piece; i++)
		if (have(piece[i].capability))
			n += (size_t)snprintf(rules + n, sizeof rules - n, "%s", piece[i].rules);
	FUZZ_CHECK(n < sizeof rules);
	return tamis_compile(&host, FUZZ_TEXT("fixed"), (struct tamis_text){ rules, n }, TAMIS_RESIDENT);
}

/* Compiled once: what is fuzzed is the message. */
static struct tamis_program *program;

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tamis_text raw = { size ? (const char *)data : "", size };
	struct fuzz_result header, whole;

	if (!program)
		program = compile();
	FUZZ_CHECK(program);
	fuzz_run(program, raw, TAMIS_HEADER, &header);
	fuzz_run(program, raw, TAMIS_BODY, &whole);
	/* "size" is among the first tests */
	FUZZ_CHECK(header.status == TAMIS_UNDECIDED || header.limited);
	fuzz_result_done(&header);
	fuzz_result_done(&whole);
	return 0;
}
