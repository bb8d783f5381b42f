#!/usr/bin/env python3
# test_sendmail_md.py - doc/sendmail.md is followed to the letter, and mail shows that it is true
# SPDX-License-Identifier: BSD-2-Clause
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import client
import house
import page
import sendmail
from tap import Tap, equal
from town import SENDER, Town, bare, doctor, probed, run

DOCTOR = '--sendmail /etc/mail/sendmail.cf'
VIRTUAL = {'team@example.org': 'pair', 'al@example.org': 'alice@example.org'}
ALIASES = {'pair': 'alice@example.org, bob@example.org', 'alice': 'alice@example.org'}


class Server(sendmail.PrivateSendmail):
    """A Sendmail for example.org, whose filters, ports and last lines come from the page."""

    def __init__(self, name, destination, port, free_port):
        super().__init__(f'/run/{name}', destination=destination, aliases=ALIASES, virtual=VIRTUAL)
        self.port, self.free_port = port, free_port
        self.text = re.sub(r"(?m)^(DAEMON_OPTIONS|FEATURE\(`no_default_msa).*\n", '', (self.etc / 'sendmail.mc').read_text())
        self.text = self.text.replace('example.test', 'example.org').replace("FEATURE(`promiscuous_relay')dnl\n", '')
        assert 'relay' not in self.text, self.text

    def configure(self, lines, end=''):
        """The page's lines stand before MAILER."""
        text = self.text.replace("MAILER(`local')dnl\n", lines + "MAILER(`local')dnl\n")
        text = text.replace('LOCAL_CONFIG\n', end + 'LOCAL_CONFIG\n')
        (self.etc / 'sendmail.mc').write_text(text)
        self._compile()

    def table(self):
        """The mailertable as it is now, made anew."""
        entries = dict(line.split('\t') for line in (self.etc / 'mailertable').read_text().splitlines())
        self._table('mailertable', entries)


class SendmailTown(Town):
    def __init__(self, name):
        super().__init__(name)
        self.first = Server('first', self.sink.port, 25, 25)
        self.second = Server('second', self.sink.port, 10031, 10026)
        (self.first.etc / 'mailertable').write_text('.\tsmtp:[127.0.0.1]\n')
        pathlib.Path('/etc/mail').symlink_to(self.first.etc)

    def mc(self, section, kind='mc'):
        text = ''
        for block in self.page.of(section):
            if block.kind == kind:
                block.done = True
                text += block.text
        return text

    def restart(self, server):
        server.stop()
        server.start()

    def send(self, recipients, subject='the list', more=(), sender=SENDER):
        with client.Client(25, source='127.0.0.5') as c:        # whoever comes from 127.0.0.1 may send everywhere
            told = c.send(sender, [f'{name}@example.org' for name in recipients],
                          self.content(subject, 'everybody:;', more), 'BODY=8BITMIME')
        for server in (self.first, self.second):
            server.wait_empty()
        return told

    def came(self):
        """{recipient: [content without trace]} of the last message."""
        return {who: [bare(one.content) for one in all_] for who, all_ in self.transactions().items()}


def before(town):
    town.first.configure("FEATURE(`no_default_msa')\nDAEMON_OPTIONS(`Name=MTA, Port=smtp, Family=inet')\n")
    town.first.table()
    town.first.start()
    town.send(['alice', 'team', 'carol'])
    town.reference = {who: [text.replace(b'<1@', b'<N@') for text in all_] for who, all_ in town.came().items()}
    equal(sorted(town.reference), [f'{name}@example.org' for name in ('alice', 'bob', 'carol')])


def attach(town):
    """Sendmail is made and started where the text says it: before doctor."""
    *blocks, last = [block for block in town.page.of('Attach it') if block.kind in ('sh', 'conf')]
    for block in blocks:
        town.page.do(block)
    town.first.configure(town.mc('Attach it'))
    town.first.free_port = 10026
    town.restart(town.first)
    said = town.page.do(last)
    equal(re.findall(r'^(?:error|warning) +([^:]+)', said, re.M), ['first filter'])


def observes(town):
    town.send(['alice', 'team', 'carol'])
    equal({who: [text.replace(b'<%d@' % town.number, b'<N@') for text in all_] for who, all_ in town.came().items()},
          town.reference)
    assert town.log(rcpt='alice@example.org', effect='observe'), town.syslog.lines[-5:]
    equal(len([line for line in town.log() if 'last good version cannot be kept here' in line]), 1)


def strips(town):
    town.page.follow('Fields that nobody')
    town.first.configure(town.mc('Fields that nobody') + town.mc('Attach it'))
    town.restart(town.first)
    cf = (town.first.etc / 'sendmail.cf').read_text()
    assert re.search(r'(?m)^O InputMailFilters=tamis-strip, ?tamis$', cf), re.findall('.*InputMail.*', cf)
    equal(doctor(DOCTOR), (0, []))
    forged(town)


def forged(town):
    town.send(['carol'], more=('Tamis-Refused: "forged"', 'TAMIS-File-x: [] Junk', 'X-Tamis-Not: ours'))
    content, = town.came()['carol@example.org']
    assert not re.search(rb'(?mi)^tamis-', content) and b'X-Tamis-Not' in content, content


def probes(town):
    """Without the first filter doctor says what arrives."""
    town.keep_mail()
    said = town.page.follow('Does it hold')
    equal(probed(said, 'fine', 'removed'), (9, 6), said)
    town.first.configure(town.mc('Attach it'))
    town.restart(town.first)
    status, said = run(town.page.of('Does it hold')[0].text)
    equal((status, probed(said, 'error', 'arrived')), (1, (7, 6)), said)
    town.first.configure(town.mc('Fields that nobody') + town.mc('Attach it'))
    town.restart(town.first)


def in_full(town):
    town.reload(lambda: town.page.follow('Look before'))
    town.write('bob', 'require "fileinto"; fileinto "Bobs";')
    town.send(['alice', 'bob'])
    equal(sorted(town.came()), ['alice+Lists@example.org', 'bob@example.org'])
    page.change(page.CONFIGURATION, 'effect = full\n')
    town.reload()
    town.send(['alice', 'bob'])
    equal(sorted(town.came()), ['alice+Lists@example.org', 'bob+Bobs@example.org'])


def names(town):
    """Alice by every name of the machine; doctor misses one that is not in the map."""
    town.write('alice', 'discard;')
    said = town.reload(lambda: town.page.follow('Other names'))
    equal(re.findall('^warning +names: (.*)$', said, re.M), ['local.example.org'])
    for name in ('alice@localhost', 'alice'):
        with client.Client(25, source='127.0.0.5') as c:
            equal(c.send(SENDER, [name], town.content('hello', 'everybody:;')).fates(), [250])
        town.first.wait_empty()
        equal(town.came(), {}, name)
        assert town.log(user='alice@example.org', effects='discard'), town.syslog.lines[-5:]
        town.syslog.lines.clear()


def copies(town):
    town.write('alice', 'require "editheader"; addheader "X-Alice" "1";')
    town.write('bob', 'require "editheader"; addheader "X-Bob" "1";')
    asked = len(town.log(rcpt=''))
    town.send(['alice', 'bob', 'carol'])
    came = town.came()
    plain, = came['carol@example.org']
    equal(came, {'alice@example.org': [b'X-Alice: 1\r\n' + plain], 'bob@example.org': [b'X-Bob: 1\r\n' + plain],
                 'carol@example.org': [plain]})
    equal(len(town.log(rcpt='')) - asked, 3, 'lines of the log')


def aliases(town):
    """One of the virtusertable is expanded before rules are run, and is then one recipient with what it leads to."""
    town.write('alice', 'require "fileinto"; fileinto "Lists";')
    town.send(['al', 'alice'])
    equal({who: len(all_) for who, all_ in town.came().items()}, {'alice+Lists@example.org': 1})


def fates(town):
    town.write('alice', 'redirect "x@else.example";')
    town.write('bob', 'require ["envelope", "ereject"]; if envelope "from" "bad@client.example" { ereject "not you"; }')
    town.write('carol', 'require ["reject"]; if header "subject" "no" { reject "no"; }')
    equal(str(town.send(['bob', 'alice'], sender='bad@client.example').rcpt[0]), '550 5.7.1 <bob@example.org>... not you')
    equal(sorted(town.came()), ['x@else.example'])
    equal(str(town.send(['carol'], 'no').final), '550 5.7.1 no')


def redirects(town):
    """Who was redirected to has his rules run, and a circle ends where it began."""
    town.first.configure(town.mc('Fields that nobody') + town.mc('Attach it') + town.mc('Redirects to users'))
    town.restart(town.first)
    town.reload(lambda: town.page.follow('Redirects to users'))
    equal(doctor(DOCTOR), (0, []))
    town.write('alice', 'redirect "bob@example.org";')
    town.write('bob', 'require "fileinto"; fileinto "Bobs";')
    town.send(['alice'])
    equal(sorted(town.came()), ['bob+Bobs@example.org'])
    town.write('bob', 'redirect "alice@example.org";')
    town.send(['alice'])
    equal(sorted(town.came()), ['alice@example.org'], 'a circle')


# what of a sendmail.cf makes the trap
MISTAKES = (
    ('F=T', r's/(^Xtamis, .*)F=T, /\1/', "without F=T"),
    ('last filter', r's/^(O InputMailFilters=).*/\1tamis, tamis-strip/', 'another filter last'),
    ('timeouts', r's/(^Xtamis,.*)R:30s/\1R:10s/', 'no time for rules at RCPT TO'),
    ('copy_to', r's/(Port=10026.*), InputMailFilters=/\1/', 'a port for copies that has filters'),
    ('filtered_to', r's/(Port=10027.*InputMailFilters=)/\1tamis-strip;/', 'a port of redirects where our fields go'),
    ('filter', r's,^(Xtamis\, S=unix:/run/tamis/)milter,\1other,', 'another socket'),
    ('filter', r's,^(Xtamis\, S=unix:/run/)tamis,\1other,', 'a socket of that name elsewhere'),
    ('filter', r's/^(O InputMailFilters=.*), *tamis$/\1/', 'a filter that nobody asks'),
)


def mistakes(_town):
    pathlib.Path('/run').chmod(0o777)
    equal(doctor(DOCTOR), (1, ["socket's directory"]))
    pathlib.Path('/run').chmod(0o755)
    wrong, cf = [], pathlib.Path('/etc/mail/sendmail.cf')
    right = cf.read_text()
    for trap, change, what in MISTAKES:
        subprocess.run(['sed', '-i', '-E', '--follow-symlinks', change, cf], check=True)
        if doctor(DOCTOR) != (1, [trap]):
            wrong.append(f'{what}: {doctor(DOCTOR)}')
        cf.write_text(right)
    equal(doctor(DOCTOR), (0, []))
    return wrong


def final(town):
    attached = town.mc('Attach it')
    ports = town.mc('Behind the queue', 'mc-second')
    town.first.stop()
    town.first.text = town.first.text.replace("VIRTUSER_DOMAIN(`example.org')dnl\n", '')
    assert 'VIRTUSER_DOMAIN' not in town.first.text
    for block in town.page.of('Behind the queue'):
        if 'kill -HUP' in block.text:
            town.reload(lambda: town.page.do(block))
        elif block.kind in ('sh', 'conf'):
            town.page.do(block)
    first = ''.join(line + '\n' for line in attached.splitlines()
                    if 'INPUT_MAIL_FILTER' not in line and 'tamis-copies' not in line)
    town.first.configure(town.mc('Fields that nobody') + first + town.mc('Behind the queue'),
                         town.mc('Behind the queue', 'mc-first'))
    town.first.table()
    town.first.free_port = 25
    second = ''.join(line + '\n' for line in attached.splitlines() if 'DAEMON_OPTIONS' not in line)
    town.second.configure(second + ports)
    town.second.start()
    town.first.start()
    forged(town)


def final_files(town):
    town.write('alice', 'require ["fileinto", "editheader"]; addheader "X-Alice" "1"; fileinto "Lists";')
    town.write('bob', 'require "editheader"; addheader "X-Bob" "1";')
    asked = len(town.log(rcpt=''))
    town.send(['team', 'carol'])
    came = town.came()
    plain, = came['carol@example.org']
    equal(came, {'alice+Lists@example.org': [b'X-Alice: 1\r\n' + plain], 'bob@example.org': [b'X-Bob: 1\r\n' + plain],
                 'carol@example.org': [plain]})
    equal(len({re.search(r': (\S+): rcpt=', line)[1] for line in town.log(rcpt='')[asked:]}), 3, 'transactions')


def final_refuses(town):
    town.write('bob', 'require ["envelope", "ereject"]; if envelope "from" "bad@client.example" { ereject "not you"; }')
    equal(town.send(['bob'], sender='bad@client.example').fates(), [250])
    assert b'Tamis-Refused: "not you"\r\n' in town.came()['bob@example.org'][0]


def final_comes_round(town):
    """tamis-strip does not see what a redirect sends back to the first."""
    town.write('alice', 'redirect "bob@example.org";')
    town.write('bob', 'redirect "team@example.org";')
    town.send(['alice'])
    came = town.came()
    equal(sorted(came), ['alice@example.org', 'bob@example.org'])
    for copies in came.values():
        equal([len(re.findall(rb'(?m)^Tamis-Redirected: [12] ', copy)) for copy in copies], [2])


def main():
    tap = Tap()
    town = SendmailTown('sendmail.md')
    for title, test in (
            ('Sendmail as it was', before), ('"Attach it" is followed, and doctor finds nothing wrong', attach),
            ('observe changes nothing', observes), ('mode = strip: forged fields are taken away', strips),
            ('a probe tells whether they are', probes), ('full, first for one', in_full), ('copies come by port 10026', copies),
            ('other names of a mailbox', names), ('aliases', aliases),
            ('refusals and redirects', fates), ('redirects to users with rules', redirects),
            ('doctor finds each planted mistake', mistakes),
            ('"mode = final" is followed', final), ('final: filed for each final recipient', final_files),
            ('final: refusals are late', final_refuses), ('final: a redirect comes round', final_comes_round),
            ('every block has been used', lambda t: t.page.left())):
        tap.run(title, test, town)
        if tap.failed and test in (before, attach):
            break
    return tap.finish()


if __name__ == '__main__':
    house.run(main, sendmail.missing())
