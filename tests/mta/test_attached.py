#!/usr/bin/env python3
# test_attached.py - who of Postfix connects to the milter, from where and how: tamis doctor tells what then happens
# SPDX-License-Identifier: BSD-2-Clause
"""smtpd connects to smtpd_milters and hands the open connection to cleanup; to non_smtpd_milters cleanup connects.
One that is chrooted sees a socket of the queue's directory as one of /."""
import os
import re
import subprocess
import sys
import time

import world
import client
import place
from tap import Skip, Tap, equal

RULES = {'alice': 'require "fileinto"; fileinto "Box";'}
FILED, PLAIN = ['alice+Box@example.test'], ['alice@example.test']
TRAPS = ('milter_default_action', 'chroot')
PATIENCE = 2                    # seconds in which mail that Postfix tries each second does not come


def tamis():
    return os.path.abspath(os.environ.get('TAMIS') or os.path.join(os.environ.get('TAMIS_BUILD', '.build/gcc'), 'tamis'))


class Scene:
    def __init__(self, directory):
        socket = directory / 'mta/queue/milter.sock'
        self.full = f'unix:{socket}'
        self.world = world.World(directory, 'postfix', RULES, {'socket': self.full})
        self.world.daemon.socket = socket
        self.mta, self.number = self.world.mta, 0
        self.main, self.master = ((self.mta.etc / name).read_text() for name in ('main.cf', 'master.cf'))

    def attach(self, chrooted, **settings):
        """That program chrooted, or none; settings of main.cf.  What doctor finds."""
        main = self.main
        for name, value in {'smtpd_milters': self.full, 'non_smtpd_milters': self.full, **settings}.items():
            main = re.sub(rf'(?m)^{name} =.*\n', '', main) + f'{name} = {value}\n'
        master = re.sub(rf'(?m)^(\S+ \S+ \S+ \S+) n (\S+ \S+ {chrooted}\b)', r'\1 y \2', self.master)
        self.mta.stop()
        for name, text in (('main.cf', main), ('master.cf', master)):
            self.mta._write(name, text)
        self.mta.start()
        done = subprocess.run([tamis(), 'doctor', '-q', '-c', self.world.daemon.configuration, '-P', self.mta.etc],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, text=True)
        return [': '.join(found) for found in re.findall(r'(?m)^error +([^:]+): ((?:[\d.]+:)?[^:\n]+)', done.stdout) if found[0] in TRAPS]

    def name(self):
        self.number += 1
        return f'attached-{self.number}'

    def smtp(self):
        """What the client was told, and where it arrived."""
        name = self.name()
        with client.Client(self.mta.port) as talk:
            told = talk.send(world.SENDER, PLAIN, world.message(name))
        code = (told.mail if told.mail.code != 250 else told.final).code
        if code == 250:
            self.world.settle()
        return code, [to for to, _sender, _content in self.world.arrived(name)]

    def local(self, waits=False):
        """Where mail of sendmail(1) arrived."""
        name = self.name()
        equal(self.mta.run('sendmail', '-i', '-f', world.SENDER, *PLAIN, data=world.message(name).replace(b'\r\n', b'\n')), '')
        if waits:
            time.sleep(PATIENCE)
        else:
            self.world.settle()
        return [to for to, _sender, _content in self.world.arrived(name)]

    def forget(self):
        """What waits would come in the next test."""
        self.mta.run('postsuper', '-d', 'ALL')


def nobody(s):
    equal(s.attach(None), [])
    equal((s.smtp(), s.local()), ((250, FILED), FILED))


def cleanup(s):
    """Mail of clients has its rules; of sendmail(1) it waits."""
    equal(s.attach('cleanup'), ['chroot: cleanup, of pickup'])
    equal((s.smtp(), s.local(waits=True)), ((250, FILED), []))
    s.forget()


def cleanup_named(s):
    for name in ('unix:/milter.sock', 'unix:milter.sock'):
        equal(s.attach('cleanup', non_smtpd_milters=name), [], name)
        equal((s.smtp(), s.local()), ((250, FILED), FILED), name)


def smtpd(s):
    equal(s.attach('smtpd'), [f'chroot: 127.0.0.1:{s.mta.port}'])
    equal((s.smtp(), s.local()), ((451, []), FILED))
    equal(s.attach('smtpd', smtpd_milters='unix:/milter.sock'), [])
    equal((s.smtp(), s.local()), ((250, FILED), FILED))


def accepts(s, form, finds, **settings):
    """Without the daemon: the last two are what then becomes of mail of clients, and of sendmail(1)."""
    equal(s.attach(None, **settings), [f'milter_default_action: {found}' for found in finds])
    s.world.daemon.stop()
    try:
        equal((s.smtp(), s.local(waits=not form[1])), form)
    finally:
        s.forget()
        s.world.daemon.start()


def asks_nobody(s):
    equal(s.attach('smtpd', receive_override_options='no_milters'), [])
    equal((s.smtp(), s.local()), ((250, PLAIN), PLAIN))


def own_action(s):
    """A setting of the milter itself, in each place where it is named."""
    port, own = f'127.0.0.1:{s.mta.port}', f'{{ {s.full}, default_action=accept }}'
    accepts(s, ((451, []), []), [])
    accepts(s, ((250, PLAIN), []), [port], smtpd_milters=own)
    accepts(s, ((250, PLAIN), []), [f'{port}, for some clients'], smtpd_milter_maps=f'inline:{{ {{ 127.0.0.1 = {own} }} }}')
    accepts(s, ((451, []), PLAIN), ['cleanup, of pickup'], non_smtpd_milters=own)


def main():
    tap = Tap()
    why = world.missing('postfix')

    def test(title, function, scene=None):
        def inside():
            if why:
                raise Skip(why)
            function(scene)
        tap.run(title, inside)

    tests = [('nobody asks', asks_nobody), ('nobody is chrooted', nobody), ('cleanup is: smtpd hands it open connections', cleanup),
             ('... and names the socket as it sees it', cleanup_named), ('smtpd is', smtpd),
             ('what each milter is told to do without the daemon', own_action)]
    if why:
        for title, function in tests:
            test(title, function)
        return tap.finish()
    with place.directory('attached') as directory:
        scene = Scene(directory)
        with scene.world:
            for title, function in tests:
                test(title, function, scene)
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
