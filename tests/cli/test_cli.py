#!/usr/bin/env python3
# test_cli.py - commands and what they print
# SPDX-License-Identifier: BSD-2-Clause
#
# A case is a text in a file NAME.case:
#
#     # what is tested
#     $ tamis check wrong.sieve
#     wrong.sieve:1:1: error: ...
#     [1]
#
# Behind "$ " stands what sh runs in the directory tests/cli/files; below it all that it prints, on
# standard output and error; last its exit status unless that is 0.  Several commands may follow one
# title.  Prints TAP.
#
#     test_cli.py [--accept] [FILE...]        --accept writes what came into the files
import difflib
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TAMIS = os.path.abspath(os.environ.get('TAMIS', 'tamis'))


class Case:
    def __init__(self, title):
        self.title = title
        self.steps = []                 # [command, expected text]


def parse(text):
    """The cases of a file; what is above the first title is kept as it is."""
    head, cases = [], []
    for line in text.splitlines():
        if line.startswith('# '):
            cases.append(Case(line[2:]))
        elif not cases:
            head.append(line)
        elif line.startswith('$ '):
            cases[-1].steps.append([line[2:], []])
        elif cases[-1].steps:
            cases[-1].steps[-1][1].append(line)
    for case in cases:
        for step in case.steps:
            step[1] = '\n'.join(step[1]).rstrip('\n')
    return head, cases


def run(command):
    environment = {
        'PATH': os.path.dirname(TAMIS) + ':' + os.environ.get('PATH', '/usr/bin:/bin'),
        'LC_ALL': 'C.UTF-8', 'TZ': 'UTC', 'TERM': 'dumb', 'TAMIS': TAMIS,
    }
    for name in ('ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS'):
        if name in os.environ:
            environment[name] = os.environ[name]
    done = subprocess.run(['sh', '-c', command], cwd=HERE / 'files', env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False)
    text = done.stdout.decode('utf-8', 'backslashreplace')
    if done.returncode:
        text += ('' if not text or text.endswith('\n') else '\n') + f'[{done.returncode}]'
    return text.rstrip('\n')


def write(path, head, cases):
    out = list(head)
    for case in cases:
        out.append('# ' + case.title)
        for command, text in case.steps:
            out.append('$ ' + command)
            if text:
                out.append(text)
        out.append('')
    path.write_text('\n'.join(out).rstrip('\n') + '\n')


def main():
    if not os.access(TAMIS, os.X_OK):
        print(f'Bail out!  {TAMIS} cannot be run')
        return 1
    accept = '--accept' in sys.argv[1:]
    paths = [pathlib.Path(a) for a in sys.argv[1:] if not a.startswith('-')] or sorted(HERE.glob('*.case'))
    number = failed = 0
    for path in paths:
        head, cases = parse(path.read_text())
        for case in cases:
            number += 1
            complaints = []
            for step in case.steps:
                came = run(step[0])
                if came != step[1]:
                    complaints += [f'$ {step[0]}', *difflib.unified_diff(
                        step[1].split('\n'), came.split('\n'), 'expected', 'came', lineterm='')]
                    step[1] = came if accept else step[1]
            if not case.steps:
                complaints.append('has no command')
            good = not complaints or accept and case.steps
            failed += not good
            print(f'{"ok" if good else "not ok"} {number} - {path.stem}: {case.title}')
            for line in [] if good else complaints:
                print('# ' + line)
        if accept:
            write(path, head, cases)
    print(f'1..{number}')
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
