#!/usr/bin/env python3
# test_unnamed.py - mail without a Message-ID, to which Postfix gives another one at each attempt: copies leave once
# SPDX-License-Identifier: BSD-2-Clause
"""What is submitted on the machine has often neither Message-ID nor Date.  Postfix adds them before it asks milters; of
what sendmail(1) put down the date stays that of its arrival."""
import os
import re
import sys

import world
import place
import sink
from tap import Tap, equal

EDIT = 'require "editheader"; addheader "X-For" "%s";'
RULES = {'one': EDIT % 'one', 'two': EDIT % 'two', 'keeps': 'keep;'}
LATER = '451 4.3.0 later'
PEOPLE = [f'{name}@example.test' for name in RULES]


class Scene:
    def __init__(self, directory, mta):
        self.port = sink.Sink(directory / 'port')
        self.world = world.World(directory, 'postfix', RULES, mta={'settings': mta}, settings={
            'copy_to': f'smtp:127.0.0.1:{self.port.port}'})
        self.number = 0

    def content(self, *more):
        self.number += 1
        return '\n'.join([f'From: {world.SENDER}', f'Subject: number {self.number}', *more, '', 'body', '']).encode()

    def submit(self, content):
        equal(self.world.mta.run('sendmail', '-i', '-f', world.SENDER, *PEOPLE, data=content), '', 'the command said')

    def came(self, expected):
        """Who got it, for each time that he did; and the Message-IDs of what is for one alone."""
        mark = f'Subject: number {self.number}\r\n'.encode()

        def found():
            return [(to, copy.content) for copy in [*self.port.transactions(), *self.world.sink.transactions()]
                    for to in copy.addresses if mark in copy.content]
        place.wait_for(lambda: {to for to, _content in found()} >= set(expected), 40, f'{expected}')
        self.world.settle()
        equal(sorted(to for to, _content in found()), sorted(expected), 'who got it')
        return [re.search(rb'(?im)^message-id: (.*)\r', content)[1] for _to, content in found()]


def command(scene):
    """The second copy is refused three times; the first one is not made again."""
    scene.port.fail('rcpt', LATER, 3, 'two@')
    scene.submit(scene.content())
    names = scene.came(PEOPLE)
    assert len(set(names)) == 2, f'one attempt or one name: {names}'
    equal(len(scene.world.daemon.lines(rcpt=PEOPLE[0], verdict='again')), 3)


def client(scene):
    """From the machine itself by SMTP, with a date of its own."""
    scene.port.fail('rcpt', LATER, 1, 'two@')
    content = scene.content('Date: Sat, 28 Nov 2026 12:00:00 +0000').replace(b'\n', b'\r\n')
    equal([scene.world.send(PEOPLE, content).fates() for _attempt in range(2)], [[451] * 3, [250] * 3])
    assert len(set(scene.came(PEOPLE))) == 2


def resent(scene):
    """As it is when it was sent on by hand."""
    scene.port.fail('rcpt', LATER, 2, 'two@')
    scene.submit(scene.content('Message-ID: <1@client.example>', 'Resent-From: s@client.example', 'Resent-To: two@example.test',
                               'Date: Sat, 28 Nov 2026 12:00:00 +0000'))
    scene.came(PEOPLE)


def bounded(scene):
    """Its trouble has an end as well: who gets no copy for so long keeps it as it came."""
    milters, before = scene.world.daemon, scene.world.daemon.values
    milters.configure({**before, 'trouble_seconds': 10})
    milters.reload()
    scene.port.fail('rcpt', LATER, -1, 'two@')
    scene.submit(scene.content())
    scene.came(PEOPLE)
    scene.port.heal()
    milters.configure(before)
    milters.reload()


def different(scene):
    """Of the same content, with names of their own, they are two."""
    number = scene.number
    for name in ('20261128120000.8A75A46152@mx.example.test', '20261128120000.8A75A46153@mx.example.test'):
        scene.number = number
        scene.port.forget()
        scene.world.sink.forget()
        scene.submit(scene.content('Date: Sat, 28 Nov 2026 12:00:00 +0000', f'Message-ID: <{name}>'))
        scene.came(PEOPLE)


WORLDS = [('short names of messages', {}), ('long names of messages', {'enable_long_queue_ids': 'yes'})]


def main():
    tap = Tap()
    for title, mta in WORLDS:
        if world.missing('postfix'):
            tap.result(title, [], world.missing('postfix'))
            continue
        with place.directory('unnamed') as directory:
            scene = Scene(directory, mta)
            with scene.port, scene.world:
                for test in (command, client, resent, bounded, different):
                    tap.run(f'{title}: {test.__name__}', test, scene)
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
