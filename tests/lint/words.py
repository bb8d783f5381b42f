# words.py - nothing is left for later
# SPDX-License-Identifier: BSD-2-Clause
import os
import re
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
from source import complain, files, finish, line_of, name, read

# spelled so that this file does not find itself
FORBIDDEN = re.compile(r'\b(TO' 'DO|FIX' 'ME|XX' 'X|HA' 'CK)\\b'
                       r'|\b(?i:for ' 'now|st' 'ubs?|place' r'holders?|not imple' 'mented yet)\\b')

for source in files('*', 'build-aux/*', 'src/**/*', 'grammar/**/*', 'doc/**/*', 'rules/**/*', 'tests/**/*'):
    if name(source).startswith('tests/fuzz/corpus/') or name(source) in ('configure', 'configure~', 'aclocal.m4', 'Makefile.in'):
        continue
    if source.suffix == '.pyc' or name(source) in ('build-aux/' + tool for tool in (
            'ar-lib', 'compile', 'depcomp', 'install-sh', 'missing', 'ylwrap')):
        continue
    text = read(source)
    for word in FORBIDDEN.finditer(text):
        complain(source, line_of(text, word.start()), f"'{word[0]}': finish it, or file it")
finish()
