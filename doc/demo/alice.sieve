# Alice: what can be unsubscribed from is read on Sundays.
require "fileinto";

if exists "List-Unsubscribe" {
    fileinto "Newsletters";
}
