# scenario.py - a message, its recipients, and what their rules say: all from one seed
# SPDX-License-Identifier: BSD-2-Clause
"""A plan is a list of destinations, as README.md has it; here it becomes a Sieve script, and nothing else is known of it."""
import random

from draws import Draws
from rare import RESERVED, Rare

DOMAIN, OUTSIDE, SRS = 'example.test', 'else.example', 'srs.example.test'
SENDER_DOMAIN = 'client.example'
# kinds of plans and how often each is drawn
WEIGHTS = {
    'keep': 14, 'none': 6, 'edit': 20, 'redirect': 12, 'redirect and keep': 8, 'neighbour': 10, 'oneself': 2, 'file': 8,
    'file and keep': 5, 'edited redirect': 4, 'redirect, then edit': 4, 'refuse early': 8, 'refuse late': 8, 'discard': 10,
    'to another here': 8, 'to another here and keep': 4, 'quarantine': 8,
    'quarantine and keep': 3,
}
SIZES = ((100, 8), (3000, 6), (20000, 3), (150000, 1))
FOLDERS = ('Lists', 'work_2', 'a-b', 'W\u00f6rk/in box')      # the last is no detail of an address
# settings that may be others when the client tries again; those in use have the first of them more often at the first try
CHANGES = {
    'mode': ('edge', 'final'), 'effect': ('full', 'observe', 'tag', 'refuse'), 'late': ('keep', 'bounce'),
    'fileinto_by': ('detail', 'header'), 'redirect_sender': ('keep', 'user', 'srs', 'null'), 'filtered': (False, True),
    'quarantine_to': ('', f'postmaster@{OUTSIDE}'),
}
# whose senders redirects rewrote: somebody elsewhere, somebody who has rules here
BACK = {'outside': f'back@{SENDER_DOMAIN}', 'here': f'back@{DOMAIN}'}
CONDITIONS = {'envelope': None, 'header': 'header :contains "Subject" "run-"', 'body': 'body :contains "needle"'}
REQUIRE = 'require ["body", "copy", "editheader", "ereject", "envelope", "fileinto", "imap4flags", "reject",\n' \
          '         "vnd.tamis.quarantine"];\n'


def user_of(address):
    """Whose rules run for it: without the detail."""
    local, _at, domain = address.rpartition('@')
    return f'{local.partition("+")[0]}@{domain}'


class Scenario:
    """way: through which mail server.  wants: None; 'copy', so that a copy leaves; 'add', so that a recipient comes.
    made: {one of BACK: what its address was rewritten to}"""

    def __init__(self, seed, number, way='postfix', wants=None, made=None):
        self.random = random.Random(f'{seed}/{number}')
        self.number, self.way, self.tag = number, way, f'run-{number}-{seed.lower()}-'
        self.domain, self.outside_domain, self.folders = DOMAIN, OUTSIDE, FOLDERS
        self.draw_settings(wants)
        self.quiet = self.draw_quiet(random.Random(f'{seed}/{number}/never'), wants)
        self.words = random.Random(f'{seed}/{number}/words')
        if self.quiet and self.words.random() < 0.7:
            self.late, self.authentic = 'bounce', True      # somebody who could be told
        self.draws, self.sited = Draws(self, seed, number, wants), True
        self.rare = Rare(self, seed, number, wants)
        count = self.random.choice([1, 1, 1, 2, 3, 4, 5])
        count = max(count, 2) if wants == 'copy' or self.random.random() < 0.1 else count
        self.recipients = self.draw_recipients(count, wants)
        self.others = [self.address(letter) for letter in 'lm']
        self.rewritten, self.forged = {}, []
        self.draws.draw_users()
        self.rare.draw_recipients()
        bounce = self.draw_bounce(made) if made and wants in (None, 'copy') and self.random.random() < 0.2 else False
        self.sender = '' if bounce or self.random.random() < 0.08 else f'{self.tag}{self.letter("sender")}@{SENDER_DOMAIN}'
        # it comes round, with the sender that a redirect gave it
        self.sender_rewritten = bool(made and self.sender and self.random.random() < 0.12)
        if self.sender_rewritten:
            self.sender, self.late, self.authentic = made[self.random.choice(list(BACK))], 'bounce', True
        self.rare.draw_login()
        self.message, self.parameters = self.make_message()
        self.draws.draw_site()
        self.plans = {}
        for r in self.recipients:
            self.plan_of(r, self.plan(r))
        self.rules_of_others = {r: self.plan(r) for r in self.others}
        self.make_plans(wants)
        self.wishes = self.draw_wishes(random.Random(f'{seed}/{number}/wishes'))

    def draw_quiet(self, rng, wants):
        """The client wants to hear of nothing: 'all', or of 'some'; else ''.  What two redirect to one leaves once, and tells
        who wants to hear of one of them: where they may come together it is all."""
        drawn = rng.random() < 0.15 and wants != 'add'
        return '' if not drawn else 'some' if (self.way == 'final' or not self.filtered) and rng.random() < 0.6 else 'all'

    def draw_wishes(self, rng):
        """{recipient: what the client wants to know of him}: of failures, or nothing."""
        if self.quiet:
            return {r: 'NOTIFY=' + ('NEVER' if self.quiet == 'all' else rng.choice(['NEVER', 'NEVER', 'FAILURE'])) for r in self.recipients}
        return {r: 'NOTIFY=FAILURE' for r in self.recipients if rng.random() < 0.7} if rng.random() < 0.2 else {}

    def word(self, do):
        """Where it matters the command that refuses late is of the plan: "reject" tells of a disposition, not of a delivery."""
        return {'word': self.words.choice(['reject', 'ereject'])} if self.quiet and do == 'refuse late' else {}

    def draw_settings(self, wants):
        r = self.random
        self.late = r.choice(['keep', 'bounce'])
        self.authentic = r.random() < 0.75
        self.fileinto_by = r.choice(['detail', 'detail', 'header'])
        self.redirect_sender = r.choice(['keep', 'keep', 'user', 'srs', 'null'])
        self.filtered = r.random() < 0.4
        self.quarantine_to = r.choice(['', f'postmaster@{OUTSIDE}'])
        self.mode, self.effect = 'final' if self.way == 'final' else 'edge', 'full'
        if not wants and self.way != 'final' and r.random() < 0.15:
            self.mode, self.effect = r.choice(CHANGES['mode']), r.choice(CHANGES['effect'])
        self.utf8 = self.way != 'sendmail' and r.random() < 0.2
        if wants == 'add':
            self.redirect_sender, self.filtered = 'keep', False

    def letter(self, text):
        """With one that is not ASCII now and then, where the message may have it."""
        return text + '\u00e4' if self.utf8 and self.random.random() < 0.5 else text

    def address(self, letter):
        return f'{self.tag}{self.letter(letter)}@{DOMAIN}'

    def draw_recipients(self, count, wants):
        """One of them may be another's with a detail, which may be a folder to which he files."""
        found = [self.address(letter) for letter in 'abcde'[:count]]
        if self.random.random() < 0.25:
            user = self.random.choice(found)
            detailed = user.replace('@', f'+{self.random.choice(["Lists", "lists", "work_2"])}@')
            found = found[:-1] if self.random.random() < 0.5 and wants != 'copy' else found
            found.append(detailed)
        return found

    def draw_bounce(self, made):
        """Somebody writes to the sender of a redirect, or to such an address that nobody made; True: as a bounce."""
        whose = self.random.choice([*BACK, *BACK, 'nobody'])
        address = made['outside' if whose == 'nobody' else whose]
        if whose == 'nobody':
            start, letter, rest = address[:5], address[5], address[6:]
            address = start + ('a' if letter == 'b' else 'b') + rest
            self.forged.append(address)
        else:
            self.rewritten[address] = BACK[whose]
        self.recipients.append(address)
        return self.random.random() < 0.7

    def home(self, recipient):
        return self.rewritten.get(recipient, recipient)

    def is_here(self, recipient):
        """May he have rules?"""
        return recipient not in self.forged and self.user(recipient).endswith(f'@{DOMAIN}')

    def user(self, recipient):
        """Whose rules run for it."""
        address, users = self.home(recipient), self.draws.users
        if address in self.rare.stands:
            return self.rare.stands[address]
        name, found = user_of(address), users.get(address, users.get(user_of(address), []))
        local, _at, domain = name.rpartition('@')
        if len(found) == 1:
            return found[0]
        return local + users[f'@{domain}'][0] if f'@{domain}' in users else name

    @property
    def changes(self):
        """What may be another at the next attempt."""
        changes = {**CHANGES, **({'sited': (False, True)} if self.draws.site else {})}
        return {name: values for name, values in changes.items() if name != 'filtered' or self.quiet != 'some'}

    def settings(self):
        return {name: getattr(self, name) for name in self.changes}

    def change_settings(self):
        """One or two of them; which."""
        changed = self.random.sample(list(self.changes), self.random.choice([1, 1, 2]))
        if self.draws.site and 'sited' not in changed and self.random.random() < 0.4:
            changed.append('sited')
        for name in changed:
            setattr(self, name, self.random.choice([value for value in self.changes[name] if value != getattr(self, name)]))
        return changed

    # --- the message

    def make_message(self):
        r = self.random
        author = self.sender or f'nobody@{SENDER_DOMAIN}'
        fields = [
            f'Date: Sat, 28 Nov 2026 12:{r.randrange(60):02}:00 +0000', f'Message-ID: <{self.tag}@{SENDER_DOMAIN}>',
            f'From: <{author}>', f'To: <{self.recipients[-1]}>', f'Subject: {self.tag}',
        ]
        result = 'pass' if self.authentic else 'fail'
        fields.insert(0, f'Authentication-Results: mx.example.test; spf={result} smtp.mailfrom={author.rpartition("@")[2]}')
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
        words = ['BODY=8BITMIME'] * eightbit + ['SMTPUTF8'] * self.utf8
        return ('\r\n'.join(fields) + '\r\n\r\n').encode() + b'\r\n'.join(body) + b'\r\n', ' '.join(words)

    # --- plans

    def edit(self):
        r = self.random
        return {'name': r.choice(['X-Edit', 'X-Other']), 'value': f'{self.tag}{r.randrange(3)}', 'last': r.random() < 0.2}

    def outside(self):
        return self.outside_of(self.random)

    def outside_of(self, rng):
        """Few of them, so that two recipients may mean the same."""
        return f'{self.tag}{rng.choice("xyz")}@{OUTSIDE}'.replace('z@', 'z\u00fc@' if self.utf8 else 'z@')

    def refusal(self, do):
        return {'do': do, 'reason': f'not this one, please {self.random.randrange(100)}', **self.word(do)}

    def plan(self, recipient):
        r = self.random
        if recipient in self.forged:
            return [self.refusal('refuse early')]
        if not self.is_here(recipient) or recipient in self.draws.several:
            return [{'do': 'self', 'rules': False}]
        if recipient.partition('@')[0] in RESERVED:
            return self.rare.plan(self.refusal, self.edit)
        strange = (*self.forged, *self.rewritten)
        neighbours = [other for other in self.recipients if other not in (recipient, *strange) and recipient not in self.others]
        return self.draws.combine(recipient, neighbours, self.plan_with(recipient, neighbours))

    def plan_with(self, recipient, neighbours):
        r = self.random
        kind = r.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        if kind == 'neighbour' and not neighbours:
            kind = 'redirect'
        # of a user's two addresses one copy in quarantine is enough, but both are held
        if kind.startswith('quarantine') and any(self.user(o) == self.user(recipient) for o in neighbours):
            kind = 'edit'
        keep, redirect = {'do': 'self'}, {'do': 'redirect', 'to': self.outside()}
        odd = {'do': 'quarantine', 'reason': f'odd {r.randrange(2)}'}
        filed = {'do': 'file', 'folder': r.choice(FOLDERS)}
        another = {'do': 'redirect', 'to': r.choice([other for other in self.others if other != recipient])}
        plans = {
            'keep': [keep], 'none': [{**keep, 'rules': False}], 'edit': [{**keep, 'edit': self.edit()}], 'redirect': [redirect],
            'redirect and keep': [redirect, keep], 'oneself': [{'do': 'redirect', 'to': self.home(recipient)}], 'file': [filed],
            'file and keep': [filed, keep], 'edited redirect': [{**redirect, 'edit': self.edit()}],
            'redirect, then edit': [redirect, {**keep, 'edit': self.edit()}], 'refuse early': [self.refusal('refuse early')],
            'refuse late': [self.refusal('refuse late')], 'discard': [{'do': 'discard'}], 'to another here': [another],
            'to another here and keep': [another, keep], 'quarantine': [odd], 'quarantine and keep': [odd, keep],
        }
        if kind == 'neighbour':
            return [{'do': 'redirect', 'to': r.choice(neighbours)}] + ([keep] if r.random() < 0.3 else [])
        return plans[kind]

    def make_plans(self, wants):
        """Behind the queue each recipient is alone: his own plan has to have two contents."""
        first, keep = next(r for r in self.recipients if r not in self.draws.several), {'do': 'self'}
        if wants == 'copy' and self.way == 'final':
            self.plan_of(first, [{'do': 'redirect', 'to': self.outside()}, {**keep, 'edit': self.edit()}])
        elif wants == 'copy':
            # a report, or who keeps what he refused, is a copy as well
            self.plan_of(first, [self.refusal('refuse late')] if self.rare.login or self.quiet else [{**keep, 'edit': self.edit()}])
            self.plan_of(next(r for r in self.recipients if self.user(r) != self.user(first) and r == self.home(r)), [keep])
        elif wants == 'hold':
            for r in self.recipients:
                self.plan_of(r, [{'do': 'quarantine', 'reason': 'odd'}])
        elif not wants and (self.sender_rewritten or self.rare.login or self.quiet):
            self.plan_of(first, [self.refusal('refuse late')])
        elif wants == 'add':
            self.plan_of(first, [{'do': 'redirect', 'to': self.outside()}])

    def plan_of(self, recipient, plan):
        """A user has one plan, whichever of his addresses it is."""
        for r in self.recipients:
            if self.user(r) == self.user(recipient):
                self.plans[r] = plan

    def change(self, left):
        """Other rules for some of those who are left."""
        for recipient in left:
            if self.random.random() < 0.6:
                self.plan_of(recipient, self.plan(recipient))

    @property
    def may_change(self):
        """What goes round by the filtered port meets its neighbours' rules as they are by then."""
        return self.way != 'final' or not self.filtered


# --- Sieve

def quoted(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def action(destination, word):
    """The command of one destination."""
    do, copy = destination['do'], ':copy ' if destination.get('copy') else ''
    if do == 'redirect':
        return f'redirect {copy}{quoted(destination["to"])};'
    if do == 'file':
        return f'fileinto {copy}{quoted(destination["folder"])};'
    if do == 'quarantine':
        return f'quarantine {quoted(destination["reason"])};'
    if do.startswith('refuse'):
        return pair(destination.get('discard'), 'discard;', f'{word} {quoted(destination["reason"])};')
    if destination.get('error'):
        # they do not go together: as if there were none of them
        return pair(destination['error'], f'redirect :copy "wrong@{OUTSIDE}";', f'{word} "an error";')
    return '' if destination.get('implicit') else {'self': 'keep;', 'discard': 'discard;'}[do]


def pair(where, other, command):
    """With another one before or behind it, or alone."""
    return '\n'.join({'before': [other, command], 'behind': [command, other]}.get(where, [command]))


def edit_command(edit):
    if edit.get('delete'):
        return f'deleteheader {quoted(edit["delete"])};'
    return f'addheader {":last " if edit.get("last") else ""}{quoted(edit["name"])} {quoted(edit["value"])};'


def commands(plan, word):
    """Edits and flags come before what they are for."""
    lines, edited, flags = [], [], ''
    for destination in sorted(plan, key=lambda d: 'edit' in d):
        edits = destination.get('edits') or ([destination['edit']] if 'edit' in destination else [])
        lines += [edit_command(edit) for edit in edits[len(edited):]]
        edited = edits or edited
        if destination.get('flags', flags) != flags and destination['do'] != 'redirect':
            flags = destination['flags']
            lines.append('setflag [' + ', '.join(map(quoted, flags.split())) + '];')
        lines.append(action(destination, word))
    return lines


def script(plan, rng, comment, stage=None, only=None):
    """None: he has no rules.  The comment makes each script another one: what kills the daemon twice is set aside.
    Which stage decides is drawn; a refusal that is to be late cannot be for what the envelope says.  stage: it is that one;
    only: for these recipients."""
    if any(d.get('rules') is False for d in plan):
        return None
    drawn, word = stage or rng.choice(list(CONDITIONS)), 'ereject'
    if plan[0]['do'] == 'refuse early':
        drawn = 'envelope'
    elif plan[0]['do'] == 'refuse late':
        drawn = stage or rng.choice(['header', 'body'])
        word = rng.choice(['reject', 'ereject'])
        word = plan[0].get('word', word)
    body = '\n'.join(commands(plan, word))
    if CONDITIONS[drawn]:
        wrong = f'redirect "wrong@{OUTSIDE}";'
        body = f'if {CONDITIONS[drawn]} {{\n{body}\n}} else {{\n{wrong}\n}}'
    if only is not None:
        body = f'if envelope "to" [{", ".join(map(quoted, only))}] {{\n{body}\n}}'
    return f'# {comment}\n{REQUIRE}{body}\n'
