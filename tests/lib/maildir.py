# maildir.py - an LMTP server that files into Maildirs: user+folder@domain into that folder of user
# SPDX-License-Identifier: BSD-2-Clause
import os
import re

import sink


class MaildirStore(sink.Sink):
    """directory/user@domain is a Maildir; a folder of it is a directory .folder within (Maildir++)."""

    def __init__(self, directory):
        super().__init__(directory, lmtp=True)

    @staticmethod
    def safe(name):
        return re.sub(r'[/\0.]', '_', name)

    @staticmethod
    def safe_user(name):
        return re.sub(r'[/\0]|^[.]', '_', name)

    @staticmethod
    def unquoted(local):
        """The local part that is meant."""
        quoted = re.fullmatch(r'"(.*)"', local, re.S)
        return re.sub(r'\\(.)', r'\1', quoted[1], flags=re.S) if quoted else local

    def store(self, envelope, content):
        for address, _parameters in envelope['recipients']:
            local, _at, domain = address.rpartition('@')
            user, _plus, folder = self.unquoted(local).partition('+')
            box = self.directory / f'{self.safe_user(user)}@{domain.replace("/", "_")}'
            if folder:
                box = box / ('.' + self.safe(folder))
            for name in ('tmp', 'new', 'cur'):
                (box / name).mkdir(parents=True, exist_ok=True)
            with self._lock:
                self._number += 1
                name = f'{self._number:04}.eml'
            self._write(box / 'tmp' / name, f'Return-Path: <{envelope["sender"]}>\r\n'.encode() + content)
            os.rename(box / 'tmp' / name, box / 'new' / name)

    def files(self):
        """(user, folder or "", path) of each copy."""
        found = []
        for path in sorted(self.directory.glob('**/new/*')):
            box = path.parent.parent
            folder = box.name[1:] if box.name.startswith('.') else ''
            found.append((box.parent.name if folder else box.name, folder, path))
        return found
