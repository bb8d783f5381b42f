# exports.py - the library shows what tamis.h declares, and nothing else
# SPDX-License-Identifier: BSD-2-Clause
import os
import re
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
from source import BUILD, ROOT, blank_comments, complain, finish, needs_plain_build, output_of, read

needs_plain_build()
header = ROOT / 'src/tamis.h'
text = blank_comments(read(header))
declared = set(re.findall(r'\b(tamis_\w+)\(', text)) | set(re.findall(r'\bextern const [\w ]+?\b(tamis_\w+);', text))
exported = set()
for line in output_of('nm', '-g', '--defined-only', BUILD / 'libtamis.a').splitlines():
    words = line.split()
    if len(words) == 3:
        exported.add(words[2])
for name in sorted(exported - declared):
    complain(header, 1, f"'{name}' is in the library and not declared here")
for name in sorted(declared - exported):
    complain(header, 1, f"'{name}' is declared and not in the library")
finish()
