# page.py - what a page of doc/ tells an administrator to do, done
# SPDX-License-Identifier: BSD-2-Clause
"""A block "sh" is run as it stands.  A block "conf" whose first line is a comment with a path is that file; any other
is put into /etc/tamis/tamis.conf: sections at its end, settings above the first section, in the place of the same
setting if that is there.  Blocks "mc" are for whoever asks."""
import pathlib
import re
import subprocess

CONFIGURATION = pathlib.Path('/etc/tamis/tamis.conf')


class Block:
    def __init__(self, section, kind, text, line):
        self.section, self.kind, self.text, self.line = section, kind, text, line
        self.done = False


def change(path, text):
    """Settings of text take the place of the same ones; sections are added."""
    settings, _bracket, sections = re.match(r'(?s)((?:(?!\[).*\n)*)(\[)?(.*)', text).groups()
    old = path.read_text()
    cut = re.search(r'^\[', old, re.M)
    head, tail = (old[:cut.start()], old[cut.start():]) if cut else (old, '')
    for line in settings.splitlines():
        name = line.partition('=')[0].strip()
        head = re.sub(rf'^{re.escape(name)} *=.*\n', '', head, flags=re.M) + line + '\n'
    path.write_text(head + tail + text[len(settings):])


class Page:
    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.blocks, section, kind, lines = [], '', None, []
        for number, line in enumerate(self.path.read_text('utf-8').splitlines(), 1):
            if kind is None and line.startswith('#'):
                section = line.lstrip('# ')
            elif kind is None and line.startswith('```'):
                kind, lines = line[3:], []
            elif line == '```':
                self.blocks.append(Block(section, kind, ''.join(text + '\n' for text in lines), number - len(lines)))
                kind = None
            elif kind is not None:
                lines.append(line)

    def of(self, section):
        found = [block for block in self.blocks if block.section.startswith(section)]
        assert found, f'{self.path.name} has no section "{section}"'
        return found

    def follow(self, section, kinds=('sh', 'conf')):
        """Do what the section says, in its order; what the commands said."""
        return ''.join(self.do(block) for block in self.of(section) if block.kind in kinds)

    def do(self, block):
        block.done = True
        if block.kind == 'conf':
            self.configure(block.text)
            return ''
        # in files: a daemon that goes on would keep a pipe open
        with open('/run/house/said', 'w+b') as out:
            done = subprocess.run(['sh', '-e', '-c', block.text], stdin=subprocess.DEVNULL, stdout=out,
                                  stderr=out, check=False, timeout=300)
            out.seek(0)
            said = out.read().decode('utf-8', 'replace')
        if done.returncode:
            raise AssertionError(f'{self.path.name}:{block.line}: exit status {done.returncode}\n{block.text}\n{said}')
        return said

    @staticmethod
    def configure(text):
        named = re.match(r'# (/\S+)\n', text)
        if named:
            pathlib.Path(named[1]).write_text(text)
        else:
            change(CONFIGURATION, text)

    def left(self):
        """What nobody has done."""
        return [f'{self.path.name}:{block.line}: this block is not run' for block in self.blocks if not block.done]
