#!/usr/bin/env python3
# test_cases.py - what tamis-milter answers, packet by packet
# SPDX-License-Identifier: BSD-2-Clause
"""A file NAME.case has one daemon, and cases that talk to it:

    == conf                         lines of tamis.conf; {sink}, {lmtp}: ports of servers that take copies
    == rules USER                   a local part of example.test, or an address
    == case TITLE
    > command words                 what the MTA says
    < answer                        what the daemon answered: each packet, in words

Text behind a command may have Python's escapes.  The commands, besides those of the protocol (negotiate, macros,
connect, helo, mail, rcpt, data, header, eoh, body, eom, abort, quit, unknown):

    open [NAME=VALUE...]            a new connection, as Postfix begins it; with these macros as well
    message [NAME: VALUE]           data, a short message with that field, eom; only answers other than "continue"
    packet LETTER TEXT, raw TEXT    any packet, any bytes; wait: read what is answered
    log KEY...                      those pairs of the log lines that are new
    copies                          what the servers took that is new; fail STEP ACTION: they fail once
    rules USER, conf                followed by lines "| text": another version; reload, restart, kill

    test_cases.py [--accept] [FILE...]      --accept writes what came into the files
"""
import difflib
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / 'lib'))
import daemon
import milter
import place
import sink
from tap import Tap

# what is another each time
SCRUB = [
    (re.compile(r'(?i)(Tamis-File-)[a-z2-7]{26}'), r'\1<key>'),
    (re.compile(r'SRS0=[^=]+=[^=]+='), 'SRS0=<hash>=<day>='),
    (re.compile(r'/run/tamis-case-\w+|/tmp/tamis-case-\w+'), '<dir>'),
    (re.compile(r'(/tamis\.conf):\d+:'), r'\1:<line>:'),
    (re.compile(r'(smtp:127\.0\.0\.1:)\d+'), r'\1<port>'),
    (re.compile(r'tamis-milter\[\d+\]'), 'tamis-milter[<pid>]'),
    (re.compile(r'\bms=\d+'), 'ms=<n>'),
    (re.compile(r'(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d+ \w+ \d{4} \d\d:\d\d:\d\d [+-]\d{4}'), '<date>'),
]
HEADER = [('From', 'Somebody <s@client.example>'), ('To', 'alice@example.test'), ('Subject', 'hello'),
          ('Date', 'Sat, 28 Nov 2026 12:00:00 +0000'), ('Message-ID', '<1@client.example>')]
BODY = 'Hello.\r\n'


def unescape(text):
    """Python's escapes; characters beyond ASCII stay UTF-8."""
    return re.sub(rb'\\(x[0-9a-fA-F]{2}|[rnt0\\])', lambda found: {
        b'r': b'\r', b'n': b'\n', b't': b'\t', b'0': b'\0', b'\\': b'\\'}.get(found[1]) or bytes([int(found[1][1:], 16)]),
        text.encode('utf-8'))


class Section:
    def __init__(self, line):
        self.kind, _blank, self.name = line[3:].strip().partition(' ')
        self.line, self.body = line, []


def parse(text):
    head, sections = [], []
    for line in text.splitlines():
        if line.startswith('== '):
            sections.append(Section(line))
        else:
            (sections[-1].body if sections else head).append(line)
    return head, sections


class Scene:
    """The daemon of a file, and the connection of a case."""

    def __init__(self, directory, sections):
        self.smtp, self.lmtp = sink.Sink(directory / 'smtp'), sink.Sink(directory / 'lmtp', lmtp=True)
        self.directory = directory
        conf = [line for s in sections if s.kind == 'conf' for line in s.body]
        self.daemon = daemon.Daemon(directory / 'tamis', settings=self.settings(conf), rules={
            s.name: '\n'.join(s.body) + '\n' for s in sections if s.kind == 'rules'})
        self.client, self.seen, self.taken, self.said = None, 0, [0, 0], []

    def settings(self, lines):
        text = '\n'.join(lines).format(sink=f'smtp:127.0.0.1:{self.smtp.port}', lmtp=f'lmtp:127.0.0.1:{self.lmtp.port}',
                                       directory=self.directory)
        return dict(map(str.strip, line.split('=', 1)) for line in text.splitlines() if '=' in line and line[0] != '#')

    def close(self):
        if self.client:
            self.client.close()
        self.client = None

    def note(self, answers):
        self.said += [f'< {answer}' for answer in answers]

    # --- commands

    def do_open(self, text='', _body=()):
        self.close()
        self.client = milter.MilterClient(self.daemon.socket, timeout=120)
        self.client.macros(b'C', j='mx.example.test', daemon_name='mx.example.test', v='Postfix 3.7.11',
                           client_addr='192.0.2.1', client_name='client.example', client_port='40000',
                           **dict(word.split('=', 1) for word in text.split()))
        quiet = [*self.client.connect(), *self.client.helo()]
        self.note(answer for answer in quiet if answer.letter != b'c')

    def do_negotiate(self, text, _body):
        self.close()
        values = dict(word.split('=') for word in text.split())
        self.client = milter.MilterClient(self.daemon.socket, timeout=120, negotiate=False)
        answer = self.client.negotiate(**{key: int(value, 0) for key, value in values.items()})
        if self.client.version is not None:
            self.said.append(f'< version {self.client.version} actions {self.client.actions:#x} steps {self.client.steps:#x}')
            self.said += [f'< {stage}: {" ".join(names)}'.rstrip() for stage, names in self.client.symbols.items()]
        else:
            self.note([answer])

    def do_macros(self, text, _body):
        stage, *pairs = text.split(' ')
        letter = {'connect': b'C', 'helo': b'H', 'mail': b'M', 'rcpt': b'R', 'data': b'T', 'eoh': b'N', 'eom': b'E'}[stage]
        data = letter
        for pair in pairs:
            name, value = pair.split('=', 1)
            data += name.encode() + b'\0' + unescape(value) + b'\0'
        self.client.put(b'D', data)

    def do_connect(self, text, _body):
        name, address, port = (text.split(' ') + ['192.0.2.1', '40000'][len(text.split(' ')) - 1:])[:3]
        self.note(self.client.connect(name, '' if address == '-' else address, int(port)))

    def do_helo(self, text, _body):
        self.note(self.client.helo(unescape(text)))

    def do_mail(self, text, _body):
        self.note(self.client.mail(*unescape(text).split(b' ')))

    def do_rcpt(self, text, _body):
        self.note(self.client.rcpt(*unescape(text).split(b' ')))

    def do_data(self, _text, _body):
        self.note(self.client.data())

    def do_header(self, text, _body):
        name, _colon, value = unescape(text).partition(b':')
        self.note(self.client.header(name, value[1:] if value[:1] == b' ' else value))

    def do_eoh(self, _text, _body):
        self.note(self.client.eoh())

    def do_body(self, text, _body):
        self.note(self.client.body(unescape(text)))

    def do_eom(self, _text, _body):
        self.note(self.client.eom())

    def do_abort(self, _text, _body):
        self.client.abort()

    def do_quit(self, text, _body):
        self.client.quit(text == 'next')

    def do_unknown(self, text, _body):
        self.note(self.client.unknown(unescape(text)))

    def do_message(self, text, _body):
        name, _colon, value = text.partition(': ')
        header = [(n, v) for n, v in HEADER if n != name] + ([(name, unescape(value))] if name else [])
        steps = [self.client.data, *(lambda field=field: self.client.header(*field) for field in header),
                 self.client.eoh, lambda: self.client.body(BODY)]
        for step in steps:
            answers = step()
            self.note(answer for answer in answers if answer.letter != b'c')
            if self.client.ended(answers) and answers[-1].letter != b's':
                return
        self.note(self.client.eom())

    def do_packet(self, text, _body):
        letter, _blank, data = text.partition(' ')
        self.client.put(unescape(letter), unescape(data))
        self.do_wait('', ())

    def do_raw(self, text, _body):
        self.client.raw(unescape(text))

    def do_wait(self, _text, _body):
        self.note(self.client.answers())

    def do_log(self, text, _body):
        """The daemon writes its lines before it answers."""
        lines = self.daemon.lines()
        keys = text.split()
        for pairs in lines[self.seen:]:
            chosen = [f'{key}={pairs[key]}' for key in keys if key in pairs]
            if chosen or not keys:
                self.said.append('< ' + (' '.join(chosen) or pairs['line']))
        self.seen = len(lines)

    def do_copies(self, _text, _body):
        for at, server in enumerate((self.smtp, self.lmtp)):
            transactions = server.transactions()
            for copy in transactions[self.taken[at]:]:
                self.said.append('< ' + ' '.join([f'from <{copy.sender}>', *copy.sender_parameters]))
                self.said += ['< ' + ' '.join([f'to <{address}>', *words]) for address, words in copy.recipients]
                self.said += ['< ' + f'| {milter.show(line)}'.rstrip() for line in copy.content.split(b'\r\n')[:-1]]
            self.taken[at] = len(transactions)

    def do_fail(self, text, _body):
        step, _blank, action = text.partition(' ')
        for server in (self.smtp, self.lmtp):
            server.heal()
            server.fail(step, action)

    def do_rules(self, text, body):
        self.daemon.write_rules(text, '\n'.join(body) + '\n')

    def do_conf(self, _text, body):
        self.daemon.configure({**self.daemon.values, **self.settings(body)})

    def do_reload(self, _text, _body):
        self.daemon.reload()

    def do_restart(self, _text, _body):
        self.close()
        self.daemon.stop()
        self.daemon.start()

    def do_kill(self, _text, _body):
        self.close()
        self.daemon.kill()
        self.daemon.start()


def play(scene, section):
    """The lines of a case, with what came in place of what was expected."""
    out, at, lines = [], 0, section.body
    scene.seen = len(scene.daemon.lines())
    while at < len(lines):
        line = lines[at]
        at += 1
        if not line.startswith('> '):
            if not line.startswith('< '):
                out.append(line)
            continue
        out.append(line)
        body = []
        while at < len(lines) and lines[at].startswith('|'):
            out.append(lines[at])
            body.append(lines[at][2:])
            at += 1
        word, _blank, text = line[2:].partition(' ')
        if scene.client is None and word not in ('open', 'negotiate', 'rules', 'conf', 'fail', 'restart', 'kill'):
            scene.do_open()
        scene.said = []
        try:
            getattr(scene, 'do_' + word)(text, body)
        except (milter.Gone, TimeoutError, OSError) as why:
            scene.said.append(f'< [{"closed" if isinstance(why, milter.Gone) else why}]')
        for said in scene.said:
            for pattern, word in SCRUB:
                said = pattern.sub(word, said)
            out.append(said)
    scene.close()
    return out


def run(path, tap, accept):
    head, sections = parse(path.read_text('utf-8'))
    with place.directory('case') as directory:
        scene = Scene(directory, sections)
        with scene.daemon:
            for section in sections:
                if section.kind != 'case':
                    continue
                came = play(scene, section)
                complaints = list(difflib.unified_diff(section.body, came, 'expected', 'came', lineterm=''))
                if not any(line.startswith('> ') for line in came):
                    complaints.append('says nothing')
                if accept:
                    section.body, complaints = came, []
                tap.result(f'{path.stem}: {section.name}', complaints)
        if scene.daemon.process is not None or 'Sanitizer' in scene.daemon.log():
            tap.result(f'{path.stem}: the end', [scene.daemon.log()])
    if accept:
        lines = head + [line for s in sections for line in [s.line, *s.body]]
        path.write_text('\n'.join(lines).rstrip('\n') + '\n', 'utf-8')


def main():
    tap = Tap()
    if daemon.missing():
        print(f'1..0 # skip {daemon.missing()}')
        return 0
    arguments = sys.argv[1:]
    for path in [pathlib.Path(a) for a in arguments if not a.startswith('-')] or sorted(HERE.glob('*.case')):
        run(path, tap, '--accept' in arguments)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main())
