#!/usr/bin/env python3
# test_cost.py - what no rule asks for costs nothing
# SPDX-License-Identifier: BSD-2-Clause
#
# Work is counted, not timed: a run over a large message must fit a budget that one over a small message needs.  Only
# what shows rules to people is timed, against itself.
# Prints TAP.
import base64
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile

TAMIS = os.path.abspath(os.environ.get('TAMIS', 'tamis'))
SANITIZED = 'asan' in os.environ.get('TAMIS_BUILD', '')
HEADER = 'From: a@example.org\nTo: b@example.org\nSubject: hello\n'
RULES = {
    'envelope': 'require "envelope"; if envelope "from" "c@example.org" { discard; }\n',
    'header': 'if header :contains "subject" ["x", "y"] { discard; } if address "from" "c@example.org" { discard; }\n',
    'size': 'if size :over 1G { discard; }\n',
    'raw': 'require "body"; if body :raw :contains "nowhere to be found" { discard; }\n',
    'text': 'require "body"; if body :text :contains "nowhere to be found" { discard; }\n',
    'content': 'require "body"; if body :content "application" :contains "nowhere to be found" { discard; }\n',
}


def plain(size):
    line = 'words of a body that nobody has to read to know what is in the header\n'
    return HEADER + '\n' + line * (size // len(line))


def attached(size):
    """A short text, and that many bytes in base64."""
    data = base64.encodebytes(random.Random(1).randbytes(size)).decode('ascii')
    return (HEADER + 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n'
            'see what is attached\n--b\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n'
            + data + '--b--\n')


def headed(size):
    """A header of about that many bytes."""
    return HEADER + ''.join(f'X-{i}: =?utf-8?q?=41?= "b" <b{i}@example.org>\n' for i in range(size // 44)) + '\nbody\n'


# the budget is looked at now and then, not at the end: something stands behind what is measured
BEHIND = 'if not true { keep; }\n' * 4000
MESSAGES = {'head-1k': headed(1 << 10), 'head-1m': headed(1 << 20), 'plain-5k': plain(5 << 10), 'plain-5m': plain(5 << 20), 'attached-5m': attached(5 << 20)}


def few_bytes():
    """The address space of a program that maps no message of that size."""
    resource.setrlimit(resource.RLIMIT_AS, (512 << 20, 512 << 20))


def run(root, rules, message, *words, **more):
    done = subprocess.run([TAMIS, 'run', *words, root / f'{rules}.sieve', root / message], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False, **more)
    return done.returncode, done.stdout.decode('utf-8', 'replace')


def work(root, rules, message):
    """The smallest budget that is enough, to a few per cent."""
    low, high = 1, 1 << 24
    while high - low > 1 + low // 32:
        middle = (low + high) // 2
        if run(root, rules, message, '--limit', f'work={middle}')[0]:
            low = middle
        else:
            high = middle
    return high


def same(root, rules, one='plain-5k', other='plain-5m'):
    small, large = work(root, rules, one), work(root, rules, other)
    return '' if large <= small + small // 8 else f'{small} units for {one}, {large} for {other}'


def apart(root, rules, other):
    """Both go through the parts; only the other reads what is attached."""
    less, more = work(root, rules, 'attached-5m'), work(root, other, 'attached-5m')
    return '' if less * 2 < more else f'{less} units for {rules}, {more} for {other}'


def grows(root, rules):
    """That the measure is one: bytes count where they are made ready, where they are compared, and with each key."""
    small, large = work(root, rules, 'plain-5k'), work(root, rules, 'plain-5m')
    return '' if large - small > (5 << 20) // 64 * 5 // 2 else f'{small} units for 5 KB, {large} for 5 MB'


def unread(root, rules):
    """64 GiB of a body that is not looked at, and cannot be."""
    path = root / 'huge'
    path.write_text(HEADER + '\n', 'ascii')
    os.truncate(path, 64 << 30)
    status, output = run(root, rules, 'huge', preexec_fn=None if SANITIZED else few_bytes)
    path.unlink()
    return '' if status == 0 and output == 'keep\n' else output or f'exit status {status}'


def seconds(words, rules):
    """Processor time of the fastest of three."""
    times = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([TAMIS, *words[:1], '--limit', 'script-size=4M', rules, *words[1:]], stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=600, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def one_line(root, *words):
    """The same rules with line ends and without: where something stands is not sought from the beginning of its line."""
    conditions = [f'if header :contains "subject" "word{i}" {{ fileinto "box{i}"; }}' for i in range(8000)]
    tests = [f'header :contains "subject" "word{i}"' for i in range(16000)]
    wrong = []
    for text in ('require "fileinto";@' + '@'.join(conditions), 'require "fileinto"; if anyof (' + ',@'.join(tests) + ') { keep; }'):
        (root / 'lines.sieve').write_text(text.replace('@', '\n') + '\n', 'ascii')
        (root / 'line.sieve').write_text(text.replace('@', ' ') + '\n', 'ascii')
        lines, line = seconds(words, root / 'lines.sieve'), seconds(words, root / 'line.sieve')
        if line > 4 * lines + 0.1 or lines > (10 if SANITIZED else 0.7):
            wrong.append(f'{words[0]}: {line:.3f} seconds for one line, {lines:.3f} for many')
    return '\n'.join(wrong)


def includes(root):
    """Each of ten times as many scripts, of which none is there, is found as fast."""
    times = []
    for count in (6000, 60000):
        (root / 'includes.sieve').write_text('require "include";\n' + ''.join(f'include "x{i}";\n' for i in range(count)), 'ascii')
        times.append(seconds(['check'], root / 'includes.sieve'))
    return '' if times[1] < 20 * times[0] + 0.1 else f'{times[0]:.3f} seconds for 6000, {times[1]:.3f} for 60000'


TESTS = [
    ('rules about the header do the same work over 5 KB and 5 MB', lambda root: same(root, 'header')),
    ('rules about the size as well', lambda root: same(root, 'size')),
    ('rules about the envelope do not look at a header', lambda root: same(root, 'envelope', 'head-1k', 'head-1m')),
    ('rules about the body do not', lambda root: grows(root, 'raw')),
    ('what is attached is not decoded for rules about text', lambda root: apart(root, 'text', 'content')),
    ('rules about the header do not read a body', lambda root: unread(root, 'header')),
    ('a trace of one long line costs what one of many lines does', lambda root: one_line(root, 'trace', root / 'plain-5k')),
    ('so does an explanation', lambda root: one_line(root, 'explain', root / 'plain-5k')),
    ('so do stages', lambda root: one_line(root, 'check', '--stages')),
    ('an include costs what it costs among few others', includes),
]


def main():
    failed = 0
    print(f'1..{len(TESTS)}')
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        for name, text in RULES.items():
            (root / f'{name}.sieve').write_text(text + BEHIND, 'ascii')
        for name, text in MESSAGES.items():
            (root / name).write_text(text, 'ascii')
        for number, (title, test) in enumerate(TESTS, 1):
            wrong = test(root)
            failed += bool(wrong)
            print(f'{"not ok" if wrong else "ok"} {number} - {title}')
            for line in wrong.splitlines():
                print('#   ' + line)
    return 1 if failed else 0


sys.exit(main())
