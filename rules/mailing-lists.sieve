# Mail of a list goes to a folder of that list: "<dev.lists.example.org>" to
# Lists/dev.  Needs a mail store that makes folders, or has them.  Whoever
# writes the field chooses the name: only letters, digits, "_" and "-" will do.
require ["fileinto", "regex", "variables"];

if header :regex "List-Id" "<([a-z0-9_-]+)[.][^<>]+>" {
    set :lower "list" "${1}";
    fileinto "Lists/${list}";
    stop;
}
