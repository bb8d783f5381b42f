#!/usr/bin/env python3
# test_check.py - tamis-milter -n warns of what a start would trip over, of nothing else, and changes nothing
# SPDX-License-Identifier: BSD-2-Clause
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import daemon
import place
from tap import Skip, Tap, equal

USER, OTHER = 'nobody', 'daemon'
DENIED, MISSING = 'Permission denied', 'No such file or directory'


class Scene:
    """A directory in which all is as a start as that user wants it."""

    def __init__(self, directory):
        self.directory = directory
        self.program = shutil.copy(daemon.program(), directory / 'tamis-milter')
        self.values = {'user': USER, 'socket': f'unix:{directory}/socket/s', 'pid_file': directory / 'pid/p',
                       'state_dir': directory / 'state', 'secret_file': directory / 'secret/s', 'spill_dir': directory / 'spill'}
        for name in ('socket', 'pid', 'state', 'secret', 'spill'):
            (directory / name).mkdir(mode=0o700)
        for name in ('state', 'secret', 'spill'):
            self.give(name, USER)

    def give(self, name, user, mode=0o700):
        entry = pwd.getpwnam(user)
        os.chown(self.directory / name, entry.pw_uid, entry.pw_gid)
        os.chmod(self.directory / name, mode)

    def write(self, name, content, user, mode=0o600):
        (self.directory / name).write_bytes(content)
        self.give(name, user, mode)

    def conf(self, **values):
        path = self.directory / 'tamis.conf'
        path.write_text(''.join(f'{name} = {value}\n' for name, value in {**self.values, **values}.items()))
        path.chmod(0o644)
        return path

    def asked(self, who=None, **values):
        """Each warning: the path below the directory, why, and which setting it is about."""
        identity = {'user': who, 'group': pwd.getpwnam(who).pw_gid, 'extra_groups': []} if who else {}
        path, before = self.conf(**values), self.all_there_is()
        done = subprocess.run([self.program, '-n', '-c', path], stderr=subprocess.PIPE, text=True, check=False, cwd='/', **identity)
        equal((done.returncode, self.all_there_is()), (0, before))
        said = re.findall(r'^(\S+): warning: (.*)\nhint: (.*)$', done.stderr, re.M)
        equal(done.stderr.count('warning'), len(said), done.stderr)
        return [(path.replace(f'{self.directory}/', ''), why,
                 re.search('socket|pid_file|state_dir|secret_file|spill_dir|rules_dir', hint)[0]) for path, why, hint in said]

    def all_there_is(self):
        return sorted((str(path), path.lstat().st_mtime_ns) for path in self.directory.rglob('*'))


def fine(scene):
    for who in (None, USER, OTHER):
        equal((who, scene.asked(who)), (who, []))
    scene.write('secret/s', bytes(32), USER)
    scene.write('pid/p', b'1\n', 'root')
    for name in ('journal', 'journal.lock', 'slots'):
        scene.write(f'state/{name}', b'', USER)
    for who in (None, USER, OTHER):
        equal((who, scene.asked(who)), (who, []), 'behind an earlier start')
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        for who in (None, USER):
            for at in (f'inet:{port}@127.0.0.1', f'inet:localhost:{port}', f'inet:{port}', 'inet:25@127.0.0.1'):
                equal((at, scene.asked(who, socket=at, pid_file='', secret_file='')), (at, []))


def missing(scene):
    for name in ('socket', 'pid', 'state', 'secret', 'spill'):
        (scene.directory / name).rmdir()
    for who in (None, USER, OTHER):
        equal(scene.asked(who), [('socket', MISSING, 'socket'), ('pid', MISSING, 'pid_file'), ('state', MISSING, 'state_dir'),
                                 ('secret', MISSING, 'secret_file'), ('spill', MISSING, 'spill_dir')])
    equal(scene.asked(socket='inet:8899@127.0.0.1', pid_file='', secret_file=scene.directory / 'state/secret'),
          [('state', MISSING, 'state_dir'), ('spill', MISSING, 'spill_dir')], 'what is in it is not told again')
    equal([place for place, _why, _setting in scene.asked(mode='strip')], ['socket', 'pid', 'state', 'secret'])


def denied(scene):
    """The directories are root's.  Who is somebody else cannot tell."""
    found = [('state', DENIED, 'state_dir'), ('secret', DENIED, 'secret_file'), ('spill', DENIED, 'spill_dir')]
    for name in ('state', 'secret', 'spill'):
        scene.give(name, 'root', 0o755)
    for who, said in ((None, found), (USER, found), (OTHER, [])):
        equal((who, scene.asked(who)), (who, said))
    equal(scene.asked(user=''), [], 'as root it does start')
    equal(scene.asked(USER, user=''), [], 'nobody knows who starts it')
    for name in ('state', 'secret', 'spill'):
        scene.give(name, 'root', 0o733)
    equal(scene.asked(), found[:2], 'of spill_dir nothing is read')


def files(scene):
    """What a start as somebody else has left, and files in places of directories."""
    for name in ('journal', 'journal.lock', 'slots'):
        scene.write(f'state/{name}', b'', 'root')
    scene.write('secret/s', bytes(32), 'root')
    equal(scene.asked(), [('state/journal', DENIED, 'state_dir'), ('state/journal.lock', DENIED, 'state_dir'),
                          ('state/slots', DENIED, 'state_dir'), ('secret/s', DENIED, 'secret_file')])
    scene.write('secret/s', bytes(31), USER)
    equal(scene.asked(state_dir=scene.directory / 'secret'), [('secret/s', 'it has less than 32 bytes', 'secret_file')])
    scene.write('spill/x', b'', USER)
    equal(scene.asked(state_dir=scene.directory / 'spill/x', secret_file=''), [('spill/x', 'Not a directory', 'state_dir')])


def no_files(scene):
    """What is neither a file nor a socket is not taken for one, whoever has put it there; the daemon says the same."""
    scene.give('.', 'root', 0o755)
    plain, socket = 'there is something of that name that is no file', 'there is something of that name that is no socket'
    for name, make, said, told in (
            ('state/journal', os.mkfifo, (plain, 'state_dir'), 'journal in state_dir'),
            ('state/slots', os.mkfifo, (plain, 'state_dir'), 'slots in state_dir'),
            ('state/slots', lambda path: os.symlink('/nonexistent', path), (plain, 'state_dir'), 'slots in state_dir'),
            ('pid/p', os.mkdir, (plain, 'pid_file'), 'Is a directory'),
            ('socket/s', os.mkdir, (socket, 'socket'), 'which is no socket'),
            ('secret/s', os.mkdir, ('Is a directory', 'secret_file'), 'secret_file'),
            ('secret/s', lambda path: os.symlink('/nonexistent', path), ('it is a link to what is not there', 'secret_file'), 'secret_file'),
            ('secret/s', os.mkfifo, ('it has less than 32 bytes', 'secret_file'), 'secret_file')):
        path = scene.directory / name
        for left in ('pid/p', 'socket/s', 'secret/s'):          # by a start that failed as that user
            (scene.directory / left).unlink(missing_ok=True)
        make(path)
        if not path.is_symlink():
            scene.give(name, USER)
        equal(scene.asked(), [(name, *said)])
        done = subprocess.run([scene.program, '-c', scene.conf()], stderr=subprocess.PIPE, text=True, check=False, timeout=60)
        equal((name, done.returncode, told in done.stderr, 'Invalid argument' in done.stderr), (name, 78, True, False), done.stderr)
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()
    scene.write('secret/s', bytes(32), USER, 0o644)
    equal(scene.asked(), [('secret/s', 'everybody may read or write it', 'secret_file')])


def pipes(scene):
    """One that nobody writes is no empty file: it would be a configuration of defaults, and a map in which nobody is."""
    os.mkfifo(scene.directory / 'pipe')
    conf, away = scene.conf(users=scene.directory / 'pipe'), 'No such device or address'
    setting = f"{conf}:{len(scene.values) + 1}:1: error: \"{scene.directory}/pipe\" of 'users': {away}"
    for path, told in ((conf, setting), (scene.directory / 'pipe', f'{scene.directory}/pipe: error: {away}')):
        done = subprocess.run([scene.program, '-n', '-c', path], stderr=subprocess.PIPE, text=True, check=False, timeout=60)
        equal((done.returncode, told in done.stderr), (78, True), done.stderr)
    come, go = os.pipe()
    os.write(go, conf.read_bytes().replace(b'users', b'#users'))
    os.close(go)
    done = subprocess.run([scene.program, '-n', '-c', f'/dev/fd/{come}'], pass_fds=[come], stderr=subprocess.PIPE, text=True,
                          check=False, timeout=60)
    equal((done.returncode, done.stderr), (0, ''))


def hanging(scene):
    """One whose writer says nothing more holds up neither a check nor, at a reload, the daemon."""
    os.mkfifo(scene.directory / 'pipe')
    writer = os.open(scene.directory / 'pipe', os.O_RDWR)
    conf = scene.conf(users=scene.directory / 'pipe')
    asked = [subprocess.Popen([scene.program, '-n', '-c', path], stderr=subprocess.PIPE, text=True)
             for path in (conf, scene.directory / 'pipe')]
    try:
        for process in asked:
            said = process.communicate(timeout=60)[1]
            equal((process.returncode, re.search(f'{scene.directory}/pipe.*: it is a pipe that does not come to its end', said) is not None),
                  (78, True), said)
    finally:
        for process in asked:
            process.kill()
        os.close(writer)


def site(scene):
    """Scripts of the site, and directories of rules, are the daemon's to read, whoever asks: the check says what a start says."""
    scene.give('.', 'root', 0o755)
    conf = scene.conf(site_before=scene.directory / 'site', local_domains='example.test', spill_dir='/tmp')
    for user, mode, status in (('root', 0o644, 0), ('root', 0o600, 78), (USER, 0o600, 0), (OTHER, 0o644, 78)):
        scene.write('site', b'keep;', user, mode)
        asked = subprocess.run([scene.program, '-n', '-c', conf], stderr=subprocess.PIPE, text=True, check=False, timeout=60)
        equal((user, mode, asked.returncode, bool(asked.stderr)), (user, mode, status, status != 0), asked.stderr)
        if status:
            done = subprocess.run([scene.program, '-c', conf], stderr=subprocess.PIPE, text=True, check=False, timeout=60)
            equal((done.returncode, done.stderr), (78, asked.stderr))
        if mode == 0o600 and status:
            assert f"hint: the daemon reads it as user {USER}" in asked.stderr, asked.stderr
    scene.write('site', b'keep;', 'root', 0o644)
    (scene.directory / 'rules').mkdir()
    scene.give('rules', 'root', 0o700)
    equal(scene.asked(rules_dir=scene.directory / 'rules'), [('rules', DENIED, 'rules_dir')])
    equal(scene.asked(rules_dir=scene.directory / 'rules', user=''), [])


def again(scene):
    """What root reads at the start and the daemon's user at a reload."""
    scene.give('.', 'root', 0o755)
    scene.write('map', b'a@example.test b@example.test\n', 'root')
    conf = scene.conf(users=scene.directory / 'map')
    for who, files in ((None, ['tamis.conf', 'map']), (OTHER, [])):
        conf.chmod(0o600 if not who else 0o644)
        (scene.directory / 'map').chmod(0o600 if not who else 0o644)
        identity = {'user': who, 'group': pwd.getpwnam(who).pw_gid, 'extra_groups': []} if who else {}
        done = subprocess.run([scene.program, '-n', '-c', conf], stderr=subprocess.PIPE, text=True, check=False, **identity)
        equal((who, done.returncode, re.findall(rf'{scene.directory}/(.*): warning: {DENIED}\nhint: .*reload', done.stderr)),
              (who, 0, files), done.stderr)
    equal(scene.asked(users=scene.directory / 'map'), [], 'who may read them')


def started(scene):
    """Whether it starts is what the warnings tell."""
    scene.give('.', 'root', 0o755)
    for name, starts in ((None, True), ('state', False), ('secret', False), ('socket', False), ('pid', False)):
        if name:
            (scene.directory / name).rename(scene.directory / 'away')
        warned = scene.asked(spill_dir='/tmp')
        done = subprocess.run([scene.program, '-c', scene.conf(spill_dir='/tmp')], stderr=subprocess.DEVNULL, check=False, timeout=60)
        equal((name, not warned, done.returncode == 0), (name, starts, starts), warned)
        if starts:
            pid = int((scene.directory / 'pid/p').read_text())
            os.kill(pid, signal.SIGTERM)
            place.wait_for(lambda: not place.is_alive(pid), 30, 'its end')
        if name:
            (scene.directory / 'away').rename(scene.directory / name)


def main():
    tap = Tap()
    if daemon.missing():
        print(f'1..0 # skip {daemon.missing()}')
        return 0
    for title, test in (('all is there', fine), ('nothing is there', missing), ('what the user may not', denied),
                        ('files that are in the way', files), ('what is there is no file', no_files),
                        ('pipes', pipes), ('pipes that hang', hanging),
                        ('rules of the site', site), ('what is read again', again),
                        ('a start fails where it warns', started)):
        with place.directory('check') as directory:
            directory.chmod(0o755)
            tap.run(title, as_root, test, directory)
    return tap.finish()


def as_root(test, directory):
    if os.geteuid():
        raise Skip('only root can ask as somebody else')
    test(Scene(directory))


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
