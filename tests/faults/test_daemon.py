#!/usr/bin/env python3
# test_daemon.py - the daemon sends each copy once, and outlives a file that cannot grow
# SPDX-License-Identifier: BSD-2-Clause
import pathlib
import resource
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'lib')]
import daemon
import milter
import place
import sink
from tap import Skip, Tap, equal

HEADER = [('Date', 'Sat, 28 Nov 2026 12:00:00 +0000'), ('Message-ID', '<1@client.example>'), ('Subject', 'a')]
EDITS = {'alice': 'require "editheader"; addheader "X-Edit" "v";', 'bob': 'keep;'}


def send(box):
    """One message to alice and bob: the milter's last word."""
    with milter.MilterClient(box.socket) as client:
        client.macros(b'C', j='mx.example.test', v='Postfix 3.7')
        client.connect()
        client.helo()
        answers = client.message('<s@client.example>', ['<alice@example.test>', '<bob@example.test>'], HEADER, 'body\r\n')[1]
        return str(answers[-1])


def with_daemon(test, **settings):
    """The daemon, whose copies go to a port that keeps them."""
    why = daemon.missing()
    if why:
        raise Skip(why)
    with place.directory('daemon') as directory, sink.Sink(directory / 'copies') as copies:
        values = {'copy_to': f'smtp:127.0.0.1:{copies.port}', **settings}
        with daemon.Daemon(directory / 'tamis', EDITS, values) as box:
            return test(box, copies)


def at_once(box, copies):
    """The client lost patience and tries again, while its first attempt waits for the port: one copy."""
    copies.hang_seconds = 1
    copies.fail('dot', 'wait')
    said = []
    first = threading.Thread(target=lambda: said.append(send(box)))
    first.start()
    place.wait_for(lambda: not copies.failures[-1].times, 10, 'a copy')
    second = send(box)
    first.join()
    assert second.startswith('451 '), second
    equal(said, ['continue'])
    equal(send(box), 'continue', 'the third')
    equal(len(copies.transactions()), 1)


def cannot_grow(box, copies):
    """The journal is as large as files may be: the message has to come again, to the same process."""
    with milter.MilterClient(box.socket):
        pass                    # it has begun to serve
    pid, limit = box.process.pid, (box.state / 'journal').stat().st_size
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    answer = send(box)
    assert answer.startswith('451 '), answer
    equal(copies.transactions(), [], 'before the journal could be written')
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    equal(send(box), 'continue')
    equal(len(copies.transactions()), 1)
    equal(box.process.poll(), None)


def main():
    tap = Tap()
    tap.run('two sessions with one message send one copy', with_daemon, at_once)
    tap.run('a file that cannot grow', with_daemon, cannot_grow, log='syslog')
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main())
