require ["editheader", "copy"];
redirect :copy "friend@example.org";
deleteheader "Delivered-To";
addheader "X-Seen" "yes";
