# what the site wants last
require "fileinto";
if header :is "X-Spam-Flag" "yes" {
	fileinto "Quarantine";
}
