#!/usr/bin/env python3
# test_quarantine.py - what rules put in quarantine: held, looked at, released or deleted, by the commands of the manuals
# SPDX-License-Identifier: BSD-2-Clause
import os
import pathlib
import re
import subprocess
import sys
import time

import world
import page
import place
from tap import Tap

SOURCE = pathlib.Path(os.environ.get('TAMIS_SOURCE') or pathlib.Path(__file__).resolve().parents[2])
REASON = 'looked at first'
RULES = {
    'alice': f'require "vnd.tamis.quarantine"; quarantine "{REASON}";',
    'bob': f'require "vnd.tamis.quarantine"; quarantine "{REASON}";',
    'carol': 'discard;',
    'dave': 'require "vnd.tamis.quarantine"; quarantine "seen by two"; keep;',
    'erin': 'require ["vnd.tamis.quarantine", "ereject", "envelope"];'
            f'if envelope "from" "{world.SENDER}" {{ ereject "no"; stop; }} quarantine;',
    'frank': 'require ["vnd.tamis.quarantine", "fileinto"]; fileinto "Lists"; quarantine "filed too";',
    'grace': 'require "vnd.tamis.quarantine"; quarantine "other words";',
}
TO = 'quarantine@example.test'
MARK = f'Tamis-Quarantine: "{REASON}"\r\n'.encode()


class Postfix:
    """Its commands, which doc/postfix.md has as well; test_postfix_md.py follows that page."""

    def __init__(self, mta):
        self.mta = mta

    def held(self):
        return [m['queue_id'] for m in self.mta.queue() if m['queue_name'] == 'hold']

    def listing(self):
        return self.mta.run('postqueue', '-p')

    def content(self, name):
        return self.mta.run('postcat', '-q', name)

    def release(self, name):
        return self.mta.run('postsuper', '-H', name)

    def delete(self, name):
        return self.mta.run('postsuper', '-d', name)


class Sendmail:
    """Likewise; what doc/sendmail.md says is done."""

    def __init__(self, mta):
        self.mta = mta
        self.queue = mta.directory / 'queue'
        self.programs = mta.directory / 'bin'
        self.programs.mkdir(exist_ok=True)
        mta.install(self.programs)
        self.list, self.free, self.remove = [block.text for block in page.Page(SOURCE / 'doc/sendmail.md').of('Quarantine')
                                             if '-bp' in block.text]

    def say(self, text):
        """What stands there, for the first in the list."""
        return subprocess.run(['sh', '-ec', text.replace('/var/spool/mqueue', str(self.queue))], check=True, text=True,
                              env={**os.environ, 'PATH': f'{self.programs}:{os.environ["PATH"]}'},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout

    def held(self):
        return sorted(path.name[2:] for path in self.queue.glob('hf*'))

    def listing(self):
        return self.say(self.list)

    def content(self, name):
        return ''.join((self.queue / f'{kind}f{name}').read_text('latin-1') for kind in 'hd')

    def release(self, _name):
        return self.say(self.free)

    def delete(self, _name):
        return self.say(self.remove)


SERVERS = {'postfix': Postfix, 'sendmail': Sendmail}


class Play:
    def __init__(self, scene, server):
        self.scene, self.server = scene, server

    def send(self, *people):
        """What the sender was told, and the number of the message."""
        told = self.scene.send(people)
        return told.fates(), self.scene.number

    def wait_held(self, count):
        place.wait_for(lambda: len(self.server.held()) == count, 20, f'{count} on hold')
        return self.server.held()

    def came(self, number, count):
        """[(address, content)], when so many have come and no more do."""
        place.wait_for(lambda: len(self.scene.arrived(number)) >= count, 20, f'{count} arrivals')
        if not count:
            time.sleep(1)
        return [(address, content) for address, _sender, content in self.scene.arrived(number)]


def same(wrong, what, got, expected):
    if got != expected:
        wrong.append(f'{what}: {got!r} instead of {expected!r}')


def everybody(play):
    """Held for those who are left; delivered once to each when it is released, and asked about no more."""
    wrong = []
    fates, number = play.send('alice', 'bob', 'carol', 'erin')
    same(wrong, 'told', fates, [250, 250, 250, 550])
    name, = play.wait_held(1)
    listed = sorted(re.findall(r'^\s+<?([a-z]+)@example\.test>?$', play.server.listing(), re.M))
    same(wrong, 'listed', listed, ['alice', 'bob'])
    if REASON not in play.server.content(name):
        wrong.append(f'no reason in {play.server.content(name)}')
    play.scene.mta.flush()
    same(wrong, 'came before', play.came(number, 0), [])
    said = play.server.release(name)
    came = play.came(number, 2)
    play.scene.settle()
    same(wrong, 'came', [address for address, _content in play.came(number, 2)], ['alice@example.test', 'bob@example.test'])
    for address, content in came:
        same(wrong, address, world.without_ours(content), (world.message(number), [MARK]))
    if wrong:
        wrong.append(said)
    return wrong


def deleted(play):
    """Nobody gets what is deleted, and the sender hears nothing of it."""
    wrong = []
    _fates, number = play.send('alice')
    name, = play.wait_held(1)
    said = play.server.delete(name)
    place.wait_for(lambda: not play.server.held(), 20, 'nothing on hold')
    play.scene.settle()
    same(wrong, f'came ({said})', play.came(number, 0), [])
    return wrong


def again(play):
    """Put into Postfix's queue anew, as is due for what was held for long: no rules are asked then either."""
    wrong = []
    _fates, number = play.send('alice')
    name, = play.wait_held(1)
    play.scene.mta.run('postsuper', '-r', name)
    play.came(number, 1)
    play.scene.settle()
    same(wrong, 'came', [address for address, _content in play.came(number, 1)], ['alice@example.test'])
    return wrong


def some(play):
    """A copy for one, while others get theirs as it came; whoever else is there."""
    wrong = []
    for people, copies, kept in ((['alice', 'nobody'], ['alice'], ['nobody']), (['dave'], ['dave'], ['dave']),
                                 (['frank'], ['frank'], ['frank+Lists']), (['alice', 'grace', 'dave', 'carol'],
                                                                           ['alice', 'dave', 'grace'], ['dave'])):
        fates, number = play.send(*people)
        same(wrong, 'told', fates, [250] * len(people))
        play.scene.settle()
        same(wrong, f'{people}: held', play.server.held(), [])
        came = play.came(number, len(copies) + len(kept))
        same(wrong, f'{people}: came', sorted(address for address, _content in came),
             sorted([TO] * len(copies) + [f'{name}@example.test' for name in kept]))
        marks = [mark for _address, content in came for mark in world.without_ours(content)[1]]
        same(wrong, f'{people}: marks', sorted(mark.split(b'@')[0] for mark in marks),
             sorted(f'Tamis-Quarantine: <{name}'.encode() for name in copies))
        for address, content in came:
            same(wrong, f'{people}: {address}', world.without_ours(content)[0], world.message(number))
    return wrong


def unset(play):
    """Without an address: held if all say so, else kept and marked."""
    wrong = []
    daemon = play.scene.daemon
    daemon.configure({**daemon.values, 'quarantine_to': ''})
    daemon.reload()
    _fates, number = play.send('alice', 'grace')
    name, = play.wait_held(1)
    same(wrong, 'several reasons are told to all', 'Tamis-Quarantine' in play.server.content(name), False)
    play.server.release(name)
    came = play.came(number, 2)
    same(wrong, 'came', [address for address, _content in came], ['alice@example.test', 'grace@example.test'])
    _fates, number = play.send('alice', 'nobody')
    came = play.came(number, 2)
    same(wrong, 'came', [(address, world.without_ours(content)[1]) for address, content in came],
         [('alice@example.test', [MARK]), ('nobody@example.test', [])])
    same(wrong, 'held', play.server.held(), [])
    play.scene.settle()
    return wrong


def play(tap, kind):
    with place.directory('quarantine') as directory, \
            world.World(directory, kind, RULES, {'quarantine_to': TO}) as scene:
        one = Play(scene, SERVERS[kind](scene.mta))
        for test in (everybody, deleted, *([again] if kind == 'postfix' else []), some, unset):
            scene.run(tap, f'{kind}: {test.__name__}', lambda _scene, test=test: test(one))


def behind(tap):
    """Each recipient has a message of his own there: held for one, delivered to the other, without an address."""
    with place.directory('quarantine') as directory, \
            world.World(directory, 'postfix', RULES, {'mode': 'final'}) as scene:
        scene.run(tap, 'behind the queue', lambda s: final(Play(s, Postfix(s.mta))))


def final(play):
    wrong = []
    _fates, number = play.send('alice', 'nobody')
    name, = play.wait_held(1)
    same(wrong, 'came before', [address for address, _content in play.came(number, 1)], ['nobody@example.test'])
    play.server.release(name)
    play.came(number, 2)
    play.scene.settle()
    same(wrong, 'came', [address for address, _content in play.came(number, 2)], ['alice@example.test', 'nobody@example.test'])
    return wrong


def main():
    tap = Tap()
    for kind in ('postfix', 'sendmail'):
        if world.missing(kind):
            tap.result(f'{kind}: quarantine', [], world.missing(kind))
            continue
        play(tap, kind)
    if world.missing('postfix'):
        tap.result('behind the queue', [], world.missing('postfix'))
    else:
        behind(tap)
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
