#!/usr/bin/env python3
# test_postfix_md.py - doc/postfix.md is followed to the letter, and mail shows that it is true
# SPDX-License-Identifier: BSD-2-Clause
import os
import pathlib
import re
import shutil
import smtplib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))
import client
import days
import house
import page
import place
import postfix
from postfix_town import LOG, PostfixTown, by_sendmail, reloaded, unchanged
from tap import Skip, Tap, equal
from town import SENDER, bare, doctor, probed, run

MAIN = pathlib.Path('/etc/postfix/main.cf')


def before(town):
    town.found()
    town.send(['alice', 'team', 'carol'])
    town.reference = {who: [bare(one.content) for one in all_] for who, all_ in town.came().items()}
    equal(sorted(town.reference), ['alice@example.org', 'bob@example.org', 'carol@example.org'])


def attach(town):
    said = town.page.follow('tamis-milter and')
    equal(pathlib.Path(re.search(r'\(default: (.+)\)', said)[1]).parent.resolve(), page.CONFIGURATION.parent, said)
    said = town.page.follow('Attach it')
    assert 'error' not in said and 'warning' not in said, said
    for trap in ('milter_default_action', 'smtpd_milters', 'copy_to', 'chroot', 'header_checks', 'daemon'):
        assert re.search(rf'^fine +{trap}', said, re.M), f'doctor does not say that {trap} is fine:\n{said}'


def observes(town):
    unchanged(town)
    lines = town.log(rcpt='alice@example.org', effect='observe')
    assert lines and re.search(r': [0-9A-Fa-f]+: rcpt=alice@example.org .*effect=observe '
                               r'would="fileinto \\"Lists\\"" verdict=pass ms=\d', lines[-1]), town.syslog.lines[-5:]


def strips(town):
    town.send(['carol'], more=('Tamis-Refused: "forged"', 'TAMIS-File-x: [] Junk', 'X-Tamis-Not: ours'))
    content = town.came()['carol@example.org'][0].content
    assert not re.search(rb'(?mi)^tamis-', content) and b'X-Tamis-Not' in content, content


def probes(town):
    """All that is forged is gone; without the checks doctor says that it is there."""
    town.keep_mail()
    town.reload(lambda: town.page.follow('Results of another'))
    said = town.page.do(town.page.of('Does it hold')[0])
    equal(probed(said, 'fine', 'removed'), (7, 6), said)
    equal(re.findall(r'(?m)^(?!fine)\w+ .*', said), [
        'note     Authentication-Results (a comment before the name): arrived',
        'note     Authentication-Results (the name in quotes): arrived'])
    probe = town.page.of('Does it hold')[0].text
    pathlib.Path('/etc/postfix/half').write_text('/^Tamis-/ IGNORE\n')
    for checks, expected in (('', (7, 6)), ('regexp:/etc/postfix/half', (7, 0))):
        checked(checks)
        status, said = run(probe)
        equal((status, probed(said, 'error', 'arrived')), (1, expected), said)
    checked('regexp:/etc/postfix/tamis_header_checks')
    equal(run(probe)[0], 0)


def checked(tables):
    """By these tables from now on."""
    reloaded(f"postconf -e 'header_checks = {tables}'")


def probes_nowhere(_town):
    """What did not arrive is no good news."""
    for arguments, status in (('alice@example.org --arrives /var/mail/nowhere --wait 1', 75), ('alice@example.org', 75),
                              ('nobody@example.org --arrives /var/mail/alice', 1)):
        found, said = run(f'tamis doctor --probe {arguments}')
        assert found == status and 'removed' not in said, (arguments, found, said)
    token = re.search(r'probe: (\w+) to nobody', said)[1]
    equal(run(f'tamis doctor --token {token} --arrives /var/mail/alice')[0], 75)


def probes_elsewhere(town):
    """Looked at when it has been fetched, which may take a while."""
    said = town.page.do(town.page.of('Does it hold')[1], status=75)
    town.settle()
    said = town.page.do(town.page.of('Does it hold')[2], TOKEN=re.search(r'probe: (\w+) to alice', said)[1], FILE='/var/mail/alice')
    equal(probed(said, 'fine', 'removed'), (7, 6), said)


def tags(town):
    page.change(page.CONFIGURATION, 'effect = tag\n')
    town.reload(lambda: town.page.do(town.page.of('Look before')[-1]))
    town.send(['alice'])
    equal(re.findall(rb'(?m)^Tamis-Would: .*', town.came()['alice@example.org'][0].content),
          [b'Tamis-Would: fileinto "Lists"\r'])
    page.change(page.CONFIGURATION, 'effect = observe\n')


def one_in_full(town):
    town.reload(lambda: town.page.follow('Look before'))
    town.write('bob', 'require "fileinto"; fileinto "Bobs";')
    town.send(['alice', 'bob'])
    equal(sorted(town.came()), ['alice+Lists@example.org', 'bob@example.org'])
    equal(town.archived, 1, 'copies in the archive')
    page.change(page.CONFIGURATION, 'effect = full\n')
    town.reload()
    town.send(['alice', 'bob'])
    equal(sorted(town.came()), ['alice+Lists@example.org', 'bob+Bobs@example.org'])


def copies(town):
    """By port 10026: nothing is asked again, rewritten, dropped, or put into the archive twice."""
    town.write('alice', 'require "editheader"; addheader "X-Alice" "1";')
    town.write('bob', 'require "editheader"; addheader "Bcc" "everybody";')
    asked, mark = len(town.log(rcpt='')), LOG.read_text('utf-8', 'replace').count('postfix/tamis/smtpd')
    town.send(['alice', 'bob', 'carol'])
    came = town.came()
    equal(sorted(came), ['alice@example.org', 'bob@example.org', 'carol@example.org'])
    plain = bare(came['carol@example.org'][0].content)
    for who, field in (('alice', b'X-Alice: 1\r\n'), ('bob', b'Bcc: everybody\r\n')):
        equal([bare(one.content) for one in came[f'{who}@example.org']], [field + plain], who)
    equal(town.archived, 1, 'copies in the archive')
    equal(sorted(re.search(r'rcpt=(\S+)', line)[1] for line in town.log(rcpt='')[asked:]),
          ['alice@example.org', 'bob@example.org', 'carol@example.org'])
    place.wait_for(lambda: LOG.read_text('utf-8', 'replace').count('postfix/tamis/smtpd') > mark, 5, 'what comes by port 10026')


def size_offered():
    with smtplib.SMTP('127.0.0.1', 25, timeout=120) as client:
        client.ehlo()
        return client.esmtp_features.get('size')


def room(town):
    """What is as long as may be is taken, with what rules and servers add to it; what is longer is not."""
    town.write('alice', f'require "editheader"; addheader "X-Alice" "{"a" * 900}";')
    reloaded('postconf -e message_size_limit=60000')
    equal(size_offered(), '60000')
    for people in (['alice'], ['alice', 'carol']):
        equal(town.send(people, content=town.message('long') + b'x' * 57000 + b'\r\n').fates(), [552] * len(people), 'too long')
        # in short lines: smtpd counts a long one as several, each with a line end
        content = town.content('long', 'root', (), b'short\r\n' * 9000)[:60000 - 2] + b'\r\n'
        equal(len(content), 60000)
        equal(town.send(people, content=content + b'.\r\n').fates(), [552] * len(people), 'just too long')
        equal(town.send(people, content=content).fates(), [250] * len(people), str(people))
        came = town.came()
        equal(sorted(came), [f'{p}@example.org' for p in people])
        assert b'X-Alice: aaa' in came['alice@example.org'][0].content, 'no edit'
    reloaded('postconf -X message_size_limit')


def names(town):
    """Alice by every name of the machine; doctor misses one that is not in the map."""
    town.write('alice', 'discard;')
    local = f'smtp:[127.0.0.1]:{town.sink.port}'
    reloaded(f"postconf -e 'mydestination = mx.example.org, localhost' 'local_transport = {local}' 'local_recipient_maps ='")
    said = town.reload(lambda: town.page.follow('Other names'))
    assert 'warning' not in said and re.search('^fine +names$', said, re.M), said
    for name in ('localhost', 'MX.example.org', '[127.0.0.1]'):
        equal(town.send([f'alice@{name}']).fates(), [250])
        equal(town.came(), {}, name)
    page.change(page.CONFIGURATION, 'users = /etc/tamis/some\n')
    town.reload('grep -v localhost /etc/tamis/users >/etc/tamis/some; kill -HUP "$(cat /run/tamis/tamis-milter.pid)"')
    _status, said = run('tamis doctor --quiet')
    assert re.search('^warning +names: localhost$', said, re.M), said
    equal(town.send(['alice@localhost']).fates(), [250])
    equal(sorted(town.came()), ['alice@localhost'])
    reloaded("postconf -e 'mydestination ='")


def local(town):
    """sendmail(1)"""
    town.write('alice', 'require "fileinto"; fileinto "Lists";')
    equal(by_sendmail(town), ['alice+Lists@example.org'])


def local_cleanup(town):
    """What the cleanup of pickup was told counts, not what main.cf says; and doctor knows that."""
    for make, undo, seen in (
            ("postconf -P 'cleanup/unix/non_smtpd_milters='", 'postconf -PX cleanup/unix/non_smtpd_milters', 'cleanup, of pickup: not set'),
            ("postconf -P 'pickup/unix/receive_override_options=no_milters'", 'postconf -PX pickup/unix/receive_override_options',
             'pickup: no_milters in receive_override_options')):
        reloaded(make)
        equal(by_sendmail(town), ['alice@example.org'], make)
        said = run('tamis doctor --quiet')[1]
        assert f'note     non_smtpd_milters: {seen}' in said, said
        reloaded(undo)
        equal(by_sendmail(town), ['alice+Lists@example.org'], undo)
    assert 'non_smtpd_milters' not in run('tamis doctor --quiet')[1]


def some_clients(town):
    """Milters that clients have by smtpd_milter_maps alone"""
    reloaded("postconf -e 'smtpd_milters =' 'smtpd_milter_maps = static:{local:/tamis/milter.sock}'")
    town.write('alice', 'require "fileinto"; fileinto "Lists";')
    line = len(town.log(rcpt='alice@example.org'))
    town.send(['alice'])
    equal((sorted(town.came()), len(town.log(rcpt='alice@example.org'))), (['alice+Lists@example.org'], line + 1))
    said = run('tamis doctor --quiet')[1]
    assert 'note     smtpd_milters: smtp: for some clients, smtpd_milter_maps = static:' in said and 'error' not in said, said
    subprocess.run("postconf -e 'milter_default_action = accept'", shell=True, check=True)
    equal(doctor(), (1, ['milter_default_action']))
    reloaded("postconf -e 'milter_default_action = tempfail' 'smtpd_milters = unix:/tamis/milter.sock' && postconf -X smtpd_milter_maps")
    equal(doctor(), (0, []))


def fates(town):
    """The table "Where things go"."""
    town.write('alice', 'redirect "x@else.example";')
    town.write('bob', 'require ["envelope", "ereject"]; if envelope "from" "bad@client.example" { ereject "not you"; }')
    town.write('carol', 'require ["reject"]; if header "subject" "no" { reject "no"; }')
    equal(str(town.send(['bob', 'alice'], sender='bad@client.example').rcpt[0]), '550 5.7.1 not you')
    equal(sorted(town.came()), ['x@else.example'])
    equal(str(town.send(['carol'], 'no').final), '550 5.7.1 no')
    equal(town.send(['carol', 'alice'], 'no').fates(), [250, 250])
    came = town.came()
    equal(sorted(came), ['carol@example.org', 'x@else.example'])
    assert b'Tamis-Refused: "no"\r\n' in came['carol@example.org'][0].content
    assert b'Tamis-' not in came['x@else.example'][0].content
    said = town.page.follow('Where things go')
    assert 'fileinto' in said and 'Tamis-File-' in said, said


def quarantine(town):
    """Held for all: looked at, released, deleted; a copy for one."""
    _deliver, where, again, look, release, delete, anew = town.page.of('Quarantine')
    town.page.do(where)
    town.reload(lambda: town.page.do(again))
    for name in ('alice', 'bob'):
        town.write(name, 'require "vnd.tamis.quarantine"; quarantine "looked at first";')
    equal(town.hold(['alice', 'bob']), [250, 250])
    seen = town.page.do(look)
    assert 'alice@example.org' in seen and 'Tamis-Quarantine: "looked at first"' in seen, seen
    equal(town.came(), {}, 'on hold')
    town.page.do(release)
    town.settle()
    equal({who: len(all_) for who, all_ in town.came().items()}, {'alice@example.org': 1, 'bob@example.org': 1})
    assert town.log(rcpt='alice@example.org', verdict='held')
    town.hold(['alice'])
    town.page.do(delete)
    town.settle()
    equal(town.came(), {}, 'deleted')
    town.hold(['alice'])
    town.page.do(anew)
    town.settle()
    equal({who: len(all_) for who, all_ in town.came().items()}, {'alice@example.org': 1}, 'once more')
    town.send(['alice', 'carol'])
    came = town.came()
    equal(sorted(came), ['carol@example.org', 'quarantine@example.org'])
    content = came['quarantine@example.org'][0].content
    assert b'Tamis-Quarantine: <alice@example.org> "looked at first"\r\n' in content, content


def delivered(town):
    """The copy, saved with the line ends of this machine: to him alone, as it is, and no rules are asked."""
    block = town.page.one('Quarantine', 'curl')
    if not shutil.which('curl'):
        block.done = True
        raise Skip('no curl')
    content = town.came()['quarantine@example.org'][0].content
    saved, asked = pathlib.Path('/run/saved'), len(town.log(rcpt=''))
    for line_end, how in ((b'\n', block), (b'\r\n', page.Block(block.section, 'sh', block.text.replace(' --crlf', ''), block.line))):
        town.number += 1
        expected = re.sub(rb'(?m)^Message-ID: .*', b'Message-ID: <%d@client.example>\r' % town.number, content)
        saved.write_bytes(expected.replace(b'\r\n', line_end))
        town.page.do(how, FILE=saved)
        town.settle()
        came = town.came()
        equal({who: [(one.sender, bare(one.content)) for one in all_] for who, all_ in came.items()},
              {'alice@example.org': [('', bare(expected))]})
    equal((len(town.log(rcpt='')), town.archived), (asked, 0))


def filtered(town):
    town.page.follow('Redirects to users')
    place.wait_for(lambda: place.listens(10027), 10, 'the port of redirects')
    town.write('alice', 'redirect "bob@example.org";')
    town.write('bob', 'require ["fileinto", "ereject"]; if header "subject" "no" { ereject "no"; } else { fileinto "Bobs"; }')
    town.send(['alice'])
    equal(sorted(town.came()), ['bob+Bobs@example.org'])
    equal(town.archived, 1, 'copies in the archive')
    town.send(['alice'], 'no')
    equal(sorted(town.came()), ['alice@example.org'])
    town.write('bob', 'redirect "alice@example.org";')
    town.send(['alice'])
    equal(sorted(town.came()), ['alice@example.org'], 'a circle')
    town.write('bob', 'keep;')


def returns(town):
    """A redirect leaves with a sender of ours, and what comes back to it goes to the first sender."""
    town.reload(lambda: town.page.follow('Senders that come back'))
    srs(town)


def srs(town):
    town.write('alice', 'redirect "x@else.example";')
    town.send(['alice'])
    out = town.came()
    equal(sorted(out), ['x@else.example'])
    sender = out['x@else.example'][0].sender
    assert re.fullmatch(r'SRS0=\w+=\w\w=client[.]example=s@srs[.]example[.]org', sender), sender
    town.send([sender], sender='')
    equal({who: [one.sender for one in all_] for who, all_ in town.came().items()}, {SENDER: ['']})
    town.send([sender.replace('=s@', '=t@')], sender='')
    equal(town.came(), {}, 'a forged address')


COPIES, FILTERED, FINAL = (f'127.0.0.1:{port}/inet' for port in (10026, 10027, 10031))
SOCKET = 'unix:/var/spool/postfix/tamis/milter.sock'


def main_cf(name, wrong, right):
    return f"postconf -e '{name} = {wrong}'", f"postconf -e '{name} = {right}'"


def master_cf(service, name, wrong, right):
    return f"postconf -P '{service}/{name}={wrong}'", f"postconf -P '{service}/{name}={right}'"


# {trap: [(what makes it, what undoes that)]}: nothing but that is to be found
MISTAKES = {
    'milter_default_action': [main_cf('milter_default_action', 'accept', 'tempfail')],
    'milter_protocol': [main_cf('milter_protocol', '2', '6')],
    'milter timeouts': [main_cf('milter_command_timeout', '10s', '30s'), main_cf('milter_content_timeout', '3m', '300s')],
    'mta': [main_cf('mail_name', 'Mail', 'Postfix'),
            ("sed -i '1i mta = sendmail' /etc/tamis/tamis.conf", "sed -i 1d /etc/tamis/tamis.conf")],
    'recipient_delimiter': [main_cf('recipient_delimiter', '-', '+')],
    'copy_to': [(f"postconf -PX '{COPIES}/smtpd_milters'", f"postconf -P '{COPIES}/smtpd_milters='")],
    'checks behind us': [master_cf(service, 'receive_override_options', 'no_unknown_recipient_checks',
                                   'no_header_body_checks,no_unknown_recipient_checks') for service in (COPIES, FILTERED)],
    'content_filter': [master_cf(COPIES, 'content_filter', 'scan:[127.0.0.1]:10024', '')],
    'chroot': [("sed -i 's,^socket = .*,socket = unix:/run/tamis/milter.sock,' /etc/tamis/tamis.conf",
                f"sed -i 's,^socket = .*,socket = {SOCKET},' /etc/tamis/tamis.conf")],
    'state_dir': [('chmod 777 /var/lib/tamis', 'chmod 700 /var/lib/tamis'),
                  ('chown root /var/lib/tamis', 'chown tamis /var/lib/tamis')],
    'rules_dir': [('chmod 700 /etc/tamis/rules', 'chmod 755 /etc/tamis/rules')],
    'secret_file': [('chmod 644 /var/lib/tamis/secret', 'chmod 600 /var/lib/tamis/secret')],
    'Cyrus': [('echo sievedir: /etc/tamis/rules >/etc/imapd.conf', 'rm /etc/imapd.conf')],
}
EDGE = {
    'smtpd_milters': [main_cf('smtpd_milters', 'inet:127.0.0.1:1', 'unix:/tamis/milter.sock')],
    'last milter': [main_cf('smtpd_milters', 'unix:/tamis/milter.sock, inet:127.0.0.1:1', 'unix:/tamis/milter.sock')],
    'chroot': [main_cf('smtpd_milters', f'{kind}:/run/tamis/milter.sock', 'unix:/tamis/milter.sock') for kind in ('unix', 'local')],
    'milter_protocol': [main_cf('smtpd_milters', '{ unix:/tamis/milter.sock, { protocol = 2 } }', 'unix:/tamis/milter.sock')],
    'filtered_to': [master_cf(FILTERED, 'smtpd_milters', '', SOCKET)],
    'filter behind us': [master_cf('smtp/inet', 'content_filter', 'scan:[127.0.0.1]:10024', '')],
    'enable_original_recipient': [main_cf('enable_original_recipient', 'no', 'yes')],
    'smtpd_proxy_filter': [master_cf('smtp/inet', 'smtpd_proxy_filter', '127.0.0.1:10024', '')],
}
BEHIND = {
    'last milter': [master_cf(FINAL, 'smtpd_milters', f'{SOCKET},inet:127.0.0.1:1', SOCKET)],
    'before the queue': [("postconf -M 'submission/inet=submission inet n - y - - smtpd'; "
                          f"postconf -P 'submission/inet/smtpd_milters=unix:/tamis/milter.sock'",
                          'postconf -MX submission/inet')],
    'smtpd_proxy_filter': [master_cf(FINAL, 'smtpd_proxy_filter', '127.0.0.1:10024', '')],
    'one at a time': [main_cf('split_destination_recipient_limit', '50', '1')],
    'aliases': [master_cf(FINAL, 'receive_override_options', 'no_unknown_recipient_checks,no_header_body_checks',
                          'no_address_mappings,no_unknown_recipient_checks,no_header_body_checks')],
    'asked twice': [master_cf('smtp/inet', 'smtpd_milters', 'unix:/tamis/milter.sock', ''),
                    master_cf(FILTERED, 'smtpd_milters', SOCKET, '')],
    'checks behind us': [master_cf(FINAL, 'receive_override_options', 'no_address_mappings,no_unknown_recipient_checks',
                                   'no_address_mappings,no_unknown_recipient_checks,no_header_body_checks')],
    'content_filter': [master_cf(FINAL, 'content_filter', 'split:[127.0.0.1]:10031', '')],
    'filtered_to': [master_cf(FILTERED, 'content_filter', '', 'split:[127.0.0.1]:10031')],
    'non_smtpd_milters': [main_cf('non_smtpd_milters', 'unix:/tamis/milter.sock', ''),
                          master_cf('cleanup/unix', 'non_smtpd_milters', 'unix:/tamis/milter.sock', '')],
}


def mistakes(_town, *tables):
    wrong = []
    for trap, pairs in (item for table in (MISTAKES, *tables) for item in table.items()):
        for make, undo in pairs:
            subprocess.run(make, shell=True, check=True)
            found = doctor()
            if found != (1, [trap]):
                wrong.append(f'{make}: {found}')
            subprocess.run(undo, shell=True, check=True)
    equal(doctor(), (0, []))
    return wrong


def stopped(town):
    """Nothing is lost while the daemon is away."""
    with client.Client(25) as c:
        subprocess.run('kill "$(cat /run/tamis/tamis-milter.pid)"', shell=True, check=True)
        place.wait_for(lambda: not os.path.exists('/run/tamis/tamis-milter.pid'), 20, 'the end')
        equal(set(c.send(SENDER, ['alice@example.org'], town.message('x')).fates()), {451})
    # what the milter has in braces of its own goes before
    reloaded("postconf -e 'smtpd_milters = { local:/tamis/milter.sock, { default_action = accept } }'")
    equal(town.send(['carol']).fates(), [250])
    equal(doctor(), (1, ['milter_default_action']))
    reloaded("postconf -e 'smtpd_milters = unix:/tamis/milter.sock'")
    subprocess.run(['tamis-milter'], check=True)
    equal(town.send(['alice']).fates(), [250])


def final(town):
    said = town.page.follow('Behind the queue: mode')
    assert 'error' not in said and 'warning' not in said, said
    place.wait_for(lambda: place.listens(10031) and place.listens(25), 10, 'the port behind the queue')


def final_files(town):
    """Aliases first, then each final recipient's own rules, one transaction each."""
    town.write('alice', 'require ["fileinto", "editheader"]; addheader "X-Alice" "1"; fileinto "Lists";')
    town.write('bob', 'require "editheader"; addheader "X-Bob" "1";')
    before_lines = len(town.log(rcpt=''))
    town.send(['team', 'carol'])
    came = town.came()
    equal(sorted(came), ['alice+Lists@example.org', 'bob@example.org', 'carol@example.org'])
    equal([len(all_) for all_ in came.values()], [1] * 3)
    equal(town.archived, 1, 'copies in the archive')
    plain = bare(came['carol@example.org'][0].content)
    equal(bare(came['alice+Lists@example.org'][0].content), b'X-Alice: 1\r\n' + plain)
    equal(bare(came['bob@example.org'][0].content), b'X-Bob: 1\r\n' + plain)
    lines = town.log(rcpt='')[before_lines:]
    equal(sorted(re.search(r'rcpt=(\S+)', line)[1] for line in lines),
          ['alice@example.org', 'archive@example.org', 'bob@example.org', 'carol@example.org'])
    equal(len({re.search(r': (\S+): rcpt=', line)[1] for line in lines}), 4, 'transactions')


# what main.cf may say of mail from outside and to it, and what the services for these are told then
ELSEWHERE = {
    'smtp/inet': {'smtpd_proxy_filter': ('127.0.0.1:9', ''), 'smtpd_upstream_proxy_protocol': ('haproxy', ''),
                  'smtpd_discard_ehlo_keywords': ('dsn', ''), 'smtpd_discard_ehlo_keyword_address_maps': ('static:dsn', ''),
                  # whoever may say XCLIENT, Postfix does not count
                  'smtpd_authorized_xclient_hosts': ('', '127.0.0.0/8'), 'smtpd_client_message_rate_limit': ('1', '0'),
                  'smtpd_client_event_limit_exceptions': ('192.0.2.0/24', '')},
    'smtp/unix': {'smtp_header_checks': ('regexp:/etc/postfix/outside', ''), 'smtp_mime_header_checks': ('regexp:/etc/postfix/outside', ''),
                  'smtp_nested_header_checks': ('regexp:/etc/postfix/outside', ''), 'smtp_body_checks': ('regexp:/etc/postfix/outside', ''),
                  'smtp_bind_address': ('192.0.2.1', ''), 'smtp_tls_security_level': ('encrypt', 'none'),
                  'smtp_tls_wrappermode': ('yes', 'no'), 'smtp_tls_policy_maps': ('static:encrypt', ''),
                  'smtp_discard_ehlo_keywords': ('dsn', ''), 'smtp_discard_ehlo_keyword_address_maps': ('static:dsn', '')},
}


def final_inherits(town):
    """What main.cf says of mail from outside and to it is not done to mail on its way through our ports."""
    more = ('X-Outside: 0', 'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=x')
    body = b'--x\r\nContent-Type: message/rfc822\r\nX-Outside: 1\r\n\r\nX-Outside: 2\r\n\r\nX-Outside: 3\r\n--x--\r\n'
    pathlib.Path('/etc/postfix/outside').write_text('/^X-Outside/ REPLACE X-Outside: changed\n')
    settings = [(service, name, *values) for service, all_ in ELSEWHERE.items() for name, values in all_.items()]
    town.write('alice', 'require ["fileinto", "editheader", "copy", "envelope"]; redirect :copy "bob@example.org"; keep; '
                        'addheader "X-Alice" "1"; if envelope "orig_to" "al@example.org" { fileinto "Lists"; }')
    town.write('bob', 'keep;')
    subprocess.run('ip address add 192.0.2.1/32 dev lo', shell=True, check=True)
    main_text = MAIN.read_text()
    reloaded(' && '.join(f"postconf -e '{name} = {wrong}' && postconf -P '{service}/{name}={right}'" for service, name, wrong, right in settings))
    try:
        for _twice in range(2):
            equal(town.send(['al'], content=town.content('parts', 'root', more, body)).fates(), [250])
            came = town.came()
            equal({who: [re.findall(rb'(?m)^X-Outside: (.*)\r$', one.content) for one in all_] for who, all_ in came.items()},
                  dict.fromkeys((f'{who}@example.org' for who in ('al', 'alice', 'alice+Lists', 'bob')), [[b'0', b'1', b'2', b'3']]))
            equal([p for all_ in came.values() for one in all_ for _address, p in one.recipients], [['ORCPT=rfc822;al@example.org']] * 4)
    finally:
        MAIN.write_text(main_text)
        reloaded(' && '.join(f"postconf -PX '{service}/{name}'" for service, name, *_values in settings))
        subprocess.run('ip address delete 192.0.2.1/32 dev lo', shell=True, check=True)


def final_waits(town):
    """While the daemon is away nothing goes round the rules, whatever other servers mail for elsewhere may turn to."""
    town.write('alice', 'require "fileinto"; fileinto "Lists";')
    reloaded(f"postconf -e 'smtp_fallback_relay = [127.0.0.1]:{town.sink.port}' && postconf -P smtp/unix/smtp_fallback_relay=")
    subprocess.run('kill "$(cat /run/tamis/tamis-milter.pid)"', shell=True, check=True)
    place.wait_for(lambda: not os.path.exists('/run/tamis/tamis-milter.pid'), 20, 'the end')
    try:
        before_try = len(LOG.read_text('utf-8', 'replace'))
        with client.Client(25) as c:
            equal(c.send(SENDER, ['alice@example.org'], town.message('x')).fates(), [250])
        place.wait_for(lambda: re.search('to=<alice@example.org>.* status=', LOG.read_text('utf-8', 'replace')[before_try:]), 20, 'an attempt')
    finally:
        subprocess.run(['tamis-milter'], check=True)
    town.settle()
    equal(sorted(town.came()), ['alice+Lists@example.org'])
    reloaded('postconf -X smtp_fallback_relay && postconf -PX smtp/unix/smtp_fallback_relay')


def final_alias(town):
    """An alias that leads to itself as well does not double mail; what a redirect leads to has aliases."""
    town.write('alice', 'keep;')
    town.send(['al'])
    equal({who: len(all_) for who, all_ in town.came().items()}, {'alice@example.org': 1, 'al@example.org': 1})
    town.write('alice', 'redirect "team@example.org";')
    town.write('bob', 'require "fileinto"; fileinto "Bobs";')
    town.send(['alice'])
    equal({who: len(all_) for who, all_ in town.came().items()}, {'alice@example.org': 1, 'bob+Bobs@example.org': 1})


def final_refuses(town):
    """Too late to refuse: kept with a mark, and the sender hears nothing."""
    town.write('bob', 'require ["envelope", "ereject"]; if envelope "from" "bad@client.example" { ereject "not you"; }')
    equal(town.send(['bob'], sender='bad@client.example').fates(), [250])
    equal(sorted(town.came()), ['bob@example.org'])
    assert b'Tamis-Refused: "not you"\r\n' in town.came()['bob@example.org'][0].content


def final_local(town):
    local(town)
    strips(town)


def edge_in_front(town):
    """What it does not refuse is left to the other."""
    said = town.page.follow('Behind the queue: refusals')
    assert 'error' not in said and 'warning' not in said, said
    equal(doctor(), (0, []))
    town.write('alice', 'require ["fileinto", "editheader"]; addheader "X-Alice" "1"; fileinto "Lists";')
    town.write('bob', 'require ["envelope", "ereject"]; if anyof (envelope "from" "bad@client.example", header "subject" "no") '
                      '{ ereject "not you"; }')
    told = town.send(['bob', 'alice'], sender='bad@client.example')
    equal((str(told.rcpt[0]), told.fates()), ('550 5.7.1 not you', [550, 250]))
    came = town.came()
    equal(sorted(came), ['alice+Lists@example.org'])
    equal(came['alice+Lists@example.org'][0].content.count(b'X-Alice'), 1)
    equal(str(town.send(['bob'], 'no').final), '550 5.7.1 not you')
    equal(town.came(), {})
    equal(town.send(['bob', 'alice'], 'no').fates(), [250, 250])
    came = town.came()
    equal(sorted(came), ['alice+Lists@example.org', 'bob@example.org'])
    equal(came['bob@example.org'][0].content.count(b'Tamis-Refused: "not you"\r\n'), 1)


def final_hold(town):
    """Released without rules by one command; by the other it comes to them again."""
    town.write('alice', 'require "vnd.tamis.quarantine"; quarantine "looked at first";')
    release, anew = (town.page.one('Quarantine', f'postsuper {option}') for option in ('-H', '-r'))
    equal(town.hold(['alice']), [250])
    lines = len(town.log(rcpt='alice@example.org', verdict='held'))
    town.page.do(anew)
    place.wait_for(lambda: len(town.log(rcpt='alice@example.org', verdict='held')) > lines, 20, 'the rules')
    town.held()
    equal(town.came(), {}, 'on hold again')
    town.page.do(release)
    town.settle()
    equal({who: len(all_) for who, all_ in town.came().items()}, {'alice@example.org': 1})


def main():
    tap = Tap()
    town = PostfixTown('postfix.md')
    for title, test in (
            ('Postfix as it was', before), ('"Attach it" is followed, and doctor finds nothing wrong', attach),
            ('observe changes nothing and says what would be', observes), ('forged fields are taken away', strips),
            ('systemd starts it', days.by_systemd), ('the last good rules outlive a restart', days.last_good),
            ('a probe tells whether they are', probes), ('... also later', probes_elsewhere),
            ('a probe that does not arrive', probes_nowhere), ('tag marks', tags),
            ('full, first for one', one_in_full), ('copies come by port 10026', copies), ('there is room for edits', room),
            ('other names of a mailbox', names),
            ('mail of sendmail(1) has rules', local),
            ('... unless its cleanup was told otherwise', local_cleanup), ('milters of some clients alone', some_clients), ('where things go', fates),
            ('quarantine', quarantine), ('... and delivered after all', delivered), ('redirects to users with rules', filtered), ('SRS, there and back', returns),
            ('doctor finds each planted mistake', lambda t: mistakes(t, EDGE)), ('nothing is lost while the daemon is away', stopped),
            ('day by day: changes', days.changes), ('day by day: upgrade', days.upgraded),
            ('day by day: rules do nothing', days.nothing_done), ('day by day: mail is stuck', days.stuck),
            ('day by day: taken off, and put on again', days.off),
            ('"mode = final" is followed, and doctor finds nothing wrong', final),
            ('final: filed for each final recipient', final_files), ('final: there is room', room),
            ('final: what main.cf says of other mail', final_inherits),
            ('final: nothing goes round rules', final_waits), ('final: aliases', final_alias),
            ('final: refusals are late', final_refuses), ('final: sendmail(1), forged fields', final_local),
            ('final: redirects, SRS', srs), ('final: doctor finds each planted mistake', lambda t: mistakes(t, BEHIND)),
            ('final: refusals at the edge', edge_in_front),
            ('final: on hold, and released', final_hold),
            ('final, day by day: changes', days.changes), ('... at the edge', days.edge_changes),
            ('final, day by day: upgrade', lambda t: days.upgraded(t, fate=250)),
            ('... at the edge', lambda t: days.upgraded(t, 'edge')),
            ('final, day by day: rules do nothing', days.nothing_done), ('... at the edge', days.edge_nothing_done),
            ('final, day by day: mail is stuck', days.stuck_behind), ('final, day by day: taken off', days.off_behind), ('why it fared so', days.explained),
            ('every command has been run', lambda t: t.page.left() + t.page.stray())):
        tap.run(title, test, town)
        if tap.failed and test in (before, attach):
            break
    return tap.finish()


if __name__ == '__main__':
    house.run(main, postfix.missing())
