#!/usr/bin/env python3
# campaign.py - mail through a real server with the milter, while things break
# SPDX-License-Identifier: BSD-2-Clause
"""What is random comes from the seed; README.md says what is done, and accountant.py decides whether it went well."""
import argparse
import collections
import contextlib
import json
import os
import pathlib
import random
import shutil
import socket
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'lib')]
import accountant
import bench as benches
import breakage
import client
import draws
import place
import rare
from breakage import Dropped
from scenario import CHANGES, DOMAIN, SRS, Scenario, script

ATTEMPTS_MOST = 8
BATCH = 20                      # runs between two looks at what arrived
LONG = 300                      # runs in which everything that is drawn has to occur
BETWEEN = ('at once', 'reload', 'rules', 'settings')
PORT_EVENTS = ('port failed', 'port refused', 'reply lost')
SETTINGS = {
    'fileinto_by': ('detail', 'header'), 'redirect_sender': ('keep', 'user', 'srs', 'null'), 'refuse_late': ('keep', 'bounce'),
    'filtered_to': ('set', 'empty'), 'quarantine_to': ('set', 'empty'),
}
# of what may be others at the next attempt, as tamis.conf has them
NAMES = {**{name: name for name in CHANGES}, 'late': 'refuse_late', 'filtered': 'filtered_to', 'sited': 'site_before and site_after'}


class Run:
    """One message, until each recipient has been settled."""

    def __init__(self, number, options, bench, directory):
        self.number, self.bench = number, bench
        self.directory = pathlib.Path(directory) / str(number)
        self.directory.mkdir(parents=True)
        self.random = random.Random(f'{options.seed}/{number}/breakage')
        self.breakages = [breakage.draw(bench, self.random, options.only, breakage.dealt(options.seed, number))]
        if self.random.random() < 0.2:
            self.breakages.append(breakage.draw(bench, self.random, options.only))
        self.scenario = Scenario(options.seed, number, bench.way, self.breakages[0].wants, bench.made)
        # versions: rules that were in force one after the other; rules: those of each attempt
        self.attempts, self.versions, self.rules, self.events = [], [], [], []
        self.faults = [str(b) for b in self.breakages]

    def event(self, what, **more):
        self.events.append({'what': what, 'attempt': max(len(self.attempts) - 1, 0), **more})

    # --- the daemon

    def write_rules(self):
        s = self.scenario
        for recipient, plan in {**s.plans, **s.rules_of_others}.items():
            if not s.is_here(recipient):
                continue
            user = s.user(recipient)
            text = script(plan, self.random, f'{s.tag} {len(self.attempts)}')
            if text is None:
                self.bench.daemon.remove_rules(user)
            else:
                for part in s.rare.parts('rules', user, text):
                    self.bench.daemon.write_part(*part)
        for name, one in self.bench.site_files(s):
            text = script(one['plan'], s.draws.random, f'{s.tag} {len(self.attempts)}', one['stage'], one['only'])
            for part in s.rare.parts('site', name, text):
                self.bench.daemon.write_part(*part)

    def rules_now(self):
        now = dict(self.scenario.plans)
        if not self.versions or self.versions[-1] != now:
            self.versions.append(now)
        return now

    def note_death(self):
        died = self.bench.daemon.bury()
        if died:
            self.event(died)
            if died.startswith('killed') and self.bench.daemon.powered:
                self.event('machine down')

    def keep_up(self, **how):
        """As a supervisor: what died is started again."""
        self.note_death()
        if self.bench.daemon.process is None:
            self.bench.daemon.start(**how)

    def begin_daemon(self, fault):
        """A fault of its own wants a start of its own; rules that kill twice are set aside, and so are not those."""
        if fault.renews:
            self.write_rules()
        how = fault.start()
        self.note_death()
        if how and self.bench.daemon.is_up:
            self.bench.daemon.kill()
            self.event('started anew')
        self.keep_up(**how)

    # --- the client

    def left(self):
        """As a mail server does: who has neither a 250 nor a 5xx is tried again."""
        left = list(self.scenario.recipients)
        for a in self.attempts:
            for r, code in zip(a['recipients'], a['rcpt']):
                code = a['end'] if code and code // 100 == 2 else code
                if code and code // 100 in (2, 5):
                    left.remove(r)
        return left

    def attempt(self, fault):
        seen = {'recipients': self.left(), 'mail': None, 'rcpt': [], 'end': None, 'dot': False, 'fault': str(fault),
                'at': time.time()}
        self.begin_daemon(fault)
        self.attempts.append(seen)
        self.rules.append(self.rules_now())
        seen['version'] = len(self.versions) - 1
        if self.bench.way != 'final':
            seen['settings'] = self.scenario.settings()
        fault.begin(self)
        dialogue = []
        try:
            self.talk(seen, fault, dialogue)
        except Dropped:
            seen['gone'] = 'we went away'
        except (client.Gone, OSError) as why:
            seen['gone'] = repr(why)
        seen['rcpt'] += [None] * (len(seen['recipients']) - len(seen['rcpt']))
        seen['dialogue'] = [[round(t, 4), who, line.decode('utf-8', 'replace')] for t, who, line in dialogue]
        self.wait_for_queue(fault)
        fault.end(self)

    def wait_for_queue(self, fault, seconds=2):
        """Behind the queue the fault befalls what the mail server does when the client has its answer."""
        until = time.monotonic() + seconds
        while self.bench.way == 'final' and time.monotonic() < until and not fault.happened() and self.bench.mta.queue():
            time.sleep(0.02)

    def talk(self, seen, fault, dialogue):
        peer = client.Client(self.bench.mta.port, timeout=120)
        peer.dialogue, peer.dialogue[:] = dialogue, peer.dialogue
        try:
            if self.scenario.rare.login:
                self.bench.log_in(peer, self.scenario.rare.login)
            fault.at('connected', self)
            seen['mail'] = peer.command(f'MAIL FROM:<{self.scenario.sender}> {self.scenario.parameters}'.rstrip()).code
            fault.at('mail', self)
            if seen['mail'] != 250:
                return
            for recipient in seen['recipients']:
                wish = self.scenario.wishes.get(recipient, '')
                seen['rcpt'].append(peer.command(f'RCPT TO:<{recipient}> {wish}'.rstrip()).code)
                if len(seen['rcpt']) == 1:
                    fault.at('rcpt', self)
            if 250 not in seen['rcpt']:
                return
            seen['end'] = self.content(peer, seen, fault)
            fault.at('answered', self)
            with contextlib.suppress(client.Gone, OSError):
                peer.command('QUIT')
        finally:
            peer.close()

    def content(self, peer, seen, fault):
        """The code that ends the message."""
        data = peer.command('DATA')
        fault.at('data', self)
        if data.code != 354:
            return data.code
        content = client.stuff(self.scenario.message)
        half = len(content) // 2
        peer.socket.sendall(content[:half])
        fault.at('half', self)
        seen['dot'] = True
        peer.socket.sendall(content[half:])
        peer.note('C', b'[%d bytes] .' % len(self.scenario.message))
        if self.random.random() < 0.5:
            time.sleep(0.005)
        fault.at('dot', self)
        return peer.reply().code

    # --- the whole

    def play(self):
        self.bench.configure(self.scenario)
        if self.bench.daemon.is_up:
            self.bench.daemon.kill()
        self.bench.daemon.bury()
        self.write_rules()
        self.attempt(self.breakages[0])
        while self.left() and len(self.attempts) < ATTEMPTS_MOST:
            self.between(self.left())
            later = self.breakages[len(self.attempts)] if len(self.attempts) < len(self.breakages) else None
            self.attempt(later or breakage.Breakage(self.bench, self.random))
        if self.bench.way == 'final':
            self.empty_queue()
        self.note_death()

    def empty_queue(self):
        """What the client was told 250 for waits there: under other rules, and something may break once more."""
        if self.bench.mta.queue():
            self.between(self.scenario.recipients, ' in the queue')
        later = self.breakages[len(self.attempts):]
        if later and later[0].name in breakage.QUEUED and self.bench.mta.queue():
            self.begin_daemon(later[0])
            later[0].begin(self)
            self.bench.mta.flush()
            self.wait_for_queue(later[0])
            later[0].end(self)
        self.bench.wait_empty(self.keep_up)
        self.keep_up()

    def between(self, left, where=''):
        """At once; after a reload; after a change of rules, or of the configuration."""
        what = self.random.choice([*BETWEEN, 'rules', 'settings'])
        # what the client has left goes on, during the next attempts as well, and meets itself by the filtered port
        if what == 'settings' and (self.bench.way == 'final' or any(a['dot'] and a['end'] is None for a in self.attempts)):
            what = 'rules'
        if len(self.attempts) > 1:
            time.sleep(0.02 * 2 ** (len(self.attempts) - 1))
        if what == 'rules' and not self.scenario.may_change:
            what = 'at once'
        if what == 'rules':
            self.scenario.change(left)
            self.write_rules()
            self.rules_now()
        self.keep_up()
        if what == 'reload':
            self.bench.daemon.hang_up()
        self.event(f'between attempts{where}: {what}')
        if what == 'settings':
            changed = self.scenario.change_settings()
            self.bench.configure(self.scenario)
            self.bench.daemon.reload_and_wait()
            self.event('settings changed', which=changed)

    def write(self):
        s = self.scenario
        run = {'number': self.number, 'mode': 'final' if self.bench.way == 'final' else 'edge', 'rewritten': s.rewritten,
               'forged': s.forged, 'sender_rewritten': s.sender_rewritten, 'through': self.bench.way,
               'late': s.late, 'sender': s.sender, 'recipients': s.recipients, 'faults': self.faults,
               'fileinto_by': s.fileinto_by, 'redirect_sender': s.redirect_sender, 'srs_domain': SRS,
               'filtered': s.filtered, 'authentic': s.authentic, 'others': s.rules_of_others, 'utf8': s.utf8, 'quarantine_to': s.quarantine_to,
               'site': s.draws.site, 'users': s.draws.users, 'local': DOMAIN,
               'login': s.rare.login, 'wishes': s.wishes}
        (self.directory / 'message.eml').write_bytes(s.message)
        for name, value in (('run', run), ('attempts', self.attempts), ('rules', self.rules), ('events', self.events),
                            ('versions', self.versions)):
            (self.directory / f'{name}.json').write_text(json.dumps(value, indent=1))


class Tally:
    """What happened in all of the runs."""

    def __init__(self):
        self.lock = threading.Lock()
        self.counts = collections.defaultdict(collections.Counter)
        self.failed = []

    def add(self, run, books):
        s = run.scenario
        with self.lock:
            self.counts['runs'][run.bench.way] += 1
            self.counts['recipients'][len(s.recipients)] += 1
            self.counts['attempts'][len(run.attempts)] += 1
            self.counts['arrivals']['copies'] += sum(a.way == 'copies' for a in books.evidence.arrivals)
            self.counts['arrivals']['queue'] += sum(a.way == 'queue' for a in books.evidence.arrivals)
            self.counts['arrivals']['kept, since the port refused'] += books.kept
            self.counts['points'].update(e['what'].removeprefix('killed at ') for e in run.events if e['what'].startswith('killed'))
            self.counts['port'].update(e['step'] for e in run.events if e['what'] in PORT_EVENTS)
            self.counts['events'].update(e['what'] for e in run.events if not e['what'].startswith(('killed', 'between')))
            self.counts['disk'].update(e['how'] for e in run.events if e['what'] == 'disk full')
            self.counts['between'].update(e['what'] for e in run.events if e['what'].startswith('between'))
            self.counts['settings'].update([
                f'fileinto_by {s.fileinto_by}', f'redirect_sender {s.redirect_sender}', f'refuse_late {s.late}',
                f'filtered_to {"set" if s.filtered else "empty"}', f'quarantine_to {"set" if s.quarantine_to else "empty"}'])
            self.counts['changed'].update(NAMES[which] for e in run.events for which in e.get('which', ()))
            if s.sender_rewritten and s.late == 'bounce' and books.kinds['refused and kept']:
                self.counts['from a rewritten sender'].update(['refused late, where others are told'])
            if s.rewritten or s.forged:
                kind = 'forged' if s.forged else 'with rules here' if s.is_here(*s.rewritten) else 'outside'
                self.counts['to a rewritten sender'].update([kind, 'with a sender' if s.sender else 'a bounce'])
            self.counts['mail'].update([f'sender {"there" if s.sender else "null"}', 'SMTPUTF8' if s.utf8 else 'ASCII',
                                         'reports asked for' if s.wishes else 'as they are made'])
            self.counts['mail'].update({wish for wish in s.wishes.values() if wish == 'NOTIFY=NEVER'})
            for name, kinds in s.draws.drawn.items():
                self.counts[name].update(kinds)
            self.counts['rare'].update(s.rare.drawn)
            self.counts['logins'].update([run.bench.way] * ('a login' in s.rare.drawn))
            self.counts['doubled'].update(books.doubled)
            self.counts['came'].update(books.kinds)

    def never(self, ways):
        """What has to occur in a long campaign, and did not."""
        due = {
            'points': breakage.POINTS, 'port': breakage.PORT_STEPS, 'came': accountant.KINDS + accountant.DECIDED, 'runs': ways,
            'events': ('disk full', 'socket gone', 'mail server restarted', 'reloaded', 'told to stop', 'client gone',
                       'machine down', *PORT_EVENTS),
            'disk': ('limit', 'small') if benches.can_mount() else ('limit',),
            'between': [f'between attempts: {what}' for what in BETWEEN] + ['between attempts in the queue: rules'] * ('final' in ways),
            'settings': [f'{name} {value}' for name, values in SETTINGS.items() for value in values],
            'changed': NAMES.values(), 'users map': draws.MAP, 'combined': draws.COMBINED,
            'rare': rare.DUE, 'logins': [way for way in ways if way in rare.WITH_LOGINS],
            'site scripts': (*draws.HANDS_ON, *draws.ENDS, *draws.PLACES.values()),
            'from a rewritten sender': ('refused late, where others are told',),
            'to a rewritten sender': ('forged', 'with rules here', 'outside', 'with a sender', 'a bounce'),
            'mail': ('sender there', 'sender null', 'SMTPUTF8', 'ASCII', 'reports asked for', 'NOTIFY=NEVER'),
            'doubled': ('killed at copy-taken', 'reply lost', 'the client did not read the answer'),
        }
        return [f'{name}: {what}' for name, whats in due.items() for what in whats if not self.counts[name][what]]

    def show(self):
        for name, counts in self.counts.items():
            print(f'{name}: ' + (', '.join(f'{what} {round(n, 1)}' for what, n in sorted(counts.items(), key=str) if n) or 'none'))


class Campaign:
    def __init__(self, options, directory):
        self.options, self.directory = options, pathlib.Path(directory)
        self.tally = Tally()
        self.power = benches.make_power(self.directory)

    def way_of(self, number):
        """A third through Sendmail; a tenth behind the queue."""
        if self.options.through:
            return self.options.through
        number %= 30
        way = 'sendmail' if number % 3 == 2 else 'final' if number % 10 == 3 else 'postfix'
        return way if not benches.missing(way) else 'postfix'

    def numbers(self):
        if self.options.run:
            return self.options.run
        return range(1, self.options.runs + 1)

    def go(self):
        ways = collections.defaultdict(list)
        for number in self.numbers():
            ways[self.way_of(number)].append(number)
        # the two mail servers at the same time: each waits for itself a lot
        postfixes = [way for way in ways if way != 'sendmail']
        groups = [g for g in (postfixes, [way for way in ways if way == 'sendmail']) if g]
        threads = [threading.Thread(target=self.guarded, args=([(way, ways[way]) for way in group],)) for group in groups]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def guarded(self, work):
        try:
            for way, numbers in work:
                self.through(way, numbers)
        except Exception as why:
            self.tally.failed.append(repr(why))
            raise

    def through(self, way, numbers):
        home = self.directory / way
        home.mkdir()
        home.chmod(0o755)
        bench = benches.Bench(way, home, self.power)
        try:
            for at in range(0, len(numbers), BATCH):
                self.batch(bench, [Run(n, self.options, bench, self.directory / 'runs') for n in numbers[at:at + BATCH]])
        finally:
            bench.close()

    def batch(self, bench, runs):
        for run in runs:
            if self.options.verbose:
                print(f'run {run.number}, {bench.way}: {"; then ".join(run.faults)}', flush=True)
            begun = time.monotonic()
            run.play()
            run.write()
            self.tally.counts['seconds'][run.breakages[0].name] += round(time.monotonic() - begun, 2)
        runs[-1].keep_up()
        bench.wait_empty(runs[-1].keep_up)
        stray = bench.collect({run.number: run for run in runs})
        for what in stray:
            self.tally.failed.append(f'nobody sent what came to {what}')
        for run in runs:
            self.judge(run)

    def judge(self, run):
        books = accountant.audit(run.directory)
        self.tally.add(run, books)
        if books.failures:
            shutil.copytree(run.directory, self.kept(run), dirs_exist_ok=True)
            (self.kept(run) / 'tamis-milter.log').write_text(run.bench.daemon.log())
            (self.kept(run) / 'mail.log').write_text(run.bench.mta.log())
            text = f'run {run.number} through {run.bench.way}, {"; then ".join(run.faults)}\n'
            text += ''.join(f'    {failure}\n' for failure in books.failures)
            text += f'    evidence: {self.kept(run)}\n    again: tests/faults/campaign.py {self.again(run)}'
            print(text, flush=True)
            self.tally.failed.append(text)
        elif self.options.run:
            shutil.copytree(run.directory, self.kept(run), dirs_exist_ok=True)
            print(f'evidence: {self.kept(run)}')
        shutil.rmtree(run.directory)

    def kept(self, run):
        return pathlib.Path(self.options.keep) / f'{self.options.seed}-{run.number}'

    def again(self, run):
        only = f' --only {self.options.only}' if self.options.only else ''
        return f'--seed {self.options.seed} --run {run.number} --through {run.bench.way}{only}'


def arguments(words=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--runs', type=int, default=100, metavar='N')
    parser.add_argument('--run', type=int, action='append', metavar='N', help='that one of the campaign alone')
    parser.add_argument('--seed', default='1')
    parser.add_argument('--only', metavar='FAULT', help=f'{", ".join(breakage.KINDS)}, or such as kill:journal, port:dot')
    parser.add_argument('--through', choices=benches.WAYS)
    parser.add_argument('--keep', default=os.path.join(os.environ.get('TMPDIR', '/tmp'), 'tamis-faults'),
                        help='where the evidence of failed runs goes (%(default)s)')
    parser.add_argument('--verbose', action='store_true')
    options = parser.parse_args(words)
    if options.only and options.only.partition(':')[0] not in breakage.KINDS:
        parser.error(f'--only: there is no fault "{options.only}"')
    return options


def campaign(options):
    """The tally of it."""
    with place.directory('faults') as directory:
        c = Campaign(options, directory)
        c.go()
    return c.tally


def main():
    options = arguments()
    why = benches.missing(options.through or 'postfix')
    if why:
        sys.exit(f'campaign.py: {why}')
    begun = time.monotonic()
    tally = campaign(options)
    tally.show()
    whole = not (options.only or options.run or options.through)
    if whole and sum(tally.counts['runs'].values()) >= LONG:
        never = tally.never([way for way in benches.WAYS if not benches.missing(way)])
        print(''.join(f'never occurred: {what}\n' for what in never), end='')
        tally.failed += never
    print(f'{sum(tally.counts["runs"].values())} runs in {time.monotonic() - begun:.0f} s, {len(tally.failed)} failed')
    return 1 if tally.failed else 0


if __name__ == '__main__':
    sys.exit(main())
