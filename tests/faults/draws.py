# draws.py - scripts of a site, a users map, and rules of several commands: drawn beside the rest of a scenario
# SPDX-License-Identifier: BSD-2-Clause
"""Kinds and how often each is drawn.  What is random comes from a seed of its own, so that runs without any of this are
what they would be."""
import random

ALIAS = 'alias.example'         # a domain of the users map
FLAGS = ('\\Flagged', '$Boss \\Seen')
STAGES = ('envelope', 'header', 'body')
# scripts of a site that mean "go on", and those that end the sequence for some
HANDS_ON = {'copy': 6, 'edited copy': 4, 'copy, then edit': 3, 'edit': 4, 'delete': 3, 'file a copy': 4, 'file an edited copy': 3,
            'flags': 2, 'quarantine and keep': 2, 'error': 2}
ENDS = {'discard': 4, 'send away': 3, 'file': 2, 'quarantine': 2, 'refuse early': 3, 'refuse late': 3}
COMBINED = {'copies': 6, 'copies and keep': 4, 'nothing kept': 4, 'copies, then discard': 3, 'quarantine with copies': 3,
            'refuse, with discard': 3, 'refuse, with flags': 2, 'edit, then refuse': 2, 'error': 2}
PLACES = {'before': "before the user's", 'after': "behind the user's"}
MAP = ('alias', 'alias with a detail', 'alias domain', 'several')


def choose(rng, weights, but=()):
    kinds = [kind for kind in weights if kind not in but]
    return rng.choices(kinds, [weights[kind] for kind in kinds])[0]


def dealt(seed, number, of, kinds):
    """Two of so many runs have the next two of them; None: it has none."""
    kinds, at = list(kinds), {1: 0, of // 2 + 1: 1}.get(number % of)
    random.Random(f'{seed}/{of}').shuffle(kinds)
    return None if at is None else kinds[(number // of * 2 + at) % len(kinds)]


class Draws:
    """has: which of the three there are in this run, and of which kind at least; drawn: {of which: kinds}"""

    def __init__(self, scenario, seed, number, wants):
        self.s, self.random = scenario, random.Random(f'{seed}/{number}/draws')
        may = number and wants in (None, 'copy')
        # dealt, so that all kinds come
        self.has_site = dealt(seed, number, 7, [*HANDS_ON, *ENDS]) if may else None
        self.has_users = dealt(seed, number, 11, MAP) if may and not wants else None
        self.has_combined = may and self.random.random() < 0.25
        self.wants, self.site, self.users, self.several, self.drawn = wants, None, {}, [], {'users map': [], 'combined': []}

    # --- users map

    def draw_users(self):
        """Addresses of the client's that are other names, beside those that they stand for or in their place."""
        if not self.has_users:
            return
        other = self.random.choice([kind for kind in MAP if kind != self.has_users])
        for kind in (self.has_users, other)[:self.random.choice([1, 1, 2])]:
            plain = [r for r in self.s.recipients if '+' not in r and self.s.user(r) == r and r not in self.several]
            if not plain:
                return
            user = self.random.choice(plain)
            name = {'alias': self.s.address('other'), 'alias domain': user.replace(f'@{self.s.domain}', f'@{ALIAS}'),
                    'alias with a detail': self.s.address('other').replace('@', '+lists@'), 'several': self.s.address('team')}[kind]
            if kind == 'alias domain':
                self.users[f'@{ALIAS}'] = [f'@{self.s.domain}']
            elif kind == 'several':
                self.users[name] = [user, self.s.others[0]]
                self.several.append(name)
            else:
                self.users[name] = [user]
            if kind != 'several' and self.random.random() < 0.5:
                self.s.recipients.remove(user)
            self.s.recipients.append(name)
            self.drawn['users map'].append(kind)

    def map(self):
        """The file."""
        return ''.join(f'{name} {", ".join(users)}\n' for name, users in self.users.items())

    # --- destinations

    def edit(self, name=None):
        r = self.random
        return {'name': name or r.choice(['X-Edit', 'X-Other', 'X-More']), 'value': f'{self.s.tag}{r.randrange(3)}', 'last': r.random() < 0.2}

    def redirect(self):
        r = self.random.random()
        to = self.s.others[0] if r < 0.1 else f'{self.s.tag}x@{self.s.outside_domain}'
        return {'do': 'redirect', 'to': f'{self.s.tag}archive@{self.s.outside_domain}' if r > 0.4 else to}

    def filed(self):
        return {'do': 'file', 'folder': self.random.choice(self.s.folders)}

    def flagged(self, destination):
        return {**destination, 'flags': self.random.choice(FLAGS)} if self.random.random() < 0.3 else destination

    def refusal(self, do, **more):
        return {'do': do, 'reason': f'not here, please {self.random.randrange(100)}', **self.s.word(do), **more}

    # --- scripts of the site

    def draw_site(self):
        if not self.has_site:
            return
        r = self.random
        before, after = r.choice([(1, 0), (2, 0), (1, 1), (0, 1), (0, 2), (2, 1)])
        before, after = self.s.rare.site_counts(before, after)
        before, kinds = before or self.has_site == 'refuse early', [self.has_site]
        self.site, self.once = {}, set()
        # two that are one user are held for him both, but one copy of it is enough
        if len({self.s.user(r) for r in self.s.recipients}) < len(self.s.recipients):
            self.once |= {'quarantine', 'quarantine and keep'}
        for where, count in (('before', before), ('after', after)):
            self.site[where] = [self.script(where, kinds.pop() if kinds else None) for _ in range(count)]
            found = [script['kind'] for script in self.site[where]]
            self.drawn['site scripts'] = self.drawn.get('site scripts', []) + found + [PLACES[where]] * count

    def script(self, where, kind):
        r = self.random
        if kind is None or kind in self.once:
            kind = choose(r, ENDS if not self.wants and r.random() < 0.5 else HANDS_ON, self.once)
        ends = kind in ENDS
        if kind in ('delete', 'quarantine', 'quarantine and keep'):
            self.once.add(kind)
        only = None
        if ends or r.random() < 0.15 and kind != 'delete':
            # where a copy is to leave it is for two of them
            who = [*map(self.s.home, self.s.recipients[2 * (self.wants == 'copy'):]), *self.s.others]
            only = sorted(r.sample(who, r.randint(1, max(1, len(who) // 2))))
        # when the rules before it are decided is not known here
        stage = 'envelope' if kind == 'refuse early' else r.choice(STAGES[1:] if kind == 'refuse late' else STAGES)
        kind = 'refuse late' if kind == 'refuse early' and where == 'after' else kind
        stage = 'header' if kind == 'refuse late' and stage == 'envelope' else stage
        return {'kind': kind, 'plan': self.site_plan(kind), 'stage': stage, 'only': only}

    def site_plan(self, kind):
        keep, edits = {'do': 'self', 'implicit': True}, [self.edit('X-Site')]
        redirect, filed = {**self.redirect(), 'copy': True}, {**self.flagged(self.filed()), 'copy': True}
        odd = {'do': 'quarantine', 'reason': f'the site finds it odd {self.random.randrange(2)}'}
        plans = {
            'copy': [redirect, keep], 'edited copy': [{**redirect, 'edits': edits}, {**keep, 'edits': edits}],
            'copy, then edit': [redirect, {**keep, 'edits': edits}], 'edit': [{**keep, 'edits': edits}],
            'delete': [{**keep, 'edits': [{'delete': 'X-Folded'}]}], 'file a copy': [filed, {**keep, 'flags': filed.get('flags', '')}],
            'file an edited copy': [{**filed, 'edits': edits}, {**keep, 'edits': edits, 'flags': filed.get('flags', '')}],
            'flags': [{**keep, 'flags': self.random.choice(FLAGS)}], 'quarantine and keep': [odd, {'do': 'self'}],
            'error': [{**keep, 'error': self.random.choice(['before', 'behind'])}], 'discard': [{'do': 'discard'}],
            'send away': [{**redirect, 'copy': False}], 'file': [{**filed, 'copy': False}], 'quarantine': [odd],
        }
        return [self.refusal(kind)] if kind.startswith('refuse') else plans[kind]

    # --- rules of several commands

    def combine(self, recipient, neighbours, plan):
        """In place of the plan, now and then."""
        if not self.has_combined or self.random.random() < 0.4:
            return plan
        odd = any(self.s.user(o) == self.s.user(recipient) for o in neighbours)
        kind = choose(self.random, COMBINED, ['quarantine with copies'] if odd else [])
        self.drawn['combined'].append(kind)
        if kind.startswith('refuse') or kind == 'edit, then refuse':
            return self.combined_refusal(kind)
        if kind == 'error':
            return [{'do': 'self', 'error': self.random.choice(['before', 'behind'])}]
        return self.several_commands(kind, neighbours)

    def combined_refusal(self, kind):
        late = self.random.random() < 0.5
        if kind == 'refuse, with discard':
            return [self.refusal('refuse late' if late else 'refuse early', discard=self.random.choice(['before', 'behind']))]
        if kind == 'refuse, with flags':
            return [self.refusal('refuse late' if late else 'refuse early', flags=FLAGS[0])]
        return [self.refusal('refuse late', edits=[self.edit()])]

    def several_commands(self, kind, neighbours):
        """Edits and flags between them; each stands for what comes behind it."""
        r = self.random
        steps, edits, flags, places = [], [], '', set()
        for step in r.sample(['out', 'out', 'file', 'file', 'neighbour', 'here'], r.randint(2, 3)):
            if r.random() < 0.4:
                edits = [*edits, self.edit()]
            flags = r.choice([flags, flags, *FLAGS])
            d = {'out': {'do': 'redirect', 'to': self.s.outside_of(r)}, 'file': self.filed(), 'here': {'do': 'redirect', 'to': self.s.others[1]},
                 'neighbour': {'do': 'redirect', 'to': r.choice(neighbours or [self.s.others[0]])}}[step]
            place = d.get('to') or d['folder']
            if place not in places:
                steps.append({**d, 'edits': edits, 'flags': flags if step == 'file' else '', 'copy': True})
            places.add(place)
        if r.random() < 0.4:
            edits = [*edits, self.edit()]
        keep = {'do': 'self', 'edits': edits, 'flags': flags}
        if kind == 'copies':
            return [*steps, {**keep, 'implicit': True}]
        if kind == 'copies and keep':
            return [*({**d, 'copy': r.random() < 0.5} for d in steps), keep]
        if kind == 'nothing kept':
            at = r.randrange(len(steps))
            return [{**d, 'copy': n != at and d['copy']} for n, d in enumerate(steps)]
        if kind == 'copies, then discard':
            return [*steps, {'do': 'discard'}]
        return [{'do': 'quarantine', 'reason': 'odd beside copies'}, *steps] + [keep] * (r.random() < 0.3)
