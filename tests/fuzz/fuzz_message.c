/* fuzz_message.c - any bytes as a message, under rules that look at all of it
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "fuzz.h"

static const char rules[] =
	"require [\"fileinto\", \"envelope\", \"body\", \"variables\", \"date\", \"index\", \"mime\",\n"
	"         \"foreverypart\", \"extracttext\", \"relational\", \"regex\", \"editheader\", \"subaddress\",\n"
	"         \"comparator-i;ascii-numeric\", \"vacation\"];\n"
	"if exists [\"subject\", \"from\"] { set \"seen\" \"1\"; }\n"
	"if header :matches \"subject\" \"*a*\" { set \"seen\" \"${1}\"; }\n"
	"if header :regex [\"received\", \"x-spam\"] \"([a-z]+)[0-9]*\" { set \"seen\" \"${1}\"; }\n"
	"if header :count \"ge\" :comparator \"i;ascii-numeric\" [\"to\", \"cc\"] \"2\" { set \"many\" \"1\"; }\n"
	"if header :index 1 :last :contains \"received\" \"from\" { set \"seen\" \"2\"; }\n"
	"if address :all :contains [\"from\", \"to\", \"cc\", \"bcc\", \"sender\", \"reply-to\"] \"a@\" { set \"a\" \"1\"; }\n"
	"if address :localpart :matches [\"from\", \"to\"] \"*b*\" { set \"b\" \"${1}\"; }\n"
	"if address :domain :is [\"from\", \"to\"] \"example.org\" { set \"c\" \"1\"; }\n"
	"if address :detail :contains [\"to\"] \"x\" { set \"d\" \"1\"; }\n"
	"if size :over 1K { set \"big\" \"1\"; }\n"
	"if date :value \"ge\" \"date\" \"iso8601\" \"2000\" { set \"new\" \"1\"; }\n"
	"if date :originalzone \"date\" \"zone\" \"+0200\" { set \"zone\" \"1\"; }\n"
	"if body :text :contains [\"a\", \"money\"] { set \"t\" \"1\"; }\n"
	"if body :raw :contains \"--\" { set \"r\" \"1\"; }\n"
	"if body :content [\"text\", \"message/rfc822\", \"multipart\"] :contains \"b\" { set \"u\" \"1\"; }\n"
	"foreverypart {\n"
	"  if header :mime :anychild :type :is \"content-type\" \"text\" { extracttext :first 20 \"text\"; }\n"
	"  if header :mime :subtype :contains \"content-type\" \"html\" { set \"html\" \"1\"; }\n"
	"  if header :mime :param \"filename\" :matches \"content-disposition\" \"*.exe\" { set \"exe\" \"${1}\"; }\n"
	"  if exists :mime \"content-id\" { set \"id\" \"1\"; }\n"
	"}\n"
	"addheader \"X-Seen\" \"${seen} ${a} ${b} ${text}\";\n"
	"deleteheader :index 1 \"received\";\n"
	"vacation :days 1 \"away\";\n"
	"fileinto \"${big}${new}x\";\n"
	"keep;\n";

/* Compiled once: what is fuzzed is the message. */
static struct tamis_program *program;

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tamis_text raw = { size ? (const char *)data : "", size };
	struct tamis_host host = fuzz_host(NULL);
	struct fuzz_result header, whole;

	if (!program)
		program = tamis_compile(&host, FUZZ_TEXT("fixed"), FUZZ_TEXT(rules), TAMIS_RESIDENT);
	FUZZ_CHECK(program);
	fuzz_run(program, raw, TAMIS_HEADER, &header);
	fuzz_run(program, raw, TAMIS_BODY, &whole);
	/* "size" is among the first tests */
	FUZZ_CHECK(header.status == TAMIS_UNDECIDED || header.limited);
	fuzz_result_done(&header);
	fuzz_result_done(&whole);
	return 0;
}
