# sink.py - an SMTP or LMTP server that keeps what it took, and fails when told to
# SPDX-License-Identifier: BSD-2-Clause
"""Each transaction is a file NUMBER.eml with its bytes and NUMBER.json with its envelope; both are on the disk
before the client hears 250, so what it took is known even when everything is killed a moment later."""
import json
import os
import pathlib
import socket
import threading

STEPS = ('connect', 'helo', 'mail', 'rcpt', 'data', 'dot', 'stored', 'quit')


class Transaction:
    """What one client handed over: sender, recipients as [address, parameters], bytes as received."""

    def __init__(self, envelope, content):
        self.sender = envelope['sender']
        self.sender_parameters = envelope['sender_parameters']
        self.recipients = [tuple(recipient) for recipient in envelope['recipients']]
        self.helo = envelope['helo']
        self.content = content

    @property
    def addresses(self):
        return [address for address, _parameters in self.recipients]

    def __repr__(self):
        return f'<{self.sender}> to {self.addresses}, {len(self.content)} bytes'


class Failure:
    """At that step: a reply such as "451 4.3.0 later", or "close", or "hang", or "wait", after which all goes on; so
    many times, for recipients with that text in the address.  Both take hang_seconds, or until go_on()."""

    def __init__(self, step, action, times, recipient):
        assert step in STEPS, step
        self.step, self.action, self.times, self.recipient = step, action, times, recipient


class Closed(Exception):
    pass


class Sink:
    def __init__(self, directory, lmtp=False, path=None, extensions=(), durable=True):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.lmtp = lmtp
        self.durable = durable
        self.extensions = ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'DSN', 'ENHANCEDSTATUSCODES', *extensions]
        self.insists = False            # on SMTPUTF8 for an address that is not ASCII (RFC 6531)
        self.failures = []
        self.commands = []              # every line of every client, as it came
        self.hang_seconds = 60
        self._lock = threading.Lock()
        self._number = len(list(self.directory.glob('*.json')))
        self._stopped, self._going_on = threading.Event(), threading.Event()
        if path:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(path))
            os.chmod(path, 0o666)
            self.port = None
        else:
            self._listener = socket.socket()
            self._listener.bind(('127.0.0.1', 0))
            self.port = self._listener.getsockname()[1]
        self._listener.listen(128)
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_what):
        self.stop()

    def stop(self):
        self._stopped.set()
        self.go_on()
        with socket.socket(self._listener.family) as wake:
            wake.connect_ex(self._listener.getsockname())
        self._listener.close()

    def fail(self, step, action, times=1, recipient=None):
        with self._lock:
            self.failures.append(Failure(step, action, times, recipient))

    def go_on(self):
        """Nobody hangs or waits any more."""
        self._going_on.set()

    def heal(self):
        with self._lock:
            self.failures.clear()

    def transactions(self):
        """In the order in which they were taken."""
        found = []
        for path in sorted(self.directory.glob('*.json')):
            found.append(Transaction(json.loads(path.read_text('utf-8')), path.with_suffix('.eml').read_bytes()))
        return found

    def copies(self, address):
        """The transactions that had this recipient, once for each time that he was named."""
        return [t for t in self.transactions() for a in t.addresses if a == address]

    def forget(self):
        for path in self.directory.iterdir():
            path.unlink()

    # --- the server

    def _accept(self):
        while not self._stopped.is_set():
            try:
                peer, _address = self._listener.accept()
            except OSError:
                return
            if self._stopped.is_set():
                peer.close()
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        session = Session(self, peer)
        try:
            session.talk()
        except (Closed, OSError):
            pass
        finally:
            peer.close()

    def failure(self, step, recipient=''):
        with self._lock:
            for failure in self.failures:
                if failure.step == step and failure.times and (failure.recipient or '') in recipient:
                    failure.times -= 1
                    return failure.action
        return None

    def store(self, envelope, content):
        with self._lock:
            self._number += 1
            stem = self.directory / f'{self._number:06}'
        self._write(stem.with_suffix('.eml'), content)
        self._write(stem.with_suffix('.part'), json.dumps(envelope).encode())
        stem.with_suffix('.part').rename(stem.with_suffix('.json'))
        if self.durable:
            handle = os.open(self.directory, os.O_RDONLY)
            os.fsync(handle)
            os.close(handle)

    def _write(self, path, content):
        with open(path, 'wb') as out:
            out.write(content)
            out.flush()
            if self.durable:
                os.fsync(out.fileno())


class Session:
    """One client."""

    def __init__(self, sink, peer):
        self.sink, self.peer = sink, peer
        self.input = peer.makefile('rb')
        self.helo = ''
        self.reset()

    def reset(self):
        self.sender, self.sender_parameters, self.recipients = None, [], []

    def say(self, text):
        self.peer.sendall(text.encode('utf-8') + b'\r\n')

    def may_fail(self, step, recipient=''):
        """True: a failure was answered; what would have been done is not done."""
        action = self.sink.failure(step, recipient)
        if action is None:
            return False
        if action in ('hang', 'wait'):
            self.sink._going_on.wait(self.sink.hang_seconds)
        if action == 'wait':
            return False
        if action in ('close', 'hang'):
            raise Closed
        self.say(action)
        return True

    def talk(self):
        if self.may_fail('connect'):
            raise Closed
        self.say('220 sink.example.test')
        while True:
            line = self.input.readline(65536)
            if not line.endswith(b'\r\n'):
                raise Closed
            line = line[:-2].decode('utf-8', 'surrogateescape')
            self.sink.commands.append(line)
            verb = line.split(' ')[0].upper()
            answer = {'EHLO': self.greet, 'HELO': self.greet, 'LHLO': self.greet, 'MAIL': self.mail, 'RCPT': self.rcpt,
                      'DATA': self.data, 'RSET': self.rset, 'NOOP': self.noop, 'QUIT': self.quit}.get(verb)
            if answer:
                answer(line)
            else:
                self.say('500 5.5.2 what?')

    def greet(self, line):
        if self.sink.lmtp != line.upper().startswith('LHLO'):
            self.say('500 5.5.1 LHLO and EHLO do not mix')
            return
        if self.may_fail('helo'):
            return
        self.helo = line.partition(' ')[2]
        lines = ['sink.example.test', *self.sink.extensions]
        for text in lines[:-1]:
            self.say('250-' + text)
        self.say('250 ' + lines[-1])

    @staticmethod
    def path_of(line):
        """Address and parameters of "MAIL FROM:<address> NAME=value"."""
        rest = line.partition(':')[2].lstrip()
        quoted = escaped = False
        for at, char in enumerate(rest):
            if escaped:
                escaped = False
            elif char == '\\':
                escaped = True
            elif char == '"':
                quoted = not quoted
            elif char == '>' and not quoted:
                return rest[1:at], rest[at + 1:].split()
        return None, []

    def mail(self, line):
        if self.sender is not None:
            self.say('503 5.5.1 one after the other')
        elif not self.may_fail('mail'):
            self.sender, self.sender_parameters = self.path_of(line)
            self.say('250 2.1.0 ok' if self.sender is not None else '501 5.5.4 MAIL FROM:<address>')

    def rcpt(self, line):
        address, parameters = self.path_of(line)
        if self.sender is None or address is None:
            self.say('503 5.5.1 MAIL first, then RCPT TO:<address>')
        elif self.sink.insists and not address.isascii() and 'SMTPUTF8' not in self.sender_parameters:
            self.say('553 5.6.7 that address requires SMTPUTF8')
        elif not self.may_fail('rcpt', address):
            self.recipients.append([address, parameters])
            self.say('250 2.1.5 ok')

    def data(self, _line):
        if not self.recipients:
            self.say('503 5.5.1 RCPT first')
            return
        if self.may_fail('data'):
            return
        self.say('354 go on')
        content = self.receive()
        if self.may_fail('dot'):
            self.reset()
            return
        envelope = {'helo': self.helo, 'sender': self.sender, 'sender_parameters': self.sender_parameters}
        if self.sink.lmtp:
            refused = {tuple(map(str, r)): self.sink.failure('stored', r[0]) for r in self.recipients}
            taken = [r for r in self.recipients if not refused[tuple(map(str, r))]]
            if taken:
                self.sink.store({**envelope, 'recipients': taken}, content)
            for recipient in self.recipients:
                action = refused[tuple(map(str, recipient))]
                if action in ('close', 'hang'):
                    raise Closed
                self.say(action or '250 2.0.0 taken')
        else:
            self.sink.store({**envelope, 'recipients': self.recipients}, content)
            if not self.may_fail('stored'):
                self.say('250 2.0.0 taken')
        self.reset()

    def receive(self):
        """Up to the line with a dot; a bare LF ends no line."""
        lines, begin = [], True
        while True:
            piece = self.input.readline(1 << 20)
            if not piece:
                raise Closed
            if begin and piece == b'.\r\n':
                return b''.join(lines)
            lines.append(piece[1:] if begin and piece.startswith(b'.') else piece)
            begin = piece.endswith(b'\r\n')

    def rset(self, _line):
        self.reset()
        self.say('250 2.0.0 ok')

    def noop(self, _line):
        self.say('250 2.0.0 ok')

    def quit(self, _line):
        if not self.may_fail('quit'):
            self.say('221 2.0.0 bye')
        raise Closed
