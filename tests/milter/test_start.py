#!/usr/bin/env python3
# test_start.py - tamis-milter is started in odd ways: it says whether it serves, serves, and ends when it is told to
# SPDX-License-Identifier: BSD-2-Clause
import contextlib
import fcntl
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import daemon
import milter
import place
import sendmail
from tap import Skip, Tap, equal

SOURCE = pathlib.Path(__file__).resolve().parents[2]
NULL = '/dev/null'


def asked(scene):
    with milter.MilterClient(scene.socket) as client:
        client.macros(b'C', j='mx.example.test', v='Postfix 3.7.11')
        client.connect()
        client.helo()
        _told, end = client.message('<s@client.example>', ['<alice@example.test>'], [('Subject', 'hello')], b'Hello.\r\n')
        return [str(answer) for answer in end or []]


def own_descriptors(pid):
    """Where standard input, output and errors go."""
    return [os.readlink(f'/proc/{pid}/fd/{number}') for number in range(3)]


def descriptors_are_closed(directory, log):
    """As some who start daemons do: nothing that is opened may take their place, for it would be written to."""
    pid_file = directory / 'pid'
    scene = daemon.Daemon(directory, {'alice': 'discard;'}, {'pid_file': pid_file, 'log': log})
    for closed in ('0<&-', '1>&-', '2>&-', '0<&- 1>&- 2>&-'):
        done = subprocess.run(['sh', '-c', f'exec "$@" {closed}', 'sh', daemon.program(), '-c', scene.configuration],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=60)
        pid = int(place.await_text(pid_file, 30))
        try:
            equal((closed, done.returncode, own_descriptors(pid)), (closed, 0, [NULL, NULL, NULL]))
            equal((closed, asked(scene)), (closed, ['delete recipient <alice@example.test>', 'continue']))
            os.kill(pid, signal.SIGTERM)
            place.wait_for(lambda: not pid_file.exists() and not place.is_alive(pid), 30, f'the end of a daemon begun with {closed}')
        finally:
            if place.is_alive(pid):
                os.kill(pid, signal.SIGKILL)


def becomes_another(directory):
    """Started as root it becomes `user`, with his groups and no way back; what root alone may read it has read."""
    if os.geteuid():
        raise Skip('only root can become somebody else')
    nobody = pwd.getpwnam('nobody')
    state = directory / 'state of nobody'
    state.mkdir()
    shutil.chown(state, 'nobody')
    scene = daemon.Daemon(directory, {'alice': 'discard;'}, {'user': 'nobody', 'state_dir': state, 'secret_file': state / 'secret'})
    with scene:
        status = dict(re.findall(r'(?m)^(\w+):\s*(.*)$', pathlib.Path(f'/proc/{scene.process.pid}/status').read_text('utf-8')))
        equal(status['Uid'].split(), [str(nobody.pw_uid)] * 4)
        equal(status['Gid'].split(), [str(nobody.pw_gid)] * 4)
        equal(sorted(map(int, status['Groups'].split())), sorted(os.getgrouplist('nobody', nobody.pw_gid)))
        equal(int(status['CapEff'], 16), 0)
        equal(asked(scene), ['delete recipient <alice@example.test>', 'continue'])


def nothing_is_left(directory):
    """A start that fails when it is somebody else already leaves no file of its process behind, where he may not write; what is
    no file is not taken for one, nor away."""
    if os.geteuid():
        raise Skip('only root can become somebody else')
    scene = daemon.Daemon(directory, settings={'user': 'nobody', 'pid_file': directory / 'pid', 'secret_file': directory / 'none/secret'})
    done = subprocess.run([daemon.program(), '-c', scene.configuration], stderr=subprocess.PIPE, check=False, text=True, timeout=60)
    equal((done.returncode, 'secret_file' in done.stderr, (directory / 'pid').exists()), (78, True, False), done.stderr)
    scene.configure({**scene.values, 'user': ''})
    os.mknod(directory / 'pid', stat.S_IFCHR | 0o666, os.makedev(1, 3))
    done = subprocess.run([daemon.program(), '-c', scene.configuration], stderr=subprocess.PIPE, check=False, text=True, timeout=60)
    equal((done.returncode, (directory / 'pid').exists()), (78, True), done.stderr)
    assert 'that is no file; remove it, or leave pid_file empty' in done.stderr, done.stderr


def name_with_two_addresses(directory):
    """As localhost is one on most machines: Sendmail, told "inet", looks for IPv4 alone."""
    if os.geteuid() or not pathlib.Path('/proc/net/if_inet6').exists():
        raise Skip('only root can have other names of hosts, and this needs IPv6')
    port, hosts = place.free_port(), directory / 'hosts'
    hosts.write_text('::1 both.example\n127.0.0.1 both.example\n')
    scene = daemon.Daemon(directory, {}, {'socket': f'inet:{port}@both.example'})
    process = place.start(['unshare', '--mount', 'sh', '-c', 'mount --bind "$1" /etc/hosts && shift && exec "$@"', 'sh', hosts,
                           daemon.program(), '-f', '-c', scene.configuration], scene.log_path)
    try:
        place.wait_for(lambda: process.poll() is not None or place.listens(port), 30, 'IPv4')
        equal(process.poll(), None, scene.log())
    finally:
        place.stop(process)


def one_pid_file(directory):
    """Copied from one tamis.conf to another, it would have signals for one daemon go to the other."""
    pid, where = directory / 'pid', directory / 'other'
    where.mkdir()
    other = daemon.Daemon(where, settings={'pid_file': pid})
    with daemon.Daemon(directory, settings={'pid_file': pid}) as scene:
        place.await_text(pid, 10, f'{scene.process.pid}\n')
        done = subprocess.run([daemon.program(), '-c', other.configuration], stderr=subprocess.PIPE, check=False, text=True, timeout=60)
        equal((done.returncode, done.stderr, int(pid.read_text())),
              (78, f'tamis-milter: {pid}: it is the pid_file of another tamis-milter, which runs; each has one of its own\n',
               scene.process.pid))
    with pid.open('w') as begun:    # by one that starts just now
        fcntl.flock(begun, fcntl.LOCK_EX)
        done = subprocess.run([daemon.program(), '-c', other.configuration], stderr=subprocess.PIPE, check=False, text=True, timeout=60)
        equal((done.returncode, pid.exists()), (78, True), done.stderr)
    pid.write_text('1\n')           # of one that was killed
    with other:
        place.await_text(pid, 10, f'{other.process.pid}\n')


def who_may(directory):
    """Somebody who is not root is told what root is for."""
    if os.geteuid():
        raise Skip('only root can become somebody else')
    program = shutil.copy(daemon.program(), directory / 'started')
    scene = daemon.Daemon(directory, settings={'socket': f'unix:{directory}/locked/s'})
    (directory / 'locked').mkdir(mode=0o755)

    def start():
        return subprocess.run([program, '-c', scene.configuration], stderr=subprocess.PIPE, check=False, text=True, timeout=60,
                              user='nobody', group='nogroup', extra_groups=[], cwd='/')
    scene.configuration.chmod(0o644)
    done = start()
    told = f'socket unix:{directory}/locked/s: Permission denied: root may start it, which then becomes the user that tamis.conf names'
    equal((done.returncode, told in done.stderr), (78, True), done.stderr)
    with place.directory('become') as own:
        shutil.chown(own, 'nobody')
        text = scene.configuration.read_text()
        scene.configuration.write_text(re.sub('(?m)^(socket|socket_group) .*\n', '', text) + f'socket = unix:{own}/s\nuser = daemon\n')
        (scene.state / 'secret').unlink(missing_ok=True)
        done = start()
        equal((done.returncode, done.stderr.splitlines()[-1:]),
              (78, ['tamis-milter: user daemon: Operation not permitted: root may start it, which then becomes that user']))
    scene.configuration.chmod(0o600)
    done = start()
    equal((done.returncode, done.stderr.splitlines()),
          (78, [f'{scene.configuration}: error: Permission denied',
                'hint: root may read it (sudo); who else asks needs the right to, and to enter the directories above it']))


def cannot_serve(directory):
    """A socket that somebody else has taken the connections from: the status tells that another start may do better."""
    with socket.create_server(('127.0.0.1', 0)) as given:
        scene = daemon.Daemon(directory, settings={'socket': f'fd:{given.fileno()}'})
        with open(scene.log_path, 'wb') as log, subprocess.Popen([daemon.program(), '-c', scene.configuration, '-f'], stderr=log,
                                                                 pass_fds=[given.fileno()]) as process:
            try:
                place.wait_for(lambda: ' start=' in scene.log(), 30, 'the start')
                given.shutdown(socket.SHUT_RDWR)
                equal(process.wait(300), 75, scene.log())
            finally:
                process.kill()
    equal([line['level'] for line in scene.lines(error='libmilter stopped serving; to be started again')], ['error'])


def points_are_counted(directory):
    """TAMIS_FAULT=count: when it ends it tells how often each point was passed; without, nothing of it."""
    names = re.findall(r'POINT[(]POINT_\w+, "([a-z-]+)"[)]', (SOURCE / 'src/milter/points.def').read_text('utf-8'))
    for environment, told in (({}, []), ({'TAMIS_FAULT': 'count'}, names)):
        scene = daemon.Daemon(directory, {'alice': 'discard;'}, environment=environment)
        with scene:
            equal(asked(scene), ['delete recipient <alice@example.test>', 'continue'])
            equal(scene.stop(), 0)
            fired = {line['point']: int(line['fired']) for line in scene.lines() if 'point' in line}
            equal(list(fired), told)
            for name, times in (('mail', 1), ('rcpt', 1), ('field', 1), ('delete-rcpt', 1), ('verdict', 1), ('copy', 0)) if told else ():
                equal((name, fired[name]), (name, times))
        scene.log_path.unlink()
    done = subprocess.run([daemon.program(), '-c', scene.configuration, '-f'], env={**os.environ, 'TAMIS_FAULT': 'dot:1'}, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    assert done.returncode, 'it serves'
    equal(done.stdout.splitlines()[:1], ['tamis-milter: TAMIS_FAULT: there is no point "dot"'])


@contextlib.contextmanager
def locked(path):
    with path.open('a') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def one_that_ends(directory):
    """Whose pid_file is gone may have its port, and its locks, for a moment: who starts another then need not try again."""
    port = place.free_port()
    scene = daemon.Daemon(directory, {'alice': 'discard;'}, {'socket': f'inet:{port}@127.0.0.1'})
    scene.socket = port
    for what in (lambda: socket.create_server(('127.0.0.1', port)), lambda: locked(scene.state / 'journal.lock'),
                 lambda: locked(scene.state / 'slots')):
        with what():
            scene.process = place.start([daemon.program(), '-f', '-c', scene.configuration], scene.log_path)
            time.sleep(0.5)
        try:
            place.wait_for(lambda: scene.process.poll() is not None or scene.serves(), 30, 'tamis-milter')
            equal(scene.process.poll(), None, scene.log())
            equal(asked(scene), ['delete recipient <alice@example.test>', 'continue'])
        finally:
            scene.stop()


def deaths_are_logged(directory):
    """What a start finds of an earlier daemon is said where everything is, though standard error is there as well."""
    if os.geteuid():
        raise Skip('only root can have a /dev of his own')
    scene = daemon.Daemon(directory, {'alice': 'discard;'}, {'log': 'syslog'})
    log = sendmail.Syslog(directory / 'log')
    namespace = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && '
                 'ln -s "$1" /dev/log && shift && exec "$@"', 'sh', directory / 'log']
    try:
        for fault in ('run:1', 'run:1', 'count'):
            scene.process = place.start([*namespace, daemon.program(), '-f', '-c', scene.configuration], scene.log_path,
                                        env={**os.environ, 'TAMIS_FAULT': fault})
            place.wait_for(lambda: scene.process.poll() is not None or scene.serves(), 30, 'tamis-milter')
            with contextlib.suppress(milter.Gone, OSError):
                equal((fault, asked(scene)), ('count', ['accept']))
            scene.kill()
        log.await_read()
        equal([(line['times'], line['aside']) for line in map(daemon.parse, log.lines) if line.get('event') == 'died-in-rules'],
              [('1', 'no'), ('2', 'yes')], scene.log())
    finally:
        scene.kill()
        log.close()


def main():
    tap = Tap()
    if daemon.missing():
        print(f'1..0 # skip {daemon.missing()}')
        return 0
    for log in ('stderr', 'syslog'):
        with place.directory('start') as directory:
            tap.run(f'descriptors are closed, log = {log}', descriptors_are_closed, directory, log)
    with place.directory('start') as directory:
        directory.chmod(0o755)
        tap.run('as another user', becomes_another, directory)
    for title, test in (('a failed start leaves nothing', nothing_is_left), ('started by another than root', who_may),
                        ('one file of the process for two daemons', one_pid_file),
                        ('a socket that is of no use any more', cannot_serve),
                        ('in the place of one that ends', one_that_ends),
                        ('a host with an address of each kind', name_with_two_addresses)):
        with place.directory('start') as directory:
            directory.chmod(0o755)
            tap.run(title, test, directory)
    with place.directory('start') as directory:
        tap.run('points at which it may be killed', points_are_counted, directory)
    with place.directory('start') as directory:
        tap.run('who died in which rules is in syslog', deaths_are_logged, directory)
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
