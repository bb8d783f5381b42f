#!/usr/bin/env python3
# test_intree.py - a build inside of the tree: the lints do not look at it, ./demo uses it, make distclean removes it
# SPDX-License-Identifier: BSD-2-Clause
#
# README builds in the tree, as everybody does with a tarball.  Prints TAP.
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ.get('TAMIS_SOURCE') or pathlib.Path(__file__).resolve().parents[2])
LATER = 'TO' + 'DO'         # the lint "words" reads this file, too
HEAD = '/* a.c - what it does */\n/* SPDX-License-Identifier: BSD-2-Clause */\n'
MADE = {'config.status': '#!/bin/sh\n# ' + LATER, 'config.log': LATER, 'Makefile': LATER, 'libtamis.a': LATER, 'tamis': '\x7fELF' + LATER,
        'src/a.o': LATER, 'src/.deps/a.Po': 'stu' + 'bs', 'tests/unit/test_a': '\x7fELF' + LATER, 'libtamis.o': LATER}
LOOKS = 'import os, sys\nif "--only-look" not in sys.argv:\n    print(os.environ["TAMIS_BUILD"])\n'
MINE = {'src/a.c': HEAD, 'README': 'a'}
CASES = [
    ('what a build made is not looked at', {**MINE, **MADE}, {'words': '', 'form': ''}),
    ('what somebody wrote is', {**MINE, **MADE, 'src/b.c': '/* ' + LATER + ' */\n'},
     {'words': 'src/b.c:1: ', 'form': 'src/b.c:1: '}),
    ('so is a script without a suffix', {**MINE, 'check': '#!/bin/sh\n# ' + LATER + '\n'},
     {'words': 'check:2: ', 'form': 'check:2: '}),
]


def complaints(files):
    """What each lint says of a tree of these files."""
    said = {}
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, 'utf-8')
        for lint in ('words', 'form'):
            done = subprocess.run([sys.executable, SOURCE / f'tests/lint/{lint}.py'], env={**os.environ, 'TAMIS_SOURCE': root},
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            said[lint] = done.stdout.decode('utf-8', 'replace')
    return said


def demo_build(configured):
    """Which build ./demo uses, of a tree that was configured or not."""
    with tempfile.TemporaryDirectory() as root:
        files = {'demo': (SOURCE / 'demo').read_text('utf-8'), 'build-aux/deps': '#!/bin/sh\n', 'configure': '#!/bin/sh\necho all: >Makefile\n',
                 'configure.ac': '', 'Makefile.in': '', 'tests/demo/demo.py': LOOKS}
        if configured:
            files |= {'config.status': '', 'Makefile': 'all:\n', 'configure': '#!/bin/sh\nexit 1\n'}
        for name in sorted(files):
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[name], 'utf-8')
            path.chmod(0o755)
        os.utime(pathlib.Path(root, 'configure.ac'), (0, 0))
        environment = {name: value for name, value in os.environ.items() if not name.startswith('TAMIS_') and name != 'MAKEFLAGS'}
        done = subprocess.run([pathlib.Path(root, 'demo')], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        return done.stdout.decode().strip().removeprefix(os.path.realpath(root)).removeprefix(root) or done.stderr.decode() * bool(done.returncode)


# what a build in the tree that is tested may have left there
BUILT = ('.git', '.build', 'build', '*.o', '*.a', '*.pc', '.deps', '.dirstamp', '__pycache__', 'config.status', 'config.log', 'Makefile',
         'autom4te.cache', 'extensions.list', '*.stamp', 'sieve.c', 'sieve.h')


def tree(root):
    """A copy of the tree, as after ./bootstrap."""
    shutil.copytree(SOURCE, root, symlinks=True, ignore=shutil.ignore_patterns(*BUILT))
    subprocess.run(['chmod', '-R', 'u+w', root], check=True)


def parsers(root):
    """The parser of a checkout, then that of a tarball and one of it whose grammar was changed: what each distclean leaves."""
    tree(root)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(('TAMIS_', 'MAKE'))}
    grammar, parser, left = root / 'grammar/sieve.y', [root / f'grammar/sieve.{end}' for end in 'ch'], []

    def files():
        return sorted(str(path.relative_to(root)) for path in root.rglob('*') if path.is_file() and not {'autom4te.cache', '.deps'} & set(path.parts))

    def build():
        for command in (f'./configure -q --cache-file={root}.cache', 'make -s grammar/sieve.h src/extensions.list', 'test -f grammar/sieve.h',
                        'make -s clean', 'make -s distclean'):
            done = subprocess.run(command, shell=True, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            if done.returncode:
                raise AssertionError(f'{command}: {done.stdout.decode("utf-8", "replace")[-2000:]}')

    before = files()
    build()
    left.append(sorted(set(files()) ^ set(before)))
    for changed in (False, True):
        for path in parser:
            path.write_text('shipped')
            os.utime(path, (grammar.stat().st_mtime + 1,) * 2)
        if changed:
            os.utime(grammar)
        build()
        left.append([path.read_text('utf-8') == 'shipped' if path.exists() else None for path in parser])
    return left


def distclean():
    """Why it is wrong; empty."""
    with tempfile.TemporaryDirectory() as root:
        try:
            left = parsers(pathlib.Path(root, 'tree'))
        except AssertionError as error:
            return str(error)
    return '' if left == [[], [True, True], [False, False]] else str(left)


def main():
    failed = 0
    print(f'1..{len(CASES) + 2}')
    skip = not (shutil.which('bison') and (SOURCE / 'configure').exists()) and ' # skip no Bison or no configure'
    wrong = '' if skip else distclean()
    failed += bool(wrong)
    print(f'{"not " if wrong else ""}ok {len(CASES) + 2} - make distclean takes away the parser that was made, and no other{skip or ""}')
    for line in wrong.splitlines():
        print(f'# {line}')
    skip = os.geteuid() and ' # skip only root runs ./demo'
    uses = skip or [demo_build(True), demo_build(False)]
    good = skip or uses == ['', '/.build/gcc']
    failed += not good
    print(f'{"" if good else "not "}ok {len(CASES) + 1} - ./demo uses a build in the tree, else one of its own{skip or ""}')
    if not good:
        print(f'# {uses}')
    for number, (title, files, expected) in enumerate(CASES, 1):
        said = complaints(files)
        good = all(said[lint].startswith(start) and bool(start) == bool(said[lint]) for lint, start in expected.items())
        failed += not good
        print(f'{"" if good else "not "}ok {number} - {title}')
        if not good:
            for lint, text in said.items():
                for line in text.splitlines():
                    print(f'#   {lint}: {line}')
    return 1 if failed else 0


sys.exit(main())
