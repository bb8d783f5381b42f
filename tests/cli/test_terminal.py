#!/usr/bin/env python3
# test_terminal.py - what is shown on a terminal only
# SPDX-License-Identifier: BSD-2-Clause
#
# Prints TAP.
import os
import pathlib
import pty
import re
import subprocess
import sys
import tempfile

TAMIS = os.path.abspath(os.environ.get('TAMIS', 'tamis'))
MESSAGES = 5000
BAR = re.compile(rb'\r\[(#*)(\.*)\] +(\d+) %  (\d+) messages')


def read_all(descriptor):
    seen = b''
    while True:
        try:
            more = os.read(descriptor, 65536)
        except OSError:         # the other side is closed
            return seen
        if not more:
            return seen
        seen += more


def on_terminal(root, *words, **environment):
    """Standard output, and what a terminal saw on standard error."""
    ours, theirs = pty.openpty()
    environment = {**{k: v for k, v in os.environ.items() if k != 'NO_COLOR'}, 'TERM': 'xterm', **environment}
    with open(root / 'out', 'wb') as out:
        process = subprocess.Popen([TAMIS, *words], cwd=root, stdin=subprocess.DEVNULL, stdout=out, stderr=theirs,
                                   env=environment)
    os.close(theirs)
    seen = read_all(ours)
    os.close(ours)
    return process.wait(), (root / 'out').read_bytes(), seen


def bar(root):
    status, out, seen = on_terminal(root, 'run', '--summary', 'slow.sieve', 'box')
    bars = [(int(part), int(n)) for _full, _empty, part, n in BAR.findall(seen)]
    if status or f'{MESSAGES}' not in out.decode().replace(',', '').replace(' ', ''):
        return f'exit status {status}\n{out.decode()}'
    if not bars or bars != sorted(bars) or bars[-1][0] > 100:
        return f'no bar that grows: {seen!r}'
    if any(len(full) + len(empty) != 40 for full, empty, _part, _n in BAR.findall(seen)):
        return f'the bar changes its length: {seen!r}'
    return '' if seen.endswith(b'\r\x1b[K') else f'the bar stays: {seen!r}'


def quiet(root):
    _status, _out, seen = on_terminal(root, 'run', '--quiet', '--summary', 'slow.sieve', 'box')
    return f'{seen!r}' if seen else ''


def colors(root):
    status, _out, seen = on_terminal(root, 'run', 'wrong.sieve', 'one')
    if status != 1 or b'\x1b[1;31merror: ' not in seen:
        return f'exit status {status}, {seen!r}'
    for plain in ({'TERM': 'dumb'}, {'NO_COLOR': '1'}):
        _status, _out, seen = on_terminal(root, 'run', 'wrong.sieve', 'one', **plain)
        if b'error: ' not in seen or b'\x1b' in seen:
            return f'{plain}: {seen!r}'
    done = subprocess.run([TAMIS, 'run', 'wrong.sieve', 'one'], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    return f'{done.stdout!r}' if b'\x1b' in done.stdout else ''


def files(root):
    (root / 'wrong.sieve').write_text('kep;\n', 'ascii')
    (root / 'one').write_text('A: b\n\nc\n', 'ascii')
    # long enough for somebody to wait
    tests = ', '.join(f'body :regex "(a|b| )*[x-z][{i}-9]"' for i in range(3))
    (root / 'slow.sieve').write_text(f'require ["body", "regex"]; if anyof({tests}) {{ discard; }}\n', 'ascii')
    with open(root / 'box', 'w', encoding='ascii') as box:
        for i in range(MESSAGES):
            box.write(f'From a@example.org Mon Nov 23 09:30:00 2026\nSubject: {i}\n\n{"a b " * 40}\n\n')


def main():
    tests = [('a bar while a mailbox is read', bar), ('no bar with --quiet', quiet), ('colors', colors)]
    failed = 0
    print(f'1..{len(tests)}')
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        files(root)
        for number, (title, test) in enumerate(tests, 1):
            wrong = test(root)
            failed += bool(wrong)
            print(f'{"not ok" if wrong else "ok"} {number} - {title}')
            for line in wrong.splitlines():
                print('#   ' + line)
    return 1 if failed else 0


sys.exit(main())
