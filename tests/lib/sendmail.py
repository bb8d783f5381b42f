# sendmail.py - a Sendmail of one's own, from its packages unpacked somewhere: it is not installed
# SPDX-License-Identifier: BSD-2-Clause
import os
import pathlib
import shlex
import shutil
import socket
import stat
import subprocess
import threading

import place

FILES = ('usr/libexec/sendmail/sendmail', 'usr/share/sendmail/cf/m4/cf.m4')
SPACES = ('--uts', '--mount')
MARK = b'up to here'

PASSWORDS = 'usr/sbin/saslpasswd2'
PLUGINS = ('plain', 'sasldb')

CONFIGURATION = '''divert(0)dnl
OSTYPE(`linux')dnl
define(`QUEUE_DIR', `{directory}/queue')dnl
define(`MSP_QUEUE_DIR', `{directory}/queue')dnl
define(`STATUS_FILE', `{directory}/statistics')dnl
define(`HELP_FILE', `{directory}/help')dnl
define(`ALIAS_FILE', `{directory}/etc/aliases')dnl
define(`confPID_FILE', `{directory}/sendmail.pid')dnl
define(`confHOST_STATUS_DIRECTORY', `')dnl
define(`confSERVICE_SWITCH_FILE', `{directory}/etc/service.switch')dnl
define(`confHOSTS_FILE', `/etc/hosts')dnl
define(`confDOMAIN_NAME', `mx.example.test')dnl
define(`confDONT_BLAME_SENDMAIL', `GroupReadableKeyFile,GroupWritableDirPathSafe,AssumeSafeChown')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`confDEF_USER_ID', `nobody:nogroup')dnl
define(`confTO_IDENT', `0')dnl
define(`confTO_COMMAND', `60s')dnl
define(`confLOG_LEVEL', `14')dnl
define(`confMAX_DAEMON_CHILDREN', `0')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confREFUSE_LA', `1000')dnl
define(`confMIN_QUEUE_AGE', `0')dnl
define(`confBAD_RCPT_THROTTLE', `0')dnl
define(`confSMTP_LOGIN_MSG', `mx.example.test Sendmail')dnl
define(`confPRIVACY_FLAGS', `')dnl
define(`confEIGHT_BIT_HANDLING', `pass8')dnl
define(`confMILTER_LOG_LEVEL', `14')dnl
define(`SMTP_MAILER_ARGS', `TCP $h {destination}')dnl
define(`ESMTP_MAILER_ARGS', `TCP $h {destination}')dnl
define(`RELAY_MAILER_ARGS', `TCP $h {destination}')dnl
define(`SMTP_MAILER_LL', `0')dnl
MODIFY_MAILER_FLAGS(`SMTP', `+X')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`promiscuous_relay')dnl
FEATURE(`mailertable', `hash -o {directory}/etc/mailertable')dnl
FEATURE(`virtusertable', `hash -o {directory}/etc/virtusertable')dnl
{settings}
DAEMON_OPTIONS(`Name=MTA, Addr=127.0.0.1, Port={port}, Family=inet, Listen=128')dnl
DAEMON_OPTIONS(`Name=FREE, Addr=127.0.0.1, Port={free}, Family=inet, Listen=128, InputMailFilters=')dnl
{filter}
VIRTUSER_DOMAIN(`example.test')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
'''

# what the command `sendmail` reads: it hands over by SMTP, as it is installed
SUBMISSION = '''divert(0)dnl
OSTYPE(`linux')dnl
define(`MSP_QUEUE_DIR', `{directory}/client')dnl
define(`STATUS_FILE', `{directory}/client/statistics')dnl
define(`confPID_FILE', `{directory}/client/pid')dnl
define(`confRUN_AS_USER', `nobody:nogroup')dnl
define(`confHOST_STATUS_DIRECTORY', `')dnl
define(`confSERVICE_SWITCH_FILE', `{directory}/etc/service.switch')dnl
define(`confHOSTS_FILE', `/etc/hosts')dnl
define(`confDOMAIN_NAME', `mx.example.test')dnl
define(`confDONT_BLAME_SENDMAIL', `GroupReadableKeyFile,GroupWritableDirPathSafe,AssumeSafeChown')dnl
define(`confTO_IDENT', `0')dnl
define(`confEIGHT_BIT_HANDLING', `pass8')dnl
define(`confLOG_LEVEL', `14')dnl
define(`confMIN_QUEUE_AGE', `0')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confREFUSE_LA', `1000')dnl
define(`RELAY_MAILER_ARGS', `TCP $h {port}')dnl
FEATURE(`nocanonify')dnl
FEATURE(`msp', `[127.0.0.1]')dnl
'''


def root():
    """Where build-aux/deps put the packages."""
    source = os.environ.get('TAMIS_SOURCE') or pathlib.Path(__file__).resolve().parents[2]
    return pathlib.Path(os.environ.get('TAMIS_SENDMAIL') or pathlib.Path(source) / '.build/sendmail')


def missing():
    """Why there can be none here; else None."""
    if os.geteuid() != 0:
        return 'only root can start Sendmail'
    if not all((root() / name).exists() for name in FILES) or not shutil.which('m4'):
        return f'no Sendmail in {root()}: build-aux/deps sendmail'
    if subprocess.run(['unshare', *SPACES, 'true'], stderr=subprocess.DEVNULL, check=False).returncode:
        return 'no namespaces here, in which Sendmail has its host name and /dev/log'
    return None


def missing_login():
    """Why nobody can log in here; else None."""
    if not (root() / PASSWORDS).exists() or not all(plugin(name) for name in PLUGINS):
        return f'no SASL in {root()}: build-aux/deps sendmail'
    return None


def plugin(name):
    return next(root().glob(f'usr/lib/*/sasl2/lib{name}.so'), None)


class Syslog:
    """What a server says to /dev/log, in a mount namespace where that is ours."""

    def __init__(self, path):
        self.lines = []
        self._path, self._read_up_to = str(path), threading.Event()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        os.chmod(path, 0o666)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            try:
                text = self._socket.recv(65536)
            except OSError:
                return
            if text == b'':
                return
            if text == MARK:
                self._read_up_to.set()
                continue
            self.lines.append(text.decode('utf-8', 'replace').rstrip('\n'))

    def await_read(self):
        """What was said before is in lines."""
        self._read_up_to.clear()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as said:
            said.sendto(MARK, self._path)
        if not self._read_up_to.wait(120):
            raise TimeoutError('what is said to /dev/log is not read')

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class PrivateSendmail(place.Server):
    """port has the milter (a socket as Sendmail writes it: unix:/path), free_port has none.  All mail goes to the
    SMTP server at port `destination` of this machine, unless `routes` (of the mailertable) lead a domain elsewhere.
    settings stand before the mailers, definitions behind them.  users: {'alice@example.test': password} may log in.
    access: {key: value} of the access map."""

    def __init__(self, directory, milter='', destination=25, aliases=None, virtual=None, settings='',
                 local=('local.example.test',), routes=None, definitions='', users=None, access=None):
        self.directory = pathlib.Path(directory)
        self.etc = self.directory / 'etc'
        self.binary = root() / FILES[0]
        self.port, self.free_port = place.free_port(), place.free_port()
        self.syslog = None
        for name in ('etc', 'queue', 'client'):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
            (self.directory / name).chmod(0o755 if name == 'etc' else 0o700)
        (self.directory / 'client/statistics').touch()
        for path in (self.directory / 'client', self.directory / 'client/statistics'):
            shutil.chown(path, 'nobody', 'nogroup')
        (self.directory / 'statistics').touch()
        (self.directory / 'help').touch()
        (self.etc / 'service.switch').write_text('hosts files\naliases files\n')
        if users:
            settings += self._logins(users)
            definitions += ''.join(f'LOCAL_CONFIG\nE{name}={self.etc / "sasl"}\n' for name in ('SASL_CONF_PATH', 'SASL_PATH'))
        if access:
            settings += f"\nFEATURE(`access_db', `hash -o {self.etc / 'access'}')dnl"
        each = 'F=T, T=C:30s;S:30s;R:5m;E:5m' if milter else ''
        filters = f"INPUT_MAIL_FILTER(`tamis', `S={milter}, {each}')dnl" if milter else 'dnl'
        text = CONFIGURATION.format(directory=self.directory, destination=destination, port=self.port,
                                    free=self.free_port, filter=filters, settings=settings or 'dnl')
        text += definitions + 'LOCAL_CONFIG\n' + ''.join(f'Cw{name}\n' for name in local)
        (self.etc / 'sendmail.mc').write_text(text)
        self._compile()
        (self.etc / 'submit.mc').write_text(SUBMISSION.format(directory=self.directory, port=self.port))
        self._compile('submit')
        self._make_devices()
        self._table('mailertable', {'example.test': 'smtp:[127.0.0.1]', '.': 'smtp:[127.0.0.1]', **(routes or {})})
        self._table('virtusertable', virtual or {})
        self._table('access', access or {})
        (self.etc / 'aliases').write_text(''.join(f'{key}: {value}\n' for key, value in (aliases or {}).items()))
        self.run('-bi')

    def _logins(self, users):
        """What SASL is told, and of it Sendmail: in a directory of ours, for it takes nothing from where others may write."""
        where = self.etc / 'sasl'
        where.mkdir()
        for name in PLUGINS:
            shutil.copy(plugin(name), where)
        for user, password in users.items():
            self.add_login(user, password)
        (where / 'Sendmail.conf').write_text('pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN\n'
                                             f'sasldb_path: {where / "passwords"}\n')
        return "define(`confAUTH_MECHANISMS', `PLAIN')dnl\nTRUST_AUTH_MECH(`PLAIN')dnl\n"

    def add_login(self, user, password):
        """Somebody more who may, where anybody may."""
        passwords = self.etc / 'sasl/passwords'
        name, _at, realm = user.partition('@')
        subprocess.run([root() / PASSWORDS, '-c', '-p', '-f', passwords, '-u', realm, name], input=password.encode(), check=True)
        passwords.chmod(0o600)

    def _make_devices(self):
        devices = self.directory / 'dev'
        devices.mkdir(exist_ok=True)
        for name, minor in (('null', 3), ('zero', 5), ('random', 8), ('urandom', 9)):
            if not (devices / name).exists():
                os.mknod(devices / name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
                (devices / name).chmod(0o666)

    def _table(self, name, entries):
        text = ''.join(f'{key}\t{value}\n' for key, value in entries.items())
        subprocess.run([self.binary.with_name('makemap'), '-C', self.etc / 'sendmail.cf', 'hash', self.etc / name], input=text.encode(), check=True,
                       env=self._environment())

    def _compile(self, name='sendmail'):
        base = root() / 'usr/share/sendmail/cf'
        done = subprocess.run(['m4', f'-D_CF_DIR_={base}/', base / 'm4/cf.m4', self.etc / f'{name}.mc'],
                              cwd=base / 'cf', stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
        path = self.etc / f'{name}.cf'
        path.write_bytes(done.stdout)
        path.chmod(0o644)

    def _environment(self):
        libraries = [str(path.parent) for path in root().glob('**/libwrap.so.0')]
        return {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LD_LIBRARY_PATH': ':'.join(libraries), 'TZ': 'UTC'}

    def _command(self, *arguments, name='sendmail'):
        """In a namespace with a host name of ours, or it sleeps for a minute, and with /dev/log ours."""
        script = 'hostname mx.example.test && mount --bind "$1" /dev && shift && exec "$@"'
        return ['unshare', *SPACES, 'sh', '-c', script, 'sh', str(self.directory / 'dev'),
                str(self.binary), '-C', str(self.etc / f'{name}.cf'), *map(str, arguments)]

    def start(self):
        self.syslog = Syslog(self.directory / 'dev/log')
        self.process = place.start(self._command('-bD', '-q1s'), self.directory / 'sendmail.out',
                                   env=self._environment())
        return self.await_start('Sendmail')

    def stop(self):
        super().stop()
        if self.syslog:
            self.syslog.close()
            (self.directory / 'dev/log').unlink(missing_ok=True)

    def run(self, *arguments, data=b'', name='sendmail'):
        """Sendmail's command: its output."""
        done = subprocess.run(self._command(*arguments, name=name), input=data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=self._environment(), check=False, timeout=300)
        return done.stdout.decode('utf-8', 'replace')

    def install(self, directory):
        """A program `sendmail` there, as somebody types it, is this one."""
        environment = [f'{name}={value}' for name, value in self._environment().items()]
        path = pathlib.Path(directory, 'sendmail')
        path.write_text(f'#!/bin/sh\nexec env {shlex.join([*environment, *self._command()])} "$@"\n')
        path.chmod(0o755)

    def submit(self, *arguments, data):
        """As a program on this machine does: by SMTP from 127.0.0.1, or into a queue from which that is tried again."""
        return self.run(*arguments, data=data, name='submit')

    def queue(self):
        return sorted(path.name for where in ('queue', 'client') for path in (self.directory / where).glob('[qQ]f*'))

    def flush(self):
        self.run('-q')
        self.run('-q', name='submit')

    def log(self):
        out = self.directory / 'sendmail.out'
        return '\n'.join(self.syslog.lines if self.syslog else []) + '\n' + (
            out.read_text('utf-8', 'replace') if out.exists() else '')
