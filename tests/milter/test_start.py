#!/usr/bin/env python3
# test_start.py - tamis-milter is started in odd ways: it says whether it serves, serves, and ends when it is told to
# SPDX-License-Identifier: BSD-2-Clause
import os
import pathlib
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import daemon
import milter
import place
from tap import Tap, equal

NULL = '/dev/null'


def asked(scene):
    with milter.MilterClient(scene.socket) as client:
        client.macros(b'C', j='mx.example.test', v='Postfix 3.7.11')
        client.connect()
        client.helo()
        _told, end = client.message('<s@client.example>', ['<alice@example.test>'], [('Subject', 'hello')], b'Hello.\r\n')
        return [str(answer) for answer in end or []]


def own_descriptors(pid):
    """Where standard input, output and errors go."""
    return [os.readlink(f'/proc/{pid}/fd/{number}') for number in range(3)]


def descriptors_are_closed(directory, log):
    """As some who start daemons do: nothing that is opened may take their place, for it would be written to."""
    pid_file = directory / 'pid'
    scene = daemon.Daemon(directory, {'alice': 'discard;'}, {'pid_file': pid_file, 'log': log})
    for closed in ('0<&-', '1>&-', '2>&-', '0<&- 1>&- 2>&-'):
        done = subprocess.run(['sh', '-c', f'exec "$@" {closed}', 'sh', daemon.program(), '-c', scene.configuration],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=60)
        place.wait_for(lambda: pid_file.exists() and pid_file.read_text(), 30, f'a daemon begun with {closed}')
        pid = int(pid_file.read_text())
        try:
            equal((closed, done.returncode, own_descriptors(pid)), (closed, 0, [NULL, NULL, NULL]))
            equal((closed, asked(scene)), (closed, ['delete recipient <alice@example.test>', 'continue']))
            os.kill(pid, signal.SIGTERM)
            place.wait_for(lambda: not pid_file.exists(), 30, f'the end of a daemon begun with {closed}')
        finally:
            if place.is_alive(pid):
                os.kill(pid, signal.SIGKILL)


def main():
    tap = Tap()
    if daemon.missing():
        print(f'1..0 # skip {daemon.missing()}')
        return 0
    for log in ('stderr', 'syslog'):
        with place.directory('start') as directory:
            tap.run(f'descriptors are closed, log = {log}', descriptors_are_closed, directory, log)
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
