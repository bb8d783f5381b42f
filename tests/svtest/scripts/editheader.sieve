require ["editheader", "variables"];
addheader "X-Script" "was here";
if header :matches "subject" "*" { set "subject" "${1}"; }
deleteheader "Subject";
if string "${subject}" "fail" { addheader "${subject}:" "no name"; }
