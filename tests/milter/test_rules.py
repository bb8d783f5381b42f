#!/usr/bin/env python3
# test_rules.py - rules that cannot be had: broken over a reload, a directory that is away, one that may not be entered
# SPDX-License-Identifier: BSD-2-Clause
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import daemon
import milter
import place
from tap import Skip, Tap, equal

HEADER = [('Date', 'Sat, 28 Nov 2026 12:00:00 +0000'), ('Message-ID', '<1@client.example>'), ('Subject', 'spam')]
RULES = {'alice': 'discard;', 'bob': 'keep;'}
REFUSES = 'require "ereject"; if header "subject" "spam" { ereject "spam"; }\n'


def send(box, recipient, sender='<s@client.example>', fields=HEADER):
    """What the mail server is told at RCPT, and in the end."""
    with milter.MilterClient(box.socket) as client:
        client.macros(b'C', j='mx.example.test', v='Postfix 3.7')
        client.connect()
        told, end = client.message(sender, [f'<{recipient}@example.test>'], fields, 'body\r\n')
        return str(told[0][-1]).split(' ')[0], str(end[0]) if end else ''


DISCARDS = ('continue', 'delete recipient <alice@example.test>')
KEEPS = ('continue', 'accept')
AGAIN = ('451', '')


def reload(box, count=1):
    seen = len(box.lines(reload='done'))
    for _time in range(count):
        box.reload()
    equal(len(box.lines(reload='done')), seen + count)


def broken(box):
    """Nobody but root writes where rules are: the last good version is in force, however often the configuration is read."""
    equal(send(box, 'alice'), DISCARDS)
    box.write_rules('alice', 'discrd;')
    equal(send(box, 'alice'), DISCARDS, 'broken')
    equal(sorted(path.name for path in box.rules.glob('*/.*')), [], 'files beside')
    for times in (1, 2):
        reload(box, times)
        equal(send(box, 'alice'), DISCARDS, f'after {times} reloads')
    last = box.lines(rcpt='alice@example.test')[-1]
    equal(last['rules'], f'{box.rules}/example.test/alice.sieve:1')
    box.configure({**box.values, 'max_programs': '1'})
    reload(box)
    equal(send(box, 'alice'), DISCARDS, 'by another configuration')


def told(box):
    """Each time that the configuration is to be read the log says what came of it, though it is what came of it before."""
    good = dict(box.values)
    for values, result in ((good, 'done'), ({**good, 'efect': 'full'}, 'failed: the old configuration stays in force'),
                           ({**good, 'state_dir': box.directory}, 'done')):
        box.configure(values)
        for _time in range(2):
            before = len(box.lines(reload=result))
            box.hang_up()
            place.wait_for(lambda result=result, before=before: len(box.lines(reload=result)) > before, 5, f'what came of it: {result}')
            equal([line.get('event') for line in box.lines(reload=result)[before:]], [None], result)


def said(box):
    """What the log says of rules: with a place where there is one, and with the remedy where one is known."""
    path = box.rules / 'example.test/bob.sieve'
    send(box, 'alice')
    box.write_rules('bob', 'fileinto "x";')
    send(box, 'bob')
    path.unlink()
    path.symlink_to('alice.sieve')
    send(box, 'bob')
    first, second = (line for line in box.lines(rules=str(path)) if 'error' in line)
    equal([first.get(key) for key in ('column', 'error', 'hint')],
          ['1', 'command \'fileinto\' needs the extension "fileinto"',
           'add require "fileinto"; at the start of the script'])
    equal([second.get(key) for key in ('column', 'error', 'hint')], [None, 'is a symbolic link', None])
    beside = [line for line in box.lines() if 'warning' in line][0]
    equal((beside['warning'].split(':')[0], beside.get('hint')),
          ('the last good version cannot be kept here for a restart', 'let this process write to the directory'))


def included(box):
    """A mistake is where it is, though it stands in a script that others include."""
    common = box.directory / 'common.sieve'
    common.write_text('\n\ndiscrd;\n')
    box.configure({**box.values, 'global_dir': box.directory})
    reload(box)
    box.write_rules('bob', 'require "include";\ninclude :global "common";\n')
    send(box, 'bob')
    wrong = [line for line in box.lines(user='bob@example.test') if 'error' in line]
    equal([(line['rules'], line['column'], line['error'], ' line=3 ' in line['line']) for line in wrong],
          [(str(common), '1', "unknown command 'discrd'", True)])
    equal([line['warning'] for line in box.lines(rules=str(box.rules / 'example.test/bob.sieve')) if 'warning' in line],
          ['global script "common" has errors'])


def denied(box):
    """What was good is good by the configuration that is in force."""
    box.write_rules('alice', 'require "envelope"; if envelope "from" "s@client.example" { discard; }')
    equal(send(box, 'alice'), DISCARDS)
    box.write_rules('alice', 'discrd;')
    box.configure({**box.values, 'deny_extensions': 'envelope'})
    reload(box)
    equal(send(box, 'alice'), ('continue', 'accept'))


def global_broken(box):
    """A mistake in a script that many include takes nobody's rules away, however often the configuration is read."""
    common = box.directory / 'common'
    common.mkdir()
    (common / 'spam.sieve').write_text('discard;\n')
    box.configure({**box.values, 'global_dir': common})
    reload(box)
    for user in ('bob', 'dora'):
        box.write_rules(user, 'require "include";\ninclude :global "spam";\n')
        equal(send(box, user), ('continue', f'delete recipient <{user}@example.test>'))
    (common / 'spam.sieve').write_text('discrd;\n')
    for times in (1, 2):
        for user in ('bob', 'dora'):
            equal(send(box, user), ('continue', f'delete recipient <{user}@example.test>'), f'{user}, before reload {times}')
        reload(box, times)
    equal(len([line for line in box.lines(rules=str(common / 'spam.sieve')) if 'error' in line]), 2, 'once for each user')


def removed(box):
    """Who removed his rules has none, though they come back broken, and though the configuration is read anew."""
    equal(send(box, 'alice'), DISCARDS)
    path = box.rules / 'example.test/alice.sieve'
    path.unlink()
    equal(send(box, 'alice'), ('continue', 'accept'))
    box.write_rules('alice', 'discrd;')
    reload(box)
    equal(send(box, 'alice'), ('continue', 'accept'))


def in_place(box):
    """What is being written counts as far as it can be compiled."""
    path = box.rules / 'example.test/alice.sieve'
    equal(send(box, 'alice'), DISCARDS)
    for written, result in (('disc', DISCARDS), ('if true {', DISCARDS), ('if true { } disc', DISCARDS), ('if true { }', KEEPS),
                            ('', KEEPS), ('discard;', DISCARDS)):
        path.write_text(written)
        equal(send(box, 'alice'), result, written)


def away(box):
    """A file system that is not mounted is nobody's wish: mail waits, for a bounded time."""
    equal(send(box, 'alice'), DISCARDS)
    other = box.rules.with_name('elsewhere')
    box.rules.rename(other)
    for recipient in ('alice', 'carol'):
        equal(send(box, recipient), AGAIN, recipient)
    line = box.lines(rcpt='alice@example.test', verdict='again')[-1]
    equal(line['why'], f'rules cannot be read now: No such file or directory (rules_dir {box.rules})')
    box.rules.write_text('no directory\n')
    box.rules.chmod(0o755)
    equal(send(box, 'carol', '<f@client.example>'), AGAIN, 'a file in its place')
    equal(box.lines(rcpt='carol@example.test', verdict='again')[-1]['why'], f'rules cannot be read now: Not a directory (rules_dir {box.rules})')
    done = subprocess.run([daemon.program(), '-n', '-c', box.configuration], stderr=subprocess.PIPE, check=False, text=True)
    equal((done.returncode, done.stderr.splitlines()[0]), (0, f'{box.rules}: warning: Not a directory'))
    box.rules.unlink()
    done = subprocess.run([daemon.program(), '-n', '-c', box.configuration], stderr=subprocess.PIPE, check=False, text=True)
    equal((done.returncode, done.stderr.splitlines()[0]), (0, f'{box.rules}: warning: No such file or directory'))
    box.stop()
    box.start()
    equal(send(box, 'alice', '<t@client.example>'), AGAIN, 'by a daemon that has never seen it')
    equal([send(box, 'alice')[0] for _time in range(2)], ['451', 'continue'], 'bounded')
    other.rename(box.rules)
    equal(send(box, 'alice'), DISCARDS)
    equal(send(box, 'carol'), ('continue', 'accept'))


def forbidden(box):
    """Who runs the daemon may not enter the directory."""
    box.rules.chmod(0o700)
    for recipient in ('alice', 'carol'):
        equal(send(box, recipient), AGAIN, recipient)
    box.rules.chmod(0o711)
    equal(send(box, 'alice'), DISCARDS)
    (box.rules / 'example.test/bob.sieve').chmod(0o600)
    equal(send(box, 'bob'), ('continue', 'accept'), 'his file alone')
    line = box.lines(rcpt='bob@example.test')[-1]
    equal((line['rules'], line['note']), ('none', f'his rules are broken and not used: {box.rules}/example.test/bob.sieve'))


def global_away(box):
    """So it is with the directory of scripts for all, for those who include some: whatever is missing there may be there."""
    common = box.directory / 'common'
    common.mkdir()
    (common / 'spam.sieve').write_text('discard;\n')
    box.configure({**box.values, 'global_dir': common})
    reload(box)
    box.write_rules('alice', 'require "include"; include :global :optional "spam";')
    equal(send(box, 'alice'), DISCARDS)
    other = common.with_name('elsewhere')
    common.rename(other)
    equal(send(box, 'alice'), AGAIN)
    equal(send(box, 'bob'), ('continue', 'accept'), 'who includes nothing')
    line = box.lines(rcpt='alice@example.test', verdict='again')[-1]
    equal(line['why'], f'rules cannot be read now: No such file or directory (rules_dir {box.rules}, global_dir {common})')
    done = subprocess.run([daemon.program(), '-n', '-c', box.configuration], stderr=subprocess.PIPE, check=False, text=True)
    equal((done.returncode, done.stderr.splitlines()[0]), (0, f'{common}: warning: No such file or directory'))
    box.stop()
    box.start()
    equal(send(box, 'alice', '<t@client.example>'), AGAIN, 'by a daemon that has never seen it')
    other.rename(common)
    equal(send(box, 'alice'), DISCARDS)
    common.chmod(0o700)
    equal(send(box, 'alice', '<u@client.example>'), AGAIN, 'it may not be entered')
    common.chmod(0o755)
    equal(send(box, 'alice'), DISCARDS)
    # what is not there and could be seen was removed
    (common / 'spam.sieve').unlink()
    equal(send(box, 'alice'), ('continue', 'accept'))


def shut(box):
    """One domain's directory: what is known of it stays in force; of the others nobody knows whether they have rules."""
    equal(send(box, 'alice'), DISCARDS)
    own = box.rules / 'example.test'
    text = 'may not be entered: rules that are known stay in force, mail for all others is told to come again'

    def errors():
        return [(line['user'], line['error']) for line in box.lines(rules=f'{own}/') if 'error' in line]

    own.chmod(0o700)
    equal(send(box, 'alice'), DISCARDS, 'known')
    for recipient in ('bob', 'carol'):
        equal(send(box, recipient), AGAIN, recipient)
    equal(send(box, 'alice'), DISCARDS, 'still')
    for times in (1, 2):
        reload(box, times)
        equal(send(box, 'alice'), DISCARDS, f'after {times} reloads')
    equal(send(box, 'bob', '<r@client.example>'), AGAIN, 'after them')
    equal(errors(), [('', text)])
    equal(len([line for line in box.lines() if 'may not be read' in line['line']]), 0)
    box.stop()
    box.start()
    for recipient in ('alice', 'bob'):
        equal(send(box, recipient, '<t@client.example>'), AGAIN, f'{recipient}, after a restart')
    equal(len(errors()), 2)
    equal([send(box, 'alice', '<t@client.example>')[0] for _time in range(2)], ['451', 'continue'], 'bounded')
    own.chmod(0o755)
    equal(send(box, 'alice'), DISCARDS, 'entered')
    equal(send(box, 'carol'), ('continue', 'accept'))
    own.chmod(0o700)
    equal(send(box, 'carol'), AGAIN)
    equal(len(errors()), 3)


def site_script(box):
    """A script that the configuration names is not removed by taking the file away: the last good version is in force."""
    site = box.directory / 'site.sieve'
    site.write_text(REFUSES)
    box.configure({**box.values, 'site_before': site})
    reload(box)
    equal(send(box, 'bob')[1], '550 5.7.1 spam')
    site.unlink()
    for recipient in ('bob', 'carol'):
        equal(send(box, recipient)[1], '550 5.7.1 spam', recipient)
    equal([line['error'] for line in box.lines(rules=str(site)) if 'error' in line], ['is not there'])
    box.write_rules('dora', 'discrd;')
    equal(send(box, 'dora')[1], '550 5.7.1 spam')
    note = f'his rules are broken and not used: {box.rules}/example.test/dora.sieve'
    equal(box.lines(rcpt='dora@example.test')[-1]['note'], note)
    site.write_text('keep;\n')
    equal(send(box, 'bob'), ('continue', 'accept'))
    site.unlink()
    for recipient in ('bob', 'carol'):
        equal(send(box, recipient), ('continue', 'accept'), recipient)
    equal([line['error'] for line in box.lines(rules=str(site)) if 'error' in line], ['is not there'] * 2, 'each time')


def largest(box):
    """The longest value that rules may add can be told to the server, however it is encoded; a longer one is no setting."""
    for piece in ('x', 'ö', '漢', 'ö?=_'):
        times = 16384 // len(piece.encode())
        box.write_rules('bob', f'require ["editheader", "variables"];\nset "x" "{piece * (times // 16)}";\n'
                               f'addheader "X-Large" "{"${x}" * 16}";\n')
        equal(send(box, 'bob')[1][:25], 'insert header 0 X-Large: ', piece)
    box.configure({**box.values, 'limit_field_value': 16385})
    check = subprocess.run([daemon.program(), '-c', box.configuration, '-n'], capture_output=True, text=True, check=False)
    equal(check.returncode, 78)
    assert "of 'limit_field_value' is not a number from 998 to 16K" in check.stderr, check.stderr


def header(box):
    """As long as it may be, with its line ends; one byte more is too long.  A field may be folded."""
    box.write_rules('bob', 'if header "subject" "spam" { discard; }')
    for text in ('x', 'x\n y', 'x\n y\n z'):
        length = sum(len(f'{name}: {value}\r\n') for name, value in HEADER) + len('X-Long: \r\n') + len(text) + text.count('\n')
        for more, told in ((0, 'delete recipient <bob@example.test>'), (1, 'accept')):
            field = ('X-Long', 'x' * (4096 - length + more) + text)
            equal(send(box, 'bob', fields=[*HEADER, field])[1], told, f'{text!r}, {more} more')
    equal([line['verdict'] for line in box.lines(note='the header is over max_header')], ['pass'], 'the line, once for all of them')


def main():
    tap = Tap()

    def test(title, function, **settings):
        def inside():
            if os.geteuid():
                raise Skip('only root can become somebody else')
            with place.directory('rules') as directory:
                box = daemon.Daemon(directory / 'tamis', RULES, {'user': 'nobody', **settings})
                for path in (box.directory, box.state):
                    os.chown(path, 65534, -1)
                with box:
                    function(box)
        tap.run(title, inside)

    test('broken rules and a reload', broken)
    test('what the log says of a reload', told)
    test('what the log says of them', said)
    test('what the log says of what they include', included)
    test('what was good and is forbidden now', denied)
    test('a global script that is broken', global_broken)
    test('removed rules', removed)
    test('rules that are written in place', in_place)
    test('rules_dir is away', away)
    test('rules_dir may not be entered', forbidden)
    test('global_dir is away, or may not be entered', global_away)
    test("a domain's directory may not be entered", shut)
    test('a site script is away', site_script)
    test('the longest value of a field', largest, limit_field_value='16K')
    test('the longest header', header, max_header='4K')
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main())
