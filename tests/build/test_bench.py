#!/usr/bin/env python3
# test_bench.py - tests/bench/run as root, where others may not enter
# SPDX-License-Identifier: BSD-2-Clause
import os
import pathlib
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(os.environ.get('TAMIS_SOURCE') or pathlib.Path(__file__).resolve().parents[2])
sys.path.insert(0, str(SOURCE / 'tests/lib'))
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


def main():
    tap = Tap()
    tap.run('tests/bench/run as root, where others may not enter', root_alone)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main())
