#!/usr/bin/env python3
# rfc.py - the sentences of an RFC that demand something
# SPDX-License-Identifier: BSD-2-Clause
"""Usage: rfc.py sentences RFC.txt      prints what tests/rfc/NNNN.sentences holds
       rfc.py template RFC.txt       prints lines for tests/rfc/NNNN.must, the tests left open

A sentence is a line "section | LEVEL | first 60 characters | hash of the whole".
"""
import hashlib
import pathlib
import re
import sys

LEVEL = re.compile(r'\b(MUST NOT|MUST|SHALL NOT|SHALL|SHOULD NOT|SHOULD|REQUIRED|NOT RECOMMENDED|RECOMMENDED)\b')
HEADING = re.compile(r'(?:(\d+(?:\.\d+)*)\.?|Appendix ([A-Z])\.?|([A-Z](?:\.\d+)+)\.?) {1,4}\S')
FOOTER = re.compile(r'.*\[Page \d+\]\s*$|(RFC \d+|Internet-Draft) .* \d{4}\s*$')
# not at the end of a sentence
ABBREVIATION = re.compile(r'(\be\.g|\bi\.e|\betc|\bcf|\bvs|\bSec|\bSect|\bNo)\.$')
PREFIX = 60


def paragraphs(text):
    """(section, text) of each paragraph, page breaks removed."""
    section, words, fresh = '', [], True
    for line in text.replace('\f', '\n').split('\n'):
        if FOOTER.match(line):
            continue
        heading = HEADING.match(line)
        if heading and not re.search(r'\. ?\. ?\.|\.{4}', line):
            if words:
                yield section, ' '.join(words)
            section, words, fresh = heading[1] or heading[2] or heading[3], [], True
        elif line.strip():
            # a page break inside a paragraph leaves blank lines, and then a line in lower case
            if fresh and words and (not re.match(r'\s+[a-z(]', line) or re.search(r'[.:]$', words[-1])):
                yield section, ' '.join(words)
                words = []
            words.append(line.strip())
            fresh = False
        else:
            fresh = True
    if words:
        yield section, ' '.join(words)


def split(paragraph):
    start = 0
    for end in re.finditer(r'[.?!][")]*\s+(?=[A-Z"(\[])', paragraph):
        head = paragraph[start:end.start() + 1]
        if not ABBREVIATION.search(head):
            yield paragraph[start:end.end()].strip()
            start = end.end()
    yield paragraph[start:].strip()


def sentences(text):
    """(section, level, sentence) of each sentence that demands something."""
    for section, paragraph in paragraphs(text):
        for sentence in split(re.sub(r'\s+', ' ', re.sub(r'(?<=\w)- (?=\w)', '-', paragraph))):
            levels = LEVEL.findall(sentence)
            if levels and 'key words' not in sentence.lower():
                yield section, ', '.join(dict.fromkeys(levels)), sentence


def lines(text):
    for section, level, sentence in sentences(text):
        digest = hashlib.sha256(sentence.encode()).hexdigest()[:12]
        yield f'{section} | {level} | {sentence[:PREFIX].replace("|", "/").rstrip()} | {digest}'


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ('sentences', 'template'):
        sys.exit(__doc__.strip())
    text = pathlib.Path(sys.argv[2]).read_text('utf-8', 'replace')
    for line in lines(text):
        print(line if sys.argv[1] == 'sentences' else line.rsplit('|', 1)[0] + '| ')


if __name__ == '__main__':
    main()
