# options.py - every command and option of tamis is in its manual page
# SPDX-License-Identifier: BSD-2-Clause
import os
import re
import subprocess
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
from source import BUILD, ROOT, cannot_look, complain, finish, read

PROGRAM = BUILD / 'tamis'
PAGE = ROOT / 'doc/tamis.1'


def help_of(*words):
    done = subprocess.run([PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.stdout.decode('utf-8', 'replace')


def option_lines(text):
    """(letter or None, name) of each option that a help text lists."""
    return re.findall(r'^  (?:-(\w), |    )--([a-z][a-z-]*)', text, re.M)


if not PROGRAM.exists():
    cannot_look(f'{PROGRAM} is not built')
if not PAGE.exists():
    complain(PAGE, 1, 'is missing')
    finish()
page = read(PAGE)
commands = re.findall(r'^  ([a-z]+)  +\S', help_of('help'), re.M)
if len(commands) < 5:
    complain(PAGE, 1, 'cannot tell the commands from "tamis help"')
for command in commands:
    if not re.search(rf'^\.(?:It|Ss|Nm|Cm|Ic)\b.*\b{command}\b', page, re.M):
        complain(PAGE, 1, f"does not explain the command '{command}'")
    listed = option_lines(help_of(command, '--help'))
    if not listed:
        complain(PAGE, 1, f'cannot tell the options from "tamis {command} --help"')
    for letter, name in listed:
        # mdoc writes "--name" as "Fl -name"
        if not re.search(rf'\bFl -{re.escape(name)}(?![\w-])', page):
            complain(PAGE, 1, f"does not explain --{name} of '{command}'")
        if letter and not re.search(rf'\bFl {letter}\b', page):
            complain(PAGE, 1, f"does not explain -{letter} of '{command}'")
finish()
