# length.py - a function fits a screen, a file fits an hour
# SPDX-License-Identifier: BSD-2-Clause
#
# With --report: prints every function of more than 40 lines instead.
import os
import re
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
from source import blank_comments, complain, files, finish, name, read

SCREEN, REFUSED, HOUR = 40, 80, 600
EXCEPT = {'src/vm/run.c': 'the loop of the machine'}
REPORT = sys.argv[1:] == ['--report']


def functions(text):
    """(name, first line, lines) of each function: from "{" to "}", both in column 1."""
    head, start = '', 0
    for number, line in enumerate(blank_comments(text).split('\n'), 1):
        if re.match(r'[A-Za-z_].*\(', line):
            head = re.match(r'(?:.*?[\s*])?(\w+)\(', line)
            head = head[1] if head else line
        elif line.startswith('{'):
            start = number
        elif line.startswith('}') and start:
            yield head, start, number - start + 1
            start = 0


for source in files('src/**/*.[ch]', 'grammar/*.y', 'tests/**/*.[ch]'):
    content = read(source)
    lines = content.count('\n')
    if lines > HOUR:
        complain(source, lines, f'{lines} lines; a file has at most {HOUR}')
    for function, line, length in functions(content):
        if REPORT and length > SCREEN:
            print(f'{name(source)}:{line}: {function}: {length} lines')
        elif length > REFUSED and name(source) not in EXCEPT:
            complain(source, line, f'{function} has {length} lines; a function has at most {REFUSED}')
if not REPORT:
    finish()
