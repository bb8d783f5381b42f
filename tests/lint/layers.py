# layers.py - who may include whom
# SPDX-License-Identifier: BSD-2-Clause
import os
import re
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
from source import blank_comments, complain, files, finish, line_of, name, read

# the table of doc/ARCHITECTURE.md; the engine's public types are defined once, in tamis.h
MAY_USE = {
    'base': {'base'},
    'mail': {'base', 'mail'},
    'lang': {'base', 'lang', 'grammar', 'tamis.h'},
    'grammar': {'base', 'lang', 'grammar'},
    'vm': {'base', 'mail', 'lang', 'vm', 'tamis.h'},
    'ext': {'base', 'mail', 'lang', 'vm', 'tamis.h'},
    '': {'base', 'mail', 'lang', 'vm', 'tamis.h', 'extensions.list'},
    'store': {'base', 'store'},
    'host': {'base', 'store', 'host', 'tamis.h'},
    'tamis': {'base', 'store', 'host', 'tamis', 'tamis.h'},
    'milter': {'base', 'store', 'host', 'milter', 'tamis.h'},
}

# third-party headers and the files that may see them
CONFINED = [
    (r'(gmime|glib|gio|gobject)[/.-].*', r'src/mail/.*'),
    (r'pcre2.*', r'src/base/regex\.c'),
    (r'libical/.*|ical\.h', r'src/(mail|ext)/[^/]*cal[^/]*\.c'),
    (r'sodium.*', r'src/host/digest\.c|src/[^/]*/[^/]*token[^/]*\.c'),
    (r'idn2\.h|uninorm\.h', r'src/host/unicode\.c'),
    (r'sqlite3\.h', r'src/store/store_sqlite\.c'),
    (r'hiredis/.*', r'src/store/store_redis\.c'),
    (r'curl/.*|jansson\.h', r'src/host/.*'),
    (r'libmilter/.*', r'src/milter/milter\.c'),
    (r'check\.h', r'tests/.*'),
]
SYSTEM = set('''
    arpa/inet.h assert.h byteswap.h ctype.h dirent.h dlfcn.h endian.h errno.h fcntl.h float.h fnmatch.h getopt.h glob.h
    grp.h iconv.h ifaddrs.h immintrin.h inttypes.h langinfo.h limits.h locale.h malloc.h math.h netdb.h netinet/in.h netinet/tcp.h poll.h pthread.h
    pwd.h regex.h sanitizer/asan_interface.h sched.h setjmp.h signal.h stdalign.h stdarg.h stdatomic.h stdbool.h
    stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h strings.h sys/file.h sys/mman.h sys/random.h
    sys/resource.h sys/select.h sys/socket.h sys/stat.h sys/time.h sys/types.h sys/uio.h sys/un.h sys/wait.h
    sysexits.h syslog.h threads.h time.h uchar.h unistd.h wchar.h wctype.h'''.split())
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+([<"])([^>"]+)[>"]', re.M)


def layer_of(path):
    parts = name(path).split('/')
    if parts[0] == 'grammar':
        return 'grammar'
    return parts[1] if len(parts) > 2 else ''


def check_project(path, line, target):
    layer = layer_of(path)
    used = target.split('/')[0] if '/' in target else target
    if '/' not in target and target not in ('tamis.h', 'extensions.list'):
        complain(path, line, f'write "layer/{target}"')
    elif used not in MAY_USE[layer] and used != layer:
        complain(path, line, f'{layer or "src"} may not include "{target}"')
    elif used == 'ext':
        complain(path, line, 'an extension is used by nobody')


def check_system(path, line, target):
    if target in SYSTEM:
        return
    for header, where in CONFINED:
        if re.fullmatch(header, target):
            if not re.fullmatch(where, name(path)):
                complain(path, line, f'<{target}> is not for this file')
            return
    complain(path, line, f'<{target}> is neither a system header nor one of a library that tamis uses')


for source in files('src/**/*.[ch]', 'src/**/*.def', 'grammar/*.y'):
    text = blank_comments(read(source))
    if layer_of(source) not in MAY_USE:
        complain(source, 1, 'this directory is no layer')
        continue
    for include in INCLUDE.finditer(text):
        check = check_project if include[1] == '"' else check_system
        check(source, line_of(text, include.start()), include[2])
finish()
