require "reject";
if address :domain "From" "friends.example" {
	reject "go away";
}
keep;
