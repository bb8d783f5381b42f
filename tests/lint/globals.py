# globals.py - no mutable variable outlives a call
# SPDX-License-Identifier: BSD-2-Clause
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
from source import ROOT, complain, finish, name, needs_plain_build, objects, output_of

# file: why it may
ALLOWED = {
    'src/base/str.c': 'the seed of the hash, drawn once',
    'src/mail/gmime.c': 'the once around the initialisation of GMime',
    'src/host/digest.c': 'the once around the initialisation of libsodium',
    'src/host/log.c': 'where the log goes',
    'src/host/outlet.c': 'lines of the log that wait: there is one log',
    'src/milter/milter.c': 'libmilter tells its callbacks nothing but the connection',
    'src/milter/readahead.c': 'what was read from descriptors, which are all that libmilter names',
    'src/milter/main.c': 'what the handler of a signal can reach; the daemon itself',
}
READ_ONLY = ('.rodata', '.data.rel.ro', '.text', '.init_array', '.fini_array')

needs_plain_build()
for layer in ('base', 'mail', 'lang', 'vm', 'ext', '', 'store', 'host', 'tamis', 'milter'):
    if not (ROOT / 'src' / layer).is_dir():
        continue
    for path, source in objects(layer):
        if name(source) in ALLOWED:
            continue
        for line in output_of('objdump', '-t', path).splitlines():
            # value, seven flag characters (the last: O for an object), section, size, name
            flags, rest = line[17:24], line[25:].split()
            if len(flags) == 7 and flags[6] == 'O' and len(rest) >= 3 and not rest[0].startswith(READ_ONLY) \
                    and rest[0] != '*UND*':
                complain(source, 1, f"'{rest[2]}' can change (section {rest[0]})")
finish()
