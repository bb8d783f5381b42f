# world.py - a mail server with tamis-milter, and one server that takes all that leaves
# SPDX-License-Identifier: BSD-2-Clause
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import client
import daemon
import page
import place
import postfix
import sendmail
import sink

SENDER = 's@client.example'
OURS = re.compile(rb'(?i)(Received|Tamis-[\w-]+):')


def missing(kind):
    return daemon.missing() or {'postfix': postfix, 'sendmail': sendmail}[kind].missing()


def message(number, subject='hello', more=(), body=b'Hello.\r\n.\r\n..dots\r\nend\r\n'):
    """Complete, so that no mail server adds to it."""
    lines = [f'Message-ID: <{number}@client.example>', 'Date: Sat, 28 Nov 2026 12:00:00 +0000',
             f'From: Somebody <{SENDER}>', 'To: everybody:;', f'Subject: {subject}', *more]
    return ''.join(line + '\r\n' for line in lines).encode('utf-8', 'surrogateescape') + b'\r\n' + body


def split(content):
    """Header fields, each with its line ends, and the rest."""
    head, empty, body = content.partition(b'\r\n\r\n')
    fields = re.findall(rb'[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*', head + b'\r\n')
    return fields, (b'\r\n' if empty else b'') + body


def received(content):
    """How many servers had it in their hands."""
    return sum(field.startswith(b'Received:') for field in split(content)[0])


def without_trace(content):
    """Without the Received fields above all others."""
    fields, rest = split(content)
    while fields and fields[0].startswith(b'Received:'):
        fields.pop(0)
    return b''.join(fields) + rest


def without_ours(content):
    """Without any Received field and any of our marks; and the marks."""
    fields, rest = split(content)
    marks = [field for field in fields if field.lower().startswith(b'tamis-')]
    return b''.join(field for field in fields if not OURS.match(field)) + rest, marks


def front_of(second, directory, destination, domains, **options):
    """The Sendmail in front of the one that has the filter in mode = final, which gets these domains: its mailer is that
    of doc/sendmail.md."""
    doc = page.Page(pathlib.Path(__file__).resolve().parents[2] / 'doc/sendmail.md')
    block, = [block for block in doc.of('Behind the queue') if block.kind == 'mc-first']
    definitions = block.text.replace('10031', str(second.port))
    assert definitions != block.text, block.text
    return sendmail.PrivateSendmail(directory, destination=destination, definitions=definitions,
                                    routes={domain: 'tamis-split:[127.0.0.1]' for domain in domains}, **options)


class World:
    """kind: postfix or sendmail.  rules and settings as for Daemon, mta: more arguments of the mail server: with
    mode = final and Sendmail, of the first of two."""

    def __init__(self, directory, kind, rules=None, settings=None, sections='', mta=None, environment=None):
        self.directory, self.kind = pathlib.Path(directory), kind
        self.sink = sink.Sink(self.directory / 'sink', durable=False)
        final = (settings or {}).get('mode') == 'final'
        self.daemon = daemon.Daemon(self.directory / 'tamis', rules, environment=environment)
        options = dict(mta or {})
        self.front = None
        if kind == 'postfix':
            way = f'smtp:[127.0.0.1]:{self.sink.port}'
            self.mta = postfix.PrivatePostfix(self.directory / 'mta', milters=self.daemon.milter, mailboxes=way,
                                              outside=way, final=final, **options)
        else:
            self.mta = sendmail.PrivateSendmail(self.directory / 'mta', milter=self.daemon.milter,
                                                destination=self.sink.port, **({} if final else options))
            if final:
                domains = {'example.test', (settings or {}).get('srs_domain', 'example.test')}
                self.front = front_of(self.mta, self.directory / 'front', self.sink.port, domains, **options)
        self.entry = self.front or self.mta
        self.daemon.configure({**self.daemon.values, 'mode': 'edge', 'fileinto_by': 'detail',
                               'copy_to': f'smtp:127.0.0.1:{self.mta.free_port}',
                               'filtered_to': f'smtp:127.0.0.1:{self.entry.port}', **(settings or {})}, sections)
        self.number = 0

    def __enter__(self):
        self.daemon.start()
        try:
            self.mta.start()
            if self.front:
                self.front.start()
        except Exception:
            self.mta.stop()
            self.daemon.stop()
            raise
        return self

    def __exit__(self, *what):
        if self.front:
            self.front.stop()
        self.mta.stop()
        status = self.daemon.stop()
        self.sink.stop()
        if what[0] is None and (status or 'Sanitizer' in self.daemon.log()):
            raise RuntimeError(f'tamis-milter ended with status {status}:\n{self.daemon.log()[-4000:]}')

    def address(self, name):
        return name if '@' in name or not name else f'{name}@example.test'

    def send(self, recipients, content=None, sender=SENDER, parameters='', port=None, helo='client.example', **xclient):
        """What the sender was told.  Recipients without a domain are of example.test."""
        self.number += 1
        content = message(self.number) if content is None else content
        recipients = [self.address(r) if isinstance(r, str) else (self.address(r[0]), r[1]) for r in recipients]
        return client.send(port or self.entry.port, sender, recipients, content, parameters, helo, **xclient)

    def run(self, tap, title, test):
        """Of what failed the daemon's last words are shown."""
        before = tap.failed
        tap.run(title, test, self)
        if tap.failed > before:
            for line in self.daemon.log().splitlines()[-12:]:
                print('# ' + line)

    def settle(self, seconds=30):
        """Until no server has anything: what leaves one may be on its way to the other."""
        servers = [self.mta] if not self.front else [self.front, self.mta]
        place.wait_for(lambda: not any(server.queue() for _twice in range(2) for server in servers), seconds, 'empty queues')

    def arrived(self, identity=None):
        """[(recipient, sender, content)] of what has arrived, by recipient; of the message with that Message-ID."""
        found = []
        for copy in self.sink.transactions():
            if identity is None or f'Message-ID: <{identity}@client.example>\r\n'.encode() in copy.content:
                found += [(address, copy.sender, copy.content) for address in copy.addresses]
        return sorted(found)
