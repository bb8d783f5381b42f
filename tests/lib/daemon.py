# daemon.py - a tamis-milter of one's own
# SPDX-License-Identifier: BSD-2-Clause
import contextlib
import grp
import os
import pathlib
import platform
import re
import signal
import time

import milter
import place

SILENT = 0.03           # seconds; a thread that waits for the time to write the log waits for less
FUTEX = {'x86_64': '202', 'aarch64': '98'}.get(platform.machine())
PAIR = re.compile(r'([A-Za-z][\w.-]*)=("(?:[^"\\]|\\.)*"|\S*)')


def program():
    return os.path.abspath(os.environ.get('TAMIS_MILTER') or
                           os.path.join(os.environ.get('TAMIS_BUILD', '.build/gcc'), 'tamis-milter'))


def missing():
    """Why there can be none; else None."""
    return None if os.access(program(), os.X_OK) else f'{program()} has not been built'


def is_sanitized():
    """Built with AddressSanitizer: it holds what was freed, and more."""
    return b'__asan_init' in pathlib.Path(program()).read_bytes()


def own_data(pid):
    """The addresses of what the program itself has: neither a library nor the heap."""
    first = last = 0
    with contextlib.suppress(OSError):
        for line in pathlib.Path(f'/proc/{pid}/maps').read_text('utf-8', 'replace').splitlines():
            begin, end = (int(number, 16) for number in line.split(' ')[0].split('-'))
            if line.endswith('/tamis-milter') or begin == last and line.endswith(' 0 '):
                first, last = first or begin, end
    return range(first, last)


def rests(task, data):
    """Does it wait for somebody or for a time, whichever is first?  So the thread does that writes the log, between two writes;
    else it waits for a line alone."""
    with contextlib.suppress(OSError):             # it has ended
        call = (task / 'syscall').read_text('ascii').split()
        return call[0] == FUTEX and int(call[1], 16) in data and int(call[4], 16) != 0
    return False


def threads(pid, data):
    """{thread: what changes when it does anything}."""
    found = {}
    for path in pathlib.Path(f'/proc/{pid}/task').glob('*'):
        with contextlib.suppress(OSError):         # it has ended
            found[path.name] = [rests(path, data), *re.findall(r'^(?:State|\w+_ctxt_switches):\s*(\w+)',
                                                               (path / 'status').read_text('utf-8'), re.M)]
    return found


def await_log(pid, seconds=30):
    """Lines are written a little later than they are said: until no thread does anything, or would if it were its turn."""
    until, data = time.monotonic() + seconds, own_data(pid)
    before, after = None, threads(pid, data)
    while (before != after or any(rest or state in 'RD' for rest, state, *_switches in after.values())) and time.monotonic() < until:
        time.sleep(SILENT)
        before, after = after, threads(pid, data)


def parse(line):
    """The key=value pairs of a line of the log."""
    pairs = {}
    for key, value in PAIR.findall(line):
        if value.startswith('"'):
            value = re.sub(r'\\(.)', r'\1', value[1:-1])
        pairs.setdefault(key, value)
    return pairs


class Daemon:
    """rules: {user: text}; the user is a local part of example.test, or an address.  settings: lines of tamis.conf
    as a dictionary, a value may be a list; sections: more text for its end."""

    def __init__(self, directory, rules=None, settings=None, sections='', environment=None):
        self.directory = pathlib.Path(directory)
        self.rules = self.directory / 'rules'
        self.state = self.directory / 'state'
        self.socket = self.directory / 'milter.sock'
        self.configuration = self.directory / 'tamis.conf'
        self.log_path = self.directory / 'tamis-milter.log'
        self.process = None
        self.environment = environment or {}
        for path in (self.directory, self.rules, self.state):
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o755)
        values = {
            'socket': f'unix:{self.socket}', 'socket_mode': '0660', 'rules_dir': self.rules, 'state_dir': self.state,
            'secret_file': self.state / 'secret', 'spill_dir': self.state, 'effect': 'full', 'log': 'stderr',
            'local_domains': 'example.test', 'hostname': 'mx.example.test', 'user': '',
        }
        if os.geteuid() == 0 and 'postfix' in [group.gr_name for group in grp.getgrall()]:
            values['socket_group'] = 'postfix'
        values.update(settings or {})
        self.configure(values, sections)
        for user, text in (rules or {}).items():
            self.write_rules(user, text)

    @property
    def milter(self):
        """As Postfix and Sendmail write it."""
        return f'unix:{self.socket}'

    def configure(self, values, sections=''):
        text = ''
        for name, value in values.items():
            if value is not None and value != '':
                text += f'{name} = {", ".join(map(str, value)) if isinstance(value, (list, tuple)) else value}\n'
        self.configuration.write_text(text + sections)
        self.values, self.sections = dict(values), sections

    def write_rules(self, user, text):
        """As an editor does: the new file takes the old one's place."""
        local, at, domain = user.rpartition('@')
        path = self.rules / (domain if at else 'example.test') / f'{local if at else user}.sieve'
        path.parent.mkdir(exist_ok=True)
        part = path.with_suffix('.part')
        part.write_text(text)
        part.rename(path)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_what):
        self.stop()

    def start(self):
        self.socket.unlink(missing_ok=True)
        self.process = place.start([program(), '-c', self.configuration, '-f'], self.log_path, cwd=self.directory,
                                   env={**os.environ, **self.environment})
        try:
            place.wait_for(lambda: self.process.poll() is not None or self.serves(), 30, 'tamis-milter')
            if self.process.poll() is not None:
                raise RuntimeError(f'tamis-milter did not start:\n{self.log()}')
        except Exception:
            self.stop()
            raise
        return self

    def answers(self):
        return place.answers(self.socket)

    def serves(self):
        """The socket is there before the process has become `user`, read its state and written its pid_file."""
        try:
            with milter.MilterClient(self.socket):
                return True
        except (milter.Gone, OSError):
            return False

    def stop(self):
        """Its exit status."""
        process, self.process = self.process, None
        return place.stop(process, seconds=60)

    def kill(self):
        process, self.process = self.process, None
        place.stop(process, number=signal.SIGKILL)

    def hang_up(self):
        """It will read its configuration again, unless something happens to it."""
        self.process.send_signal(signal.SIGHUP)

    def reload(self):
        """Returns when the configuration has been read, whatever came of it."""
        before = self.log_path.stat().st_size
        self.hang_up()
        place.wait_for(lambda: b' reload=' in self.log_path.read_bytes()[before:], 30, 'the reload')

    def log(self):
        if self.process and self.process.poll() is None:
            await_log(self.process.pid)
        return self.log_path.read_text('utf-8', 'replace') if self.log_path.exists() else ''

    def lines(self, **wanted):
        """Log lines as dictionaries, those that have all of these pairs; "line" is the whole."""
        found = []
        for line in self.log().splitlines():
            pairs = parse(line)
            if all(pairs.get(key) == value for key, value in wanted.items()):
                found.append({**pairs, 'line': line})
        return found

    def status(self, name):
        """A number of /proc/PID/status, such as VmRSS (KiB) or Threads."""
        text = pathlib.Path(f'/proc/{self.process.pid}/status').read_text('utf-8')
        return int(re.search(rf'^{name}:\s*(\d+)', text, re.M)[1])

    def descriptors(self):
        return len(os.listdir(f'/proc/{self.process.pid}/fd'))
