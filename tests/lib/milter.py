# milter.py - the MTA's side of the milter protocol, version 6
# SPDX-License-Identifier: BSD-2-Clause
"""A packet is a length (4 bytes, of what follows), a letter, data.  MilterClient speaks as an MTA does and
hands out what it is answered; it can also send any bytes."""
import socket
import struct

ACTIONS = 0x1ff
STEPS = 0x1fffff

ADDHDRS, CHGBODY, ADDRCPT, DELRCPT, CHGHDRS, QUARANTINE, CHGFROM, ADDRCPT_PAR, SETSYMLIST = (1 << n for n in range(9))
SKIP, RCPT_REJ, LEADSPC = 0x400, 0x800, 0x100000
# what is not sent when the milter said so in negotiation, and what is not answered
NOT_SENT = {b'C': 0x1, b'H': 0x2, b'M': 0x4, b'R': 0x8, b'B': 0x10, b'L': 0x20, b'N': 0x40, b'U': 0x100, b'T': 0x200}
NOT_ANSWERED = {b'L': 0x80, b'C': 0x1000, b'H': 0x2000, b'M': 0x4000, b'R': 0x8000, b'T': 0x10000, b'U': 0x20000,
                b'N': 0x40000, b'B': 0x80000, b'D': 0xffffffff, b'A': 0xffffffff, b'Q': 0xffffffff, b'K': 0xffffffff}
SILENT = 0xff080        # all of these that may be negotiated
STAGES = ('connect', 'helo', 'mail', 'rcpt', 'data', 'eom', 'eoh')

VERDICTS = {b'c': 'continue', b'a': 'accept', b'r': 'reject', b't': 'tempfail', b'd': 'discard', b's': 'skip',
            b'f': 'fail the connection', b'4': 'shut down'}


def strings(data):
    """NUL-terminated strings; what follows the last NUL is kept as one more."""
    parts = data.split(b'\0')
    return parts if parts[-1] else parts[:-1]


class Answer:
    """One packet of the milter."""

    def __init__(self, letter, data, blank=' '):
        self.letter, self.data, self.blank = letter, data, blank

    @property
    def is_verdict(self):
        return self.letter in VERDICTS or self.letter == b'y'

    def __str__(self):
        """In words; Python's notation shows what is no plain text."""
        letter, data = self.letter, self.data
        if letter in VERDICTS:
            return VERDICTS[letter] + (f' {data!r}' if data else '')
        if letter == b'y':
            return show(data.rstrip(b'\0')).replace('\\r\\n', ' \\r\\n ')
        if letter == b'p':
            return 'progress'
        if letter in (b'h', b'i', b'm'):
            place = ''
            if letter != b'h' and len(data) >= 4:
                place, data = f' {struct.unpack(">I", data[:4])[0]}', data[4:]
            name, value = (data.split(b'\0') + [b'', b''])[:2]
            word = {b'h': 'add header', b'i': 'insert header', b'm': 'change header'}[letter]
            return f'{word}{place} {show(name)}:{self.blank}{show(value)}'.rstrip()
        word = {b'+': 'add recipient', b'2': 'add recipient', b'-': 'delete recipient', b'e': 'change sender',
                b'b': 'replace body', b'q': 'quarantine'}.get(letter, f'packet {letter!r}')
        if letter == b'b':
            return f'{word} {show(data)}'
        return ' '.join([word, *map(show, strings(data))])

    __repr__ = __str__


def show(data):
    """Text as it is; controls, backslashes and what is not UTF-8 escaped."""
    text = data.decode('utf-8', 'surrogateescape')
    out = []
    for char in text:
        code = ord(char)
        if 0xdc80 <= code <= 0xdcff:
            out.append(f'\\x{code - 0xdc00:02x}')
        elif code < 32 or code == 127 or char == '\\':
            out.append({'\r': '\\r', '\n': '\\n', '\t': '\\t', '\\': '\\\\'}.get(char, f'\\x{code:02x}'))
        else:
            out.append(char)
    return ''.join(out)


class Gone(Exception):
    """The milter closed the connection."""


class MilterClient:
    def __init__(self, path, actions=ACTIONS, steps=STEPS, version=6, timeout=300, negotiate=True):
        if isinstance(path, int):
            path = ('127.0.0.1', path)
        if isinstance(path, tuple):
            self.socket = socket.create_connection(path, timeout)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            # where many are waiting already one more waits as well, which it would not with a timeout of Python's
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack('ll', int(timeout), 0))
            self.socket.connect(str(path))
            self.socket.settimeout(timeout)
        self._buffer = b''
        self.version, self.actions, self.steps, self.symbols = None, actions, 0, {}
        if negotiate:
            self.negotiate(version, actions, steps)

    def __enter__(self):
        return self

    def __exit__(self, *_what):
        self.close()

    # --- packets

    @staticmethod
    def packet(letter, data=b''):
        return struct.pack('>I', len(data) + 1) + letter + data

    def raw(self, data):
        self.socket.sendall(data)

    def put(self, letter, data=b''):
        self.raw(self.packet(letter, data))

    def _take(self, size):
        while len(self._buffer) < size:
            try:
                more = self.socket.recv(65536)
            except ConnectionError as error:
                raise Gone(str(error)) from error
            if not more:
                raise Gone('closed')
            self._buffer += more
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def get(self):
        length, = struct.unpack('>I', self._take(4))
        data = self._take(length)
        return Answer(data[:1], data[1:], '' if self.steps & LEADSPC else ' ')

    def is_gone(self, seconds=60):
        """Did the milter close the connection?  What else it says first is thrown away."""
        self.socket.settimeout(seconds)
        try:
            while True:
                self.get()
        except Gone:
            return True
        except TimeoutError:
            return False

    # --- what an MTA says

    def negotiate(self, version=6, actions=ACTIONS, steps=STEPS):
        self.put(b'O', struct.pack('>III', version, actions, steps))
        answer = self.get()
        if answer.letter != b'O':
            raise Gone(f'negotiation: {answer}')
        self.version, self.actions, self.steps = struct.unpack('>III', answer.data[:12])
        rest = answer.data[12:]
        while len(rest) > 4:
            stage, = struct.unpack('>I', rest[:4])
            names, _nul, rest = rest[4:].partition(b'\0')
            self.symbols[STAGES[stage]] = names.decode().split()
        return answer

    def say(self, letter, data=b''):
        """Send it if the milter wants it; what it answers, up to the verdict."""
        if self.steps & NOT_SENT.get(letter, 0):
            return []
        self.put(letter, data)
        return [] if self.steps & NOT_ANSWERED.get(letter, 0) else self.answers()

    def answers(self):
        """Edits and progress, then the verdict."""
        found = []
        while not found or not found[-1].is_verdict:
            found.append(self.get())
        return found

    def macros(self, letter, **values):
        """Names of more than one letter go in braces."""
        data = letter
        for name, value in values.items():
            data += (name if len(name) == 1 else '{%s}' % name).encode() + b'\0' + octets(value) + b'\0'
        self.put(b'D', data)

    def connect(self, name='client.example', address='192.0.2.1', port=40000):
        family = b'L' if address.startswith('/') else b'6' if ':' in address else b'4' if address else b'U'
        data = octets(name) + b'\0' + family
        if address:
            data += struct.pack('>H', port) + octets(address) + b'\0'
        return self.say(b'C', data)

    def helo(self, name='client.example'):
        return self.say(b'H', octets(name) + b'\0')

    def mail(self, *arguments):
        return self.say(b'M', b''.join(octets(a) + b'\0' for a in arguments))

    def rcpt(self, *arguments):
        return self.say(b'R', b''.join(octets(a) + b'\0' for a in arguments))

    def data(self):
        return self.say(b'T')

    def unknown(self, line):
        return self.say(b'U', octets(line) + b'\0')

    def header(self, name, value):
        value = octets(value)
        return self.say(b'L', octets(name) + b'\0' + (b' ' if self.steps & LEADSPC else b'') + value + b'\0')

    def eoh(self):
        return self.say(b'N')

    def body(self, data):
        """In chunks; no more of them after a skip."""
        found = []
        data = octets(data)
        for at in range(0, len(data), 65535):
            found = self.say(b'B', data[at:at + 65535])
            if found and found[-1].letter != b'c':
                break
        return found

    def eom(self):
        return self.say(b'E')

    def abort(self):
        return self.say(b'A')

    def quit(self, next_connection=False):
        return self.say(b'K' if next_connection else b'Q')

    def close(self):
        self.socket.close()

    def message(self, sender, recipients, header, body, identity='QUEUEID'):
        """A whole transaction: (answers to each recipient, answers to the end).  The end is None when no recipient is
        left or the milter settled it before."""
        self.macros(b'M', i=identity)
        if self.ended(self.mail(*arguments_of(sender))):
            return [], None
        rcpt = []
        for recipient in recipients:
            self.macros(b'R', i=identity, rcpt_addr=arguments_of(recipient)[0].strip('<>'))
            rcpt.append(self.rcpt(*arguments_of(recipient)))
        if all(self.ended(answers) for answers in rcpt):
            self.abort()
            return rcpt, None
        self.macros(b'T', i=identity)
        self.data()
        for name, value in header:
            answers = self.header(name, value)
            if self.ended(answers):
                return rcpt, answers
        answers = self.eoh()
        if not self.ended(answers):
            answers = self.body(body)
        if self.ended(answers) and answers[-1].letter != b's':
            return rcpt, answers
        self.macros(b'E', i=identity)
        return rcpt, self.eom()

    @staticmethod
    def ended(answers):
        return bool(answers) and answers[-1].letter != b'c'


def arguments_of(path):
    """"<address> NAME=value" as the words of it; a tuple is taken as it is."""
    return list(path) if isinstance(path, (tuple, list)) else path.split(' ')


def octets(value):
    return value if isinstance(value, bytes) else str(value).encode('utf-8', 'surrogateescape')
