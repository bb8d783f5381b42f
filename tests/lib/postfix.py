# postfix.py - a Postfix of one's own: nothing of /etc/postfix is read or written
# SPDX-License-Identifier: BSD-2-Clause
import grp
import json
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import time

import place

# directories below the queue: mode, and who may write to them
QUEUE = {
    'active': 0o700, 'bounce': 0o700, 'corrupt': 0o700, 'defer': 0o700, 'deferred': 0o700, 'flush': 0o700,
    'hold': 0o700, 'incoming': 0o700, 'private': 0o700, 'saved': 0o700, 'trace': 0o700, 'maildrop': 0o1730,
    'public': 0o2710,
}

MAIN = '''
compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
command_directory = {commands}
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
sendmail_path = {commands}/sendmail
shlib_directory = /usr/lib/postfix
meta_directory = /etc/postfix
html_directory = no
readme_directory = no
sample_directory = no
manpage_directory = /usr/share/man
maillog_file = {directory}/mail.log
maillog_file_prefixes = {directory}

myhostname = mx.example.test
mydomain = example.test
mydestination = local.example.test
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_peername_lookup = no
smtpd_tls_security_level = none
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
smtpd_timeout = 60s
biff = no
message_size_limit = 0
mailbox_size_limit = 0
header_size_limit = 1000000
recipient_delimiter = +

alias_maps = texthash:{directory}/etc/aliases
alias_database =
local_recipient_maps =
virtual_alias_maps = texthash:{directory}/etc/virtual
virtual_mailbox_domains = {domains}
virtual_mailbox_maps =
virtual_transport = {mailboxes}
default_transport = {outside}
relay_domains =
smtp_line_length_limit = 0
lmtp_line_length_limit = 0
smtp_balance_inet_protocols = no
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s

milter_protocol = 6
milter_default_action = tempfail
smtpd_milters = {milters}
non_smtpd_milters = {local_milters}
'''

# qmgr looks each second at what it has left in incoming: that is a message which was flushed while it was being tried
MASTER = '''
127.0.0.1:{port} inet n - n - - smtpd {edge}
127.0.0.1:{free} inet n - n - - smtpd
 -o smtpd_milters= -o syslog_name=postfix/free
pickup unix n - n 1 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
'''

# behind the queue one final recipient for each transaction, after aliases
SPLIT = '''
split unix - - n - - smtp -o smtp_send_xforward_command=yes -o disable_mime_output_conversion=yes
127.0.0.1:{final} inet n - n - - smtpd
 -o smtpd_milters={milters} -o content_filter= -o local_header_rewrite_clients=
 -o receive_override_options=no_address_mappings,no_unknown_recipient_checks
 -o smtpd_authorized_xforward_hosts=127.0.0.0/8
'''


def missing():
    """Why there can be none here; else None."""
    if os.geteuid() != 0:
        return 'only root can start Postfix'
    if not shutil.which('postconf', path='/usr/sbin:/sbin:' + os.environ.get('PATH', '')):
        return 'Postfix is not installed'
    return None


class PrivatePostfix(place.Server):
    """Ports: port has the milter and faces the world, free has none.  With final=True the milter is behind the
    queue (port `final`), unless edge_milters names one for the front as well.

    mailboxes, outside: transports, such as lmtp:inet:127.0.0.1:PORT and smtp:[127.0.0.1]:PORT.
    aliases: of local.example.test; virtual: virtual_alias_maps; settings: any parameters; services: more of
    master.cf."""

    def __init__(self, directory, milters='', mailboxes='discard:', outside='discard:', domains=('example.test',),
                 aliases=None, virtual=None, settings=None, services='', final=False, edge_milters=''):
        self.directory = pathlib.Path(directory)
        self.etc = self.directory / 'etc'
        self.log_path = self.directory / 'mail.log'
        self.port, self.free_port, self.final_port = place.free_port(), place.free_port(), place.free_port()
        self._make(milters)
        values = {
            'directory': self.directory, 'commands': self._default('command_directory'),
            'daemons': self._default('daemon_directory'), 'domains': ' '.join(domains), 'mailboxes': mailboxes,
            'outside': outside, 'milters': milters, 'local_milters': milters if not final else '',
            'port': self.port, 'free': self.free_port, 'final': self.final_port, 'edge': '',
        }
        self._daemons = values['daemons']
        master = MASTER + services
        if final:
            values['edge'] = (f'-o content_filter=split:[127.0.0.1]:{self.final_port}'
                              f' -o smtpd_milters={edge_milters}')
            master += SPLIT
        main = MAIN.format(**values) + ('split_destination_recipient_limit = 1\n' if final else '')
        # what stands there twice every process warns of, and postlogd, which has to take that, waits for itself now and then
        for name, value in (settings or {}).items():
            main = re.sub(rf'(?m)^{name} =.*\n', '', main) + f'{name} = {value}\n'
        self._write('main.cf', main)
        self._write('master.cf', master.format(**values))
        self.write_map('aliases', aliases or {})
        self.write_map('virtual', virtual or {})

    @staticmethod
    def _default(name):
        return subprocess.run(['/usr/sbin/postconf', '-dh', name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              check=True, text=True).stdout.strip()

    def _make(self, _milters):
        owner, drop = pwd.getpwnam('postfix'), grp.getgrnam('postdrop').gr_gid
        for path in (self.directory, self.etc, self.directory / 'queue', self.directory / 'queue/pid'):
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o755)
        (self.directory / 'data').mkdir(exist_ok=True)
        os.chown(self.directory / 'data', owner.pw_uid, owner.pw_gid)
        for name, mode in QUEUE.items():
            path = self.directory / 'queue' / name
            path.mkdir(exist_ok=True)
            os.chown(path, owner.pw_uid, drop if mode & 0o70 else owner.pw_gid)
            path.chmod(mode)

    def _write(self, name, text):
        """Postfix does not trust a file that was changed just now, and waits: this one seems to be an hour old."""
        path = self.etc / name
        path.write_text(text)
        before = time.time() - 3600
        os.utime(path, (before, before))

    def write_map(self, name, entries):
        self._write(name, ''.join(f'{key} {value}\n' for key, value in entries.items()))

    def start(self):
        self.process = place.start([f'{self._daemons}/master', '-c', self.etc, '-d'], self.directory / 'master.out')
        return self.await_start('Postfix')

    def run(self, *command, data=b''):
        """One of Postfix's commands, on this instance: its output."""
        name, *rest = command
        option = '-C' if name == 'sendmail' else '-c'
        done = subprocess.run([f'/usr/sbin/{name}', option, str(self.etc), *map(str, rest)], input=data,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=300)
        return done.stdout.decode('utf-8', 'replace')

    def listed(self):
        return [json.loads(line) for line in self.run('postqueue', '-j').split('\n') if line.startswith('{')]

    def queue(self):
        """What waits: a list of dictionaries.  One directory is read after the other: what goes from one to another meanwhile
        may be in neither."""
        return self.listed() or self.listed()

    def flush(self):
        self.run('postqueue', '-f')

    def log(self):
        text = self.log_path.read_text('utf-8', 'replace') if self.log_path.exists() else ''
        out = self.directory / 'master.out'
        return text + (out.read_text('utf-8', 'replace') if out.exists() else '')

    def complaints(self):
        """Lines of the log that say that something is wrong with this Postfix."""
        return [line for line in self.log().splitlines() if re.search(r'(warning|error|fatal|panic): ', line)]
