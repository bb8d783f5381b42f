require "vnd.dovecot.testsuite";
if not header "subject" "Frop!" { test_fail "Subject"; }
redirect "x@example.com";
