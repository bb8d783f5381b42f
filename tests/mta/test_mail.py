#!/usr/bin/env python3
# test_mail.py - unusual mail through Postfix and Sendmail: addresses, ways in, sizes, bytes; behind the queue
# SPDX-License-Identifier: BSD-2-Clause
import os
import sys

import world
import client
import place
from tap import Tap, equal

EDIT = 'require "editheader"; addheader "X-Edited" "once";'
EARLY = 'require ["envelope", "ereject"]; if envelope :domain "from" "client.example" { ereject "never"; stop; }'
RULES = {
    'keep': 'keep;', 'discard': 'discard;', 'edit': EDIT, 'early': EARLY,
    'file': 'require "fileinto"; fileinto "Box";',
    'both': 'require "fileinto"; fileinto "Box";',
    'redirect': 'redirect "away@else.example";',
    'late': 'require "ereject"; if header :contains "subject" "hello" { ereject "too late"; }',
    'jürgen': EDIT, 'clean': 'require "editheader"; deleteheader "X-Spam";',
    'again': 'require "editheader"; addheader "Resent-From" "again@example.test"; '
             'addheader "X-Edited" "once"; redirect "on@else.example";',
    'drops': 'require "editheader"; addheader "Bcc" "x@else.example"; addheader "Full-Name" "x"; addheader "X-Edited" "once"; '
             'addheader "Return-Path" "<x@else.example>"; addheader "Content-Length" "1";',
    'ends': 'require "editheader"; '
            'if exists "x-behind" { addheader "X-Seen" "it"; addheader :last "Text" "end"; addheader :last "X-Last" "it"; }',
    'abroad': 'redirect "x@Bücher.example";',
    'far': 'redirect "zü@else.example";', 'far2': 'require "copy"; redirect :copy "zü@else.example";',
    'size': 'require "fileinto"; if size :over 1M { fileinto "Large"; }',
    'text': 'require ["body", "fileinto"]; if body :text :contains "needle" { fileinto "Found"; }',
    'sent': 'require ["envelope", "fileinto"]; if envelope "from" "srs@else.example" { fileinto "Rewritten"; }',
}
EDITED = b'X-Edited: once\r\n'
# what a policy service has smtpd add for two senders
VERIFIED = ' '.join(f'{{ {name}@policy.example = PREPEND Authentication-Results: {name}.example.test; spf=pass }}' for name in ('mx', 'spf'))


def scene_of(directory, kind, **settings):
    users = directory / 'users'
    users.write_text('al@example.test edit@example.test\nmany@example.test discard@example.test, file@example.test\n'
                     '@other.test @example.test\n')
    mta = {'virtual': {'al@example.test': 'edit@example.test', 'team@example.test':
                       'keep@example.test, discard@example.test' if kind == 'postfix' else 'group'},
           'aliases': {'group': 'keep@example.test, discard@example.test'}}
    if kind == 'postfix':
        mta['domains'] = ('example.test', 'other.test')
        # no blind copy is made of what rules send on (doc/postfix.md)
        mta['settings'] = {'myorigin': 'example.test', 'recipient_bcc_maps': 'inline:{ { away@else.example = bcc@else.example } }',
                           'recipient_canonical_maps': 'inline:{ { brief@example.test = edit@example.test } }',
                           'sender_canonical_maps': 'inline:{ { forwarded@client.example = srs@else.example } }',
                           'smtpd_sender_restrictions': f'check_sender_access inline:{{ {VERIFIED} }}',
                           'header_checks': 'regexp:{{/^Authentication-Results: mx[.]example[.]test;/ IGNORE}}'}
        mta['virtual']['both@example.test'] = 'both@example.test, archive@else.example'
    if kind == 'sendmail':
        mta['virtual'].pop('al@example.test')
    return world.World(directory, kind, RULES, {'users': users, 'local_domains': '', **settings}, mta=mta)


def comes(scene, number, expected):
    """Exactly these: {address: content}."""
    scene.settle(60)
    came = scene.arrived(number)
    equal([address for address, _sender, _content in came], sorted(expected), 'who got it')
    for address, _sender, content in came:
        equal(world.without_ours(content)[0], expected[address], address)
    return came


# --- tests: name, what it does with a running world

def null_sender(scene):
    content = world.message('null')
    equal(scene.send(['keep', 'edit', 'file', 'redirect', 'late'], content, sender='').fates(), [250] * 5)
    came = comes(scene, 'null', {'keep@example.test': content, 'edit@example.test': EDITED + content,
                                 'file+Box@example.test': content, 'away@else.example': content,
                                 'late@example.test': content})
    equal({sender for _address, sender, _content in came}, {''})


def smtputf8(scene):
    content = world.message('utf8', subject='hello grüße')
    equal(scene.send(['jürgen', 'keep'], content, sender='jörg@client.example', parameters='SMTPUTF8').fates(), [250, 250])
    came = comes(scene, 'utf8', {'jürgen@example.test': EDITED + content, 'keep@example.test': content})
    equal({sender for _address, sender, _content in came}, {'jörg@client.example'})
    for copy in scene.sink.transactions():
        if copy.sender == 'jörg@client.example':
            assert 'SMTPUTF8' in copy.sender_parameters, copy.sender_parameters


def international(scene):
    """A domain goes to servers that know no SMTPUTF8 as well."""
    content = world.message('international')
    equal(scene.send(['abroad'], content).fates(), [250])
    comes(scene, 'international', {'x@xn--bcher-kva.example': content})


def far(scene):
    """Redirected to a local part that is not ASCII, where the client asked for no SMTPUTF8: a server that insists on it is
    asked all the same, if ours knows it."""
    scene.sink.insists = scene.kind == 'postfix'
    for people, kept in ((['far'], []), (['far2'], ['far2@example.test']), (['far', 'keep'], ['keep@example.test'])):
        number = 'far.' + people[-1]
        content = world.message(number)
        equal(scene.send(people, content).fates(), [250] * len(people))
        comes(scene, number, {address: content for address in ('zü@else.example', *kept)})
    scene.sink.insists = False
    for copy in scene.sink.copies('zü@else.example'):
        equal('SMTPUTF8' in copy.sender_parameters, scene.kind == 'postfix', copy.sender_parameters)


def far_asked(scene):
    """Where the client did, the server's own message goes there."""
    content = world.message('far.asked')
    scene.sink.insists = True
    equal(scene.send(['far'], content, parameters='SMTPUTF8').fates(), [250])
    (_to, _from, came), = comes(scene, 'far.asked', {'zü@else.example': content})
    scene.sink.insists = False
    assert b'(tamis ' not in came, 'a copy was made'


def dsn(scene):
    """What the sender asked of reports goes along, with copies as well."""
    content = world.message('dsn')
    scene.send([(p, 'NOTIFY=FAILURE,DELAY ORCPT=rfc822;typed@else.example') for p in ('keep', 'edit', 'file')], content,
               parameters='RET=HDRS ENVID=id-1')
    comes(scene, 'dsn', {'keep@example.test': content, 'edit@example.test': EDITED + content, 'file+Box@example.test': content})
    for copy in scene.sink.transactions():
        if b'<dsn@client.example>' not in copy.content:
            continue
        assert {'RET=HDRS', 'ENVID=id-1'} <= set(copy.sender_parameters), copy.sender_parameters
        for address, words in copy.recipients:
            if scene.kind == 'sendmail' and address.startswith('file'):
                continue                # added there without arguments: it writes what it dislikes into the dialogue
            assert 'ORCPT=rfc822;typed@else.example' in words, (address, words)
            assert any(word.startswith('NOTIFY=') and 'FAILURE' in word for word in words), (address, words)


def folded(scene):
    """Rules file into a folder whose name the sender wrote in another case: another address, and the same one to a server
    that looks for duplicates, which have the same arguments."""
    for number, words in enumerate(('', 'NOTIFY=FAILURE', 'ORCPT=rfc822;file+2Bbox@example.test', 'ORCPT=rfc822;typed@else.example',
                                    'NOTIFY=FAILURE,DELAY ORCPT=rfc822;file+2Bbox@example.test', 'NOTIFY=NEVER')):
        content = world.message(f'folded-{number}')
        scene.send([('file+box', words), 'keep'], content)
        comes(scene, f'folded-{number}', {'file+Box@example.test': content, 'keep@example.test': content})


def eight_bit(scene):
    content = world.message('8bit', body=b'gr\xfc\xdfe\r\n')
    scene.send(['keep', 'edit'], content, parameters='BODY=8BITMIME')
    comes(scene, '8bit', {'keep@example.test': content, 'edit@example.test': EDITED + content})


def large(scene):
    """Eight megabytes, of which a copy is made too; rules that count and that read."""
    content = world.message('large', body=b'0123456789abcdef\r\n' * 450000 + b'needle\r\n')
    scene.send(['keep', 'edit', 'size', 'text'], content)
    comes(scene, 'large', {'keep@example.test': content, 'edit@example.test': EDITED + content,
                           'size+Large@example.test': content, 'text+Found@example.test': content})


def many_fields(scene):
    """Postfix looks through the header for each field that is to go: where there are many, a copy is made."""
    more = ['X-Spam: a'] * (16000 if scene.kind == 'postfix' else 1500)
    equal(scene.send(['clean', 'keep'], world.message('fields', more=more)).fates(), [250, 250])
    scene.settle(60)
    equal([address for address, _sender, _content in scene.arrived('fields')], ['clean@example.test', 'keep@example.test'])
    equal(scene.send(['clean'], world.message('alone', more=more)).fates(), [250])
    (_to, _from, content), = comes(scene, 'alone', {'clean@example.test': world.message('alone')})
    assert b'(tamis ' in content, 'no copy was made'


def same_again(scene):
    """The journal takes for a retry what is the same, and not what somebody made of it."""
    for more, expected in (((), 1), (('Reply-To: x@evil.example',), 2), ((), 2), (('Content-Transfer-Encoding: base64',), 3)):
        equal(scene.send(['edit', 'keep'], world.message('same', more=more)).fates(), [250, 250])
        scene.settle(60)
        came = [address for address, _sender, _content in scene.arrived('same')]
        equal(came.count('edit@example.test'), expected, str(more))


def resent(scene):
    """What a filter adds of these fields Sendmail leaves away where the message has none of them: then it is a copy that leaves."""
    theirs = 'Resent-From: before@client.example'
    for number, more in (('first', ()), ('second', (theirs, 'Resent-Message-ID: <r@client.example>', 'Resent-Date: Sat, 28 Nov 2026 12:00:00 +0000'))):
        equal(scene.send(['again'], world.message(number, more=more)).fates(), [250])
        scene.settle()
        (address, _sender, copy), = scene.arrived(number)
        equal(address, 'on@else.example')
        equal([field for field in world.split(copy)[0] if field.startswith((b'Resent-From:', b'X-Edited:'))],
              [EDITED, b'Resent-From: again@example.test\r\n'] + [theirs.encode() + b'\r\n'] * bool(more), number)
        equal(b'(tamis ' in copy, not more, number)


def dropped(scene):
    """Fields that Sendmail drops, in the message itself and in a copy."""
    for number, people in (('alone', ['drops']), ('beside', ['drops', 'keep'])):
        content = world.message('dropped.' + number)
        equal(scene.send(people, content).fates(), [250] * len(people))
        comes(scene, 'dropped.' + number, {f'{who}@example.test': (EDITED if who == 'drops' else b'') + content for who in people})


def ended(scene):
    """Fields that are the end of the header to Sendmail, whoever wrote them: what follows is a part of the body."""
    equal(scene.send(['ends'], world.message('theirs', more=('Text: x', 'X-Behind: it'))).fates(), [250])
    equal(scene.send(['ends', 'keep'], world.message('copied', more=('X-Behind: it',))).fates(), [250, 250])
    scene.settle()
    for number, inside, behind in (('theirs', [], [b'X-Behind']), ('copied', [b'X-Seen', b'X-Behind'], [b'X-Last'])):
        head, _empty, body = scene.arrived(number)[0][2].partition(b'\r\n\r\n')
        for name in (b'X-Seen', b'X-Behind', b'X-Last', b'Text'):
            equal((name + b':' in head, name + b':' in body), (name in inside, name in behind or name == b'Text'), number)


def nul(scene):
    content = world.message('nul', body=b'a\0b\r\n\0\r\nneedle\r\n')
    scene.send(['keep', 'edit', 'text'], content)
    comes(scene, 'nul', {'keep@example.test': content, 'edit@example.test': EDITED + content, 'text+Found@example.test': content})


def bare_lf(scene):
    """Postfix makes lines of them before it asks; the same for all then."""
    content = world.message('lf', body=b'a\nb\r\nneedle\n')
    scene.send(['keep', 'edit', 'text'], content)
    scene.settle()
    came = {address: world.without_ours(copy)[0] for address, _sender, copy in scene.arrived('lf')}
    equal(sorted(came), ['edit@example.test', 'keep@example.test', 'text+Found@example.test'])
    equal(came['edit@example.test'], EDITED + came['keep@example.test'])
    equal(came['text+Found@example.test'], came['keep@example.test'])


def no_subject(scene):
    """A message without any field of the sender's."""
    content = b'\r\nbody\r\n'
    before = len(scene.arrived())
    equal(scene.send(['keep', 'edit'], content).fates(), [250, 250])
    scene.settle()
    equal(len(scene.arrived()) - before, 2)


def alias_of_one(scene):
    """An address that the users map gives to one person: his rules, although the mail server expands it later."""
    content = world.message('alias')
    scene.send(['al@example.test'], content)
    comes(scene, 'alias', {'edit@example.test': EDITED + content})


def alias_of_many(scene):
    """An address that is several people's has nobody's rules at the edge."""
    content = world.message('many')
    scene.send(['many@example.test', 'team@example.test'], content)
    expected = {'many@example.test': content, 'keep@example.test': content, 'discard@example.test': content}
    comes(scene, 'many', expected)


def other_domain(scene):
    content = world.message('domain')
    scene.send(['discard@other.test', 'keep@other.test'], content)
    comes(scene, 'domain', {'keep@other.test': content})


def local(scene):
    """Submitted on the machine itself: nothing is refused early, nothing is stuck."""
    content = world.message('local').replace(b'\r\n', b'\n')
    people = [f'{p}@example.test' for p in ('early', 'keep', 'discard', 'file')]
    equal(scene.mta.run('sendmail', '-f', world.SENDER, *people, data=content), '')
    scene.settle()
    came = scene.arrived('local')
    equal([address for address, _sender, _content in came],
          ['early@example.test', 'file+Box@example.test', 'keep@example.test'])
    for address, _sender, copy in came:
        equal(bool(world.without_ours(copy)[1]), address.startswith('early'), f'mark of {address}')


def detail_of_alias(scene):
    """What files by detail chooses an address, which may be that of several."""
    content = world.message('both')
    scene.send(['both'], content)
    comes(scene, 'both', {'both+Box@example.test': content, 'archive+Box@else.example': content})


def verification(scene):
    """Postfix delivers nothing of it, and milters cannot know that: what goes as a copy goes."""
    before = [address for address, _sender, _content in scene.arrived()]
    scene.mta.run('sendmail', '-f', world.SENDER, '-bv', 'edit@example.test', 'keep@example.test', 'file@example.test')
    place.wait_for(lambda: len(scene.arrived()) >= len(before) + 2, 20, 'a copy and a report')
    scene.settle()
    came = [address for address, _sender, _content in scene.arrived()]
    equal(sorted(came), sorted(before + ['edit@example.test', world.SENDER]))


def incomplete(scene):
    """Whom Postfix completes with the domain of the machine, or writes anew, has rules that are carried out once: it knows
    him by the name that he had before."""
    for at, form in enumerate(('%s', '%s%%example.test', 'example.test!%s', '%s(x)', '<%s@example.test>')):
        people = [form % name for name in ('discard', 'edit', 'file', 'redirect')]
        content = world.message(f'incomplete.{at}')
        with client.Client(scene.mta.port) as talk:
            equal(talk.send(world.SENDER, [*people, 'keep@example.test'], content).fates(), [250] * 5, form)
        comes(scene, f'incomplete.{at}', {'keep@example.test': content, 'edit@example.test': EDITED + content,
                                          'file+Box@example.test': content, 'away@else.example': content})


def incomplete_local(scene):
    """... and on the machine itself, where such names are the rule.  Who stays is not taken away with his namesake."""
    for at, more in enumerate(((), ('discard@else.example',))):
        content = world.message(f'bare.{at}')
        people = ('discard', 'edit', 'file', 'Redirect', 'keep', *more)
        equal(scene.mta.run('sendmail', '-f', world.SENDER, *people, data=content.replace(b'\r\n', b'\n')), '')
        scene.settle()
        came = [address for address, _sender, _content in scene.arrived(f'bare.{at}')]
        assert set(more) <= set(came), came
        expected = ['away@else.example', 'edit@example.test', 'file+Box@example.test', 'keep@example.test']
        equal([address for address in came if not address.startswith('discard')], expected)
        if not more:
            equal(came, expected)


def routed_local(scene):
    """... and such that Postfix writes anew, of which we are told only what became of them."""
    for at, form in enumerate(('%s%%example.test', 'example.test!%s')):
        content = world.message(f'routed.{at}')
        people = [form % name for name in ('discard', 'edit', 'file', 'redirect', 'keep')]
        equal(scene.mta.run('sendmail', '-i', '-f', world.SENDER, *people, data=content.replace(b'\r\n', b'\n')), '')
        comes(scene, f'routed.{at}', {'keep@example.test': content, 'edit@example.test': EDITED + content,
                                      'file+Box@example.test': content, 'away@else.example': content})


def mapped(scene):
    """Whom Postfix's canonical maps change: rules are those of the name that the client used; on the machine itself the edited copy
    comes besides, as doc/postfix.md says."""
    content = world.message('mapped')
    equal(scene.send(['brief', 'keep'], content).fates(), [250, 250])
    comes(scene, 'mapped', {'edit@example.test': content, 'keep@example.test': content})
    content = world.message('mapped.here')
    equal(scene.mta.run('sendmail', '-i', '-f', world.SENDER, 'brief', 'keep', data=content.replace(b'\r\n', b'\n')), '')
    scene.settle()
    equal(sorted((address, world.without_ours(copy)[0]) for address, _sender, copy in scene.arrived('mapped.here')),
          [('edit@example.test', content), ('edit@example.test', EDITED + content), ('keep@example.test', content)])
    content = world.message('alias.here')
    equal(scene.mta.run('sendmail', '-i', '-f', world.SENDER, 'al', 'keep', data=content.replace(b'\r\n', b'\n')), '')
    comes(scene, 'alias.here', {'edit@example.test': EDITED + content, 'keep@example.test': content})


def rewritten(scene):
    """A sender whom Postfix makes another one of: copies have the other one, too, which rules see behind the queue alone."""
    content = world.message('rewritten')
    behind = scene.daemon.values['mode'] == 'final'
    equal(scene.send(['sent', 'edit', 'redirect'], content, sender='forwarded@client.example').fates(), [250] * 3)
    more = ['bcc@else.example'] if behind else []           # a redirect begins anew there
    came = comes(scene, 'rewritten', {'sent+Rewritten@example.test' if behind else 'sent@example.test': content,
                                      'edit@example.test': EDITED + content,
                                      **dict.fromkeys(['away@else.example', *more], content)})
    equal({sender for _address, sender, _content in came}, {'srs@else.example'})


def prepended(scene):
    """To header_checks a field that a policy service adds is one that came with the message."""
    for name, field in (('mx', b''), ('spf', b'Authentication-Results: spf.example.test; spf=pass\r\n')):
        content = world.message(f'prepended.{name}')
        equal(scene.send(['keep'], content, sender=f'{name}@policy.example').fates(), [250])
        comes(scene, f'prepended.{name}', {'keep@example.test': field + content})


def login(scene):
    """An authenticated client: its name is known to the daemon; mail of it is filed like any other."""
    content = world.message('login')
    told = scene.send(['file', 'early'], content, ADDR='192.0.2.7', NAME='pc.client.example', LOGIN='somebody')
    equal(told.fates(), [250, 550])
    came = comes(scene, 'login', {'file+Box@example.test': content})
    assert b'192.0.2.7' in came[0][2], came


def many_messages(scene):
    """One connection, one message after the other, some of them not finished."""
    with client.Client(scene.mta.port) as talk:
        for n in range(30):
            content = world.message(f'one.{n}')
            if n % 3 == 1:
                talk.command(f'MAIL FROM:<{world.SENDER}>')
                talk.command('RCPT TO:<discard@example.test>')
                talk.command('RSET')
            if n % 5 == 4:
                equal(talk.send(world.SENDER, ['early@example.test'], content).fates(), [550])
            else:
                equal(talk.send(world.SENDER, ['keep@example.test', 'edit@example.test', 'discard@example.test'],
                                content).fates(), [250] * 3)
    scene.settle()
    for n in range(30):
        content = world.message(f'one.{n}')
        comes(scene, f'one.{n}', {} if n % 5 == 4 else {'keep@example.test': content, 'edit@example.test': EDITED + content})


def xclient_refused(scene):
    """Somebody else's client: refused at RCPT TO; our own: nothing is, for we would have to write the bounce."""
    equal(scene.send(['early'], world.message('x1'), ADDR='192.0.2.8').fates(), [550])
    # a proxy may not know the port of the client: that makes it none of ours
    equal(scene.send(['early'], world.message('x3'), ADDR='192.0.2.8', PORT='[UNAVAILABLE]').fates(), [550])
    # libmilter takes no address that is none (doc/postfix.md)
    equal(scene.send(['keep'], world.message('x4'), ADDR='[UNAVAILABLE]').fates(), [451])
    content = world.message('x2')
    equal(scene.send(['early'], content, ADDR='198.51.100.8').fates(), [250])
    came = comes(scene, 'x2', {'early@example.test': content})
    assert world.without_ours(came[0][2])[1], 'no mark'


def final(scene):
    """Behind the queue each of those whom an alias names gets his own rules; nothing is refused."""
    content = world.message('final')
    told = scene.send(['team', 'edit', 'early', 'late', 'file'], content)
    equal(told.fates(), [250] * 5)
    came = comes(scene, 'final', {'keep@example.test': content, 'edit@example.test': EDITED + content,
                                  'early@example.test': content, 'late@example.test': content,
                                  'file+Box@example.test': content})
    for address, _sender, copy in came:
        equal(bool(world.without_ours(copy)[1]), address[:5] in ('early', 'late@'), f'mark of {address}')


def final_bounces(scene):
    """No mail to the sender: neither Postfix's own nor ours."""
    scene.send(['late'], world.message('quiet'))
    scene.settle()
    equal([address for address, _sender, _copy in scene.arrived() if address == world.SENDER], [])


BOTH = [null_sender, international, far, dsn, folded, eight_bit, large, many_fields, same_again, no_subject, many_messages, alias_of_many]
ONLY = {'postfix': [smtputf8, far_asked, nul, bare_lf, alias_of_one, other_domain, local, detail_of_alias, verification, incomplete,
                     incomplete_local, routed_local, mapped, rewritten, prepended, login, xclient_refused], 'sendmail': []}


def play(tap, kind, tests, **settings):
    why = world.missing(kind)
    if why:
        for test in tests:
            tap.result(f'{kind}: {test.__name__}', [], why)
        return
    with place.directory('mail') as directory, scene_of(directory, kind, **settings) as scene:
        for test in tests:
            scene.run(tap, f'{kind}: {test.__name__}', test)


def main():
    tap = Tap()
    for kind in ('postfix', 'sendmail'):
        play(tap, kind, BOTH + ONLY[kind], own_clients='198.51.100.0/24')
    # where it is known which domains are the server's, what leaves for others needs no copy for their aliases' sake
    play(tap, 'sendmail', [resent, dropped, ended], local_domains='example.test')
    play(tap, 'postfix', [final, final_bounces, rewritten], mode='final')
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
