#!/usr/bin/env python3
# demo.py - what ./demo runs: a message to everybody who has rules, and what became of it
# SPDX-License-Identifier: BSD-2-Clause
#
# Nothing here knows what the rules say: recipients are the files of a directory, fates are read from what the
# server answered and from where the copies are.
import argparse
import email.utils
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / 'lib'))
import client
import daemon
import maildir
import place
import postfix
import sink

DOMAIN = 'example.test'
DELIMITER = '+'
# what tamis-milter tells rules of itself and of the client, whose name this Postfix does not look up
ENVIRONMENT = ['location=MTA', 'phase=pre', 'host=mx.example.test', 'domain=example.test', 'remote-ip=127.0.0.1', 'remote-host=']
# what rules may not require here, as src/host/rulelimits.c has it
DENIED = ['vacation', 'vacation-seconds']
SHOWN = 12                      # lines of the message in the dialogue
PLAIN = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*")


def arguments(words, only_look):
    """Checked; only_look: as far as that can be done without a build."""
    parser = argparse.ArgumentParser(prog='./demo', description='one message, each recipient\'s own rules')
    parser.add_argument('--rules', type=pathlib.Path, default=SOURCE / 'doc/demo', metavar='DIRECTORY',
                        help='NAME.sieve there are the rules of NAME@example.test')
    parser.add_argument('--message', type=pathlib.Path, default=SOURCE / 'doc/demo/message.eml', metavar='FILE')
    parser.add_argument('--from', dest='sender', metavar='ADDRESS', help='envelope sender; default: that of the From field')
    parser.add_argument('--keep', action='store_true', help='go on running until ^C')
    options = parser.parse_args(words)
    # this is called twice, and goes on only once
    if not only_look or not people_of(options.rules):
        say_passed_over(options.rules)
    if not people_of(options.rules):
        parser.error(f'no NAME.sieve in {options.rules}')
    for name in people_of(options.rules):
        if DELIMITER in name:
            parser.error(f'{name}.sieve in {options.rules}: nobody has these rules, what follows "{DELIMITER}" is a detail')
        if fold(name) != name and fold(name) in people_of(options.rules):
            parser.error(f'{name}.sieve and {fold(name)}.sieve in {options.rules}: these are one user\'s')
    if not options.message.is_file():
        parser.error(f'no such file: {options.message}')
    named = options.sender is not None
    options.sender = options.sender if named else sender_of(read_message(options.message))
    if not only_look and not is_sender(options.sender):
        whose = '--from' if named else f'From field of {options.message}'
        parser.error(f'{whose}: "{options.sender}" is no mail address' + ('' if named else '; --from names another sender'))
    return options


def is_sender(address):
    """As tamis takes it, which explains fates in the end; the servers hear it without brackets."""
    if '<' in address or '>' in address:
        return False
    done = subprocess.run([tamis(), 'run', '--envelope-from', address, os.devnull], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return done.returncode == 0


def tamis():
    return pathlib.Path(os.environ['TAMIS_BUILD']) / 'tamis'


def people_of(rules):
    """Whose rules are there; what begins with a dot is an editor's, or nobody's."""
    return sorted(path.stem for path in rules.glob('*.sieve') if path.is_file() and not path.name.startswith('.'))


def say_passed_over(rules):
    for path in sorted(rules.glob('*.sieve')):
        if not path.is_file() and not path.name.startswith('.'):
            what = 'no file' if path.exists() else 'a link to what is not there'
            print(f'demo: {path.name} in {rules} is {what}: nobody has these rules', file=sys.stderr)


def title(text):
    print(f'\n== {text}')


def address_of(name):
    """In quotes if it needs them."""
    if not PLAIN.fullmatch(name):
        name = '"' + re.sub(r'(["\\])', r'\\\1', name) + '"'
    return f'{name}@{DOMAIN}'


def fold(name):
    """As tamis-milter looks for a user: Alice is alice."""
    return re.sub('[A-Z]', lambda found: found[0].lower(), name)


def read_message(path):
    """With the line ends of SMTP."""
    content = path.read_bytes().replace(b'\r\n', b'\n').replace(b'\n', b'\r\n')
    return content if content.endswith(b'\r\n') else content + b'\r\n'


def sender_of(content):
    head = email.message_from_bytes(content.split(b'\r\n\r\n', 1)[0])
    return email.utils.parseaddr(str(head.get('From', '')))[1]


def show_dialogue(dialogue, content):
    for _seconds, who, line in dialogue:
        text = line.decode('utf-8', 'replace')
        if who == 'C' and text.startswith('[') and text.endswith(' bytes]'):
            lines = content.decode('utf-8', 'replace').split('\r\n')[:-1]
            for part in lines[:SHOWN]:
                print(f'  C: {part}')
            if len(lines) > SHOWN:
                print(f'  C: ... {len(lines) - SHOWN} more lines')
        else:
            print(f'  {who}: {text}')


class World:
    """Postfix with the milter, a store for example.test, and a server that stands for all others."""

    def __init__(self, directory, rules):
        self.directory = directory
        self.people = people_of(rules)
        self.store = maildir.MaildirStore(directory / 'mail')
        self.elsewhere = sink.Sink(directory / 'elsewhere')
        self.daemon = daemon.Daemon(directory / 'tamis', settings={
            'mode': 'edge', 'effect': 'full', 'fileinto_by': 'detail', 'socket_group': 'postfix',
            'recipient_delimiter': DELIMITER,
        })
        for name in self.people:
            self.daemon.write_rules(fold(name), '')
            self.rules_of(name).write_bytes((rules / f'{name}.sieve').read_bytes())
        self.postfix = postfix.PrivatePostfix(
            directory / 'postfix', milters=self.daemon.milter, domains=[DOMAIN],
            mailboxes=f'lmtp:inet:127.0.0.1:{self.store.port}', outside=f'smtp:[127.0.0.1]:{self.elsewhere.port}')
        self.daemon.configure({**self.daemon.values, 'copy_to': f'smtp:127.0.0.1:{self.postfix.free_port}'})

    def __enter__(self):
        self.daemon.start()
        try:
            self.postfix.start()
        except Exception:
            self.daemon.stop()
            raise
        return self

    def __exit__(self, *_what):
        self.postfix.stop()
        self.daemon.stop()

    def rules_of(self, name):
        return self.daemon.rules / DOMAIN / f'{fold(name)}.sieve'

    def deliver(self, seconds=60):
        """Until nothing waits, or what waits does not get on."""
        until = time.monotonic() + seconds
        while self.postfix.queue() and time.monotonic() < until:
            time.sleep(0.05)
        return self.postfix.queue()


def say_what_was_told(told):
    if not told.mail or told.mail.code != 250:
        print(f'  the message was not taken: {told.mail or told.gone}')
        return
    for address, rcpt in zip(told.recipients, told.rcpt):
        taken = rcpt and rcpt.code == 250
        print(f'  {address}: {"taken at RCPT TO" if taken else "not taken at RCPT TO: " + str(rcpt)}')
    print(f'  the message: {told.final or told.gone or "was not sent: nobody was left"}')


def say_where(world, waiting):
    found = False
    for user, folder, path in world.store.files():
        found = True
        print(f'  {user}, {"folder " + folder if folder else "inbox"}: {path.relative_to(world.directory)}')
    for copy in world.elsewhere.transactions():
        for address in copy.addresses:
            found = True
            print(f'  elsewhere: {address}, from <{copy.sender}>')
    for entry in waiting:
        for recipient in entry['recipients']:
            print(f'  waits: {recipient["address"]}: {recipient.get("delay_reason", "")}')
    if not found:
        print('  nowhere')


def say_why(world, name, sender, message, program):
    told = [word for item in ENVIRONMENT for word in ('--env', item)]
    denied = [word for name in DENIED for word in ('--deny', name)]
    done = subprocess.run([program, 'explain', '--no-color', *denied, '--envelope-from', sender, '--envelope-to', address_of(name),
                           *told, world.rules_of(name), message],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    print(f'  {address_of(name)} ({name}.sieve)')
    for line in done.stdout.decode('utf-8', 'replace').splitlines():
        print(f'    {line}')


def keep(world):
    """Until ^C."""
    port = world.postfix.port
    title('It goes on running: type ^C to end it')
    print(f'  SMTP:       127.0.0.1 port {port}, for {", ".join(map(address_of, world.people))}')
    print(f'              curl smtp://127.0.0.1:{port} --mail-from me@client.example --mail-rcpt '
          f'{shlex.quote(address_of(world.people[0]))} -T FILE')
    print(f'  rules:      {world.daemon.rules / DOMAIN}/NAME.sieve; an edited file counts from the next message on')
    print(f'  mail:       {world.store.directory}, and {world.elsewhere.directory} for all other domains')
    print(f'  log:        {world.daemon.log_path}; Postfix: {world.postfix.log_path}')
    sys.stdout.flush()
    while world.postfix.process.poll() is None and world.daemon.process.poll() is None:
        time.sleep(0.2)
    print('one of the servers ended')


def run(options, directory):
    content = read_message(options.message)
    sender = options.sender
    message = directory / 'message.eml'
    message.write_bytes(content)
    with World(directory, options.rules) as world:
        people = [address_of(name) for name in world.people]
        title(f'SMTP with Postfix, to whom tamis-milter is attached ({world.daemon.milter})')
        with client.Client(world.postfix.port) as talk:
            told = talk.send(sender, people, content, '' if ''.join([sender, *people]).isascii() else 'SMTPUTF8')
        show_dialogue(talk.dialogue, content)
        waiting = world.deliver()
        title('What the sender was told')
        say_what_was_told(told)
        title('Where the copies are')
        say_where(world, waiting)
        title('Why: tamis explain')
        program = tamis()
        for name in world.people:
            say_why(world, name, sender, message, program)
        title('What tamis-milter logged')
        for line in world.daemon.log().splitlines():
            print('  ' + line)
        sys.stdout.flush()
        if options.keep:
            keep(world)


def main():
    only_look = sys.argv[1:2] == ['--only-look']
    options = arguments(sys.argv[1 + only_look:], only_look)
    if only_look:
        return 0
    for why in (postfix.missing(), daemon.missing()):
        if why:
            print(f'demo: {why}', file=sys.stderr)
            return 1
    signal.signal(signal.SIGTERM, lambda *_what: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_what: sys.exit(129))
    os.umask(0o022)
    with place.directory('demo') as directory:
        try:
            run(options, directory)
        except KeyboardInterrupt:
            print()
    return 0


if __name__ == '__main__':
    sys.exit(main())
