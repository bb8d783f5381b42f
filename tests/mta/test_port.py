#!/usr/bin/env python3
# test_port.py - the port for individual copies fails at each step: nothing is lost, nothing comes twice without need
# SPDX-License-Identifier: BSD-2-Clause
"""The client does as mail servers do: it sends the message again for as long as it hears 4xx.  Contents differ, so
copies have to be made; the port is a server that keeps what it took."""
import contextlib
import os
import sys

import world
import place
import sink
from tap import Tap

EDIT = 'require "editheader"; addheader "X-Edited" "%s";'
RULES = {
    'edit': EDIT % 'once', 'same': EDIT % 'once', 'keep': 'keep;', 'save': 'keep;', 'discard': 'discard;',
    'away': EDIT % 'twice' + 'redirect "away@else.example";',
}
# where it goes, and with which field
TARGETS = {'edit': ('edit@example.test', b'X-Edited: once\r\n'), 'same': ('same@example.test', b'X-Edited: once\r\n'),
           'away': ('away@else.example', b'X-Edited: twice\r\n'), 'keep': ('keep@example.test', b''),
           'save': ('save@example.test', b''), 'discard': (None, b'')}
# the server's own message is that of most: in one group as it came, in the other edited
GROUPS = [['edit', 'keep', 'save', 'discard', 'away'], ['edit', 'same', 'keep', 'discard']]
ATTEMPTS = 8
# seconds that the daemon has for a message, where the port hangs for longer; a busy machine is not that slow
DEADLINE = 6
STEPS = ['connect', 'helo', 'mail', 'rcpt', 'data', 'dot', 'stored', 'quit']
# step and action after which the copy is refused for good: whom it was for keeps the message as it came
FOR_GOOD = {('mail', '550 5.7.1 no'), ('rcpt', '550 5.7.1 no'), ('data', '550 5.7.1 no'), ('dot', '550 5.7.1 no')}


@contextlib.contextmanager
def deadline(scene, is_short):
    before = scene.daemon.values
    if is_short:
        configure(scene, {**before, 'message_deadline': DEADLINE})
    yield
    if is_short:
        configure(scene, before)


def configure(scene, values):
    scene.daemon.configure(values)
    scene.daemon.reload()


def deliver(scene, people, number):
    """What was told, attempt by attempt."""
    content = world.message(number)
    told = []
    for _n in range(ATTEMPTS):
        told.append(scene.send(people, content).fates())
        if told[-1] == [250] * len(people):
            break
    return content, told


def check(scene, port, people, number, step, action, content, told):
    wrong = []
    if told[-1] != [250] * len(people):
        return [f'never taken: {told}']
    mine = f'<{number}@client.example>'.encode()
    came = [(a, copy.content) for copy in port.transactions() if mine in copy.content for a in copy.addresses]
    came += [(a, copy) for a, _sender, copy in scene.arrived(number)]
    # behind the dot nobody knows whether it was taken: it may come twice, never less than once
    most = 2 if step == 'stored' else 1
    unedited = 0
    for person in people:
        target, field = TARGETS[person]
        copies = [world.without_ours(copy)[0] for a, copy in came if a == target or a == f'{person}@example.test']
        if not target and copies or target and not 1 <= len(copies) <= most:
            wrong.append(f'{person}: {len(copies)} copies')
        unedited += content in copies and bool(field)
        if any(copy not in (field + content, content) for copy in copies):
            wrong.append(f'{person}: another content: {copies}')
    # who stays since the port takes his copy never, keeps it as it came; the others are edited, but for a redirect, which
    # never goes to a store: it has to be the same message
    stays = (step, action) in [*FOR_GOOD, ('stored', '550 5.7.1 no')]
    if unedited > stays * (1 + (port.lmtp and 'away' in people)):
        wrong.append(f'{unedited} of them as they came')
    if (step, action) in FOR_GOOD and len(told) != 1:
        wrong.append(f'the client had to come again: {told}')
    if sorted({a for a, _copy in came}) != sorted({a for a, _copy in came if a in [
            TARGETS[p][0] for p in people] + [f'{p}@example.test' for p in people]}):
        wrong.append(f'to somebody else: {came}')
    return wrong


def play(tap, kind, lmtp):
    with place.directory('port') as directory, sink.Sink(directory / 'port', lmtp=lmtp) as port:
        port.hang_seconds = DEADLINE + 4
        way = f'{"lmtp" if lmtp else "smtp"}:127.0.0.1:{port.port}'
        settings = {'copy_to': way, 'trouble_times': 100}
        with world.World(directory, kind, RULES, settings) as scene:
            runs = [(people, step, action) for people in (GROUPS if kind == 'postfix' and not lmtp else GROUPS[:1]) for step in STEPS
                    for action in ('451 4.3.0 later', '550 5.7.1 no', 'close', 'hang')
                    if action != 'hang' or step in ('connect', 'dot') and people is GROUPS[0]]
            results = []
            for number, (people, step, action) in enumerate(runs):
                port.heal()
                port.fail(step, action)
                with deadline(scene, action == 'hang'):
                    results.append(deliver(scene, people, number))
            scene.settle(60)
            for number, ((people, step, action), (content, told)) in enumerate(zip(runs, results)):
                wrong = check(scene, port, people, number, step, action, content, told)
                if wrong:
                    wrong += scene.daemon.log().splitlines()[-12:]
                tap.result(f'{kind}, {"LMTP" if lmtp else "SMTP"}, {len(people)} recipients: {action} at {step}', wrong)


def main():
    tap = Tap()
    for kind, lmtp in (('postfix', False), ('postfix', True), ('sendmail', False)):
        if world.missing(kind):
            tap.result(f'{kind}: a port that fails', [], world.missing(kind))
        else:
            play(tap, kind, lmtp)
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
