if allof (anyof (header :is "Subject" "Saturday", header :is "Subject" "Sunday"),
	  not anyof (exists "X-None", /* ( */ header :contains "From" "grace")) {
	discard;
}
if not allof (header :is "Subject" "Sunday", # )
	      exists "Date", not header :is "To" "x") {
	discard;
}
if anyof (false, not true, allof (true, header :is "Subject" "Monday", true)) {
	discard;
}
if not not header :is ["Subject", "Date"] ["Monday", "Tuesday"] {
	discard;
}
if allof (not exists "X-None", anyof (false, header :is "Subject" "sunday")) {
	keep;
}
