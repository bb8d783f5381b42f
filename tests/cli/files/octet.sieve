require "fileinto";
if header :comparator "i;octet" :contains "Subject" "sunday" {
	fileinto "Weekend";
}
if header :comparator "i;ascii-casemap" :contains "Subject" "sundays" {
	fileinto "Weekends";
}
