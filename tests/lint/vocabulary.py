# vocabulary.py - a command is named in its table and nowhere else
# SPDX-License-Identifier: BSD-2-Clause
import os
import re
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
from source import blank_comments, complain, files, finish, name, read

TABLE = re.compile(r'\bstruct command \w+(?:\[\w*\])? = \{.*?\n\};', re.S)
# Effects have names of their own, and some are those of the commands that cause them; a command of the program
# "tamis" may be called as one of the language is.
OTHER = re.compile(r'\[?TAMIS_[A-Z_]+\]?[ ,]|^\s*\.name = ')

# plain words that are something else as well
WORDS_TOO = {'string', 'test', 'error', 'global'}      # a type, a kind, a severity, a place to load from
# in hosts: options of effects, stages, facts, settings, sections of tests
HOSTS_TOO = {'address', 'body', 'date', 'envelope', 'environment', 'header', 'include', 'size'}
# and these files mean something else by them
ALLOWED = {
    'src/lang/dump.c': {'envelope', 'header', 'body'},          # stages
    'src/tamis/svtest_config.c': {'include', 'vacation'},       # extensions that read settings
    'src/host/conf_table.c': {'keep'},                          # what a setting may be
    'src/host/rulelimits.c': {'vacation'},                      # an extension that this host denies
    'src/lang/template.c': {'set'},                             # a participle
    'src/tamis/svtest_scene.c': {'if', 'elsif'},                # parts of rules
    'src/vm/outcome.c': {'keep'},                               # the implicit keep has no command
    'src/milter/plan.c': {'keep'},                              # nor has what postmaster keeps in spite of his rules
}


def commands():
    found = set()
    for source in files('src/ext/*.c'):
        for table in TABLE.finditer(blank_comments(read(source))):
            found.update(re.findall(r'\.name = "([^"]+)"', table[0]))
            found.update(re.findall(r'^\t\{ "([^":]+)"', table[0], re.M))
    return found


WORDS = commands()
for source in files('src/**/*.[chy]', 'src/**/*.def', 'grammar/*'):
    # mail/ knows no Sieve: its words are fields and elements
    if name(source).startswith(('src/ext/', 'src/mail/')):
        continue
    allowed = WORDS_TOO | ALLOWED.get(name(source), set())
    if name(source).startswith(('src/host/', 'src/tamis/', 'src/milter/')):
        allowed |= HOSTS_TOO
    for number, line in enumerate(blank_comments(read(source)).split('\n'), 1):
        for literal in re.findall(r'"((?:\\.|[^"\\])*)"', line):
            if literal in WORDS and literal not in allowed and not OTHER.search(line) and not line.startswith('#'):
                complain(source, number, f"names the command '{literal}'; a table in src/ext knows it")
if not WORDS and files('src/ext/*.c'):
    complain(files('src/ext/*.c')[0], 1, 'no table of commands found')
finish()
