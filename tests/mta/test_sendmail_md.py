#!/usr/bin/env python3
# test_sendmail_md.py - doc/sendmail.md is followed to the letter, and mail shows that it is true
# SPDX-License-Identifier: BSD-2-Clause
import concurrent.futures
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import client
import house
import page
import place
import sendmail
import unit
from tap import Tap, equal
from town import PID_FILE, SENDER, SOURCE, Town, bare, doctor, probed, run

DOCTOR = '--sendmail /etc/mail/sendmail.cf'
PROGRAMS = pathlib.Path('/run/house/bin')
STRIP = pathlib.Path('/run/tamis/strip.pid')
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
        pathlib.Path('/var/spool/mqueue').symlink_to(self.first.directory / 'queue')
        self.first.install(PROGRAMS)
        unit.install(PROGRAMS)

    def mc(self, section, kind='mc'):
        text = ''
        for block in self.page.of(section):
            if block.kind == kind:
                block.done = True
                text += block.text
        return text

    def day(self, text):
        return self.page.one('Day by day', text)

    def use(self, server, text):
        """This sendmail.mc, from now on."""
        (server.etc / 'sendmail.mc').write_text(text)
        server._compile()
        self.restart(server)

    def restart(self, server):
        server.stop()
        server.start()

    def hand_over(self, recipients, subject='the list', more=(), sender=SENDER):
        with client.Client(25, source='127.0.0.5') as c:        # whoever comes from 127.0.0.1 may send everywhere
            return c.send(sender, [f'{name}@example.org' for name in recipients],
                          self.content(subject, 'everybody:;', more), 'BODY=8BITMIME')

    def settle(self):
        for server in (self.first, self.second):
            server.wait_empty()

    def send(self, *arguments, **options):
        told = self.hand_over(*arguments, **options)
        self.settle()
        return told

    def came(self):
        """{recipient: [content without trace]} of the last message."""
        return {who: [bare(one.content) for one in all_] for who, all_ in self.transactions().items()}


def gone(*pid_files):
    place.wait_for(lambda: not any(path.exists() for path in pid_files), 20, 'the end of the daemons')


def pid(path=PID_FILE):
    return int(path.read_text('ascii'))


def before(town):
    town.first.configure("FEATURE(`no_default_msa')\nDAEMON_OPTIONS(`Name=MTA, Port=smtp, Family=inet')\n")
    town.first.table()
    town.first.start()
    town.send(['alice', 'team', 'carol'])
    town.reference = {who: [text.replace(b'<1@', b'<N@') for text in all_] for who, all_ in town.came().items()}
    equal(sorted(town.reference), [f'{name}@example.org' for name in ('alice', 'bob', 'carol')])


def says_where(town):
    said = town.page.follow('tamis-milter and Sendmail')
    equal(pathlib.Path(re.search(r'\(default: (.+)\)', said)[1]).resolve(), page.CONFIGURATION)


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


def systemd(town):
    """Started by its unit as it is changed there, it is another process and serves as before."""
    old, here = pid(), os.getcwd()
    try:
        os.chdir(SOURCE / 'doc')
        town.page.follow('Have systemd start it')
    finally:
        os.chdir(here)
    assert pid() != old and not place.is_alive(old), (old, pid())
    its = unit.Unit(unit.UNITS / 'tamis-milter.service')
    equal([its.values(name) for name in ('User', 'SupplementaryGroups', 'ReadWritePaths')], [['tamis'], [], []])
    equal(pathlib.Path(f'/proc/{pid()}').owner(), 'tamis')
    equal(would(town), ['fileinto \\"Lists\\"'])


def would(town):
    """What the rules of alice would have done with a message."""
    seen = len(town.log(rcpt='alice@example.org'))
    equal(town.send(['alice']).fates(), [250])
    return re.findall(r'would="((?:\\.|[^"])*)"', '\n'.join(town.log(rcpt='alice@example.org')[seen:]))


def last_good(town):
    """Broken rules and another start: the last good ones are in force if they could be stored."""
    for kept in ([], ['fileinto \\"Good\\"']):
        if kept:
            town.page.follow('The last good rules')
        town.write('alice', 'require "fileinto"; fileinto "Good";')
        equal(would(town), ['fileinto \\"Good\\"'])
        town.write('alice', 'fileinto')
        equal(would(town), ['fileinto \\"Good\\"'], 'as long as the daemon lives')
        subprocess.run('systemctl restart tamis-milter', shell=True, check=True)
        equal(would(town), kept, 'after another start')
    town.write('alice', 'require "fileinto"; fileinto "Lists";')


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


def names_of_its_own():
    """What neither class w nor the map has: the host's own name, which may be Sendmail's $j or that of the machine."""
    users, cf = pathlib.Path('/etc/tamis/users'), pathlib.Path('/run/no-j.cf')
    right = users.read_text()
    users.write_text(right.replace('@mx.example.org', '@another.example.org'))
    cf.write_text(re.sub('(?m)^Dj.*\n', '', pathlib.Path('/etc/mail/sendmail.cf').read_text()))
    for path in ('/etc/mail/sendmail.cf', cf):
        equal(re.findall('^warning +names: (.*)$', run(f'tamis doctor --sendmail {path}')[1], re.M),
              ['local.example.org, mx.example.org'], str(path))
    users.write_text(right)


def names(town):
    """Alice by every name of the machine; doctor misses one that is not in the map."""
    town.write('alice', 'discard;')
    said = town.reload(lambda: town.page.follow('Other names'))
    equal(re.findall('^warning +names: (.*)$', said, re.M), ['local.example.org'])
    names_of_its_own()
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


def held(town):
    """Held for all: looked at, released, deleted; a copy for one."""
    where, again, look, release, delete = town.page.of('Quarantine')
    town.page.do(where)
    town.reload(lambda: town.page.do(again))
    for name in ('alice', 'bob'):
        town.write(name, 'require "vnd.tamis.quarantine"; quarantine "looked at first";')
    equal(town.send(['alice', 'bob']).fates(), [250, 250])
    seen = town.page.do(look)
    names = [path.name[2:] for path in pathlib.Path('/var/spool/mqueue').glob('hf*')]
    equal(re.findall(r'^(\w{14})|^\s+QUARANTINE: (.*)|^\s+<(alice|bob)@example.org>', seen, re.M),
          [(*names, '', ''), ('', 'looked at first', ''), ('', '', 'alice'), ('', '', 'bob')], seen)
    equal(town.came(), {}, 'held')
    asked = len(town.log(rcpt=''))
    town.page.do(release)
    place.wait_for(town.came, 20, 'what was released')
    town.settle()
    equal({who: len(all_) for who, all_ in town.came().items()}, {'alice@example.org': 1, 'bob@example.org': 1})
    equal(len(town.log(rcpt='')), asked, 'lines of the log')
    town.send(['alice'])
    town.page.do(delete)
    equal(list(pathlib.Path('/var/spool/mqueue').glob('[dhq]f*')), [])
    equal((town.came(), [one for one in town.sink.transactions() if SENDER in one.addresses]), ({}, []), 'deleted')
    town.send(['alice', 'carol'])
    equal(sorted(town.came()), ['carol@example.org', 'quarantine@example.org'])


def changes(town):
    """In force from the signal on, which only what is right gets; some wait for the next start."""
    block = town.day('-n && kill -HUP')
    town.write('bob', 'discard;')

    def comes():
        town.send(['bob'])
        return sorted(town.came())
    for effect, then in (('observe', ['bob@example.org']), ('full', [])):
        first = comes()
        page.change(page.CONFIGURATION, f'effect = {effect}\ndrain_seconds = 20s\n')
        equal((first, comes()), (first, first), 'without a signal')
        town.reload(lambda: town.page.do(block))
        equal(comes(), then, effect)
    assert town.log(reload='done', next_start='drain_seconds'), town.syslog.lines[-5:]
    page.change(page.CONFIGURATION, 'effect = never\n')
    done = len(town.log(reload=''))
    status, said = run(block.text)
    assert status and 'never' in said, said
    equal(len(town.log(reload='')), done, 'a signal for what is wrong')
    os.kill(pid(), signal.SIGHUP)
    place.wait_for(lambda: town.log(reload='"failed: the old configuration stays in force"'), 20, 'what the log says')
    equal(comes(), [], 'the old configuration')
    page.change(page.CONFIGURATION, 'effect = full\n')
    town.reload()


def upgrade(town, waits=False):
    """The programs are other ones; what comes while ours is away is told to come again, or waits in a queue."""
    new, between = pathlib.Path(f'/run/house/{"final" if waits else "edge"}'), pathlib.Path('/run/house/between')
    new.mkdir()
    shutil.copy(house.program('tamis-milter'), new)
    (PROGRAMS / 'tamis-milter').unlink()
    (PROGRAMS / 'tamis-milter').write_text(
        f'#!/bin/sh\nif test $# = 0; then touch {between}; while test -e {between}; do sleep 0.1; done; fi\n'
        f'exec {new}/tamis-milter "$@"\n')
    (PROGRAMS / 'tamis-milter').chmod(0o755)
    town.write('alice', 'require "fileinto"; fileinto "Lists";')
    with client.Client(25, source='127.0.0.5') as c, concurrent.futures.ThreadPoolExecutor(1) as pool:
        told = [c.command(line).code for line in (f'MAIL FROM:<{SENDER}>', 'RCPT TO:<alice@example.org>')]
        equal(told, [250, 250])
        done = pool.submit(town.page.do, town.day('while test'))
        try:
            place.wait_for(lambda: between.exists() or done.done(), 20, 'the new daemon')
            assert not done.done(), done.result()
            equal(PID_FILE.exists(), False)
            # one that was begun before, and one from now
            if c.command('DATA').code == 354:
                c.socket.sendall(client.stuff(town.content('begun before', 'everybody:;')))
                equal(c.reply().code, 451)
            equal(town.hand_over(['alice']).fates(), [250] if waits else [451])
            if waits:
                place.wait_for(lambda: town.first.queue() and 'stat=Deferred' in town.first.log(), 20, 'mail that waits')
            equal(town.came(), {})
        finally:
            between.unlink(missing_ok=True)
        done.result()
    (PROGRAMS / 'tamis-milter').unlink()
    (PROGRAMS / 'tamis-milter').symlink_to(house.program('tamis-milter'))
    equal([os.readlink(f'/proc/{pid(path)}/exe') for path in (PID_FILE, STRIP)], [f'{new}/tamis-milter'] * 2)
    if not waits:
        equal(town.send(['alice']).fates(), [250])
    town.settle()
    equal({who: len(all_) for who, all_ in town.came().items()}, {'alice+Lists@example.org': 1})
    forged(town)


def upgrade_by_systemd(town):
    """Only what is right is stopped."""
    block, old = town.day('systemctl restart'), pid()
    page.change(page.CONFIGURATION, 'effect = never\n')
    status, _said = run(block.text)
    equal((status != 0, pid()), (True, old))
    page.change(page.CONFIGURATION, 'effect = full\n')
    town.page.do(block)
    assert pid() != old and not place.is_alive(old), (old, pid())
    town.send(['alice'])
    equal(sorted(town.came()), ['alice+Lists@example.org'])


def rules_stop(town):
    """Mail passes as it came, also to whom a section is for; then all is as before."""
    block, conf = town.day('sed -i.before'), page.CONFIGURATION.read_text()
    assert '[user alice@example.org]' in conf, conf
    for name in ('alice', 'bob'):
        town.write(name, 'discard;')
    town.send(['alice', 'bob'])
    equal(town.came(), {})
    town.reload(lambda: town.page.do(block))
    town.send(['alice', 'bob', 'carol'])
    came = town.came()
    equal(came, {f'{name}@example.org': came['carol@example.org'] for name in ('alice', 'bob', 'carol')})
    equal(page.CONFIGURATION.with_name('tamis.conf.before').read_text(), conf)
    page.CONFIGURATION.write_text(conf)
    town.reload()
    town.send(['alice'])
    equal(town.came(), {})


def stuck(town):
    """doctor and the logs say what is in the way."""
    block = town.day('tamis doctor')
    assert 'error' not in town.page.do(block)
    subprocess.run('kill "$(cat /run/tamis/tamis-milter.pid)"', shell=True, check=True)
    gone(PID_FILE)
    equal(town.hand_over(['alice']).fates(), [451])
    town.first.syslog.await_read()
    assert 'Milter (tamis): to error state' in town.first.log()
    status, said = run(block.text)
    assert 'warning  daemon: ' in said and not status, said
    subprocess.run('systemctl enable --now tamis-milter', shell=True, check=True)
    rules = pathlib.Path('/etc/tamis/rules')
    seen = len(town.log())
    rules.chmod(0)
    try:
        told = town.hand_over(['alice']).fates().replies[0]
    finally:
        rules.chmod(0o755)
    assert told.code == 451 and 'rules cannot be read now' in told.text, told
    assert any('error=' in line or 'why=' in line for line in town.log()[seen:]), town.log()[seen:]
    equal(town.send(['alice']).fates(), [250])


def taken_off(town, stop, *servers):
    """Mail passes without rules, before the daemons are stopped and after.  Returned is how servers were before."""
    town.write('alice', 'discard;')
    town.send(['alice'])
    equal(town.came(), {})
    attached, asked = {server: (server.etc / 'sendmail.mc').read_text() for server in servers}, len(town.log(rcpt=''))
    for server, text in attached.items():
        text = re.sub(r"(?m)^INPUT_MAIL_FILTER\(`tamis(?:-strip)?'.*\n", '', text)
        town.use(server, text.replace(", InputMailFilters=tamis'", "'"))
    for there in (True, False):
        if not there:
            town.page.do(stop)
            gone(PID_FILE)
        equal(town.send(['alice'], more=['Tamis-Refused: "forged"']).fates(), [250])
        content, = town.came()['alice@example.org']
        assert b'Tamis-Refused' in content, content
        equal(len(town.log(rcpt='')), asked, 'lines of the log')
    return attached


def off_and_on(town):
    stop, = [block for block in town.page.of('Day by day') if block.text.startswith('kill "')]
    attached = taken_off(town, stop, town.first)
    gone(STRIP)
    subprocess.run('tamis-milter -c /etc/tamis/strip.conf && tamis-milter', shell=True, check=True)
    for server, text in attached.items():
        town.use(server, text)
    town.send(['alice'])
    equal(town.came(), {})
    forged(town)


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
    ('timeouts', r's/(^Xtamis,.*)R:5m/\1R:10s/', 'no time for rules at RCPT TO'),
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


def final_shown(town):
    """What doctor sees of the second, and of the first by a probe."""
    equal(doctor('--sendmail /run/second/etc/sendmail.cf'), (0, []))
    town.write('alice', 'keep;')
    status, said = run(town.page.one('Does it hold', '--probe').text)
    equal((status, probed(said, 'fine', 'removed')), (0, (9, 6)), said)


def final_held(town):
    """In the queue of the second, where the commands of the page find it when they are told its configuration."""
    _where, _again, look, release, _delete = town.page.of('Quarantine')
    town.write('alice', 'require "vnd.tamis.quarantine"; quarantine "looked at first";')
    equal(town.send(['alice']).fates(), [250])
    equal(town.came(), {}, 'held')
    first, second = (run(text)[1] for text in (look.text, look.text.replace('sendmail', 'sendmail -C /run/second/etc/sendmail.cf')))
    equal(['looked at first' in said for said in (first, second)], [False, True], second)
    run(release.text.replace('sendmail', 'sendmail -C /run/second/etc/sendmail.cf'))
    place.wait_for(town.came, 20, 'what was released')
    town.settle()
    equal({who: len(all_) for who, all_ in town.came().items()}, {'alice@example.org': 1})


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
            ('Sendmail as it was', before), ('where the configuration is', says_where),
            ('"Attach it" is followed, and doctor finds nothing wrong', attach),
            ('observe changes nothing', observes), ('systemd starts it', systemd),
            ('the last good rules are kept', last_good), ('mode = strip: forged fields are taken away', strips),
            ('a probe tells whether they are', probes), ('full, first for one', in_full), ('copies come by port 10026', copies),
            ('other names of a mailbox', names), ('aliases', aliases),
            ('refusals and redirects', fates), ('quarantine', held), ('redirects to users with rules', redirects),
            ('doctor finds each planted mistake', mistakes),
            ('a change is in force from the signal on', changes), ('an upgrade loses nothing', upgrade),
            ('an upgrade by systemd', upgrade_by_systemd), ('rules are stopped', rules_stop), ('mail is stuck', stuck),
            ('it is taken off and attached again', off_and_on),
            ('"mode = final" is followed', final), ('final: filed for each final recipient', final_files),
            ('final: refusals are late', final_refuses), ('final: quarantine', final_held), ('final: a redirect comes round', final_comes_round),
            ('final: what doctor says', final_shown), ('final: an upgrade loses nothing', lambda t: upgrade(t, True)),
            ('final: it is taken off', lambda t: taken_off(t, t.day('disable --now'), t.first, t.second) and None),
            ('every block has been used', lambda t: t.page.left()), ('every command is in one', lambda t: t.page.stray())):
        tap.run(title, test, town)
        if tap.failed and test in (before, attach):
            break
    return tap.finish()


if __name__ == '__main__':
    house.SEEN.update({'sendmail': 'the one that faces the world',
                       'systemctl': 'unit.py: what a unit says of user, directories and commands'})
    house.run(main, sendmail.missing())
