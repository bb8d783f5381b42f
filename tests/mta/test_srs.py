#!/usr/bin/env python3
# test_srs.py - senders that redirects rewrite: they find back, and nobody makes others
# SPDX-License-Identifier: BSD-2-Clause
import os
import re
import sys

import world
import place
from tap import Tap, equal

SENDERS = ['s@client.example', '"s t"@client.example', r'"s\"@t"@client.example', 's+x=y@client.example']
SETTINGS = {'redirect_sender': 'srs', 'srs_domain': 'srs.example.test'}
AWAY = 'away@else.example'
RULES = {
    'away': f'redirect "{AWAY}";', 'alice': 'discard;', 'bob': 'require "editheader"; addheader "X-Edited" "once";',
    'carol': 'require "fileinto"; fileinto "Lists";', 'dora': 'require "vnd.tamis.quarantine"; quarantine "odd";', 'frank': 'keep;',
    'gina': 'require ["ereject", "envelope"]; if envelope "to" "gina@example.test" { ereject "no"; }',
}


class Scene(world.World):
    def go(self, recipients, sender=world.SENDER, **options):
        """What was told, and [(recipient, sender)] of what arrived."""
        identity = f'srs-{self.number}'
        told = self.send(recipients, world.message(identity), sender=sender, **options)
        self.settle()
        return told, [(address, sender) for address, sender, _content in self.arrived(identity)]

    def made(self, sender=world.SENDER):
        """The address that a redirect leaves with."""
        told, came = self.go(['away'], sender)
        equal(told.fates(), [250], sender)
        (address, made), = came
        equal(address, AWAY)
        assert re.fullmatch(r'"?SRS0=[a-z2-7]{6}=[a-z2-7]{2}=client[.]example=.*@srs[.]example[.]test', made), made
        return made


def forged(made):
    """Another's mail to it would be sent on by us."""
    return made.replace('client.example', 'victim.example')


def back(s):
    for sender in SENDERS:
        made = s.made(sender)
        equal('"' in made, '"' in sender, made)
        told, came = s.go([made], '')
        equal((told.fates(), came), ([250], [(sender, '')]), made)
        told, came = s.go([made.replace('SRS0=', 'srs0=').upper()], '')
        equal((told.fates(), [address.lower() for address, _sender in came]), ([250], [sender.lower()]), 'in capitals')


def refused(s):
    """Each of them for itself, with words that say why; the others get the message."""
    made = s.made()
    wrong = [forged(made), made.replace('=s@', '=t@'), 'SRS0=a=b=c=d@srs.example.test', 'srs1=a=b==c@srs.example.test']
    told, came = s.go([*wrong, made, 'nobody'], '')
    equal(told.fates(), [550] * len(wrong) + [250, 250])
    equal(came, [('nobody@example.test', ''), (world.SENDER, '')])
    for reply in told.rcpt[:len(wrong)]:
        assert '5.1.1' in str(reply) and 'we did not make it' in str(reply), reply
    told, came = s.go(wrong[:1], 'x@client.example')
    equal((told.fates(), came), ([550], []))
    equal(len(s.daemon.lines(rcpt=wrong[0], srs='forged', verdict='refused')), 2)
    # what looks like none of ours is not our affair
    told, came = s.go(['somebody@srs.example.test'], '')
    equal((told.fates(), came), ([250], [('somebody@srs.example.test', '')]))


def users(s):
    """A sender with rules here, whom somebody else's redirect gave such an address: it is no way round his rules."""
    for name, expected in (('alice', []), ('bob', ['bob@example.test']), ('carol', ['carol+Lists@example.test']),
                           ('dora', ['dora@example.test']), ('frank', ['frank@example.test']), ('gina', None)):
        sender = f'{name}@example.test'
        (_away, made), = s.go(['away'], sender)[1]
        told, came = s.go([made], 'x@client.example')
        if expected is None:
            equal((told.fates(), came), ([550], []), name)
            continue
        equal((told.fates(), [address for address, _sender in came]), ([250], expected), name)
        content = b''.join(content for _to, _from, content in s.arrived(f'srs-{s.number - 1}'))
        equal(b'X-Edited: once\r\n' in content, name == 'bob', name)
        equal(b'Tamis-Quarantine:' in content, name == 'dora', name)


def left(s, **log):
    """A good one goes back all the same; a forged one is the mail server's to deliver, and here it can."""
    made = s.made()
    told, came = s.go([made], '')
    equal((told.fates(), came), ([250], [(world.SENDER, '')]))
    told, came = s.go([forged(made)], '')
    equal((told.fates(), came), ([250], [(forged(made), '')]))
    assert s.daemon.lines(rcpt=forged(made), srs='forged', verdict='pass', **log), s.daemon.log()[-500:]
    equal([address for address, _sender, content in s.arrived() if b'multipart/report' in content], [], 'reports')


def ours(s):
    left(s, note='left to the mail server: a refusal would be a bounce of ours')


def watched(s):
    """Redirects are not made: the address is one of before."""
    made = 'SRS0=aaaaaa=bb=client.example=s@srs.example.test'
    told, came = s.go([made], '')
    equal((told.fates(), came), ([250], [(made, '')]))
    assert s.daemon.lines(rcpt=made, srs='forged', effect='observe', would='refuse', verdict='pass'), s.daemon.log()[-500:]


WORLDS = [
    ('they find back', back, {}),
    ('forged ones are refused at RCPT TO', refused, {}),
    ('they are no way round rules', users, {}),
    ('a client of ours is refused nothing', ours, {'own_clients': '127.0.0.1'}),
    ('behind the queue nobody is refused', ours, {'mode': 'final'}),
    ('effect = observe says what it would do', watched, {'effect': 'observe'}),
]


def main():
    tap = Tap()
    for kind in ('postfix', 'sendmail'):
        why = world.missing(kind)
        for title, test, settings in WORLDS:
            if why:
                tap.result(f'{kind}: {title}', [], why)
                continue
            with place.directory('srs') as directory, Scene(directory, kind, RULES, {**SETTINGS, **settings}) as s:
                s.run(tap, f'{kind}: {title}', test)
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
