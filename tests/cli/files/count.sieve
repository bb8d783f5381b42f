require ["relational", "comparator-i;ascii-numeric"];
if header :count "gt" :comparator "i;ascii-numeric" ["Received", "X-None"] "20" {
	discard;
}
if header :count "gt" :comparator "i;ascii-numeric" "X-None" "0" {
	discard;
}
