#!/usr/bin/env python3
# accountant.py - decides from what was seen whether a run lost, doubled, altered or misled mail
# SPDX-License-Identifier: BSD-2-Clause
"""accountant.py DIRECTORY...: the evidence of one run in each; README.md says what lies there.

The accountant knows the manual, not the programs: it shares no code with the daemon, nor with whoever plays the
client.  It asks: what was the sender told, what did the rules say then, what arrived?"""
import collections
import itertools
import json
import pathlib
import re
import sys

from expected import Resolved, Resolver, Unit, difference, fields_of, report_difference
from sequence import TAKES, listed, moved, together, whose

# events at which tamis-milter(8) says that a copy may be doubled
ENDS = ('started anew', 'socket gone')
FULL = 'ended behind a full disk'       # what it could not write it knew until then
CAUSES = ('killed at copy-taken', 'reply lost', FULL)
# the filtered port's answer is lost as well when the daemon dies of, or its server ends with, the session behind that port
FILTERED_CAUSES = ('killed at abort', 'killed at close', 'mail server restarted')
# of what came, what is counted
KINDS = ('report', 'refused and kept', 'put in quarantine', 'through the filtered port', 'filed by header', 'filed by detail',
         'with another sender', 'with a mark of what would be done', 'back to a rewritten sender', 'with flags',
         'edited by the site', 'sent on by the site', 'to another name of a user', 'to a name of several',
         'a report, since the sender had logged in', 'refused and kept, of which nobody wants to hear')
# and of what was decided
DECIDED = ('refused late, behind a delivery', 'refused at RCPT TO behind a script of the site', 'discarded behind a copy',
           'kept, since postmaster and abuse have to be reachable')
FILING = re.compile(rb'^(Tamis-File-[0-9a-z]+):', re.M)


def effective(what, names):
    """Plans without the deletions of fields that the message does not have: they make no other message of it."""
    if isinstance(what, dict):
        return {key: effective(value, names) for key, value in what.items()}
    if isinstance(what, list):
        return [effective(one, names) for one in what
                if not (isinstance(one, dict) and set(one) == {'delete'} and one['delete'] not in names)]
    return what


class Evidence:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.message = (self.directory / 'message.eml').read_bytes()
        names = {field.partition(b':')[0].decode() for field in fields_of(self.message)[0]}
        for name in ('run', 'attempts', 'rules', 'events'):
            setattr(self, name, effective(self._read(name), names))
        # without a file of them each attempt had its own
        self.versions = effective(self._read('versions'), names) if (self.directory / 'versions.json').exists() else self.rules
        for number, attempt in enumerate(self.attempts):
            attempt.setdefault('version', number)
        self.arrivals = self._arrivals('copies') + self._arrivals('queue')

    def _read(self, name):
        return json.loads((self.directory / f'{name}.json').read_text('utf-8'))

    def _arrivals(self, way):
        """One for each recipient of each transaction that a server took."""
        found = []
        for path in sorted((self.directory / way).glob('*.json')):
            envelope = json.loads(path.read_text('utf-8'))
            content = path.with_suffix('.eml').read_bytes()
            for address, _parameters in envelope['recipients']:
                found.append(Arrival(way, address, envelope['sender'], content, f'{way}/{path.stem}'))
        return found


class Arrival:
    def __init__(self, way, address, sender, content, name):
        self.way, self.address, self.sender, self.content, self.name = way, address, sender, content, name

    def __str__(self):
        return f'{self.name} to {self.address}'


# --- the books

class Attempt:
    """What the client was told, and what the rules were."""

    def __init__(self, number, seen, plans, run):
        self.number = number
        self.run = {**run, 'split': run['mode'] == 'final', **seen.get('settings', {})}
        self.recipients = seen['recipients']
        self.mail, self.end = seen['mail'], seen['end']
        self.rcpt = dict(zip(self.recipients, seen['rcpt']))
        self.dot = seen['dot']          # was the message sent to its end?
        self.plans = plans
        self.taken = [r for r, code in self.rcpt.items() if code and code // 100 == 2]
        self.refused = [r for r, code in self.rcpt.items() if code and code // 100 == 5]
        self.resolved = Resolved()

    def resolve(self, events):
        resolver = Resolver(self.run, self.plans)
        self.plans = {r: together(self.run, r, plan) for r, plan in self.plans.items()}
        self.resolved = resolver.resolve({r: self.plans[r] for r in self.taken}, self.refused)
        if self.resolved.sends or self.run['mode'] == 'final':
            resolver.add_late(self.resolved)
        resolver.add_quarantine(self.resolved, self.number != 0)
        # behind the queue what is refused is not of the attempt that is under way; and one that the client has left goes on
        goes_on = self.run['split'] or self.dot and self.end is None
        self.port_refused = sum(1 for e in events if e['what'] == 'port refused' and (e['attempt'] == self.number or goes_on))
        self.stays = set()
        if self.port_refused:
            self.stays = {Unit(*keeper, stay=True) for keeper in self.resolved.keepers}

    def all(self):
        """What may have come: units, and what stayed in their place."""
        return self.resolved.units | self.resolved.maybe | self.stays

    @property
    def may_be_accepted(self):
        return self.dot and bool(self.taken) and (self.end is None or self.end // 100 == 2)

    def may_refuse(self, recipient):
        """At RCPT TO, what his plan is, and is in force."""
        in_force = self.run['mode'] != 'final' and self.run.get('effect', 'full') in ('refuse', 'full')
        return in_force and any(d['do'] == 'refuse early' for d in self.plans[recipient])

    def settles(self, recipient):
        """The code that ends it for him, or None: to be tried again."""
        code = self.rcpt.get(recipient)
        if code and code // 100 == 2:
            code = self.end
        return code if code and code // 100 in (2, 5) else None


def key_of(unit):
    """Where it goes: the inbox with flags is no other place than without."""
    return unit._replace(label=None, group='', address=unit.slot or unit.address,
                         folder='' if unit.folder == 'INBOX' else unit.folder)


def leaves_once(unit):
    """What the same mail that came round to one twice sends out once, whatever those by whom it came had edited; None: it did
    not come round, or he keeps it, which he does each time."""
    label = unit.label
    edited = len(label.top) > label.hops or label.last or label.gone
    if not unit.via or unit.address == unit.via[-1] and label.hops == 1 and not edited:
        return None
    return unit.group or (unit.address, (label.kind, label.hops, unit.folder)), unit.via[-1]


class Books:
    """chosen: {(attempt, recipient): version of the rules under which his message came to its end}, where that is not the
    one of the client's attempt: behind the queue."""

    def __init__(self, evidence, chosen=None):
        self.evidence = evidence
        self.run = evidence.run
        self.failures = []
        self.doubled, self.kept, self.kinds = collections.Counter(), 0, collections.Counter()
        self.paid = self.payments()
        self.bundles = []       # (via, claims): all that came of one copy through the filtered port, and was paid for
        self.attempts = [Attempt(n, seen, plans, self.run)
                         for n, (seen, plans) in enumerate(zip(evidence.attempts, evidence.rules))]
        self.ghosts = []
        if chosen:
            self.choose(chosen)
        for attempt in self.attempts + self.ghosts:
            attempt.resolve(evidence.events)

    def choose(self, chosen):
        """Under the others a copy may have left in an attempt of the mail server's that came to nothing."""
        versions = self.evidence.versions
        for attempt, seen in zip(self.attempts, self.evidence.attempts):
            attempt.plans = {r: versions[max(chosen[attempt.number, r], seen['version'])][r] for r in self.run['recipients']}
        for number, plans in enumerate(versions):
            nothing = {'recipients': self.run['recipients'], 'mail': 250, 'rcpt': [250] * len(plans), 'end': 451,
                       'dot': True}
            self.ghosts.append(Attempt(f'with rules {number}', nothing, plans, self.run))

    def fail(self, what, why):
        self.failures.append(f'{what}: {why}')

    def balance(self):
        self.check_told()
        self.check_settled()
        events = [event['what'] for event in self.evidence.events]
        for what in events:
            if what.startswith('died'):
                self.fail('died', f'the daemon {what}')
        if events.count('stopped') > events.count('told to stop'):
            self.fail('died', 'the daemon stopped, and nobody told it to')
        self.check_arrivals()
        self.check_filing()
        self.count_decided()
        return self

    # what the sender was told

    def check_told(self):
        for a in self.attempts:
            if a.mail and a.mail // 100 == 5:
                self.fail('refused without a rule', f'attempt {a.number}: MAIL was answered {a.mail}')
            for r in a.refused:
                if not a.may_refuse(r):
                    self.fail('refused without a rule', f'attempt {a.number}: RCPT {r} was answered {a.rcpt[r]}')
            for r in a.taken:
                if a.may_refuse(r):
                    self.fail('not refused', f'attempt {a.number}: RCPT {r} was answered {a.rcpt[r]}')
            if a.end and a.end // 100 == 5 and (a.resolved.sends or not a.resolved.refusals or
                                                  a.run['mode'] == 'final'):
                self.fail('refused without a rule', f'attempt {a.number}: the message was answered {a.end}')
            if (a.end and a.end // 100 == 2 and a.resolved.refusals and not a.resolved.sends and
                    a.run['mode'] != 'final'):
                self.fail('not refused', f'attempt {a.number}: the message was answered {a.end}')

    def count_decided(self):
        """What scripts in sequence came to, where it was in force to the end."""
        for a in self.attempts:
            if a.run.get('effect', 'full') != 'full':
                continue
            for r in a.recipients:
                dos = {d['do'] for d in a.plans[r]}
                takes = dos & set(TAKES)
                self.kinds[DECIDED[0]] += bool(takes and dos & {'refuse late'} and (a.settles(r) or 0) // 100 == 2)
                self.kinds[DECIDED[1]] += bool('refuse early' in dos and a.run.get('site') and r in a.refused)
                self.kinds[DECIDED[2]] += bool(takes and 'self' not in dos and 'discard' in dos and a.may_be_accepted)
                self.kinds[DECIDED[3]] += any(d.get('reachable') for d in a.plans[r]) and a.may_be_accepted

    def check_settled(self):
        for r in self.run['recipients']:
            ends = [a.number for a in self.attempts if a.settles(r)]
            tried = [a.number for a in self.attempts if r in a.recipients]
            if not ends:
                self.fail('never settled', f'{r} after {len(self.attempts)} attempts')
            elif tried[-1] != ends[0]:
                self.fail('bad evidence', f'{r} was settled in attempt {ends[0]} and tried again in {tried[-1]}')

    # what arrived

    def why_not(self, arrival, unit):
        """Why the arrival is not that unit; None: it may be."""
        if arrival.address != unit.address:
            return 'another address'
        if unit.label.kind == 'report':
            return 'a report with a sender' if arrival.sender else report_difference(arrival.content, unit.label)
        sender = re.escape(self.run['sender']) if unit.label.sender is None else unit.label.sender
        if not re.fullmatch(sender, arrival.sender):
            return f'sender {arrival.sender!r}'
        return difference(arrival.content, self.evidence.message, unit.label)

    def origins(self, arrival):
        """The attempts and units that may have caused it.  The queue has what was accepted; a copy has left
        before that, perhaps in an attempt that came to nothing."""
        found, near = [], set()
        for a in self.attempts + self.ghosts:
            for unit in a.all():
                why = self.why_not(arrival, unit)
                if why:
                    near.add(why)
                elif a.dot if unit.via else a.may_be_accepted if arrival.way == 'queue' else a.dot and not unit.stay:
                    found.append((a, unit))
                else:
                    near.add(f'attempt {a.number} was not accepted')
        if not found:
            wrong = [why for why in sorted(near) if why != 'another address']
            early = [why for why in wrong if why.startswith('attempt ')]
            self.fail('misdelivered' if early or not wrong else 'altered', f'{arrival}: ' + '; '.join(early or wrong))
        return found

    def count(self, arrival, attempt, unit):
        """What kinds of things came."""
        label = unit.label
        words = {
            'report': label.kind == 'report', 'refused and kept': any('Refused' in line for line in label.top),
            'put in quarantine': bool(unit.group), 'through the filtered port': bool(unit.via),
            'filed by header': bool(unit.folder), 'with another sender': label.kind != 'report' and label.sender is not None,
            'filed by detail': '+' in arrival.address and attempt.run.get('fileinto_by', 'detail') == 'detail',
            'with a mark of what would be done': any('Would' in line for line in label.top),
            'back to a rewritten sender': arrival.address == moved(self.run, unit.owner) != unit.owner,
            'with flags': any('Tamis-File' in line and '[\\]' not in line for line in label.top),
            'edited by the site': any('X\\-Site' in line for line in label.top + label.last) or bool(label.gone),
            'sent on by the site': 'archive@' in arrival.address,
            'to another name of a user': len(listed(self.run, arrival.address) or ()) == 1,
            'a report, since the sender had logged in': label.kind == 'report' and not self.run.get('authentic', True),
            'refused and kept, of which nobody wants to hear': any('Refused' in line for line in label.top) and
            self.would_hear(attempt, unit),
            'to a name of several': len(listed(self.run, arrival.address) or ()) > 1,
        }
        self.kinds.update(word for word in KINDS if words[word])

    def would_hear(self, attempt, unit):
        """Would the sender have a report instead, but for what he wants to hear?"""
        asked = self.run.get('wishes', {}).get(unit.owner, '')
        return 'NEVER' in asked and Resolver({**attempt.run, 'wishes': {}}, {}).told(unit.label, unit.owner, None)

    def check_filing(self):
        """The name of the field is a secret of one user."""
        names = collections.defaultdict(set)
        for arrival in self.evidence.arrivals:
            for name in FILING.findall(arrival.content):
                names[name].add(whose(self.run, arrival.address))
        users = [user for users in names.values() for user in users]
        if any(len(users) > 1 for users in names.values()) or len(set(users)) < len(users):
            self.fail('misfiled', f'fields {dict(names)!r}')

    def claims(self):
        """{unit without its label: claim}.  Those who send the same to the same address in each attempt are one."""
        histories = collections.defaultdict(set)
        for a in self.attempts + self.ghosts:
            for unit in a.all():
                histories[key_of(unit)].add((a.number, unit.label))
        if self.run['mode'] == 'final':
            return {key: key for key in histories}
        # what came round leaves each time in a message of its own where nobody else has one, or with a sender of each
        own = any(a.run['mode'] == 'final' or a.run.get('redirect_sender') == 'user' for a in self.attempts)
        return {key: key if key.via and own else (*key[1:], frozenset(history)) for key, history in histories.items()}

    def check_arrivals(self):
        """Every arrival takes a claim of its own, those first whose mail was accepted; what finds none was doubled."""
        claims = self.claims()
        self.wanted = []        # (arrival, its claims)
        for arrival in self.evidence.arrivals:
            origins = self.origins(arrival)
            if origins:
                self.count(arrival, *origins[0])
                self.wanted.append((arrival, {claims[key_of(u)] for _a, u in origins}))
        taker = Matching([names for _arrival, names in self.wanted])
        for attempt in self.attempts:
            for group in self.promised(attempt):
                if not any(taker.claim(claims[key_of(u)]) for u in group):
                    self.miss(attempt, group[0])
        for arrival, names in [self.wanted[at] for at in taker.left()]:
            self.excuse(arrival, names)

    def came_otherwise(self, attempt, unit):
        """A redirect that went by the filtered port, or past it, under other settings is not sent again: what rules made of it
        behind that port stays so."""
        to = (unit.via or (unit.address,))[0]
        for other in self.attempts[:attempt.number]:
            if not other.dot or other.run == attempt.run:
                continue
            units = {u for u in other.all() if u.owner == unit.owner and (u.via or (u.address,))[0] == to and (u.via or unit.via)}
            keys = {key_of(u) for u in units}
            came = any(a is other and key_of(u) in keys for arrival, _names in self.wanted for a, u in self.origins(arrival))
            if came or not units and other.run.get('filtered') and self.sends_round(other, unit.owner, to):
                return True
        return False

    def came_round(self, attempt, unit):
        """The same mail came round to him by an attempt before, and left him then, as it had been edited then."""
        once = leaves_once(unit)
        return once and any(a.number < attempt.number and leaves_once(u) == once
                            for arrival, _names in self.wanted for a, u in self.origins(arrival))

    def went_back(self, attempt, unit):
        """To somebody on its way the same mail came by another way as well, and left him once: by the way that went back from
        him to where it had been, where that ends, or by the one that went on."""
        came = [u for arrival, _names in self.wanted for _a, u in self.origins(arrival)]
        for i in range(1, len(unit.via)):
            step, way = unit.via[i - 1:i + 1], (unit.owner, *unit.via[:i - 1])
            others = {(u.owner, *u.via[:i - 1]) for u in came if u.via[i - 1:i + 1] == step}
            if any((step[1] in other) != (step[1] in way) for other in others):
                return True
        return False

    def came_for_several(self, attempt, unit):
        """One copy left for several in an attempt before: it is remembered for each of them, though each would have one of his
        own now, as with another sender."""
        for other in self.attempts[:attempt.number]:
            shared = {(u.address, u.label) for u in other.all() if u.owner == unit.owner and u.address == unit.address}
            if other.dot and any(a is other and (u.address, u.label) in shared and u.owner != unit.owner
                                 for arrival, _names in self.wanted if arrival.way == 'copies' for a, u in self.origins(arrival)):
                return True
        return False

    def sends_round(self, attempt, owner, to):
        """Where nothing has to come of it."""
        return any(d['do'] == 'redirect' and d['to'] == to for d in attempt.plans[owner]) and to in self.run.get('others', {})

    def miss(self, attempt, unit):
        """It did not come.  When the port refuses a copy for good, its recipient keeps the message as it was, or has it in
        quarantine, if the copy was for somebody else."""
        if any(excuse(attempt, unit) for excuse in (self.came_otherwise, self.came_round, self.went_back, self.came_for_several)):
            return
        keepers = {address for owner, address, _label, _via in attempt.resolved.keepers if owner == unit.owner}
        if whose(self.run, unit.address) != whose(self.run, unit.owner):
            keepers |= {u.address for u in attempt.resolved.units if u.owner == unit.owner and u.group}
        if attempt.port_refused and any(arrival.address in keepers for arrival, _names in self.wanted):
            attempt.port_refused -= 1
            self.kept += 1
        else:
            self.fail('lost', f'{unit.owner}: nothing came to {unit.address} ({" ".join(map(str, unit.label))})')

    def promised(self, attempt):
        """What had to come since the client was told so; units of equal content for one address go out once."""
        groups = collections.defaultdict(list)
        for unit in sorted(attempt.resolved.units, key=str):
            if (attempt.settles(unit.owner) or 0) // 100 == 2:
                alone = unit.owner if self.run['mode'] == 'final' else ''
                groups[leaves_once(unit) or (unit.group or (unit.address, unit.label), alone)].append(unit)
        return groups.values()

    def excuse(self, arrival, names):
        """Duplicates are documented at three points; each of them was seen to happen, and pays for one copy, or for
        one more time of what the queue took."""
        twins = [other for other, others in self.wanted if others & names]
        queued = sum(1 for other in twins if other.way == 'queue')
        taken = [a for a in self.attempts if a.may_be_accepted and
                 any(u.address == arrival.address for u in a.resolved.units)]
        claims = self.claims()
        often = sum(len({claims[key_of(u)] for u in a.all()} & names) for a in taken)
        via = next((u.via for a in self.attempts for u in a.all() if u.via and claims[key_of(u)] in names), None)
        if 0 < queued <= often and any(a.end is None for a in taken):
            self.doubled['the client did not read the answer'] += 1
        elif not (self.pay_again(names, via) if via else any(other.way == 'copies' for other in twins) and self.pay(CAUSES)):
            self.fail('doubled without cause', str(arrival))

    def payments(self):
        """How many copies each kind of event may have doubled: one; behind the queue recipients come at the same time,
        and a death wherever it is finds the copies of others between the port's answer and the journal."""
        paid, others = collections.Counter(), 0
        if self.run['mode'] == 'final':
            others = len(self.run['recipients']) - 1 + self.run.get('filtered', False)
        full = False
        for what in [event['what'] for event in self.evidence.events]:
            full |= what == 'disk full'
            paid[what] += what in CAUSES + FILTERED_CAUSES * self.run.get('filtered', False)
            paid[what] += others if what.startswith('killed at') else 0
            if full and (what.startswith('killed at') or what in ENDS):
                paid[FULL] += 1 + others
        return paid

    def pay(self, causes):
        causes = list(self.paid) if self.run['mode'] == 'final' else causes
        cause = next((cause for cause in sorted(causes) if self.paid[cause]), None)
        if cause:
            self.paid[cause] -= 1
            self.doubled[cause] += 1
        return cause

    def pay_again(self, names, via):
        """What came of one copy that was doubled is paid for once."""
        for bundle, seen in self.bundles:
            if bundle == via[:1] and not seen & names:
                seen |= names
                return True
        paid = self.pay(CAUSES + FILTERED_CAUSES)
        if paid:
            self.bundles.append((via[:1], set(names)))
        return paid


class Matching:
    """Arrivals and claims in pairs, as many as can be; what is claimed once stays claimed."""

    def __init__(self, names):
        self.names, self.claimed, self.of = names, {}, {}

    def claim(self, claim, tried=None):
        """An arrival for that claim, if need be by giving others other ones."""
        tried = tried if tried is not None else set()
        if claim in self.claimed:
            return True
        for at in [at for at, names in enumerate(self.names) if claim in names]:
            if at not in tried:
                tried.add(at)
                before = self.of.get(at)
                if before is None or self.move(before, tried):
                    self.claimed[claim], self.of[at] = at, claim
                    return True
        return False

    def move(self, claim, tried):
        """Another arrival for a claim that has one."""
        at = self.claimed.pop(claim)
        if self.claim(claim, tried):
            return True
        self.claimed[claim] = at
        return False

    def left(self):
        """Arrivals for which there is no claim."""
        for claim in {claim for names in self.names for claim in names}:
            self.claim(claim)
        return [at for at in range(len(self.names)) if at not in self.of]


def audit(directory):
    """Behind the queue rules may change while a message waits: it has to be right for one version for each recipient of
    each message."""
    evidence = Evidence(directory)
    if evidence.run['mode'] != 'final' or len(evidence.versions) < 2:
        return Books(evidence).balance()
    attempts = [n for n, a in enumerate(evidence.attempts) if a['dot'] and (a['end'] or 250) // 100 == 2]
    chosen = {(n, r): 0 for n in range(len(evidence.attempts)) for r in evidence.run['recipients']}
    best, size = Books(evidence, chosen).balance(), 1
    # recipients have little to do with one another: one after the other, until nothing is better any more, then two of them,
    # where what one sends on is what another did before
    while best.failures and size <= 2:
        before = len(best.failures)
        for group in itertools.combinations(evidence.run['recipients'], size):
            best, chosen = better(evidence, best, chosen, [(a, r) for a in attempts for r in group])
        size = 1 if len(best.failures) < before else size + 1
    return best


def better(evidence, best, chosen, places):
    """The best of all versions in these places."""
    for versions in itertools.product(range(len(evidence.versions)), repeat=len(places)):
        if not best.failures:
            break
        choice = {**chosen, **dict(zip(places, versions))}
        books = Books(evidence, choice).balance()
        if len(books.failures) < len(best.failures):
            best, chosen = books, choice
    return best, chosen


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__.split(':')[0])
    failed = 0
    for name in sys.argv[1:]:
        books = audit(name)
        failed += bool(books.failures)
        doubled = ''.join(f', doubled {n} ({why})' for why, n in books.doubled.items())
        print(f'{"FAILURE" if books.failures else "ok"} {name}: {len(books.attempts)} attempts, '
              f'{len(books.evidence.arrivals)} arrivals{doubled}')
        for failure in books.failures:
            print(f'    {failure}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
