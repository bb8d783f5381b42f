require "fileinto";
if header "x-script" "was here" { fileinto "seen"; }
