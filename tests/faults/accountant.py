#!/usr/bin/env python3
# accountant.py - decides from what was seen whether a run lost, doubled, altered or misled mail
# SPDX-License-Identifier: BSD-2-Clause
"""accountant.py DIRECTORY...: the evidence of one run in each; README.md says what lies there.

The accountant knows the manual, not the programs: it shares no code with the daemon, nor with whoever plays the
client.  It asks: what was the sender told, what did the rules say then, what arrived?"""
import collections
import json
import pathlib
import sys

TRACE_MOST = 4                  # Received fields that servers on the way add
# events at which tamis-milter(8) says that a copy may be doubled
CAUSES = ('killed at copy-taken', 'reply lost', 'disk full')


class Evidence:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        for name in ('run', 'attempts', 'rules', 'events'):
            setattr(self, name, json.loads((self.directory / f'{name}.json').read_text('utf-8')))
        self.message = (self.directory / 'message.eml').read_bytes()
        self.arrivals = self._arrivals('copies') + self._arrivals('queue')

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


# A unit is one delivery that a plan asks for: whose plan, where to, what was added to the message.
Unit = collections.namedtuple('Unit', 'owner address label stay', defaults=[False])
AS_SENT = ('as sent',)
ASIDE = 'quarantine@example.test'       # quarantine_to


def label_of(destination):
    edit = destination.get('edit')
    return ('edit', edit['name'], edit['value'], edit.get('last', False)) if edit else AS_SENT


# --- contents

def fields_of(content):
    """The header as a list of fields with their folds, and the body."""
    head, _blank, body = content.partition(b'\r\n\r\n')
    fields = []
    for line in head.split(b'\r\n'):
        if line[:1] in (b' ', b'\t') and fields:
            fields[-1] += b'\r\n' + line
        else:
            fields.append(line)
    return fields, body


def expected_fields(fields, label):
    if label[0] == 'edit':
        line = f'{label[1]}: {label[2]}'.encode()
        return fields + [line] if label[3] else [line] + fields
    if label[0] == 'held':
        return [f'Tamis-Quarantine: "{label[1]}"'.encode()] + fields
    if label[0] == 'aside':
        return [f'Tamis-Quarantine: <{label[1]}> "{label[2]}"'.encode()] + fields
    if label[0] == 'late':
        return [f'Tamis-Refused: "{label[1]}"'.encode()] + fields
    return fields


def difference(content, message, label):
    """What of the content is not the message under that label; None: it is."""
    (fields, body), (sent, sent_body) = fields_of(content), fields_of(message)
    if body != sent_body:
        return f'body of {len(body)} bytes instead of {len(sent_body)}, or others'
    wanted, at, trace = expected_fields(sent, label), 0, 0
    for field in fields:
        if at < len(wanted) and field == wanted[at]:
            at += 1
        elif field.startswith(b'Received:'):
            trace += 1
        else:
            return f'field {field!r}'
    if at < len(wanted):
        return f'no field {wanted[at]!r}'
    if not 0 < trace <= TRACE_MOST:
        return f'{trace} trace fields'
    return None


def report_difference(content, label):
    """A report to the sender names whom it speaks of, and why."""
    _report, owner, reason = label
    for word in (f'Final-Recipient: rfc822;{owner}', reason):
        if word.encode() not in content.replace(b'rfc822; ', b'rfc822;'):
            return f'a report without {word!r}'
    return None


# --- plans of one attempt, and how its recipients interfere

class Resolved:
    """units: what has to arrive; refusals: {recipient: reason}; held: what may come in place of a copy in quarantine, when
    a message that was on hold is released; stays: likewise of a copy that the port refused for good."""

    def __init__(self):
        self.units, self.refusals, self.held, self.stays = set(), {}, set(), set()

    def wanted(self):
        return self.units | self.held

    def all(self):
        return self.units | self.held | self.stays


def circular(plans, refused, ignored):
    """Recipients who would leave the message to one another for ever."""
    settled = set(refused)
    while True:
        more = [r for r in plans if r not in settled and
                (not plans[r] or any(d['do'] != 'redirect' or d['to'] not in plans or d['to'] in settled or r in ignored
                                     for d in plans[r]))]
        if not more:
            return set(plans) - settled
        settled.update(more)


def resolve_together(plans, refused):
    """All recipients of one message (tamis-milter(8)): what goes to a neighbour is his own plan's affair."""
    found = Resolved()
    found.refusals = {r: d.get('reason', '') for r in plans for d in plans[r] if d['do'].startswith('refuse')}
    moving = {r: [d for d in plans[r] if d['do'] in ('self', 'redirect', 'file')] for r in plans}
    ignored = {r for r in plans for d in moving[r] if d['do'] == 'redirect' and (d['to'] == r or d['to'] in refused)}
    for r in ignored:
        moving[r] = [d for d in moving[r] if d['do'] != 'redirect' or d['to'] != r and d['to'] not in refused]
    circle = circular(moving, refused, ignored)
    for r in plans:
        for d in moving[r]:
            if d['do'] == 'self':
                found.units.add(Unit(r, r, label_of(d)))
            elif d['do'] == 'file' or d['to'] not in plans:
                found.units.add(Unit(r, d['to'], label_of(d)))
        for d in [d for d in plans[r] if d['do'] == 'quarantine']:
            found.units.add(Unit(r, ASIDE, ('aside', r, d['reason'])))
            found.held.add(Unit(r, r, ('held', d['reason'])))
        if (r in circle or r in ignored) and not any(d['do'] == 'self' for d in moving[r]):
            found.units.add(Unit(r, r, AS_SENT))
    return found


def resolve_alone(plans):
    """Behind the queue each recipient is a message of his own; nobody can be refused."""
    found = Resolved()
    for r in plans:
        one = resolve_together({r: plans[r]}, set())
        found.units |= one.units
        found.held |= one.held
        found.refusals.update(one.refusals)
    return found


def add_late(found, run):
    for r, reason in found.refusals.items():
        if run['late'] == 'bounce':
            found.units.add(Unit(r, run['sender'], ('report', r, reason)))
        else:
            found.units.add(Unit(r, r, ('late', reason)))


# --- the books

class Attempt:
    """What the client was told, and what the rules were."""

    def __init__(self, number, seen, plans):
        self.number = number
        self.recipients = seen['recipients']
        self.mail, self.end = seen['mail'], seen['end']
        self.rcpt = dict(zip(self.recipients, seen['rcpt']))
        self.dot = seen['dot']          # was the message sent to its end?
        self.plans = plans
        self.taken = [r for r, code in self.rcpt.items() if code and code // 100 == 2]
        self.refused = [r for r, code in self.rcpt.items() if code and code // 100 == 5]
        self.resolved = Resolved()

    def resolve(self, run, events):
        plans = {r: self.plans[r] for r in self.taken}
        if run['mode'] == 'final':
            self.resolved = resolve_alone(plans)
        else:
            self.resolved = resolve_together(plans, self.refused)
        if self.resolved.units or run['mode'] == 'final':
            add_late(self.resolved, run)
        self.port_refused = sum(1 for e in events if e['what'] == 'port refused' and e['attempt'] == self.number)
        if self.port_refused:
            self.resolved.stays = {Unit(u.owner, u.owner, AS_SENT, True) for u in self.resolved.units}

    @property
    def may_be_accepted(self):
        return self.dot and bool(self.taken) and (self.end is None or self.end // 100 == 2)

    def settles(self, recipient):
        """The code that ends it for him, or None: to be tried again."""
        code = self.rcpt.get(recipient)
        if code and code // 100 == 2:
            code = self.end
        return code if code and code // 100 in (2, 5) else None


class Books:
    def __init__(self, evidence):
        self.evidence = evidence
        self.run = evidence.run
        self.failures = []
        self.doubled, self.kept = collections.Counter(), 0
        self.paid = collections.Counter(e['what'] for e in evidence.events if e['what'] in CAUSES)
        self.attempts = [Attempt(n, seen, plans)
                         for n, (seen, plans) in enumerate(zip(evidence.attempts, evidence.rules))]
        for attempt in self.attempts:
            attempt.resolve(self.run, evidence.events)

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
        return self

    # what the sender was told

    def check_told(self):
        for a in self.attempts:
            if a.mail and a.mail // 100 == 5:
                self.fail('refused without a rule', f'attempt {a.number}: MAIL was answered {a.mail}')
            for r in a.refused:
                if not any(d['do'] == 'refuse early' for d in a.plans[r]) or self.run['mode'] == 'final':
                    self.fail('refused without a rule', f'attempt {a.number}: RCPT {r} was answered {a.rcpt[r]}')
            for r in a.taken:
                if any(d['do'] == 'refuse early' for d in a.plans[r]) and self.run['mode'] != 'final':
                    self.fail('not refused', f'attempt {a.number}: RCPT {r} was answered {a.rcpt[r]}')
            if a.end and a.end // 100 == 5 and (a.resolved.units or not a.resolved.refusals):
                self.fail('refused without a rule', f'attempt {a.number}: the message was answered {a.end}')
            if a.end and a.end // 100 == 2 and a.resolved.refusals and not a.resolved.units:
                self.fail('not refused', f'attempt {a.number}: the message was answered {a.end}')

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
        if unit.label[0] == 'report':
            return 'a report with a sender' if arrival.sender else report_difference(arrival.content, unit.label)
        if arrival.sender != self.run['sender']:
            return f'sender {arrival.sender!r}'
        return difference(arrival.content, self.evidence.message, unit.label)

    def origins(self, arrival):
        """The attempts and units that may have caused it.  The queue has what was accepted; a copy has left
        before that, perhaps in an attempt that came to nothing."""
        found, near = [], set()
        for a in self.attempts:
            for unit in a.resolved.all():
                why = self.why_not(arrival, unit)
                if why:
                    near.add(why)
                elif a.may_be_accepted if arrival.way == 'queue' else a.dot and not unit.stay:
                    found.append((a, unit))
                else:
                    near.add(f'attempt {a.number} was not accepted')
        if not found:
            wrong = [why for why in sorted(near) if why != 'another address']
            early = [why for why in wrong if why.startswith('attempt ')]
            self.fail('misdelivered' if early or not wrong else 'altered', f'{arrival}: ' + '; '.join(early or wrong))
        return found

    def claims(self):
        """{(owner, address, stay): claim}.  Those who send the same to the same address in each attempt are one."""
        histories = collections.defaultdict(set)
        for a in self.attempts:
            for unit in a.resolved.all():
                histories[self.key(unit)].add((a.number, unit.label))
        if self.run['mode'] == 'final':
            return {key: key for key in histories}
        return {key: (*key[1:], frozenset(history)) for key, history in histories.items()}

    @staticmethod
    def key(unit):
        """In quarantine is in quarantine, here or there."""
        return unit.owner, ASIDE if unit.label[0] == 'held' else unit.address, unit.stay

    def check_arrivals(self):
        """Every arrival takes a claim of its own, those first whose mail was accepted; what finds none was doubled."""
        claims = self.claims()
        self.wanted = []        # (arrival, its claims)
        for arrival in self.evidence.arrivals:
            origins = self.origins(arrival)
            if origins:
                self.wanted.append((arrival, {claims[self.key(u)] for _a, u in origins}))
        taker = Matching([names for _arrival, names in self.wanted])
        for attempt in self.attempts:
            for group in self.promised(attempt):
                if not any(taker.claim(claims[self.key(u)]) for u in group):
                    self.miss(attempt, group[0])
        for arrival, names in [self.wanted[at] for at in taker.left()]:
            self.excuse(arrival, names)

    def miss(self, attempt, unit):
        """It did not come.  When the port refuses a copy for good, its recipient keeps the message as it was."""
        if attempt.port_refused and any(arrival.address == unit.owner for arrival, _names in self.wanted):
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
                groups[unit.address, unit.label, alone].append(unit)
        return groups.values()

    def excuse(self, arrival, names):
        """Duplicates are documented at three points; each of them was seen to happen, and pays for one copy, or for
        one more time of what the queue took."""
        twins = [other for other, others in self.wanted if others & names]
        queued = sum(1 for other in twins if other.way == 'queue')
        taken = [a for a in self.attempts if a.may_be_accepted and
                 any(u.address == arrival.address for u in a.resolved.wanted())]
        claims = self.claims()
        often = sum(len({claims[self.key(u)] for u in a.resolved.all()} & names) for a in taken)
        if 0 < queued <= often and any(a.end is None for a in taken):
            self.doubled['the client did not read the answer'] += 1
            return
        cause = next((cause for cause in sorted(self.paid) if self.paid[cause]), None)
        if cause and any(other.way == 'copies' for other in twins):
            self.paid[cause] -= 1
            self.doubled[cause] += 1
        else:
            self.fail('doubled without cause', str(arrival))


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
    return Books(Evidence(directory)).balance()


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
