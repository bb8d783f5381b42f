if header :contains "Subject" "lunch" {
	discard;
}
