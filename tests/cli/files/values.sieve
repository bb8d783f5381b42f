if header :matches "received" "*host10" {
	discard;
}
if header :contains "received" "host1x" {
	keep;
}
