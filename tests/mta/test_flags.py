#!/usr/bin/env python3
# test_flags.py - what F= of a filter in sendmail.cf makes of a daemon that dies or is away: T and 4 lose nothing
# SPDX-License-Identifier: BSD-2-Clause
import os
import sys
import threading

import world
import client
import place
import sink
from tap import Tap, equal

RULES = {'edits': 'require "editheader"; addheader "X-Edited" "1";', 'drops': 'discard;'}
PEOPLE = ['edits', 'drops', 'keeps']
# what the sender hears when the daemon dies with the copy under way, and when it is away; is it safe?
FLAGS = {'F=T, ': (451, 451, True), 'F=4, ': (421, None, True), 'F=R, ': (554, 550, False), '': (250, 250, False)}


def away(scene):
    """The code of the first refusal; None: nothing was said."""
    try:
        return scene.send(PEOPLE).fates()[0]
    except (client.Gone, OSError):
        return None


def dies(directory, flag):
    at_end, when_away, safe = FLAGS[flag]
    copies = sink.Sink(directory / 'copies')
    scene = world.World(directory, 'sendmail', RULES, {'copy_to': f'smtp:127.0.0.1:{copies.port}'})
    path = scene.mta.etc / 'sendmail.cf'
    text = path.read_text()
    assert text.count('F=T, ') == 1
    path.write_text(text.replace('F=T, ', flag))
    copies.hang_seconds = 600
    copies.fail('dot', 'hang')
    with copies, scene:
        told = []
        talk = threading.Thread(target=lambda: told.append(scene.send(PEOPLE).fates()))
        talk.start()
        place.wait_for(lambda: 'DATA' in copies.commands, 20, 'the copy')
        scene.daemon.kill()
        talk.join()
        equal(told, [[at_end] * 3], 'dies')
        equal(away(scene), when_away, 'is away')
        scene.daemon.start()
        copies.heal()
        content = world.message(1)
        scene.settle()
        # the same message again, where it is safe to do so, comes once; else somebody had what his rules discard, or nothing
        came = [to for to, *_rest in scene.arrived(1)]
        equal(came, [] if safe or at_end == 554 else [f'{who}@example.test' for who in sorted(PEOPLE)])
        if safe:
            equal(scene.send(PEOPLE, content).fates(), [250] * 3)
            scene.settle()
            equal([to for to, *_rest in scene.arrived(1)], ['keeps@example.test'])
            equal([copy.addresses for copy in copies.transactions()], [['edits@example.test']])


def main():
    tap = Tap()
    for flag in FLAGS:
        title = flag or 'none'
        if world.missing('sendmail'):
            tap.result(title, [], world.missing('sendmail'))
            continue
        with place.directory('flags') as directory:
            tap.run(title, dies, directory, flag)
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
