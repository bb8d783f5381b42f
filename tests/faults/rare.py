# rare.py - what comes in a few runs each: long sequences, chains of aliases, logins, postmaster, includes
# SPDX-License-Identifier: BSD-2-Clause
"""As in draws.py what is random comes from a seed of its own."""
import random

from draws import ALIAS, ENDS, HANDS_ON, choose, dealt

SECOND = 'second.example'       # a domain that is an alias of that one
CHAINS = ('address, domain', 'domain, domain', 'address, address', 'domain, address', 'address, several')
LOGINS = ('login of the map', 'login that is an address', "login of another's")
# how the client comes in so that he can have one, and what such a name ends in where passwords are looked up
WITH_LOGINS, REALM = ('postfix', 'sendmail'), '@logins.example'
INCLUDES = {'personal include': ['personal'], 'global include': ['global'], 'nested include': ['global', 'personal'],
            'include of the site': ['global']}
RESERVED = ('postmaster', 'abuse')
THREE = {'three before': [(3, 0), (3, 1)], 'three behind': [(0, 3), (1, 3)], 'three before and behind': [(3, 3)]}
# as many as come by each mail server and each fault in turn
KINDS = (*THREE, *CHAINS, *LOGINS, *RESERVED, *INCLUDES)
# what a long campaign has to have of them: those of logins are few
DUE = (*(kind for kind in KINDS if kind not in LOGINS), 'a login')
# of who must be reachable: most of them would close it
CLOSING = {'keep': 2, 'none': 1, 'edit': 2, 'discard': 4, 'refuse early': 3, 'refuse late': 3, 'quarantine': 2, 'redirect': 1, 'file': 1,
           'copy, then discard': 2}


class Rare:
    """kind: of KINDS, or None; drawn: the same as a list, if it could be had; stands: {address: user} of chains."""

    def __init__(self, scenario, seed, number, wants):
        self.s, self.random = scenario, random.Random(f'{seed}/{number}/rare')
        kind = dealt(seed, number, 5, KINDS) if number and wants in (None, 'copy') else None
        self.kind, self.wants, self.drawn, self.stands, self.login = kind, wants, [], {}, ''
        if kind in (*THREE, *RESERVED, 'include of the site'):
            scenario.draws.has_site = scenario.draws.has_site or choose(self.random, {**HANDS_ON, **({} if wants else ENDS)})

    def site_counts(self, before, after):
        """How many scripts of the site there are before the users' and behind them."""
        if self.kind not in THREE:
            return before, after
        self.drawn.append(self.kind)
        return self.random.choice(THREE[self.kind])

    # --- recipients

    def draw_recipients(self):
        if self.kind in RESERVED:
            self.s.recipients.append(f'{self.kind}@{self.s.domain}')
            self.drawn.append(self.kind)
        plain = [r for r in self.s.recipients if '+' not in r and self.s.user(r) == r and r not in self.s.draws.several]
        if self.kind in CHAINS and plain:
            self.draw_chain(self.random.choice(plain))

    def draw_chain(self, user):
        users, local = self.s.draws.users, user.rpartition('@')[0]
        first, then = self.s.address('chained'), self.s.address('link')
        if 'domain' in self.kind:
            users[f'@{ALIAS}'] = [f'@{self.s.domain}']
        if self.kind == 'address, domain':
            name, users[first] = first, [f'{local}@{ALIAS}']
        elif self.kind == 'domain, domain':
            name, users[f'@{SECOND}'] = f'{local}@{SECOND}', [f'@{ALIAS}']
        elif self.kind == 'address, address':
            name, users[first], users[then] = first, [then], [user]
        elif self.kind == 'address, several':
            name, users[first], users[then] = first, [then], [user, self.s.others[0]]
            self.s.draws.several.append(name)
        else:
            name, users[first] = first.replace(f'@{self.s.domain}', f'@{ALIAS}'), [user]
        if self.kind != 'address, several':
            self.stands[name] = user
        if name in self.stands and self.random.random() < 0.5:
            self.s.recipients.remove(user)
        self.s.recipients.append(name)
        self.drawn.append(self.kind)

    def plan(self, refusal, edit):
        """Of who must be reachable."""
        kind, keep, redirect = choose(self.random, CLOSING), {'do': 'self'}, {'do': 'redirect', 'to': self.s.outside_of(self.random)}
        plans = {
            'keep': [keep], 'none': [{**keep, 'rules': False}], 'edit': [{**keep, 'edit': edit()}], 'discard': [{'do': 'discard'}],
            'quarantine': [{'do': 'quarantine', 'reason': 'odd mail to who must be reachable'}], 'redirect': [redirect],
            'file': [{'do': 'file', 'folder': 'Lists'}], 'copy, then discard': [{**redirect, 'copy': True}, {'do': 'discard'}],
        }
        return [refusal(kind)] if kind.startswith('refuse') else plans[kind]

    # --- whose client it is

    def draw_login(self):
        """A client who has proved who he is, where nothing else does."""
        if self.kind not in LOGINS or self.s.way not in WITH_LOGINS or not self.s.sender or self.s.sender_rewritten:
            return
        s, users = self.s, self.s.draws.users
        s.sender, s.late, s.authentic = f'{s.tag}author@client.example', 'bounce', False
        self.login = f'{s.tag}login' + REALM * (s.way == 'sendmail')
        if self.kind == 'login that is an address':
            self.login = s.sender
        else:
            others = [f'{s.tag}nobody@client.example']
            mine = self.kind == 'login of the map'
            users[f'login:{self.login}'] = self.random.choice([[s.sender], [*others, s.sender]]) if mine else others
        self.drawn += [self.kind, 'a login']

    # --- includes

    def parts(self, where, name, text):
        """What is written so that a script of the user's (where: rules) or of the site's says that: (where, name, text), its own
        file the last.  A user's includes have others of the same name in the other place."""
        files, path = [], INCLUDES.get(self.kind, ())
        if (where == 'site') != (self.kind == 'include of the site'):
            path = ()
        local, at, domain = name.rpartition('@') if where == 'rules' else (name, '', '')
        for number, place in enumerate(reversed(path)):
            part = f'part-{number}-{local}'
            for here in ('personal', 'global') if at else (place,):
                script = text if here == place else f'redirect "wrong@{self.s.outside_domain}";\n'
                files.append(('rules', part + at + domain, script) if here == 'personal' else ('global', part, script))
            text = f'require "include";\ninclude :{place} "{part}";\n'
            self.drawn[:] = [self.kind]
        return [*files, (where, name, text)]
