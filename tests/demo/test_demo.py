#!/usr/bin/env python3
# test_demo.py - ./demo: the fates come from the rules, and nothing is left of it
# SPDX-License-Identifier: BSD-2-Clause
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

SOURCE = pathlib.Path(os.environ.get('TAMIS_SOURCE') or pathlib.Path(__file__).resolve().parents[2])
sys.path.insert(0, str(SOURCE / 'tests/lib'))
import client
import daemon
import place
import postfix
from tap import Skip, Tap, equal

ENVIRONMENT = {**os.environ, 'TAMIS_BUILD': os.environ.get('TAMIS_BUILD') or str(SOURCE / '.build/gcc')}


def directory_of(output):
    """That demo's own: others may run beside it."""
    return pathlib.Path(re.search(r'[(]unix:(/\S*/tamis-demo-\w+)/', output)[1])


def running(directory):
    """The processes that were started for it, or live in it."""
    found = []
    for path in pathlib.Path('/proc').glob('[0-9]*'):
        with contextlib.suppress(OSError):
            if str(directory) in os.fsdecode((path / 'cmdline').read_bytes()) or str(directory) in os.readlink(path / 'cwd'):
                found.append(int(path.name))
    return found


def end(directory):
    """What was not ended there; then nothing is there any more."""
    alive = running(directory)
    for pid in alive:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(directory, ignore_errors=True)
    return alive


def run(*arguments):
    done = subprocess.run([SOURCE / 'demo', *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT, check=False, timeout=600)
    if done.returncode:
        return done.returncode, done.stdout
    directory = directory_of(done.stdout)
    there = directory.exists()
    equal((end(directory), there), ([], False), f'what runs, and whether {directory} is left')
    return done.returncode, done.stdout


def section(output, title):
    found = re.search(rf'^== {re.escape(title)}[^\n]*\n(.*?)(?=\n== |\Z)', output, re.M | re.S)
    assert found, f'no "{title}" in\n{output}'
    return found[1].splitlines()


def fates(output):
    """{person: where his copy is, or what was said to the sender}, for all that begins with his name."""
    found = {}
    for line in section(output, 'What the sender was told'):
        person = re.match(r'  (\w+)@example.test: not taken at RCPT TO: (.*)', line)
        if person:
            found[person[1]] = person[2]
    for line in section(output, 'Where the copies are'):
        person = re.match(r'  (\w+)@example.test, (?:folder )?([^:]*):', line)
        if person:
            found[person[1]] = person[2]
        elsewhere = re.match(r'  elsewhere: ([^,]*), ', line)
        if elsewhere:
            found.setdefault('elsewhere', []).append(elsewhere[1])
    return found


def three_fates():
    """As it comes, twice in a row."""
    for _time in (1, 2):
        status, output = run()
        equal(status, 0, output)
        came = fates(output)
        assert came.pop('carol').startswith('550 5.7.1 '), output
        equal(came, {'alice': 'Newsletters', 'elsewhere': ['assistant@elsewhere.example']})
        why = '\n'.join(section(output, 'Why: tamis explain'))
        for text in ('fileinto "Newsletters": at line', 'redirect "assistant@elsewhere.example": at line', 'ereject "5.7.1 '):
            assert text in why, why
        dialogue = '\n'.join(section(output, 'SMTP with Postfix'))
        for text in ('C: RCPT TO:<carol@example.test>\n  S: 550 ', 'C: DATA\n  S: 354 ', 'C: Subject: ', 'C: .\n  S: 250 '):
            assert text in dialogue, dialogue


def other_rules(directory):
    """The same rules under other names, others besides; another message."""
    rules = directory / 'rules'
    rules.mkdir()
    demo = SOURCE / 'doc/demo'
    (rules / 'alice.sieve').write_bytes((demo / 'carol.sieve').read_bytes())
    (rules / 'zoe.sieve').write_bytes((demo / 'alice.sieve').read_bytes())
    (rules / 'dave.sieve').write_text('discard;\n')
    (rules / 'erin.sieve').write_text('keep;\n')
    status, output = run('--rules', rules)
    equal(status, 0, output)
    came = fates(output)
    assert came.pop('alice').startswith('550 '), output
    equal(came, {'zoe': 'Newsletters', 'erin': 'inbox'})
    message = directory / 'message.eml'
    message.write_text('From: friend@client.example\nSubject: hello\n\nHello.\n')
    status, output = run('--rules', rules, '--message', message)
    equal(fates(output), {'alice': 'inbox', 'zoe': 'inbox', 'erin': 'inbox'})
    status, output = run('--rules', rules, '--message', message, '--from', 'x@shop.example')
    came = fates(output)
    assert came.pop('alice').startswith('550 '), output
    equal(came, {'zoe': 'inbox', 'erin': 'inbox'})


def odd_names(directory):
    """Files as somebody has them: names with capitals, blanks, dots, quotes and umlauts, rules that are not UTF-8, and
    what else may be in a directory."""
    rules = directory / 'odd'
    rules.mkdir()
    for name, text in (('Zoe', b'require "fileinto"; fileinto "Box";'), ('john doe', b'require "fileinto"; fileinto "Box";'),
                       ('o.brien', b'keep;'), ('we"ird', b'discard;'), ('\u00c4nne', b'discard;'),
                       ('latin', b'# \xff\nkeep;')):
        (rules / f'{name}.sieve').write_bytes(text)
    (rules / '.#Zoe.sieve').symlink_to('an.editor@host.1')
    (rules / '.hidden.sieve').write_text('discard;')
    (rules / 'directory.sieve').mkdir()
    status, output = run('--rules', rules)
    equal(status, 0, output)
    equal(sorted(re.findall(r'(?m)^  (.*@example.test, .*): mail/', output)),
          ['john doe@example.test, folder Box', 'latin@example.test, inbox', 'o.brien@example.test, inbox',
           'zoe@example.test, folder Box'], output)
    equal(len([line for line in section(output, 'What the sender was told') if ': taken' in line]), 6, output)
    assert 'no mail address' not in output, output
    for name in ('zoe', 'zoe+box'):
        (rules / f'{name}.sieve').write_text('keep;')
        equal(run('--rules', rules)[0], 2, name)
        (rules / f'{name}.sieve').unlink()


def same_environment(directory):
    """Why a copy is where it is: what rules ask of themselves and of the client is told alike by both programs."""
    items = {'location': 'MTA', 'phase': 'pre', 'host': 'mx.example.test', 'domain': 'example.test', 'remote-ip': '127.0.0.1',
             'remote-host': '', 'name': 'tamis'}
    tests = ', '.join(f'environment "{name}" "{value}"' for name, value in items.items())
    (directory / 'only.sieve').write_text(f'require ["environment", "fileinto"];\nif allof ({tests}) {{ fileinto "Seen"; }}\n')
    status, output = run('--rules', directory)
    equal(status, 0, output)
    equal(fates(output), {'only': 'Seen'}, output)
    assert 'fileinto "Seen": at line 2' in '\n'.join(section(output, 'Why')), output


def same_extensions(directory):
    """Nor is a copy explained by what these rules may not use: answers, which tamis-milter does not send."""
    (directory / 'asks.sieve').write_text('require ["ihave", "fileinto"];\n'
                                          'if ihave "vacation" { fileinto "Yes"; } else { fileinto "No"; }\n')
    (directory / 'needs.sieve').write_text('require ["vacation-seconds", "fileinto"];\nfileinto "Box";\n')
    status, output = run('--rules', directory)
    equal(status, 0, output)
    equal(fates(output), {'asks': 'No', 'needs': 'inbox'}, output)
    why = '\n'.join(section(output, 'Why'))
    assert 'fileinto "No": at line 2' in why and '"Yes":' not in why and '"Box":' not in why, why


def nobody_left(directory):
    """All refuse at RCPT TO: the message is not even sent."""
    (directory / 'only.sieve').write_bytes((SOURCE / 'doc/demo/carol.sieve').read_bytes())
    status, output = run('--rules', directory)
    equal(status, 0, output)
    assert 'C: DATA' not in output, output
    equal([line.strip() for line in section(output, 'Where the copies are')], ['nowhere'])


def wrong_usage(directory):
    for arguments in (['--rules', directory / 'none'], ['--message', directory / 'none'], ['--what']):
        status, output = run(*arguments)
        equal(status, 2, output)
    message = directory / 'odd.eml'
    message.write_text('From: <a b@client.example>\n\nHello.\n')
    for arguments, why in ((['--from', 'a b'], '--from: "a b" is no mail address'), (['--from', 'x@y>'], '--from: "x@y>"'),
                           (['--message', message], 'From field of')):
        status, output = run(*arguments)
        equal(status, 2, output)
        assert why in output and 'Postfix' not in output, output


def no_files(directory):
    """Who wrote them shall not wonder where his mail goes."""
    (directory / '.#alice.sieve').symlink_to('an editor\'s')
    for name, make, why in (('bob.sieve', lambda path: path.symlink_to('none'), 'is a link to what is not there: nobody'),
                            ('carol.sieve', lambda path: path.mkdir(), 'is no file: nobody')):
        make(directory / name)
        status, output = run('--rules', directory)
        equal((status, output.count(f'{name} in {directory} {why}')), (2, 1), output)
    (directory / 'alice.sieve').write_text('keep;')
    status, output = run('--rules', directory)
    equal((status, output.count('bob.sieve in'), output.count('carol.sieve in'), 'alice.sieve in' in output), (0, 1, 1, False), output)


def refused_at_once(directory):
    """Before anything is installed or built, which takes minutes."""
    for name in ('demo', 'tests/demo/demo.py', 'tests/lib', 'doc/demo'):
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (SOURCE / name).is_dir() else shutil.copy)(SOURCE / name, directory / name)
    (directory / 'build-aux').mkdir()
    (directory / 'build-aux/deps').write_text('#!/bin/sh\necho nothing can be had\nexit 1\n')
    (directory / 'build-aux/deps').chmod(0o755)
    environment = {name: value for name, value in ENVIRONMENT.items() if name != 'TAMIS_BUILD'}
    for arguments, status, text in ((['--rules', directory], 2, 'no NAME.sieve in'), (['--what'], 2, 'unrecognized arguments'),
                                    (['--message', directory / 'none'], 2, 'no such file'), (['--keep'], 1, 'nothing can be had')):
        done = subprocess.run([directory / 'demo', *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, env=environment, check=False, timeout=300)
        equal((done.returncode, text in done.stdout, 'installing' in done.stdout), (status, True, status == 1), done.stdout)


def keeps(number):
    """It goes on until it is told to end, or is killed, and can be talked to."""
    # of whoever is started in the background ^C is ignored, and of all that is started by him
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen([SOURCE / 'demo', '--keep'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               text=True, env={**ENVIRONMENT, 'PYTHONUNBUFFERED': '1'})
    try:
        output = ''
        while '  log: ' not in output:
            line = process.stdout.readline()
            assert line, output
            output += line
        port = int(re.search(r'SMTP: +127\.0\.0\.1 port (\d+)', output)[1])
        rules = pathlib.Path(re.search(r'rules: +(\S+)/NAME\.sieve', output)[1])
        mail = pathlib.Path(re.search(r'mail: +([^\s,]+)', output)[1])
        part = rules / 'part'
        part.write_text('require "fileinto"; fileinto "New";\n')
        part.rename(rules / 'alice.sieve')
        equal(client.send(port, 'x@client.example', ['alice@example.test'], b'Subject: x\r\n\r\n').fates(), [250])
        place.wait_for(lambda: list(mail.glob('alice@example.test/.New/new/*')), 10, 'a copy in the new folder')
    finally:
        process.send_signal(number)
        process.wait(120)
    directory = directory_of(output)
    try:
        place.wait_for(lambda: not directory.exists(), 20, 'the end of its directory')
        place.wait_for(lambda: not running(directory), 20, 'the end of what runs there')
    finally:
        end(directory)
    if number == signal.SIGINT:
        equal(process.returncode, 0)


def main():
    tap = Tap()
    why = postfix.missing() or daemon.missing()

    def test(title, function, *arguments):
        def inside():
            if why:
                raise Skip(why)
            return function(*arguments)
        tap.run(title, inside)

    with place.directory('test') as directory:
        test('one message, three fates', three_fates)
        test("the reader's own rules and message", other_rules, directory)
        test('files of any name', odd_names, directory)
        (directory / 'where').mkdir()
        test('rules that ask where they are', same_environment, directory / 'where')
        (directory / 'extensions').mkdir()
        test('rules that need what they may not use', same_extensions, directory / 'extensions')
        (directory / 'one').mkdir()
        test('nobody is left', nobody_left, directory / 'one')
        test('wrong usage', wrong_usage, directory)
        (directory / 'no files').mkdir()
        test('what is no file of rules', no_files, directory / 'no files')
        (directory / 'tree').mkdir()
        test('wrong usage, before anything is installed', refused_at_once, directory / 'tree')
        test('--keep, until ^C', keeps, signal.SIGINT)
        test('--keep, until it is killed', keeps, signal.SIGKILL)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main())
