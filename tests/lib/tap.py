# tap.py - tests written as functions, results printed as TAP
# SPDX-License-Identifier: BSD-2-Clause
import sys
import traceback


class Skip(Exception):
    """What a test raises that cannot look."""


class Tap:
    """Prints a line for each test; what is wrong with it follows as comments."""

    def __init__(self):
        self.number = self.failed = 0

    def result(self, title, complaints, skip=None):
        self.number += 1
        self.failed += bool(complaints)
        print(f'{"not ok" if complaints else "ok"} {self.number} - {title}' + (f' # skip {skip}' if skip else ''))
        for complaint in complaints:
            for line in str(complaint).splitlines() or ['']:
                print('# ' + line)
        sys.stdout.flush()

    def run(self, title, test, *arguments, **options):
        """A test is a function; what it raises is its complaint, what it returns may be a list of them."""
        try:
            self.result(title, test(*arguments, **options) or [])
        except Skip as why:
            self.result(title, [], str(why))
        except AssertionError as wrong:
            self.result(title, [wrong if str(wrong) else traceback.format_exc()])
        except Exception:
            self.result(title, [traceback.format_exc()])

    def finish(self):
        print(f'1..{self.number}')
        return 1 if self.failed else 0


def equal(came, expected, what=''):
    """Long ones are shown from a little before where they part."""
    if came == expected:
        return
    a, b, at = repr(expected), repr(came), 0
    while at < min(len(a), len(b)) and a[at] == b[at]:
        at += 1
    begin = max(0, at - 200) if max(len(a), len(b)) > 600 else 0
    cut = f' from character {begin}' if begin else ''
    raise AssertionError(f'{what + ": " if what else ""}expected{cut} {a[begin:begin + 600]}\n    came{cut} {b[begin:begin + 600]}')
