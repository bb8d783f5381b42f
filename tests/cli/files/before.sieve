# what the site wants first
if header :contains "Subject" "paper jam" {
	discard;
}
