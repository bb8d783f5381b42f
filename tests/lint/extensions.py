# extensions.py - an extension is one source, one test, one page
# SPDX-License-Identifier: BSD-2-Clause
import json
import os
import re
import subprocess
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
from source import BUILD, ROOT, blank_comments, cannot_look, complain, files, finish, needs_plain_build, objects, output_of, read

TABLE = re.compile(r'\bstruct extension ext_(\w+) = \{(.*?)\n\};', re.S)


def words():
    """What the program knows of the language."""
    done = subprocess.run([BUILD / 'tamis', 'help', '--words', '--json'], stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def plain(usage):
    """One blank between words, and no tags that other extensions put there."""
    def keep(group):
        tags = set(re.findall(r':[a-z0-9]+', group[0]))
        return '' if tags and tags <= GRAFTS else group[0]
    return ' '.join(re.sub(r'\[:[^\[\]]*\]', keep, usage).split())


def commands_of(text, capability):
    """The names of the commands that this file brings: of what needs no require, those in its tables."""
    if capability:
        return {word['name'] for word in WORDS if word['extension'] == capability and word['usage']}
    found = set(re.findall(r'\.name = "([^":]+)"', text)) | set(re.findall(r'^\t\{ "([^":]+)"', text, re.M))
    return {word['name'] for word in WORDS if word['name'] in found and word['usage'] and not word['extension']}


def check_page(page, text, capability):
    content = read(page)
    blocks = re.findall(r'^```[^\n]*\n(.*?)^```', content, re.M | re.S) + re.findall(r'^ {4}.*(?:\n {4,}.*)*', content, re.M)
    shown = [plain(block) for block in blocks]
    for word in WORDS:
        if word['extension'] == capability and word['name'] in commands_of(text, capability) and word['usage']:
            if not any(plain(word['usage']) in block for block in shown):
                complain(page, 1, f"does not show: {plain(word['usage'])}")


def check_source(source):
    text = blank_comments(read(source))
    tables = TABLE.findall(text)
    wanted = source.stem.replace('-', '_')
    if [table[0] for table in tables] != [wanted]:
        complain(source, 1, f"has no 'const struct extension ext_{wanted}', or more than that")
        return
    page, test = ROOT / f'doc/ext/{source.stem}.md', ROOT / f'tests/ext/{source.stem}.test'
    if not test.exists():
        complain(source, 1, f'tests/ext/{test.name} is missing')
    name = re.search(r'\.name = "([^"]*)"', tables[0][1])
    if not page.exists():
        complain(source, 1, f'doc/ext/{page.name} is missing')
    else:
        check_page(page, text, name[1] if name else '')


def check_symbols():
    """Nobody else may use what is in the file."""
    for path, source in objects('ext'):
        wanted = 'ext_' + source.stem.replace('-', '_')
        for line in output_of('nm', '-g', '--defined-only', path).splitlines():
            if line.split()[-1] != wanted:
                complain(source, 1, f"'{line.split()[-1]}' should be static")


needs_plain_build()
if not (BUILD / 'tamis').exists():
    cannot_look(f'{BUILD}/tamis is not built')
WORDS = words()
GRAFTS = {word['name'] for word in WORDS if word['kind'] == 'tag'}
for file in files('src/ext/*.c'):
    check_source(file)
for kind, pattern in (('page', 'doc/ext/*.md'), ('test', 'tests/ext/*.test')):
    for file in files(pattern):
        if not (ROOT / 'src/ext' / (file.stem + '.c')).exists():
            complain(file, 1, f'a {kind} of no extension')
check_symbols()
finish()
