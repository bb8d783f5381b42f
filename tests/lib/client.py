# client.py - an SMTP client that sends exactly these bytes and keeps the dialogue
# SPDX-License-Identifier: BSD-2-Clause
import base64
import re
import socket
import time


class Reply:
    def __init__(self, lines):
        self.lines = lines              # bytes, without line ends
        self.code = int(lines[-1][:3])

    @property
    def text(self):
        return b'\n'.join(line[4:] for line in self.lines).decode('utf-8', 'replace')

    def __str__(self):
        return b'\n'.join(self.lines).decode('utf-8', 'replace')

    __repr__ = __str__


class Gone(Exception):
    """The server closed the connection, or said something that is no reply."""


class Fates(list):
    """Codes; a test that expected others shows all that was said."""

    def __init__(self, replies):
        super().__init__(reply.code if reply else None for reply in replies)
        self.replies = replies

    def __repr__(self):
        return repr(self.replies)


class Told:
    """What the sender was told of one message: a Reply, or None where it was not reached."""

    def __init__(self, recipients):
        self.mail = self.data = self.final = None
        self.recipients = recipients
        self.rcpt = [None] * len(recipients)
        self.gone = None                # why the connection ended early

    def fates(self):
        """For each recipient the code that settles it: that of RCPT unless 250, else that of the end of data."""
        last_words = []
        for rcpt in self.rcpt:
            last = rcpt
            if rcpt and rcpt.code // 100 == 2:
                last = self.final or (self.data if self.data and self.data.code != 354 else None)
            elif self.mail and self.mail.code // 100 != 2:
                last = self.mail
            last_words.append(last)
        return Fates(last_words)


def stuff(content):
    """As it goes through DATA: a dot more before a line that begins with one, and the end."""
    content = re.sub(rb'(\A|\r\n)\.', rb'\1..', content)
    if content and not content.endswith(b'\r\n'):
        content += b'\r\n'
    return content + b'.\r\n'


class Client:
    def __init__(self, port, helo='client.example', timeout=300, host='127.0.0.1', path=None, source=None):
        self.dialogue = []              # (seconds, "C" or "S", bytes without line end)
        self.extensions = set()
        self._begin = time.monotonic()
        if path:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(str(path))
        else:
            self.socket = socket.create_connection((host, port), timeout, source and (source, 0))
        self._input = self.socket.makefile('rb')
        self.banner = self.reply()
        self.helo = helo
        if helo:
            self.greet(helo)

    def __enter__(self):
        return self

    def __exit__(self, *_what):
        try:
            self.command('QUIT')
        except (Gone, OSError):
            pass
        self.close()

    def close(self):
        self._input.close()
        self.socket.close()

    def note(self, who, line):
        self.dialogue.append((time.monotonic() - self._begin, who, line))

    def reply(self):
        lines = []
        while True:
            line = self._input.readline(65536)
            if not line.endswith(b'\n'):
                raise Gone(f'the server went away after {lines!r}')
            line = line.rstrip(b'\r\n')
            self.note('S', line)
            if not re.match(rb'[2-5]\d\d([ -]|$)', line):
                raise Gone(f'{line!r} is no reply')
            lines.append(line)
            if line[3:4] != b'-':
                return Reply(lines)

    def write(self, line):
        line = line if isinstance(line, bytes) else line.encode('utf-8', 'surrogateescape')
        self.note('C', line)
        self.socket.sendall(line + b'\r\n')

    def command(self, line):
        self.write(line)
        return self.reply()

    def greet(self, helo, verb='EHLO'):
        answer = self.command(f'{verb} {helo}')
        self.extensions = {line[4:].decode().split(' ')[0].upper() for line in answer.lines[1:]}
        return answer

    def xclient(self, **attributes):
        """Be somebody else (ADDR, NAME, PORT, HELO, LOGIN, PROTO); the server begins again."""
        answer = self.command('XCLIENT ' + ' '.join(f'{name}={value}' for name, value in attributes.items()))
        if self.helo:
            self.greet(self.helo)
        return answer

    def login(self, user, password):
        answer = self.command('AUTH PLAIN ' + base64.b64encode(f'\0{user}\0{password}'.encode()).decode())
        if answer.code != 235:
            raise Gone(f'no login: {answer}')
        return answer

    def send(self, sender, recipients, content, parameters=''):
        """One message.  A recipient is an address or (address, parameters); content goes out byte for byte."""
        recipients = [(r, '') if isinstance(r, str) else tuple(r) for r in recipients]
        told = Told([address for address, _parameters in recipients])
        try:
            told.mail = self.command(f'MAIL FROM:<{sender}> {parameters}'.rstrip())
            if told.mail.code != 250:
                return told
            for at, (address, parameters) in enumerate(recipients):
                told.rcpt[at] = self.command(f'RCPT TO:<{address}> {parameters}'.rstrip())
            if not any(rcpt.code // 100 == 2 for rcpt in told.rcpt):
                self.command('RSET')
                return told
            told.data = self.command('DATA')
            if told.data.code == 354:
                self.note('C', b'[%d bytes]' % len(content))
                self.socket.sendall(stuff(content))
                self.note('C', b'.')
                told.final = self.reply()
        except (Gone, OSError) as why:
            told.gone = why
        return told


def send(port, sender, recipients, content, parameters='', helo='client.example', **xclient):
    """One message over a connection of its own."""
    with Client(port, helo) as client:
        if xclient:
            client.xclient(**xclient)
        return client.send(sender, recipients, content, parameters)
