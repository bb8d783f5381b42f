#!/usr/bin/env python3
# test_accountant.py - the accountant lets pass what is right, and nothing else
# SPDX-License-Identifier: BSD-2-Clause
import json
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'lib')]
import accountant
from tap import Tap, equal

MESSAGE = b'Date: Sat, 28 Nov 2026 12:00:00 +0000\r\nSubject: a\r\n\tfold\r\n\r\nbody\r\n.\r\n'
RECEIVED = b'Received: from client.example\r\n\tby mx.example.test; now\r\n'
SENDER = 's@client.example'
A, B, C, X, Y = 'a@example.test', 'b@example.test', 'c@example.test', 'x@else.example', 'y@else.example'
SRS, LOOK = 'srs.example.test', 'look@else.example'
LISTS, L, M = 'a+Lists@example.test', 'l@example.test', 'm@example.test'
SELF, DISCARD = {'do': 'self'}, {'do': 'discard'}
EARLY, LATE = {'do': 'refuse early'}, {'do': 'refuse late', 'reason': 'no, thanks'}
EDIT = {'do': 'self', 'edit': {'name': 'X-Edit', 'value': 'v'}}
LAST = {'do': 'self', 'edit': {'name': 'X-Edit', 'value': 'v', 'last': True}}


def to(address, **more):
    return {'do': 'redirect', 'to': address, **more}


def filed(folder, **more):
    return {'do': 'file', 'folder': folder, **more}


ODD = {'do': 'quarantine', 'reason': 'odd'}


def told(end, *rcpt, mail=250, dot=True, recipients=None, **settings):
    return {'mail': mail, 'rcpt': list(rcpt), 'end': end, 'dot': dot, 'recipients': recipients, 'settings': settings}


def edited(name='X-Edit', value='v'):
    return RECEIVED + f'{name}: {value}\r\n'.encode() + MESSAGE


MARKED = edited('Tamis-Refused', '"no, thanks"')
MARKED_SO = edited('Tamis-Refused', '""')
BACK = 'SRS0=abcdef=xy=example.test=a@srs.example.test'
REPORT = RECEIVED + b'Subject: not delivered\r\n\r\nFinal-Recipient: rfc822; a@example.test\r\n\r\nno, thanks\r\n'


class Case:
    """rules: one {recipient: plan} for all attempts, or a list of them; later: those that were in force behind the queue
    after that; more: settings of the run."""

    def __init__(self, rules, attempts, queue=(), copies=(), events=(), mode='edge', late='keep', later=(), **more):
        self.rules = rules if isinstance(rules, list) else [rules] * len(attempts)
        self.recipients = list(self.rules[0])
        self.attempts = [{**a, 'recipients': a['recipients'] or self.recipients} for a in attempts]
        self.run = {'mode': mode, 'late': late, 'sender': SENDER, 'recipients': self.recipients, 'srs_domain': SRS, **more}
        self.versions = self.rules + list(later)
        self.events = [{'what': what, 'attempt': 0} for what in events]
        self.ways = {'queue': queue, 'copies': copies}

    def write(self, directory):
        for name in ('run', 'rules', 'attempts', 'events', 'versions'):
            (directory / f'{name}.json').write_text(json.dumps(getattr(self, name)))
        (directory / 'message.eml').write_bytes(MESSAGE)
        for way, arrivals in self.ways.items():
            (directory / way).mkdir()
            for number, arrival in enumerate(arrivals):
                addresses, content, sender = (arrival + (SENDER,))[:3]
                addresses = [addresses] if isinstance(addresses, str) else addresses
                stem = directory / way / f'{number:06}'
                stem.with_suffix('.eml').write_bytes(content)
                stem.with_suffix('.json').write_text(json.dumps({'sender': sender, 'recipients': [[a, []] for a in addresses]}))

    def audit(self):
        with tempfile.TemporaryDirectory() as name:
            self.write(pathlib.Path(name))
            return accountant.audit(name)


ROUND = 'Tamis-Redirected', '1 abcdefgh234567ab'
REWRITTEN = 's@client.example', 'SRS0=abcdef=xy=client.example=s@' + SRS
FIELD, OTHER = 'Tamis-File-' + 'a2' * 13, 'Tamis-File-' + 'b3' * 13


def through(*fields):
    """As it comes from the filtered port, with those fields above the mark."""
    content = edited(*ROUND)
    for name, value in reversed(fields):
        content = RECEIVED + f'{name}: {value}\r\n'.encode() + content[len(RECEIVED):]
    return RECEIVED + content


def site(*before, after=(), only=None, stage='header', **more):
    """Scripts of a site, for everybody or for one."""
    scripts = [[{'plan': plan, 'stage': stage, 'only': only} for plan in plans] for plans in (before, after)]
    return {'site': {'before': scripts[0], 'after': scripts[1]}, 'local': 'example.test', **more}


ARCHIVE = [to(Y), SELF]
STAMP = {'edits': [{'name': 'X-Site', 'value': 'v'}]}
STAMPED = edited('X-Site')
AL, TEAM = 'al@example.test', 'team@example.test'
POST, ABUSE = 'postmaster@example.test', 'abuse@example.test'
CHAIN = {'one@second.example': ['two@alias.example'], '@alias.example': ['@third.example'], '@third.example': ['@example.test'],
         'two@third.example': ['a@alias.example']}
TOLD = {'late': 'bounce', 'authentic': False}

OK = told(250, 250)
PLAIN = RECEIVED + MESSAGE
BOTH = told(250, 250, 250)
AGAIN = told(451, 250)
GONE = told(None, 250)

ROUND_AS_EDITED = through(('X-Edit', 'v')).replace(b' abcdefgh234567ab\r\n', b' abcdefgh234567ab\r\nX-Site: v\r\n')
ROUND_AS_STAMPED = through().replace(b' abcdefgh234567ab\r\n', b' abcdefgh234567ab\r\nX-Site: v\r\n')
OTHERS_THEN = [{A: [to(L, **STAMP)], B: [DISCARD]}, {A: [DISCARD], B: [to(L)]}], [told(451, 250, 250), BOTH]

# title, case, what is doubled
GOOD = [
    ('kept', Case({A: [SELF]}, [OK], [(A, PLAIN)]), {}),
    ('discarded', Case({A: [DISCARD]}, [OK]), {}),
    ('refused early', Case({A: [EARLY], B: [SELF]}, [told(250, 550, 250)], [(B, PLAIN)]), {}),
    ('refused by all', Case({A: [LATE], B: [DISCARD]}, [told(550, 250, 250)]), {}),
    ('refused late', Case({A: [LATE], B: [SELF]}, [BOTH], [(B, PLAIN)], [(A, MARKED)]), {}),
    ('a report', Case({A: [LATE], B: [SELF]}, [BOTH], [(B, PLAIN)], [(SENDER, REPORT, '')], late='bounce'), {}),
    ('an edit', Case({A: [EDIT], B: [SELF]}, [BOTH], [(B, PLAIN)], [(A, edited())]), {}),
    ('an edit at the end', Case({A: [LAST]}, [OK], [(A, PLAIN.replace(b'\tfold\r\n', b'\tfold\r\nX-Edit: v\r\n'))]), {}),
    ('redirected and kept', Case({A: [to(X), SELF]}, [OK], [([X, A], PLAIN)]), {}),
    ('two send the same', Case({A: [to(X)], B: [to(X)]}, [BOTH], [(X, PLAIN)]), {}),
    ('to a neighbour', Case({A: [to(B)], B: [DISCARD]}, [BOTH]), {}),
    ('to a neighbour who refuses', Case({A: [to(B)], B: [LATE]}, [told(550, 250, 250)]), {}),
    ('to one who was refused', Case({A: [to(B)], B: [EARLY]}, [told(250, 250, 550)], [(A, PLAIN)]), {}),
    ('to one who was refused, and filed', Case({A: [to(B), filed('Lists')], B: [EARLY]}, [told(250, 250, 550)], [(LISTS, PLAIN)]), {}),
    ('to one who was refused, and a copy filed', Case({A: [to(B), filed('Lists', copy=True)], B: [EARLY]}, [told(250, 250, 550)],
                                                      [([A, LISTS], PLAIN)]), {}),
    ('in a circle', Case({A: [to(B)], B: [to(A)]}, [BOTH], [([A, B], PLAIN)]), {}),
    ('a circle with a way out', Case({A: [to(B)], B: [to(A), to(X)]}, [BOTH], [(X, PLAIN)]), {}),
    ('to oneself', Case({A: [to(A)]}, [OK], [(A, PLAIN)]), {}),
    ('behind the queue', Case({A: [to(B)], B: [DISCARD]}, [BOTH], [(B, PLAIN)], mode='final'), {}),
    ('refused behind the queue', Case({A: [LATE]}, [OK], [], [(A, MARKED)], mode='final'), {}),
    ('again', Case({A: [SELF]}, [AGAIN, told(None, mail=451, dot=False), OK], [(A, PLAIN)]), {}),
    ('one of two again', Case({A: [SELF], B: [SELF]}, [told(250, 250, 451), told(250, 250, recipients=[B])],
                              [(A, PLAIN), (B, PLAIN)]), {}),
    ('what left stays left', Case([{A: [EDIT], B: [SELF]}, {A: [to(X)], B: [SELF]}], [told(451, 250, 250), BOTH],
                                  [([X, B], PLAIN)], [(A, edited())]), {}),
    ('what left counts', Case([{A: [EDIT], B: [SELF]}, {A: [SELF], B: [SELF]}], [told(451, 250, 250), BOTH],
                              [(B, PLAIN)], [(A, edited())]), {}),
    ('killed before the journal', Case({A: [EDIT], B: [SELF]}, [told(451, 250, 250), BOTH], [(B, PLAIN)],
                                       [(A, edited())] * 2, ['killed at copy-taken']), {'killed at copy-taken': 1}),
    ('a lost reply', Case({A: [EDIT], B: [SELF]}, [told(451, 250, 250), BOTH], [(B, PLAIN)], [(A, edited())] * 2,
                          ['reply lost']), {'reply lost': 1}),
    ('the port refused', Case({A: [EDIT], B: [SELF]}, [BOTH], [([A, B], PLAIN)], [], ['port refused']), {}),
    ('the port refused the redirect of one who keeps', Case({A: [to(X, edit=EDIT['edit']), SELF]}, [OK], [(A, PLAIN)], [],
                                                            ['port refused']), {}),
    ('an answer not read', Case({A: [SELF]}, [GONE, OK], [(A, PLAIN)] * 2), {'the client did not read the answer': 1}),
    ('an answer not read behind the queue', Case({A: [SELF], B: [to(A)]}, [told(None, 250, 250), BOTH], [(A, PLAIN)] * 4,
                                                 mode='final'), {'the client did not read the answer': 2}),
    ('an answer not read, nothing taken', Case({A: [SELF]}, [GONE, OK], [(A, PLAIN)]), {}),
    ('filed by detail', Case({A: [filed('Lists')]}, [OK], [(LISTS, PLAIN)]), {}),
    ('a folder that is no detail', Case({A: [filed('in box')]}, [OK], [(A, PLAIN)]), {}),
    ('a detail that the sender chose', Case({LISTS: [SELF]}, [OK], [(A, PLAIN)]), {}),
    ('a redirect to it that is ignored', Case({LISTS: [to(LISTS)]}, [OK], [(A, PLAIN)]), {}),
    ('one person named twice', Case({A: [EDIT], LISTS: [EDIT], B: [SELF]}, [told(250, 250, 250, 250)], [(B, PLAIN)],
                                    [(A, edited())]), {}),
    ('filed by header, in encoded words', Case({A: [filed('\u00e9 \u00e8')]}, [OK], [], [(A, edited(FIELD,
        '[]\r\n =?utf-8?B?w6kg?=\r\n =?utf-8?B?w6g=?='))], fileinto_by='header'), {}),
    ('filed by header', Case({A: [filed('in box'), SELF]}, [OK], [(A, PLAIN)], [(A, edited(FIELD, '[] in box'))],
                             fileinto_by='header'), {}),
    ('a detail stays', Case({LISTS: [SELF]}, [OK], [(LISTS, PLAIN)], fileinto_by='header'), {}),
    ('the sender is the user', Case({A: [to(X)]}, [OK], [(X, PLAIN, A)], redirect_sender='user'), {}),
    ('the sender is rewritten', Case({A: [to(X)]}, [OK], [(X, PLAIN, REWRITTEN[1])], redirect_sender='srs'), {}),
    ('there is no sender', Case({A: [to(X)], B: [SELF]}, [BOTH], [(B, PLAIN)], [(X, PLAIN, '')], redirect_sender='null'), {}),
    ('one copy for two, who now would have one each', Case({A: [to(X)], B: [to(X)], C: [SELF]},
        [told(451, 250, 250, 250), told(250, 250, 250, 250, redirect_sender='user')], [(C, PLAIN)], [(X, PLAIN)]), {}),
    ('a null sender stays', Case({A: [to(X)]}, [OK], [(X, PLAIN, '')], redirect_sender='user', sender=''), {}),
    ('no report to who wants to hear of nothing', Case({A: [LATE], B: [SELF]}, [BOTH], [(B, PLAIN)], [(A, MARKED)], late='bounce',
                                                       wishes={A: 'NOTIFY=NEVER'}), {}),
    ('a report, of which another wants to hear nothing', Case({A: [LATE], B: [SELF]}, [BOTH], [(B, PLAIN)], [(SENDER, REPORT, '')],
                                                              late='bounce', wishes={B: 'NOTIFY=NEVER'}), {}),
    ('a report of a disposition, which is not of a delivery', Case({A: [{**LATE, 'word': 'reject'}], B: [SELF]}, [BOTH], [(B, PLAIN)],
                                                                   [(SENDER, REPORT, '')], late='bounce',
                                                                   wishes={A: 'NOTIFY=NEVER'}), {}),
    ('no report without authentication', Case({A: [LATE], B: [SELF]}, [BOTH], [(B, PLAIN)], [(A, MARKED)], late='bounce',
                                              authentic=False), {}),
    ('through the filtered port', Case({A: [to(L)]}, [OK], [(L, through())], filtered=True, others={L: [SELF]}), {}),
    ('to one without rules', Case({A: [to(L)]}, [OK], [(L, PLAIN)], filtered=True, others={L: [{**SELF, 'rules': False}]}), {}),
    ('thrown away behind the filtered port', Case({A: [to(L)]}, [OK], filtered=True, others={L: [DISCARD]}), {}),
    ('refused behind the filtered port', Case({A: [to(L)]}, [OK], [(A, PLAIN)], filtered=True, others={L: [LATE]}), {}),
    ('it comes back', Case({A: [to(L)]}, [OK], [(L, through().replace(RECEIVED, RECEIVED + b'Tamis-Redirected: 3 x\r\n'
                           + b'Tamis-Redirected: 2 x\r\n', 1))], filtered=True, others={L: [to(M)], M: [to(L)]}), {}),
    ('one copy more through the filtered port', Case({A: [to(L)]}, [told(451, 250), OK], [(L, through()), (X, through())] * 2,
        [], ['killed at close'], filtered=True, others={L: [SELF, to(X)]}), {'killed at close': 1}),
    ('round again behind the queue', Case({A: [to(X), SELF]}, [OK], [(A, PLAIN), (X, through())], mode='final', filtered=True), {}),
    ('two come round to one who redirects', Case({A: [to(L)], B: [to(L)]}, [BOTH], [(L, through())] * 2 + [(X, RECEIVED +
        b'Tamis-Redirected: 2 x\r\n' + through())], mode='final', filtered=True, others={L: [to(X), SELF]}), {}),
    ('two come to one who sends one of them back', Case({A: [to(L)], B: [to(L), to(Y)]}, [BOTH], [(Y, through()), (B, RECEIVED +
        b'Tamis-Redirected: 2 x\r\n' + through())], mode='final', filtered=True, others={L: [to(B)]}), {}),
    ('two come to one who sends on the one that goes on', Case({A: [to(L)], B: [to(L), to(Y)]}, [BOTH], [(Y, through())] + [(to_whom, RECEIVED +
        b'Tamis-Redirected: 3 x\r\n' + RECEIVED + b'Tamis-Redirected: 2 x\r\n' + through()) for to_whom in (L, Y)], mode='final',
        filtered=True, others={L: [to(B)]}), {}),
    ('the rules of before', Case({A: [to(X)]}, [OK], [(X, PLAIN)], mode='final', later=[{A: [SELF]}]), {}),
    ('the rules of now', Case({A: [to(X)]}, [OK], [(A, PLAIN)], mode='final', later=[{A: [SELF]}]), {}),
    ('one redirects to it before, another by now', Case({A: [to(X)], B: [LATE]}, [BOTH], [(A, PLAIN), (X, PLAIN)], mode='final',
                                                        later=[{A: [SELF], B: [to(X)]}]), {}),
    ('two senders, two messages that come round', Case({A: [to(L)], B: [to(L)]}, [BOTH], [(X, through(), L)] * 2,
        filtered=True, redirect_sender='user', others={L: [to(X)]}), {}),
    ('a copy by the rules of before', Case({A: [to(X), EDIT]}, [OK], [(A, PLAIN)], [(X, PLAIN)], mode='final',
                                           later=[{A: [SELF]}]), {}),
    ('another was between answer and journal', Case({A: [EDIT], B: [SELF]}, [BOTH], [(B, PLAIN)], [(A, edited())] * 2,
        ['killed at verdict'], mode='final'), {'killed at verdict': 1}),
    ('held and let go', Case({A: [ODD], B: [DISCARD]}, [BOTH], [(A, edited('Tamis-Quarantine', '"odd"'))]), {}),
    ('set aside', Case({A: [ODD], B: [SELF]}, [BOTH], [(B, PLAIN)], [(LOOK, edited('Tamis-Quarantine', f'<{A}> "odd"'))],
                       quarantine_to=LOOK), {}),
    ('held, with two reasons', Case({A: [ODD], B: [{**ODD, 'reason': 'odder'}]}, [BOTH], [([A, B], PLAIN)]), {}),
    ('in quarantine, and kept', Case({A: [ODD, SELF]}, [OK], [(A, PLAIN)], [(LOOK, edited('Tamis-Quarantine', f'<{A}> "odd"'))],
                                     quarantine_to=LOOK), {}),
    ('kept, and nothing more', Case({A: [ODD, SELF]}, [OK], [(A, PLAIN)]), {}),
    ('in quarantine, and filed where a keep goes, and the port refused it', Case({A: [ODD, filed('no detail', **STAMP)], B: [SELF]},
        [BOTH], [([A, B], PLAIN)], [], ['port refused']), {}),
    ('in quarantine by a copy, then alone', Case([{A: [ODD], B: [SELF]}, {A: [ODD], B: [DISCARD]}], [told(451, 250, 250), BOTH],
        [], [(LOOK, edited('Tamis-Quarantine', f'<{A}> "odd"'))], quarantine_to=LOOK), {}),
    ('in quarantine, refused late beside it', Case({A: [ODD], B: [LATE]}, [BOTH], [(B, MARKED)],
        [(LOOK, edited('Tamis-Quarantine', f'<{A}> "odd"'))], quarantine_to=LOOK), {}),
    ('on hold behind the queue', Case({A: [ODD], B: [SELF]}, [BOTH], [(A, edited('Tamis-Quarantine', '"odd"')), (B, PLAIN)],
                                      mode='final', quarantine_to=LOOK), {}),
    ('the port refused what goes into quarantine', Case({A: [ODD], B: [SELF]}, [BOTH], [([A, B], PLAIN)], [], ['port refused'],
                                                        quarantine_to=LOOK), {}),
    ('the port refused a redirect of what goes into quarantine', Case({A: [to(X), ODD], B: [SELF]}, [BOTH], [(B, PLAIN)],
        [(LOOK, edited('Tamis-Quarantine', f'<{A}> "odd"'))], ['port refused'], quarantine_to=LOOK), {}),
    ('on hold twice, an answer not read', Case({A: [ODD]}, [GONE, OK], [(A, edited('Tamis-Quarantine', '"odd"'))] * 2),
     {'the client did not read the answer': 1}),
    ('only watched', Case({A: [EDIT], B: [LATE], C: [DISCARD]}, [told(250, 250, 250, 250)], [([A, B, C], PLAIN)], effect='observe'), {}),
    ('only said', Case({A: [EDIT], B: [{**SELF, 'rules': False}]}, [BOTH], [(B, PLAIN)], [(A, edited('Tamis-Would', 'x'))],
                       effect='tag'), {}),
    ('only refusals, and none', Case({A: [EARLY], B: [LATE], C: [EDIT]}, [told(250, 550, 250, 250)], [([B, C], PLAIN)],
                                     effect='refuse'), {}),
    ('only refusals', Case({A: [LATE], B: [DISCARD]}, [told(550, 250, 250)], effect='refuse'), {}),
    ('watched by then', Case({A: [EDIT], B: [SELF]}, [told(451, 250, 250), told(250, 250, 250, effect='observe')], [(B, PLAIN)],
                             [(A, edited())]), {}),
    ('nobody can be refused by then', Case({A: [EARLY]}, [told(451, 451), told(250, 250, mode='final')], [], [(A, MARKED_SO)]), {}),
    ('his address without the detail by then', Case({LISTS: [SELF]}, [AGAIN, told(250, 250, fileinto_by='detail')], [(A, PLAIN)],
                                                    fileinto_by='header'), {}),
    ('round by the filtered port then, straight by now', Case({A: [to(L)]}, [AGAIN, told(250, 250, filtered=False)],
        [(L, through())], filtered=True, others={L: [SELF]}), {}),
    ('straight then, round by now', Case({A: [to(L)]}, [AGAIN, told(250, 250, filtered=True)], [], [(L, PLAIN)],
                                         others={L: [EDIT]}), {}),
    ('filed behind the filtered port as it was done then', Case({A: [to(L)]}, [AGAIN, told(250, 250, fileinto_by='header')],
        [('l+Lists@example.test', through())], filtered=True, others={L: [filed('Lists')]}), {}),
    ('it left him by an attempt before, as others had edited it', Case(*OTHERS_THEN, [], [(L, ROUND_AS_EDITED)], filtered=True,
                                                                      others={L: [EDIT]}), {}),
    ('round by two, and edited at its end it left him once', Case({A: [to(L, **STAMP)], B: [to(L)]}, [BOTH],
        [(X, ROUND_AS_STAMPED), (X, through())], [(L, ROUND_AS_STAMPED.replace(b'\tfold\r\n', b'\tfold\r\nX-Edit: v\r\n'))],
        filtered=True, others={L: [to(X), LAST]}), {}),
    ('one more round by now', Case({A: [to(L)]}, [AGAIN, told(250, 250, mode='final')], [(X, through())], filtered=True,
                                   others={L: [to(X)]}), {}),
    ('no report to a rewritten sender', Case({A: [LATE], B: [SELF]}, [BOTH], [(B, PLAIN)], [(A, MARKED)], late='bounce',
                                            sender_rewritten=True), {}),
    ('round to one who throws it away, straight by now', Case({A: [to(L)]}, [AGAIN, told(250, 250, filtered=False)],
        filtered=True, others={L: [DISCARD]}), {}),
    ('back to a rewritten sender', Case({BACK: [{**SELF, 'rules': False}]}, [OK], [(SENDER, PLAIN, '')], sender='',
                                        rewritten={BACK: SENDER}), {}),
    ('his rules are run', Case({BACK: [to(X)]}, [OK], [(X, PLAIN, '')], sender='', rewritten={BACK: A}), {}),
    ('back to him who puts it in quarantine: nobody holds it for him', Case({BACK: [ODD]}, [OK],
        [(A, edited('Tamis-Quarantine', '"odd"'))], rewritten={BACK: A}), {}),
    ('back to him who files', Case({BACK: [filed('Lists')]}, [OK], [(LISTS, PLAIN)], rewritten={BACK: A}), {}),
    ('nobody made it', Case({BACK: [EARLY], A: [SELF]}, [told(250, 550, 250)], [(A, PLAIN)], forged=[BACK]), {}),
    ('nobody made it, and nobody is refused', Case({BACK: [EARLY]}, [OK], [(BACK, PLAIN)], forged=[BACK], effect='tag'), {}),
    ('kept, not set aside', Case({A: [ODD], B: [SELF]}, [BOTH], [(B, PLAIN)], [(A, edited('Tamis-Quarantine', '"odd"'))]), {}),
    ('a copy by the site, then refused late', Case({A: [LATE]}, [OK], [([A], MARKED), (Y, PLAIN)], **site(ARCHIVE)), {}),
    ('a copy by the site, then thrown away', Case({A: [DISCARD]}, [OK], [(Y, PLAIN)], **site(ARCHIVE)), {}),
    ('refused at RCPT TO behind the site', Case({A: [EARLY], B: [SELF]}, [told(250, 550, 250)], [(B, PLAIN)],
                                                **site([DISCARD], only=[C], stage='header')), {}),
    ('refused at the end, for what the site wants to know', Case({A: [EARLY]}, [told(550, 250)], **site([SELF], stage='body')), {}),
    ('refused at the end, behind an error of the site', Case({A: [EARLY], B: [EARLY]}, [told(550, 250, 550)],
        **site([{**SELF, 'error': 'before'}], stage='envelope', only=[A])), {}),
    ('who has no rules has those of the site', Case({A: [{**SELF, 'rules': False}]}, [OK], [(A, STAMPED)], **site([{**SELF, **STAMP}])), {}),
    ('edits of the site and his own', Case({A: [EDIT]}, [OK], [(A, RECEIVED + b'X-Edit: v\r\n' + STAMPED[len(RECEIVED):])],
                                           **site([{**SELF, **STAMP}])), {}),
    ('both send it on, once', Case({A: [to(Y), SELF]}, [OK], [([A, Y], PLAIN)], **site(ARCHIVE)), {}),
    ('refused late behind the filtered port', Case({A: [to(L)]}, [OK], [(Y, PLAIN), (Y, through()),
        (L, through(('Tamis-Refused', '"no, thanks"')))], filtered=True, others={L: [LATE]}, **site(ARCHIVE)), {}),
    ('what ends it for one', Case({A: [SELF], B: [SELF]}, [BOTH], [(B, PLAIN)], **site([DISCARD], only=[A])), {}),
    ('nothing runs behind what throws it away', Case({A: [DISCARD]}, [OK], **site(after=[ARCHIVE])), {}),
    ('a field that the site takes away', Case({A: [SELF]}, [OK], [(A, RECEIVED + MESSAGE[39:])],
                                              **site([{**SELF, 'edits': [{'delete': 'Date'}]}])), {}),
    ('a field that the site takes away, which is not there', Case({A: [to(X)], B: [to(X)]}, [BOTH], [(X, PLAIN)],
        **site([{**SELF, 'edits': [{'delete': 'X-None'}]}], only=[A])), {}),
    ('kept by the site in a folder that is none, then refused late', Case({A: [LATE]}, [OK], [(A, MARKED[:len(RECEIVED)] +
        b'Tamis-Refused: "no, thanks"\r\n' + STAMPED[len(RECEIVED):])], **site([filed('a b', **STAMP), {**SELF, **STAMP}])), {}),
    ('flags of the site', Case({A: [SELF]}, [OK], [], [(A, edited(FIELD, '[\\Seen] INBOX'))], fileinto_by='header',
                               **site([{**SELF, 'flags': '\\Seen'}])), {}),
    ('the site is silent by then', Case({A: [SELF]}, [AGAIN, told(250, 250, sited=False)], [(A, PLAIN)], [(Y, PLAIN)], **site(ARCHIVE)), {}),
    ('another name of his', Case({AL: [EDIT]}, [OK], [(AL, edited())], users={AL: [A]}, local='example.test'), {}),
    ('a folder of who has another name', Case({AL: [filed('Lists')]}, [OK], [(LISTS, PLAIN)], users={AL: [A]}, local='example.test'), {}),
    ('a domain with another name', Case({'a@alias.example': [filed('Lists')]}, [OK], [(LISTS, PLAIN)],
                                        users={'@alias.example': ['@example.test']}, local='example.test'), {}),
    ('several get what the site says', Case({TEAM: [{**SELF, 'rules': False}]}, [OK], [([TEAM, Y], PLAIN)], users={TEAM: [A, B]},
                                            **site(ARCHIVE)), {}),
    ('a chain of names', Case({'one@second.example': [filed('Lists')]}, [OK], [(LISTS, PLAIN)], users=CHAIN, local='example.test'), {}),
    ('a chain of names to several', Case({'al@alias.example': [{**SELF, 'rules': False}]}, [OK], [(['al@alias.example', Y], PLAIN)],
        users={**CHAIN, AL: [TEAM], TEAM: [A, B]}, **site(ARCHIVE)), {}),
    ('three of the site', Case({A: [SELF]}, [OK], [(X, PLAIN), ([A, Y], STAMPED)],
        **site([to(X), SELF], [{**to(Y), **STAMP}, {**SELF, **STAMP}], [SELF])), {}),
    ('who logged in is told', Case({A: [LATE], B: [SELF]}, [BOTH], [(B, PLAIN)], [(SENDER, REPORT, '')], login='me',
                                   users={'login:me': [X, SENDER]}, **TOLD), {}),
    ('who logged in as himself is told', Case({A: [LATE], B: [SELF]}, [BOTH], [(B, PLAIN)], [(SENDER, REPORT, '')], login=SENDER,
                                              users={}, **TOLD), {}),
    ('another has logged in', Case({A: [LATE], B: [SELF]}, [BOTH], [(B, PLAIN)], [(A, MARKED)], login=SENDER,
                                   users={f'login:{SENDER}': [X]}, **TOLD), {}),
    ('postmaster refuses nothing', Case({POST: [EARLY]}, [OK], [(POST, PLAIN)]), {}),
    ('postmaster throws nothing away, and the site may', Case({POST: [DISCARD], A: [SELF]}, [BOTH], [([POST, A], PLAIN)],
        **site([DISCARD], only=[B])), {}),
    ('the site throws away what comes to abuse', Case({ABUSE: [SELF]}, [OK], **site([DISCARD])), {}),
    ('abuse puts nothing in quarantine, and the site sends it on', Case({ABUSE: [ODD]}, [OK], [([ABUSE, Y], PLAIN)],
        **site(ARCHIVE, [{**SELF, **STAMP}])), {}),
    ('the site has filed it where abuse keeps it', Case({ABUSE: [DISCARD]}, [OK], [(ABUSE, STAMPED)],
        **site([filed('a b', **STAMP), {**SELF, **STAMP}])), {}),
    ('abuse may send it on', Case({ABUSE: [to(X)]}, [OK], [(X, PLAIN)]), {}),
    ('whoever is postmaster', Case({AL: [LATE]}, [OK], [(AL, PLAIN)], users={AL: [POST]}, local='example.test'), {}),
    ('a copy in a folder, and in quarantine', Case({A: [filed('x'), ODD], B: [SELF]}, [BOTH], [(B, PLAIN)], [(A, edited(FIELD, '[] x')),
        (A, edited('Tamis-Quarantine', '"odd"'))], fileinto_by='header'), {}),
]

BAD = [
    ('done, not only watched', Case({A: [EDIT]}, [OK], [], [(A, edited())], effect='observe'), 'altered'),
    ('refused, though only watched', Case({A: [EARLY]}, [told(None, 550, dot=False)], effect='observe'), 'refused without a rule'),
    ('said to who has no rules', Case({A: [{**SELF, 'rules': False}]}, [OK], [(A, edited('Tamis-Would', 'x'))], effect='tag'), 'altered'),
    ('more than refusals', Case({A: [EARLY], B: [DISCARD], C: [SELF]}, [told(250, 550, 250, 250)], [(C, PLAIN)], effect='refuse'), 'lost'),
    ('watched by then, and it comes again', Case({A: [EDIT], B: [SELF]}, [told(451, 250, 250), told(250, 250, 250, effect='observe')],
                                                 [([A, B], PLAIN)], [(A, edited())]), 'doubled without cause'),
    ('by settings that are gone', Case({A: [to(X)]}, [AGAIN, told(250, 250, redirect_sender='user')], [(X, PLAIN)]), 'misdelivered'),
    ('refused when nobody can be any more', Case({A: [LATE]}, [AGAIN, told(550, 250, mode='final')]), 'refused without a rule'),
    ('straight, though the filtered port did not take it', Case({A: [to(L)]}, [told(451, 250, dot=False), told(250, 250, filtered=True)],
        [(L, PLAIN)], others={L: [EDIT]}), 'misdelivered'),
    ('nowhere, though the filtered port is not asked', Case({A: [to(L)]}, [told(250, 250, filtered=False)], filtered=True,
                                                            others={L: [DISCARD]}), 'lost'),
    ('straight and round', Case({A: [to(L)]}, [AGAIN, told(250, 250, filtered=True)], [(L, through())], [(L, PLAIN)] * 2,
                                others={L: [SELF]}), 'doubled without cause'),
    ('a rewritten sender is told', Case({A: [LATE], B: [SELF]}, [BOTH], [(B, PLAIN)], [(SENDER, REPORT, '')], late='bounce',
                                        sender_rewritten=True), 'misdelivered'),
    ('a rewritten sender hears nothing', Case({BACK: [{**SELF, 'rules': False}]}, [OK], [], rewritten={BACK: SENDER}), 'lost'),
    ('it stays where nobody is', Case({BACK: [{**SELF, 'rules': False}]}, [OK], [(BACK, PLAIN)], rewritten={BACK: SENDER}),
     'misdelivered'),
    ('nobody made it, and it was taken', Case({BACK: [EARLY]}, [OK], [(BACK, PLAIN)], forged=[BACK]), 'not refused'),
    ('it left him by no attempt before', Case(*OTHERS_THEN, filtered=True, others={L: [EDIT]}), 'lost'),
    ('nothing came', Case({A: [SELF]}, [OK]), 'lost'),
    ('one of two came', Case({A: [SELF], B: [SELF]}, [BOTH], [(A, PLAIN)]), 'lost'),
    ('the copy did not come', Case({A: [EDIT], B: [SELF]}, [BOTH], [(B, PLAIN)]), 'lost'),
    ('of redirect and keep one came', Case({A: [to(X), SELF]}, [OK], [(A, PLAIN)]), 'lost'),
    ('the neighbour was refused', Case({A: [to(B)], B: [EARLY]}, [told(250, 250, 550)]), 'lost'),
    ('both of a circle went', Case({A: [to(B)], B: [to(A)]}, [BOTH]), 'lost'),
    ('the report did not come', Case({A: [LATE], B: [SELF]}, [BOTH], [(B, PLAIN)], late='bounce'), 'lost'),
    ('one who was kept was sent to another', Case({A: [SELF]}, [OK], [(X, PLAIN), (A, PLAIN)]), 'misdelivered'),
    ('a discarded one came', Case({A: [DISCARD]}, [OK], [(A, PLAIN)]), 'misdelivered'),
    ('with another sender', Case({A: [SELF]}, [OK], [(A, PLAIN, 'x@else.example')]), 'altered'),
    ('a byte is missing', Case({A: [SELF]}, [OK], [(A, PLAIN[:-3])]), 'altered'),
    ('a field is missing', Case({A: [SELF]}, [OK], [(A, RECEIVED + MESSAGE[39:])]), 'altered'),
    ('a fold is missing', Case({A: [SELF]}, [OK], [(A, PLAIN.replace(b'\r\n\tfold', b' fold'))]), 'altered'),
    ('a field too many', Case({A: [SELF]}, [OK], [(A, edited())]), 'altered'),
    ('the edit of another', Case({A: [EDIT], B: [SELF]}, [BOTH], [(A, PLAIN), (B, edited())]), 'altered'),
    ('an edit is missing', Case({A: [EDIT]}, [OK], [(A, PLAIN)]), 'altered'),
    ('passed in trouble', Case({A: [SELF]}, [OK], [(A, edited('Tamis-Trouble', 'passed'))]), 'altered'),
    ('no trace', Case({A: [SELF]}, [OK], [(A, MESSAGE)]), 'altered'),
    ('a report with a sender', Case({A: [LATE], B: [SELF]}, [BOTH], [(B, PLAIN)], [(SENDER, REPORT)], late='bounce'),
     'altered'),
    ('MAIL was refused', Case({A: [SELF]}, [told(None, mail=550, dot=False)]), 'refused without a rule'),
    ('RCPT was refused', Case({A: [SELF]}, [told(None, 550, dot=False)]), 'refused without a rule'),
    ('late was early', Case({A: [LATE]}, [told(None, 550, dot=False)]), 'refused without a rule'),
    ('refused behind the queue', Case({A: [LATE]}, [told(550, 250)], mode='final'), 'refused without a rule'),
    ('all were refused for one', Case({A: [LATE], B: [SELF]}, [told(550, 250, 250)]), 'refused without a rule'),
    ('all discard, and it was refused', Case({A: [DISCARD]}, [told(550, 250)]), 'refused without a rule'),
    ('a refusal that was none', Case({A: [EARLY]}, [OK]), 'not refused'),
    ('a late refusal that was none', Case({A: [LATE]}, [OK]), 'not refused'),
    ('twice', Case({A: [SELF]}, [OK], [(A, PLAIN)] * 2), 'doubled without cause'),
    ('twice in one transaction', Case({A: [SELF]}, [OK], [([A, A], PLAIN)]), 'doubled without cause'),
    ('two send the same, twice', Case({A: [to(X)], B: [to(X)]}, [BOTH], [(X, PLAIN)] * 2), 'doubled without cause'),
    ('by queue and by copy', Case({A: [EDIT], B: [SELF]}, [BOTH], [([A, B], PLAIN)], [(A, edited())]), 'altered'),
    ('the same twice, in another form', Case([{A: [EDIT], B: [SELF]}, {A: [SELF], B: [SELF]}],
                                             [told(451, 250, 250), BOTH], [([A, B], PLAIN)], [(A, edited())]),
     'doubled without cause'),
    ('a copy again without a reason', Case({A: [EDIT], B: [SELF]}, [told(451, 250, 250), BOTH], [(B, PLAIN)],
                                           [(A, edited())] * 2), 'doubled without cause'),
    ('twice for one event', Case({A: [EDIT], B: [SELF]}, [told(451, 250, 250), BOTH], [(B, PLAIN)],
                                 [(A, edited())] * 3, ['killed at copy-taken']), 'doubled without cause'),
    ('killed elsewhere', Case({A: [EDIT], B: [SELF]}, [told(451, 250, 250), BOTH], [(B, PLAIN)],
                              [(A, edited())] * 2, ['killed at journal']), 'doubled without cause'),
    ('the queue twice, as a copy may be', Case({A: [SELF]}, [AGAIN, OK], [(A, PLAIN)] * 2, [],
                                               ['killed at copy-taken']), 'doubled without cause'),
    ('delivered, and told to try again', Case({A: [DISCARD], B: [SELF]}, [told(451, 250, 250),
                                              told(None, mail=451, dot=False)], [(B, PLAIN)]), 'misdelivered'),
    ('the port refused, and he does not keep it', Case({A: [EDIT], B: [SELF]}, [BOTH], [(B, PLAIN)], [],
                                                       ['port refused']), 'lost'),
    ('the port refused his own, and it is in quarantine alone', Case({A: [ODD, EDIT], B: [SELF]}, [BOTH], [(B, PLAIN)],
        [(LOOK, edited('Tamis-Quarantine', f'<{A}> "odd"'))], ['port refused'], quarantine_to=LOOK), 'lost'),
    ('the port refused one of two', Case({A: [EDIT], B: [EDIT], C: [SELF]}, [told(250, 250, 250, 250)],
                                         [([A, C], PLAIN)], [], ['port refused']), 'lost'),
    ('the daemon crashed', Case({A: [SELF]}, [AGAIN, OK], [(A, PLAIN)], [], ['died of -11']), 'died'),
    ('the daemon stopped', Case({A: [SELF]}, [AGAIN, OK], [(A, PLAIN)], [], ['told to stop'] + ['stopped'] * 2), 'died'),
    ('told to try again for ever', Case({A: [SELF]}, [AGAIN] * 5), 'never settled'),
    ('three times for two answers', Case({A: [SELF]}, [GONE, OK], [(A, PLAIN)] * 3), 'doubled without cause'),
    ('a copy before the end', Case({A: [EDIT], B: [SELF]}, [told(None, 250, 250, dot=False), told(451, 250, 250, dot=False)],
                                   [], [(A, edited())]), 'misdelivered'),
    ('one who was named twice has two copies', Case({A: [EDIT], LISTS: [EDIT], B: [SELF]}, [told(250, 250, 250, 250)],
        [(B, PLAIN)], [(A, edited())] * 2), 'doubled without cause'),
    ('the sender chose the folder', Case({LISTS: [SELF]}, [OK], [(LISTS, PLAIN)]), 'misdelivered'),
    ('filed, and kept as well', Case({A: [filed('Lists')]}, [OK], [([A, LISTS], PLAIN)]), 'misdelivered'),
    ('the field of another', Case({A: [filed('x')], B: [filed('x')]}, [BOTH], [], [(A, edited(FIELD, '[] x')),
        (B, edited(FIELD, '[] x'))], fileinto_by='header'), 'misfiled'),
    ('a field of ours that is not ASCII', Case({A: [filed('\u00e9')]}, [OK], [], [(A, edited(FIELD, '[] \u00e9'))],
        fileinto_by='header'), 'altered'),
    ('encoded words that say something else', Case({A: [filed('\u00e9')]}, [OK], [], [(A, edited(FIELD, '[] =?utf-8?B?w6g=?='))],
        fileinto_by='header'), 'altered'),
    ('two fields for one', Case({A: [filed('x'), filed('y')]}, [OK], [], [(A, edited(FIELD, '[] x')),
        (A, edited(OTHER, '[] y'))], fileinto_by='header'), 'misfiled'),
    ('the field is missing', Case({A: [filed('x')]}, [OK], [(A, PLAIN)], fileinto_by='header'), 'altered'),
    ('the sender was to be the user', Case({A: [to(X)]}, [OK], [(X, PLAIN)], redirect_sender='user'), 'altered'),
    ('the rewritten sender of another', Case({A: [to(X)]}, [OK], [(X, PLAIN, REWRITTEN[1].replace('=s@', '=t@'))],
                                             redirect_sender='srs'), 'altered'),
    ('one copy of two, who have one each', Case({A: [to(X)], B: [to(X)], C: [SELF]},
        [told(451, 250, 250, 250, redirect_sender='user'), told(250, 250, 250, 250)], [(C, PLAIN)], [(X, PLAIN, A)],
        redirect_sender='user'), 'lost'),
    ('one copy for one, and one was to be for the other', Case([{A: [to(X)], B: [to(Y)], C: [SELF]}, {A: [to(X)], B: [to(X)], C: [SELF]}],
        [told(451, 250, 250, 250), told(250, 250, 250, 250, redirect_sender='user')], [(C, PLAIN)], [(X, PLAIN)]), 'lost'),
    ('a keep with another sender', Case({A: [to(X), SELF]}, [OK], [([A, X], PLAIN, A)], redirect_sender='user'), 'altered'),
    ('a report to who wants to hear of nothing', Case({A: [LATE], B: [SELF]}, [BOTH], [(B, PLAIN)], [(SENDER, REPORT, '')],
                                                      late='bounce', wishes={A: 'NOTIFY=NEVER'}), 'misdelivered'),
    ('nothing at all to who wants to hear of nothing', Case({A: [LATE], B: [SELF]}, [BOTH], [(B, PLAIN)], late='bounce',
                                                            wishes={A: 'NOTIFY=NEVER'}), 'lost'),
    ('a report without authentication', Case({A: [LATE], B: [SELF]}, [BOTH], [(B, PLAIN)], [(SENDER, REPORT, '')],
                                             late='bounce', authentic=False), 'misdelivered'),
    ('past the filtered port', Case({A: [to(L)]}, [OK], [(L, PLAIN)], filtered=True, others={L: [SELF]}), 'altered'),
    ('though his rules discard', Case({A: [to(L)]}, [OK], [(L, through())], filtered=True, others={L: [DISCARD]}), 'misdelivered'),
    ('refused there, and not kept', Case({A: [to(L)]}, [OK], filtered=True, others={L: [LATE]}), 'lost'),
    ('his edit is missing', Case({A: [to(L)]}, [OK], [(L, through())], filtered=True, others={L: [EDIT]}), 'altered'),
    ('twice through the filtered port', Case({A: [to(L)]}, [OK], [(L, through())] * 2, filtered=True, others={L: [SELF]}),
     'doubled without cause'),
    ('two come to one who sends none back', Case({A: [to(L)], B: [to(L), to(Y)]}, [BOTH], [(Y, through())], mode='final',
                                                 filtered=True, others={L: [to(B)]}), 'lost'),
    ('one comes to one who sends it on, but not further', Case({A: [to(L)], B: [to(Y)]}, [BOTH], [(Y, through())], mode='final',
                                                               filtered=True, others={L: [to(B)]}), 'lost'),
    ('two come round to one who keeps one', Case({A: [to(L)], B: [to(L)]}, [BOTH], [(L, through())], mode='final', filtered=True,
                                                 others={L: [SELF]}), 'lost'),
    ('by the rules of before and of now', Case({A: [to(X)]}, [OK], [([A, X], PLAIN)], mode='final', later=[{A: [SELF]}]),
     'misdelivered'),
    ('by the rules of none of both', Case({A: [to(X)]}, [OK], [(Y, PLAIN)], mode='final', later=[{A: [SELF]}]), 'lost'),
    ('not set aside', Case({A: [ODD], B: [SELF]}, [BOTH], [([A, B], PLAIN)], quarantine_to=LOOK), 'misdelivered'),
    ('let go without a mark', Case({A: [ODD]}, [OK], [(A, PLAIN)]), 'altered'),
    ('set aside for another', Case({A: [ODD], B: [SELF]}, [BOTH], [(B, PLAIN)],
        [(LOOK, edited('Tamis-Quarantine', f'<{B}> "odd"'))], quarantine_to=LOOK), 'altered'),
    ('set aside, and held', Case({A: [ODD], B: [SELF]}, [told(451, 250, 250), BOTH],
        [(B, PLAIN), (A, edited('Tamis-Quarantine', '"odd"'))],
        [(LOOK, edited('Tamis-Quarantine', f'<{A}> "odd"'))], quarantine_to=LOOK), 'doubled without cause'),
    ('on hold for all, though one keeps it', Case({A: [ODD], B: [SELF]}, [BOTH], [([A, B], edited('Tamis-Quarantine', '"odd"'))],
                                                  quarantine_to=LOOK), 'altered'),
    ('on hold twice', Case({A: [ODD]}, [OK], [(A, edited('Tamis-Quarantine', '"odd"'))] * 2), 'doubled without cause'),
    ('thrown away, not set aside', Case({A: [ODD], B: [SELF]}, [BOTH], [(B, PLAIN)], quarantine_to=LOOK), 'lost'),
    ('tried again after it was settled', Case({A: [SELF]}, [OK, OK], [(A, PLAIN)] * 2), 'bad evidence'),
    ('the copy of the site did not come', Case({A: [DISCARD]}, [OK], **site(ARCHIVE)), 'lost'),
    ('a copy by the site, and refused to nobody', Case({A: [LATE]}, [OK], [(Y, PLAIN)], **site(ARCHIVE)), 'lost'),
    ('a copy by the site, and refused while it leaves', Case({A: [LATE]}, [told(550, 250)], [], [(Y, PLAIN)], **site(ARCHIVE)),
     'refused without a rule'),
    ('a copy by the site, and refused at RCPT TO', Case({A: [EARLY]}, [told(None, 550, dot=False)], **site(ARCHIVE, stage='envelope')),
     'refused without a rule'),
    ('refused at RCPT TO behind an error of the site', Case({A: [EARLY]}, [told(None, 550, dot=False)],
        **site([{**SELF, 'error': 'before'}], stage='envelope')), 'refused without a rule'),
    ('the edit of the site is missing', Case({A: [SELF]}, [OK], [(A, PLAIN)], **site([{**SELF, **STAMP}])), 'altered'),
    ('the edit of the site is not for him', Case({A: [SELF], B: [SELF]}, [BOTH], [([A, B], STAMPED)],
                                                 **site([{**SELF, **STAMP}], only=[A])), 'altered'),
    ('the site threw it away, and it came', Case({A: [SELF]}, [OK], [(A, PLAIN)], **site([DISCARD])), 'misdelivered'),
    ('both send it on, twice', Case({A: [to(Y), SELF]}, [OK], [([A, Y, Y], PLAIN)], **site(ARCHIVE)), 'doubled without cause'),
    ('the rules of one of several', Case({TEAM: [{**SELF, 'rules': False}]}, [OK], users={TEAM: [A, B]}, **site([SELF])), 'lost'),
    ('the second name of a chain', Case({'one@second.example': [filed('Lists')]}, [OK], [('two+Lists@alias.example', PLAIN)],
                                        users=CHAIN, local='example.test'), 'misdelivered'),
    ('the third of the site is not run', Case({A: [SELF]}, [OK], [([A, X], PLAIN)], **site([to(X), SELF], [SELF], ARCHIVE)), 'lost'),
    ('who logged in is not told', Case({A: [LATE], B: [SELF]}, [BOTH], [(B, PLAIN)], [(A, MARKED)], login='me',
                                       users={'login:me': [SENDER]}, **TOLD), 'misdelivered'),
    ('who logged in as another is told', Case({A: [LATE], B: [SELF]}, [BOTH], [(B, PLAIN)], [(SENDER, REPORT, '')], login='me',
                                              users={'login:me': [X]}, **TOLD), 'misdelivered'),
    ('postmaster refuses', Case({POST: [EARLY]}, [told(None, 550, dot=False)]), 'refused without a rule'),
    ('abuse throws away what the site sends on', Case({ABUSE: [DISCARD]}, [OK], [(Y, PLAIN)], **site(ARCHIVE)), 'lost'),
    ('a folder below another name', Case({AL: [filed('Lists')]}, [OK], [('al+Lists@example.test', PLAIN)], users={AL: [A]},
                                         local='example.test'), 'misdelivered'),
    ('the flags are missing', Case({A: [SELF]}, [OK], [(A, PLAIN)], fileinto_by='header', **site([{**SELF, 'flags': '\\Seen'}])),
     'altered'),
    ('a copy in a folder instead of quarantine', Case({A: [filed('x'), ODD], B: [SELF]}, [BOTH], [(B, PLAIN)],
        [(A, edited(FIELD, '[] x'))], fileinto_by='header'), 'lost'),
]


def passes(case, doubled):
    books = case.audit()
    equal(books.failures, [])
    equal(dict(books.doubled), doubled)


def fails(case, verdict):
    failures = case.audit().failures
    assert any(failure.startswith(verdict + ': ') for failure in failures), f'no "{verdict}" in {failures}'


def main():
    tap = Tap()
    for title, case, doubled in GOOD:
        tap.run(f'right: {title}', passes, case, doubled)
    for title, case, verdict in BAD:
        tap.run(f'{verdict}: {title}', fails, case, verdict)
    return tap.finish()


if __name__ == '__main__':
    sys.exit(main())
