# source.py - what the lints share: the tree, its files, complaints
# SPDX-License-Identifier: BSD-2-Clause
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(os.environ.get('TAMIS_SOURCE') or pathlib.Path(__file__).parents[3]).resolve()
BUILD = pathlib.Path(os.environ.get('TAMIS_BUILD') or ROOT / '.build/gcc').resolve()
CANNOT_LOOK = 77

_complaints = []


def complain(path, line, what):
    """Note a finding; finish() prints it."""
    path = pathlib.Path(path)
    if path.is_absolute():
        path = path.relative_to(ROOT)
    _complaints.append(f'{path}:{line}: {what}')


def finish():
    """Silence is success."""
    for text in _complaints:
        print(text)
    sys.exit(1 if _complaints else 0)


def cannot_look(why):
    print(why)
    sys.exit(CANNOT_LOOK)


MADE = {'Makefile', 'config.log', 'config.status', 'libtamis.pc'}     # by configure, in a build inside of the tree


def made(path):
    """Did a build inside of the tree, or the interpreter of a test, write it?"""
    if path.suffix in ('.a', '.o', '.pyc') or name(path) in MADE or '.deps' in path.parts:
        return True
    with path.open('rb') as opened:
        return opened.read(4) == b'\x7fELF'


def files(*patterns):
    """The files of the tree that match, sorted."""
    found = set()
    for pattern in patterns:
        found.update(path for path in ROOT.glob(pattern) if path.is_file() and not made(path))
    return sorted(found)


def name(path):
    return str(path.relative_to(ROOT))


def read(path):
    return path.read_text('utf-8', 'surrogateescape')


def blank_comments(text):
    """C text with comments blanked out; strings and line numbers stay."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

    def blank(found):
        if found[0].startswith('/'):
            return re.sub(r'[^\n]', ' ', found[0])
        return found[0]
    return token.sub(blank, text)


def line_of(text, offset):
    return text.count('\n', 0, offset) + 1


def output_of(*command):
    """Standard output of a command that must succeed."""
    return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, check=True,
                          cwd=ROOT).stdout.decode('utf-8', 'replace')


def needs_plain_build():
    """For lints that look at objects: an instrumented build has symbols of its own."""
    makefile = BUILD / 'Makefile'
    if not makefile.exists():
        cannot_look(f'{BUILD} holds no build')
    if re.search(r'^SANITIZE = .*\S', makefile.read_text('utf-8'), re.M):
        cannot_look(f'{BUILD} is an instrumented build')


def objects(layer):
    """(object file, source) of each file of a layer in the build."""
    # -lmilter is the system's
    library = {'milter': 'daemon'}.get(layer, layer)
    for source in files(f'src/{layer}/*.c') if layer else files('src/*.c'):
        prefix = f'lib{library}_a-' if (BUILD / f'src/{layer}').exists() and layer else ''
        for stem in (prefix + source.stem, source.stem):
            path = BUILD / source.relative_to(ROOT).parent / (stem + '.o')
            if path.exists():
                yield path, source
                break
        else:
            complain(source, 1, f'not built in {BUILD}')
