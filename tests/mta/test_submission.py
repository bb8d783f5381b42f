#!/usr/bin/env python3
# test_submission.py - Sendmail: what is submitted on this machine, and by those who logged in
# SPDX-License-Identifier: BSD-2-Clause
"""The command `sendmail`, as it is installed, hands a message over by SMTP from 127.0.0.1, and would bounce what is
refused there: to tamis-milter it is one of own_clients.  A login is one by SASL, with a password."""
import os
import sys

import world
import client
import place
import sendmail
from tap import Skip, Tap, equal

OWNER, PASSWORD = 'owner@example.test', 'a password'
RULES = {
    'keep': 'keep;', 'discard': 'discard;', 'file': 'require "fileinto"; fileinto "Box";',
    'edit': 'require "editheader"; addheader "X-Edited" "once";',
    'early': 'require ["envelope", "ereject"]; if not envelope "from" "" { ereject "never early"; stop; }',
    'late': 'require "reject"; if header :contains "subject" "hello" { reject "never late"; }',
    'here': 'require ["environment", "envelope", "fileinto"]; if allof (environment "remote-ip" "127.0.0.1", '
            'environment "remote-host" "localhost", environment "name" "tamis", not envelope :contains "auth" "") '
            '{ fileinto "Here"; }',
    'known': f'require ["envelope", "fileinto"]; if envelope "auth" "{OWNER}" {{ fileinto "Known"; }}',
}
PROVED = ['Authentication-Results: mx.example.test; spf=pass smtp.mailfrom=client.example']
BOUNCE = {'refuse_late': 'bounce', 'authserv_id': 'mx.example.test'}
OURS = {'own_clients': '127.0.0.1'}


class Scene(world.World):
    def submit(self, people, more=(), sender=world.SENDER):
        """By the command.  What came: {recipient: (content, marks)}, and the reports that the sender got."""
        self.number += 1
        content = world.message(f'local-{self.number}', more=more)
        said = self.mta.submit('-bm', '-i', '-f', sender, *map(self.address, people), data=content.replace(b'\r\n', b'\n'))
        equal(said, '', 'the command said')
        return self.came(f'local-{self.number}', content)

    def came(self, identity, content):
        self.settle()
        found = {address: world.without_ours(copy) for address, _sender, copy in self.arrived(identity)
                 if b'multipart/report' not in copy}
        for address, (text, _marks) in found.items():
            equal(text, (b'X-Edited: once\r\n' if address.startswith('edit') else b'') + content, address)
        return found

    def reports(self, to=world.SENDER):
        """New ones, each told by who makes it."""
        found = [copy for address, sender, copy in self.arrived() if address == to and not sender and b'multipart/report' in copy]
        self.sink.forget()
        return found


def marks(came):
    return {address: found for address, (_text, found) in came.items() if found}


def local(s):
    """Nobody is refused at RCPT TO; who refuses keeps it with a mark, and nobody is told."""
    came = s.submit(RULES)
    equal(sorted(came), [f'{who}@example.test' for who in ('early', 'edit', 'file+Box', 'here+Here', 'keep', 'known', 'late')])
    equal(marks(came), {'early@example.test': [b'Tamis-Refused: "never early"\r\n'],
                        'late@example.test': [b'Tamis-Refused: "never late"\r\n']})
    equal(s.reports(), [])


def local_alone(s):
    """Also where he is the only one."""
    for who in ('early', 'late'):
        equal(list(marks(s.submit([who]))), [f'{who}@example.test'])
        equal(s.reports(), [], who)


def local_told(s):
    """A refusal becomes a report of ours, if our verifier vouches for the sender: one for each who refuses."""
    came = s.submit(['early', 'late', 'keep'], PROVED)
    equal((list(came), marks(came)), (['keep@example.test'], {}))
    reports = s.reports()
    equal(len(reports), 2)
    for who, kind in (('early', b'delivery-status'), ('late', b'disposition-notification')):
        report, = [report for report in reports if b'never ' + who.encode() in report]
        assert kind in report and b'MAILER-DAEMON@mx.example.test' not in report.partition(b'\r\n\r\n')[0], report
    for who in ('early', 'late'):
        equal(list(s.submit([who], PROVED)), [], who)
        equal(len(s.reports()), 1, who)
        equal(list(marks(s.submit([who]))), [f'{who}@example.test'], 'nobody vouches')
        equal(s.reports(), [], who)
    equal(list(marks(s.submit(['early', 'late'], PROVED, sender='<>'))), ['late@example.test'], 'no sender')


def not_ours(s):
    """What doc/sendmail.md warns of: who is not one of own_clients is refused, and Sendmail itself has to tell it."""
    equal(list(s.submit(['early', 'keep'])), ['keep@example.test'])
    report, = s.reports()
    assert b'never early' in report and b'Mail Delivery Subsystem' in report, report


def queued(s):
    """Put into the queue without SMTP: no filter is asked."""
    before = len(s.daemon.lines())
    content = world.message('queued')
    said = s.mta.run('-bm', '-i', '-f', world.SENDER, *[f'{who}@example.test' for who in RULES],
                     data=content.replace(b'\r\n', b'\n'))
    equal(said, '')
    s.settle()
    equal({address: world.without_ours(copy) for address, _sender, copy in s.arrived('queued')},
          {f'{who}@example.test': (content, []) for who in RULES})
    equal(len(s.daemon.lines()), before, 'lines of the log')


def waits(s):
    """Without the daemon it waits where the command puts it, and comes once."""
    s.daemon.stop()
    s.number += 1
    content = world.message(f'local-{s.number}')
    equal(s.mta.submit('-bm', '-i', '-f', world.SENDER, 'discard@example.test', 'edit@example.test',
                       data=content.replace(b'\r\n', b'\n')), '')
    equal((len(s.mta.queue()), s.arrived()), (1, []))
    s.daemon.start()
    s.mta.flush()
    equal(list(s.came(f'local-{s.number}', content)), ['edit@example.test'])


def logged_in(s, people, sender, more=(), **options):
    s.number += 1
    content = world.message(f'login-{s.number}', more=more)
    with client.Client(s.mta.port) as talk:
        talk.login(OWNER, PASSWORD)
        told = talk.send(sender, [s.address(who) for who in people], content, **options)
    return told, s.came(f'login-{s.number}', content)


def login(s):
    """His name is known to rules, and to copies; his program is refused at RCPT TO as anybody's, and tells him."""
    told, came = logged_in(s, ['known', 'early', 'edit', 'keep', 'discard'], OWNER)
    equal(told.fates(), [250, 550, 250, 250, 250])
    assert 'never early' in str(told.rcpt[1]), told.rcpt[1]
    equal(sorted(came), ['edit@example.test', 'keep@example.test', 'known+Known@example.test'])
    copy, = s.sink.copies('edit@example.test')
    assert b'(tamis ' in copy.content and b') with ESMTPA id ' in copy.content, copy.content
    told, came = logged_in(s, ['late'], OWNER)
    equal((told.fates(), came), ([550], {}))
    assert 'never late' in str(told.final), told.final
    equal(s.reports(OWNER), [])


def login_told(s):
    """He is who he says where the address is his: a late refusal is reported to him, and to nobody else."""
    told, came = logged_in(s, ['late', 'keep'], OWNER)
    equal((told.fates(), list(came)), ([250, 250], ['keep@example.test']))
    report, = s.reports(OWNER)
    assert b'never late' in report and b'disposition-notification' in report, report
    for sender in (world.SENDER, 'other@example.test', ''):
        told, came = logged_in(s, ['late', 'keep'], sender)
        equal((told.fates(), list(marks(came))), ([250, 250], ['late@example.test']), f'from <{sender}>')
        equal(s.reports(sender), [], f'from <{sender}>')


def no_login(s):
    """A wrong password is no login."""
    with client.Client(s.mta.port) as talk:
        equal(talk.command('AUTH PLAIN AG93bmVyQGV4YW1wbGUudGVzdAB3cm9uZw==').code, 535)
        content = world.message('wrong')
        equal(talk.send(OWNER, ['late@example.test', 'known@example.test'], content).fates(), [250, 250])
    came = s.came('wrong', content)
    equal((sorted(came), list(marks(came))), (['known@example.test', 'late@example.test'], ['late@example.test']))
    equal(s.reports(OWNER), [])


USERS = {'users': {OWNER: PASSWORD}}
WORLDS = [
    ('local mail: refused late, and kept', [local, local_alone, waits], OURS, {}),
    ('local mail: refusals are reports of ours', [local_told], {**OURS, **BOUNCE}, {}),
    ('local mail: another client is refused at RCPT TO', [not_ours, queued], {}, {}),
    ('a login', [login, login_told, no_login], BOUNCE, USERS),
]


def play(tests, settings, mta):
    if mta and sendmail.missing_login():
        raise Skip(sendmail.missing_login())
    with place.directory('submission') as directory, Scene(directory, 'sendmail', RULES, settings, mta=mta) as s:
        for test in tests:
            try:
                test(s)
            except Exception as error:
                log = '\n'.join(s.daemon.log().splitlines()[-6:])
                raise AssertionError(f'{test.__name__}: {error!r}\n{log}') from error


def main():
    tap = Tap()
    for title, tests, settings, mta in WORLDS:
        if world.missing('sendmail'):
            tap.result(title, [], world.missing('sendmail'))
        else:
            tap.run(title, play, tests, settings, mta)
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
