# calls.py - the engine opens nothing, reads no clock, prints nothing
# SPDX-License-Identifier: BSD-2-Clause
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
from source import complain, finish, name, needs_plain_build, objects, output_of

FORBIDDEN = set('''
    accept access bind clock_gettime close connect creat execve fclose fgets fopen fopen64 fork fprintf fputs fputc
    fread fwrite getenv getline getpid gettimeofday gmtime gmtime_r localtime localtime_r mkstemp mktime open open64
    openat openlog popen printf puts putchar putenv pwrite read recv rename select send setenv setlocale socket stat
    strftime stdin stderr stdout syslog system time tzset unlink unsetenv vfprintf vprintf vsyslog write
    longjmp setjmp _setjmp __longjmp_chk strtok rand srand random alloca sprintf strcpy strcat
    __printf_chk __fprintf_chk __vfprintf_chk __sprintf_chk'''.split())
# what a file may call all the same, and why
ALLOWED = {
    'src/base/arena.c': {'fprintf', 'fputs', 'fwrite', 'stderr'},       # the last words when memory is out
}

needs_plain_build()
for layer in ('base', 'mail', 'lang', 'vm', 'ext', ''):
    for path, source in objects(layer):
        for line in output_of('nm', '-u', path).splitlines():
            function = line.split()[-1].split('@')[0]
            if function in FORBIDDEN - ALLOWED.get(name(source), set()):
                complain(source, 1, f"calls '{function}'; the engine asks its host instead")
finish()
