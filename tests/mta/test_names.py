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
FILE = 'require "fileinto"; fileinto "Box";'
RETURNS = {
    'virtual': 'redirect "virtual-other@example.test";', 'own': 'redirect "own@mx.example.test";',
    'both': 'redirect "zz@else.example"; redirect "both-other@example.test";',
    'team': 'if size :under 1M { redirect "team@mx.example.test"; }',
}
ALONE = {'copy_to': '', 'filtered_to': ''}
ONWARD = {'onward': 'redirect "gone-other@example.test";', 'both-ways': 'require "copy"; redirect :copy "gone-other@example.test";'}
CIRCLE = ('gone', 'keep', 'marked')
# what his folder's address is to Sendmail
FOLDERS = {'flat': 'flat', 'deep': 'deep+box', 'none': 'none+box', 'large': 'large'}
NAMES = ('mx.example.test', 'localhost', '[127.0.0.1]')
FORMS = {
    'postfix': ('{0}@[127.0.0.1]', '{0}@localhost', '{0}@mx.example.test', '{0}', '{0}%localhost', '{0}%[127.0.0.1]',
                '{0}@MX.example.test.', '{0}+x@[127.0.0.1]', '@localhost:{0}@[127.0.0.1]',
                '"{0}@example.test"@example.test', '"{0}@localhost."@localhost', '"{0}+x@example.test"@[127.0.0.1]',
                '{0}+a/b@example.test', '{0}+' + 300 * 'd' + '@example.test', '"{0}+\x01"@example.test', '{0}+\u2028@example.test',
                '{0}@[127.00.0.1]', '{0}@[0177.0.0.1]', '{0}@[IPv6:::ffff:127.0.0.1]'),
    'sendmail': ('{0}@[127.0.0.1]', '{0}@localhost', '{0}@mx.example.test', '{0}', '{0}%mx.example.test', '{0}%localhost',
                 '{0}+a/b@example.test', '{0}+' + 200 * 'd' + '@example.test', '"{0}+\t"@example.test',
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


def to_himself(w):
    """An alias that only the server knows: who redirects to it is not taken away with it."""
    for number, person in enumerate(RETURNS):
        for at, people in enumerate(([person], [person, 'keep'])):
            identity = f'return-{number}-{at}'
            equal(w.send(people, world.message(identity)).fates(), [250] * len(people))
            w.settle()
            expected = sorted(map(w.address, people)) + (['zz@else.example'] if person == 'both' else [])
            equal([to for to, _sender, _copy in w.arrived(identity)], expected, f'{person}: {people}')


def to_inbox(w, alone):
    """The virtusertable takes the detail from the name of a folder: the message is his all the same."""
    for person, folder in FOLDERS.items():
        for people in ([person], [f'{person}+x', 'keep']):
            identity = f'inbox-{person}-{len(people)}'
            equal(w.send(people, world.message(identity)).fates(), [250] * len(people))
            w.settle()
            came = [to.partition('@')[0] for to, _sender, _copy in w.arrived(identity)]
            # what it does not know, or leaves there, is still his
            home = people[0] if '+' in folder else person
            equal(came, sorted([home if alone else folder, *people[1:]]), str(people))


def to_spelled(w):
    """With the flag of doc/sendmail.md the letters of the folder are those of the rules; users are found as before."""
    for identity, person in (('spelled', 'none'), ('spelled-large', 'NONE')):
        equal(w.send([person], world.message(identity)).fates(), [250])
        w.settle()
        equal([to.partition('@')[0] for to, _sender, _copy in w.arrived(identity)], ['none+Box'], person)


def to_others(w):
    """An alias that only the server knows leads to somebody who is taken away: he has what is sent on to him."""
    for number, person in enumerate(ONWARD):
        identity = f'onward-{number}'
        equal(w.send([person, 'gone'], world.message(identity)).fates(), [250] * 2)
        w.settle()
        expected = [w.address('gone')] + ([w.address(person)] if ':copy' in ONWARD[person] else [])
        equal([to for to, _sender, _copy in w.arrived(identity)], sorted(expected), person)


def by_alias(w):
    """Whom an alias leads to as well gets it by the alias, unless he is a recipient still, as doc/sendmail.md says."""
    people = ['circle@mx.example.test', *CIRCLE]
    equal(w.send(people, world.message('circle')).fates(), [250] * len(people))
    w.settle()
    came = [(to.partition('@')[0], b'X-Edited: once\r\n' in copy) for to, _sender, copy in w.arrived('circle')]
    equal(sorted(came), [('gone', False), ('keep', False), ('marked', False), ('marked', True)])


def to_unnamed(w):
    """... in a domain of which nobody has said that the server has it."""
    equal(w.send(['hosted'], world.message('hosted')).fates(), [250])
    w.settle()
    equal([to for to, _sender, _copy in w.arrived('hosted')], [w.address('hosted')])


def returns(directory, kind, settings):
    aliases = {'own': 'own@example.test', 'team': 'team@example.test', 'circle': ', '.join(f'{name}@example.test' for name in CIRCLE)}
    virtual = {f'{name}-other@example.test': f'{name}@example.test' for name in ('virtual', 'both', 'gone')}
    virtual['hosted@second.test'] = 'hosted@example.test'
    if kind == 'postfix':
        virtual.update({f'{name}@mx.example.test': to for name, to in aliases.items()})
    mta = {'virtual': virtual} if kind == 'postfix' else {
        'virtual': virtual, 'aliases': aliases, 'settings': 'VIRTUSER_DOMAIN(`second.test\')dnl'}
    return world.World(directory, kind, {**RETURNS, **ONWARD, 'keep': 'keep;', 'gone': 'discard;', 'marked': RULES['bob'],
                                          'hosted': 'redirect "hosted@second.test";'}, settings, mta=mta)


def main():
    tap = Tap()
    title = 'sendmail: a folder that its virtusertable does not know'
    if world.missing('sendmail'):
        tap.result(title, [], world.missing('sendmail'))
    else:
        with place.directory('names') as directory:
            virtual = {'flat@example.test': 'flat', 'deep@example.test': 'deep%3', 'large@example.test': 'large'}
            mta = {'local': ('example.test', *NAMES), 'virtual': virtual, 'settings': "define(`MAIL_HUB', `smtp:[127.0.0.1]')dnl"}
            rules = {**dict.fromkeys(FOLDERS, FILE), 'large': 'require "fileinto"; if size :under 1M { fileinto "Box"; }',
                     'keep': 'keep;'}
            for alone in ({}, ALONE):
                with world.World(directory / str(len(alone)), 'sendmail', rules, alone, mta=mta) as w:
                    w.run(tap, title + ', without copies' * bool(alone), lambda w, alone=alone: to_inbox(w, alone))
            mta['settings'] += "\nMODIFY_MAILER_FLAGS(`LOCAL', `+u')dnl"
            with world.World(directory / 'spelled', 'sendmail', rules, mta=mta) as w:
                w.run(tap, 'sendmail: a folder with capitals', to_spelled)
    for kind in FORMS:
        for title, settings in (('', {}), (' without filtered_to', {'filtered_to': ''}), (' without copies', ALONE), (' of an unnamed domain', {'local_domains': ''})):
            title = f'{kind}: a redirect to oneself by an alias{title}'
            if world.missing(kind):
                tap.result(title, [], world.missing(kind))
                continue
            with place.directory('names') as directory, returns(directory, kind, settings) as w:
                w.run(tap, title, to_unnamed if 'local_domains' in settings else to_himself)
                if 'local_domains' in settings:
                    continue
                if settings != ALONE or kind == 'postfix':
                    w.run(tap, title.replace('oneself', 'another'), to_others)
                if not settings and kind == 'sendmail':
                    w.run(tap, 'sendmail: a recipient to whom an alias leads as well', by_alias)
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
