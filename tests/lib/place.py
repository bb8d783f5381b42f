# place.py - directories, ports and processes of private servers
# SPDX-License-Identifier: BSD-2-Clause
"""Everything that a test starts lives in one directory of its own, listens on loopback ports that were
free, and is ended by its process id, also when the test itself is killed."""
import contextlib
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

# A program that waits for our end, and then ends and removes what is left: lines "+pid", "-pid", "+/path", "-/path".
GUARD = '''
import os, shutil, signal, subprocess, sys, time
left = set()
for line in sys.stdin:
    (left.add if line[0] == "+" else left.discard)(line[1:].rstrip())
for sign in signal.SIGTERM, signal.SIGKILL:
    for one in left:
        try:
            one.startswith("/") or os.killpg(int(one), sign)
        except OSError:
            pass
    time.sleep(1 if any(not one.startswith("/") for one in left) else 0)
for one in left:
    if one.startswith("/"):
        mounted = [line.split()[1] for line in open("/proc/self/mounts")]
        for where in reversed([where for where in mounted if where.startswith(one + "/")]):
            subprocess.run(["umount", "-l", where], stderr=subprocess.DEVNULL)
        shutil.rmtree(one, ignore_errors=True)
'''
_guard, _ports = [], []
# on a machine that is busy, or with a sanitizer, all takes longer than where nothing else is done: so many times
PATIENCE = 6


def guard(change):
    if not _guard:
        _guard.append(subprocess.Popen([sys.executable, '-c', GUARD], stdin=subprocess.PIPE, text=True,
                                       stdout=subprocess.DEVNULL, start_new_session=True))
    _guard[0].stdin.write(change + '\n')
    _guard[0].stdin.flush()


@contextlib.contextmanager
def directory(name, keep=False):
    """A directory that other users may enter, and whose parents nobody else may write to if that can be had:
    Postfix gives up root's rights, and Sendmail takes no socket from below /tmp."""
    base = '/run' if os.access('/run', os.W_OK) else None
    path = pathlib.Path(tempfile.mkdtemp(prefix=f'tamis-{name}-', dir=base))
    path.chmod(0o755)
    if not keep:
        guard(f'+{path}')
    try:
        yield path
    finally:
        if not keep:
            shutil.rmtree(path, ignore_errors=True)
            guard(f'-{path}')


def free_port():
    """Ours as long as we run, also while its server is restarted: we have it as well, without listening.  Nobody else finds
    it free, but for whom it is, since servers say SO_REUSEADDR."""
    while True:
        held = socket.socket()
        with contextlib.suppress(OSError):
            held.bind(('127.0.0.1', random.SystemRandom().randrange(10000, 32000)))
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _ports.append(held)
            return held.getsockname()[1]
        held.close()


def wait_for(question, seconds, what, patience=PATIENCE):
    """Ask until the answer is true; it is returned.  It takes fewer seconds where nothing else is done."""
    until = time.monotonic() + patience * seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > until:
            raise TimeoutError(f'{what}: not within {patience * seconds} s')
        time.sleep(0.01)


def await_text(path, seconds, text=None):
    """Until the file is there and says this, or anything; returned is what it says."""
    def question():
        with contextlib.suppress(FileNotFoundError):
            found = path.read_text('utf-8')
            return found if text is None or found == text else None
        return None
    return wait_for(question, seconds, path)


def listens(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(('127.0.0.1', port)) == 0


def answers(path):
    """Does somebody listen there?  A socket has its name before that: who waits for the name may be refused."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        return probe.connect_ex(str(path)) == 0


def start(command, log, **options):
    """A process in a session of its own, which ends when we do, however we end; log takes what it says."""
    with open(log, 'ab') as out:
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                   start_new_session=True, **options)
    guard(f'+{process.pid}')
    return process


def stop(process, seconds=20, number=signal.SIGTERM):
    """End it, and what it started, all of which is gone then; returns its exit status."""
    if process is None:
        return None
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(PATIENCE * seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
    with contextlib.suppress(TimeoutError):
        wait_for(lambda: not group(process.pid), 5, 'its children', patience=1)
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
        wait_for(lambda: not group(process.pid), 5, 'the end of its children')
    guard(f'-{process.pid}')
    return process.returncode


class Server:
    """A mail server: port faces the world, free_port asks no milter.  Others say how it starts, and what is in its queue."""
    process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_what):
        self.stop()

    def await_start(self, name):
        """Until it serves, or is at its end, which then is said."""
        try:
            wait_for(lambda: self.process.poll() is not None or listens(self.port) and listens(self.free_port), 20, name)
            if self.process.poll() is not None:
                raise RuntimeError(f'{name} did not start:\n{self.log()}')
        except Exception:
            self.stop()
            raise
        return self

    def stop(self):
        """What it started is in its process group, and ends as well."""
        process, self.process = self.process, None
        stop(process)

    def restart(self):
        self.stop()
        return self.start()

    def wait_empty(self, seconds=20):
        """Until everything has been delivered."""
        wait_for(lambda: not self.queue(), seconds, 'an empty queue')


def group(leader):
    """The living processes of a group; dead ones may wait for init to look at them."""
    found = []
    for path in pathlib.Path('/proc').glob('[0-9]*'):
        with contextlib.suppress(OSError):
            pgrp = (path / 'stat').read_text().rpartition(')')[2].split()[2]
            if int(pgrp) == leader and is_alive(path.name):
                found.append(int(path.name))
    return found


def let_go(process):
    """It goes on after our end."""
    guard(f'-{process.pid}')


def is_alive(pid):
    """A dead one may wait for init to look at it.  That of which the first thread alone has ended looks like one, and has its
    files and locks still."""
    states = ''
    with contextlib.suppress(OSError):
        for task in os.listdir(f'/proc/{pid}/task'):
            with contextlib.suppress(OSError):
                states += pathlib.Path(f'/proc/{pid}/task/{task}/stat').read_text().rpartition(')')[2].split()[0]
    return bool(states.strip('ZX'))
