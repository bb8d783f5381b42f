#!/usr/bin/env python3
# test_notify.py - who is told when what rules send on or file comes nowhere, and of what came (NOTIFY, RFC 3461)
# SPDX-License-Identifier: BSD-2-Clause
"""The server behind all of it refuses the targets of redirects and folders, and takes everything else."""
import os
import re
import sys

import world
import place
from tap import Tap, equal

EDITED = b'X-Edited: once\r\n'
RULES = {
    'away': 'redirect "{}@nobody.example";',
    'also': 'require "copy"; redirect :copy "{}@nobody.example";',
    'both': 'redirect "{}@nobody.example"; keep;',
    'file': 'require "fileinto"; fileinto "Nobody";',
    'size': 'require "fileinto"; if size :under 1M { fileinto "Nobody"; }',
    'shut': 'redirect "shut@closed.example";', 'one': 'redirect "same@nobody.example";', 'other': 'redirect "same@nobody.example";',
    'edit': 'require "editheader"; addheader "X-Edited" "once"; redirect "{}@nobody.example";',
}
RULES = {name: text.replace('{}', name) for name, text in RULES.items()}
PEOPLE = ('away', 'also', 'both', 'file', 'size', 'edit')
FILED = ('file', 'size')
WISHES = ('', 'NEVER', 'SUCCESS', 'FAILURE', 'DELAY', 'SUCCESS,FAILURE', 'SUCCESS,DELAY', 'FAILURE,DELAY', 'delay,failure,success')
# who gets what nobody is the sender of and comes nowhere
POSTMASTER = 'postmaster@client.example'
MTA = {'sendmail': {'aliases': {'postmaster': POSTMASTER}, 'routes': {'closed.example': 'error:5.1.1:550 closed'}}, 'postfix': {}}
SENDERS = {'keep': {}, 'user': {}, 'null': {}, 'srs': {'srs_domain': 'back.example'}}


def heard(scene, number):
    """Whom reports of that message have come to; where the address is one that we made of the sender's: "srs"."""
    mark = f'<{number}@client.example>'.encode()
    found = [address for copy in scene.sink.transactions() if not copy.sender and mark in copy.content for address in copy.addresses]
    found = [address for address in found if address != POSTMASTER]
    return sorted('srs' if re.match(r'(?i)srs0[=+-].*@back\.example$', address) else address for address in found)


def failures(scene):
    """He who wants to hear of failures, or says nothing of it, does; where it left for another's account, that one does."""
    setting = scene.daemon.values['redirect_sender']
    scene.sink.fail('rcpt', '550 5.1.1 nobody', 10 ** 6, '@nobody.example')
    scene.sink.fail('rcpt', '550 5.1.1 nobody', 10 ** 6, '+Nobody@')
    expected, found = {}, {}
    for person in PEOPLE:
        for wish in WISHES:
            number = f'{setting}.{person}.{wish.replace(",", ".")}'
            sender = {'keep': world.SENDER, 'user': f'{person}@example.test', 'srs': 'srs', 'null': None}[setting]
            sender = world.SENDER if person in FILED else sender
            wanted = not wish or 'FAILURE' in wish.upper() or setting == 'user' and person not in FILED
            expected[number] = [sender] if wanted and sender else []
            told = scene.send([(person, f'NOTIFY={wish}' if wish else '')], world.message(number))
            equal(told.fates(), [250], number)
    scene.settle(60)
    for number in expected:
        found[number] = heard(scene, number)
    equal({n: (found[n], expected[n]) for n in expected if found[n] != expected[n]}, {}, 'who was told, and who ought to be')


def one_target(scene):
    """Two redirect to the same address, which gets it once: who sent it hears of its failure if he wants to for one of them."""
    for at, (one, other) in enumerate((a, b) for a in ('', 'NEVER', 'SUCCESS', 'FAILURE') for b in ('', 'NEVER', 'DELAY', 'FAILURE')):
        number = f'target.{at}'
        told = scene.send([('one', f'NOTIFY={one}' if one else ''), ('other', f'NOTIFY={other}' if other else '')], world.message(number))
        equal(told.fates(), [250, 250], number)
        scene.settle(60)
        wanted = {one, other} & {'', 'FAILURE'}
        equal(heard(scene, number), [world.SENDER] * bool(wanted), f'told of one with "{one}", the other with "{other}"')


def typed_here(scene):
    """What sendmail(1) is told of reports Postfix tells no milter, as doc/postfix.md says."""
    for wish in ('never', 'failure'):
        number = f'here.{wish}'
        content = world.message(number).replace(b'\r\n', b'\n')
        equal(scene.mta.run('sendmail', '-N', wish, '-f', world.SENDER, 'away@example.test', data=content), '')
        scene.settle(60)
        equal(heard(scene, number), [world.SENDER], wish)


def comes_back(scene):
    """Mail to a sender that a redirect rewrote goes to him, of whom nobody has rules here, whatever the client wants to know."""
    scene.sink.heal()
    equal(scene.send(['away'], world.message('back.first')).fates(), [250])
    scene.settle(60)
    (_to, made, _content), = scene.arrived('back.first')
    for wish in WISHES:
        number = f'back.{wish.replace(",", ".")}'
        parameters = f'NOTIFY={wish}' if wish else ''
        equal(scene.send([(made, parameters), ('edit', parameters)], world.message(number), '').fates(), [250, 250], number)
        scene.settle(60)
        equal([to for to, _sender, _content in scene.arrived(number)], ['edit@nobody.example', world.SENDER], number)


def closed(scene):
    """A target that Sendmail answers with an error is no reason to write something else into the dialogue; what the port for
    copies does not take is kept."""
    for wish in WISHES:
        number = f'closed.{wish.replace(",", ".")}'
        told = scene.send([('shut', f'NOTIFY={wish}' if wish else '')], world.message(number))
        equal((told.fates(), told.gone), ([250], None), number)
        scene.settle(60)
        added = wish in ('', 'FAILURE,DELAY')
        equal((heard(scene, number), [a for a, s, _c in scene.arrived(number) if s]),
              ([world.SENDER] * added, ['shut@example.test'] * (not added)), number)


def no_port(scene):
    """Where no copy can be made Sendmail tells of failures, whatever the client wants to know."""
    scene.sink.fail('rcpt', '550 5.1.1 nobody', 10 ** 6, '@nobody.example')
    for wish, expected in (('', True), ('NEVER', scene.kind == 'sendmail'), ('FAILURE', True)):
        number = f'no.port.{wish}'
        equal(scene.send([('away', f'NOTIFY={wish}' if wish else '')], world.message(number)).fates(), [250], number)
        scene.settle(60)
        equal(heard(scene, number), [world.SENDER] * expected, number)


def main():
    tap = Tap()
    for kind in ('postfix', 'sendmail'):
        why = world.missing(kind)
        if why:
            tap.result(f'{kind}: who is told', [], why)
            continue
        for setting, more in SENDERS.items():
            settings = {'redirect_sender': setting, **more}
            with place.directory('notify') as directory, world.World(directory, kind, RULES, settings, mta=MTA[kind]) as scene:
                scene.run(tap, f'{kind}: failures, redirect_sender = {setting}', failures)
                others = {'keep': [one_target, closed if kind == 'sendmail' else typed_here], 'srs': [comes_back]}
                for test in others.get(setting, []):
                    scene.run(tap, f'{kind}: {test.__name__}', test)
        with place.directory('notify') as directory, world.World(directory, kind, RULES, {'copy_to': '', 'filtered_to': ''}) as scene:
            scene.run(tap, f'{kind}: no_port', no_port)
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
