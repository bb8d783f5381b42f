# unit.py - a unit of systemd's, started with its user and his rights where there is no systemd
# SPDX-License-Identifier: BSD-2-Clause
"""As a program: in place of systemctl, for a unit that forks and has one user, with the same words."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

UNITS = pathlib.Path('/etc/systemd/system')


class Unit:
    def __init__(self, path):
        self.text = pathlib.Path(path).read_text('utf-8')

    def values(self, name):
        return re.findall(rf'^{name}=(.*)$', self.text, re.M)

    def pid_file(self):
        return pathlib.Path(self.values('PIDFile')[0])

    def start(self):
        """Its directories are made, and its commands run, which must succeed."""
        user, = self.values('User')
        for base, name in (('/run', 'RuntimeDirectory'), ('/var/lib', 'StateDirectory')):
            for value in self.values(name):
                mode = (self.values(f'{name}Mode') or ['755'])[0]
                subprocess.run(['install', '-d', '-o', user, '-m', mode, f'{base}/{value}'], check=True)
        groups = self.values('SupplementaryGroups')
        rights = ['setpriv', f'--reuid={user}', f'--regid={user}', '--groups=' + ','.join(groups) if groups else '--clear-groups',
                  '--no-new-privs', '--bounding-set=-all', '--inh-caps=-all']
        for name in ('ExecStartPre', 'ExecStart'):
            for command in self.values(name):
                subprocess.run([*rights, *command.split()], check=True, timeout=300, umask=int(self.values('UMask')[0], 8))
        self.pid_file().read_text('ascii')

    def stop(self):
        os.kill(int(self.pid_file().read_text('ascii')), signal.SIGTERM)
        until = time.monotonic() + 120
        while self.pid_file().exists():
            assert time.monotonic() < until, f'{self.pid_file()} is still there'
            time.sleep(0.01)


def install(directory):
    """From now on this is systemctl."""
    UNITS.mkdir(parents=True, exist_ok=True)
    path = pathlib.Path(directory, 'systemctl')
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{os.path.abspath(__file__)}" "$@"\n')
    path.chmod(0o755)


def main(verb, *words):
    name, = (word for word in words if word != '--now')
    unit = Unit(UNITS / f'{name}.service')
    now = '--now' in words
    if verb == 'restart' or verb == 'disable' and now:
        unit.stop()
    if verb == 'restart' or verb == 'enable' and now:
        unit.start()
    assert now == (verb != 'restart') and verb in ('enable', 'disable', 'restart'), (verb, words)


if __name__ == '__main__':
    main(*sys.argv[1:])
