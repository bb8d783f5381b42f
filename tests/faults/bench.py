# bench.py - a mail server with the milter, the port for copies, and what stands behind both
# SPDX-License-Identifier: BSD-2-Clause
import contextlib
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / 'lib'))
import client
import daemon
import milter
import place
import postfix
import sendmail
import sink
from scenario import BACK, DOMAIN, OUTSIDE, SENDER_DOMAIN, SRS, Scenario

WAYS = ('postfix', 'sendmail', 'final')
TAG = re.compile(rb'run-(\d+)-(\w+)-')
DEADLINE = 3                    # seconds that the daemon waits for the port for copies
PASSWORD = 'a password'
SMALL, PAGE = 4 << 20, 4096     # of the small disk: its bytes, and those that a file gets at once


def missing(way):
    """Through Sendmail a login is one by SASL."""
    if way == 'sendmail':
        return daemon.missing() or sendmail.missing() or sendmail.missing_login()
    return daemon.missing() or postfix.missing()


def make_power(directory):
    """The library that makes a death one of the machine; None where nothing can be compiled."""
    path = directory / 'power.so'
    done = subprocess.run(['cc', '-shared', '-fPIC', '-O1', '-o', path, HERE / 'power.c'], check=False)
    return path if done.returncode == 0 else None


def small_disk(directory):
    """A file system of its own, which is full soon; False where none can be mounted."""
    options = f'size={SMALL},mode=0700'
    return subprocess.run(['mount', '-t', 'tmpfs', '-o', options, 'tamis-faults', directory], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False).returncode == 0


def can_mount():
    with tempfile.TemporaryDirectory() as directory:
        return small_disk(directory) and subprocess.run(['umount', directory], check=True).returncode == 0


class Supervised(daemon.Daemon):
    """Its log goes through a pipe, so that a limit for files is one for the journal."""

    def __init__(self, directory, settings):
        super().__init__(directory, settings=settings)
        self.pipe = self.directory / 'log.pipe'
        os.mkfifo(self.pipe)
        (self.directory / 'global').mkdir()
        self.small = small_disk(self.state)
        self.reader = place.start(['sh', '-c', 'exec cat <>"$1"', 'sh', self.pipe], self.log_path)

    def close(self):
        self.kill()
        place.stop(self.reader)
        if self.small:
            subprocess.run(['umount', self.state], check=True)

    def start(self, fault=None, power=None, room=None):
        if room is not None:
            self.pad(room)
        self.point, self.powered = fault.partition(':')[0] if fault else None, bool(power)
        self.socket.unlink(missing_ok=True)
        environment = {**os.environ, 'TAMIS_FAULT': fault or 'count'}
        if power:
            environment['LD_PRELOAD'] = str(power)
            environment['ASAN_OPTIONS'] = environment.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0'
        self.process = place.start([daemon.program(), '-c', self.configuration, '-f'], self.pipe, cwd=self.directory,
                                   env=environment)
        place.wait_for(lambda: self.process.poll() is not None or self.answers(), 30, 'tamis-milter')
        try:
            with milter.MilterClient(self.socket):
                return self     # it serves
        except milter.Gone as why:
            raise RuntimeError(f'tamis-milter did not start:\n{self.log()[-2000:]}') from why

    @property
    def is_up(self):
        return self.process is not None and self.process.poll() is None

    def bury(self):
        """A supervisor's first question: what did it die of, if it is dead?"""
        if self.process is None:
            return None
        if self.process.poll() is None and (self.is_dying() or not self.answers()):
            # the kernel has closed some of its files and not yet told that it is dead
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(60 if self.is_dying() else 2)
        if self.process.poll() is None:
            return None
        process, self.process = self.process, None
        status = place.stop(process)
        if status == -signal.SIGKILL and self.point:
            return f'killed at {self.point}'
        return 'stopped' if status == 0 else f'died of {status}'

    def is_dying(self):
        """It was killed, and its threads are on their way out."""
        with contextlib.suppress(OSError):
            proc = pathlib.Path(f'/proc/{self.process.pid}')
            exiting = int((proc / 'stat').read_text().rpartition(')')[2].split()[6]) & 4
            pending = re.search(r'^SigPnd:\s*(\w+)', (proc / 'status').read_text(), re.M)
            return bool(exiting or int(pending[1], 16) & 1 << signal.SIGKILL - 1)
        return True

    def limit(self, size):
        """No file of it grows beyond."""
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def pad(self, room):
        """The journal has so many bytes left in what it has of the disk: a line of nobody's takes the others."""
        with open(self.state / 'journal', 'ab') as journal:
            missing = (PAGE - room - journal.tell()) % PAGE
            journal.write(b'#' * (missing - 1) + b'\n' if missing else b'')

    def fill(self):
        """To the last page."""
        with open(self.state / 'filler', 'wb', buffering=0) as filler, contextlib.suppress(OSError):
            while filler.write(bytes(PAGE)):
                pass

    def empty(self):
        (self.state / 'filler').unlink()

    def journal_size(self):
        path = self.state / 'journal'
        return path.stat().st_size if path.exists() else 0

    def write_part(self, where, name, text):
        """where: rules, a user's own; site, a script that runs for everybody; global, one that others include."""
        if where == 'rules':
            self.write_rules(name, text)
            return
        path = self.directory / where / f'{name}.sieve'
        path.parent.mkdir(exist_ok=True)
        part = path.with_suffix('.part')
        part.write_text(text)
        part.rename(path)

    def reload_and_wait(self):
        """Until the next message meets the new configuration."""
        before = self.log().count(' reload=')
        self.hang_up()
        place.wait_for(lambda: not self.is_up or self.log().count(' reload=') > before, 30, 'a reload')

    def remove_rules(self, user):
        local, _at, domain = user.rpartition('@')
        (self.rules / domain / f'{local}.sieve').unlink(missing_ok=True)


class Bench:
    def __init__(self, way, directory, power):
        self.way, self.directory, self.power = way, directory, power
        self.copies = sink.Sink(directory / 'copies', durable=False)
        self.queue = sink.Sink(directory / 'queue', durable=False)
        self.copies.hang_seconds = DEADLINE + 1
        self.daemon = Supervised(directory / 'tamis', {})
        transport = f'smtp:[127.0.0.1]:{self.queue.port}'
        if way == 'sendmail':
            self.mta = sendmail.PrivateSendmail(directory / 'mta', self.daemon.milter, self.queue.port,
                                                users={f'first@{SENDER_DOMAIN}': PASSWORD})
        else:
            self.mta = postfix.PrivatePostfix(directory / 'mta', self.daemon.milter, transport, transport,
                                              final=way == 'final')
        self.mta.start()
        self.logins = set()
        self.made = {whose: self.make_sender(address) for whose, address in BACK.items()}

    def make_sender(self, address):
        """What a redirect of its mail makes of that sender."""
        self.configure(Scenario('', 0, self.way), redirect_sender='srs', filtered_to='', effect='full')
        self.daemon.write_rules(f'first@{DOMAIN}', f'redirect "first@{OUTSIDE}";\n')
        self.daemon.start()
        content = f'From: <nobody@{SENDER_DOMAIN}>\r\n\r\n'.encode()
        told = client.send(self.mta.port, address, [f'first@{DOMAIN}'], content)
        if told.fates() != [250]:
            raise RuntimeError(f'no sender can be rewritten: {told.fates()}')
        self.wait_empty()
        self.daemon.kill()
        [path] = [p for one in (self.copies, self.queue) for p in one.directory.glob('*.json')]
        made = json.loads(path.read_text('utf-8'))['sender']
        for part in (path, path.with_suffix('.eml')):
            part.unlink()
        self.daemon.remove_rules(f'first@{DOMAIN}')
        return made

    def log_in(self, peer, login):
        """The client is known by that name from here on."""
        if self.way != 'sendmail':
            peer.xclient(LOGIN=login)
            return
        if login not in self.logins:
            self.mta.add_login(login, PASSWORD)
            self.logins.add(login)
        peer.login(login, PASSWORD)

    def site_files(self, scenario, wheres=('before', 'after')):
        """Names and scripts of the site."""
        site = scenario.draws.site or {}
        return [(f'{scenario.number}-{where}-{n}', one) for where in wheres for n, one in enumerate(site.get(where, ()))]

    def configure(self, scenario, **more):
        """The configuration in force, as the daemon's next start or reload will read it."""
        users, site = self.daemon.directory / 'users', self.daemon.directory / 'site'
        users.write_text(scenario.draws.map())
        scripts = {f'site_{where}': [site / f'{name}.sieve' for name, _one in self.site_files(scenario, [where]) if scenario.sited] or ''
                   for where in ('before', 'after')}
        self.daemon.configure({
            **self.daemon.values, 'copy_to': f'smtp:127.0.0.1:{self.copies.port}', 'fileinto_by': scenario.fileinto_by,
            'refuse_late': scenario.late, 'redirect_sender': scenario.redirect_sender, 'srs_domain': SRS,
            'filtered_to': f'smtp:127.0.0.1:{self.mta.port}' if scenario.filtered else '',
            'quarantine_to': scenario.quarantine_to, 'authserv_id': 'mx.example.test', 'trouble_times': 1000, 'message_deadline': f'{DEADLINE}s',
            'max_memory': 4096, 'mode': scenario.mode, 'effect': scenario.effect, 'users': users, 'global_dir': self.daemon.directory / 'global',
            **scripts, **more,
        })

    def close(self):
        self.mta.stop()
        self.daemon.close()
        for one in (self.copies, self.queue):
            one.stop()

    def restart_mta(self):
        self.mta.stop()
        try:
            self.mta.start()
        except (TimeoutError, subprocess.TimeoutExpired):
            self.mta.start()    # somebody had the port for a moment

    def release(self):
        """What is left in the queue; what is on hold has been looked at now."""
        if self.way == 'sendmail':
            held = list((self.mta.directory / 'queue').glob('hf*'))
            if held:
                self.mta.run('-qQ', '-Q')
            return held + self.mta.queue()
        left = self.mta.queue()
        if any(message['queue_name'] == 'hold' for message in left):
            self.mta.run('postsuper', '-H', 'ALL')
        return left

    def wait_empty(self, keep_up=None, seconds=300):
        """Until the queue is empty; keep_up is called meanwhile."""
        until = time.monotonic() + seconds
        flushed = time.monotonic()
        while self.release():
            if keep_up:
                keep_up()
            if time.monotonic() > until:
                raise TimeoutError(f'{self.way}: the queue is not empty after {seconds} s')
            if time.monotonic() - flushed > 0.3:
                self.mta.flush()
                flushed = time.monotonic()
            time.sleep(0.02)

    def collect(self, runs):
        """What came, to the directory of the run that it belongs to; the names of what belongs to none."""
        stray = []
        for way, one in (('copies', self.copies), ('queue', self.queue)):
            for path in sorted(one.directory.glob('*.json')):
                tag = TAG.search(path.read_bytes()) or TAG.search(path.with_suffix('.eml').read_bytes())
                run = runs.get(int(tag[1])) if tag else None
                if not run:
                    stray.append(f'{way}: {path.read_text("utf-8")}')
                to = run.directory / way if run else None
                for part in (path, path.with_suffix('.eml')):
                    if to:
                        to.mkdir(exist_ok=True)
                        shutil.move(part, to / part.name)
                    else:
                        part.unlink()
        return stray
