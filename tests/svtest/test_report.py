#!/usr/bin/env python3
# test_report.py - what tamis test prints, returns and writes
# SPDX-License-Identifier: BSD-2-Clause
#
# A scenario is files, then commands with what they print on standard output
# and their exit status, then what the files hold in the end.  Prints TAP.
import difflib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

TAMIS = os.path.abspath(os.environ.get('TAMIS', 'tamis'))
SUITE = 'require "vnd.dovecot.testsuite";\n'
SCENARIOS = []


def scenario(title, files, *commands, then=None):
    SCENARIOS.append((title, files, commands, then or {}))


# --- suites

scenario('a suite that succeeds', {'a.svtest': SUITE + 'test "one" { }\ntest "" { }\ntest"" {}\n'},
         ('a.svtest', '''Test case: a.svtest:

 1: Test 'one' SUCCEEDED
 2: Test SUCCEEDED
 3: Test SUCCEEDED

PASS: 3 tests succeeded.

''', 0))

scenario('failures, with reasons and without', {'a.svtest': SUITE + '''require "variables";
test "reason" { set "x" "y"; test_fail "it is ${x}"; }
test "no reason" { if true { test_fail ""; } }
test "" { test_fail "no name"; }
test "good" { if false { test_fail "bad"; } }
'''}, ('a.svtest', '''Test case: a.svtest:

 1: Test 'reason' FAILED: it is y
 2: Test 'no reason' FAILED
 3: Test FAILED: no name
 4: Test 'good' SUCCEEDED

FAIL: 3 of 4 tests failed.

''', 1))

scenario('ten tests and more', {'a.svtest': SUITE + ''.join(f'test "{i}" {{ }}\n' for i in range(1, 12))},
         ('a.svtest', 'Test case: a.svtest:\n\n' + ''.join(f"{i:2}: Test '{i}' SUCCEEDED\n" for i in range(1, 12)) +
          '\nPASS: 11 tests succeeded.\n\n', 0))

scenario('a failure outside of all blocks', {'a.svtest': SUITE + 'test "a" { }\ntest_fail "here";\ntest "b" { }\n'},
         ('a.svtest', '''Test case: a.svtest:

 1: Test 'a' SUCCEEDED
 1: Test 'a' FAILED: here
XX: Test CASE FAILED: test script execution aborted due to error

FAIL: 2 of 1 tests failed.

''', 1))

scenario('a suite that does not compile', {'a.svtest': SUITE + 'test "a" { unknown_command; }\n'},
         ('a.svtest', '''Test case: a.svtest:

XX: Test CASE FAILED: failed to compile testcase script

FAIL: 1 of 0 tests failed.

''', 1),
         ('-F a.svtest', '''Test case: a.svtest:

XX: Test CASE FAILED: failed to compile testcase script

PASS: 1 tests failed (expected to fail).

''', 0))

for what, rules in (('in a block', 'if true { test "a" { } }\n'), ('in a test', 'test "a" { test "b" { } }\n'),
                    ('of an unknown object', 'test_set "date" "x";\n'),
                    ('of a variable', 'require "variables";\nset "o" "message";\ntest_set "${o}" "x";\n'),
                    ('of its directory', 'require "variables";\nset "tst.path" "x";\n'),
                    ('without brackets of a number', 'require "variables";\nredirect "${tst.1}@example.com";\n'),
                    ('without an index', 'test_message :smtp;\n'), ('from two places', 'test_message :smtp :folder "x" 0;\n'),
                    ('from nowhere', 'test_message 0;\n')):
    scenario('what no suite may do: ' + what, {'a.svtest': SUITE + rules},
             ('a.svtest', '''Test case: a.svtest:

XX: Test CASE FAILED: failed to compile testcase script

FAIL: 1 of 0 tests failed.

''', 1))

scenario('tests that are expected to fail', {'a.svtest': SUITE + 'test "a" { test_fail "x"; }\ntest "b" { }\n',
                                             'b.svtest': SUITE + 'test "a" { test_fail "x"; }\n'},
         ('-F a.svtest', '''Test case: a.svtest:

 1: Test 'a' FAILED: x
 2: Test 'b' SUCCEEDED

FAIL: Only 1 of 2 tests failed (all expected to fail).

''', 1),
         ('-F b.svtest', '''Test case: b.svtest:

 1: Test 'a' FAILED: x

PASS: 1 tests failed (expected to fail).

''', 0))

scenario('a script in a suite that fails a test', {
    'a.svtest': SUITE + '''test "outer" {
	if not test_script_compile "inner.sieve" { test_fail "compile"; }
	if test_script_run { test_fail "it did not fail"; }
	if not test_result_action "keep" { test_fail "what it did before is lost"; }
	if test_result_action "discard" { test_fail "it went on"; }
}
''', 'inner.sieve': SUITE + 'keep;\ntest_fail "inner";\ndiscard;\n'},
         ('a.svtest', '''Test case: a.svtest:

 1: Test 'outer' FAILED: inner
 1: Test 'outer' SUCCEEDED

PASS: 1 tests succeeded.

''', 0))

scenario('messages that are not there fail a test', {'a.svtest': SUITE + '''test "smtp" { test_message :smtp 3; test_fail "x"; }
test "folder" { test_message :folder "A" 1; test_fail "x"; }
test "delete" { test_mailbox_create "B"; }
'''}, ('a.svtest', '''Test case: a.svtest:

 1: Test 'smtp' FAILED: no outgoing SMTP message with index 3
 2: Test 'folder' FAILED: no message in folder 'A' with index 1
 3: Test 'delete' SUCCEEDED

FAIL: 2 of 3 tests failed.

''', 1))

ABORTED = '''XX: Test CASE FAILED: test script execution aborted due to error

FAIL: 1 of 1 tests failed.

'''
for what, rules, said in (('a name that was never saved', 'test_binary_load "x";', ''),
                          ('no script to save', 'test_binary_save "x";', ''),
                          ('an annotation without a place', 'test_imap_metadata_set "comment" "x";', ''),
                          ('an extension that nobody has', 'test_config_reload :extension "vnd.example.none";',
                           "ERROR: there is no extension 'vnd.example.none'\n"),
                          ('a setting that is no number', 'test_config_set "sieve_max_redirects" "x";\n\ttest_config_reload;',
                           "ERROR: setting 'sieve_max_redirects' has an invalid value: x\n")):
    scenario('what ends a suite: ' + what, {'a.svtest': SUITE + f'test "a" {{\n\t{rules}\n}}\ntest "b" {{ }}\n'},
             ('a.svtest', 'Test case: a.svtest:\n\n' + said + ABORTED, 1))

scenario('stop ends a suite', {'a.svtest': SUITE + 'test "a" { }\ntest "b" { stop; }\ntest "c" { }\n'},
         ('a.svtest', '''Test case: a.svtest:

 1: Test 'a' SUCCEEDED

PASS: 2 tests succeeded.

''', 0))

scenario('the log', {'a.svtest': SUITE + 'test "a" { if test_script_compile "b.sieve" { test_fail "x"; } }\n',
                     'b.sieve': 'unknown_command;\n'},
         ('-E a.svtest', '''Test case: a.svtest:

LOG: @/b.sieve:1: error: unknown command 'unknown_command'
LOG: @/b.sieve: error: validation failed
 1: Test 'a' SUCCEEDED

PASS: 1 tests succeeded.

''', 0))

scenario('messages and results, printed', {'a.svtest': SUITE + '''require "fileinto";
test_set "message" "a: b

";
test "a" { fileinto "x"; test_message_print; test_result_print; }
'''}, ('a.svtest', '''Test case: a.svtest:


--MESSAGE:\x20
a: b\r
\r

--MESSAGE--

--
store
--

 1: Test 'a' SUCCEEDED

PASS: 1 tests succeeded.

''', 0))

scenario('several suites, and suites as TAP', {
    'a.svtest': SUITE + 'test "a" { }\n', 'b.svtest': SUITE + 'test "" { test_fail "x # y"; }\n', 'c.test': '== c\n-- expect\nkeep\n'},
         ('a.svtest b.svtest', '''Test case: a.svtest:

 1: Test 'a' SUCCEEDED

PASS: 1 tests succeeded.

Test case: b.svtest:

 1: Test FAILED: x # y

FAIL: 1 of 1 tests failed.

''', 1),
         ('--tap a.svtest b.svtest', '''ok 1 - a.svtest: a
not ok 2 - b.svtest: line 2
# b.svtest:2: x # y
1..2
''', 1),
         ('.', '''ok 1 - ./a.svtest: a
not ok 2 - ./b.svtest: line 2
# ./b.svtest:2: x # y
ok 3 - ./c.test: c
1..3
''', 1),
         ('--json a.svtest', '''{"file": "a.svtest", "line": 2, "title": "a", "ok": true}
{"tests": 1, "failed": 0}
''', 0))

scenario('what failed in a suite, and where', {
    'sub.sieve': 'require "vnd.dovecot.testsuite";\n\n\n\ntest_fail "below";\n',
    'a.svtest': SUITE + '''test "a" {
	if true {
		test_fail text:
two
lines
.
		;
	}
}
test "b # d" { }
test "c" {
	if test_script_compile "sub.sieve" { }
	if test_script_run { }
}
''', 'b.svtest': SUITE + 'nothing;'},
         ('--tap a.svtest b.svtest', '''not ok 1 - a.svtest: a
# a.svtest:4: two\\x0D\\x0Alines\\x0D\\x0A
ok 2 - a.svtest: b \\# d
not ok 3 - a.svtest: c
# a.svtest:12: below
ok 4 - a.svtest: c
not ok 5 - b.svtest: the suite
# b.svtest:1: failed to compile testcase script
1..5
''', 1),
         ('--json a.svtest', '''{"file": "a.svtest", "line": 2, "title": "a", "ok": false, "failures": [{"line": 4, "what": "two\\r\\nlines\\r\\n"}]}
{"file": "a.svtest", "line": 11, "title": "b # d", "ok": true}
{"file": "a.svtest", "line": 12, "title": "c", "ok": false, "failures": [{"line": 12, "what": "below"}]}
{"file": "a.svtest", "line": 12, "title": "c", "ok": true}
{"tests": 4, "failed": 2}
''', 1),
         ('--json --expect-failure b.svtest', '''{"file": "b.svtest", "line": 1, "title": "the suite", "ok": true}
{"tests": 1, "failed": 0}
''', 0))

scenario('a test that was expected to fail', {'a.svtest': SUITE + 'test "a" { }\n'},
         ('--json --expect-failure a.svtest', '''{"file": "a.svtest", "line": 2, "title": "a", "ok": false, "failures": [{"line": 2, "what": "it was expected to fail"}]}
{"tests": 1, "failed": 1}
''', 1))

# --- cases

CASE = '''A preface.
== subject
if header :contains "subject" "x" { discard; }
-- message
Subject: x
-- expect
keep

== wrong rules
frobnicate;
-- expect
'''

scenario('cases that fail, then are accepted', {'a.test': CASE},
         ('a.test', '''1..2
not ok 1 - a.test: subject
# a.test:6: the plan differs (- expected, + got)
#   - keep
#   + discard
not ok 2 - a.test: wrong rules
# a.test:11: the diagnostics differ (- expected, + got)
#   + rules:1:1: error: unknown command 'frobnicate'
#   + frobnicate;
#   + ^~~~~~~~~~
''', 1),
         ('--accept a.test', '''1..2
ok 1 - a.test: subject
ok 2 - a.test: wrong rules
# a.test: 2 accepted
''', 0),
         ('a.test', '1..2\nok 1 - a.test: subject\nok 2 - a.test: wrong rules\n', 0),
         then={'a.test': CASE.replace('-- expect\nkeep', '-- expect\ndiscard') +
               "rules:1:1: error: unknown command 'frobnicate'\nfrobnicate;\n^~~~~~~~~~\n"})

scenario('nothing is accepted that is as expected', {'a.test': '== a\n\n-- expect\nkeep\n\n\n== b\n-- expect\nkeep'},
         ('--accept a.test', '1..2\nok 1 - a.test: a\nok 2 - a.test: b\n', 0),
         then={'a.test': '== a\n\n-- expect\nkeep\n\n\n== b\n-- expect\nkeep'})

# as some editors save it: the first case was taken for a preface, and never run
scenario('a mark of UTF-8 in front hides no case', {'a.test': '\ufeff== a\ndiscard;\n-- expect\nkeep\n\n== b\n-- expect\nkeep\n'},
         ('a.test', '''1..2
not ok 1 - a.test: a
# a.test:3: the plan differs (- expected, + got)
#   - keep
#   + discard
ok 2 - a.test: b
''', 1), ('-a a.test', '1..2\nok 1 - a.test: a\nok 2 - a.test: b\n# a.test: 1 accepted\n', 0),
         then={'a.test': '\ufeff== a\ndiscard;\n-- expect\ndiscard\n\n== b\n-- expect\nkeep\n'})

LINES = '== a\nrequire "body";\nif body :raw :is "x" { discard; }\n-- message\n\nx\n-- expect\nkeep\n\n\n== b\ndiscard;\n\n'
LINES_THEN = ('== a\nrequire "body";\nif body :raw :is "x" { discard; }\n-- message\n\nx\n-- expect\nkeep\n\n\n'
              '== b\ndiscard;\n-- expect\ndiscard\n\n')
scenario('what is accepted ends its lines as the file does', {'a.test': LINES.replace('\n', '\r\n'), 'b.test': LINES},
         ('-a a.test b.test', None, 0),
         then={'a.test': LINES_THEN.replace('\n', '\r\n'), 'b.test': LINES_THEN})

scenario('a link to tests stays one', {'a.test': '-> b', 'b': '== a\n-- expect\nx\n'},
         ('-a a.test', '1..1\nok 1 - a.test: a\n# a.test: 1 accepted\n', 0),
         then={'a.test': '== a\n-- expect\nkeep\n', 'b': '== a\n-- expect\nkeep\n'})

scenario('links to directories above lead nowhere, others are followed',
         {'a/b.test': '== b\n-- expect\nkeep\n', 'a/up': '-> .', 'a/top': '-> ..', 'c': '-> a'},
         ('.', '1..2\nok 1 - ./a/b.test: b\nok 2 - ./c/b.test: b\n', 0), ('c/up', '1..1\nok 1 - c/up/b.test: b\n', 0))

scenario('what is not expected yet is added', {'a.test': '== a\ndiscard;\n\n== b\nkeep;\n-- message\nA: b\n\n\n-- expect\nx\n\n== c\nkeep;'},
         ('a.test', '''1..3
not ok 1 - a.test: a
# a.test:1: nothing is expected at the end of the case (- expected, + got)
#   + discard
not ok 2 - a.test: b
# a.test:10: the plan differs (- expected, + got)
#   - x
#   + keep
not ok 3 - a.test: c
# a.test:13: nothing is expected at the end of the case (- expected, + got)
#   + keep
''', 1),
         ('-a a.test', '1..3\nok 1 - a.test: a\nok 2 - a.test: b\nok 3 - a.test: c\n# a.test: 3 accepted\n', 0),
         then={'a.test': '== a\ndiscard;\n-- expect\ndiscard\n\n== b\nkeep;\n-- message\nA: b\n\n\n-- expect\nkeep\n\n'
                         '== c\nkeep;\n-- expect\nkeep\n'})

scenario('pages', {'a.md': '''# Title
```sieve
not this;
```
```sieve-test
discard;
-- expect
keep
```
== not a case
```sieve-test
== named
-- expect
keep
```
'''}, ('a.md', '''1..2
not ok 1 - a.md: line 5
# a.md:7: the plan differs (- expected, + got)
#   - keep
#   + discard
ok 2 - a.md: named
''', 1), ('-a a.md', '1..2\nok 1 - a.md: line 5\nok 2 - a.md: named\n# a.md: 1 accepted\n', 0),
         then={'a.md': '''# Title
```sieve
not this;
```
```sieve-test
discard;
-- expect
discard
```
== not a case
```sieve-test
== named
-- expect
keep
```
'''})

scenario('lines that look like sections', {'a.test': '''== a
require "body";
if body :raw :contains ["-- message", "== x", "\\\\\\\\-- y"] { discard; }
-- message
Subject: x

--\x20
\\-- message
-- Nobody
-- expect
discard
-- message
Subject: x

\\\\-- y
-- expect
keep
'''}, ('a.test', '1..1\nok 1 - a.test: a\n', 0))

scenario('a section that does not exist', {'a.test': '== a\nkeep;\n-- mesage\nx: y\n-- expect\nkeep\n'},
         ('a.test', '1..1\nnot ok 1 - a.test: a\n# a.test:3: there is no section "mesage"\n', 1),
         ('--accept a.test', '1..1\nnot ok 1 - a.test: a\n# a.test:3: there is no section "mesage"\n', 1))

scenario('lines that end in CRLF', {'a.test': '== a\r\nkeep;\r\n-- message\r\nSubject: x\r\n\r\n-- expect\r\nkeep\r\n\r\n'
                                              '== b\r\nif size :over 1 { foo; }\r\n-- expect\r\n'
                                              "rules:1:19: error: unknown command 'foo'\r\n"
                                              'if size :over 1 { foo; }\r\n                  ^~~\r\n'},
         ('a.test', '1..2\nok 1 - a.test: a\nok 2 - a.test: b\n', 0))

scenario('what came of a mistake is not accepted', {'a.test': '== a\nkeep;\n-- stage late\n-- expect\nx\n'},
         ('-a a.test', None, 1), then={'a.test': '== a\nkeep;\n-- stage late\n-- expect\nx\n'})

scenario('sections with mistakes in them', {'a.test': '''== a
keep;
-- stage late
-- now then
-- envelope
somebody
-- host
x y: perhaps
-- state
nothing
-- limits
size=3
nesting=65
-- script private x
-- message x.eml
-- message @none.eml
-- expect
keep
'''}, ('a.test', '''1..1
not ok 1 - a.test: a
# a.test:11: "size=3" names no limit
# a.test:11: "nesting=65" is not "LIMIT=NUMBER" with a number from 1 to 64
# a.test:14: "private x" is not "personal NAME" or "global NAME"
# a.test:3: "late" is no stage: envelope, header, body
# a.test:4: "then" is not a time like 2025-11-23T09:30:00Z
# a.test:5: "somebody" is not "NAME: VALUE"
# a.test:7: "x y: perhaps" answers neither unavailable, later, no, missing nor yes
# a.test:9: "nothing" is not "NAME KEY: VALUE"
# a.test:15: "x.eml" is not "@FILE"
# a.test:16: none.eml: No such file or directory
''', 1))

scenario('files beside the test', {
    'd/a.test': '== a\n@rules.sieve\n-- message @m.eml\n-- expect\nfileinto "x"\n',
    'd/rules.sieve': 'require ["fileinto", "include"];\nif header "subject" "m" { include "more"; }\n',
    'd/more.sieve': 'require "fileinto";\nfileinto "x";\n', 'd/m.eml': 'Subject: m\r\n\r\n'},
         ('d', '1..1\nok 1 - d/a.test: a\n', 0), ('d/a.test', '1..1\nok 1 - d/a.test: a\n', 0))

scenario('rules that need no suite may not require one', {'a.test': '== a\nrequire "vnd.dovecot.testsuite";\ntest "a" { }\n-- expect\n'},
         ('--json a.test', None, 1))

COVER = '''== a
if anyof (header "subject" "x", exists "received") { discard; }
if true { keep; }
-- message
Subject: x
-- expect
keep
discard
-- message
Subject: y
-- expect
keep
'''
scenario('coverage', {'a.test': COVER},
         ('-a --cover a.test', None, 0),
         ('--cover a.test', '''1..1
ok 1 - a.test: a
# a.test:2:33: never true: exists "received"
# 2 tests in rules, 1 without both outcomes
''', 0),
         ('--cover=strict a.test', '''1..1
ok 1 - a.test: a
# a.test:2:33: never true: exists "received"
# 2 tests in rules, 1 without both outcomes
''', 1))

scenario('the same rules in two cases are covered together', {
    'a.test': ''.join(f'== {v}\nif header "subject" "x" {{ discard; }}\n-- message\nSubject: {v}\n-- expect\n{plan}\n'
                      for v, plan in (('x', 'discard'), ('y', 'keep')))},
         ('--cover=strict a.test', '''1..2
ok 1 - a.test: x
ok 2 - a.test: y
# 1 tests in rules, 0 without both outcomes
''', 0))

scenario('questions that fail', {'a.test': '''== a
require "environment";
if environment "weather" "fine" { discard; }
-- host
environment weather: yes fine
-- expect
discard
-- host
environment weather: yes bad
-- expect
keep
-- host
environment weather: unavailable
-- expect
keep
-- host
environment weather: later
-- expect
waiting
'''}, ('a.test', '1..1\nok 1 - a.test: a\n', 0), ('--faults a.test', '1..1\nok 1 - a.test: a\n', 0))

scenario('some of the cases', {'a.test': '== one\n-- expect\nkeep\n== two\n-- expect\nx\n== three\n-- expect\nkeep\n'},
         ('--only e a.test', '1..2\nok 1 - a.test: one\nok 2 - a.test: three\n', 0), ('-o none a.test', '1..0\n', 1))

scenario('usage', {'a.test': '== a\n-- expect\nkeep\n'},
         ('', '', 2), ('none.test', '1..0\n', 2), ('--cover=x a.test', '', 2), ('a.test none.test', '1..1\nok 1 - a.test: a\n', 2),
         ('none.svtest', '1..0\n', 2))


def run(directory, arguments):
    done = subprocess.run(f'"{TAMIS}" test {arguments}', shell=True, cwd=directory, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
    return done.stdout.decode('utf-8', 'backslashreplace'), done.returncode


def check(title, files, commands, then):
    """The differences, as lines."""
    found = []
    directory = os.path.realpath(tempfile.mkdtemp(prefix='tamis-report-'))
    try:
        for name, text in files.items():
            path = pathlib.Path(directory, name)
            path.parent.mkdir(exist_ok=True)
            if text.startswith('-> '):
                path.symlink_to(text[3:])
            else:
                path.write_bytes(text.encode())
        for arguments, expected, status in commands:
            text, code = run(directory, arguments)
            text = text.replace(directory, '@')
            if expected is not None and text != expected:
                found += [f'tamis test {arguments}', *difflib.unified_diff(
                    expected.splitlines(), text.splitlines(), 'expected', 'printed', lineterm='')]
            if code != status:
                found.append(f'tamis test {arguments}: exit status {code}, not {status}')
        for name, expected in then.items():
            text = pathlib.Path(directory, name).read_bytes().decode()
            if os.path.islink(os.path.join(directory, name)) != files[name].startswith('-> '):
                found.append(f'{name} is a link no more')
            if text != expected:
                found += [f'{name} differs', *difflib.unified_diff(expected.replace('\r', '<CR>').splitlines(),
                                                                   text.replace('\r', '<CR>').splitlines(), lineterm='')]
        if sorted(os.listdir(directory)) != sorted({name.split('/')[0] for name in files}):
            found.append('files were left: ' + ' '.join(os.listdir(directory)))
    finally:
        shutil.rmtree(directory)
    return found


def main():
    if not os.access(TAMIS, os.X_OK):
        print(f'Bail out!  {TAMIS} cannot be run')
        return 1
    print(f'1..{len(SCENARIOS)}')
    failed = 0
    for number, (title, files, commands, then) in enumerate(SCENARIOS, 1):
        found = check(title, files, commands, then)
        failed += bool(found)
        print(f'{"not " if found else ""}ok {number} - {title}')
        for line in found:
            print('# ' + line)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
