/* test_milter_plan.c - what each effect becomes, under each setting
 * SPDX-License-Identifier: BSD-2-Clause */
#include "milter/daemon.h"

#include "milter_fixture.h"

struct planned {
	const char *name, *conf, *rules;
	struct mail mail;
	const char *expect;
};

#define DETAIL "fileinto_by = detail\n"
#define FIELD "fileinto_by = header\n"
#define BLANKS "                    "
#define E10 "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct planned planned[] = {
	/* --- folders */
	{ "a keep by a field needs none", FIELD, "a keep;", { .to = "a" }, "header: accept" },
	{ "the inbox by a field needs none", FIELD, "a fileinto \"INBOX\";", { .to = "a" }, "header: accept" },
	{ "flags by a field", FIELD, "a setflag \"\\\\Seen\"; fileinto \"X/Y z\";", { .to = "a" }, "top Tamis-File: [\\Seen] X/Y z | accept" },
	{ "flags of a keep by a field", FIELD, "a keep :flags \"$x\";", { .to = "a" }, "top Tamis-File: [$x] INBOX | accept" },
	{ "two folders by a field", FIELD, "a fileinto \"X\"; fileinto \"Y\";", { .to = "a" },
	  "copy s@example.net>a@example.org [Tamis-File] | top Tamis-File: [] X | accept" },
	{ "a folder that no field can hold", FIELD, "a fileinto \"X${hex:0a}Y\";", { .to = "a" }, "header: accept" },
	{ "blanks in a folder's name", FIELD, "a fileinto \"X" BLANKS BLANKS BLANKS BLANKS "Y\";", { .to = "a" },
	  "top Tamis-File: =?utf-8?B?W10gWCAgICAgICAgICAgICAg?=\n =?utf-8?B?ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg?=\n"
	  " =?utf-8?B?ICAgICAgICAgICAgICAgICAgICAgWQ==?= | accept" },
	{ "flags do not go by detail", DETAIL, "a setflag \"\\\\Seen\"; fileinto \"X\";", { .to = "a" },
	  "+a+X@example.org | -<a@example.org> | accept" },
	{ "the inbox by detail", DETAIL, "a fileinto \"inbox\";", { .to = "a" }, "header: accept" },
	{ "of a detail too", DETAIL, "a fileinto \"inbox\";", { .to = "a+x" }, "+a@example.org | -<a+x@example.org> | accept" },
	{ "a folder and a keep by detail", DETAIL, "a fileinto :copy \"X\";", { .to = "a" }, "+a+X@example.org | accept" },
	{ "all of the characters", DETAIL, "a fileinto \"aZ09_-\";", { .to = "a" }, "+a+aZ09_-@example.org | -<a@example.org> | accept" },
	{ "32 bytes", DETAIL, "a fileinto \"12345678901234567890123456789012\";", { .to = "a" },
	  "+a+12345678901234567890123456789012@example.org | -<a@example.org> | accept" },
	{ "33 bytes", DETAIL, "a fileinto \"123456789012345678901234567890123\";", { .to = "a" }, "header: accept" },
	{ "none", DETAIL, "a fileinto \"\";", { .to = "a" }, "header: accept" },
	{ "a dot", DETAIL, "a fileinto \"X.Y\";", { .to = "a" }, "header: accept" },
	{ "an at sign", DETAIL, "a fileinto \"X@evil.example\";", { .to = "a" }, "header: accept" },
	{ "no ASCII", DETAIL, "a fileinto \"X\xc3\xb6\";", { .to = "a" }, "header: accept" },
	{ "two that cannot be details come once", DETAIL, "a fileinto \"X.Y\"; addheader \"X-A\" \"1\"; fileinto \"Z.Y\";", { .to = "a" },
	  "top X-A: 1 | accept" },
	{ "the user's own address", DETAIL "localpart_case = fold\n", "a fileinto \"X\";", { .to = "A" },
	  "+a+X@example.org | -<A@example.org> | accept" },
	{ "a delimiter that is another", DETAIL "recipient_delimiter = -+\n", "a fileinto \"X\";", { .to = "a" },
	  "+a-X@example.org | -<a@example.org> | accept" },
	{ "a list's own address is somebody else's", DETAIL "recipient_delimiter = -\n", "a fileinto \"request\";", { .to = "a" },
	  "header: accept" },
	{ "and so is one with two delimiters", DETAIL "recipient_delimiter = -\n", "owner-a fileinto \"X\";", { .to = "owner-a" },
	  "header: accept" },
	{ "Sendmail splits at a plus", DETAIL "recipient_delimiter = -\nmta = sendmail\n", "a fileinto \"X\";", { .to = "a" },
	  "+a+X@example.org | -<a@example.org> | accept" },
	/* --- senders of redirects */
	{ "as it was", "", "a redirect \"x@example.net\";", { .to = "a" }, "+x@example.net | -<a@example.org> | accept" },
	{ "the user's", "redirect_sender = user\n", "a redirect \"x@example.net\";", { .to = "a+x" },
	  "+x@example.net | from <a@example.org> | -<a+x@example.org> | accept" },
	{ "none", "redirect_sender = null\n", "a redirect \"x@example.net\";", { .to = "a" },
	  "+x@example.net | from <> | -<a@example.org> | accept" },
	{ "none stays none", "redirect_sender = user\n", "a redirect \"x@example.net\";", { .to = "a", .from = "" },
	  "+x@example.net | -<a@example.org> | accept" },
	{ "one that SRS cannot carry stays", "redirect_sender = srs\nsrs_domain = srs.example.org\n", "a redirect \"x@example.net\";",
	  { .to = "a", .from = "s@[192.0.2.9]" }, "+x@example.net | -<a@example.org> | accept" },
	{ "nothing else changes sender", "redirect_sender = user\n", "a keep;", { .to = "a" }, "header: accept" },
	{ "a kept one beside it keeps his", "redirect_sender = user\n", "a redirect :copy \"x@example.net\";", { .to = "a" },
	  "copy a@example.org>x@example.net | accept" },
	/* --- an address that servers elsewhere take with SMTPUTF8 only */
	{ "asked for by a copy", "", "a redirect \"z\xc3\xbc@example.net\";", { .to = "a" },
	  "copy s@example.net>z\xc3\xbc@example.net | -<a@example.org> | accept" },
	{ "as the client asked for it", "", "a redirect \"z\xc3\xbc@example.net\";", { .to = "a", .args = { "SMTPUTF8" } },
	  "+z\xc3\xbc@example.net | -<a@example.org> | accept" },
	{ "of one who lives here the server knows", "", "a redirect \"z\xc3\xbc@EXAMPLE.org\";", { .to = "a" },
	  "+z\xc3\xbc@EXAMPLE.org | -<a@example.org> | accept" },
	{ "in another domain of ours as well", "local_domains = example.org, example.net\n", "a redirect \"z\xc3\xbc@example.net\";",
	  { .to = "a" }, "+z\xc3\xbc@example.net | -<a@example.org> | accept" },
	{ "a domain alone needs none", "", "a redirect \"z@b\xc3\xbc" "cher.example\";", { .to = "a" },
	  "+z@xn--bcher-kva.example | -<a@example.org> | accept" },
	/* --- which edits are the same */
	{ "equal ones, of rules that are not", "", "a addheader \"X-A\" \"1\";\nb if true { addheader \"X-A\" \"${hex:31}\"; }", { .to = "a b" },
	  "top X-A: 1 | accept" },
	{ "another value", "", "a addheader \"X-A\" \"1\";\nb addheader \"X-A\" \"2\";\nc addheader \"X-A\" \"2\";", { .to = "a b c" },
	  "copy s@example.net>a@example.org [X-A: 1] | top X-A: 2 | -<a@example.org> | accept" },
	{ "another name", "", "a addheader \"X-B\" \"1\";\nb addheader \"X-A\" \"1\";\nc addheader \"X-A\" \"1\";", { .to = "a b c" },
	  "copy s@example.net>a@example.org [X-B: 1] | top X-A: 1 | -<a@example.org> | accept" },
	{ "another place", "", "a addheader :last \"X-A\" \"1\";\nb addheader \"X-A\" \"1\";\nc addheader \"X-A\" \"1\";", { .to = "a b c" },
	  "copy s@example.net>a@example.org [X-A: 1] | top X-A: 1 | -<a@example.org> | accept" },
	{ "one more", "", "a addheader \"X-A\" \"1\"; addheader \"X-A\" \"1\";\nb addheader \"X-A\" \"1\";\nc addheader \"X-A\" \"1\";",
	  { .to = "a b c" }, "copy s@example.net>a@example.org [X-A: 1] [X-A: 1] | top X-A: 1 | -<a@example.org> | accept" },
	{ "names and values that run together", "", "a addheader \"X-A\" \"B1\";\nb addheader \"X-AB\" \"1\";\nc addheader \"X-AB\" \"1\";",
	  { .to = "a b c" }, "copy s@example.net>a@example.org [X-A: B1] | top X-AB: 1 | -<a@example.org> | accept" },
	{ "an edit behind the last delivery", "", "a keep; addheader \"X-A\" \"1\";\nb keep;", { .to = "a b" }, "header: accept" },
	{ "a redirect before and one behind", "", "a redirect \"x@example.net\"; addheader \"X-A\" \"1\"; redirect \"y@example.net\";",
	  { .to = "a" }, "copy s@example.net>y@example.net [X-A: 1] | +x@example.net | -<a@example.org> | accept" },
	/* --- quarantine */
	{ "held", "", "a quarantine \"x\";", { .to = "a" }, "top Tamis-Quarantine: \"x\" | quarantine x | accept" },
	{ "held as it came", "", "a addheader \"X-A\" \"1\"; quarantine;", { .to = "a" },
	  "top Tamis-Quarantine: \"\" | quarantine mail rules | accept" },
	{ "two reasons are told to the server alone", "", "a quarantine \"x\";\nb quarantine \"y\";\nc quarantine \"x\";\nd quarantine;",
	  { .to = "a b c d" }, "quarantine x; y | accept" },
	{ "a reason of one line, in ASCII", "", "a quarantine \" \xc3\xb6${hex:0a} 1\t2${hex:00}${hex:7f}%s \";", { .to = "a" },
	  "top Tamis-Quarantine: =?utf-8?B?IiDDtlxuIDFcdDJceDAwXHg3RiVzICI=?= | quarantine ? 1 2 ?%s | accept" },
	{ "put aside for one", "quarantine_to = q@example.org\n", "a quarantine \"x\";\nb keep;", { .to = "a+d b" },
	  "copy s@example.net>q@example.org [Tamis-Quarantine: <a+d@example.org> \"x\"] | -<a+d@example.org> | accept" },
	{ "for one, though he is as good as others", "quarantine_to = q@example.org\n", "a quarantine \"x\";\nb redirect \"a@example.org\";",
	  { .to = "a b" }, "top Tamis-Quarantine: \"x\" | quarantine x | -<b@example.org> | accept" },
	{ "filed as well", DETAIL "quarantine_to = q@example.org\n", "a fileinto \"X\"; quarantine \"x\";", { .to = "a" },
	  "copy s@example.net>q@example.org [Tamis-Quarantine: <a@example.org> \"x\"] | +a+X@example.org | -<a@example.org> | accept" },
	{ "many reasons", "", "a quarantine \"${hex:20 20}\";\nb quarantine \"x\";\nc quarantine \"x\";\nd quarantine \" \";\ne quarantine \"y\";",
	  { .to = "a b c d e" }, "quarantine x; y | accept" },
	{ "a long reason is cut", "quarantine_to = q@example.org\n", "a quarantine \"" X50 X50 X50 X50 "\";\nb keep;", { .to = "a b" },
	  "copy s@example.net>q@example.org [Tamis-Quarantine: <a@example.org> \"" X50 X50 X50 "xxxxxxxxxx\"] | -<a@example.org> | accept" },
	{ "not within a character", "quarantine_to = q@example.org\n", "a quarantine \"" X50 X50 X50 "xxxxxxxxx\xc3\xb6\";\nb keep;", { .to = "a b" },
	  "copy s@example.net>q@example.org [Tamis-Quarantine: <a@example.org> \"" X50 X50 X50 "xxxxxxxxx\"] | -<a@example.org> | accept" },
	{ "kept, without an address", "", "a quarantine \"x\";\nb keep;", { .to = "a b" },
	  "copy s@example.net>a@example.org [Tamis-Quarantine: \"x\"] | -<a@example.org> | accept" },
	{ "a refusal that comes late for another's quarantine", "quarantine_to = q@example.org\n",
	  "a quarantine \"x\";\nb if header \"subject\" \"hi\" { ereject \"no\"; }", { .to = "a b" },
	  "copy s@example.net>q@example.org [Tamis-Quarantine: <a@example.org> \"x\"] | top Tamis-Refused: \"no\" | "
	  "-<a@example.org> | accept" },
	/* --- our fields are ASCII, folded */
	{ "a reason", "", "a quarantine \"na\xc3\xafve =?x\";", { .to = "a" },
	  "top Tamis-Quarantine: =?utf-8?B?Im5hw692ZSA9P3gi?= | quarantine na?ve =?x | accept" },
	{ "one that needs more than a line, cut between characters", "", "a quarantine \"\xe2\x82\xac" E10 E10 "\";", { .to = "a" },
	  "top Tamis-Quarantine: =?utf-8?B?IuKCrOKCrOKCrOKCrOKCrOKCrOKCrOKCrOKCrOKCrA==?=\n =?utf-8?B?4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKsIg==?= | quarantine ????????????????????? | accept" },
	{ "words in ASCII stay, on lines of 78", "", "a quarantine \"" X50 " " X50 " y\";", { .to = "a" },
	  "top Tamis-Quarantine: \"" X50 "\n " X50 " y\" | quarantine " X50 " " X50 " y | accept" },
	{ "whoever is named in it", "quarantine_to = q@example.org\n", "\xc3\xb6 quarantine \"x\";\nb keep;", { .to = "\xc3\xb6 b" },
	  "copy s@example.net>q@example.org [Tamis-Quarantine: =?utf-8?B?PMO2QGV4YW1wbGUub3JnPg==?= \"x\"] | -<\xc3\xb6@example.org> | accept" },
	{ "what would be done", "effect = tag\n", "a fileinto \"Entw\xc3\xbcrfe\";", { .to = "a" },
	  "top Tamis-Would: fileinto =?utf-8?B?IkVudHfDvHJmZSI=?= | accept" },
	{ "the folder", FIELD, "a fileinto \"Post/Entw\xc3\xbcrfe 1\";", { .to = "a" }, "top Tamis-File: [] =?utf-8?B?UG9zdC9FbnR3w7xyZmU=?= 1 | accept" },
	/* --- what a script of the site delivers before the user's refuse */
	{ "a copy of the site's makes a refusal late", "site_before = %/site/copy.sieve\n", "a ereject \"no\";", { .to = "a" },
	  "copy s@example.net>a@example.org [Tamis-Refused: \"no\"] | +archive@example.net | -<a@example.org> | accept" },
	{ "of whichever kind", "site_before = %/site/copy.sieve\n", "a reject \"no\";\nb keep;", { .to = "a b" },
	  "copy s@example.net>a@example.org [Tamis-Refused: \"no\"] | +archive@example.net | -<a@example.org> | accept" },
	{ "and he is told who may be", "site_before = %/site/copy.sieve\nrefuse_late = bounce\nauthserv_id = mx.example.org\n",
	  "a ereject \"no\";", { .to = "a", .header = "Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=example.net\n" },
	  "copy >s@example.net [report] | +archive@example.net | -<a@example.org> | accept" },
	{ "so does a folder of the site's", DETAIL "site_before = %/site/folder.sieve\n", "a ereject \"no\";", { .to = "a" },
	  "copy s@example.net>a@example.org [Tamis-Refused: \"no\"] | +a+X@example.org | -<a@example.org> | accept" },
	{ "once, where there are no folders", "site_before = %/site/folder.sieve\n", "a ereject \"no\";", { .to = "a" },
	  "top Tamis-Refused: \"no\" | accept" },
	{ "what the site keeps for others is no copy", "site_before = %/site/copy.sieve\n", "a ereject \"no\";\narchive keep;",
	  { .to = "a archive@example.net" }, "copy s@example.net>a@example.org [Tamis-Refused: \"no\"] | -<a@example.org> | accept" },
	/* --- an error of the site's leaves the others as they are, and nobody is refused before the end */
	{ "an error of the site's, and refused at the end", "site_before = %/site/error.sieve\n", "a ereject \"no\";", { .to = "a" },
	  "550 5.7.1 no" },
	{ "one of the user's, and the site's refusal behind it", "site_after = %/site/refuse.sieve\n", "a ereject \"x\"; keep;", { .to = "a" },
	  "550 5.7.1 the site's" },
	{ "none, and the site refuses", "site_after = %/site/refuse.sieve\n", "a keep;", { .to = "a" }, "a: 550 5.7.1 the site's | header: accept" },
	/* --- who must be reachable is */
	{ "postmaster refuses nothing", "", "postmaster ereject \"no\";", { .to = "postmaster" }, "header: accept" },
	{ "nor discards", "", "postmaster discard;", { .to = "postmaster" }, "header: accept" },
	{ "in whatever letters", "", "postmaster discard;", { .to = "PostMaster" }, "header: accept" },
	{ "abuse as well", "", "abuse if header \"subject\" \"hi\" { ereject \"no\"; }", { .to = "abuse" }, "header: accept" },
	{ "but it may redirect", "", "abuse redirect \"x@example.net\";", { .to = "abuse" }, "+x@example.net | -<abuse@example.org> | accept" },
	{ "nor puts away", "", "postmaster quarantine \"x\";", { .to = "postmaster" }, "header: accept" },
	{ "but it may do so with a copy", "quarantine_to = q@example.org\n", "postmaster quarantine \"x\"; keep;", { .to = "postmaster" },
	  "copy s@example.net>q@example.org [Tamis-Quarantine: <postmaster@example.org> \"x\"] | accept" },
	{ "nor with a copy for somebody else", "", "postmaster redirect :copy \"x@example.net\"; quarantine \"x\";", { .to = "postmaster" },
	  "+x@example.net | accept" },
	{ "nor with a copy that leads to himself", "", "postmaster redirect :copy \"postmaster@example.org\"; quarantine \"x\";",
	  { .to = "postmaster" }, "accept" },
	{ "nor in the midst of others", "quarantine_to = q@example.org\n",
	  "postmaster redirect :copy \"x@example.net\"; quarantine \"x\";\nb keep;", { .to = "postmaster b" }, "+x@example.net | accept" },
	{ "but beside what is filed", DETAIL "quarantine_to = q@example.org\n", "postmaster fileinto \"X\"; quarantine \"x\";",
	  { .to = "postmaster" }, "copy s@example.net>q@example.org [Tamis-Quarantine: <postmaster@example.org> \"x\"] | "
	  "+postmaster+X@example.org | -<postmaster@example.org> | accept" },
	{ "the site may put away", "site_before = %/site/quarantine.sieve\n", "postmaster keep;", { .to = "postmaster" },
	  "top Tamis-Quarantine: \"the site's\" | quarantine the site's | accept" },
	{ "the site may discard", "site_before = %/site/discard.sieve\n", "postmaster keep;", { .to = "postmaster" },
	  "-<postmaster@example.org> | accept" },
	{ "in what its scripts include, too", "site_before = %/site/part.sieve\n", "postmaster keep;", { .to = "postmaster" },
	  "-<postmaster@example.org> | accept" },
	{ "and send away", "site_before = %/site/away.sieve\n", "postmaster keep;", { .to = "postmaster" },
	  "+archive@example.net | -<postmaster@example.org> | accept" },
	{ "behind the user's as well", "site_after = %/site/away.sieve\n", "postmaster addheader \"X-A\" \"1\";", { .to = "postmaster" },
	  "+archive@example.net | top X-A: 1 | -<postmaster@example.org> | accept" },
	{ "an edit of the site's is no leave", "site_before = %/site/edit.sieve\n", "postmaster discard;", { .to = "postmaster" },
	  "header: accept" },
	{ "a copy of the site's is no leave", "site_before = %/site/copy.sieve\n", "postmaster discard;", { .to = "postmaster" },
	  "+archive@example.net | accept" },
	{ "nor is one of what its scripts include", "site_before = %/site/parts.sieve\n", "postmaster discard;", { .to = "postmaster" },
	  "+archive@example.net | accept" },
	{ "to refuse neither", "site_before = %/site/copy.sieve\n", "postmaster ereject \"no\";", { .to = "postmaster" },
	  "+archive@example.net | accept" },
	{ "nor to put away", "site_before = %/site/copy.sieve\n", "postmaster quarantine \"x\";", { .to = "postmaster" },
	  "+archive@example.net | accept" },
	{ "what the site puts away as well stays there", "quarantine_to = q@example.org\nsite_before = %/site/both.sieve\n",
	  "postmaster discard;", { .to = "postmaster" },
	  "copy s@example.net>q@example.org [Tamis-Quarantine: <postmaster@example.org> \"the site's\"] | accept" },
	{ "or what both put away, and the site keeps", "quarantine_to = q@example.org\nsite_before = %/site/both.sieve\n",
	  "postmaster quarantine \"x\";", { .to = "postmaster" },
	  "copy s@example.net>q@example.org [Tamis-Quarantine: <postmaster@example.org> \"the site's\"] | accept" },
	{ "but not what the site alone does not keep", "site_after = %/site/quarantine.sieve\n",
	  "postmaster quarantine \"x\"; keep;", { .to = "postmaster" }, "top Tamis-Quarantine: \"x\" | quarantine x | accept" },
	{ "nor what is kept because the site's says nothing behind his", "quarantine_to = q@example.org\nsite_after = %/site/nothing.sieve\n",
	  "postmaster quarantine \"x\"; keep;", { .to = "postmaster" },
	  "copy s@example.net>q@example.org [Tamis-Quarantine: <postmaster@example.org> \"x\"] | accept" },
	{ "an edit of the user's takes no leave away", "site_after = %/site/discard.sieve\n", "postmaster addheader \"X-A\" \"1\";",
	  { .to = "postmaster" }, "-<postmaster@example.org> | accept" },
};

/* Of a postmaster's rules the log says what is done, and what they wanted. */
static const struct planned told[] = {
	{ "a discard", "", "postmaster discard;", { .to = "postmaster" },
	  "effects=keep verdict=pass note=\"his rules do not close postmaster and abuse; they say: discard\"" },
	{ "a refusal", "", "abuse ereject \"no\";", { .to = "abuse" },
	  "effects=keep verdict=pass note=\"his rules do not close postmaster and abuse; they say: ereject \\\"no\\\"\"" },
	{ "for some", "", "postmaster discard;\nb discard;", { .to = "postmaster b" }, "effects=keep verdict=done note=\"his rules do" },
	{ "quarantine beside a redirect", "", "postmaster redirect :copy \"x@example.net\"; quarantine \"x\";", { .to = "postmaster" },
	  "effects=\"redirect :copy \\\"x@example.net\\\", keep\" verdict=done note=\"his rules do not close postmaster and abuse; they say: "
	  "redirect :copy \\\"x@example.net\\\", quarantine \\\"x\\\"\"" },
	{ "an edit is not made", "", "postmaster addheader \"X-A\" \"1\"; discard;", { .to = "postmaster" }, "effects=keep verdict=pass" },
	{ "nor one before quarantine", "", "postmaster addheader \"X-A\" \"1\"; quarantine \"x\";", { .to = "postmaster" },
	  "effects=keep verdict=pass" },
	{ "nor one of the site's", "site_before = %/site/edit.sieve\n", "postmaster discard;", { .to = "postmaster" },
	  "effects=keep verdict=pass" },
	{ "a copy of the site's leaves", "site_before = %/site/copy.sieve\n", "postmaster discard;", { .to = "postmaster" },
	  "effects=\"redirect :copy \\\"archive@example.net\\\", keep\" verdict=done note=\"his rules do" },
	{ "what the site keeps is kept once", "quarantine_to = q@example.org\nsite_before = %/site/both.sieve\n", "postmaster discard;",
	  { .to = "postmaster" }, "effects=\"quarantine \\\"the site's\\\", keep\" verdict=done note=\"his rules do" },
	{ "watched", "effect = observe\n", "postmaster discard;", { .to = "postmaster" },
	  "effect=observe would=keep verdict=pass note=\"his rules do" },
	{ "only to refuse", "effect = refuse\n", "postmaster discard;", { .to = "postmaster" },
	  "effect=refuse would=keep verdict=pass note=\"his rules do" },
	{ "tagged", "effect = tag\n", "postmaster discard;", { .to = "postmaster" }, "effect=tag effects=keep verdict=done note=\"his rules do" },
	{ "what he redirects is as his rules say", "", "abuse redirect \"x@example.net\";", { .to = "abuse" },
	  "effects=\"redirect \\\"x@example.net\\\"\" verdict=done\n" },
	{ "and what he keeps beside quarantine", "quarantine_to = q@example.org\n", "postmaster quarantine \"x\"; keep;",
	  { .to = "postmaster" }, "effects=\"quarantine \\\"x\\\", keep\" verdict=done\n" },
	{ "the site may discard", "site_before = %/site/discard.sieve\n", "postmaster keep;", { .to = "postmaster" },
	  "effects=discard verdict=done\n" },
};

/* Settings of which one may be a file of the directory, and the site's scripts. */
static void
begin_site(const struct planned *p)
{
	const char *mark = strchr(p->conf, '%');
	struct buf conf = { 0 };

	buf_add(&conf, (struct str){ p->conf, mark ? (size_t)(mark - p->conf) : strlen(p->conf) });
	if (mark)
		buf_printf(&conf, "%s%s", dir, mark + 1);
	put("site/discard.sieve", "discard;\n");
	put("site/error.sieve", "require \"ereject\";\nereject \"x\";\nkeep;\n");
	put("site/refuse.sieve", "require \"ereject\";\nereject \"the site's\";\n");
	put("site/away.sieve", "redirect \"archive@example.net\";\n");
	put("site/quarantine.sieve", "require \"vnd.tamis.quarantine\";\nquarantine \"the site's\";\n");
	put("site/copy.sieve", "require \"copy\";\nredirect :copy \"archive@example.net\";\n");
	put("site/both.sieve", "require \"vnd.tamis.quarantine\";\nquarantine \"the site's\";\nkeep;\n");
	put("site/folder.sieve", "require [\"fileinto\", \"copy\"];\nfileinto :copy \"X\";\n");
	put("site/part.sieve", "require \"include\";\ninclude \"discard\";\n");
	put("site/parts.sieve", "require \"include\";\ninclude \"copy\";\n");
	put("site/nothing.sieve", "# nothing\n");
	put("site/edit.sieve", "require \"editheader\";\naddheader \"X-Site\" \"1\";\n");
	rules(p->rules);
	begin(buf_str(&conf).s);
	buf_done(&conf);
}

START_TEST(plan)
{
	const struct planned *p = &planned[_i];

	begin_site(p);
	expect(p->name, play(&p->mail), p->expect);
	end();
}
END_TEST

START_TEST(log_of_postmaster)
{
	const struct planned *p = &told[_i];
	const char *line;
	struct buf b = { 0 };

	begin_site(p);
	play(&p->mail);
	/* how long it took is another each time */
	for (line = logged(); *line; line++) {
		if (str_starts(str_from(line), STR(" ms=")))
			line += 4 + strspn(line + 4, "0123456789");
		buf_putc(&b, *line);
	}
	ck_assert_msg(strstr(buf_str(&b).s, p->expect), "%s: %s", p->name, buf_str(&b).s);
	buf_done(&b);
	end();
}
END_TEST

/* What is rewritten has the quotes that it needs; what cannot be is told, once for each of those who redirect. */
START_TEST(srs_sender)
{
	rules("a redirect \"x@example.net\";\nb keep;");
	begin("redirect_sender = srs\nsrs_domain = srs.example.org\n");
	play(&(struct mail){ .to = "a", .from = "\"s \\\"t\"@example.net" });
	ck_assert_msg(strstr(recorder.said.s, "| from <\"SRS0=") && strstr(recorder.said.s, "=example.net=s \\\"t\"@srs.example.org> |"),
	              "%s", recorder.said.s);
	ck_assert_ptr_null(strstr(logged(), "note="));
	play(&(struct mail){ .to = "a b", .from = "s@[192.0.2.9]" });
	ck_assert_msg(strstr(logged(), "note=\"a redirect leaves with the sender of the message: it cannot be rewritten for srs_domain\""),
	              "%s", logged());
	end();
}
END_TEST

/* The field is another for each user, and the same for each message. */
START_TEST(secret_field)
{
	static char first[200], second[200];

	rules("a fileinto \"X\";\nb keep;\nc fileinto \"X\";");
	begin("fileinto_by = header\n");
	play(&(struct mail){ .to = "a b" });
	snprintf(first, sizeof first, "%.*s", 60, strstr(buf_str(&port.message).s, "Tamis-File-"));
	play(&(struct mail){ .to = "a b", .header = "Subject: other\n" });
	snprintf(second, sizeof second, "%.*s", 60, strstr(buf_str(&port.message).s, "Tamis-File-"));
	ck_assert_int_eq(strncmp(first, second, strcspn(first, ":")), 0);
	play(&(struct mail){ .to = "c b" });
	snprintf(second, sizeof second, "%.*s", 60, strstr(buf_str(&port.message).s, "Tamis-File-"));
	ck_assert_int_ne(strncmp(first, second, strcspn(first, ":")), 0);
	end();
}
END_TEST

static void
tests(TCase *t)
{
	tcase_add_loop_test(t, plan, 0, COUNT(planned));
	tcase_add_loop_test(t, log_of_postmaster, 0, COUNT(told));
	tcase_add_test(t, srs_sender);
	tcase_add_test(t, secret_field);
}

int
main(void)
{
	return milter_suite("milter/plan", tests);
}
