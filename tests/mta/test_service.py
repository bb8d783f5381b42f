#!/usr/bin/env python3
# test_service.py - doc/tamis-milter.service: systemd understands it, and the daemon serves with the rights it leaves
# SPDX-License-Identifier: BSD-2-Clause
import grp
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import house
import page
import place
import postfix
import unit
from tap import Skip, Tap, equal
from town import SOURCE

UNIT = SOURCE / 'doc/tamis-milter.service'


def moved(text, program):
    """The unit with a path for the program: quoted, for there may be a blank in it (systemd.service, COMMAND LINES)."""
    program = program.replace('%', '%%')
    return re.sub(r'(?m)^(Exec\w+=)tamis-milter', lambda m: f'{m[1]}"{program}"', text)


def understood():
    """Programs are named without a path, for systemd knows where to look; here they are somewhere else."""
    if not shutil.which('systemd-analyze'):
        raise Skip('no systemd-analyze')
    copy = pathlib.Path('/run/tamis-milter.service')
    elsewhere = pathlib.Path('/run/a prefix of 100%/tamis-milter')
    elsewhere.parent.mkdir()
    elsewhere.symlink_to(house.program('tamis-milter'))
    copy.write_text(moved(UNIT.read_text('utf-8'), str(elsewhere)))
    done = subprocess.run(['systemd-analyze', 'verify', '--man=no', copy], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, text=True)
    wrong = [line for line in done.stdout.splitlines() if copy.name in line]
    assert not wrong, '\n'.join(wrong)
    copy.write_text(copy.read_text().replace('\nProtectSystem=strict', '\nProtectSystem=very'))
    done = subprocess.run(['systemd-analyze', 'verify', '--man=no', copy], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, text=True)
    assert 'protect system' in done.stdout, f'systemd-analyze says nothing of a mistake: {done.stdout}'


def serves():
    """As that user from the start, with what systemd would make for him and what postfix.md makes."""
    steps = page.Page(SOURCE / 'doc/postfix.md').of('Attach it')
    subprocess.run('install -d -m 755 /etc/tamis /var/lib /var/spool/postfix', shell=True, check=True)
    said = page.Page(SOURCE / 'doc/postfix.md')
    for block in steps[:2]:
        said.do(block)
    its = unit.Unit(UNIT)
    its.start()
    pid = int(its.pid_file().read_text())
    socket = os.stat('/var/spool/postfix/tamis/milter.sock')
    equal((grp.getgrgid(socket.st_gid).gr_name, socket.st_mode & 0o777), ('postfix', 0o660))
    limits = pathlib.Path(f'/proc/{pid}/status').read_text()
    equal(re.findall(r'^(?:CapEff|NoNewPrivs):\s+(\w+)', limits, re.M), ['0' * 16, '1'])
    subprocess.run(its.values('ExecReload')[0].replace('$MAINPID', str(pid)), shell=True, check=True)
    place.wait_for(lambda: place.is_alive(pid), 1, 'the daemon')
    os.kill(pid, 15)
    place.wait_for(lambda: not its.pid_file().exists(), 20, 'the end')
    assert not os.path.exists('/var/spool/postfix/tamis/milter.sock')


def main():
    tap = Tap()
    tap.run('systemd understands the unit', understood)
    tap.run('the daemon serves with the rights that the unit leaves', serves)
    return tap.finish()


if __name__ == '__main__':
    house.run(main, postfix.missing())
