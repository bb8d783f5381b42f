#!/usr/bin/env python3
# test_others.py - another milter before tamis-milter, or behind it: what rules see of what it changed, and what comes of both
# SPDX-License-Identifier: BSD-2-Clause
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time

import world
import place
from tap import Tap, equal

HERE = pathlib.Path(__file__).resolve().parent
RULES = {
    'files': 'require "fileinto"; if header :is "x-mark" "two" { fileinto "Two"; }',
    'reads': 'require ["body", "fileinto"]; if body :contains "changed" { fileinto "Changed"; }',
    'edits': 'require "editheader"; deleteheader :index 2 "X-Mark"; addheader :last "X-Last" "1";',
    'sends': 'require ["envelope", "fileinto"]; if envelope "from" "new@client.example" { fileinto "New"; }',
    'away': 'redirect "away@out.example";',
    'never': 'discard;',
    'hands': 'redirect "nobody@example.test";',
}
MARKED = ('X-Mark: one', 'X-Mark: three', 'X-Mark: four')


def compiled(directory):
    """None: there is no compiler, or libmilter is not there to be built with."""
    program = directory / 'other'
    done = subprocess.run([os.environ.get('CC', 'cc'), '-o', program, HERE / 'other.c', '-lmilter', '-lpthread'],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return program if done.returncode == 0 else None


class Scene:
    def __init__(self, directory, kind, program, behind=False):
        self.socket, self.program, self.kind, self.behind = directory / 'other.sock', program, kind, behind
        order = [f'unix:{self.socket}', f'unix:{directory / "tamis/milter.sock"}']
        if kind == 'postfix':
            mta = {'settings': {'smtpd_milters': ', '.join(order[::-1] if behind else order)}}
        else:
            mta = {'settings': f'INPUT_MAIL_FILTER(`other\', `S=unix:{self.socket}, F=T, T=C:30s;S:30s;R:30s;E:5m\')'}
        self.world = world.World(directory, kind, RULES, mta=mta)
        if kind == 'sendmail' and behind:
            path = self.world.mta.etc / 'sendmail.cf'
            text = path.read_text()
            assert text.count('InputMailFilters=other, tamis') == 1
            path.write_text(text.replace('InputMailFilters=other, tamis', 'InputMailFilters=tamis, other'))

    @contextlib.contextmanager
    def other(self, *changes):
        process = place.start([self.program, f'unix:{self.socket}', *changes], self.socket.with_suffix('.log'))
        try:
            place.wait_for(lambda: process.poll() is not None or place.answers(self.socket), 30, 'the other milter')
            if process.poll() is not None:
                raise RuntimeError(f'the other milter did not start: status {process.returncode}')
            self.socket.chmod(0o666)
            yield
        finally:
            place.stop(process, number=signal.SIGKILL)      # libmilter takes five seconds to end by itself
            self.socket.unlink(missing_ok=True)

    def comes(self, recipients, expected, **options):
        """{recipient: values of X-fields}: who gets it, and which fields of it."""
        number = self.world.number + 1
        told = self.world.send(recipients, world.message(number, more=MARKED), **options)
        equal(told.fates(), [250] * len(recipients))
        self.world.settle()
        place.wait_for(lambda: len(self.world.arrived(number)) >= len(expected), 20, f'{sorted(expected)} of {recipients}')
        equal({address.partition('@')[0]: ' '.join(field.split(b' ', 1)[1].strip().decode() for field in world.split(content)[0]
                                                   if field.startswith(b'X-')) for address, _sender, content in self.world.arrived(number)},
              expected, str(recipients))
        return number


def fields(scene):
    with scene.other('insert=X-Mark|two'):
        scene.comes(['files'], {'files+Two': 'two one three four'})
        scene.comes(['edits'], {'edits': 'two three four 1'})
        scene.comes(['edits', 'nobody'], {'edits': 'two three four 1', 'nobody': 'two one three four'})
    with scene.other('drop=X-Mark|1'):
        scene.comes(['edits'], {'edits': 'three 1'})
        scene.comes(['edits', 'nobody'], {'edits': 'three 1', 'nobody': 'three four'})


def body(scene):
    with scene.other('body=changed\r\n'):
        number = scene.comes(['reads', 'edits'], {'reads+Changed': 'one three four', 'edits': 'one four 1'})
        equal({world.split(content)[1] for _address, _sender, content in scene.world.arrived(number)}, {b'\r\nchanged\r\n'})


def envelope(scene):
    """Of this tamis-milter hears nothing, as both pages say."""
    with scene.other('add=<never@example.test>'):
        scene.comes(['nobody'], {'nobody': 'one three four', 'never': 'one three four'})
    with scene.other('take=<away@example.test>'):
        scene.comes(['away', 'nobody'], {'away': 'one three four', 'nobody': 'one three four'})
        equal(scene.world.arrived(scene.world.number)[0][0], 'away@out.example')
    with scene.other('take=<nobody@example.test>'):
        scene.comes(['hands', 'nobody', 'edits'], {'edits': 'one four 1'})
    with scene.other('insert=X-Mark|two', 'take=<files@example.test>', 'take=<edits@example.test>', 'take=<keeps@example.test>'):
        scene.comes(['files', 'edits', 'keeps', 'nobody'],
                    {'files+Two': 'two one three four', 'edits': 'two three four 1', 'nobody': 'two one three four'})
    with scene.other('sender=new@client.example'):
        number = scene.comes(['sends'], {'sends': 'one three four'})
        equal(scene.world.arrived(number)[0][1], 'new@client.example')
        number = scene.comes(['edits', 'nobody'], {'edits': 'one four 1', 'nobody': 'one three four'})
        equal([sender for _address, sender, _content in scene.world.arrived(number)], [world.SENDER, 'new@client.example'])


def held(scene):
    """Postfix asks no more milters then; Sendmail does, so copies leave what is held."""
    asked = scene.kind == 'sendmail'
    before = len(scene.world.daemon.lines(rcpt='never@example.test', verdict='done'))
    with scene.other('hold=looked at'):
        told = scene.world.send(['files', 'edits', 'never'], world.message(scene.world.number + 1, more=MARKED))
    equal(told.fates(), [250] * 3)
    if asked:
        place.wait_for(lambda: scene.world.arrived(scene.world.number), 20, 'the copy')
    else:
        time.sleep(1)
    equal(len(scene.world.daemon.lines(rcpt='never@example.test', verdict='done')), before + asked)
    came = [address for address, _sender, _content in scene.world.arrived(scene.world.number)]
    equal(came, ['edits@example.test'] if asked else [])


ALL = {'edits': 'edits@example.test', 'files': 'files+Two@example.test', 'away': 'away@out.example', 'nobody': 'nobody@example.test',
       'never': None}


def ends(scene):
    """Before us it ends the message before our rules do anything; behind us a copy for one alone has left, as both pages
    say.  Either way all of it comes once, when the sender comes again."""
    for end, told in (('refuse', {550, 554}), ('again', {451}), ('discard', {250}), ('die', {451})):
        number = scene.world.number + 1
        content = world.message(number, more=('X-Mark: two', *MARKED))
        with scene.other(f'end={end}|1'):
            fates = scene.world.send(ALL, content).fates()
            assert set(fates) <= told, f'{end}: {fates}'
            scene.world.settle()
            equal([to for to, *_rest in scene.world.arrived(number)], [ALL['edits']] if scene.behind else [], end)
        with scene.other():
            equal(scene.world.send(ALL, content).fates(), [250] * len(ALL), end)
            scene.world.settle()
            equal([to for to, *_rest in scene.world.arrived(number)], sorted(filter(None, ALL.values())), end)
            scene.world.number = number


def turned(scene):
    """Whom it refuses at RCPT TO: behind us his rules have been run, and bring what they file, edit or redirect all the same,
    as both pages say."""
    names = ('files', 'edits', 'away', 'never')
    number = scene.world.number + 1
    with scene.other(*(f'turn=<{name}@example.test>' for name in names)):
        told = scene.world.send([*names, 'nobody'], world.message(number, more=('X-Mark: two', *MARKED)))
    equal(told.fates(), [550] * len(names) + [250])
    scene.world.settle()
    expected = [ALL[name] for name in names[:3]] if scene.behind else []
    place.wait_for(lambda: len(scene.world.arrived(number)) > len(expected), 20, 'all of it')
    equal([to for to, *_rest in scene.world.arrived(number)], sorted([ALL['nobody'], *expected]))
    number = scene.world.number + 1
    with scene.other('turn=<nobody@example.test>'):
        told = scene.world.send(['hands', 'nobody', 'edits'], world.message(number))
    equal(told.fates(), [250, 550, 250])
    scene.world.settle()
    # before us: added again, since of who was refused there we do not hear
    expected = [ALL['edits']] if scene.behind else [ALL['edits'], ALL['nobody']]
    equal([to for to, *_rest in scene.world.arrived(number)], expected)


BEFORE = [fields, body, envelope, turned, ends, held]
BEHIND = [turned, ends]


def main():
    tap = Tap()
    with place.directory('others') as directory:
        program = compiled(directory)
        for kind in ('postfix', 'sendmail'):
            why = world.missing(kind) or (None if program else 'no compiler, or no libmilter')
            if why:
                tap.result(kind, [], why)
                continue
            for where, tests in (('before', BEFORE), ('behind', BEHIND)):
                scene = Scene(directory / f'{kind}-{where}', kind, program, where == 'behind')
                with scene.world:
                    for test in tests:
                        scene.world.run(tap, f'{kind}: {where} us: {test.__name__}', lambda _world, test=test: test(scene))
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
