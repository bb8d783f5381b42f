#!/usr/bin/env python3
# test_final.py - mode = final: one final recipient at a time, from the sender to where it ends
# SPDX-License-Identifier: BSD-2-Clause
"""The whole way is there: Postfix with its aliases and the transport that splits; two Sendmails as doc/sendmail.md has
them, of which the first has the aliases, and hands each recipient in a transaction of its own to the second."""
import os
import re
import subprocess
import sys

import world
import place
from tap import Tap, equal

WIDE = 'a' + 57 * ' ' + '\u00e9' + 90 * ' ' + 'b'
EDIT = 'require "editheader"; addheader "X-Rule" "1";'
RULES = {
    'keep': 'keep;',
    'file': 'require "fileinto"; fileinto "Box";',
    'odd': 'require "fileinto"; fileinto "Box/In Box";',
    'edit': EDIT,
    'flags': 'require ["fileinto", "imap4flags"]; fileinto :flags ["\\\\Seen", "mine"] "Box/In Box";',
    'seems': 'require "fileinto"; fileinto "Lists/a =?utf-8?q?b?= =?utf-8?q?c?=";',
    'wide': f'require "fileinto"; fileinto "{WIDE}";',
    'flagged': 'require "imap4flags"; keep :flags "\\\\Flagged";',
    'gone': 'discard;',
    'away': 'redirect "x@else.example";',
    'both': 'require ["copy", "editheader"]; redirect :copy "x@else.example"; addheader "X-Rule" "1";',
    'there': 'redirect "back@example.test";',
    'back': 'redirect "there@example.test";',
    'late': 'require "reject"; reject "not this one";',
    'early': 'require "ereject"; ereject "not this one";',
    'typed': 'require ["envelope", "fileinto"]; if envelope "orig_to" "team+x@example.test" { fileinto "Typed"; }',
    'boxed': 'require ["editheader", "fileinto"]; fileinto "Box"; addheader "X-Rule" "1"; keep;',
    'mate': 'redirect "file@example.test";',
    'client': 'require ["environment", "envelope", "fileinto"]; if anyof (environment :contains "remote-ip" "",'
              ' environment :contains "remote-host" "", envelope :contains "auth" "") { fileinto "Wrong"; }',
}
RESULTS = 'Authentication-Results: {}; spf=pass smtp.mailfrom=client.example'


class Scene(world.World):
    def go(self, name, more=(), orcpt=None, **options):
        """One message to one; what arrived of it, by recipient."""
        identity = f'{name}-{self.number}'
        parameters = f'ORCPT=rfc822;{orcpt}' if orcpt else ''
        told = self.send([(name, parameters)], world.message(identity, more=more), **options)
        equal(told.fates(), [250], f'{name} was told')
        self.settle()
        self.last = world.message(identity, more=more)
        return {address: (sender, content) for address, sender, content in self.arrived(identity)
                if b'multipart/report' not in content}

    def reports(self):
        return [content for address, sender, content in self.arrived()
                if address == world.SENDER and not sender and b'multipart/report' in content]

    def same(self, came, expected):
        """{address: what rules put before the message}"""
        equal({address: world.without_ours(content)[0] for address, (_sender, content) in came.items()},
              {address: before + self.last for address, before in expected.items()})


def deliveries(s):
    """Kept, filed by detail, edited, discarded."""
    s.same(s.go('keep'), {'keep@example.test': b''})
    s.same(s.go('keep+x'), {'keep@example.test': b''})
    s.same(s.go('nobody+x'), {'nobody+x@example.test': b''})
    s.same(s.go('file'), {'file+Box@example.test': b''})
    s.same(s.go('file+box'), {'file+Box@example.test': b''})
    s.same(s.go('file+box', orcpt='file+2BBOX@example.test'), {'file+Box@example.test': b''})
    s.same(s.go('odd'), {'odd@example.test': b''})
    s.same(s.go('edit'), {'edit@example.test': b'X-Rule: 1\r\n'})
    s.same(s.go('gone'), {})


def nowhere(s):
    s.same(s.go('file'), {'file@example.test': b''})


def by_header(s):
    """The field files, by the script that the store has, and is gone then."""
    for name, folder, flags in (('file', 'Box', ''), ('flags', 'Box/In Box', ':flags "\\\\Seen mine" '),
                                ('flagged', 'INBOX', ':flags "\\\\Flagged" '),
                                ('seems', 'Lists/a =?utf-8?q?b?= =?utf-8?q?c?=', ''), ('wide', WIDE, '')):
        came = s.go(name)
        (_sender, content), = came.values()
        equal(list(came), [f'{name}@example.test'])
        marks = world.without_ours(content)[1]
        equal([mark[:11] for mark in marks], [b'Tamis-File-'], name)
        field = marks[0].partition(b':')[0].decode()
        equal(subprocess.run([tamis(), 'run', 'script', 'mail'], check=True, cwd=script(s, name, content),
                             stdout=subprocess.PIPE).stdout.decode(), f'deleteheader "{field}"\nfileinto {flags}"{folder}"\n')
        written = subprocess.run([tamis(), 'run', '--write', 'script', 'mail'], check=True, stdout=subprocess.PIPE,
                                 cwd=s.directory).stdout.partition(b'\n\n')[2]
        assert b'Tamis-File-' not in written and b'Subject: hello' in written, written
        # another's field files nothing
        equal(subprocess.run([tamis(), 'run', 'script', 'mail'], check=True, cwd=script(s, 'else', content),
                             stdout=subprocess.PIPE).stdout, b'keep\n')
    s.same(s.go('keep'), {'keep@example.test': b''})
    assert not world.without_ours(s.go('keep')['keep@example.test'][1])[1]


def tamis():
    return os.path.abspath(os.environ.get('TAMIS') or os.path.join(os.environ.get('TAMIS_BUILD', '.build/gcc'), 'tamis'))


def script(s, name, content):
    with open(s.directory / 'script', 'wb') as out:
        subprocess.run([tamis(), 'filing', '-c', s.daemon.configuration, f'{name}@example.test'], check=True, stdout=out)
    (s.directory / 'mail').write_bytes(content)
    return s.directory


SENDERS = {'keep': re.escape(world.SENDER), 'user': '(away|both)@example[.]test', 'null': '',
           'srs': 'SRS0=[a-z0-9]{6}=[a-z2-7]{2}=client[.]example=s@srs[.]example'}


def redirects(s, how):
    """One message with two senders is two copies: the redirected one has the sender that is set, the kept one its own."""
    came = s.go('away')
    s.same(came, {'x@else.example': b''})
    sender = came['x@else.example'][0]
    assert re.fullmatch(SENDERS[how], sender), sender
    came = s.go('both')
    s.same(came, {'x@else.example': b'', 'both@example.test': b'X-Rule: 1\r\n'})
    assert re.fullmatch(SENDERS[how], came['x@else.example'][0]), came['x@else.example'][0]
    equal(came['both@example.test'][0], world.SENDER)
    assert s.go('away', sender='')['x@else.example'][0] == '', 'a null sender'
    if how == 'srs':
        equal(list(s.go(sender, sender='')), [world.SENDER])
        equal(list(s.go(sender.replace('=s@', '=t@'), sender='')), [sender.replace('=s@', '=t@')], 'a forged one')


def comes_round(s):
    """Where the fields that count redirects are taken away on the way, what comes round is not taken for what has left:
    it goes on until it has passed too many servers, and is kept then."""
    came = s.go('there')
    equal([world.without_ours(content)[0] for _sender, content in came.values()], [s.last])


def marked(s):
    """Nobody is told: who refuses keeps it, with a mark."""
    for name in ('late', 'early'):
        came = s.go(name, more=[RESULTS.format('mx.example.test')])
        equal([world.without_ours(content)[1] for _sender, content in came.values()],
              [[b'Tamis-Refused: "not this one"\r\n']], name)
    equal(s.reports(), [])


def told(s):
    """The sender is told if our verifier vouches for him, and for nobody else's word."""
    for name, kind in (('late', b'disposition-notification'), ('early', b'delivery-status')):
        equal(s.go(name, more=[RESULTS.format('mx.example.test')]), {}, name)
        place.wait_for(s.reports, 10, 'a report')
        report, = s.reports()
        assert b'not this one' in report and kind in report, report
        s.sink.forget()
        for more in ([], [RESULTS.format('mx.example.evil')], [RESULTS.format('mx.example.test').replace('pass', 'fail')]):
            came = s.go(name, more=more)
            equal([world.without_ours(content)[1] for _sender, content in came.values()],
                  [[b'Tamis-Refused: "not this one"\r\n']], name)
        equal(list(s.go(name, more=[RESULTS.format('mx.example.test')], sender='')), [f'{name}@example.test'], 'no sender')
        equal(s.reports(), [])


def typed(s):
    """As it was typed, before aliases; what of the client is the sender's does not exist.  Sendmail tells what was typed
    only if the client did."""
    equal(list(s.go('team+x', orcpt='team+2Bx@example.test')), ['typed+Typed@example.test'])
    equal(list(s.go('team+x')), ['typed+Typed@example.test' if s.kind == 'postfix' else 'typed@example.test'])
    equal(list(s.go('typed')), ['typed@example.test'])
    equal(list(s.go('client')), ['client@example.test'])


def several(s):
    """One message to many, some of them behind an alias: each has his own transaction, and so his own content."""
    content = world.message('several')
    people = ['edit', 'file', 'gone', 'late', 'keep', 'away', 'staff', 'nobody']
    equal(s.send(people, content).fates(), [250] * len(people))
    s.settle()
    came = {address: world.without_ours(copy) for address, _sender, copy in s.arrived('several')}
    equal({address: text for address, (text, _marks) in came.items()},
          {'edit@example.test': b'X-Rule: 1\r\n' + content, 'file+Box@example.test': content, 'late@example.test': content,
           'keep@example.test': content, 'x@else.example': content, 'both@example.test': b'X-Rule: 1\r\n' + content,
           'odd@example.test': content, 'nobody@example.test': content})
    equal(sorted(address for address, (_text, marks) in came.items() if any(b'Refused' in mark for mark in marks)),
          ['late@example.test'])
    lines = [line for line in s.daemon.lines() if line.get('rcpt', '').endswith('@example.test')]
    ids = {re.search(r': (\S+): rcpt=', line['line'])[1] for line in lines}
    equal((len(ids), len(lines)), (len(lines), 9), 'transactions, and recipients')
    equal([copy for address, _sender, copy in s.arrived() if address == world.SENDER], [], 'reports')


def alone(s):
    """Of a message's other recipients nothing is known: what is redirected to one of them comes besides."""
    equal(s.send(['mate', 'file'], world.message('alone')).fates(), [250, 250])
    s.settle()
    equal([address for address, _sender, _copy in s.arrived('alone')], ['file+Box@example.test'] * 2)


def looked_up_again(s):
    """A copy for one alone passes the aliases of the port for copies, as doc/postfix.md says; Sendmail's second has none."""
    came = s.go('boxed')
    archived = sorted(world.without_ours(copy)[0].startswith(b'X-Rule: 1') for address, _sender, copy in s.arrived()
                      if address == 'archive@else.example')
    equal(archived, [False, True] if s.kind == 'postfix' else [])
    came.pop('archive@else.example', None)
    s.same(came, {'boxed+Box@example.test': b'', 'boxed@example.test': b'X-Rule: 1\r\n'})


def waits(s):
    """Without the daemon mail waits in the first queue; then it comes, once."""
    s.daemon.stop()
    content = world.message('waits')
    equal(s.send(['edit', 'gone', 'nobody'], content).fates(), [250] * 3)
    (s.front or s.mta).flush()
    equal(s.arrived('waits'), [])
    s.daemon.start()
    s.settle()
    equal([(address, world.without_ours(copy)[0]) for address, _sender, copy in s.arrived('waits')],
          [('edit@example.test', b'X-Rule: 1\r\n' + content), ('nobody@example.test', content)])


WORLDS = [
    ('what is kept, filed by detail, edited, discarded', deliveries, {}),
    ('fileinto_by = none', nowhere, {'fileinto_by': 'none'}),
    ('fileinto_by = header, and the script of the store', by_header, {'fileinto_by': 'header'}),
    *((f'redirect_sender = {how}', lambda s, how=how: redirects(s, how),
       {'redirect_sender': how, 'srs_domain': 'srs.example'}) for how in SENDERS),
    ('refuse_late = keep', marked, {'authserv_id': 'mx.example.test'}),
    ('refuse_late = bounce', told, {'refuse_late': 'bounce', 'authserv_id': 'mx.example.test'}),
    ('the address that was typed, and no client', typed, {}),
    ('one message to many', several, {}),
    ('one is redirected to the other', alone, {}),
    ('a copy for one whom an alias leads to himself and others', looked_up_again, {}),
    ('mail waits for the daemon', waits, {}),
]
STRIPS = {'settings': {'header_checks': 'regexp:{{/^Tamis-/ IGNORE}}'}}


def main():
    tap = Tap()
    for kind in sys.argv[1:] or ('postfix', 'sendmail'):
        why = world.missing(kind)
        more = [('a redirect in a circle, without fields of ours', comes_round, {'max_hops': '20'}, STRIPS)] if kind == 'postfix' else []
        for title, test, settings, *server in WORLDS + more:
            if why:
                tap.result(f'{kind}: {title}', [], why)
                continue
            virtual = {'team@example.test': 'typed@example.test', 'team+x@example.test': 'typed@example.test',
                       'staff@example.test': 'both@example.test, odd@example.test' if kind == 'postfix' else 'staff'}
            if kind == 'postfix':
                virtual['boxed@example.test'] = 'boxed@example.test, archive@else.example'
            with place.directory('final') as directory:
                mta = {'virtual': virtual, 'aliases': {'staff': 'both@example.test, odd@example.test'}}
                mta.update(*server)
                with Scene(directory, kind, RULES, {'mode': 'final', **settings}, mta=mta) as s:
                    s.run(tap, f'{kind}: {title}', test)
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
