#!/usr/bin/env python3
# test_readme.py - README is true: its commands do what stands beside them, and what it names is there
# SPDX-License-Identifier: BSD-2-Clause
import os
import pathlib
import re
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(os.environ.get('TAMIS_SOURCE') or pathlib.Path(__file__).resolve().parents[2])
sys.path.insert(0, str(SOURCE / 'tests/lib'))
import place
from tap import Tap, equal

README = (SOURCE / 'README').read_text('utf-8')
TAMIS = pathlib.Path(shutil.which(os.environ.get('TAMIS', 'tamis')) or 'tamis').resolve()
MESSAGE = 'From: a@example.com\nTo: b@example.org\nList-Id: Friends <friends.lists.example.org>\nSubject: hello\n\nHello.\n'
# what its reader sees, a command of README each
SEEN = {
    'check': r'^$',
    'run rules.sieve message.eml': r'fileinto "Lists/friends"',
    'explain': r'fileinto "Lists/friends": at line 4',
    'trace': r'(?s)List-Id.*fileinto',
    'run rules.sieve ~/Maildir': r'Lists/friends',
    'diff': r'(?s)keep.*Lists/friends|Lists/friends.*keep',
    'test': r'ok 1 - rules.test: all is kept',
    'help': r'fileinto.*<mailbox: string>',
    'help --extensions': r'(?m)^fileinto\b',
}


def commands():
    """What stands behind "$ ", without the words on what it is for, or in a sentence."""
    return [re.split(r' {3,}', line)[0] for line in re.findall(r'^ +\$ (.*)$', README, re.M)] + re.findall(r'`(tamis [^`]+)`', README)


def world(directory):
    """The files that the commands name, with README's own rules."""
    rules = re.search(r'Thirty seconds of rules\n\n((?:    .*\n|\n)*?)\n    \$ ', README)[1]
    rules = re.sub(r'^    ', '', rules, flags=re.M)
    (directory / 'rules.sieve').write_text(rules)
    (directory / 'new.sieve').write_text(rules)
    (directory / 'old.sieve').write_text('keep;\n')
    (directory / 'message.eml').write_text(MESSAGE)
    (directory / 'rules.test').write_text('== all is kept\nkeep;\n-- expect\nkeep\n')
    for name in ('cur', 'new', 'tmp'):
        (directory / 'Maildir' / name).mkdir(parents=True)
    (directory / 'Maildir/new/1.a').write_text(MESSAGE)


def as_it_stands(directory, command):
    done = subprocess.run(['sh', '-c', command], cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, timeout=60,
                          env={**os.environ, 'HOME': str(directory), 'PATH': f'{TAMIS.parent}:{os.environ["PATH"]}'})
    key = [key for key in SEEN if command.startswith(f'tamis {key}')]
    assert key, f'nothing is known of "{command}"'
    assert done.returncode in ((0, 1) if key[-1] == 'diff' else (0,)), f'{command}: {done.returncode}\n{done.stdout}'
    assert re.search(SEEN[key[-1]], done.stdout), f'{command}:\n{done.stdout}'


def all_of_them():
    """A command that is added to README is run here as well."""
    found = commands()
    equal([key for key in SEEN if not any(command.startswith(f'tamis {key}') for command in found)], [])


def what_is_named():
    """Pages, directories, programs and their options."""
    for name in re.findall(r'\b(?:doc|build-aux)/[\w./-]*\w/?', README):
        assert (SOURCE / name).exists(), name
    for name, section in re.findall(r'\b([a-z][\w.-]*)\((\d)\)', README):
        assert (SOURCE / f'doc/{name}.{section}').exists(), f'{name}({section})'
    for program in re.findall(r'(?<![\w.])\./([a-z]+)', README):
        assert program in ('bootstrap', 'configure') or os.access(SOURCE / program, os.X_OK), program
    help_of_demo = subprocess.run([SOURCE / 'demo', '--help'], stdout=subprocess.PIPE, text=True, check=False).stdout
    for option in re.findall(r'--[a-z]+', re.search(r'(?s)\./demo --rules.*?\n\n', README)[0]):
        assert option in help_of_demo, option


def main():
    tap = Tap()
    with place.directory('readme') as directory:
        world(directory)
        for command in commands():
            tap.run(command, as_it_stands, directory, command)
    tap.run('all commands are known', all_of_them)
    tap.run('what README names is there', what_is_named)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main())
