# page.py - what a page of doc/ tells an administrator to do, done
# SPDX-License-Identifier: BSD-2-Clause
"""A block "sh" is run as it stands.  A block "conf" whose first line is a comment with a path is that file; any other
is put into /etc/tamis/tamis.conf: sections at its end, settings above the first section, in the place of the same
setting if that is there.  Blocks "mc" are for whoever asks."""
import pathlib
import re
import subprocess

CONFIGURATION = pathlib.Path('/etc/tamis/tamis.conf')
# what begins with one of these, or with a word that begins a line of a block, is a command
PROGRAMS = {'chown', 'cp', 'curl', 'grep', 'journalctl', 'kill', 'postcat', 'postconf', 'postfix', 'postqueue', 'postsuper', 'rm',
            'sendmail', 'service', 'systemctl', 'tamis', 'tamis-milter'}


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
        self.blocks, self.prose, section, kind, lines = [], [], '', None, []
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
            else:
                self.prose.append(line)

    def of(self, section):
        found = [block for block in self.blocks if block.section.startswith(section)]
        assert found, f'{self.path.name} has no section "{section}"'
        return found

    def one(self, section, text):
        """The block of that section in which this stands; what begins with a line end stands at its beginning."""
        found = [block for block in self.of(section) if text in '\n' + block.text]
        assert len(found) == 1, f'{self.path.name}: {len(found)} blocks of "{section}" have {text!r}'
        return found[0]

    def follow(self, section, kinds=('sh', 'conf')):
        """Do what the section says, in its order; what the commands said."""
        return ''.join(self.do(block) for block in self.of(section) if block.kind in kinds)

    def do(self, block, status=0, **known):
        """known: what stands for a word in capitals."""
        block.done = True
        text = re.sub('|'.join(map(r'\b{}\b'.format, known)), lambda m: str(known[m[0]]), block.text) if known else block.text
        if block.kind == 'conf':
            self.configure(block.text)
            return ''
        # in files: a daemon that goes on would keep a pipe open
        with open('/run/house/said', 'w+b') as out:
            done = subprocess.run(['sh', '-e', '-c', text], stdin=subprocess.DEVNULL, stdout=out,
                                  stderr=out, check=False, timeout=300)
            out.seek(0)
            said = out.read().decode('utf-8', 'replace')
        if done.returncode != status:
            raise AssertionError(f'{self.path.name}:{block.line}: exit status {done.returncode}\n{text}\n{said}')
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

    def stray(self):
        """Commands that are in no block, and so are not run: indented, or more than a name in a sentence."""
        run = ''.join(block.text for block in self.blocks if block.kind == 'sh')
        names = PROGRAMS | set(re.findall(r'^[a-z][\w.-]+', run, re.M))
        text = ''.join(line + '\n' for line in self.prose)
        found = re.findall(r'^ {4,}(\S.*)', text, re.M)
        found += [' '.join(code.split()) for _quote, code in re.findall(r'(?s)(`+)(.+?)\1', text) if ' ' in code.strip() or '\n' in code]
        return [f'{self.path.name}: this command is not run: {code}' for code in found
                if code.split()[0] in names and not re.search(rf'(?<![\w-]){re.escape(code)}(?![\w-])', run)]
