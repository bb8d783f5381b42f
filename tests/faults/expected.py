# expected.py - what the rules of a run make of its message: who gets it, and with which bytes
# SPDX-License-Identifier: BSD-2-Clause
"""The accountant's reading of the manual: plans of recipients, as README.md has them, to what has to arrive."""
import base64
import collections
import re

from sequence import TAKES, edits_of, has_login, moved, together, user_of, whose

TRACE_MOST = 4                  # Received fields that servers on the way add, for each time that it comes through them
DETAIL = re.compile(r'[A-Za-z0-9_-]{1,32}')

# A unit is one delivery that a plan asks for: whose plan (of the client's recipients), where to, how it looks; via:
# addresses that it went to through the filtered port; folder: that a field says; stay: in place of a copy that the port
# refused for good; slot: what takes the place of the address where it is one thing in several ways; group: of these units
# one is enough.
Unit = collections.namedtuple('Unit', 'owner address label via folder stay slot group', defaults=[(), '', False, '', ''])
# How a message looks: fields above it and at the end of its header, as regular expressions; its sender, None: as it
# came; hops: how often it went through the filtered port; gone: names of fields of the sender's that rules deleted.  A
# report is told by the recipient and the reason.
Label = collections.namedtuple('Label', 'kind top last sender hops gone', defaults=[(), (), None, 0, ()])
AS_SENT = Label('message')


def same(one, other):
    return one.lower() == other.lower()


# --- contents

def edited(label, destination):
    for edit in edits_of(destination):
        if edit.get('delete'):
            label = label._replace(gone=(*label.gone, edit['delete']))
            continue
        line = edit.get('line') or re.escape(f'{edit["name"]}: {edit["value"]}')
        label = label._replace(last=(*label.last, line)) if edit.get('last') else above(label, line)
    return label


def above(label, line):
    return label._replace(top=(line, *label.top))


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


WORDS = re.compile(rb'=\?utf-8\?B\?([^?]*)\?=(?:[ \t]+(?==\?utf-8\?B\?))?')


def as_read(field):
    """One of ours without its folds and encoded words (RFC 2047), which is nothing if it is not ASCII."""
    if not field.startswith(b'Tamis-'):
        return field
    if not field.isascii():
        return b''
    return WORDS.sub(lambda word: base64.b64decode(word[1]), re.sub(rb'\r\n(?=[ \t])', b'', field))


def difference(content, message, label):
    """What of the content is not the message under that label; None: it is."""
    (fields, body), (sent, sent_body) = fields_of(content), fields_of(message)
    sent = [field for field in sent if field.partition(b':')[0].decode() not in label.gone]
    if body != sent_body:
        return f'body of {len(body)} bytes instead of {len(sent_body)}, or others'
    wanted = [line.encode() for line in label.top] + [re.escape(f) for f in sent] + [line.encode() for line in label.last]
    at, trace = 0, 0
    for field in fields:
        if at < len(wanted) and re.fullmatch(wanted[at], as_read(field), re.S):
            at += 1
        elif field.startswith(b'Received:'):
            trace += 1
        else:
            return f'field {field!r}'
    if at < len(wanted):
        return f'no field {wanted[at]!r}'
    if not 0 < trace <= TRACE_MOST * (label.hops + 1):
        return f'{trace} trace fields'
    return None


def report_difference(content, label):
    """A report to the sender names whom it speaks of, and why."""
    owner, reason = label.top
    spelled = ''.join(c if c.isascii() else f'\\x{{{ord(c):X}}}' for c in owner)      # RFC 6533 3
    for word in (f'Final-Recipient: {"rfc822" if owner.isascii() else "utf-8"}; {spelled}', reason):
        if word.encode() not in content:
            return f'a report without {word!r}'
    return None


# --- plans, and how recipients interfere

class Resolved:
    """units: what has to arrive; refusals: {recipient: reason}; keepers: (owner, recipient, label, via) who keeps the
    message as it came to him should something of his not be taken; sends: does some plan need the message?"""

    def __init__(self):
        self.units, self.refusals, self.keepers, self.sends = set(), {}, set(), False
        self.words = {}         # {recipient: the command that refuses}
        # maybe: what may come besides; aside: (owner, recipient, label, via, reason, keeps) of what is put in quarantine
        self.maybe, self.aside = set(), []

    def add(self, other):
        self.units |= other.units
        self.keepers |= other.keepers
        self.sends |= other.sends
        self.aside += other.aside


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


def home_of(run, recipient):
    """Where his keep goes: by details, to his address without one."""
    recipient = moved(run, recipient)
    by_detail = run.get('fileinto_by', 'detail') == 'detail'
    return whose(run, recipient) if by_detail and '+' in recipient else recipient


KEPT = [{'do': 'self', 'rules': False}]
TAGGED = [{'do': 'self', 'rules': False, 'edit': {'line': 'Tamis-Would: .+'}}]


def in_force(run, plans):
    """The plans as far as `effect` has them carried out; forged: who has no rules, and was not refused."""
    effect = run.get('effect', 'full')
    plans = {r: KEPT if r in run.get('forged', ()) else plan for r, plan in plans.items()}
    dos = [d['do'] for plan in plans.values() for d in plan]
    refused = run['mode'] != 'final' and any(do.startswith('refuse') for do in dos) and not any(do in TAKES for do in dos)
    if effect == 'observe' or effect == 'refuse' and not refused:
        return dict.fromkeys(plans, KEPT)
    if effect == 'tag':
        return {r: KEPT if any(d.get('rules') is False for d in plan) else TAGGED for r, plan in plans.items()}
    return plans


class Resolver:
    """run: what holds for the whole run and the settings of that time; plans: those of everybody who has rules here then.
    split: each recipient is alone, as behind the queue; final: nobody can be refused."""

    def __init__(self, run, plans):
        self.run, self.final, self.split = run, run['mode'] == 'final', run.get('split', run['mode'] == 'final')
        self.rules = {**run.get('others', {}), **plans}

    def rules_of(self, address):
        """Only what goes round through the filtered port meets them."""
        for r, plan in self.rules.items():
            if self.user(r) == self.user(address):
                break
        else:
            plan = KEPT
        plan = together(self.run, address, plan)
        return None if any(d.get('rules') is False for d in plan) else plan

    def user(self, recipient):
        return whose(self.run, recipient)

    def resolve(self, plans, refused=()):
        """The plans of recipients of one message."""
        plans = in_force(self.run, plans)
        if not self.split:
            return self.merge(plans, refused, AS_SENT, ())
        # behind the queue each recipient is a message of his own; nobody can be refused
        found = Resolved()
        for r in plans:
            one = self.merge({r: plans[r]}, (), AS_SENT, ())
            found.add(one)
            found.refusals.update(one.refusals)
            found.words.update(one.words)
        return found

    def merge(self, plans, refused, label, via, owner=None):
        """All recipients of one message (tamis-milter(8)): what goes to a neighbour is his own plan's affair."""
        found = Resolved()
        # what a script of the site has filed where he keeps it reaches him
        plans = {r: [d for d in plan if not (d.get('reachable') and any(map(self.kept, plan)))] for r, plan in plans.items()}
        found.refusals = {r: d.get('reason', '') for r in plans for d in plans[r] if d['do'].startswith('refuse')}
        found.words = {r: d.get('word') for r in plans for d in plans[r] if d['do'].startswith('refuse')}
        moving = {r: [d for d in plans[r] if d['do'] in TAKES] for r in plans}
        back = {r for r in plans if via and self.user(r) in map(self.user, (owner, *via[:-1]))}
        ignored = {r for r in plans for d in moving[r] if d['do'] == 'redirect' and
                   (r in back or same(d['to'], moved(self.run, r)) or d['to'] in refused)}
        for r in ignored:
            moving[r] = [d for d in moving[r] if d['do'] != 'redirect' or
                         r not in back and not same(d['to'], moved(self.run, r)) and d['to'] not in refused]
        circle = circular(moving, refused, ignored)
        for r in plans:
            whose, unruled = owner or r, any(d.get('rules') is False for d in plans[r])
            keeper = (whose, moved(self.run, r) if unruled else home_of(self.run, r), label, via)
            found.keepers.add(keeper)
            # what is refused at the filtered port for good stays with whom it was redirected from
            taken = all([self.destination(found, plans, keeper, r, d) for d in moving[r]])
            keeps = any(d['do'] in ('self', 'quarantine') or self.kept(d) for d in moving[r])
            # who refuses keeps nothing for want of another; what is refused late may be kept already
            if r in found.refusals:
                keeps |= taken or not self.told(label, whose, found.words[r])
            # he has what he filed himself, where nothing was refused
            files = any(d['do'] == 'file' and not d.get('copy') and d.get('own', True) for d in moving[r])
            if (r in circle or r in ignored and not files or not taken) and not keeps:
                found.units.add(Unit(*keeper))
                found.sends = True
        return found

    def kept(self, d):
        """Filing that comes to where a keep does."""
        return d['do'] == 'file' and self.run.get('fileinto_by', 'detail') == 'detail' and not DETAIL.fullmatch(d['folder'])

    def destination(self, found, plans, keeper, r, d):
        """False: it is refused."""
        whose, address, label, via = keeper
        content = edited(label, d)
        if d['do'] == 'redirect' and d['to'] in plans:
            return True
        found.sends, folder = True, ''
        if d['do'] == 'quarantine':
            keeps = any(other['do'] == 'self' or self.kept(other) or other['do'].startswith('refuse') and not self.told(label, whose, other.get('word'))
                        for other in plans[r])
            found.aside.append((whose, r, label, via, d['reason'], keeps))
            return True
        if d['do'] == 'redirect':
            return self.redirect(found, keeper, d, content._replace(sender=self.sender_of(label.sender, r)))
        by_header = self.run.get('fileinto_by') == 'header'
        if by_header and (d['do'] == 'file' or d.get('flags')):
            folder, address = d.get('folder', 'INBOX'), moved(self.run, r)
            content = above(content, rf'Tamis-File-[0-9a-z]{{26}}: \[{re.escape(d.get("flags", ""))}\] {re.escape(folder)}')
        elif self.kept(d) and any(other['do'] == 'self' for other in plans[r]):
            return True         # comes to the same place, with the later edits
        elif d['do'] == 'file' and not self.kept(d):
            address = self.user(r).replace('@', f'+{d["folder"]}@')
        found.units.add(Unit(whose, address, content, via, folder))
        return True

    def sender_of(self, before, user):
        """Of a redirect; a regular expression, or None: as it came."""
        how, original = self.run.get('redirect_sender', 'keep'), self.run['sender']
        if how == 'keep' or before == '' or before is None and not original:
            return before
        if how == 'user':
            return re.escape(self.user(user))
        if how == 'null':
            return ''
        if before is not None:
            return before       # it comes back here already
        local, _at, domain = original.rpartition('@')
        if domain == self.run['srs_domain']:
            return before
        return rf'SRS0=[^=@]+=[^=@]+={re.escape(domain)}={re.escape(local)}@{re.escape(self.run["srs_domain"])}'

    def redirect(self, found, keeper, d, content):
        """Through the filtered port the rules of whom it leads to are run; False: they refuse."""
        whose, _address, _label, via = keeper
        rules, filtered = self.rules_of(d['to']), self.run.get('filtered', False)
        if filtered and (rules or self.final):
            content = above(content._replace(hops=content.hops + 1), rf'Tamis-Redirected: {content.hops + 1} [0-9a-z]+')
            via = (*via, d['to'])
        if not filtered or not rules:
            found.units.add(Unit(whose, d['to'], content, via))
            return True
        inner = self.merge({d['to']: rules}, (), content, via, owner=whose)
        if inner.refusals and not inner.sends and not self.final:
            return False
        for recipient, reason in inner.refusals.items():
            self.late(inner, whose, recipient, reason, content, via, inner.words[recipient])
        found.add(inner)
        return True

    def told(self, label, owner, word):
        """Is the sender told what is refused late, by a report?  Of a delivery that failed he is not who wants to hear of none
        (RFC 3461 4.1); "reject" tells of a disposition."""
        if 'NEVER' in self.run.get('wishes', {}).get(owner, '') and word != 'reject':
            return False
        authentic = self.run.get('authentic', True) or has_login(self.run) and not label.hops
        return self.run['late'] == 'bounce' and self.run['sender'] and label.sender is None and authentic \
            and not self.run.get('sender_rewritten')

    def late(self, found, owner, recipient, reason, label, via, word):
        """A refusal that the sender cannot be told any more while he is connected."""
        if self.told(label, owner, word):
            found.units.add(Unit(owner, self.run['sender'], Label('report', (recipient, reason)), via))
            return
        home, mark = home_of(self.run, recipient), re.escape(f'Tamis-Refused: "{reason}"')
        # what the site has kept for him has the mark
        kept = next((u for u in found.units if u.owner == owner and u.address == home and u.via == via and
                     not (u.group or u.folder) and u.label.sender == label.sender), None)
        found.units.discard(kept)
        found.units.add(Unit(owner, home, above(kept.label if kept else label, mark), via))

    def add_late(self, found):
        for r, reason in found.refusals.items():
            self.late(found, r, r, reason, AS_SENT, (), found.words[r])

    def add_quarantine(self, found, again):
        """The server holds what nobody else takes; who is released gets it, if his mail comes to the address in the envelope.
        Else it is a copy for whoever looks at such, or is kept.  again: what others take may have left by an earlier attempt."""
        for whose, r, label, via, reason, keeps in found.aside:
            alone, again = bool(via) or self.split, again and not via and not self.split
            taken = any(u.via == via and u.label.kind == 'message' and (not alone or u.owner == whose) and not u.group
                        for u in found.units)
            taken |= any(other[1] in self.run.get('rewritten', {}) for other in found.aside
                         if other[3] == via and (not alone or other[0] == whose))
            field, among = f'Tamis-Quarantine: {{}}"{reason}"', [other for other in found.aside if other[3] == via]
            one_reason = alone or len({other[4] for other in among}) == 1
            marked = above(label, re.escape(field.format('')))
            group, aside = f'quarantine for {r}', self.run.get('quarantine_to')
            held = Unit(whose, r, marked if one_reason else label, via, slot=group, group=group)
            if not taken:
                found.units.add(held)
                continue
            if again:
                (found.maybe if keeps and not aside else found.units).add(held)
            if aside:
                copy = above(label, re.escape(field.format(f'<{moved(self.run, r)}> ')))
                found.units.add(Unit(whose, aside, copy, via, slot=group, group=group))
            elif not keeps:
                found.units.add(Unit(whose, home_of(self.run, r), marked, via, group=group))
