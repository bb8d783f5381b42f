#!/usr/bin/env python3
# test_observe.py - effect = observe: every byte and recipient as without the milter
# SPDX-License-Identifier: BSD-2-Clause
"""Each message of tests/mail, and some made here, goes to people whose rules would do all that rules can, once
through the port with the milter and once through that without.  What arrives must be the same."""
import os
import pathlib
import re
import sys

import world
import place
from tap import Tap
from test_verdicts import RULES

MAIL = pathlib.Path(__file__).resolve().parents[1] / 'mail'
# Postfix cuts a header at 60000 bytes as soon as any milter is attached
HEADER_MAX = 60000
MADE = {
    'a megabyte': world.message('big', body=b'0123456789abcdef\r\n' * 60000),
    'NUL': world.message('nul', body=b'a\0b\r\n\0\r\n'),
    'bare LF': world.message('lf', body=b'a\nb\r\n\n\r\n'),
    'bare CR': world.message('cr', body=b'a\rb\r\n'),
    'no body': b'Subject: x\r\n',
    'no header': b'\r\nbody\r\n',
    'nothing': b'',
    'long line': world.message('long', body=b'x' * 70000 + b'\r\n'),
    'eight bits': world.message('eight', body=bytes(range(128, 256)) + b'\r\n'),
    'dots': world.message('dots', body=b'.\r\n..\r\n...\r\n.x\r\n'),
    'odd fields': b'Subject:no blank\r\nX-Empty:\r\nX-Blank: \r\nx-tab:\tt\r\nX-Fold:\r\n\t\r\n more \r\nSubject: two\r\n\r\nb\r\n',
}
# what a mail server writes itself into a message that lacks it
OWN = re.compile(rb'(?m)^((?:(?:Resent-)?(?:Message-I[dD]: <|Date: ))[^\r\n]*)\r$')


def samples():
    found = dict(MADE)
    for path in sorted(MAIL.glob('*.eml')):
        content = path.read_bytes()
        found[path.stem] = content if b'\r\n' in content else content.replace(b'\n', b'\r\n')
    return found


def envelope(copy):
    """Sender, recipients and their parameters; not what names the queue file."""
    return (sorted(copy.addresses), copy.sender, sorted(p for p in copy.sender_parameters if not p.startswith('SIZE=')),
            sorted((address, tuple(words)) for address, words in copy.recipients))


def shape(copy, original):
    """The content below Received, with generated fields made equal."""
    content = world.without_trace(copy.content)

    def same(found):
        return found[1] if found[1] in original else found[1].split(b':')[0] + b': generated'
    return OWN.sub(lambda found: same(found) + b'\r', content)


def bare(content):
    return re.search(rb'(?<!\r)\n', content)


def suits(kind, content):
    """Sendmail refuses a bare LF, with a milter or without one."""
    return (len(content.partition(b'\r\n\r\n')[0]) <= HEADER_MAX and
            (kind == 'postfix' or not bare(content) and b'\0' not in content))


def outcome(scene, n, told, content):
    """What the sender of message n was told, and the envelopes and contents of what arrived."""
    copies = [copy for copy in scene.sink.transactions() if copy.sender == f's{n}@client.example']
    copies.sort(key=envelope)
    return told.fates(), [envelope(copy) for copy in copies], [shape(copy, content) for copy in copies]


def play(tap, kind):
    # one who refuses everything, and one who has to see all of it
    rules = {**RULES, 'late': RULES['late'].replace('header "subject" "hello"', 'true'),
             'body': 'require ["body", "editheader"]; addheader "X-Edited" "once"; if not body :contains "@@" { discard; }'}
    people = [*rules, 'nobody']
    recipients = [(p, 'NOTIFY=NEVER ORCPT=rfc822;orig@else.example') for p in people]
    chosen = [(title, content) for title, content in samples().items() if suits(kind, content)]
    came = []
    with place.directory('observe') as directory, world.World(directory, kind, rules, {'effect': 'observe'}) as scene:
        for port in (scene.mta.free_port, scene.mta.port):
            scene.sink.forget()
            told = [scene.send(recipients, content, f's{n}@client.example', 'BODY=8BITMIME ENVID=abc RET=HDRS', port=port)
                    for n, (_title, content) in enumerate(chosen)]
            scene.settle(120)
            came.append([outcome(scene, n, told[n], content) for n, (_title, content) in enumerate(chosen)])
        for n, (title, _content) in enumerate(chosen):
            wrong = [f'{what}:\n  without {a!r}\n  with    {b!r}'[:2000]
                     for what, a, b in zip(('told', 'envelope', 'content'), came[0][n], came[1][n]) if a != b]
            if came[0][n][0] == [250] * len(people) and not came[0][n][1]:
                wrong.append('nothing came')
            tap.result(f'{kind}: {title}', wrong)
        watched(tap, kind, scene)


def watched(tap, kind, scene):
    """The log says what would have been done."""
    scene.send(['discard'], world.message('watched'))
    scene.settle()
    lines = scene.daemon.lines(rcpt='discard@example.test')
    wrong = [] if lines and 'discard' in lines[-1].get('would', '') else [scene.daemon.log()[-2000:]]
    tap.result(f'{kind}: the log says what would be', wrong)


def main():
    tap = Tap()
    for kind in ('postfix', 'sendmail'):
        if world.missing(kind):
            tap.result(f'{kind}: observe', [], world.missing(kind))
        else:
            play(tap, kind)
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
