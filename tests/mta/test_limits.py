#!/usr/bin/env python3
# test_limits.py - limits of the mail servers that milters are not told of, as doc/postfix.md and doc/sendmail.md have them
# SPDX-License-Identifier: BSD-2-Clause
import os
import sys

import world
import client
import place
import sink
from tap import Tap, equal

RULES = {'edit': 'require "editheader"; addheader "X-Edited" "once";', 'away': 'redirect "list@example.test";', 'keeps': 'keep;'}
HOPS = 8
MEMBERS = [f'member{i}@else.example' for i in range(5)]


def came(port, scene):
    return sorted(to for copy in [*port.transactions(), *scene.sink.transactions()] for to in copy.addresses)


def too_many(port, scene, to, copies):
    """The sender is told to try again, each time; a copy leaves once."""
    for _attempt in range(2):
        equal(scene.send(to, world.message(to[1].partition('@')[0])).fates(), [451] * len(to))
        scene.settle()
        equal(came(port, scene), copies)


def long_field(scene):
    """Whatever rules do.  A header may be longer than one field of it."""
    for lines, expected in (([800], [60]), ([500] * 3, [50] * 3)):
        number = scene.number + 1
        more = ['X-Long:' + '\r\n\t'.join(['x' * 98] * n) for n in lines]
        equal(scene.send(['keeps', 'edit'], world.message(number, more=more)).fates(), [250, 250])
        scene.settle()
        for to, _sender, content in scene.arrived(number):
            sizes = [len(field.replace(b'\r\n', b'\n')) for field in world.split(content)[0] if field.startswith(b'X-Long')]
            equal([round(size / 1000) for size in sizes], expected, to)


def hops(scene):
    """A copy has one more than its message; what has too many Sendmail takes and bounces."""
    for before, copies in ((HOPS - 2, ['edit@example.test', 'keeps@example.test']), (HOPS - 1, ['keeps@example.test', world.SENDER])):
        number = scene.number + 1
        fields = [f'Received: from a{i} by b{i}; Sat, 28 Nov 2026 12:00:00 +0000' for i in range(before)]
        equal(scene.send(['edit', 'keeps'], world.message(number, more=fields)).fates(), [250, 250])
        place.wait_for(lambda: len(scene.arrived(number)) == 2, 20, 'two messages')
        equal([to for to, *_rest in scene.arrived(number)], copies, f'{before} before')


def straight(store, scene):
    """What Sendmail does to fields it does behind all filters: a copy that goes to the store by itself has them as they came."""
    content = b'Bcc: hidden@else.example\r\nTo: everybody:;\r\nFrom: <s@client.example>\r\n\r\nstraight\r\n'
    equal(scene.send(['edit', 'keeps'], content).fates(), [250, 250])
    place.wait_for(lambda: scene.sink.transactions(), 20, 'the message')
    (copy,), (rest,) = store.transactions(), scene.sink.transactions()
    equal((copy.addresses, rest.addresses), (['edit@example.test'], ['keeps@example.test']))
    equal(world.without_ours(copy.content)[0], b'X-Edited: once\r\n' + content)
    names = [field.partition(b':')[0] for field in world.split(world.without_ours(rest.content)[0])[0]]
    equal(sorted(names), [b'Date', b'From', b'Message-Id', b'To'])


def bare(scene, copied):
    """A client that may send a CR alone: its mail is copied if the port for copies takes that from us."""
    content = world.message('bare', body=b'a\rb\r\n')
    with client.Client(scene.mta.port, source='127.0.0.2') as talk:
        told = talk.send(world.SENDER, [scene.address(name) for name in ('edit', 'keeps')], content)
    scene.settle()
    came = {to: world.without_ours(copy)[0] for to, _sender, copy in scene.arrived('bare')}
    if copied:
        equal(told.fates(), [250, 250])
        equal(came, {'edit@example.test': b'X-Edited: once\r\n' + content, 'keeps@example.test': content})
    else:
        equal((told.fates(), came), ([451, 451], {}))


def waits(port, scene):
    """As long as R: says for each answer, and as long as E: says for all of them, if it is told that work goes on."""
    path = scene.mta.etc / 'sendmail.cf'
    path.write_text(path.read_text().replace(';R:5m;E:5m', ';R:8s;E:5m'))
    scene.mta.stop()
    scene.mta.start()
    port.fail('dot', 'wait')
    equal(scene.send(['edit', 'keeps'], world.message('slow')).fates(), [250, 250])
    scene.settle()
    equal([copy.addresses for copy in port.transactions()], [['edit@example.test']])
    equal([to for to, *_rest in scene.arrived('slow')], ['keeps@example.test'])


CHAIN = {**{f'chain{i}': f'redirect "chain{i + 1}@example.test";' for i in range(3)}, 'chain3': 'require "fileinto"; fileinto "Box";'}


def one_by_one(scene):
    """One message at its end at a time: those that wait for another one at the filtered port do not keep it away."""
    equal(scene.send(['chain0'], world.message('chain')).fates(), [250])
    place.wait_for(lambda: scene.arrived('chain'), 20, 'the message')
    scene.settle()
    equal([to for to, *_rest in scene.arrived('chain')], ['chain3+Box@example.test'])


def of_redirects(tap):
    for kind in ('postfix', 'sendmail'):
        title = f'{kind}: one message at a time, and redirects'
        if world.missing(kind):
            tap.result(title, [], world.missing(kind))
            continue
        with place.directory('chain') as directory, world.World(directory, kind, CHAIN, {'max_messages': 1}) as scene:
            scene.run(tap, title, one_by_one)


def of_sendmail(tap):
    if world.missing('sendmail'):
        tap.result('sendmail: hops', [], world.missing('sendmail'))
        return
    with place.directory('hops') as directory:
        scene = world.World(directory, 'sendmail', RULES, mta={'settings': f"define(`confMAX_HOP', `{HOPS}')dnl"})
        with scene:
            scene.run(tap, 'sendmail: hops', hops)
    for title, more in (('', {}), (', and we', {'Srv_Features:127.0.0.1': 'U'})):
        with place.directory('bare') as directory:
            access = {'Srv_Features:127.0.0.2': 'U', **more}
            with world.World(directory, 'sendmail', RULES, mta={'access': access}) as scene:
                scene.run(tap, f'sendmail: a client may send a CR alone{title}', lambda s, more=more: bare(s, bool(more)))
    with place.directory('straight') as directory, sink.Sink(directory / 'store', lmtp=True) as store:
        with world.World(directory, 'sendmail', RULES, {'copy_to': f'lmtp:127.0.0.1:{store.port}'}) as scene:
            scene.run(tap, 'sendmail: a copy straight to the store', lambda s: straight(store, s))
    with place.directory('waits') as directory, sink.Sink(directory / 'port') as port:
        port.hang_seconds = 12
        with world.World(directory, 'sendmail', RULES, {'copy_to': f'smtp:127.0.0.1:{port.port}'}) as scene:
            scene.run(tap, 'sendmail: how long it waits for a copy', lambda s: waits(port, s))


def main():
    tap = Tap()
    of_redirects(tap)
    of_sendmail(tap)
    if world.missing('postfix'):
        tap.result('a name that stands for too many', [], world.missing('postfix'))
        return tap.finish()
    mta = {'settings': {'virtual_alias_expansion_limit': '3'}, 'virtual': {'list@example.test': ', '.join(MEMBERS)}}
    with place.directory('limits') as directory:
        port = sink.Sink(directory / 'port')
        scene = world.World(directory, 'postfix', RULES, {'copy_to': f'smtp:127.0.0.1:{port.port}'}, mta=mta)
        with port, scene:
            scene.run(tap, 'a long field', long_field)
            port.forget()
            scene.sink.forget()
            scene.run(tap, 'too many of a recipient', lambda s: too_many(port, s, ['edit', 'list@example.test'], []))
            scene.run(tap, 'too many of whom rules redirect to',
                      lambda s: too_many(port, s, ['edit', 'away', 'keeps'], ['edit@example.test']))
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
