require ["envelope", "ereject", "fileinto"];
if envelope :domain "from" "spam.example" {
	ereject "not wanted here";
}
if envelope :domain "from" "junk.example" {
	ereject "not wanted here";
	stop;
}
if header :contains "Subject" "prize" {
	ereject "no prizes";
	stop;
}
fileinto "Rest";
