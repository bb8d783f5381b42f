#!/usr/bin/env python3
# test_runner.py - what fails is counted, and what is missing is told
# SPDX-License-Identifier: BSD-2-Clause
#
# build-aux/run-tests over a tree of fakes, build-aux/deps over a machine of fakes.  Prints TAP.
import os
import pathlib
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ.get('TAMIS_SOURCE') or pathlib.Path(__file__).resolve().parent.parent.parent)


def write(path, text, mode=0o755):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, 'utf-8')
    path.chmod(mode)


def run(command, **more):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          **more)
    return done.returncode, done.stdout.decode('utf-8', 'replace')


def run_tests(root, *words):
    return run([sys.executable, SOURCE / 'build-aux/run-tests', f'--source={root}', f'--build={root}', '--jobs=1', *words])


def expect(got, status, line):
    """Empty if the command ended with that status and that last line."""
    last = got[1].rstrip().rsplit('\n', 1)[-1]
    if (got[0] == 0) == (status == 0) and last == line:
        return ''
    return f'expected status {status} and "{line}"; got status {got[0]} and\n{got[1]}'


def counts(root):
    write(root / 'tests/a/test_a.sh', 'echo ok 1 - a; echo "ok 2 # SKIP no b"; echo not ok 3 - c; echo 1..3; exit 1\n')
    write(root / 'tests/lint/good.sh', 'exit 0\n')
    write(root / 'tests/lint/blind.sh', 'echo it is missing; exit 77\n')
    write(root / 'tests/lint/bad.sh', 'echo a.c:1: no; exit 1\n')
    write(root / 'tests/lint/chatty.sh', 'echo all is well\n')
    return expect(run_tests(root, '--kinds=script,lint'), 1, '2 passed, 3 failed, 2 skipped')


def unit(root):
    """libcheck knows no test that is skipped: its program says so itself."""
    write(root / 'tests/unit/test_e.c', '')
    write(root / 'tests/unit/test_e', '#!/bin/sh\necho "ok - e # SKIP no e"\nprintf "1..1\\nok 1 - f\\n" >"$CK_TAP_LOG_FILE_NAME"\n')
    return expect(run_tests(root, '--kinds=unit'), 0, '1 passed, 0 failed, 1 skipped')


def without_libcheck(root):
    """Who builds a package need not have it; ./check has."""
    write(root / 'tests/unit/test_f.c', '')
    return expect(run_tests(root, '--kinds=unit', '--without-libcheck', 'test_f'), 1, '0 passed, 0 failed, 1 skipped')


def breaks(root):
    """A stream that ends early, a program that dies, one that says nothing."""
    write(root / 'tests/b/test_short.sh', 'echo 1..2; echo ok 1\n')
    write(root / 'tests/b/test_silent.sh', 'exit 0\n')
    write(root / 'tests/b/test_dies.sh', 'echo ok 1; echo 1..1; kill -9 $$\n')
    return expect(run_tests(root, '--kinds=script', '/b/'), 1, '2 passed, 3 failed')


def passes(root):
    write(root / 'tests/c/test_c.sh', 'echo ok 1; echo 1..1\n')
    return expect(run_tests(root, '--kinds=script', '/c/'), 0, '1 passed, 0 failed')


def nothing(root):
    return expect(run_tests(root, '--kinds=script', '/no-such/'), 1, '0 passed, 0 failed')


def late(root):
    write(root / 'tests/d/test_d.sh', 'sleep 60; echo ok 1; echo 1..1\n')
    return expect(run_tests(root, '--kinds=script', '--timeout=1', '/d/'), 1, '0 passed, 1 failed')


def machine(root, user):
    """Where to look for commands on a machine that has nothing, with that user."""
    places = root / 'bin'
    write(places / 'dpkg-query', '#!/bin/sh\nexit 1\n')
    write(places / 'apt-get', '#!/bin/sh\nexit 100\n')
    write(places / 'id', f'#!/bin/sh\necho {user}\n')
    return dict(os.environ, PATH=f"{places}:{os.environ.get('PATH', '/usr/bin:/bin')}")


def tells(root, user, begin):
    status, output = run(['sh', SOURCE / 'build-aux/deps', 'build'], env=machine(root, user))
    last = output.rstrip().rsplit('\n', 1)[-1]
    good = status == 1 and last.startswith(begin) and ' libpcre2-dev' in last and ' libgmime-3.0-dev' in last
    return '' if good else f'status {status}\n{output}'


def postfix(root, other=''):
    """What was typed to get what ./demo needs, in its order; other is a mail server that is there."""
    places = machine(root, 0)
    log = root / 'log'
    log.unlink(missing_ok=True)
    write(root / 'bin/apt-get', f'#!/bin/sh\necho "apt-get $*" >>{log}\n')
    write(root / 'bin/debconf-set-selections', f'#!/bin/sh\nsed "s/^/debconf /" >>{log}\n')
    write(root / 'bin/dpkg-query', f'#!/bin/sh\n[ $# -gt 2 ] || printf "{other}"\nexit 1\n')
    run(['sh', SOURCE / 'build-aux/deps', 'demo'], env=places)
    return log.read_text() if log.exists() else ''


def quiet(root):
    """Postfix is told to run nothing before it comes, and drives nothing away."""
    typed = postfix(root).splitlines()
    good = len(typed) == 2 and 'No configuration' in typed[0] and ' postfix' in typed[1] and ' --no-remove ' in typed[1]
    return '' if good else '\n'.join(typed)


def spares(root):
    typed = postfix(root, 'installed bash \\ninstalled exim4-daemon-light exim4, mail-transport-agent\\n')
    return '' if ' libpcre2-dev' in typed and 'postfix' not in typed else typed


def main():
    tests = [('what fails is counted, what cannot look is skipped', counts),
             ('what a unit test cannot do is skipped', unit),
             ('without libcheck unit tests are skipped, and that alone is no success', without_libcheck),
             ('streams that break off are failures', breaks),
             ('what passes is counted', passes),
             ('no test at all is a failure', nothing),
             ('what does not end is a failure', late),
             ('without root, the command to install what is missing', lambda root: tells(root, 1000, 'sudo apt-get install ')),
             ('Postfix comes without a configuration', quiet),
             ('Postfix does not replace another mail server', spares),
             ('what cannot be installed', lambda root: tells(root, 0, 'apt-get update && apt-get install '))]
    failed = 0
    print(f'1..{len(tests)}')
    with tempfile.TemporaryDirectory() as directory:
        for number, (title, test) in enumerate(tests, 1):
            wrong = test(pathlib.Path(directory))
            failed += bool(wrong)
            print(f'{"not ok" if wrong else "ok"} {number} - {title}')
            for line in wrong.splitlines():
                print('#   ' + line)
    return 1 if failed else 0


sys.exit(main())
