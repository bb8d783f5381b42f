require ["vacation", "imap4flags"];
addflag "$Seen-by-rules";
vacation :handle "away" "I am away until Monday.";
