require "variables";
set "ten" "0123456789";
set "hundred" "${ten}${ten}${ten}${ten}${ten}${ten}${ten}${ten}${ten}${ten}";
set "more" "${hundred}${hundred}${hundred}${hundred}${hundred}${hundred}";
if string "${more}${more}" "b" { discard; }
