#!/usr/bin/env python3
# test_others.py - another milter before tamis-milter: what rules see of what it changed, and what comes of both
# SPDX-License-Identifier: BSD-2-Clause
import contextlib
import os
import pathlib
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
}
MARKED = ('X-Mark: one', 'X-Mark: three', 'X-Mark: four')


def compiled(directory):
    """None: there is no compiler, or libmilter is not there to be built with."""
    program = directory / 'other'
    done = subprocess.run([os.environ.get('CC', 'cc'), '-o', program, HERE / 'other.c', '-lmilter', '-lpthread'],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return program if done.returncode == 0 else None


class Scene:
    def __init__(self, directory, kind, program):
        self.socket, self.program, self.kind = directory / 'other.sock', program, kind
        ours = directory / 'tamis/milter.sock'
        if kind == 'postfix':
            mta = {'settings': {'smtpd_milters': f'unix:{self.socket}, unix:{ours}'}}
        else:
            mta = {'settings': f'INPUT_MAIL_FILTER(`other\', `S=unix:{self.socket}, F=T, T=C:30s;S:30s;R:30s;E:5m\')'}
        self.world = world.World(directory, kind, RULES, mta=mta)

    @contextlib.contextmanager
    def other(self, *changes):
        process = place.start([self.program, f'unix:{self.socket}', *changes], self.socket.with_suffix('.log'))
        try:
            place.wait_for(self.socket.exists, 30, 'the other milter')
            self.socket.chmod(0o666)
            yield
        finally:
            place.stop(process)
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
    with scene.other('hold=looked at'):
        told = scene.world.send(['files', 'edits', 'never'], world.message(scene.world.number + 1, more=MARKED))
    equal(told.fates(), [250] * 3)
    time.sleep(1)
    equal(bool(scene.world.daemon.lines(rcpt='never@example.test', verdict='done')), asked)
    came = [address for address, _sender, _content in scene.world.arrived(scene.world.number)]
    equal(came, ['edits@example.test'] if asked else [])


TESTS = [fields, body, envelope, held]


def main():
    tap = Tap()
    with place.directory('others') as directory:
        program = compiled(directory)
        for kind in ('postfix', 'sendmail'):
            why = world.missing(kind) or (None if program else 'no compiler, or no libmilter')
            if why:
                tap.result(kind, [], why)
                continue
            scene = Scene(directory / kind, kind, program)
            with scene.world:
                for test in TESTS:
                    tap.run(f'{kind}: {test.__name__}', test, scene)
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
