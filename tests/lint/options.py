# options.py - every command and option of tamis and tamis-milter is in its manual page
# SPDX-License-Identifier: BSD-2-Clause
import os
import re
import subprocess
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
from source import BUILD, ROOT, cannot_look, complain, finish, read

PROGRAM, DAEMON = BUILD / 'tamis', BUILD / 'tamis-milter'
PAGE, DAEMON_PAGE = ROOT / 'doc/tamis.1', ROOT / 'doc/tamis-milter.8'
POSTFIX = {'always_add_missing_headers', 'milter_default_action'}      # settings of its, of which the page speaks


def help_of(*words, program=PROGRAM):
    done = subprocess.run([program, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.stdout.decode('utf-8', 'replace')


def option_lines(text):
    """(letter or None, name) of each option that a help text lists."""
    return re.findall(r'^  (?:-(\w), |    )--([a-z][a-z-]*)', text, re.M)


def explained(path, page, listed, whose):
    if not listed:
        complain(path, 1, f'cannot tell the options of {whose}')
    for letter, name in listed:
        # mdoc writes "--name" as "Fl -name"
        if not re.search(rf'\bFl -{re.escape(name)}(?![\w-])', page):
            complain(path, 1, f'does not explain --{name} of {whose}')
        if letter and not re.search(rf'\bFl {letter}\b', page):
            complain(path, 1, f'does not explain -{letter} of {whose}')


def look_at_daemon():
    """Its options both ways, and no setting that tamis.conf has not."""
    page = read(DAEMON_PAGE)
    listed = option_lines(help_of('--help', program=DAEMON))
    explained(DAEMON_PAGE, page, listed, "'tamis-milter'")
    for name in re.findall(r'^\.It Fl \w.* Fl -([a-z-]+)', page, re.M):
        if name not in [option for _letter, option in listed]:
            complain(DAEMON_PAGE, 1, f'explains --{name}, which is no option')
    settings = re.findall(r'^(\w+) = ', help_of('conf', '--defaults'), re.M)
    for name in re.findall(r'^\.(?:Ic|Cm|Pq Cm) ([a-z]+_[a-z_]+)', page, re.M):
        if name not in settings and name not in POSTFIX:
            complain(DAEMON_PAGE, 1, f"speaks of '{name}', which is no setting")


for path in (PROGRAM, DAEMON):
    if not path.exists():
        cannot_look(f'{path} is not built')
page = read(PAGE)
commands = re.findall(r'^  ([a-z]+)  +\S', help_of('help'), re.M)
if len(commands) < 5:
    complain(PAGE, 1, 'cannot tell the commands from "tamis help"')
for command in commands:
    if not re.search(rf'^\.(?:It|Ss|Nm|Cm|Ic)\b.*\b{command}\b', page, re.M):
        complain(PAGE, 1, f"does not explain the command '{command}'")
    explained(PAGE, page, option_lines(help_of(command, '--help')), f"'{command}'")
look_at_daemon()
finish()
