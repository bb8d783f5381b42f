require "vnd.dovecot.testsuite";
test_set "message" "Subject: from the innermost

";
