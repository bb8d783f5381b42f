# Mail of a list goes to a folder of that list: "<dev.lists.example.org>" to
# Lists/dev.  Needs a mail store that makes folders, or has them.  Whoever
# writes the field chooses the name, so one that could lead elsewhere is kept.
require ["fileinto", "variables"];

if allof (header :matches "List-Id" "*<*.*>*",
          not string :contains "${2}" ["/", "\\", ".."]) {
    set :lower "list" "${2}";
    fileinto "Lists/${list}";
    stop;
}
