#!/usr/bin/env python3
# test_events.py - what clients do: chunks, resets, pipelines, going away; odd envelopes, odd headers, many recipients
# SPDX-License-Identifier: BSD-2-Clause
import contextlib
import os
import re
import sys

import world
import client
import place
import sink
from tap import Tap, equal

RULES = {
    'keep': 'keep;', 'discard': 'discard;',
    'edit': 'require "editheader"; addheader "X-Edited" "once";',
    'early': 'require ["envelope", "ereject"]; if envelope :domain "from" "client.example" { ereject "never"; stop; }',
    'file': 'require "fileinto"; fileinto "Box";',
    'away': 'redirect "away@else.example";',
    'clean': 'require "editheader"; deleteheader "X-Spam";',
    'late': 'require "ereject"; if header :contains "subject" "hello" { ereject "too late"; }',
}
# several of each
for at in range(30):
    RULES |= {f'{name}{at}': text for name, text in RULES.items() if name.isalpha() and name != 'away'}
    RULES[f'own{at}'] = f'require "editheader"; addheader "X-Edited" "{at}";'
    RULES[f'away{at}'] = f'redirect "away{at}@else.example";'
RULES['far'] = 'redirect "zü@else.example";'
EDITED = b'X-Edited: once\r\n'
PEOPLE = ('keep', 'edit', 'discard', 'file')


def comes(scene, number, people=PEOPLE, content=None):
    """To those of PEOPLE, as their rules say; nothing else, and nothing twice."""
    content = world.message(number) if content is None else content
    expected = {'keep': ('keep@example.test', content), 'edit': ('edit@example.test', EDITED + content),
                'file': ('file+Box@example.test', content)}
    expected = sorted(expected[p] for p in people if p in expected)
    place.wait_for(lambda: len(scene.arrived(number)) >= len(expected), 60, f'mail {number}')
    scene.settle(60)
    came = [(address, world.without_ours(copy)[0]) for address, _sender, copy in scene.arrived(number)]
    equal(came, expected, 'what arrived')


def envelope(talk, people=PEOPLE, sender=world.SENDER):
    equal(talk.command(f'MAIL FROM:<{sender}>').code, 250)
    for name in people:
        equal(talk.command(f'RCPT TO:<{name}@example.test>').code, 550 if name == 'early' else 250)


def data(talk, number):
    equal(talk.command('DATA').code, 354)
    talk.socket.sendall(client.stuff(world.message(number)))
    return talk.reply().code


def bdat(talk, piece, last=''):
    talk.socket.sendall(b'BDAT %d%s\r\n' % (len(piece), last.encode()) + piece)
    return talk.reply().code


# --- tests

def chunks(scene):
    """BDAT, cut where it hurts, and an empty one at the end."""
    content = world.message('chunks')
    cuts = [0, 3, content.index(b'\r\n') + 1, content.index(b'\r\n\r\n') + 2, content.index(b'\r\n.\r\n') + 2, len(content)]
    with client.Client(scene.entry.port) as talk:
        assert 'CHUNKING' in talk.extensions, talk.extensions
        envelope(talk)
        for begin, end in zip(cuts, cuts[1:]):
            equal(bdat(talk, content[begin:end]), 250)
        equal(bdat(talk, b'', ' LAST'), 250)
        envelope(talk, ['late'])
        equal(bdat(talk, world.message('chunks.late'), ' LAST'), 550)
        envelope(talk, ['early', 'keep'])
        equal(bdat(talk, world.message('chunks.two'), ' LAST'), 250)
    comes(scene, 'chunks')
    comes(scene, 'chunks.late', [])
    comes(scene, 'chunks.two', ['keep'])


def chunks_left(scene):
    """RSET between chunks; the connection goes away between chunks; what follows is another message."""
    content = world.message('left')
    with client.Client(scene.entry.port) as talk:
        envelope(talk)
        equal(bdat(talk, content[:60]), 250)
        equal(talk.command('RSET').code, 250)
        envelope(talk, ['keep', 'edit'])
        equal(data(talk, 'left.two'), 250)
        envelope(talk, ['edit', 'keep'])
        equal(bdat(talk, content), 250)
        talk.close()
    comes(scene, 'left', [])
    comes(scene, 'left.two', ['keep', 'edit'])


def pipeline(scene):
    """Whole messages one behind the other, nobody waits for a reply."""
    out = b''
    with client.Client(scene.entry.port) as talk:
        for n in range(6):
            people = ('early', *PEOPLE) if n % 2 else PEOPLE
            content = world.message(f'line.{n}')
            out += b''.join(line + b'\r\n' for line in (b'MAIL FROM:<' + world.SENDER.encode() + b'>', *(
                f'RCPT TO:<{p}@example.test>'.encode() for p in people)))
            if n % 3 == 2:
                out += b'RSET\r\n'
            else:
                out += b'BDAT %d LAST\r\n' % len(content) + content
        talk.socket.sendall(out + b'QUIT\r\n')
        codes = []
        while not codes or codes[-1] != 221:
            codes.append(talk.reply().code)
    expected = []
    for n in range(6):
        expected += [250] + ([550] if n % 2 else []) + [250] * 4 + [250]
    equal(codes, expected + [221])
    for n in range(6):
        comes(scene, f'line.{n}', [] if n % 3 == 2 else PEOPLE)


def resets(scene):
    with client.Client(scene.entry.port) as talk:
        for at, people in enumerate(([], ['edit'], ['early'], ['discard', 'edit'], ['early', 'late'])):
            envelope(talk, people)
            equal(talk.command('RSET').code, 250)
            envelope(talk, ['keep', 'edit'])
            equal(data(talk, f'reset.{at}'), 250)
    for at in range(5):
        comes(scene, f'reset.{at}', ['keep', 'edit'])


def nobody_left(scene):
    """All are refused: no DATA; MAIL again is for another message; who comes later in the same one gets it."""
    with client.Client(scene.entry.port) as talk:
        envelope(talk, ['early'])
        assert talk.command('DATA').code in (503, 554)
        again = talk.command(f'MAIL FROM:<{world.SENDER}>').code
        if again == 503:
            equal(talk.command('RCPT TO:<edit@example.test>').code, 250)
            equal(talk.command('RCPT TO:<keep@example.test>').code, 250)
            equal(data(talk, 'nobody'), 250)
        else:
            equal(again, 250)
            equal(talk.command('RCPT TO:<edit@example.test>').code, 250)
            equal(talk.command('RCPT TO:<keep@example.test>').code, 250)
            equal(data(talk, 'nobody'), 250)
    comes(scene, 'nobody', ['edit', 'keep'])


def greeting(scene):
    """EHLO in the middle ends the message; copies tell of who the client is now."""
    with client.Client(scene.entry.port) as talk:
        envelope(talk, ['edit', 'discard'])
        equal(talk.greet('other.example').code, 250)
        envelope(talk, ['keep', 'edit'])
        equal(data(talk, 'greeting'), 250)
        envelope(talk, ['keep', 'edit'])
        equal(talk.greet('third.example', 'HELO').code, 250)
        assert talk.command('DATA').code in (503, 554)
        envelope(talk, ['keep', 'edit'])
        equal(data(talk, 'greeting.two'), 250)
    comes(scene, 'greeting', ['keep', 'edit'])
    comes(scene, 'greeting.two', ['keep', 'edit'])
    (_to, _from, copy), = [c for c in scene.arrived('greeting.two') if c[0].startswith('edit')]
    assert b'from third.example' in copy, copy


def goes_away(scene):
    """At each stage; after the dot, without an answer, the message is on its way once."""
    content = world.message('away')
    for stage in range(6):
        talk = client.Client(scene.entry.port)
        if stage > 0:
            equal(talk.command(f'MAIL FROM:<{world.SENDER}>').code, 250)
        for name in PEOPLE if stage > 1 else ():
            equal(talk.command(f'RCPT TO:<{name}@example.test>').code, 250)
        if stage > 2:
            equal(talk.command('DATA').code, 354)
        if stage > 3:
            talk.socket.sendall(client.stuff(content)[:60 if stage == 4 else -3])
        talk.close()
    comes(scene, 'away', [])
    with client.Client(scene.entry.port) as talk:
        envelope(talk)
        equal(talk.command('DATA').code, 354)
        talk.socket.sendall(client.stuff(world.message('away.dot')))
        talk.close()
    comes(scene, 'away.dot')
    with client.Client(scene.entry.port) as talk:
        envelope(talk)
        equal(talk.command('DATA').code, 354)
        talk.socket.sendall(client.stuff(world.message('away.quit')) + b'QUIT\r\n')
        talk.close()
    comes(scene, 'away.quit')


def several(scene):
    """One connection, different people."""
    with client.Client(scene.entry.port) as talk:
        for at, people in enumerate((['keep'], ['edit'], ['discard'], ['file', 'edit'], ['edit', 'keep', 'early'])):
            envelope(talk, people)
            equal(data(talk, f'several.{at}'), 250)
    for at, people in enumerate((['keep'], ['edit'], ['discard'], ['file', 'edit'], ['edit', 'keep'])):
        comes(scene, f'several.{at}', people)


def client_changes(scene):
    """XCLIENT and XFORWARD do not come between; afterwards copies tell of the new client."""
    with client.Client(scene.entry.port) as talk:
        envelope(talk, ['edit', 'keep'])
        equal([talk.command(f'{verb} ADDR=192.0.2.9').code for verb in ('XCLIENT', 'XFORWARD')], [503, 503])
        equal(data(talk, 'changes'), 250)
        equal(talk.xclient(ADDR='192.0.2.9', NAME='new.example').code, 220)
        envelope(talk, ['edit', 'keep'])
        equal(data(talk, 'changes.two'), 250)
    comes(scene, 'changes', ['edit', 'keep'])
    comes(scene, 'changes.two', ['edit', 'keep'])
    (_to, _from, copy), = [c for c in scene.arrived('changes.two') if c[0].startswith('edit')]
    assert b'(new.example [192.0.2.9])' in copy, copy


def too_long(scene):
    """What is too long for RFC 3461, or in an address for RFC 5321, and the server takes: nobody gets round rules by it."""
    words = [('long.orcpt', world.SENDER, '', 'NOTIFY=NEVER ORCPT=rfc822;' + 'o' * 1100),
             ('long.envid', world.SENDER, 'RET=HDRS ENVID=' + 'e' * 1100, '')]
    if scene.kind == 'postfix':
        words.append(('long.sender', 's' * 1100 + '@client.example', '', ''))
    for number, sender, mail, rcpt in words:
        told = scene.send([(p, rcpt) for p in ('keep', 'edit', 'late')], world.message(number), sender, mail)
        equal(told.fates(), [250] * 3, number)
        scene.settle()
        came = {address: copy for address, _sender, copy in scene.arrived(number)}
        equal(sorted(came), ['edit@example.test', 'keep@example.test', 'late@example.test'], number)
        assert EDITED in came['edit@example.test'], number
        assert b'Tamis-Refused: "too late"' in came['late@example.test'], number
    for copy in scene.sink.transactions():
        if b'<long.orcpt@' in copy.content and copy.addresses == ['edit@example.test']:
            assert 'NOTIFY=NEVER' in copy.recipients[0][1], copy.recipients


def odd_senders(scene):
    """An address that the server takes is good enough for a copy."""
    for at, sender in enumerate(('"a<b>"@client.example', '"a\tb"@client.example', '"a\x01b"@client.example', 'a\\<b@client.example',
                                 *(['\udcfc@client.example'] if scene.kind == 'sendmail' else ['a\x7fb@client.example']))):
        number = f'senders.{at}'
        equal(scene.send(['keep', 'edit'], world.message(number), sender).fates(), [250, 250], repr(sender))
        comes(scene, number, ['keep', 'edit'])


def receipts(scene):
    """Who wants to know hears of what was delivered, not of what was thrown away; who wants no reports gets none."""
    scene.sink.extensions.remove('DSN')
    try:
        for at, (notify, expected) in enumerate((
                ('SUCCESS', {'edit@example.test', 'keep@example.test', 'file+Box@example.test', 'away@else.example'}),
                ('NEVER', set()), ('DELAY', set()))):
            sender = f'wants.{at}@client.example'
            told = scene.send([(p, f'NOTIFY={notify}') for p in ('discard', 'early', 'edit', 'keep', 'file', 'away')],
                              world.message(f'receipts.{at}'), sender)
            equal(told.fates(), [250, 550, 250, 250, 250, 250])
            scene.settle()
            said = b'\n'.join(copy.content for copy in scene.sink.copies(sender))
            found = {name.decode() for name in re.findall(rb'(?mi)^Final-Recipient: rfc822; *(\S+)', said)}
            equal(found, expected, notify)
    finally:
        scene.sink.extensions.append('DSN')


def crowd(scene):
    """Three hundred people: each as the rules say, and a line in the log for each."""
    kinds = ('keep', 'discard', 'early', 'file', 'away', 'edit', 'own', 'clean')
    people = [f'{kind}{at}' for at in range(30) for kind in kinds]
    told = scene.send(people, world.message('crowd', more=['X-Spam: a']))
    equal(told.fates(), [550 if p.startswith('early') else 250 for p in people])
    scene.settle(120)
    expected = {}
    for at in range(30):
        expected |= {f'keep{at}@example.test': (b'X-Spam: a',), f'file{at}+Box@example.test': (b'X-Spam: a',),
                     f'away{at}@else.example': (b'X-Spam: a',), f'edit{at}@example.test': (b'X-Edited: once', b'X-Spam: a'),
                     f'own{at}@example.test': (b'X-Edited: %d' % at, b'X-Spam: a'), f'clean{at}@example.test': ()}
    came = [(address, tuple(re.findall(rb'(?m)^X-.*(?=\r)', copy))) for address, _sender, copy in scene.arrived('crowd')]
    equal(came, sorted(expected.items()))
    lines = [line for line in scene.daemon.lines() if re.match(r'[a-z]+\d+@', line.get('rcpt', ''))]
    equal(sorted(line['rcpt'] for line in lines), sorted(f'{p}@example.test' for p in people))
    equal({line['rcpt'] for line in lines if line['verdict'] == 'refused'}, {f'early{at}@example.test' for at in range(30)})


def spellings(scene):
    """One person in many ways of writing: as his rules say, once."""
    for name, expected in (('discard', []), ('file', ['file+Box@example.test']),
                           ('away', ['away@else.example'])):
        people = [f'{name}@example.test', f'{name.upper()}@example.test', f'"{name}"@example.test', f'{name}+x@example.test',
                  f'{name}@example.test', f'{name.title()}@Example.Test', f'"{name}+X"@EXAMPLE.test', 'keep@example.test']
        told = scene.send([(p, 'NOTIFY=NEVER' if at % 2 else '') for at, p in enumerate(people)],
                          world.message(f'spelling.{name}'))
        equal(told.fates(), [250] * 8)
        scene.settle()
        equal([address for address, _sender, _copy in scene.arrived(f'spelling.{name}')],
              sorted([*expected, 'keep@example.test']), name)


def odd_headers(scene):
    """Copies, and the server's own message, are alike apart from the edits."""
    fields = {
        'folded': b'X-Blank : a\r\nX-Empty:\r\nX-Tab:\tv\r\nX-None:v\r\nX-Fold:\r\n f\r\n\t m  \r\nX-Gap: a\r\n \r\n b\r\n\r\nbody\r\n',
        'nul': b'X-Nul: a\0b\r\n c\r\n\r\nbody\r\n', 'eight': b'X-8: \xff\xfe\r\n\r\nb\xff\r\n',
        'long': b'X-Long: ' + b'y' * 5000 + b'\r\n\r\n' + b'x' * 3000 + b'\r\n',
        'unseparated': b'this is no header\r\nbody\r\n', 'bodiless': b'', 'spam': b'X-Spam: a\r\n' * 990 + b'\r\nbody\r\n',
        'name': b'X Y: x\r\nX-Z: x\r\n\r\nbody\r\n', 'dots': b'\r\n.\r\n..\r\n...x\r\n.a\r\n\r\n.',
        **({'cr': b'X-Cr: a\rb\r\n\r\nbo\rdy\r\n\r.\r\n'} if scene.kind == 'postfix' else {}),
    }
    for name, rest in fields.items():
        number = f'odd.{name}'
        content = world.message(number).partition(b'\r\n\r\n')[0] + b'\r\n' + rest
        equal(scene.send(['keep', 'edit', 'clean', 'file'], content).fates(), [250] * 4, name)
        scene.settle()
        came = {address: world.without_ours(copy)[0] for address, _sender, copy in scene.arrived(number)}
        equal(sorted(came), ['clean@example.test', 'edit@example.test', 'file+Box@example.test', 'keep@example.test'], name)
        kept = came['keep@example.test']
        equal(came['edit@example.test'], EDITED + kept, name)
        equal(came['file+Box@example.test'], kept, name)
        equal(came['clean@example.test'], kept.replace(b'X-Spam: a\r\n', b''), name)


def configure(scene, values):
    scene.daemon.configure(values)
    scene.daemon.reload()


@contextlib.contextmanager
def port_without_utf8(scene):
    """A port for copies that knows no SMTPUTF8."""
    port, before = sink.Sink(scene.directory / 'port', durable=False), scene.daemon.values
    port.extensions.remove('SMTPUTF8')
    try:
        configure(scene, {**before, 'copy_to': f'smtp:127.0.0.1:{port.port}'})
        yield port
    finally:
        configure(scene, before)
        port.stop()


def as_it_is(scene):
    """An address that is not ASCII goes on as it is, though that port cannot be told of it: nobody asked for SMTPUTF8."""
    with port_without_utf8(scene) as port:
        for people in (['far'], ['far', 'keep']):
            number = f'as.it.is.{len(people)}'
            equal(scene.send(people, world.message(number)).fates(), [250] * len(people))
            scene.settle()
            equal([address for address, _sender, _copy in scene.arrived(number)], [*map(scene.address, people[1:]), 'zü@else.example'])
        equal(port.transactions(), [])
    equal(scene.daemon.lines(done='kept'), [], 'errors')


def needless_utf8(scene):
    """What needs it stays as it came; who only says so gets round no rules."""
    with port_without_utf8(scene) as port:
        for number, subject, expected in (('ascii', 'hello', ['edit@example.test', 'late@example.test']), ('utf8', 'hello ü', [])):
            equal(scene.send(['keep', 'edit', 'late'], world.message(number, subject), parameters='SMTPUTF8').fates(), [250] * 3)
            scene.settle()
            mark = f'<{number}@'.encode()
            equal(sorted(a for copy in port.transactions() if mark in copy.content for a in copy.addresses), expected, number)
            equal(sorted([*expected, *(address for address, _sender, _copy in scene.arrived(number))]),
                  ['edit@example.test', 'keep@example.test', 'late@example.test'], number)


def users_sender(scene):
    """What leaves with the user for its sender: of its failure he hears, though the client wants no reports, or others."""
    for at, (notify, people) in enumerate((n, p) for n in ('NEVER', 'SUCCESS', 'DELAY') for p in (['away'], ['away', 'keep'])):
        number = f'users.{at}'
        scene.sink.fail('rcpt', '550 5.1.1 nobody', recipient='away@else.example')
        equal(scene.send([(p, f'NOTIFY={notify}') for p in people], world.message(number)).fates(), [250] * len(people))
        scene.settle()
        scene.sink.heal()
        told = [copy for copy in scene.sink.copies('away@example.test') if f'<{number}@'.encode() in copy.content]
        equal([copy.sender for copy in told], [''], f'{notify} {people}')
        equal([copy.sender for copy in scene.sink.copies(world.SENDER)], [], 'reports to the sender')


BOTH = [resets, nobody_left, greeting, goes_away, several, too_long, odd_senders, receipts, crowd, spellings, odd_headers]
ONLY = {'postfix': [chunks, chunks_left, pipeline, client_changes, as_it_is], 'sendmail': []}


def main():
    tap = Tap()
    for kind in ('postfix', 'sendmail'):
        why = world.missing(kind)
        if why:
            for test in [*BOTH, *ONLY[kind], users_sender]:
                tap.result(f'{kind}: {test.__name__}', [], why)
            continue
        with place.directory('events') as directory, world.World(directory, kind, RULES) as scene:
            for test in BOTH + ONLY[kind]:
                scene.run(tap, f'{kind}: {test.__name__}', test)
        with place.directory('events') as directory, world.World(directory, kind, RULES, {'redirect_sender': 'user'}) as scene:
            scene.run(tap, f'{kind}: users_sender', users_sender)
            if kind == 'postfix':
                scene.run(tap, f'{kind}: needless_utf8', needless_utf8)
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
