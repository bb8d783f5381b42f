# conf.py - the settings of tamis.conf and their manual page agree: names, defaults, ranges, words
# SPDX-License-Identifier: BSD-2-Clause
import json
import os
import re
import subprocess
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
from source import BUILD, ROOT, cannot_look, complain, finish, line_of, read

PROGRAM = BUILD / 'tamis'
PAGE = ROOT / 'doc/tamis.conf.5'

if not PROGRAM.exists():
    cannot_look(f'{PROGRAM} is not built')
done = subprocess.run([PROGRAM, 'conf', '--defaults', '--json'], stdout=subprocess.PIPE, check=False)
settings = {}
for line in done.stdout.decode().splitlines():
    setting = json.loads(line)
    settings[setting['name']] = setting
if len(settings) < 30:
    complain(PAGE, 1, 'cannot tell the settings from "tamis conf --defaults --json"')
page = read(PAGE)
found = {}
for item in re.finditer(r'^\.It Ic (\w+) =(.*)\n((?:(?!\.It |\.El).*\n)*)', page, re.M):
    number = line_of(page, item.start())
    if item[1] in found:
        complain(PAGE, number, f"explains '{item[1]}' twice")
    found[item[1]] = number
    setting = settings.get(item[1])
    if not setting:
        complain(PAGE, number, f"explains '{item[1]}', which is no setting")
        continue
    if item[2].strip() != setting['default']:
        complain(PAGE, number, f"default of '{item[1]}' is \"{setting['default']}\"")
    if setting.get('range') and f"\nRange: {setting['range']}.\n" not in '\n' + item[3]:
        complain(PAGE, number, f"does not tell the range of '{item[1]}', {setting['range']}")
    for word in setting.get('choices', '').split('|'):
        if not re.fullmatch(r'local[1-6]', word) and not re.search(rf'(?<![\w-]){re.escape(word)}(?![\w-])', item[3]):
            complain(PAGE, number, f"does not explain '{word}' of '{item[1]}'")
for setting in settings:
    if setting not in found:
        complain(PAGE, 1, f"does not explain '{setting}'")
finish()
