#!/usr/bin/env python3
# test_sendmail_md.py - doc/sendmail.md is followed to the letter, and mail shows that it is true
# SPDX-License-Identifier: BSD-2-Clause
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import client
import house
import page
import place
import sendmail
import sink
from tap import Tap, equal

SOURCE = pathlib.Path(os.environ.get('TAMIS_SOURCE') or pathlib.Path(__file__).resolve().parents[2])
RULES = pathlib.Path('/etc/tamis/rules/example.org')
SENDER = 's@client.example'
VIRTUAL = {'team@example.org': 'pair', 'al@example.org': 'alice@example.org'}
ALIASES = {'pair': 'alice@example.org, bob@example.org'}


class Server(sendmail.PrivateSendmail):
    """A Sendmail for example.org, whose filters, ports and last lines come from the page."""

    def __init__(self, name, destination, port, free_port):
        super().__init__(f'/run/{name}', destination=destination, aliases=ALIASES, virtual=VIRTUAL)
        self.port, self.free_port = port, free_port
        self.text = re.sub(r"(?m)^(DAEMON_OPTIONS|FEATURE\(`no_default_msa).*\n", '', (self.etc / 'sendmail.mc').read_text())
        self.text = self.text.replace('example.test', 'example.org')

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


class Town:
    def __init__(self):
        self.page = page.Page(SOURCE / 'doc/sendmail.md')
        self.sink = sink.Sink('/run/sink', durable=False)
        self.syslog = sendmail.Syslog('/dev/log')
        self.first = Server('first', self.sink.port, 25, 25)
        self.second = Server('second', self.sink.port, 10031, 10026)
        (self.first.etc / 'mailertable').write_text('.\tsmtp:[127.0.0.1]\n')
        pathlib.Path('/etc/mail').symlink_to(self.first.etc)
        self.number, self.reference = 0, None

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

    def write(self, user, rules):
        path = RULES / f'{user}.sieve'
        path.with_suffix('.part').write_text(rules)
        path.with_suffix('.part').rename(path)

    def send(self, recipients, subject='the list', more=(), sender=SENDER):
        self.number += 1
        lines = [f'Message-ID: <{self.number}@client.example>', 'Date: Sat, 28 Nov 2026 12:00:00 +0000',
                 'From: Some Body <s@client.example>', 'To: everybody:;', f'Subject: {subject}', *more]
        content = ''.join(line + '\r\n' for line in lines).encode() + b'\r\n\xe9\r\n.dot\r\n'
        told = client.send(25, sender, [f'{name}@example.org' for name in recipients], content, 'BODY=8BITMIME')
        for server in (self.first, self.second):
            server.wait_empty()
        return told

    def came(self):
        """{recipient: [content without trace]} of the last message."""
        mark, found = b'Message-ID: <%d@client.example>' % self.number, {}
        for one in self.sink.transactions():
            for address in one.addresses if mark in one.content else []:
                head, end, body = one.content.partition(b'\r\n\r\n')
                bare = re.sub(rb'(?m)^Received:.*\n(?:[ \t].*\n)*', b'', head + b'\r\n') + end[2:] + body
                found.setdefault(address, []).append(bare)
        return found

    def log(self, **wanted):
        return [line for line in self.syslog.lines if 'tamis-milter' in line and
                all(f'{key}={value}' in line for key, value in wanted.items())]

    def reload(self, act):
        seen = len(self.log(reload='done'))
        act()
        place.wait_for(lambda: len(self.log(reload='done')) > seen, 10, 'the reload')


def before(town):
    town.first.configure("FEATURE(`no_default_msa')\nDAEMON_OPTIONS(`Name=MTA, Port=smtp, Family=inet')\n")
    town.first.table()
    town.first.start()
    town.send(['alice', 'team', 'carol'])
    town.reference = {who: [text.replace(b'<1@', b'<N@') for text in all_] for who, all_ in town.came().items()}
    equal(sorted(town.reference), [f'{name}@example.org' for name in ('alice', 'bob', 'carol')])


def doctor():
    done = subprocess.run(['tamis', 'doctor', '--sendmail', '/etc/mail/sendmail.cf'], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, text=True)
    return done.returncode, re.findall(r'^error +([^:\n]+)', done.stdout, re.M)


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


def strips(town):
    town.page.follow('Fields that nobody')
    town.first.configure(town.mc('Fields that nobody') + town.mc('Attach it'))
    town.restart(town.first)
    cf = (town.first.etc / 'sendmail.cf').read_text()
    assert re.search(r'(?m)^O InputMailFilters=tamis-strip, ?tamis$', cf), re.findall('.*InputMail.*', cf)
    equal(doctor(), (0, []))
    forged(town)


def forged(town):
    town.send(['carol'], more=('Tamis-Refused: "forged"', 'TAMIS-File-x: [] Junk', 'X-Tamis-Not: ours'))
    content, = town.came()['carol@example.org']
    assert not re.search(rb'(?mi)^tamis-', content) and b'X-Tamis-Not' in content, content


def probes(town):
    """Without the first filter doctor says what arrives."""
    pathlib.Path('/var/mail').mkdir()
    pathlib.Path('/var/mail/alice').symlink_to(town.sink.directory)
    said = town.page.follow('Does it hold')
    removed = re.findall(r'(?m)^fine +(\S+) [(].*[)]: removed$', said)
    equal((removed.count('Authentication-Results'), sum(name.startswith('Tamis-') for name in removed)), (9, 6), said)
    town.first.configure(town.mc('Attach it'))
    town.restart(town.first)
    done = subprocess.run(town.page.of('Does it hold')[0].text, shell=True, stdout=subprocess.PIPE, check=False, text=True)
    arrived = re.findall(r'(?m)^error +(\S+) [(].*: arrived$', done.stdout)
    equal((done.returncode, arrived.count('Authentication-Results'), sum(name.startswith('Tamis-') for name in arrived)),
          (1, 7, 6), done.stdout)
    town.first.configure(town.mc('Fields that nobody') + town.mc('Attach it'))
    town.restart(town.first)


def in_full(town):
    town.reload(lambda: town.page.follow('Look before'))
    town.write('bob', 'require "fileinto"; fileinto "Bobs";')
    town.send(['alice', 'bob'])
    equal(sorted(town.came()), ['alice+Lists@example.org', 'bob@example.org'])
    page.change(page.CONFIGURATION, 'effect = full\n')
    town.reload(lambda: subprocess.run('kill -HUP $(cat /run/tamis/tamis-milter.pid)', shell=True, check=True))
    town.send(['alice', 'bob'])
    equal(sorted(town.came()), ['alice+Lists@example.org', 'bob+Bobs@example.org'])


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


# what of a sendmail.cf makes the trap
MISTAKES = {
    'F=T': (r's/(^Xtamis, .*)F=T, /\1/', "without F=T"),
    'last filter': (r's/^(O InputMailFilters=).*/\1tamis, tamis-strip/', 'another filter last'),
    'timeouts': (r's/(^Xtamis,.*)R:30s/\1R:10s/', 'no time for rules at RCPT TO'),
    'copy_to': (r's/(Port=10026.*), InputMailFilters=/\1/', 'a port for copies that has filters'),
    'filter': (r's,^(Xtamis\, S=unix:/run/tamis/)milter,\1other,', 'another socket'),
}


def mistakes(_town):
    pathlib.Path('/run').chmod(0o777)
    equal(doctor(), (1, ["socket's directory"]))
    pathlib.Path('/run').chmod(0o755)
    wrong, cf = [], pathlib.Path('/etc/mail/sendmail.cf')
    right = cf.read_text()
    for trap, (change, what) in MISTAKES.items():
        subprocess.run(['sed', '-i', '-E', '--follow-symlinks', change, cf], check=True)
        if doctor() != (1, [trap]):
            wrong.append(f'{what}: {doctor()}')
        cf.write_text(right)
    equal(doctor(), (0, []))
    return wrong


def final(town):
    attached = town.mc('Attach it')
    ports = town.mc('Behind the queue', 'mc-second')
    town.first.stop()
    for block in town.page.of('Behind the queue'):
        if block.kind in ('sh', 'conf'):
            town.page.do(block)
    first = ''.join(line + '\n' for line in attached.splitlines()
                    if 'INPUT_MAIL_FILTER' not in line and 'tamis-copies' not in line)
    town.first.configure(town.mc('Fields that nobody') + first, town.mc('Behind the queue', 'mc-first'))
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


def main():
    tap = Tap()
    print('# what the page names, and what it is here:')
    for what, really in house.SEEN.items():
        print(f'#   {what:12} {really}')
    town = Town()
    for title, test in (
            ('Sendmail as it was', before), ('"Attach it" is followed, and doctor finds nothing wrong', attach),
            ('observe changes nothing', observes), ('mode = strip: forged fields are taken away', strips),
            ('a probe tells whether they are', probes), ('full, first for one', in_full), ('copies come by port 10026', copies), ('aliases', aliases),
            ('refusals and redirects', fates), ('doctor finds each planted mistake', mistakes),
            ('"mode = final" is followed', final), ('final: filed for each final recipient', final_files),
            ('final: refusals are late', final_refuses), ('every block has been used', lambda t: t.page.left())):
        tap.run(title, test, town)
        if tap.failed and test in (before, attach):
            break
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    why_not = sendmail.missing() or house.missing()
    if why_not and not os.environ.get(house.INSIDE):
        print(f'1..0 # skip {why_not}')
        sys.exit(0)
    house.enter()
    sys.exit(main())
