# scenario.py - a message, its recipients, and what their rules say: all from one seed
# SPDX-License-Identifier: BSD-2-Clause
"""A plan is a list of destinations, as README.md has it; here it becomes a Sieve script, and nothing else is known of it."""
import random

DOMAIN, OUTSIDE = 'example.test', 'else.example'
SENDER_DOMAIN = 'client.example'
# kinds of plans and how often each is drawn
WEIGHTS = {
    'keep': 14, 'none': 6, 'edit': 20, 'redirect': 12, 'redirect and keep': 8, 'neighbour': 10, 'oneself': 2, 'file': 6,
    'file and keep': 4, 'edited redirect': 4, 'redirect, then edit': 4, 'refuse early': 8, 'refuse late': 8, 'discard': 10,
}
# in place of some, or of all, drawn apart: the other draws of a seed stay what they are
QUARANTINE = {'keep': (0.2, 'quarantine'), 'discard': (0.3, 'quarantine'), 'redirect and keep': (0.3, 'quarantine and keep')}
ALL_ASIDE = 0.08
SIZES = ((100, 8), (3000, 6), (20000, 3), (150000, 1))
CONDITIONS = {'envelope': None, 'header': 'header :contains "Subject" "run-"', 'body': 'body :contains "needle"'}
REQUIRE = 'require ["body", "copy", "editheader", "ereject", "envelope", "fileinto", "reject", "vnd.tamis.quarantine"];\n'


class Scenario:
    def __init__(self, seed, number, wants_copy=False):
        self.random = random.Random(f'{seed}/{number}')
        self.apart = random.Random(f'{seed}/{number}/quarantine')
        self.all_aside = self.apart.random() < ALL_ASIDE
        self.number, self.tag = number, f'run-{number}-{seed}-'
        self.late = self.random.choice(['keep', 'keep', 'bounce'])
        count = self.random.choice([1, 1, 1, 2, 3, 4, 5])
        count = max(count, 2) if wants_copy or self.random.random() < 0.1 else count
        self.recipients = [f'{self.tag}{letter}@{DOMAIN}' for letter in 'abcde'[:count]]
        self.sender = f'{self.tag}sender@{SENDER_DOMAIN}'
        self.message, self.parameters = self.make_message()
        self.plans = {r: self.plan(r) for r in self.recipients}
        if wants_copy:
            self.plans[self.recipients[0]] = [{'do': 'self', 'edit': self.edit()}]
            self.plans[self.recipients[1]] = [{'do': 'self'}]

    # --- the message

    def make_message(self):
        r = self.random
        fields = [
            f'Date: Sat, 28 Nov 2026 12:{r.randrange(60):02}:00 +0000', f'Message-ID: <{self.tag}@{SENDER_DOMAIN}>',
            f'From: <{self.sender}>', f'To: <{self.recipients[-1]}>', f'Subject: {self.tag}',
        ]
        if self.late == 'bounce':
            fields.insert(0, f'Authentication-Results: mx.example.test; spf=pass smtp.mailfrom={SENDER_DOMAIN}')
        if r.random() < 0.3:
            fields.insert(0, f'Received: from far.example by {SENDER_DOMAIN};\r\n\tSat, 28 Nov 2026 11:59:00 +0000')
        if r.random() < 0.3:
            fields.append('X-Edit: was here before')
        if r.random() < 0.3:
            fields.append('X-Folded: one\r\n  two\r\n\tthree')
        size, body = r.choices([s for s, _w in SIZES], [w for _s, w in SIZES])[0], [b'needle']
        eightbit = r.random() < 0.2
        while sum(map(len, body)) < size:
            line = bytes(r.choices(b'abcdefgh .=', k=r.randrange(78)))
            body.append((line + b'\xc3\xa9' if eightbit else line).rstrip() or b'.')
        return ('\r\n'.join(fields) + '\r\n\r\n').encode() + b'\r\n'.join(body) + b'\r\n', 'BODY=8BITMIME' if eightbit else ''

    # --- plans

    def edit(self):
        r = self.random
        return {'name': r.choice(['X-Edit', 'X-Other']), 'value': f'{self.tag}{r.randrange(3)}', 'last': r.random() < 0.2}

    def outside(self):
        """Few of them, so that two recipients may mean the same."""
        return f'{self.tag}{self.random.choice("xyz")}@{OUTSIDE}'

    def refusal(self, do):
        return {'do': do, 'reason': f'not this one, please {self.random.randrange(100)}'}

    def aside(self):
        """All have one reason: else a message on hold does not say it."""
        return {'do': 'quarantine', 'reason': f'{self.tag} is looked at'}

    def plan(self, recipient):
        r = self.random
        others = [other for other in self.recipients if other != recipient]
        kind = r.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        often, instead = QUARANTINE.get(kind, (0, kind))
        kind = 'quarantine' if self.all_aside else instead if self.apart.random() < often else kind
        if kind == 'neighbour' and not others:
            kind = 'redirect'
        keep, redirect = {'do': 'self'}, {'do': 'redirect', 'to': self.outside()}
        filed = {'do': 'file', 'to': recipient.replace('@', f'+{r.choice(["Lists", "work_2", "a-b"])}@')}
        plans = {
            'keep': [keep], 'none': [{**keep, 'rules': False}], 'edit': [{**keep, 'edit': self.edit()}], 'redirect': [redirect],
            'redirect and keep': [redirect, keep], 'oneself': [{'do': 'redirect', 'to': recipient}], 'file': [filed],
            'file and keep': [filed, keep], 'edited redirect': [{**redirect, 'edit': self.edit()}],
            'redirect, then edit': [redirect, {**keep, 'edit': self.edit()}], 'refuse early': [self.refusal('refuse early')],
            'refuse late': [self.refusal('refuse late')], 'discard': [{'do': 'discard'}],
            'quarantine': [self.aside()], 'quarantine and keep': [self.aside(), keep],
        }
        if kind == 'neighbour':
            return [{'do': 'redirect', 'to': r.choice(others)}] + ([keep] if r.random() < 0.3 else [])
        return plans[kind]

    def change(self, left):
        """Other rules for some of those who are left."""
        for recipient in left:
            if self.random.random() < 0.6:
                self.plans[recipient] = self.plan(recipient)


# --- Sieve

def quoted(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def action(destination, word):
    """The command of one destination."""
    do, to = destination['do'], destination.get('to', '')
    if do == 'redirect':
        return f'redirect {quoted(to)};'
    if do == 'file':
        return f'fileinto {quoted(to.partition("@")[0].partition("+")[2])};'
    if do == 'quarantine':
        return f'quarantine {quoted(destination["reason"])};'
    if do.startswith('refuse'):
        return f'{word} {quoted(destination["reason"])};'
    return {'self': 'keep;', 'discard': 'discard;'}[do]


def script(plan, rng, comment):
    """None: he has no rules.  The comment makes each script another one: what kills the daemon twice is set aside.
    Which stage decides is drawn; a refusal that is to be late cannot be for what the envelope says."""
    if any(d.get('rules') is False for d in plan):
        return None
    stage = rng.choice(list(CONDITIONS))
    word = 'ereject'
    if plan[0]['do'] == 'refuse early':
        stage = 'envelope'
    elif plan[0]['do'] == 'refuse late':
        stage = rng.choice(['header', 'body'])
        word = rng.choice(['reject', 'ereject'])
    lines, edited = [], None
    for destination in sorted(plan, key=lambda d: 'edit' in d):
        edit = destination.get('edit')
        if edit and edit != edited:
            lines.append(f'addheader {":last " if edit.get("last") else ""}{quoted(edit["name"])} {quoted(edit["value"])};')
            edited = edit
        lines.append(action(destination, word))
    body = '\n'.join(lines)
    if CONDITIONS[stage]:
        wrong = f'redirect "wrong@{OUTSIDE}";'
        body = f'if {CONDITIONS[stage]} {{\n{body}\n}} else {{\n{wrong}\n}}'
    return f'# {comment}\n{REQUIRE}{body}\n'
