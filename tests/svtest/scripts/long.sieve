require ["variables"];
set "x" "0123456789ab";
if string "${x}" "0123456789ab" { discard; }
