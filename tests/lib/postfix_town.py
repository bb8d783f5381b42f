# postfix_town.py - a machine with Debian's Postfix, to which doc/postfix.md is to be done
# SPDX-License-Identifier: BSD-2-Clause
import functools
import pathlib
import re
import subprocess

import client
import page
import place
from tap import equal
from town import SENDER, Town, bare

LOG = pathlib.Path('/var/log/mail.log')

# Debian's Postfix, for example.org: all mail ends in a server that keeps what it takes
BEFORE = '''
myhostname = mx.example.org
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_peername_lookup = no
smtpd_authorized_xclient_hosts = 127.0.0.0/8
maillog_file = /var/log/mail.log
virtual_mailbox_domains = example.org
virtual_mailbox_maps = texthash:/etc/postfix/mailboxes
virtual_alias_maps = texthash:/etc/postfix/virtual
always_bcc = archive@example.org
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
alias_maps =
smtp_line_length_limit = 0
'''

MAILBOXES = ''.join(f'{name}@example.org ok\n' for name in ('alice', 'al', 'bob', 'carol', 'archive'))
VIRTUAL = 'team@example.org alice@example.org bob@example.org\nal@example.org alice@example.org al@example.org\n'


SERVERS = ('smtpd', 'cleanup', 'pickup', 'qmgr', 'trivial-rewrite', 'smtp', 'local', 'bounce', 'proxymap')


def servers():
    """Processes of Postfix that have read their settings, and go on by them until they end."""
    found = []
    for path in pathlib.Path('/proc').glob('[0-9]*'):
        try:
            if (path / 'cmdline').read_bytes().split(b'\0')[0].decode('utf-8', 'replace') in SERVERS:
                found.append(path)
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def reloading(act):
    """What act says that has "postfix reload" in it; no mail that comes from now on finds the settings from before."""
    old = servers()
    said = act()
    place.wait_for(lambda: not set(old) & set(servers()), 20, 'an end of what was there before the reload')
    return said


def reloaded(changes):
    reloading(lambda: subprocess.run(f'{changes} && postfix reload', shell=True, check=True, stderr=subprocess.DEVNULL))


class Guide(page.Page):
    def do(self, block, *how, **known):
        act = functools.partial(super().do, block, *how, **known)
        return reloading(act) if 'postfix reload' in block.text else act()


class PostfixTown(Town):
    """The machine: its Postfix as it was before, the server behind it, and the page."""
    def __init__(self, name):
        super().__init__(name)
        self.page = Guide(self.page.path)

    def found(self):
        """What was on the machine before."""
        way = f'smtp:[127.0.0.1]:{self.sink.port}'
        text = pathlib.Path('/usr/share/postfix/main.cf.debian').read_text() + BEFORE
        text += f'virtual_transport = {way}\ndefault_transport = {way}\nrelay_transport = {way}\n'
        pathlib.Path('/etc/postfix/main.cf').write_text(text)
        pathlib.Path('/etc/postfix/mailboxes').write_text(MAILBOXES)
        pathlib.Path('/etc/postfix/virtual').write_text(VIRTUAL)
        services = pathlib.Path('/usr/share/postfix/master.cf.dist').read_text()
        # clients of this machine are to be like those from outside, whose addresses are not completed
        services = re.sub(r'(?m)^(smtp +inet .*smtpd)$', r'\1\n  -o local_header_rewrite_clients=', services)
        assert '  -o local_header' in services
        # what postsuper -r puts there, pickup finds at once
        services, found = re.subn(r'(?m)^(pickup +unix +n +- +y +)60 ', r'\g<1>1 ', services)
        equal(found, 1)
        # what was tried again while it was still being delivered, qmgr leaves in incoming for a minute: it looks there then
        services, found = re.subn(r'(?m)^(qmgr +unix +n +- +n +)300 ', r'\g<1>1 ', services)
        equal(found, 1)
        pathlib.Path('/etc/postfix/master.cf').write_text(services)
        for name in ('/var/lib/postfix', '/var/spool/postfix'):
            pathlib.Path(name).chmod(0o755)
        subprocess.run('chown postfix /var/lib/postfix; /usr/lib/postfix/configure-instance.sh - && postfix start',
                       shell=True, check=True, stdout=subprocess.DEVNULL)
        place.wait_for(lambda: place.listens(25), 20, 'Postfix')

    def message(self, subject, more=()):
        return self.content(subject, 'root', more, b'\xe9\r\n.dot\r\n' + b'long' * 700 + b'\r\n')

    def send(self, recipients, subject='the list', more=(), port=25, sender=SENDER, content=None):
        recipients = [r if '@' in r else f'{r}@example.org' for r in recipients]
        content = self.message(subject, more) if content is None else content
        told = client.send(port, sender, recipients, content, 'BODY=8BITMIME', ADDR='192.0.2.7', NAME='client.example')
        self.settle()
        return told

    def settle(self):
        def listed():
            return subprocess.run(['postqueue', '-j'], stdout=subprocess.PIPE, check=True, text=True).stdout

        def queue():
            """What goes from one directory to another while they are read may be in neither."""
            return listed() or listed()
        try:
            place.wait_for(lambda: not queue(), 20, 'an empty queue')
        except TimeoutError:
            left = queue()
            subprocess.run(['postsuper', '-d', 'ALL'], check=True)
            why = re.findall('.*(?:fatal|warning): .*', LOG.read_text('utf-8', 'replace'))
            raise AssertionError('\n'.join(['left in the queue:', left, *why[-3:]])) from None

    def hold(self, recipients):
        """What the sender is told of a message that comes on hold."""
        told = client.send(25, SENDER, [f'{r}@example.org' for r in recipients], self.message('the list'), 'BODY=8BITMIME',
                           ADDR='192.0.2.7', NAME='client.example')
        self.held()
        return told.fates()

    @staticmethod
    def held():
        def only():
            listed = subprocess.run(['postqueue', '-j'], stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()
            return len(listed) == 1 and '"queue_name": "hold"' in listed[0]
        place.wait_for(only, 20, 'a message on hold, and no other')

    def came(self):
        """{recipient: [transaction]} of the last message; the archive's apart."""
        found = self.transactions()
        self.archived = len(found.pop('archive@example.org', []))
        return found


def unchanged(town):
    """Mail passes as it came, and nothing is done to it."""
    town.send(['alice', 'team', 'carol'])
    equal({who: [bare(one.content).replace(b'<%d@' % town.number, b'<1@') for one in all_] for who, all_ in town.came().items()},
          town.reference)
    equal(town.archived, 1, 'copies in the archive')


def by_sendmail(town):
    subprocess.run(['sendmail', '-f', SENDER, 'alice@example.org'], input=town.message('x').replace(b'\r\n', b'\n'), check=True)
    place.wait_for(town.came, 20, 'the message')
    town.settle()
    return sorted(town.came())
