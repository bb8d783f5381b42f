#!/usr/bin/env python3
# html_entities.py - writes html_entities.h from Python's copy of the table
# SPDX-License-Identifier: BSD-2-Clause
#
# Run it again only when the HTML standard adds names:
#     python3 html_entities.py > html_entities.h
from html.entities import html5

HEAD = '''/* html_entities.h - the named character references of the HTML standard (13.5)
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Made by html_entities.py; included by entity.c alone.  A name without its
 * ";", then \\1 if it also stands without ";" or else \\0, then what it stands
 * for, then \\0.  Sorted by name. */
#ifndef MAIL_HTML_ENTITIES_H
#define MAIL_HTML_ENTITIES_H
'''


def escape(text):
    return ''.join(
        c if c.isalnum() and c.isascii()
        else '\\%03o' % ord(c) if ord(c) < 0xa0
        else '\\u%04x' % ord(c) if ord(c) < 0x10000
        else '\\U%08x' % ord(c)
        for c in text)


def wrap(items, separator=''):
    line = ''
    for item in items:
        if len(line) + len(item) > 94:
            yield line
            line = ''
        line += item + separator
    yield line


names = sorted(n[:-1] for n in html5 if n.endswith(';'))
blob, at, used = [], [], 0
for name in names:
    value = html5[name + ';']
    legacy = name in html5
    assert len(value.encode()) * 4 <= (len(name) + 2 - legacy) * 5
    at.append(used)
    used += len(name) + 1 + len(value.encode()) + 1
    blob.append('%s\\%d%s\\0' % (name, legacy, escape(value)))
print(HEAD)
print('static const char entity_text[] =')
lines = list(wrap(blob))
for i, line in enumerate(lines):
    print('\t"%s"%s' % (line, ';' if i == len(lines) - 1 else ''))
print('\nstatic const unsigned short entity_at[%d] = {' % len(at))
for line in wrap([str(a) for a in at], ','):
    print('\t' + line)
print('};\n\n#endif')
