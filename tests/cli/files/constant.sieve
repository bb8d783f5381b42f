if false {
	discard;
} elsif true {
	if not anyof (false, not true) {
		keep;
	}
}
