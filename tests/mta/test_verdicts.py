#!/usr/bin/env python3
# test_verdicts.py - what becomes of a message whose recipients' rules say different things
# SPDX-License-Identifier: BSD-2-Clause
"""A person is named after his rules; all groups of one and two of them, and some of five, get a message of their own
through Postfix and through Sendmail.  What has to come of it is told here by the design alone: nobody's fate may
depend on who else is there, but that a refusal which comes at the end of the message is one for all."""
import itertools
import os
import random
import sys

import world
import place
from tap import Tap

REFUSAL = '5.7.1 not this one'
RULES = {
    'keep': 'keep;',
    'discard': 'discard;',
    'early': f'require ["envelope", "ereject"]; if envelope "from" "{world.SENDER}" {{ ereject "{REFUSAL}"; stop; }}',
    'late': f'require "ereject"; if header "subject" "hello" {{ ereject "{REFUSAL}"; }}',
    'redirect': 'redirect "redirect@else.example";',
    'copy': 'require "copy"; redirect :copy "copy@else.example";',
    'file': 'require "fileinto"; fileinto "Lists";',
    'edit': 'require "editheader"; addheader "X-Edited" "once"; deleteheader "To";',
    'both': 'require ["fileinto", "copy"]; fileinto :copy "Lists"; redirect :copy "both@else.example";',
    'move': 'require ["editheader", "fileinto"]; addheader "X-Edited" "twice"; fileinto "Moved";',
    'suspect': 'require "vnd.tamis.quarantine"; quarantine "looked at first";',
}
ASIDE = 'quarantine@example.test'
PEOPLE = [*RULES, 'nobody']             # who has no rules
# where copies go, besides the inbox: True is the inbox
COPIES = {
    'keep': [True], 'discard': [], 'early': [], 'late': [], 'redirect': ['redirect@else.example'],
    'copy': [True, 'copy@else.example'], 'file': ['file+Lists@example.test'], 'edit': [True],
    'both': [True, 'both+Lists@example.test', 'both@else.example'], 'move': ['move+Moved@example.test'], 'nobody': [True],
    'suspect': [ASIDE],                 # or else on hold, until it is released
}


def edited(person, content):
    """As his rules leave the message."""
    if person == 'edit':
        return b'X-Edited: once\r\n' + content.replace(b'To: everybody:;\r\n', b'')
    if person == 'move':
        return b'X-Edited: twice\r\n' + content
    return content


def expected(people, content):
    """What the sender is told for each, and {address: content} of what arrives."""
    left = [person for person in people if person != 'early']
    refused = 'late' in left and not any(COPIES[person] for person in left)
    told = [550 if person == 'early' or refused else 250 for person in people]
    arrives = {}
    for person in left:
        copies = [True] if person == 'late' and not refused else COPIES[person]
        if person == 'suspect' and set(left) <= {'suspect', 'discard'}:
            copies = [True]
        for copy in copies:
            arrives[f'{person}@example.test' if copy is True else copy] = edited(person, content)
    return told, arrives


def groups(kind):
    """All ones and twos, some fives; the same each time."""
    chosen = [*itertools.combinations(PEOPLE, 1), *itertools.permutations(PEOPLE, 2)]
    dice = random.Random(3)
    chosen += [tuple(dice.sample(PEOPLE, 5)) for _n in range(60)]
    return chosen if kind == 'postfix' else chosen[::2]


def complaints_of(people, told, arrived, content):
    wrong = []
    fates, arrives = expected(people, content)
    got = told.fates()
    if [code and code // 100 for code in got] != [code // 100 for code in fates]:
        wrong.append(f'told {got} instead of {fates}: {told.rcpt}, {told.final}, {told.gone}')
    if any(code == 550 for code in got if code) and 'not this one' not in f'{told.rcpt} {told.final}':
        wrong.append(f'no reason was told: {told.rcpt} {told.final}')
    came = {}
    for address, sender, copy in arrived:
        if address in came:
            wrong.append(f'{address}: came twice')
        came[address] = copy
        if sender != world.SENDER:
            wrong.append(f'{address}: from <{sender}>')
    for address in sorted(set(arrives) - set(came)):
        wrong.append(f'{address}: nothing came')
    for address in sorted(set(came) - set(arrives)):
        wrong.append(f'{address}: should not have come')
    for address in sorted(set(came) & set(arrives)):
        text, _marks = world.without_ours(came[address])
        if text != arrives[address]:
            wrong.append(f'{address}: expected {arrives[address]!r}\n  came {came[address]!r}')
    return wrong


def play(tap, kind):
    with place.directory('verdicts') as directory, \
            world.World(directory, kind, RULES, {'quarantine_to': ASIDE}) as scene:
        runs = []
        for number, people in enumerate(groups(kind)):
            content = world.message(number)
            runs.append((number, people, scene.send(people, content), content))
        release(kind, scene)
        scene.settle(120)
        for number, people, told, content in runs:
            wrong = complaints_of(people, told, scene.arrived(number), content)
            if wrong:
                log = scene.daemon.log().splitlines()
                wrong += [line for line in log if f'<{number}@client.example>' in line]
            tap.result(f'{kind}: {", ".join(people)}', wrong)
        marks(tap, kind, scene, runs)


def release(kind, scene):
    """What was to be looked at has been."""
    if kind == 'postfix':
        scene.mta.run('postsuper', '-H', 'ALL')
    else:
        scene.mta.run('-qQ', '-Q')


def marks(tap, kind, scene, runs):
    """A refusal that could not be said is seen in what was kept, and that a message was looked at; nobody else gets a
    mark."""
    wrong = []
    for number, people, _told, _content in runs:
        for address, _sender, copy in scene.arrived(number):
            found = world.without_ours(copy)[1]
            if bool(found) != (address in ('late@example.test', 'suspect@example.test', ASIDE)):
                wrong.append(f'{people}: {address} has {found}')
    tap.result(f'{kind}: marks', wrong[:10])


def main():
    tap = Tap()
    for kind in ('postfix', 'sendmail'):
        if world.missing(kind):
            tap.result(f'{kind}: verdicts', [], world.missing(kind))
            continue
        play(tap, kind)
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
