#!/usr/bin/env python3
# test_names.py - a mailbox has several names: other domains of the machine, its addresses, none at all
# SPDX-License-Identifier: BSD-2-Clause
"""Servers deliver to the same mailbox whatever is written behind the @, if it is one of theirs.  Whose rules are meant is
said by alias domains in the users map; no spelling gets round them."""
import os
import sys

import world
import client
import place
from tap import Tap, equal

RULES = {'alice': 'discard;', 'bob': 'require "editheader"; addheader "X-Edited" "once";'}
NAMES = ('mx.example.test', 'localhost', '[127.0.0.1]')
FORMS = {
    'postfix': ('{0}@[127.0.0.1]', '{0}@localhost', '{0}@mx.example.test', '{0}', '{0}%localhost', '{0}%[127.0.0.1]',
                '{0}@MX.example.test.', '{0}+x@[127.0.0.1]', '@localhost:{0}@[127.0.0.1]',
                '"{0}@example.test"@example.test', '"{0}@localhost."@localhost', '"{0}+x@example.test"@[127.0.0.1]',
                '{0}@[127.00.0.1]', '{0}@[0177.0.0.1]', '{0}@[IPv6:::ffff:127.0.0.1]'),
    'sendmail': ('{0}@[127.0.0.1]', '{0}@localhost', '{0}@mx.example.test', '{0}', '{0}%mx.example.test', '{0}%localhost',
                 '{0}+x@[127.0.0.1]', '{0}%mx.example.test@localhost', '"{0}@example.test"@example.test',
                 '\\{0}@example.test', '{0}""@example.test', '"{0}"+x@localhost', '"" {0}@mx.example.test', '\\{0}',
                 '{0}-alias@example.test', '{0}-other@example.test', '{0}-plus@example.test'),
}
# what Sendmail makes of a name before rules are run
VIRTUAL = {f'{name}-{which}': to.format(name) for name in RULES for which, to in (
    ('alias@example.test', '{}'), ('other@example.test', '{}@localhost'), ('plus@example.test', '{}+plus'))}


def world_of(directory, kind):
    users = directory / 'users'
    users.write_text(''.join(f'@{name} @example.test\n' for name in NAMES))
    if kind == 'postfix':
        mta = {'domains': ('other.test',), 'settings': {
            'mydestination': 'example.test, mx.example.test, localhost', 'local_transport': '$virtual_transport', 'myorigin': 'example.test'}}
    else:
        mta = {'local': ('example.test', *NAMES), 'virtual': VIRTUAL, 'settings': "define(`MAIL_HUB', `smtp:[127.0.0.1]')dnl"}
    return world.World(directory, kind, RULES, {'users': users, 'local_domains': ''}, mta=mta)


def each(w, form):
    """Alice does not get it, Bob does, with his edit."""
    for name in ('alice', 'bob'):
        content = world.message(f'{name}-{FORMS[w.kind].index(form)}')
        said = client.send(w.entry.port, world.SENDER, [form.format(name)], content)
        equal(said.fates(), [250], str(said.fates()))
    w.settle()
    number = FORMS[w.kind].index(form)
    equal(w.arrived(f'alice-{number}'), [], 'to her who discards')
    came = w.arrived(f'bob-{number}')
    equal(len(came), 1, 'copies of his')
    assert b'X-Edited: once\r\n' in came[0][2], came
    assert '+' not in came[0][0], came


def main():
    tap = Tap()
    for kind, forms in FORMS.items():
        why = world.missing(kind)
        if why:
            for form in forms:
                tap.result(f'{kind}: {form}', [], why)
            continue
        with place.directory('names') as directory, world_of(directory, kind) as w:
            for form in forms:
                w.run(tap, f'{kind}: {form}', lambda scene, form=form: each(scene, form))
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
