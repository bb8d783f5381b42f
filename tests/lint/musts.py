# musts.py - every demand of an RFC has a test, or a reason why not
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/rfc/NNNN.must has lines "section | LEVEL | first words | tests", where tests are
# "file.test: title" or "unit name" or "script file", with ";" between them, or "not applicable: why".
# tests/rfc/NNNN.sentences lists what the RFC demands (lib/rfc.py writes it); where the text itself is
# at hand, in $TAMIS_RFC_DIR/rfcNNNN.txt, the list is checked against it.
import os
import re
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
import rfc
from source import ROOT, complain, files, finish, read


def titles():
    """Every test there is, as a .must file names it."""
    found = set()
    for path in files('tests/*/**/*.test', 'rules/**/*.test'):
        where = path.relative_to(ROOT / 'tests' if 'tests' in path.relative_to(ROOT).parts[:1] else ROOT)
        found.update(f'{where}: {title.strip()}' for title in re.findall(r'^== *(.+)$', read(path), re.M))
    for path in files('tests/*/**/*.svtest'):
        where = path.relative_to(ROOT / 'tests')
        found.update(f'{where}: {title}' for title in re.findall(r'^\s*test "((?:\\.|[^"\\])*)"', read(path), re.M))
    for path in files('tests/unit/test_*.c'):
        found.update(f'unit {name}' for name in re.findall(r'^START_TEST\((\w+)\)', read(path), re.M))
    found.update(f'script {path.relative_to(ROOT / "tests")}' for path in files('tests/*/test_*.sh', 'tests/*/test_*.py'))
    return found


def check_tests(path, line, text):
    if re.match(r'not applicable: \S', text):
        return
    for test in text.split(';'):
        if test.strip() not in KNOWN:
            complain(path, line, f"there is no test '{test.strip()}'")


def read_musts(path):
    """{(section, first words): line}; checks the form of each line on the way."""
    musts = {}
    for number, line in enumerate(read(path).splitlines(), 1):
        if not line.strip() or line.startswith('#'):
            continue
        cells = [cell.strip() for cell in line.split('|', 3)]
        if len(cells) != 4 or not all(cells):
            complain(path, number, 'write "section | LEVEL | first words | tests"')
            continue
        musts[cells[0], cells[2]] = number
        check_tests(path, number, cells[3])
    return musts


def check_sentences(path, musts):
    """Each sentence has its line, each line its sentence."""
    left = dict(musts)
    must_file = path.with_suffix('.must')
    for number, line in enumerate(read(path).splitlines(), 1):
        section, level, words, _digest = [cell.strip() for cell in line.split('|')]
        matching = [key for key in musts if key[0] == section and words.startswith(key[1])]
        if not matching:
            complain(path, number, f"{must_file.name} has no line for {section} | {level} | {words}")
        for key in matching:
            left.pop(key, None)
    for (section, words), number in left.items():
        complain(must_file, number, f"{path.name} has no such sentence: {section} | {words}")


def check_text(path):
    text = os.path.join(os.environ.get('TAMIS_RFC_DIR', ''), f'rfc{path.stem}.txt')
    if 'TAMIS_RFC_DIR' in os.environ and os.path.exists(text):
        with open(text, encoding='utf-8', errors='replace') as file:
            if list(rfc.lines(file.read())) != read(path).splitlines():
                complain(path, 1, f'differs from what lib/rfc.py finds in {text}')


KNOWN = titles()
for sentences in files('tests/rfc/*.sentences'):
    check_text(sentences)
    must = sentences.with_suffix('.must')
    if must.exists():
        check_sentences(sentences, read_musts(must))
    else:
        complain(sentences, 1, f'{must.name} is missing')
for must in files('tests/rfc/*.must'):
    if not must.with_suffix('.sentences').exists():
        complain(must, 1, f'{must.stem}.sentences is missing')
finish()
