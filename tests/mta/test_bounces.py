#!/usr/bin/env python3
# test_bounces.py - Postfix's own bounces: without rules as it is installed, with rules where doc/postfix.md says so
# SPDX-License-Identifier: BSD-2-Clause
import os
import sys

import world
import place
from tap import Tap, equal

RULES = {
    'edits': 'require "editheader"; addheader "X-Edited" "1";',
    'files': 'require "fileinto"; fileinto "Bounces";',
    'drops': 'discard;',
    'refuses': 'require "reject"; reject "no bounces";',
}
AS_IT_IS = {f'{who}@example.test': [] for who in RULES}
WITH_RULES = {'edits@example.test': [b'X-Edited: 1\r\n'], 'files+Bounces@example.test': [],
              'refuses@example.test': [b'Tamis-Refused: "no bounces"\r\n']}


def bounced(scene, expected):
    """Nobody takes what they sent; what comes back goes to the sender, who is nobody."""
    scene.sink.fail('rcpt', '550 5.1.1 no', -1, 'nobody@')
    for who in RULES:
        equal(scene.send(['nobody@else.example'], sender=f'{who}@example.test').fates(), [250])
    place.wait_for(lambda: len(scene.arrived()) >= len(expected), 20, 'the bounces')
    scene.settle()
    came = scene.arrived()
    equal({sender for _to, sender, _content in came}, {''})
    equal({to: [f for f in world.split(content)[0] if f.startswith((b'X-', b'Tamis-'))] for to, _sender, content in came}, expected)
    equal(len(came), len(expected))


def main():
    tap = Tap()
    for title, settings, expected in (('as it is installed', {}, AS_IT_IS),
                                      ('internal_mail_filter_classes', {'internal_mail_filter_classes': 'bounce'}, WITH_RULES)):
        if world.missing('postfix'):
            tap.result(title, [], world.missing('postfix'))
            continue
        with place.directory('bounces') as directory, world.World(directory, 'postfix', RULES, mta={'settings': settings}) as scene:
            scene.run(tap, title, lambda s, wanted=expected: bounced(s, wanted))
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
