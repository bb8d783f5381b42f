#!/usr/bin/env python3
# test_denied.py - tamis doctor: who may look at what, and whether somebody listens
# SPDX-License-Identifier: BSD-2-Clause
import os
import pathlib
import shutil
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import daemon
import place
from tap import Skip, Tap, equal

NOBODY = 65534


def ask(program, box, trap='daemon'):
    """What it says of that, to root and to nobody."""
    said = []
    for user in (0, NOBODY):
        done = subprocess.run([program, 'doctor', '-c', box.configuration, '--server', 'none'], stdout=subprocess.PIPE, check=False,
                              text=True, user=user, group=user, extra_groups=[], cwd='/')
        lines = done.stdout.splitlines()
        at = next(n for n, line in enumerate(lines) if f' {trap}: ' in line)
        said.append([line.strip() for line in lines[at:at + 2] if line.startswith(' ') or f' {trap}: ' in line])
    return said


def denied():
    """A daemon that serves is not to be started, only because somebody may not connect to it; a secret that somebody may not
    see is not fine, nor is one that the daemon may not read."""
    if os.geteuid():
        raise Skip('only root can become somebody else')
    with place.directory('denied') as directory:
        directory.chmod(0o755)
        program = shutil.copy(shutil.which(os.environ.get('TAMIS', 'tamis')), directory / 'asked')
        box = daemon.Daemon(directory / 'tamis')
        path, why = f'daemon: {box.socket}', 'Permission denied'
        may_not = 'you may not look: ask as root, or as the user of the mail server'
        with box:
            root, nobody = ask(program, box)
        equal(root, [f'fine     {path}: somebody listens'])
        equal(nobody, [f'warning  {path}: {why}', may_not])
        root, nobody = ask(program, box)
        equal(root[1:], ['start tamis-milter; its log says why it does not serve'], 'when it is down')
        secret = box.state / 'secret'
        box.state.chmod(0o700)
        root, nobody = ask(program, box, 'secret_file')
        equal((root, nobody), ([f'fine     secret_file: {secret}: mode 0600'], [f'warning  secret_file: {secret}: {why}', may_not]))
        box.state.chmod(0o755)
        box.configuration.write_text(box.configuration.read_text() + 'user = nobody\n')
        equal(ask(program, box, 'secret_file')[0][0], f'error    secret_file: {secret}: mode 0600, and user nobody may not read it: {why}')


def at_port():
    """Somebody is looked for where the daemon listens, be it at a port."""
    with socket.create_server(('127.0.0.1', 0)) as listening:
        where = f'inet:{listening.getsockname()[1]}@127.0.0.1'
        done = subprocess.run([os.environ.get('TAMIS', 'tamis'), 'doctor', '-c', '-', '--server', 'none'], stdout=subprocess.PIPE,
                              check=False, text=True, input=f'socket = {where}\n')
    equal([line for line in done.stdout.splitlines() if ' daemon: ' in line], [f'fine     daemon: {where}: somebody listens'])


def main():
    tap = Tap()
    tap.run('doctor: nobody may neither connect nor look', denied)
    tap.run('doctor: somebody listens at a TCP port', at_port)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main())
