#!/usr/bin/env python3
# test_install.py - what "make install" puts where, and that a host can be built with it
# SPDX-License-Identifier: BSD-2-Clause
#
# Works over the build in $TAMIS_BUILD.  Prints TAP.
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ.get('TAMIS_SOURCE') or pathlib.Path(__file__).resolve().parent.parent.parent)
BUILD = pathlib.Path(os.environ.get('TAMIS_BUILD') or os.path.dirname(os.path.abspath(os.environ.get('TAMIS', 'tamis'))))
HOST = r'''
#include <stdio.h>
#include <tamis.h>

int
main(void)
{
	struct tamis_text rules = { "discard;", 8 }, name = { "x", 1 };
	struct tamis_program *p = tamis_compile(NULL, name, rules, 0);

	if (!p)
		return 1;
	tamis_program_unref(p);
	puts(tamis_version());
	return 0;
}
'''


def run(*words, **more):
    env = {key: value for key, value in os.environ.items() if key not in ('MAKEFLAGS', 'MAKELEVEL', 'MFLAGS', 'DESTDIR')}
    done = subprocess.run([str(word) for word in words], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **more)
    return done.returncode, done.stdout.decode('utf-8', 'replace')


def setting(name):
    found = re.search(rf'^{name} = (.*)$', (BUILD / 'Makefile').read_text('utf-8'), re.M)
    return found[1].strip() if found else ''


def wanted():
    """Each file below the prefix that somebody will look for."""
    yield 'bin/tamis'
    yield 'lib/libtamis.a'
    yield 'lib/pkgconfig/libtamis.pc'
    yield 'include/tamis.h'
    for page in sorted(SOURCE.glob('doc/*.[1-8]')):
        yield f'share/man/man{page.suffix[1]}/{page.name}'
    for page in ('postfix.md', 'sendmail.md', 'tamis-milter.service'):
        yield f'share/doc/tamis/{page}'
    # tamis help and the manual pages name them
    for page in sorted(SOURCE.glob('doc/ext/*.md')):
        yield f'share/doc/tamis/ext/{page.name}'
    for rules in sorted(SOURCE.glob('rules/*.sieve')):
        yield f'share/tamis/rules/{rules.name}'


def installed(root):
    status, output = run('make', '-s', '-C', BUILD, 'install', 'prefix=/p', f'DESTDIR={root}')
    if status:
        return output
    missing = [name for name in wanted() if not (root / 'p' / name).is_file()]
    return ''.join(f'{name} is missing\n' for name in missing)


def works(root):
    status, output = run(root / 'p/bin/tamis', 'run', '-', '/dev/null', cwd=root)
    if status or output != 'keep\n':
        return output or f'exit status {status}'
    return ''


def hosted(root):
    """A program that knows nothing but what pkg-config says."""
    (root / 'host.c').write_text(HOST, 'ascii')
    config = ['pkg-config', f'--define-variable=prefix={root}/p', 'libtamis']
    os.environ['PKG_CONFIG_PATH'] = f'{root}/p/lib/pkgconfig'
    words = []
    for what in ('--cflags', '--libs'):
        status, output = run(*config, what)
        if status:
            return output
        words.append(shlex.split(output))
    status, output = run(*shlex.split(setting('CC')), root / 'host.c', '-o', root / 'host', *words[0], *words[1])
    if status:
        return output
    status, output = run(root / 'host')
    return '' if status == 0 and re.match(r'\d', output) else output or f'exit status {status}'


def shows(root):
    """Nothing but what tamis.h declares, as machine code."""
    status, output = run('nm', '-g', '--defined-only', root / 'p/lib/libtamis.a')
    names = {words[2] for words in map(str.split, output.splitlines()) if len(words) == 3}
    if status or not names:
        return output
    header = (root / 'p/include/tamis.h').read_text('utf-8')
    return '\n'.join(sorted(name for name in names if not re.search(rf'\b{re.escape(name)}[(;]', header)))


def removed(root):
    status, output = run('make', '-s', '-C', BUILD, 'uninstall', 'prefix=/p', f'DESTDIR={root}')
    left = [str(path) for path in (root / 'p').rglob('*') if path.is_file()]
    return output if status else '\n'.join(left)


def main():
    tests = [('every file is where it belongs', installed), ('what is installed runs', works),
             ('a host builds with the library', hosted), ('the library shows what tamis.h declares, no more', shows),
             ('uninstall leaves nothing', removed)]
    failed = 0
    print(f'1..{len(tests)}')
    with tempfile.TemporaryDirectory() as directory:
        for number, (title, test) in enumerate(tests, 1):
            if test in (hosted, shows) and setting('SANITIZE'):
                print(f'ok {number} - {title} # SKIP the library is sanitized')
                continue
            wrong = test(pathlib.Path(directory))
            failed += bool(wrong)
            print(f'{"not ok" if wrong else "ok"} {number} - {title}')
            for line in wrong.splitlines():
                print('#   ' + line)
    return 1 if failed else 0


sys.exit(main())
