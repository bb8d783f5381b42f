#!/usr/bin/env python3
# test_bench.py - tests/bench/run as root, where others may not enter; what tests/bench/milter/run exits with
# SPDX-License-Identifier: BSD-2-Clause
import os
import pathlib
import re
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(os.environ.get('TAMIS_SOURCE') or pathlib.Path(__file__).resolve().parents[2])
sys.path.insert(0, str(SOURCE / 'tests/lib'))
import daemon
import place
from tap import Skip, Tap, equal


def root_alone():
    """It goes on as nobody, who runs a tamis of his own; where he cannot work it says so."""
    if os.geteuid():
        raise Skip('only root can become somebody else')
    with place.directory('bench') as directory:
        directory.chmod(0o755)
        inner = directory / 'inner'
        inner.mkdir(mode=0o700)
        program = shutil.copy(shutil.which(os.environ.get('TAMIS', 'tamis')), inner)

        def run(work):
            command = [sys.executable, SOURCE / 'tests/bench/run', '--quick', '--only', 'none', '--work', work]
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, text=True, cwd=inner,
                                  env={**os.environ, 'TAMIS': str(program)})
            return done.returncode, done.stderr

        equal(run(directory / 'work'), (0, ''))
        why = f'run: for root this is done as nobody, who may not enter {inner}/work: name another directory with --work\n'
        equal(run(inner / 'work'), (2, why))


def targets():
    """A target that cannot be met, and some that cannot be missed: 1, and 0."""
    if daemon.missing():
        raise Skip(daemon.missing())
    with place.directory('bench') as directory:
        for name in ('bench', 'lib'):
            shutil.copytree(SOURCE / 'tests' / name, directory / 'tests' / name)
        (directory / 'src').symlink_to(SOURCE / 'src')
        program = directory / 'tests/bench/milter/run'
        text = program.read_text()
        for chunks, status, word in ((0, 1, 'NOT met  '), (16, 0, 'met      ')):
            changed = re.sub(r'(?m)^(RATE_LEAST.*) = .*', rf'\1 = 0, 1e9, 1e12, {chunks}', text)
            changed = re.sub(r'(?m)^KEPT_MOST = \S+', 'KEPT_MOST = 1e12', changed)
            assert changed.count('1e12') == 2, 'the targets are not where they were'
            program.write_text(changed)
            done = subprocess.run([program, '--quick', '--only', 'body'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  check=False, text=True)
            equal(done.returncode, status, done.stdout)
            assert word + 'rules without a body: ' in done.stdout, done.stdout


def main():
    tap = Tap()
    tap.run('tests/bench/run as root, where others may not enter', root_alone)
    tap.run('tests/bench/milter/run, with a target that is met and one that is not', targets)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main())
