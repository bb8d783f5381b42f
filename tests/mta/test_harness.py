#!/usr/bin/env python3
# test_harness.py - what the tests of the milter stand on: Postfix and Sendmail without one, the sink, the end of all
# SPDX-License-Identifier: BSD-2-Clause
import errno
import os
import pathlib
import signal
import subprocess
import sys
import unittest.mock

LIB = pathlib.Path(__file__).resolve().parents[1] / 'lib'
sys.path.insert(0, str(LIB))
import client
import daemon
import place
import postfix
import postfix_town
import sendmail
import sink
from tap import Skip, Tap, equal

MESSAGE = (b'Message-ID: <1@client.example>\r\nDate: Sat, 28 Nov 2026 12:00:00 +0000\r\nFrom: s@client.example\r\n'
           b'Subject: a\r\n\tfolded one\r\n\r\n.one dot\r\n..two\r\n\xe9 and \x01\r\n' + b'long' * 1000 + b'\r\n')

LEAVES_ALL = '''
import subprocess, sys, time
sys.path.insert(0, sys.argv[1])
import place, postfix
with place.directory('test') as d:
    (d / 'disk').mkdir()
    subprocess.run(['mount', '-t', 'tmpfs', 'tamis-test', d / 'disk'], check=True)
    postfix.PrivatePostfix(d / 'postfix').start()
    print(d, flush=True)
    time.sleep(60)
'''


def below_received(content):
    """The message without the trace field of the MTA that took it."""
    assert content.startswith(b'Received: from client.example '), content[:200]
    lines = content.split(b'\r\n')
    at = 1
    while lines[at][:1] in (b' ', b'\t'):
        at += 1
    return b'\r\n'.join(lines[at:])


def arrives(directory, make):
    """One message to three, one of them twice removed by a map and an alias."""
    with sink.Sink(directory / 'sink') as box, make(directory / 'mta', box.port) as mta:
        told = client.send(mta.port, 's@client.example', ['alice@example.test', ('both@example.test', 'NOTIFY=NEVER'),
                                                          'team@local.example.test'], MESSAGE, 'BODY=8BITMIME')
        equal(told.fates(), [250, 250, 250])
        place.wait_for(lambda: len([a for t in box.transactions() for a in t.addresses]) >= 4, 10, 'four copies')
        mta.wait_empty()
        equal(sorted(a for t in box.transactions() for a in t.addresses),
              ['alice@example.test', 'bob@example.test', 'carol@else.example', 'dan@else.example'])
        for copy in box.copies('alice@example.test'):
            equal(copy.sender, 's@client.example')
            equal(below_received(copy.content), MESSAGE)


def make_postfix(directory, port, lmtp=False):
    way = f'lmtp:inet:127.0.0.1:{port}' if lmtp else f'smtp:[127.0.0.1]:{port}'
    return postfix.PrivatePostfix(directory, mailboxes=way, outside=way, aliases={'team': 'dan@else.example'},
                                  virtual={'both@example.test': 'bob@example.test carol@else.example'})


def make_sendmail(directory, port):
    return sendmail.PrivateSendmail(directory, destination=port, aliases={'team': 'dan@else.example', 'pair':
                                    'bob@example.test, carol@else.example'}, virtual={'both@example.test': 'pair'})


def failures(directory):
    """A sink that fails once at each step gets the message once; at the last one twice, as it has to be."""
    wrong = []
    with sink.Sink(directory / 'sink') as box, make_postfix(directory / 'mta', box.port) as mta:
        for step in ('connect', 'mail', 'rcpt', 'data', 'dot', 'stored'):
            for action in ('451 4.3.0 later', 'close'):
                box.forget()
                box.fail(step, action)
                client.send(mta.port, 's@client.example', ['alice@example.test'], MESSAGE)
                place.wait_for(lambda: not box.failures[-1].times, 10, f'{action} at {step}')
                for _attempt in range(20):
                    mta.flush()
                    if not mta.queue():
                        break
                mta.wait_empty()
                came = len(box.copies('alice@example.test'))
                if came != (2 if step == 'stored' else 1):
                    wrong.append(f'{action} at {step}: {came} copies')
    return wrong


def per_recipient(directory):
    """LMTP answers for each recipient; who was refused is not in the envelope."""
    with sink.Sink(directory / 'sink', lmtp=True) as box, make_postfix(directory / 'mta', box.port, True) as mta:
        box.fail('stored', '550 5.2.2 full', recipient='bob')
        client.send(mta.port, '', ['alice@example.test', 'bob@example.test'], MESSAGE)
        mta.wait_empty()
        equal([t.addresses for t in box.transactions()], [['alice@example.test']])


def killed(_directory):
    """A test that is killed leaves no process, no file and nothing mounted."""
    child = subprocess.Popen([sys.executable, '-c', LEAVES_ALL, LIB], stdout=subprocess.PIPE, text=True)
    directory = pathlib.Path(child.stdout.readline().strip())
    master = int((directory / 'postfix/queue/pid/master.pid').read_text())
    assert place.is_alive(master)
    child.send_signal(signal.SIGKILL)
    child.wait()
    place.wait_for(lambda: not place.is_alive(master) and not directory.exists(), 20, 'the end')


def one_that_ends(_directory):
    """A process that is about to end is a process, or none: stat() of what is below its name in /proc may say ESRCH."""
    def ending(self, **_how):
        raise ProcessLookupError(errno.ESRCH, 'No such process', str(self))
    with unittest.mock.patch.object(pathlib.Path, 'exists', ending):
        assert os.getpid() in place.group(os.getpgrp())
        assert str(os.getpid()) in daemon.threads(os.getpid(), range(0))
        postfix_town.servers()


def first_thread_ends(_directory):
    """A process goes on when its first thread has ended, though it is called dead then."""
    child = place.start([sys.executable, '-c', 'import ctypes, threading, time\n'
                         'threading.Thread(target=time.sleep, args=(60,)).start()\nctypes.CDLL(None).pthread_exit(None)'], os.devnull)
    try:
        state = pathlib.Path(f'/proc/{child.pid}/stat')
        place.wait_for(lambda: state.read_text('ascii').rpartition(')')[2].split()[0] == 'Z', 30, 'the end of the thread')
        equal((place.is_alive(child.pid), child.pid in place.group(child.pid)), (True, True))
    finally:
        place.stop(child, number=signal.SIGKILL)
    equal(place.is_alive(child.pid), False)


def main():
    tap = Tap()

    def run(title, why_not, test, *arguments):
        def inside():
            if why_not:
                raise Skip(why_not)
            with place.directory('harness') as directory:
                return test(directory, *arguments)
        tap.run(title, inside)

    run('Postfix: what arrives is what was sent', postfix.missing(), arrives, make_postfix)
    run('Sendmail: what arrives is what was sent', sendmail.missing(), arrives, make_sendmail)
    run('a sink that fails at each step', postfix.missing(), failures)
    run('LMTP: an answer for each recipient', postfix.missing(), per_recipient)
    run('nothing is left of a test that is killed', postfix.missing(), killed)
    run('processes are looked at while they end', None, one_that_ends)
    run('a process whose first thread has ended', None, first_thread_ends)
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
