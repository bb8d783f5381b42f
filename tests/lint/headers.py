# headers.py - each header compiles alone and twice, and the public one as C++ too
# SPDX-License-Identifier: BSD-2-Clause
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
from source import BUILD, ROOT, cannot_look, complain, files, finish

CC = os.environ.get('CC', 'gcc')
CXX = os.environ.get('CXX', 'g++')


def compile_header(job):
    """Returns (header, what the compiler says)."""
    header, command = job
    path = header.relative_to(ROOT / 'src')
    text = f'#include "{path}"\n#include "{path}"\n'
    done = subprocess.run(command + ['-Wall', '-Wextra', '-Werror', '-fsyntax-only', '-I', BUILD / 'src', '-I', ROOT,
                                     '-I', ROOT / 'src', '-'],
                          input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return header, done.stdout.decode('utf-8', 'replace') if done.returncode else ''


if not shutil.which(CC) or not shutil.which(CXX):
    cannot_look(f'{CC} or {CXX} is missing')
jobs = [(header, [CC, '-std=c17', '-D_GNU_SOURCE', '-Wmissing-prototypes', '-x', 'c'])
        for header in files('src/**/*.h')]
public = ROOT / 'src/tamis.h'
jobs += [(public, [CC, '-std=c11', '-pedantic', '-x', 'c']), (public, [CXX, '-std=c++11', '-pedantic', '-x', 'c++'])]
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    for source, said in pool.map(compile_header, jobs):
        for line in said.splitlines():
            if re.search(r'(error|warning):', line):
                complain(source, 1, 'does not compile alone: ' + line)
finish()
