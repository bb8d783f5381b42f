require "vnd.dovecot.testsuite";
if not test_script_compile "scripts/inner.sieve" { test_fail "it does not compile"; }
if not test_script_run { test_fail "it failed"; }
if not header "subject" "from the innermost" { test_fail "the message is another"; }
