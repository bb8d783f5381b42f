# house.py - a machine of one's own: directories, ports and processes that nobody else sees
# SPDX-License-Identifier: BSD-2-Clause
"""What a page tells an administrator to type is typed as it stands, for the paths and ports that it names are ours.
A test calls run() first of all: it begins again, in namespaces where SEEN is what the left column says, and where
the loopback interface and all processes are its own.  They end with it."""
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys

# what commands see there, and what it really is
SEEN = {
    '/etc': 'a copy of /etc, without mail servers',
    '/var': 'empty directories',
    '/run': 'empty',
    '/dev': 'the devices that never change, and a log of ours',
    'sysconfdir': '/etc, whatever tamis was configured with',
    '127.0.0.1': 'an interface of ours: every port is free',
    'host name': 'mx.example.org',
}
DEVICES = {'null': 3, 'zero': 5, 'full': 7, 'random': 8, 'urandom': 9}
SPACES = ('--mount', '--net', '--pid', '--uts', '--ipc', '--fork', '--kill-child', '--mount-proc')
INSIDE = 'TAMIS_TEST_HOUSE'


def missing():
    """Why there can be none; else None."""
    if os.geteuid() != 0:
        return 'only root can have a machine of its own'
    if subprocess.run(['unshare', *SPACES, 'true'], stderr=subprocess.DEVNULL, check=False).returncode:
        return 'no namespaces here'
    return None


def enter():
    """Returns inside.  Outside, ends with the exit status of what happened inside."""
    if os.environ.get(INSIDE):
        furnish()
        return
    os.environ[INSIDE] = '1'
    os.execvp('unshare', ['unshare', *SPACES, sys.executable, *sys.argv])


def run(main, why_not):
    """A test of a whole house: main() inside; why_not: what there is against it."""
    os.umask(0o022)
    why_not = why_not or missing()
    if why_not and not os.environ.get(INSIDE):
        print(f'1..0 # skip {why_not}')
        sys.exit(0)
    enter()
    print('# what is named, and what it is here:')
    for what, really in SEEN.items():
        print(f'#   {what:12} {really}')
    sys.exit(main())


def mount(*words):
    subprocess.run(['mount', *map(str, words)], check=True)


def standard_configuration():
    """Where the program that is tested looks for tamis.conf."""
    text = subprocess.run([program('tamis-milter'), '--help'], stdout=subprocess.PIPE, check=True, text=True).stdout
    return pathlib.Path(re.search(r'\(default: (.+)\)', text)[1])


def program(name):
    path = os.environ.get({'tamis': 'TAMIS', 'tamis-milter': 'TAMIS_MILTER'}[name])
    return os.path.abspath(path or os.path.join(os.environ.get('TAMIS_BUILD', '.build/gcc'), name))


def furnish():
    source = pathlib.Path(os.environ.get('TAMIS_SOURCE') or pathlib.Path(__file__).resolve().parents[2])
    os.environ['TAMIS_SENDMAIL'] = os.environ.get('TAMIS_SENDMAIL') or str(source / '.build/sendmail')
    mount('-t', 'tmpfs', '-o', 'mode=755', 'none', '/run')
    for name in ('etc', 'var/lib/postfix', 'var/spool/postfix', 'var/log', 'dev/shm', 'bin'):
        pathlib.Path('/run/house', name).mkdir(parents=True)
    subprocess.run('cp -a /etc/. /run/house/etc && rm -rf /run/house/etc/postfix/*.cf /run/house/etc/tamis '
                   '/run/house/etc/mail', shell=True, check=True)
    devices = pathlib.Path('/run/house/dev')
    for name, minor in DEVICES.items():
        os.mknod(devices / name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
        (devices / name).chmod(0o666)
    (devices / 'fd').symlink_to('/proc/self/fd')
    for name in ('etc', 'var', 'dev'):
        mount('--bind', f'/run/house/{name}', f'/{name}')
    for name in ('tamis', 'tamis-milter'):
        pathlib.Path('/run/house/bin', name).symlink_to(program(name))
    os.environ['PATH'] = '/run/house/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
    subprocess.run('ip link set lo up && hostname mx.example.org', shell=True, check=True)
    other = standard_configuration().parent
    if other != pathlib.Path('/etc/tamis'):
        # where nothing has been installed yet, such as below the prefix of "make distcheck", it is not there
        place = next(path for path in other.parents if path.is_dir())
        mount('-t', 'tmpfs', 'none', place)
        other.parent.mkdir(parents=True, exist_ok=True)
        other.symlink_to('/etc/tamis')
