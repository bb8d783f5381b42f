require "vnd.dovecot.testsuite";
test_set "message" "Subject: set by a script

";
