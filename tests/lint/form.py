# form.py - the first lines of a file, and white space
# SPDX-License-Identifier: BSD-2-Clause
import os
import re
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
from source import blank_comments, complain, files, finish, name, read

LICENCE = 'SPDX-License-Identifier: BSD-2-Clause'


def check_white_space(path, lines):
    for number, line in enumerate(lines, 1):
        if re.search(r'[ \t]$', line):
            complain(path, number, 'blanks at the end of the line')
        if '\r' in line:
            complain(path, number, 'a carriage return')
    if lines and lines[-1] != '':
        complain(path, len(lines), 'no newline at the end')


def check_indent(path, lines):
    """Blanks align what continues a line; they do not begin a statement."""
    before = ''
    for number, line in enumerate(lines, 1):
        if re.match(r' {8,}\S', line) and re.search(r'[;{}]$', before):
            complain(path, number, 'indent with tabs')
        before = line


def check_head(path, lines):
    if not re.match(r'/\* ' + re.escape(path.name) + r' - \S', lines[0]):
        complain(path, 1, f'the first line is "/* {path.name} - what it does */"')
    if LICENCE not in '\n'.join(lines[:4]):
        complain(path, 2, f'say "{LICENCE}"')


for source in files('src/**/*.[ch]', 'src/**/*.def', 'grammar/*.y', 'tests/**/*.[ch]'):
    content = read(source).split('\n')
    check_head(source, content)
    check_white_space(source, content)
    check_indent(source, blank_comments(read(source)).split('\n'))
scripts = [source for source in files('*', 'build-aux/*', '.ci/*', 'tests/**/*.sh', 'tests/**/*.py')
           if read(source).startswith('#!') or source.suffix in ('.sh', '.py')]
for source in scripts:
    content = read(source).split('\n')
    if 'configure' in name(source) or 'Copyright' in read(source)[:2000]:
        continue        # written by Autoconf and Automake
    if LICENCE not in '\n'.join(content[:4]):
        complain(source, 2, f'say "{LICENCE}"')
    check_white_space(source, content)
finish()
