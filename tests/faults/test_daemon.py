#!/usr/bin/env python3
# test_daemon.py - the daemon stops at once, sends each copy once, outlives a full disk; fields at the end
# SPDX-License-Identifier: BSD-2-Clause
import contextlib
import ctypes
import errno
import grp
import os
import pathlib
import re
import resource
import socket
import stat
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'lib')]
import daemon
import milter
import place
import sink
from tap import Skip, Tap, equal

PIDFD_GETFD = 438               # of every machine
HEADER = [('Date', 'Sat, 28 Nov 2026 12:00:00 +0000'), ('Message-ID', '<1@client.example>'), ('Subject', 'a')]
EDITS = {'alice': 'require "editheader"; addheader "X-Edit" "v";', 'bob': 'keep;'}


def send(box, hold=None, body='body'):
    """One message to alice and bob: the milter's last word."""
    with milter.MilterClient(box.socket) as client:
        client.macros(b'C', j='mx.example.test', v='Postfix 3.7')
        client.connect()
        client.helo()
        answers = client.message('<s@client.example>', ['<alice@example.test>', '<bob@example.test>'], HEADER, f'{body}\r\n')[1]
        if hold:
            hold.wait()
        return str(answers[-1])


def with_daemon(test, **settings):
    """The daemon, whose copies go to a port that keeps them."""
    why = daemon.missing()
    if why:
        raise Skip(why)
    with place.directory('daemon') as directory, sink.Sink(directory / 'copies') as copies:
        values = {'copy_to': f'smtp:127.0.0.1:{copies.port}', **settings}
        with daemon.Daemon(directory / 'tamis', EDITS, values, environment={'TAMIS_FAULT': 'count'}) as box:
            return test(box, copies)


def stops(box, _copies):
    """Though a connection that waits for its server's next word is open."""
    hold = threading.Event()
    session = threading.Thread(target=send, args=(box, hold))
    session.start()
    place.wait_for(lambda: box.lines(rcpt='bob@example.test'), 10, 'a message')
    begun = time.monotonic()
    try:
        box.process.terminate()
        equal(box.process.wait(120), 0, 'exit status')
        took = time.monotonic() - begun
    finally:
        hold.set()
        session.join()
    # libmilter by itself looks every five seconds whether it is to end
    assert took < 4, f'it took {took:.1f} s'


def finishes(box, copies):
    """A message at its end when it is told to stop is finished; one that comes to its end later is not begun."""
    copies.fail('dot', 'wait')
    said = []
    with milter.MilterClient(box.socket) as late:
        late.macros(b'C', j='mx.example.test', v='Postfix 3.7')
        late.connect()
        late.mail('<s@client.example>')
        late.rcpt('<alice@example.test>')
        late.rcpt('<bob@example.test>')
        session = threading.Thread(target=lambda: said.append(send(box)))
        session.start()
        place.wait_for(lambda: not copies.failures[-1].times, 10, 'a copy')
        box.process.terminate()
        place.wait_for(lambda: not box.socket.exists(), 20, 'the end of the socket')
        for name, value in HEADER:
            late.header(name, value)
        late.eoh()
        late.body('another\r\n')
        said.append(str(late.eom()[-1]))
        copies.go_on()
        session.join()
    equal(sorted(said), ['451 4.3.2 mail rules are being stopped; the message later', 'continue'])
    equal(len(copies.transactions()), 1)
    equal(box.stop(), 0, 'exit status')


def at_once(box, copies):
    """The client lost patience and tries again, while its first attempt waits for the port: one copy."""
    copies.fail('dot', 'wait')
    said = []
    first = threading.Thread(target=lambda: said.append(send(box)))
    first.start()
    place.wait_for(lambda: not copies.failures[-1].times, 10, 'a copy')
    second = send(box)
    copies.go_on()
    first.join()
    assert second.startswith('451 '), second
    equal(said, ['continue'])
    equal(send(box), 'continue', 'the third')
    equal(len(copies.transactions()), 1)


def at_once_in_trouble(box, copies):
    """The same when trouble has lasted for so long that a copy that is not taken is kept instead."""
    copies.fail('dot', '451')
    assert send(box).startswith('451 ')
    time.sleep(2.1)
    at_once(box, copies)


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


def stays_full(box, copies):
    """There was room for the announcement, not for the copy's own line: it has left, and that is known all the same; on
    the disk as well when that has room again."""
    box.stop()
    box.log_path.unlink()
    others = [f'K {os.urandom(32).hex()} {int(time.time())} copy x\n' for _n in range(200)]
    (box.state / 'journal').write_text(''.join(others))     # so that the log has room below the limit
    box.start()
    pid, size = box.process.pid, (box.state / 'journal').stat().st_size
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size + 150, resource.RLIM_INFINITY))
    for _attempt in range(3):
        equal(send(box), 'continue')
    answer = send(box, body='another')
    assert answer.startswith('451 '), answer
    why = f'the journal in {box.state} cannot be written: File too large'
    equal([line['error'] for line in box.lines() if 'error' in line], [why, why])
    equal(len(copies.transactions()), 1, 'copies while the disk is full')
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    equal(send(box, body='another'), 'continue')
    box.kill()
    box.start()
    equal(send(box), 'continue')
    equal(len(copies.transactions()), 2)


def nowhere_to_spill(box, _copies):
    """A large message that cannot be kept: the log says where, and why."""
    box.write_rules('bob', 'require "body"; if body :contains "needle" { discard; }')
    with milter.MilterClient(box.socket) as client:
        client.macros(b'C', j='mx.example.test', v='Postfix 3.7')
        client.connect()
        answers = client.message('<s@client.example>', ['<bob@example.test>'], HEADER, 'long\r\n' * 2000)[1]
    assert str(answers[-1]).startswith('451 '), answers
    equal([line['error'] for line in box.lines(spill_dir='/nonexistent')], ['No such file or directory'])


def at_the_end(box, _copies):
    """Sendmail puts what is added by name alone before the first field of that name."""
    box.write_rules('alice', 'require "editheader"; addheader :last "Subject" "another";')
    with milter.MilterClient(box.socket) as client:
        client.macros(b'C', j='mx.example.test', v='8.17.1.9')
        client.connect()
        answers = client.message('<s@client.example>', ['<alice@example.test>'], HEADER, 'body\r\n')[1]
    equal([str(answer) for answer in answers], [f'insert header {2 ** 31 - 1} Subject: another', 'continue'])


def seen_while_made(box):
    """What the socket is from the moment that it is there: {(mode, group, what connecting to it comes to)}."""
    found, until, serves = set(), time.monotonic() + 120, False
    while time.monotonic() < until and not serves:
        serves = box.log_path.exists() and ' start=' in box.log_path.read_text('utf-8', 'replace')
        with contextlib.suppress(FileNotFoundError):
            state = box.socket.stat()
            with socket.socket(socket.AF_UNIX) as probe:
                found.add((state.st_mode & 0o7777, state.st_gid, probe.connect_ex(str(box.socket))))
        time.sleep(0.005)
    return found


def socket_is_whole(box, _copies):
    """Whoever sees the socket may use it: it has its mode, its group and a listener before it has its name."""
    library = box.directory / 'slow.so'
    if subprocess.run(['cc', '-shared', '-fPIC', '-O1', '-o', library, HERE / 'slow.c'], check=False).returncode:
        raise Skip('there is no compiler')
    group = grp.getgrnam('daemon').gr_gid
    box.configure({**box.values, 'socket_group': 'daemon', 'socket_mode': '0620'})
    environment = {**os.environ, 'LD_PRELOAD': str(library),
                   'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0'}
    for before in ('nothing', 'one of a daemon that was killed'):
        box.kill()
        if before == 'nothing':
            box.socket.unlink()
        box.log_path.unlink()
        box.process = place.start([daemon.program(), '-c', box.configuration, '-f'], box.log_path, env=environment)
        found = seen_while_made(box)
        refused = {one for one in found if one[2] == errno.ECONNREFUSED}     # the old one, until it is replaced
        equal(found - (refused if before != 'nothing' else set()), {(0o620, group, 0)}, before)
    equal([path.name for path in box.directory.glob('*.sock*')], ['milter.sock'])


def sends_at_once(box, port):
    """Have all sockets of the daemon at that port TCP_NODELAY?"""
    process = os.pidfd_open(box.process.pid)
    found = []
    for path in pathlib.Path(f'/proc/{box.process.pid}/fd').iterdir():
        number = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, process, int(path.name), 0)
        if number < 0 or not stat.S_ISSOCK(os.fstat(number).st_mode):
            if number >= 0:
                os.close(number)
            continue
        with socket.socket(fileno=number) as copy:
            if copy.family != socket.AF_UNIX and copy.getsockname()[1] == port:
                found.append(copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
    os.close(process)
    return len(found) == 2 and all(found)


def addresses(box, _copies):
    """What tamis.conf takes for a socket the daemon can listen at, as libmilter and as Postfix write it."""
    box.stop()
    families = [(socket.AF_INET, '127.0.0.1', ['inet:{}@127.0.0.1', 'inet:127.0.0.1:{}', 'inet:{}@localhost', 'inet:{}'])]
    if pathlib.Path('/proc/net/if_inet6').exists():
        families.append((socket.AF_INET6, '::1', ['inet6:{}@::1', 'inet6:{}@[::1]', 'inet:[::1]:{}', 'inet6:[::1]:{}',
                                                   'inet6:{}']))
    for family, host, forms in families:
        for form in forms:
            port = place.free_port()
            box.configure({**box.values, 'socket': form.format(port)})
            box.process = place.start([daemon.program(), '-c', box.configuration, '-f'], box.log_path)

            def listens(family=family, host=host, port=port):
                with socket.socket(family) as probe:
                    return box.process.poll() is not None or not probe.connect_ex((host, port))
            place.wait_for(listens, 10, form)
            equal(box.process.poll(), None, form)
            with milter.MilterClient((host, port)) as client:
                # over TCP what is not answered stalls the servers, and so do small packets that wait for each other
                equal(client.steps & milter.SILENT, 0, form)
                # the one that asked whether it listens may still be there
                place.wait_for(lambda port=port: sends_at_once(box, port), 10, f'{form}: two sockets with TCP_NODELAY')
                client.quit()
            equal(box.stop(), 0, form)


def log_of_the_background(box, _copies):
    """log = stderr, and no -f: lines go where standard error led when it was started."""
    box.stop()
    pid = box.directory / 'pid'
    box.configure({**box.values, 'pid_file': pid})
    box.log_path.unlink()
    with open(box.log_path, 'ab') as log:
        equal(subprocess.run([daemon.program(), '-c', box.configuration], stderr=log, timeout=60, check=False).returncode, 0)
    number = int(pid.read_text())
    place.guard(f'+{number}')
    try:
        equal(send(box), 'continue')
        place.wait_for(lambda: box.lines(rcpt='bob@example.test'), 10, 'a line')
    finally:
        os.kill(number, 15)
        place.wait_for(lambda: not pid.exists(), 10, 'the end')
        place.guard(f'-{number}')


def socket_is_taken(box, _copies):
    """A second daemon says so, and leaves the first its socket; a file that is none is left as well."""
    second = subprocess.run([daemon.program(), '-c', box.configuration, '-f'], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=60, check=False)
    equal(second.returncode, 78, second.stdout)
    equal(send(box), 'continue', 'the first')
    box.kill()
    box.socket.unlink()
    box.socket.write_text('a letter\n')
    second = subprocess.run([daemon.program(), '-c', box.configuration, '-f'], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=60, check=False)
    equal(second.returncode, 78, second.stdout)
    equal(box.socket.read_text(), 'a letter\n')
    assert str(box.socket).encode() in second.stdout, second.stdout


def start_in_vain(box, _copies):
    """A second daemon that finds the state taken leaves no socket, and the first one's pid_file; a link is not followed."""
    pid, other, letter = (box.directory / name for name in ('pid', 'other.sock', 'letter'))
    box.configure({**box.values, 'pid_file': pid})
    box.stop()
    box.start()
    first = place.await_text(pid, 10)
    equal(int(first), box.process.pid)
    values = dict(box.values)
    letter.write_text('a letter')
    for name, path, said in (('the same', pid, b'another tamis-milter'), ('one of its own', box.directory / 'new', b'another'),
                             ('a link', box.directory / 'link', b'link')):
        if name == 'a link':
            path.symlink_to(letter)
        box.configure({**values, 'socket': f'unix:{other}', 'pid_file': path})
        second = subprocess.run([daemon.program(), '-c', box.configuration, '-f'], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, timeout=60, check=False)
        equal(second.returncode, 78, second.stdout)
        assert said in second.stdout, second.stdout
        equal((other.exists(), pid.read_text(), (box.directory / 'new').exists()), (False, first, False), name)
    equal(letter.read_text(), 'a letter')
    box.configure(values)
    equal(send(box), 'continue', 'the first')
    box.stop()
    equal(pid.exists(), False, 'in the end')


def points(box, _copies):
    """What a message passes is counted, and told at the end."""
    equal(send(box), 'continue')
    box.stop()
    fired = {line['point']: int(line['fired']) for line in box.lines() if 'point' in line}
    source = pathlib.Path(HERE.parents[1] / 'src/milter/points.def').read_text('utf-8')
    equal(sorted(fired), sorted(re.findall(r'^POINT\(\w+, "([\w-]+)"\)', source, re.M)))
    equal({name: fired[name] for name in ('rcpt', 'copy', 'copy-taken', 'journal', 'delete-rcpt', 'verdict', 'abort')},
          {'rcpt': 2, 'copy': 1, 'copy-taken': 1, 'journal': 1, 'delete-rcpt': 1, 'verdict': 1, 'abort': 0})


def main():
    tap = Tap()
    tap.run('it stops within 2 s, connections or not', with_daemon, stops)
    tap.run('it stops when what is at its end is done', with_daemon, finishes)
    tap.run('two sessions with one message send one copy', with_daemon, at_once)
    tap.run('so they do when there has been trouble for long', with_daemon, at_once_in_trouble, trouble_seconds=1)
    tap.run('a file that cannot grow', with_daemon, cannot_grow, log='syslog')
    tap.run('a disk that stays full', with_daemon, stays_full, trouble_times=50)
    tap.run('a message that cannot be kept', with_daemon, nowhere_to_spill, max_memory='4K', max_header='4K',
            spill_dir='/nonexistent')
    tap.run('a field at the end of the header', with_daemon, at_the_end)
    tap.run('a socket that is there is whole', with_daemon, socket_is_whole)
    tap.run('addresses to listen at', with_daemon, addresses)
    tap.run('a log of the background', with_daemon, log_of_the_background)
    tap.run('a socket that somebody has is left to him', with_daemon, socket_is_taken)
    tap.run('a start in vain leaves nothing', with_daemon, start_in_vain)
    tap.run('points are counted', with_daemon, points)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main())
