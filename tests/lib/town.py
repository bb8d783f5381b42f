# town.py - a house with a page of doc/, a daemon, and a server that takes all that leaves
# SPDX-License-Identifier: BSD-2-Clause
import os
import pathlib
import re
import subprocess

import daemon
import page
import place
import sendmail
import sink

SOURCE = pathlib.Path(os.environ.get('TAMIS_SOURCE') or pathlib.Path(__file__).resolve().parents[2])
RULES = pathlib.Path('/etc/tamis/rules/example.org')
MAIL = pathlib.Path('/var/mail')
PID_FILE = pathlib.Path('/run/tamis/tamis-milter.pid')
SENDER = 's@client.example'


class Town:
    def __init__(self, name):
        self.page = page.Page(SOURCE / 'doc' / name)
        self.sink = sink.Sink('/run/sink', durable=False)
        self.syslog = sendmail.Syslog('/dev/log')
        self.number, self.reference = 0, None

    def write(self, user, rules):
        path = RULES / f'{user}.sieve'
        part = path.with_suffix('.part')
        part.write_text(rules)
        part.rename(path)

    def content(self, subject, to, more=(), body=b'\xe9\r\n.dot\r\n'):
        """The next message, so complete that no server adds to it."""
        self.number += 1
        lines = [f'Message-ID: <{self.number}@client.example>', 'Date: Sat, 28 Nov 2026 12:00:00 +0000',
                 'From: Some Body <s@client.example>', f'To: {to}', f'Subject: {subject}', *more]
        return ''.join(line + '\r\n' for line in lines).encode() + b'\r\n' + body

    def transactions(self):
        """{recipient: [transaction]} of the last message."""
        mark, found = b'Message-ID: <%d@client.example>' % self.number, {}
        for one in self.sink.transactions():
            for address in one.addresses if mark in one.content else []:
                found.setdefault(address, []).append(one)
        return found

    def log(self, **wanted):
        """The daemon's lines that have all of these pairs."""
        if PID_FILE.exists():
            daemon.await_log(PID_FILE.read_text('ascii').strip())
        self.syslog.await_read()
        return [line for line in self.syslog.lines if 'tamis-milter' in line and
                all(f'{key}={value}' in line for key, value in wanted.items())]

    def reload(self, act='kill -HUP "$(cat /run/tamis/tamis-milter.pid)"'):
        """What makes the daemon read its configuration again: a command, or a function."""
        seen = len(self.log(reload='done'))
        said = act() if callable(act) else subprocess.run(act, shell=True, check=True) and None
        place.wait_for(lambda: len(self.log(reload='done')) > seen, 10, 'the reload')
        return said

    def keep_mail(self):
        """What leaves is where the pages say that alice's mail is kept."""
        MAIL.mkdir()
        (MAIL / 'alice').symlink_to(self.sink.directory)


def bare(content):
    """Without what servers on the way left."""
    head, end, body = content.partition(b'\r\n\r\n')
    return re.sub(rb'(?m)^Received:.*\n(?:[ \t].*\n)*', b'', head + b'\r\n') + end[2:] + body


def run(command):
    """Its exit status and what it said."""
    done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True,
                          timeout=300)
    return done.returncode, done.stdout


def doctor(options=''):
    """The exit status, and the traps that are errors."""
    status, said = run(f'tamis doctor {options}')
    return status, re.findall(r'^error +([^:\n]+)', said, re.M)


def probed(said, level, fate):
    """How many results of others, and how many marks of ours, had that fate."""
    names = re.findall(rf'(?m)^{level} +(\S+) [(].*[)]: {fate}$', said)
    return names.count('Authentication-Results'), sum(name.startswith('Tamis-') for name in names)
