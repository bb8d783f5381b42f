#!/usr/bin/env python3
# test_effects.py - rules in force and rules that may only refuse, of one message's recipients
# SPDX-License-Identifier: BSD-2-Clause
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / 'lib'))
import daemon
import milter
import place
import sink
from tap import Tap

RULES = 'require "reject"; if header :contains "subject" "hello" { reject "no"; }\n'


def send(socket, number):
    """Both refuse what comes from a client of ours: the one keeps it with a mark, the other as it came."""
    header = [('From', 's@client.example'), ('Subject', 'hello'), ('Date', 'Sat, 28 Nov 2026 12:00:00 +0000'),
              ('Message-ID', f'<{number}@client.example>')]
    with milter.MilterClient(socket) as client:
        client.connect()
        client.helo()
        _rcpt, end = client.message('<s@client.example>', ['<alice@example.test>', '<bob@example.test>'], header, 'Hello.\r\n')
    return [str(answer) for answer in end if answer.letter != b'p']


def copies(directory, tap):
    with sink.Sink(directory / 'smtp') as port, daemon.Daemon(
            directory / 'tamis', rules={'alice': RULES, 'bob': RULES},
            settings={'copy_to': f'smtp:127.0.0.1:{port.port}', 'own_clients': '192.0.2.1'},
            sections='[user bob@example.test]\neffect = refuse\n') as milters:
        wrong = []
        for number, known in ((1, 0), (2, 0), (2, 1)):
            before = len(port.transactions())
            said = send(milters.socket, number)
            if said != ['delete recipient <alice@example.test>', 'continue']:
                wrong.append(f'message {number}: {said}')
            came = [t.addresses for t in port.transactions()[before:]]
            if came != ([] if known else [['alice@example.test']]):
                wrong.append(f'message {number}: copies to {came}')
        tap.result('each message has its own copy, and its retry none', wrong)


def main():
    tap = Tap()
    if daemon.missing():
        print(f'1..0 # skip {daemon.missing()}')
        return 0
    with place.directory('effects') as directory:
        copies(directory, tap)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main())
