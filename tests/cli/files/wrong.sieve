require ["fileinto", "envelop"];
if adress "From" "a@example.org" {
	fileinto "A"
	stop;
}
keep 5;
if header :is "Subject" {
	discard;
}
