# days.py - "Day by day" of doc/postfix.md, done to a town
# SPDX-License-Identifier: BSD-2-Clause
import os
import pathlib
import shutil
import subprocess
import threading

import client
import house
import page
import place
import unit
from postfix_town import LOG, by_sendmail, reloaded, unchanged
from tap import equal
from town import PID_FILE, SENDER, SOURCE, doctor, run

EDGE_CONFIGURATION, EDGE_PID_FILE = pathlib.Path('/etc/tamis/edge.conf'), pathlib.Path('/run/tamis/edge.pid')
USERS = pathlib.Path('/etc/tamis/users')
BIN = pathlib.Path('/run/house/bin')
WAITS = '''#!/bin/sh
case " $* " in
*" -n "*) ;;
*) until test -e /run/house/go; do sleep 0.1; done ;;
esac
exec {} "$@"
'''
AWAY = '451 4.7.1 Service unavailable - try again later'


def day(town, text, **how):
    return town.page.do(town.page.one('Day by day', text), **how)


def pid_of(path=PID_FILE):
    return path.read_text('ascii').strip()


def gone(path=PID_FILE):
    place.wait_for(lambda: not path.exists(), 20, 'the end')


def told(content):
    """Of one message to alice, whose queue is not waited for."""
    return client.send(25, SENDER, ['alice@example.org'], content, 'BODY=8BITMIME', ADDR='192.0.2.7', NAME='client.example')


def by_systemd(town):
    """From now on the daemon runs as systemd starts it: by the user of the unit."""
    unit.install(BIN)
    before = pid_of()
    os.chdir(SOURCE / 'doc')
    town.page.follow('Have systemd')
    assert pid_of() != before
    equal(pathlib.Path(f'/proc/{pid_of()}').owner(), 'tamis')
    unchanged(town)


def last_good(town):
    """Rules that become broken before a restart."""
    town.page.follow('The last good')
    town.write('alice', 'require "fileinto"; fileinto "Good";')
    town.send(['alice'])
    town.write('alice', 'fileinto')
    before = pid_of()
    good = page.CONFIGURATION.read_text()
    page.CONFIGURATION.write_text('effect = some\n' + good)
    day(town, 'systemctl restart', status=78)
    equal(pid_of(), before, 'one that could not start again')
    page.CONFIGURATION.write_text(good)
    day(town, 'systemctl restart')
    assert pid_of() != before
    town.send(['alice'])
    line = town.log(rcpt='alice@example.org')[-1]
    assert r'would="fileinto \"Good\""' in line, line
    subprocess.run(['chown', '-R', 'root', '/etc/tamis/rules'], check=True)
    town.write('alice', 'require "fileinto"; if header :contains "subject" "list" { fileinto "Lists"; }')


def changes(town):
    """What is right is in force after it; what is wrong is not, and what has to wait is named."""
    act, old, names = 'tamis-milter -n && kill', page.CONFIGURATION.read_text(), USERS.read_text()
    page.change(page.CONFIGURATION, 'users = /etc/tamis/users\n')
    USERS.write_text(names + 'bob@example.org alice@example.org\n')
    town.write('alice', 'discard;')
    town.write('bob', 'keep;')
    town.reload(lambda: day(town, act))
    town.send(['bob'])
    equal(town.came(), {}, 'by the rules of alice')
    good, seen = page.CONFIGURATION.read_text(), len(town.log(reload=''))
    page.CONFIGURATION.write_text('effect = some\n' + good)
    assert 'effect' in day(town, act, status=78)
    before = pid_of()
    assert 'effect' in day(town, 'tamis-milter.pid)" &&\n    while', status=78)
    equal(pid_of(), before, 'the daemon goes on')
    equal(len(town.log(reload='')), seen, 'signals')
    subprocess.run(f'kill -HUP {pid_of()}', shell=True, check=True)
    place.wait_for(lambda: town.log(reload='"failed: the old configuration stays in force"'), 10, 'the reload')
    town.send(['bob'])
    equal(town.came(), {}, 'by the old configuration')
    page.CONFIGURATION.write_text('drain_seconds = 20s\n' + good)
    town.reload(lambda: day(town, act))
    equal([' next_start=drain_seconds ' in line for line in town.log(reload='done')[-2:]], [False, True])
    page.CONFIGURATION.write_text(old)
    USERS.write_text(names)
    town.reload(lambda: day(town, act))
    town.send(['bob'])
    equal(sorted(town.came()), ['bob@example.org'])


def upgraded(town, name='tamis-milter', fate=451):
    """While there is no daemon, senders keep what they have, begun before or not, or else the queue; then the new one answers."""
    town.write('alice', 'require "fileinto"; fileinto "Lists";')
    pid_file, text = PID_FILE.with_name(f'{name}.pid'), f'kill "$(cat /run/tamis/{name}.pid)" &&\n    while'
    program, go, before = BIN / 'tamis-milter', pathlib.Path('/run/house/go'), pid_of(pid_file)
    go.unlink(missing_ok=True)
    # a copy: the daemon's user may not be let into the directory where it was built
    new = pathlib.Path(f'/run/house/new-{name}')
    if not new.exists():
        shutil.copy(house.program('tamis-milter'), new)
    program.unlink()
    program.write_text(WAITS.format(new))
    program.chmod(0o755)
    wrong = []

    def follow():
        try:
            day(town, text)
        except Exception as why:
            wrong.append(why)
    content = town.message('the list')
    with client.Client(25) as begun:
        equal([begun.command(line).code for line in (f'MAIL FROM:<{SENDER}>', 'RCPT TO:<alice@example.org>')], [250] * 2)
        upgrade = threading.Thread(target=follow)
        upgrade.start()
        place.wait_for(lambda: wrong or not pid_file.exists(), 20, 'the end')
        equal(wrong, [])
        answer = begun.command('DATA')
        if answer.code == 354:
            begun.socket.sendall(client.stuff(content))
            answer = begun.reply()
        equal(answer.code, fate, 'a message that was begun')
    equal(told(content).fates(), [fate])
    equal(town.came(), {})
    go.touch()
    upgrade.join()
    equal(wrong, [])
    assert pid_of(pid_file) != before
    if fate == 451:
        equal(told(content).fates(), [250])
    town.settle()
    equal({who: len(all_) for who, all_ in town.came().items()}, {'alice+Lists@example.org': 1 if fate == 451 else 2})


def nothing_done(town):
    """By one command mail passes as it came, also that of her who has a section; and bounces come back."""
    town.write('alice', 'redirect "x@else.example";')
    town.send(['alice'])
    sender = town.came()['x@else.example'][0].sender
    town.write('alice', 'require "fileinto"; if header :contains "subject" "list" { fileinto "Lists"; }')
    before = page.CONFIGURATION.read_text()
    assert '[user alice' in before
    town.reload(lambda: day(town, "observe/' /etc/tamis/tamis.conf"))
    unchanged(town)
    equal(town.send([sender], sender='').fates(), [250])
    equal(sorted(town.came()), [SENDER])
    kept = page.CONFIGURATION.with_name('tamis.conf.before')
    equal(kept.read_text(), before)
    kept.rename(page.CONFIGURATION)
    town.reload()
    town.send(['alice'])
    equal(sorted(town.came()), ['alice+Lists@example.org'])


def stuck(town):
    """The sender is told what the page says, Postfix's log and doctor say the rest."""
    seen = LOG.read_text('utf-8', 'replace').count('connect to Milter service')
    subprocess.run(f'kill {pid_of()}', shell=True, check=True)
    gone()
    equal(str(told(town.message('x')).fates()), f'[{AWAY}]')
    place.wait_for(lambda: LOG.read_text('utf-8', 'replace').count('connect to Milter service') > seen, 5, "Postfix's log")
    assert 'warning  daemon: /var/spool/postfix/tamis/milter.sock: ' in run('tamis doctor')[1]
    subprocess.run(['tamis-milter'], check=True)
    equal(doctor(), (0, []))


def stuck_behind(town):
    """The sender has gone; the queue says it."""
    subprocess.run(f'kill {pid_of()}', shell=True, check=True)
    gone()
    town.write('alice', 'keep;')
    equal(told(town.message('x')).fates(), [250])
    place.wait_for(lambda: AWAY in ' '.join(run('postqueue -p')[1].split()), 20, 'a reason in the queue')
    assert 'warning  daemon: /var/spool/postfix/tamis/milter.sock: ' in run('tamis doctor')[1]
    subprocess.run(['tamis-milter'], check=True)
    town.settle()
    equal({who: len(all_) for who, all_ in town.came().items()}, {'alice@example.org': 1})


def without(town):
    """Mail passes as before all this, and nothing of it is there."""
    assert not PID_FILE.exists()
    unchanged(town)
    equal(by_sendmail(town), ['alice@example.org'])


def off(town):
    """Taken off, and put on again, this time by systemd, which is stopped then."""
    said = day(town, 'grep milters')
    assert '127.0.0.1:10027/inet/smtpd_milters = unix:/var/spool/postfix/tamis/milter.sock' in said, said
    town.write('alice', 'discard;')
    day(town, "'non_smtpd_milters ='")
    gone()
    without(town)
    for text in ("postconf -e 'smtpd_milters", 'tamis-milter -n\ntamis-milter'):
        town.page.do(town.page.one('Attach it', text))
    town.page.follow('Have systemd')
    reloaded('true')
    equal(doctor(), (0, []))
    town.send(['alice'])
    equal(town.came(), {})
    day(town, 'systemctl disable')
    gone()
    subprocess.run(['tamis-milter'], check=True)
    equal(doctor(), (0, []))


def edge_changes(town):
    """The second daemon has a file of its own."""
    town.write('bob', 'require ["envelope", "ereject"]; if envelope "from" "bad@client.example" { ereject "not you"; }')
    old, act = EDGE_CONFIGURATION.read_text(), 'edge.conf -n && kill'
    for text, fate in ((old.replace('effect = refuse', 'effect = observe'), 250), (old, 550)):
        EDGE_CONFIGURATION.write_text(text)
        town.reload(lambda: day(town, act))
        equal(town.send(['bob'], sender='bad@client.example').fates(), [fate])


def edge_nothing_done(town):
    """By its own file nobody is refused any more."""
    town.write('bob', 'require ["envelope", "ereject"]; if envelope "from" "bad@client.example" { ereject "not you"; }')
    before = EDGE_CONFIGURATION.read_text()
    equal(town.send(['bob'], sender='bad@client.example').fates(), [550])
    town.reload(lambda: day(town, "observe/' /etc/tamis/edge.conf"))
    equal(town.send(['bob'], sender='bad@client.example').fates(), [250])
    kept = EDGE_CONFIGURATION.with_name('edge.conf.before')
    equal(kept.read_text(), before)
    kept.rename(EDGE_CONFIGURATION)
    town.reload('kill -HUP "$(cat /run/tamis/edge.pid)"')


def off_behind(town):
    """What is in the queue comes without the daemon as well, once."""
    reloaded("postconf -e 'defer_transports = split'")
    town.write('alice', 'discard;')
    equal(told(town.message('x')).fates(), [250])
    waits = town.number
    day(town, 'postconf -PX')
    day(town, "'non_smtpd_milters ='")
    gone()
    town.page.do(next(block for block in town.page.of('Day by day') if block.text == 'kill "$(cat /run/tamis/edge.pid)"\n'))
    gone(EDGE_PID_FILE)
    reloaded('postconf -X defer_transports')
    subprocess.run(['postqueue', '-f'], check=True)
    town.settle()
    town.number = waits
    equal({who: len(all_) for who, all_ in town.came().items()}, {'alice@example.org': 1})
    without(town)


def explained(town):
    """Why it fared as it did."""
    message = pathlib.Path('/run/message')
    message.write_bytes(town.message('the list'))
    rules = pathlib.Path('/run/rules')
    rules.write_text('require "fileinto"; if header :contains "subject" "list" { fileinto "Lists"; }')
    said = town.page.do(town.page.one('When something', 'explain'), RULES=rules, MESSAGE=message)
    assert 'fileinto "Lists"' in said and 'subject' in said, said
