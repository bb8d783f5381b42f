#!/usr/bin/env python3
# test_soak.py - half a minute at full speed: right answers, no growth
# SPDX-License-Identifier: BSD-2-Clause
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'lib')]
import daemon
import soak
from tap import Skip, Tap

SECONDS = 30
LEAST = {'messages': 1000, 'dropped': 10, 'written': 100, 'reloads': 10}


def half_a_minute():
    if daemon.missing():
        raise Skip(daemon.missing())
    wrong, counts = soak.soak(SECONDS, least=LEAST)
    print('# ' + ', '.join(f'{what} {n}' for what, n in counts.items()))
    for what, least in {**LEAST, 'copies': 20}.items():
        if counts[what] < least:
            wrong.append(f'{what}: {counts[what]} are too few to show anything')
    return wrong


def main():
    tap = Tap()
    tap.run(f'{SECONDS} s at full speed', half_a_minute)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main())
