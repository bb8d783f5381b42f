# The rules of one user, for the questions of explain.case.
require ["fileinto", "variables", "envelope", "subaddress", "relational",
	"comparator-i;ascii-numeric"];

# spam
if anyof (header :is "X-Spam-Flag" "yes",
	  header :value "ge" :comparator "i;ascii-numeric" "X-Spam-Score" "10",
	  address :domain :is "From" ["spam.example", "junk.example"]) {
	fileinto "Junk";
	stop;
}

# mailing lists
if header :matches "List-Id" "*<*.lists.example.org>*" {
	fileinto "Lists/${2}";
	stop;
}

# people
if address :is "From" ["boss@corp.example", "carol@corp.example"] {
	if header :contains "Subject" ["urgent", "today"] {
		fileinto "Urgent";
	} else {
		fileinto "Work";
	}
	stop;
}

# money
if allof (header :contains "Subject" ["invoice", "receipt"],
	  not address :domain "From" "friends.example") {
	fileinto "Money";
	stop;
}

# addresses of mine that were given to shops
if envelope :detail "to" ["shop", "travel"] {
	fileinto "Shops";
	stop;
}

if not exists ["Message-ID", "Date"] {
	discard;
} elsif size :over 20K {
	fileinto "Large";
} elsif not address :all ["To", "Cc"] ["dora@home.example", "dora+shop@home.example"] {
	fileinto "Not to me";
}
