require "fileinto";
if address :localpart "From" ["grace", "heidi"] {
	fileinto "Friends";
	stop;
}
