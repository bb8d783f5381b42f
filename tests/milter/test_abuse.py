#!/usr/bin/env python3
# test_abuse.py - a mail server that is broken, in a hurry or hostile: tamis-milter goes on as before
# SPDX-License-Identifier: BSD-2-Clause
"""After each maltreatment an ordinary message must be decided as ever, on the same connection where that still
stands, and on a new one; at the end the process must hold no more memory, threads and descriptors than before."""
import contextlib
import os
import pathlib
import random
import re
import socket
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import daemon
import milter
import place
from tap import Tap, equal

RULES = {
    'keep': 'keep;', 'discard': 'discard;', 'edit': 'require "editheader"; addheader "X-Edited" "once";',
    'early': 'require ["envelope", "ereject"]; if envelope :domain "from" "client.example" { ereject "never"; stop; }',
    'late': 'require ["body", "ereject"]; if body :contains "needle" { ereject "not this"; }',
    'once': 'require ["relational", "comparator-i;ascii-numeric", "ereject"];'
            'if not header :count "eq" :comparator "i;ascii-numeric" ["subject", "message-id"] "2" { ereject "another\'s"; }',
    'size': 'require "ereject"; if size :over 1K { ereject "too large"; }',
}
HEADER = [('From', 'Somebody <s@client.example>'), ('To', 'a@example.test'), ('Subject', 'hello'),
          ('Date', 'Sat, 28 Nov 2026 12:00:00 +0000'), ('Message-ID', '<1@client.example>')]
SENDER = '<s@client.example>'
RANDOM = random.Random(11)


def holds(scene, before, most, what='VmRSS'):
    """It has grown by that many KiB at most; a sanitizer needs several times as much."""
    grown = scene.status(what) - before
    most *= 6 if daemon.is_sanitized() else 1
    assert grown <= most, f'{grown} KiB more'


def begin(client):
    client.macros(b'C', j='mx.example.test', daemon_name='mx', v='Postfix 3.7.11', client_addr='192.0.2.1')
    client.connect()
    client.helo()
    return client


def words(answers):
    return [str(answer) for answer in answers or []]


def expect(client, recipients, rcpt, eom, body=b'Hello, needle.\r\n', header=HEADER):
    told, end = client.message(SENDER, [f'<{r}@example.test>' for r in recipients], header, body)
    equal([words(answers)[-1].split(' ')[0] for answers in told], rcpt, 'RCPT')
    equal(words(end), eom, 'the end')


def ordinary(client):
    """One message, three fates."""
    expect(client, ['keep', 'early', 'discard'], ['continue', '550', 'continue'],
           ['delete recipient <discard@example.test>', 'continue'])
    expect(client, ['late'], ['continue'], ['550 5.7.1 not this'])
    expect(client, ['once'], ['continue'], ['accept'])


def fresh(scene):
    with milter.MilterClient(scene.socket) as client:
        ordinary(begin(client))
        client.quit()


# --- many messages, and none

def many(scene):
    with milter.MilterClient(scene.socket) as client:
        begin(client)
        for _n in range(300):
            ordinary(client)


STEPS = [
    lambda c: c.mail(SENDER), lambda c: c.rcpt('<keep@example.test>'), lambda c: c.rcpt('<discard@example.test>'),
    lambda c: c.data(), lambda c: c.header('Subject', 'x'), lambda c: c.eoh(), lambda c: c.body(b'x' * 70000),
    lambda c: c.eom(),
]


def aborts(scene):
    """At each stage, once and twice; the connection goes on."""
    with milter.MilterClient(scene.socket) as client:
        begin(client)
        for count in range(len(STEPS) + 1):
            for times in (1, 2):
                for step in STEPS[:count]:
                    step(client)
                for _n in range(times):
                    client.abort()
                ordinary(client)


def spilled(scene):
    """Files without a name: bodies that are too large for memory.  Connections that are not closed yet do not count."""
    count = 0
    for path in pathlib.Path(f'/proc/{scene.process.pid}/fd').iterdir():
        with contextlib.suppress(OSError):         # it is closed by now
            count += os.readlink(path).endswith(' (deleted)')
    return count


def aborted_is_gone(scene):
    """A client that waits after RSET has nothing here meanwhile: of what it sent before neither file nor memory is left."""
    clients = [begin(milter.MilterClient(scene.socket)) for _n in range(20)]
    for client in clients:
        for step in (*STEPS[:1], lambda c: c.rcpt('<late@example.test>'), *STEPS[3:6]):
            step(client)
        for _n in range(20):
            client.body(b'x' * 60000)
    equal(spilled(scene), 20, 'bodies that are too large for memory')
    for client in clients:
        client.abort()
    place.wait_for(lambda: not spilled(scene), 20, 'those files to be closed')
    for client in clients:
        ordinary(client)
        client.close()


def no_abort(scene):
    """MAIL begins a new message, whatever was before it."""
    with milter.MilterClient(scene.socket) as client:
        begin(client)
        for count in range(len(STEPS)):
            for step in STEPS[:count]:
                step(client)
            ordinary(client)


def dropped(scene):
    """The connection is gone at each stage."""
    for count in range(len(STEPS)):
        with milter.MilterClient(scene.socket) as client:
            begin(client)
            for step in STEPS[:count]:
                step(client)


def next_connection(scene):
    """One socket, one client after the other."""
    with milter.MilterClient(scene.socket) as client:
        for _n in range(20):
            begin(client)
            ordinary(client)
            client.quit(next_connection=True)


def helo_again(scene):
    """As after STARTTLS."""
    with milter.MilterClient(scene.socket) as client:
        begin(client)
        client.abort()
        client.helo('again.example')
        ordinary(client)


# --- what is no protocol

P = milter.MilterClient.packet
HELLO = P(b'O', struct.pack('>III', 6, milter.ACTIONS, milter.STEPS))
SESSION = [
    HELLO, P(b'D', b'Cj\0mx\0'), P(b'C', b'h\0004\x9c\x40192.0.2.1\0'), P(b'H', b'h\0'), P(b'M', b'<s@client.example>\0'),
    P(b'R', b'<keep@example.test>\0'), P(b'T'), P(b'L', b'Subject\0 x\0'), P(b'N'), P(b'B', b'text\r\n'), P(b'E'),
]
ODD = {
    'nothing': b'', 'one byte': b'\0', 'HTTP': b'GET / HTTP/1.1\r\n\r\n', 'SMTP': b'EHLO x\r\n',
    'a packet without a command': struct.pack('>I', 0), 'a length of 4 GiB': b'\xff\xff\xff\xffO',
    'a length of 2 GiB': b'\x7f\xff\xff\xffO' + b'x' * 1000, 'a length of 1 MiB': b'\0\x10\0\0O' + b'x' * 100000,
    'a negotiation too short': P(b'O', b'\0\0'), 'a negotiation with nothing in it': P(b'O'),
    'version 0': P(b'O', struct.pack('>III', 0, 0x1ff, 0x1fffff)), 'version 1': P(b'O', struct.pack('>III', 1, 0, 0)),
    'a version to come': P(b'O', struct.pack('>III', 99, 0xffffffff, 0xffffffff)),
    'an abort before anything': HELLO + P(b'A') + b''.join(SESSION[1:]),
    'two negotiations': HELLO + HELLO, 'an unknown command': HELLO + P(b'Z', b'x'), 'a NUL for a command': HELLO + P(b'\0'),
    'macros without a stage': HELLO + P(b'D'), 'macros that end in a name': HELLO + P(b'D', b'Ci'),
    'macros for no stage': HELLO + P(b'D', b'\xffi\0x\0'), 'macros without NUL': HELLO + P(b'D', b'Cabc'),
    'a hundred thousand macros': HELLO + P(b'D', b'C' + b'a\0b\0' * 16000) * 6,
    'a client of no family': HELLO + P(b'C', b'h\0'), 'a client of an unknown family': HELLO + P(b'C', b'h\0X\0\0a\0'),
    'a client without an address': HELLO + P(b'C', b'h\0004\0'), 'an address that is none': HELLO + P(b'C', b'h\0004\0\1not.one\0'),
    'a path of 60 KB': HELLO + P(b'C', b'h\0L\0\0/' + b'x' * 60000 + b'\0'),
    'strings without NUL': HELLO + P(b'H', b'h') + P(b'M', b'<a@b>') + P(b'R', b'<keep@example.test>'),
    'empty strings': HELLO + P(b'M', b'') + P(b'R', b'') + P(b'L', b'') + P(b'E'),
    'the end of nothing': HELLO + P(b'E'), 'a body of nothing': HELLO + P(b'B', b'x') + P(b'N') + P(b'L', b'a\0b\0') + P(b'E'),
    'backwards': HELLO + b''.join(reversed(SESSION[1:])),
    'RCPT before MAIL': HELLO + SESSION[5] + SESSION[4] + P(b'E'),
    'a header after the body': b''.join(SESSION[:10]) + SESSION[7] + P(b'E'),
    'two ends': b''.join(SESSION) + P(b'E') * 5, 'quits and goes on': HELLO + P(b'Q') + b''.join(SESSION[1:]),
}


def send_all(client, data):
    """And nothing more; the milter need not read all of it."""
    with contextlib.suppress(OSError):
        client.raw(data)
        client.socket.shutdown(socket.SHUT_WR)


def odd(scene, data):
    """Whatever the milter does with that connection, it does soon, and others do not notice."""
    with milter.MilterClient(scene.socket, negotiate=False, timeout=120) as client:
        send_all(client, data)
        if not client.is_gone(120):
            raise AssertionError('the connection stays open')


def truncated(scene):
    """A session that ends at each of its bytes."""
    whole = b''.join(SESSION)
    for at in range(len(whole)):
        with milter.MilterClient(scene.socket, negotiate=False) as client:
            send_all(client, whole[:at])


def settled(client):
    """Reads up to the end of the message: nobody does anything to it."""
    said = []
    while said[-1:] != ['accept']:
        said.append(str(client.get()))
    equal(said[-1], 'accept')


def dripping(scene):
    """One byte at a time is as good as all at once."""
    with milter.MilterClient(scene.socket, negotiate=False) as client:
        for byte in b''.join(SESSION):
            client.raw(bytes([byte]))
        settled(client)


def at_once(scene):
    """A session without waiting for any answer."""
    with milter.MilterClient(scene.socket, negotiate=False) as client:
        client.raw(b''.join(SESSION))
        settled(client)


def read_at_once(scene):
    """What is sent together is read together, which is half of what a message costs: libmilter alone reads twice for each
    command, and it has a pipe to itself."""
    def reads():
        return int(re.search(r'syscr: (\d+)', pathlib.Path(f'/proc/{scene.process.pid}/io').read_text('ascii'))[1])
    at_once(scene)
    before = reads()
    for _n in range(20):
        at_once(scene)
    each = (reads() - before) / 20
    assert each < len(SESSION), f'{each} times read for {len(SESSION)} commands'


def is_beyond_libmilter(data):
    """Is there a macro without a value?  libmilter 1.0.1 looks for the next one behind the end of its list."""
    while len(data) > 5:
        size = int.from_bytes(data[:4], 'big')
        if data[4:5] == b'D' and data[6:4 + size].count(b'\0') % 2:
            return True
        data = data[4 + size:]
    return False


def noise(scene):
    """Valid packets whose bytes were changed here and there."""
    for _n in range(200):
        data = bytearray(b''.join(SESSION))
        for _m in range(RANDOM.randrange(1, 6)):
            at = RANDOM.randrange(len(data))
            data[at] = RANDOM.randrange(256)
        if is_beyond_libmilter(bytes(data)):
            continue
        with milter.MilterClient(scene.socket, negotiate=False) as client:
            send_all(client, bytes(data))


# --- much of it

def addresses(scene):
    """Local parts that are no names of files, and some that are."""
    hostile = ['../../etc/passwd', '..', '.', '/etc/passwd', 'a/../keep', 'keep\\', '"keep"', '"../keep"', 'keep/', '%2e%2e',
               'x' * 65, 'x' * 60000, '\x01', 'é' * 40, '\udcff', 'k\u212aeep', '"a b"', 'a\tb', '|id', '`id`', '$HOME', '-c', '']
    with milter.MilterClient(scene.socket) as client:
        begin(client)
        for name in hostile:
            client.mail(SENDER)
            equal(words(client.rcpt(f'<{name}@example.test>')), ['continue'], repr(name[:40]))
            for domain in ('', '..', '../..', 'example.test/..', 'x' * 300, '[192.0.2.1]', 'example.test\udcff'):
                equal(words(client.rcpt(f'<keep@{domain}>')), ['continue'], repr(domain[:40]))
            client.abort()
        ordinary(client)


def recipients(scene):
    """More than one message may have are told to come back, each."""
    with milter.MilterClient(scene.socket) as client:
        begin(client)
        client.mail(SENDER)
        told = [words(client.rcpt(f'<discard+{n}@example.test>'))[0] for n in range(1500)]
        taken = told.count('continue')
        equal(taken, 1000)
        assert all(answer.startswith('45') for answer in told[taken:]), told[taken]
        client.data()
        client.header('Subject', 'x')
        client.eoh()
        equal(len(words(client.eom())), taken + 1)
        ordinary(client)


def fields(scene):
    """A header that is larger than any may be: the message is not lost, and the memory is not ours to give."""
    before = scene.status('VmHWM')
    with milter.MilterClient(scene.socket) as client:
        begin(client)
        for count, size in ((20000, 10), (2000, 60000), (1, 65000)):
            client.mail(SENDER)
            client.rcpt('<size@example.test>')
            client.data()
            for n in range(count):
                client.header(f'X-{n}', 'x' * size)
            answers = client.eoh()
            if not client.ended(answers):
                client.body(b'x')
                answers = client.eom()
            # "size" refuses it; rules are not asked about a header that is over the limit
            equal(words(answers)[-1], 'accept' if count * size > 1 << 20 else '550 5.7.1 too large')
        ordinary(client)
    holds(scene, before, 64 * 1024, 'VmHWM')


def endless(scene):
    """A body of 200 megabytes for somebody who reads it, and for somebody who does not."""
    chunk = b'0123456789abcdef' * 4000
    before = scene.status('VmRSS')
    for name, wants in (('late', True), ('keep', False), ('size', True)):
        with milter.MilterClient(scene.socket) as client:
            begin(client)
            client.mail(SENDER)
            client.rcpt(f'<{name}@example.test>')
            client.data()
            settled = [client.header(*field) for field in HEADER] and client.eoh()
            if not wants and words(settled) == ['accept']:
                continue
            for sent in range(200 * 1024 * 1024 // len(chunk)):
                answers = words(client.say(b'B', chunk))
                if answers and answers[0] != 'continue':
                    break
            if not wants:
                assert sent <= 1, f'{sent} chunks'
                continue
            holds(scene, before, 64 * 1024)
            answers = words(client.eom())
            equal([answer for answer in answers if answer != 'progress'], ['550 5.7.1 too large' if name == 'size' else 'continue'])


def ten_thousand(scene):
    """Opened and dropped, in every state; their names are long, so that what is left of a few shows."""
    name = b'h' * 8000
    start, threads, files = scene.status('VmRSS'), scene.status('Threads'), scene.descriptors()
    half = 0
    for n in range(10000):
        try:
            client = milter.MilterClient(scene.socket, negotiate=n % 4 > 0)
        except (ConnectionError, BlockingIOError):
            time.sleep(0.01)            # the backlog is full: it is the mail server's turn to wait
            continue
        if n % 4 > 1:
            client.raw(P(b'C', name + b'\x004\x9c\x40192.0.2.1\0'))
        if n % 4 > 2:
            client.raw(P(b'H', name + b'\0') + SESSION[4])
            client.rcpt('<keep@example.test>')     # what was said before is read
        client.close()
        if n == 5000:
            half = scene.status('VmRSS')
    place.wait_for(lambda: scene.descriptors() <= files + 2, 20, 'descriptors to be closed')
    place.wait_for(lambda: scene.status('Threads') <= threads + 4, 30, 'threads to end')
    holds(scene, half, 4 * 1024)
    holds(scene, start, 32 * 1024)


def at_the_same_time(scene):
    """Five hundred connections that wait in the middle of a message do not hold up another."""
    clients = []
    for n in range(500):
        client = milter.MilterClient(scene.socket)
        begin(client)
        client.mail(SENDER)
        client.rcpt('<keep@example.test>')
        clients.append(client)
    began = time.monotonic()
    fresh(scene)
    assert time.monotonic() - began < 30, 'it took too long'
    for client in clients:
        client.data()
        client.header('Subject', 'x')
        client.eoh()
        client.close()


def flat(scene):
    """Two thousand messages need no more memory than two hundred."""
    def some(count):
        with milter.MilterClient(scene.socket) as client:
            begin(client)
            for _n in range(count):
                ordinary(client)
    some(200)
    before = scene.status('VmRSS')
    some(1000)
    holds(scene, before, 2 * 1024)


TESTS = [many, aborts, aborted_is_gone, no_abort, dropped, next_connection, helo_again, truncated, dripping, at_once, read_at_once, noise, addresses,
         recipients, fields, endless, ten_thousand, at_the_same_time, flat]


def main():
    tap = Tap()
    if daemon.missing():
        print(f'1..0 # skip {daemon.missing()}')
        return 0
    with place.directory('abuse') as directory:
        options = {'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '') + ':quarantine_size_mb=1'}
        with daemon.Daemon(directory / 'tamis', RULES, {'spill_dir': directory / 'tamis'}, environment=options) as scene:
            for title, data in ODD.items():
                tap.run(f'{title}', odd, scene, data)
            tap.run('after all of that: an ordinary message', fresh, scene)
            for test in TESTS:
                tap.run(test.__name__.replace('_', ' '), test, scene)
                tap.run(f'after {test.__name__.replace("_", " ")}: an ordinary message', fresh, scene)
            tap.run('it ends when it is told to', lambda: equal(scene.stop(), 0))
        if tap.failed or 'Sanitizer' in scene.log():
            tap.result('nothing in the log', scene.log().splitlines()[-12:])
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
