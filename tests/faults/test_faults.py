#!/usr/bin/env python3
# test_faults.py - a short campaign: nothing is lost, misdelivered, altered, or doubled without cause
# SPDX-License-Identifier: BSD-2-Clause
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'lib')]
import bench
import campaign
from tap import Skip, Tap

SEED, RUNS = 'check', 40


def short(*words):
    keep = os.path.join(os.environ.get('TMPDIR', '/tmp'), 'tamis-faults')
    return campaign.campaign(campaign.arguments(['--seed', SEED, '--runs', str(RUNS), '--keep', keep, *words]))


def random_runs():
    """What fails is printed as it happens, and how to repeat it."""
    why = bench.missing('postfix')
    if why:
        raise Skip(why)
    tally = short()
    wrong = list(tally.failed)
    events = tally.counts['events']
    killed = sum(tally.counts['points'].values())
    for what, n, least in (('deaths', killed, 8), ('failures of the port', events['port failed'] + events['reply lost'], 3),
                           ('copies', tally.counts['arrivals']['copies'], 10), ('others', tally.counts['arrivals']['queue'], 30),
                           ('scripts of a site', sum(tally.counts['site scripts'].values()), 8),
                           ('of a users map', sum(tally.counts['users map'].values()), 1),
                           ('rules of several commands', sum(tally.counts['combined'].values()), 5),
                           ('in quarantine', tally.counts['came']['put in quarantine'], 2),
                           ('runs', sum(tally.counts['runs'].values()), RUNS)):
        if n < least:
            wrong.append(f'{n} {what}: too few to show anything')
    return wrong


def main():
    tap = Tap()
    tap.run(f'{RUNS} messages while things break', random_runs)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main())
