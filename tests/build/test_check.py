#!/usr/bin/env python3
# test_check.py - ./check over a tree of fakes: when it configures a build that is there
# SPDX-License-Identifier: BSD-2-Clause
import os
import pathlib
import subprocess
import sys

SOURCE = pathlib.Path(os.environ.get('TAMIS_SOURCE') or pathlib.Path(__file__).resolve().parents[2])
sys.path.insert(0, str(SOURCE / 'tests/lib'))
import place
from tap import Skip, Tap, equal

INSTALLED = pathlib.Path('/var/lib/dpkg/status')
FAKES = {
    'build-aux/deps': '#!/bin/sh\n',
    'build-aux/run-tests': '#!/bin/sh\nfor word; do case $word in --counts=*) echo 1 0 0 >"${word#*=}" ;; esac; done\n',
    'configure.ac': '', 'Makefile.in': '',
    'configure': '#!/bin/sh\necho tests: >Makefile\necho >config.status\necho "$*" >>configured\n',
}


def tree(directory):
    for name, text in {**FAKES, 'check': (SOURCE / 'check').read_text('utf-8')}.items():
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, 'utf-8')
        path.chmod(0o755)
    os.utime(directory / 'configure.ac', (0, 0))


def configured(directory):
    """How often its build was, after another run."""
    environment = {name: value for name, value in os.environ.items() if name != 'MAKEFLAGS'}
    done = subprocess.run([directory / 'check', '--quick'], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, timeout=300)
    equal((done.returncode, done.stdout.splitlines()[-1:]), (0, ['1 passed, 0 failed']), done.stdout)
    return len((directory / '.build/gcc/configured').read_text('utf-8').splitlines())


def after_demo(directory):
    """Which installs less than the tests need: what configure did not find then it is to find now."""
    if not INSTALLED.exists():
        raise Skip('no Debian')
    equal((configured(directory), configured(directory)), (1, 1))
    os.utime(directory / '.build/gcc/config.status', (INSTALLED.stat().st_mtime - 1,) * 2)
    equal((configured(directory), configured(directory)), (2, 2))


def other_arguments(directory):
    before = configured(directory)
    (directory / '.build/gcc/arguments').write_text('CC=another\n')
    equal(configured(directory), before + 1)


def main():
    tap = Tap()
    with place.directory('check') as directory:
        tree(directory)
        tap.run('a build from before something was installed is configured again, once', after_demo, directory)
        tap.run('so is one that was configured in another way', other_arguments, directory)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main())
