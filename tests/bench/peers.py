# peers.py - the engines that are measured: how each checks rules and runs them over a Maildir
# SPDX-License-Identifier: BSD-2-Clause
import os
import shutil

# the longest rules here have 5 MB
SIZE = ['--limit', 'script-size=64M']


class Engine:
    name = ''
    environment = {}
    quick = False               # a few messages are over before anything can be measured

    def __init__(self, work, data):
        self.data = data
        self.directory = os.path.join(work, self.name)
        os.makedirs(self.directory)

    def available(self):
        return True

    def rules(self, name):
        return os.path.join(self.data, name + '.sieve')

    def messages(self, name):
        return os.path.join(self.data, name)

    def enough(self, messages):
        return 'often' if self.quick and messages == 'few' else messages

    def prepare(self, name):
        """What has to be done once before run(): a command, or None."""
        return self.compile(name)

    def compile(self, name):
        raise NotImplementedError

    def run(self, name, messages):
        raise NotImplementedError


class Tamis(Engine):
    name = 'tamis'
    command = 'tamis'
    quick = True

    def compile(self, name):
        return [self.command, 'check', *SIZE, self.rules(name)]

    def run(self, name, messages):
        return [self.command, 'run', *SIZE, '--summary', self.rules(name), self.messages(messages)]


class TamisUnindexed(Tamis):
    """The tests one by one, as when rules are compiled for a single message."""
    name = 'tamis --no-index'

    def run(self, name, messages):
        return super().run(name, messages) + ['--no-index']


class Pigeonhole(Engine):
    """Compiles to a file; sieve-filter files nothing unless it is told to (-e)."""
    name = 'pigeonhole'

    def available(self):
        if not shutil.which('sievec') or not shutil.which('sieve-filter'):
            return False
        home = os.path.join(self.directory, 'home')
        os.makedirs(home)
        self.settings = os.path.join(self.directory, 'dovecot.conf')
        with open(self.settings, 'w', encoding='utf-8') as out:
            out.write(f'mail_home = {home}\nmail_location = maildir:{home}/Maildir:INDEX=MEMORY\nlog_path = /dev/stderr\n'
                      'ssl = no\nplugin {\n  sieve_max_script_size = 0\n  sieve_max_actions = 0\n  sieve_max_cpu_time = 0\n}\n')
        self.environment = {'HOME': home, 'USER': 'nobody'}
        return True

    def script(self, name):
        """A copy, because what is compiled lies beside it."""
        path = os.path.join(self.directory, name + '.sieve')
        if not os.path.exists(path):
            shutil.copyfile(self.rules(name), path)
        return path

    def compile(self, name):
        return ['sievec', '-c', self.settings, self.script(name), os.path.join(self.directory, name + '.compiled')]

    def prepare(self, name):
        return ['sievec', '-c', self.settings, self.script(name)]

    def run(self, name, messages):
        control = os.path.join(self.directory, 'control', messages)
        os.makedirs(control, exist_ok=True)
        return ['sieve-filter', '-c', self.settings, '-o',
                f'mail_location=maildir:{self.messages(messages)}:INDEX=MEMORY:CONTROL={control}', self.script(name), 'INBOX']


class Mailutils(Engine):
    """Parses the rules at each start; needs no `require` for :regex."""
    name = 'mailutils'

    def available(self):
        self.environment = {'HOME': self.directory}
        return bool(shutil.which('sieve'))

    def script(self, name):
        path = os.path.join(self.directory, name + '.sieve')
        if not os.path.exists(path):
            with open(self.rules(name), encoding='utf-8') as source, open(path, 'w', encoding='utf-8') as out:
                out.write(source.read().replace(', "regex"', ''))
        return path

    def compile(self, name):
        return ['sieve', '--no-config', '-c', self.script(name)]

    def run(self, name, messages):
        return ['sieve', '--no-config', '-n', f'--mbox-url=maildir:{self.messages(messages)}', self.script(name)]


EVERY = [Tamis, TamisUnindexed, Pigeonhole, Mailutils]
