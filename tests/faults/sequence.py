# sequence.py - what the scripts of a site and a user's own rules make together
# SPDX-License-Identifier: BSD-2-Clause
"""The accountant's reading of doc/ARCHITECTURE.md 4, scripts in sequence, and of tamis.conf(5), USERS."""

TAKES = ('self', 'redirect', 'file', 'quarantine')


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
    local, _at, domain = user_of(address).rpartition('@')
    for name in (address, user_of(address)):
        if name in users:
            return users[name]
    if f'@{domain}' in users:
        return [local + users[f'@{domain}'][0]]
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


def edits_of(destination):
    return destination.get('edits') or ([destination['edit']] if destination.get('edit') else [])


class Sequence:
    """One script after the other, for one recipient: each that keeps hands on what it did."""

    def __init__(self):
        self.done, self.kept, self.refused = [], {'do': 'self'}, None
        self.thrown = []
        self.early = True               # could all of it be decided at RCPT TO?

    def go_on(self, plan, stage):
        before, flags, self.kept = edits_of(self.kept), self.kept.get('flags', ''), None
        for d in plan:
            d = {**d, 'edits': before + edits_of(d)}
            d.pop('edit', None)
            if d['do'] == 'self':
                self.kept = {**d, 'flags': d.get('flags') or flags}
            elif d['do'].startswith('refuse'):
                self.refused = {**d, 'do': d['do'] if self.early and not self.done else 'refuse late'}
            elif d['do'] in TAKES:
                self.add(d)
        self.thrown = [d for d in plan if d['do'] == 'discard'] if not self.kept else []
        # nor is anything refused there for what an error left
        self.early = self.early and stage == 'envelope' and not any(edits_of(d) or d.get('error') for d in plan)

    def add(self, d):
        """To one place once, as it was the first time; of flags the last count."""
        for other in self.done:
            if other['do'] == d['do'] and (d['do'] == 'quarantine' or other.get('folder') == d.get('folder') and
                                           other.get('to', '').lower() == d.get('to', '').lower()):
                other['flags'] = d.get('flags', '')
                return
        self.done.append(d)

    def plan(self):
        return self.done + [d for d in (self.kept, self.refused) if d] + self.thrown


def together(run, recipient, plan):
    """The plan of a recipient whose own rules say that; "rules": False where nothing runs for him."""
    site = run.get('site') if run.get('sited', True) else None
    if not site or recipient in run.get('forged', ()) or not is_ours(run, recipient):
        return plan
    whole = Sequence()
    own = [] if any(d.get('rules') is False for d in plan) else [{'plan': plan, 'stage': None}]
    for script in [*site['before'], *own, *site['after']]:
        if script.get('only') is not None and moved(run, recipient) not in script['only']:
            continue
        # what refuses is the last to run, and says itself whether the envelope is enough for it
        whole.go_on(script['plan'], script['stage'])
        if not whole.kept:
            break
    return whole.plan()
