#!/usr/bin/env python3
# test_targets.py - addresses that rules lead to: what the server does not take is kept, and nothing is lost without a word
# SPDX-License-Identifier: BSD-2-Clause
"""Sendmail says nothing, to the milter or to the sender, of an address that it was to add and does not take: one that is too
long, or has bytes from 80 to 9F.  Whoever is taken away for it has lost the message.  What is longer than a packet of the
milter protocol no server can be told."""
import os
import sys

import world
import place
from tap import Tap, equal

LONGEST = 253           # of what Sendmail takes
OUT = '@out.example'
TARGETS = {
    'longest': 'a' * (LONGEST - len(OUT)) + OUT,
    'longer': 'a' * (LONGEST + 1 - len(OUT)) + OUT,
    'umlaut': 'ü' + OUT,                # C3 BC
    'sharp': 'ß' + OUT,                 # C3 9F
    'accent': '"À b"' + OUT,            # C3 80
    'long': 'a' * (2000 - len(OUT)) + OUT,
    'endless': 'a' * 70000 + OUT,
}
UNTAKEN = {'sendmail': ('longer', 'sharp', 'accent', 'long', 'endless'), 'postfix': ('endless',)}
RULES = {name: f'redirect "{address}";'.replace('"À b"', '\\"À b\\"') for name, address in TARGETS.items()}
RULES['twice'] = f'redirect "{TARGETS["sharp"]}"; redirect "x{OUT}";'
RULES['filed'] = f'require "fileinto"; fileinto "Box"; redirect "{TARGETS["sharp"]}";'
# users whom only the map can have: nobody can write to them
RULES['ß'] = f'require "fileinto"; if header :is "subject" "file" {{ fileinto "Box"; }} elsif header :is "subject" "send" {{ redirect "x{OUT}"; }}'


def comes(w, name, **options):
    """[(address, sender)] of what came of it, by the message's number."""
    number = w.number + 1
    told = w.send([name], world.message(number, **options), parameters='SMTPUTF8' if w.kind == 'postfix' else '')
    equal(told.fates(), [250], name)
    w.settle()
    return [(address, sender) for address, sender, _content in w.arrived(number)]


def note(w, name):
    return w.daemon.lines(rcpt=w.address(name))[-1].get('note', '')


def redirects(w):
    for name, address in TARGETS.items():
        untaken = name in UNTAKEN[w.kind]
        equal(comes(w, name), [(w.address(name) if untaken else address, world.SENDER)], name)
        equal('the mail server takes no such address' in note(w, name), untaken, name)


def beside(w):
    """What the same rules do besides stays, and is no second copy."""
    both = {'x' + OUT, TARGETS['sharp']} if w.kind == 'postfix' else {'x' + OUT, w.address('twice')}
    equal({address for address, _sender in comes(w, 'twice')}, both)
    both = {w.address('filed+Box')} | ({TARGETS['sharp']} if w.kind == 'postfix' else set())
    equal({address for address, _sender in comes(w, 'filed')}, both)


def users(w):
    """His folder, his address without a detail, his address for a sender: each is one that Sendmail does not take."""
    sendmail = w.kind == 'sendmail'
    equal(comes(w, 'bob', subject='file'), [(w.address('bob' if sendmail else 'ß+Box'), world.SENDER)])
    equal(comes(w, 'bob+x'), [(w.address('bob+x' if sendmail else 'ß'), world.SENDER)])
    equal(comes(w, 'bob', subject='send'), [('x' + OUT, world.SENDER if sendmail else w.address('ß'))])


def main():
    tap = Tap()
    for kind in ('postfix', 'sendmail'):
        why = world.missing(kind)
        if why:
            tap.result(kind, [], why)
            continue
        with place.directory('targets') as directory:
            (directory / 'users').write_text('bob@example.test ß@example.test\n', 'utf-8')
            with world.World(directory / 'plain', kind, RULES) as w:
                for test in (redirects, beside):
                    w.run(tap, f'{kind}: {test.__name__}', test)
            settings = {'users': directory / 'users', 'redirect_sender': 'user'}
            with world.World(directory / 'users-of', kind, RULES, settings) as w:
                w.run(tap, f'{kind}: {users.__name__}', users)
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
