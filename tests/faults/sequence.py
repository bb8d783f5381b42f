# sequence.py - what the scripts of a site and a user's own rules make together
# SPDX-License-Identifier: BSD-2-Clause
"""The accountant's reading of doc/ARCHITECTURE.md 4, scripts in sequence, and of tamis.conf(5), USERS."""

TAKES = ('self', 'redirect', 'file', 'quarantine')
RESERVED = ('postmaster', 'abuse')      # users' rules do not close them


def user_of(address):
    """The address without the detail, in lower case."""
    local, _at, domain = address.rpartition('@')
    return f'{local.partition("+")[0]}@{domain}'.lower()


def moved(run, recipient):
    """A sender that a redirect rewrote gets what comes back: {address: whose it is}."""
    return run.get('rewritten', {}).get(recipient, recipient)


def listed(run, address):
    """What the users map makes of it: several are nobody's rules; None: it is not there."""
    users, address = run.get('users', {}), address.lower()
    local, at, domain = address.rpartition('@')
    for name in (address, user_of(address)):
        if name in users:
            # what it stands for may stand for others
            return [user for one in users[name] for user in listed(run, one) or [user_of(one)]]
    if f'@{domain}' in users:
        there = local + users[at + domain][0]
        return listed(run, there) or [user_of(there)]
    return None


def whose(run, recipient):
    """Whose rules run for it."""
    address = moved(run, recipient)
    users = listed(run, address)
    return users[0].lower() if users and len(users) == 1 else user_of(address)


def is_ours(run, recipient):
    """Do the site's scripts run for it?"""
    address = moved(run, recipient)
    local = f'@{run.get("local")}'
    return whose(run, recipient).endswith(local) or address.endswith(local) or listed(run, address) is not None


def is_reserved(run, recipient):
    return {name.partition('@')[0] for name in (user_of(moved(run, recipient)), whose(run, recipient))} & set(RESERVED)


def has_login(run):
    """Has the client proved that he is the sender?"""
    login = run.get('login')
    if not login:
        return False
    users = run['users'].get(f'login:{login}')
    return whose(run, run['sender']) in ([one for user in users for one in listed(run, user) or [user_of(user)]] if users is not None
                                         else [whose(run, login)])


def edits_of(destination):
    return destination.get('edits') or ([destination['edit']] if destination.get('edit') else [])


class Sequence:
    """One script after the other, for one recipient: each that keeps hands on what it did."""

    def __init__(self):
        self.done, self.kept, self.refused = [], {'do': 'self'}, None
        self.thrown = []
        self.early = True               # could all of it be decided at RCPT TO?

    def go_on(self, plan, stage, own=False):
        before, flags, self.kept = edits_of(self.kept), self.kept.get('flags', ''), None
        for d in plan:
            d = {**d, 'edits': before + edits_of(d), 'own': own}
            d.pop('edit', None)
            if d['do'] == 'self':
                self.kept = {**d, 'flags': d.get('flags') or flags}
            elif d['do'].startswith('refuse'):
                self.refused = {**d, 'do': d['do'] if self.early and not self.done else 'refuse late'}
            elif d['do'] in TAKES:
                self.add(d)
        self.thrown = [{**d, 'own': own} for d in plan if d['do'] == 'discard'] if not self.kept else []
        # nor is anything refused there for what an error left
        self.early = self.early and stage == 'envelope' and not any(edits_of(d) or d.get('error') for d in plan)

    def add(self, d):
        """To one place once, as it was the first time; of flags the last count."""
        for other in self.done:
            if other['do'] == d['do'] and (d['do'] == 'quarantine' or other.get('folder') == d.get('folder') and
                                           other.get('to', '').lower() == d.get('to', '').lower()):
                other['flags'] = d.get('flags', '')
                other['copy'] = other.get('copy') and d.get('copy')
                return
        self.done.append(d)

    def plan(self):
        return self.done + [d for d in (self.kept, self.refused) if d] + self.thrown


def reachable(plan):
    """Of who must be: what his rules would close is as if it had come; what the site's did with a copy stands beside it."""
    own = [d['do'] for d in plan if d.get('own')]
    if not own or any(do in ('self', 'redirect', 'file') for do in own):
        return plan
    return [d for d in plan if not d.get('own')] + [{'do': 'self', 'reachable': True}]


def together(run, recipient, plan):
    """The plan of a recipient whose own rules say that; "rules": False where nothing runs for him."""
    site = run.get('site') if run.get('sited', True) else None
    if recipient in run.get('forged', ()):
        return plan
    if not site or not is_ours(run, recipient):
        ruled = is_reserved(run, recipient) and not any(d.get('rules') is False for d in plan)
        return reachable([{**d, 'own': True} for d in plan]) if ruled else plan
    whole = Sequence()
    own = [] if any(d.get('rules') is False for d in plan) else [{'plan': plan, 'stage': None}]
    for script in [*site['before'], *own, *site['after']]:
        if script.get('only') is not None and moved(run, recipient) not in script['only']:
            continue
        # what refuses is the last to run, and says itself whether the envelope is enough for it
        whole.go_on(script['plan'], script['stage'], own=script['stage'] is None)
        if not whole.kept:
            break
    return reachable(whole.plan()) if is_reserved(run, recipient) else whole.plan()
