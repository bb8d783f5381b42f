#!/usr/bin/env python3
# test_stop.py - tamis-milter is told to end while it works: nobody's rules are to blame, and what left is known
# SPDX-License-Identifier: BSD-2-Clause
import os
import pathlib
import re
import resource
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import daemon
import milter
import place
import sink
from tap import Tap, equal

HEADER = [('From', 'Somebody <s@client.example>'), ('Subject', 'hello'), ('Message-ID', '<1@client.example>')]
SENDER = '<s@client.example>'
# runs for seconds, once the header is there: each of its tests looks at all of a long field
LONG = 'if header :matches "x-long" "*x?y*" { stop; }\n' * 12000 + 'discard;\n'
HEADER.append(('X-Long', 'yx' * 30000))


def begin(scene):
    client = milter.MilterClient(scene.socket)
    client.macros(b'C', j='mx.example.test', v='Postfix 3.7.11')
    client.connect()
    client.helo()
    return client


def ask(scene, *recipients):
    """What the server is told at the end, or before that."""
    with begin(scene) as client:
        _told, end = client.message(SENDER, [f'<{r}@example.test>' for r in recipients], HEADER, b'Hello.\r\n')
        return [str(answer) for answer in end or []]


def busy(scene):
    """Seconds of the processor."""
    fields = pathlib.Path(f'/proc/{scene.process.pid}/stat').read_text('utf-8').rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def run_slowly(scene):
    """A client, while the rules are at work."""
    client = begin(scene)
    client.mail(SENDER)
    client.rcpt('<slow@example.test>')
    for name, value in HEADER:
        client.header(name, value)
    before = busy(scene)
    client.put(b'N')
    place.wait_for(lambda: busy(scene) > before + 0.3, 60, 'rules that run')
    return client


def stopped_at_the_header(directory):
    settings = {'limit_work': 10 ** 9, 'rcpt_deadline': 25, 'drain_seconds': 0}
    scene = daemon.Daemon(directory, {'slow': LONG, 'other': 'discard;'}, settings)
    for _again in range(2):
        scene.start()
        client = run_slowly(scene)
        equal(scene.stop(), 0)
        assert client.is_gone(0), 'the rules came to their end before the daemon: they must run for longer'
        client.close()
    with scene:
        equal(scene.lines(event='died-in-rules'), [])
        equal((scene.state / 'aside').exists(), False)
        equal(ask(scene, 'other'), ['delete recipient <other@example.test>', 'continue'])


def killed_at_the_header(directory):
    """The same, by what does no harm to its own: the rules are set aside."""
    scene = daemon.Daemon(directory, {'slow': LONG}, {'limit_work': 10 ** 9, 'rcpt_deadline': 25})
    for _again in range(2):
        scene.start()
        client = run_slowly(scene)
        scene.kill()
        client.close()
    with scene:
        # it has counted the deaths when it serves: its socket is there before
        with begin(scene):
            pass
        equal([line['times'] for line in scene.lines(event='died-in-rules')], ['1', '2'])


class Full(sink.Sink):
    """Takes a message, and fills the disk of the daemon before it says so."""
    process = None

    def store(self, envelope, content):
        super().store(envelope, content)
        if self.process:
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            self.process = None


def room_at_the_end(directory):
    """The disk was full when a copy left, and is not when the daemon ends: the copy is remembered."""
    with Full(directory / 'port') as port:
        edit = 'require "editheader"; addheader "X-%s" "1";'
        scene = daemon.Daemon(directory, {'a': edit % 'A', 'b': edit % 'B'},
                              {'copy_to': f'smtp:127.0.0.1:{port.port}'})
        with scene:
            port.process = scene.process
            equal(ask(scene, 'a', 'b', 'c')[-1][:3], '451')
            resource.prlimit(scene.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            equal([line.split(' ')[-1] for line in (scene.state / 'journal').read_text().splitlines()], ['a@example.test'])
        with scene:
            equal(ask(scene, 'a', 'b', 'c')[-1], 'continue')
        equal([t.addresses for t in port.transactions()], [['a@example.test'], ['b@example.test']])


def to_the_end(client):
    """A whole message to two; what becomes of it is not waited for."""
    client.mail(SENDER)
    client.rcpt('<a@example.test>')
    client.rcpt('<b@example.test>')
    for name, value in HEADER:
        client.header(name, value)
    client.eoh()
    client.body(b'Hello.\r\n')
    client.put(b'E')


def port_that_is_silent(directory):
    """A copy that nobody takes holds up the end for drain_seconds, and no longer; the server tries the message again."""
    edit = 'require "editheader"; addheader "X-A" "1";'
    with socket.create_server(('127.0.0.1', 0)) as port:
        scene = daemon.Daemon(directory, {'a': edit}, {'copy_to': f'smtp:127.0.0.1:{port.getsockname()[1]}', 'drain_seconds': 2})
        with scene, begin(scene) as client:
            to_the_end(client)
            _held = port.accept()
            began = time.monotonic()
            os.kill(scene.process.pid, signal.SIGTERM)
            equal(scene.process.wait(120), 0)
            assert 1 < time.monotonic() - began < 60, time.monotonic() - began
            equal([line['messages'] for line in scene.lines(stop='some messages did not end in time')], ['1'])


def port_that_answers_late(directory):
    """What a port has as a whole, and has not answered when drain_seconds are over, it gets once more, as tamis-milter(8) says."""
    edit = 'require "editheader"; addheader "X-A" "1";'
    with sink.Sink(directory / 'port') as port:
        port.fail('stored', 'wait')
        scene = daemon.Daemon(directory, {'a': edit}, {'copy_to': f'smtp:127.0.0.1:{port.port}', 'drain_seconds': 1})
        with scene, begin(scene) as client:
            to_the_end(client)
            place.wait_for(port.transactions, 20, 'a copy')
            os.kill(scene.process.pid, signal.SIGTERM)
            equal(scene.process.wait(120), 0)
        port.go_on()
        with scene:
            for _attempt in range(2):
                equal(ask(scene, 'a', 'b')[-1], 'continue')
        equal([t.addresses for t in port.transactions()], [['a@example.test']] * 2)


def deadline_of_a_message(directory):
    """... and a message for message_deadline, whatever the port does."""
    edit = 'require "editheader"; addheader "X-A" "1";'
    with socket.create_server(('127.0.0.1', 0)) as port:
        scene = daemon.Daemon(directory, {'a': edit}, {'copy_to': f'smtp:127.0.0.1:{port.getsockname()[1]}', 'message_deadline': 2})
        with scene:
            began = time.monotonic()
            equal(ask(scene, 'a', 'b')[-1][:9], '451 4.4.0')
            assert 1 < time.monotonic() - began < 60, time.monotonic() - began


def signals(scene, *numbers):
    """Several at once: that is what a process finds that was stopped meanwhile."""
    for number in (signal.SIGSTOP, *numbers, signal.SIGCONT):
        os.kill(scene.process.pid, number)
    time.sleep(0.01)


def signals_together(directory):
    """libmilter has a thread that waits for them, too: none is its own."""
    for last in (signal.SIGTERM, signal.SIGINT):
        scene = daemon.Daemon(directory, {'a': 'discard;'})
        with scene:
            for _again in range(60):
                signals(scene, signal.SIGUSR1, signal.SIGHUP)
            equal(ask(scene, 'a', 'b'), ['delete recipient <a@example.test>', 'continue'])
            signals(scene, signal.SIGUSR1, signal.SIGHUP, last)
            equal(scene.process.wait(120), 0)
            equal(scene.lines(level='error'), [])
            equal([line['stop'] for line in scene.lines(stop=last.name)], [last.name])


def log_that_nobody_reads(directory):
    """Mail goes on, a second later; the log says what is missing as soon as it is read; the end does not wait for it."""
    people = [f'nobody{n}' + 'x' * 150 for n in range(500)]
    # what waits, what is being written, and what is in the pipe; a message is more than so many bytes of lines
    messages = (2 * (1 << 20) + (1 << 16)) // (500 * 150) + 1
    scene = daemon.Daemon(directory, {'a': 'discard;'})
    reader, writer = os.pipe()
    lost = rb'event=lost lines=\d+'

    def answered(*recipients):
        begun = time.monotonic()
        ends = ask(scene, *recipients)
        took.append(time.monotonic() - begun)
        return ends

    for is_read_again in (True, False):
        took, text = [], b''
        scene.socket.unlink(missing_ok=True)
        # for the time of a start it is an empty pipe
        scene.process = subprocess.Popen([daemon.program(), '-c', str(scene.configuration), '-f'], stderr=writer,
                                         stdin=subprocess.DEVNULL, start_new_session=True)
        place.guard(f'+{scene.process.pid}')
        place.wait_for(scene.answers, 30, 'tamis-milter')
        for _message in range(messages):
            equal(answered('a', *people), ['delete recipient <a@example.test>', 'continue'])
        assert max(took) > 0.9, 'there is room for all lines'
        took.clear()
        for _again in range(20):
            answered('a')
        assert sorted(took)[len(took) // 2] < 0.9, took
        while is_read_again and not re.search(lost, text):
            text += os.read(reader, 65536)
            answered('a')
        begun = time.monotonic()
        scene.process.terminate()
        equal(scene.process.wait(120), 0)
        assert time.monotonic() - begun < 60
        place.guard(f'-{scene.process.pid}')
    scene.process = None
    os.close(writer)
    os.close(reader)


TESTS = [stopped_at_the_header, killed_at_the_header, room_at_the_end, port_that_is_silent, port_that_answers_late, deadline_of_a_message, signals_together, log_that_nobody_reads]


def main():
    tap = Tap()
    if daemon.missing():
        print(f'1..0 # skip {daemon.missing()}')
        return 0
    for test in TESTS:
        with place.directory('stop') as directory:
            tap.run(test.__name__.replace('_', ' '), test, directory)
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
