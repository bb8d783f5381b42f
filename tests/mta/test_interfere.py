#!/usr/bin/env python3
# test_interfere.py - one message, one answer, several plans: each rule of the merge by name
# SPDX-License-Identifier: BSD-2-Clause
"""A case has its own people and one message.  `arrives` names every copy that must come, with what was done to it:
"" nothing, "edited" the field that rules add, "marked" a field of ours.  `told` is what the sender hears for each
recipient in the end.  `in_place`: who gets
the server's own message, not a copy."""
import os
import re
import sys

import world
import place
from tap import Tap

EDIT = 'require "editheader"; addheader "X-Edited" "once";'
REFUSE = 'require "ereject"; if header "subject" "hello" { ereject "%s"; }'
EARLY = 'require ["envelope", "ereject"]; if envelope :domain "from" "client.example" { ereject "never"; stop; }'
DISCARD = 'if not exists "X-Keep" { discard; }'
EDITED = b'X-Edited: once\r\n'


class Case:
    def __init__(self, title, people, to, arrives, told=None, says=(), in_place=(), kinds=('postfix', 'sendmail'),
                 sender=world.SENDER, header=(), group='plain', came_from=None):
        self.title, self.people, self.to, self.arrives = title, people, to, arrives
        self.told = told or [250] * len(to)
        self.says, self.in_place, self.kinds, self.sender = says, in_place, kinds, sender
        self.header, self.group, self.came_from = header, group, came_from or {}


CASES = [
    # --- one verdict for all
    Case('nobody keeps and one refuses: all are refused, and discards do not stand in the way',
         {'a1': 'discard;', 'a2': REFUSE % 'not a2'}, ['a1', 'a2'], {}, [550, 550], says=['not a2']),
    Case('texts that differ are headed by whose they are',
         {'b1': REFUSE % 'reason one', 'b2': REFUSE % 'reason two'}, ['b1', 'b2'], {}, [550, 550],
         says=['<b1@example.test>:', 'reason one', '<b2@example.test>:', 'reason two']),
    Case('a text that all have is said once',
         {'c1': REFUSE % 'the reason', 'c2': REFUSE % 'the reason'}, ['c1', 'c2'], {}, [550, 550], says=['the reason']),
    Case('a redirect needs the message: the refusal comes too late and is kept with a mark',
         {'d1': 'redirect "d@else.example";', 'd2': REFUSE % 'not d2'}, ['d1', 'd2'],
         {'d@else.example': '', 'd2@example.test': 'marked'}),
    Case('somebody without rules needs the message',
         {'e1': REFUSE % 'not e1'}, ['e1', 'e2'], {'e1@example.test': 'marked', 'e2@example.test': ''}),
    Case('all discard: the sender hears 250', {'f1': 'discard;', 'f2': 'discard;'}, ['f1', 'f2'], {}),
    Case('one is refused at RCPT TO, the others go on',
         {'g1': EARLY, 'g2': 'keep;', 'g3': 'discard;'}, ['g1', 'g2', 'g3'], {'g2@example.test': ''}, [550, 250, 250],
         says=['never']),
    Case('all are refused at RCPT TO', {'h1': EARLY, 'h2': EARLY}, ['h1', 'h2'], {}, [550, 550]),
    Case('a reason with a code of its own keeps it', {'i1': REFUSE % '5.7.3 with a code'}, ['i1'], {}, [550],
         says=['5.7.3 with a code']),
    # --- contents
    Case('equal edits are made in place', {'j1': EDIT, 'j2': EDIT}, ['j1', 'j2'],
         {'j1@example.test': 'edited', 'j2@example.test': 'edited'}, in_place=['j1@example.test', 'j2@example.test']),
    Case('an edit of one is not seen by others', {'k1': EDIT, 'k2': 'keep;'}, ['k1', 'k2'],
         {'k1@example.test': 'edited', 'k2@example.test': ''}),
    Case('who has no rules gets no edits, whoever else has them', {'l1': EDIT, 'l2': EDIT}, ['l1', 'l2', 'l3'],
         {'l1@example.test': 'edited', 'l2@example.test': 'edited', 'l3@example.test': ''},
         in_place=['l3@example.test']),
    Case('a copy from before the edit, the rest from after it',
         {'m1': 'require ["editheader", "copy"]; redirect :copy "m@else.example"; addheader "X-Edited" "once";'}, ['m1'],
         {'m@else.example': '', 'm1@example.test': 'edited'}),
    Case('a redirect carries the edits', {'n1': EDIT + ' redirect "n@else.example";'}, ['n1'], {'n@else.example': 'edited'}),
    Case('a folder carries the edits',
         {'o1': 'require ["editheader", "fileinto"]; addheader "X-Edited" "once"; fileinto "Box";'}, ['o1', 'o2'],
         {'o1+Box@example.test': 'edited', 'o2@example.test': ''}),
    # --- recipients interfere
    Case('a redirect to a recipient of the same message adds nothing',
         {'p1': 'redirect "p2@example.test";', 'p2': 'keep;'}, ['p1', 'p2'], {'p2@example.test': ''}),
    Case('... whoever comes first', {'q1': 'keep;', 'q2': 'redirect "q1@example.test";'}, ['q1', 'q2'], {'q1@example.test': ''}),
    Case('... and however it is written', {'q3': 'keep;', 'q4': 'redirect "Q3@EXAMPLE.test";'}, ['q3', 'q4'],
         {'q3@example.test': ''}),
    Case('... and his own plan decides', {'r1': 'redirect "r2@example.test";', 'r2': 'discard;'}, ['r1', 'r2'], {}),
    Case('... which may be a folder',
         {'s1': 'redirect "s2@example.test";', 's2': 'require "fileinto"; fileinto "Box";'}, ['s1', 's2'],
         {'s2+Box@example.test': ''}),
    Case('... but to an alias of his it is like any other, also where the users map knows it: he has it twice',
         {'ma': EDIT, 'mb': 'redirect "mc@example.test";'}, ['ma', 'mb'], {'ma@example.test': ['edited', 'edited-marked']}, group='alias'),
    Case('... of oneself as well: it comes round', {'md': 'redirect "me@example.test";'}, ['md'], {'md@example.test': 'marked'}, group='alias'),
    Case('a redirect to somebody who was refused at RCPT TO is ignored: kept',
         {'t1': EARLY, 't2': 'redirect "t1@example.test";'}, ['t1', 't2'], {'t2@example.test': ''}, [550, 250]),
    Case('... unless it is filed anyway',
         {'t3': EARLY, 't4': 'require ["copy", "fileinto"]; redirect :copy "t3@example.test"; fileinto "Box";'}, ['t3', 't4'],
         {'t4+Box@example.test': ''}, [550, 250]),
    Case('... which a copy is not',
         {'t5': EARLY, 't6': 'require ["copy", "fileinto"]; redirect "t5@example.test"; fileinto :copy "Box";'}, ['t5', 't6'],
         {'t6@example.test': '', 't6+Box@example.test': ''}, [550, 250]),
    Case('a redirect to oneself is ignored: kept', {'u1': 'redirect "u1@example.test";'}, ['u1'], {'u1@example.test': ''}),
    Case('... also beside one that goes elsewhere', {'u2': 'redirect "u2@example.test"; redirect "u@else.example";'}, ['u2'],
         {'u2@example.test': '', 'u@else.example': ''}),
    Case('two who redirect to each other both keep',
         {'v1': 'redirect "v2@example.test";', 'v2': 'redirect "v1@example.test";'}, ['v1', 'v2'],
         {'v1@example.test': '', 'v2@example.test': ''}),
    Case('... also if one of them redirects to somebody as well who discards',
         {'v3': 'redirect "v4@example.test"; redirect "v5@example.test";', 'v4': 'redirect "v3@example.test";', 'v5': 'discard;'},
         ['v3', 'v4', 'v5'], {'v3@example.test': '', 'v4@example.test': ''}),
    Case('two redirects to one address are one', {'w1': 'redirect "w@else.example";', 'w2': 'redirect "w@ELSE.example";'},
         ['w1', 'w2'], {'w@else.example': ''}),
    Case('... unless their contents differ',
         {'x1': 'redirect "x@else.example";', 'x2': EDIT + 'redirect "x@else.example";'}, ['x1', 'x2'],
         {'x@else.example': ['', 'edited']}),
    Case('a redirect to somebody with rules here: they run',
         {'y1': 'redirect "y2@example.test";', 'y2': 'require "fileinto"; fileinto "Box";'}, ['y1'],
         {'y2+Box@example.test': 'marked'}),
    Case('a redirect to somebody with rules here who refuse it: kept', {'yc': EARLY, 'yd': 'redirect "yc@example.test";'}, ['yd'],
         {'yd@example.test': ''}),
    Case('... also where it is filed besides, by which he sees that something went wrong',
         {'ye': EARLY, 'yf': 'require "fileinto"; fileinto "Box"; redirect "ye@example.test";'}, ['yf'],
         {'yf+Box@example.test': '', 'yf@example.test': ''}),
    Case('... and where that was a copy', {'yg': EARLY, 'yh': 'require ["copy", "fileinto"]; fileinto "Box"; '
                                                                'redirect :copy "yg@example.test";'}, ['yh'],
         {'yh+Box@example.test': '', 'yh@example.test': ''}),
    Case('... and is as it was to be, where he keeps it anyway',
         {'yi': EARLY, 'yj': 'require ["copy", "editheader"]; redirect :copy "yi@example.test"; addheader "X-Edited" "once";'}, ['yj'],
         {'yj@example.test': 'edited'}),
    Case('a circle of redirects ends', {'z1': 'redirect "z2@example.test";', 'z2': 'redirect "z1@example.test";'}, ['z1'],
         None),
    Case('the detail of an address chooses no folder', {'aa': 'keep;'}, ['aa+Secret@example.test'], {'aa@example.test': ''}),
    Case('... also if it differs from the one that rules chose by case alone',
         {'ae': 'require "fileinto"; fileinto "Lists";'}, ['ae+lists@example.test'], {'ae+Lists@example.test': ''}),
    Case('... whoever else is named', {'af': 'require "fileinto"; fileinto "Lists";'},
         ['af', 'af+lists@example.test', 'af+LISTS@example.test'], {'af+Lists@example.test': ''}),
    Case('... unless that is it', {'ag': 'require "fileinto"; fileinto "Lists";'},
         ['ag+lists@example.test', 'ag+Lists@example.test'], {'ag+Lists@example.test': ''}),
    Case('somebody twice is one', {'ab': 'require "fileinto"; fileinto "Box";'}, ['ab', 'ab'], {'ab+Box@example.test': ''}),
    Case('an address with a route is the one behind it', {'ah': 'discard;'}, ['@relay.example,@b.example:ah@example.test'], {}),
    Case('... and is taken away when it is filed', {'ai': 'require "fileinto"; fileinto "Box";'},
         ['@relay.example:ai@example.test', 'ae2'], {'ai+Box@example.test': '', 'ae2@example.test': ''}),
    Case('... with brackets in brackets, of which Postfix leaves the route in the name', {'ra': 'discard;', 'rb': 'discard;', 'rc': 'discard;'},
         ['<@relay.example:ra@example.test>', '<(x)@relay.example , @b.example : rb@example.test.>',
          'R <@relay.example:rc@example.test>', 'ae2'], {'ae2@example.test': ''}, kinds=('postfix',)),
    Case('... and with brackets in brackets', {'aj': 'discard;'}, ['<aj@example.test>'], {}, kinds=('postfix',)),
    Case('a domain with the dot of the root is the same', {'ak': 'discard;'}, ['ak@example.test.'], {}),
    Case('an address with blanks, comments or quotes is that of whom the server delivers to',
         {'ka': 'discard;', 'kb': 'discard;', 'kc': 'require "fileinto"; fileinto "Box";'},
         [' ka@example.test ', 'kb (x)@example.test', 'kc@"example.test"', 'ae2'],
         {'kc+Box@example.test': '', 'ae2@example.test': ''}, kinds=('postfix',)),
    Case('a name in capitals is the same', {'ac': 'discard;'}, ['AC@Example.TEST'], {}),
    Case('a name that needs quotes has them with a folder: another one without the blank is somebody else',
         {'john doe': 'require "fileinto"; fileinto "Lists";'}, ['"john doe"@example.test'],
         {'"john doe+Lists"@example.test': ''}),
    Case('... and with a detail that chooses no folder', {'jane doe': 'keep;'}, ['"jane doe+x"@example.test'],
         {'"jane doe"@example.test': ''}),
    Case('a folder that no address can carry: kept', {'ad': 'require "fileinto"; fileinto "Lists/tamis dev";'}, ['ad'],
         {'ad@example.test': ''}),
    # --- senders
    Case('a null sender stays null', {'ba': 'redirect "ba@else.example";', 'bb': EDIT}, ['ba', 'bb', 'bc'],
         {'ba@else.example': '', 'bb@example.test': 'edited', 'bc@example.test': ''}, sender=''),
    # --- trouble of a user's own
    Case('rules that are wrong leave the mail alone', {'ca': 'discard', 'cb': 'discard;'}, ['ca', 'cb'], {'ca@example.test': ''}),
    # --- always_bcc is Postfix's
    Case('discards of all leave the archive its copy', {'da': 'discard;'}, ['da'], {'archive@else.example': ''},
         kinds=('postfix',), group='archive'),
    Case('... unless the archive is a recipient whose rules discard', {'dc': DISCARD}, ['dc', 'dd'], {'dd@example.test': ''},
         kinds=('postfix',), group='reader'),
    Case('... and else has the message twice', {'dc': DISCARD}, ['dc', 'dd'], {'dc@example.test': ['', ''], 'dd@example.test': ''},
         kinds=('postfix',), group='reader', header=['X-Keep: yes']),
    Case('edits that all have are in what the archive gets', {'db': EDIT}, ['db'],
         {'db@example.test': 'edited', 'archive@else.example': 'edited'}, kinds=('postfix',), group='archive'),
    # --- milter_header_checks are Postfix's
    Case('what rules add is checked in the message itself', {'de': EDIT}, ['de'], {'de@example.test': ''}, kinds=('postfix',),
         group='checked'),
    Case('... and not in a copy for one', {'de': EDIT}, ['de', 'df'], {'de@example.test': 'edited', 'df@example.test': ''},
         kinds=('postfix',), group='checked'),
    # --- a refusal that may be told later
    Case('a late refusal is reported to a sender who is who he says',
         {'ea': REFUSE % 'not ea', 'eb': 'keep;'}, ['ea', 'eb'], {'eb@example.test': '', world.SENDER: None}, group='bounce',
         header=['Authentication-Results: mx.example.test; spf=pass smtp.mailfrom=client.example']),
    Case('... and kept if he may be another', {'ec': REFUSE % 'not ec', 'ed': 'keep;'}, ['ec', 'ed'],
         {'ec@example.test': 'marked', 'ed@example.test': ''}, group='bounce'),
    Case('... or if the field is by another host', {'ee': REFUSE % 'not ee', 'ef': 'keep;'}, ['ee', 'ef'],
         {'ee@example.test': 'marked', 'ef@example.test': ''}, group='bounce',
         header=['Authentication-Results: mx.client.example; spf=pass smtp.mailfrom=client.example']),
    Case('nothing is reported to nobody', {'eg': REFUSE % 'not eg', 'eh': 'keep;'}, ['eg', 'eh'],
         {'eg@example.test': 'marked', 'eh@example.test': ''}, group='bounce', sender='',
         header=['Authentication-Results: mx.example.test; spf=pass smtp.mailfrom=client.example']),
    Case('one who refuses and was named twice is one report',
         {'ei': REFUSE % 'not ei', 'ej': 'keep;'}, ['ei', 'EI@example.test', 'ej'], {'ej@example.test': '', world.SENDER: None},
         group='bounce', header=['Authentication-Results: mx.example.test; spf=pass smtp.mailfrom=client.example']),
    # --- whom a redirect comes from
    Case('redirect_sender = user', {'fa': 'redirect "fa@else.example";', 'fb': 'keep;'}, ['fa', 'fb'],
         {'fa@else.example': '', 'fb@example.test': ''}, group='user', came_from={'fa@else.example': 'fa@example.test'}),
    Case('... whose name needs quotes', {'f "a': 'redirect "fe@else.example";'}, ['"f \\"a"@example.test', 'fb'],
         {'fe@else.example': '', 'fb@example.test': ''}, group='user',
         came_from={'fe@else.example': r'"f \\"a"@example.test'}),
    Case('... but the null sender stays', {'fc': 'redirect "fc@else.example";', 'fd': 'keep;'}, ['fc', 'fd'],
         {'fc@else.example': '', 'fd@example.test': ''}, group='user', sender=''),
    Case('redirect_sender = null', {'ga': 'redirect "ga@else.example";'}, ['ga', 'gb'],
         {'ga@else.example': '', 'gb@example.test': ''}, group='null', came_from={'ga@else.example': ''}),
    Case('redirect_sender = srs', {'ha': 'redirect "ha@else.example";', 'hb': 'keep;'}, ['ha', 'hb'],
         {'ha@else.example': '', 'hb@example.test': ''}, group='srs',
         came_from={'ha@else.example': r'SRS0=[^=]+=[^=]+=client\.example=s@srs\.example\.test'}),
    Case('... alone: in the message itself', {'hc': 'redirect "hc@else.example";'}, ['hc'], {'hc@else.example': ''},
         group='srs', in_place=['hc@else.example'],
         came_from={'hc@else.example': r'SRS0=[^=]+=[^=]+=client\.example=s@srs\.example\.test'}),
    # --- names that differ in case
    Case('names that differ in case alone are one to Postfix: who keeps it is not taken away with who does not',
         {'one': 'require "envelope"; if envelope :comparator "i;octet" :is "to" "One@example.test" { discard; }'},
         ['One', 'one'], {'One@example.test': ''}, kinds=['postfix']),
    Case('... also where they are two users', {'Two': 'discard;', 'two': 'keep;'}, ['Two', 'two'], {'Two@example.test': ''},
         kinds=['postfix'], group='exact'),
    Case('... all go if all discard', {'Ten': 'discard;', 'ten': 'discard;'}, ['Ten', 'ten'], {}, kinds=['postfix'], group='exact'),
    # --- folders by a secret field
    Case('fileinto_by = header: the field is in the copy of this one recipient',
         {'ia': 'require "fileinto"; fileinto "Lists/tamis dev";', 'ib': 'keep;'}, ['ia', 'ib', 'ic'],
         {'ia@example.test': 'marked', 'ib@example.test': '', 'ic@example.test': ''}, group='header'),
    Case('... not in what he redirects', {'ja': 'require ["fileinto", "copy"]; redirect :copy "ja@else.example"; fileinto "Box";'},
         ['ja', 'jb'], {'ja@example.test': 'marked', 'ja@else.example': '', 'jb@example.test': ''}, group='header'),
    Case('... flags of the inbox as well',
         {'ka': 'require "imap4flags"; keep :flags "\\\\Seen";'}, ['ka', 'kb'],
         {'ka@example.test': 'marked', 'kb@example.test': ''}, group='header'),
    Case('fileinto_by = none: kept', {'la': 'require "fileinto"; fileinto "Box";'}, ['la'], {'la@example.test': ''}, group='none'),
]
# tamis.conf and the mail server of each group
GROUPS = {
    'plain': ({}, {}),
    'archive': ({}, {'settings': {'always_bcc': 'archive@else.example'}}),
    'reader': ({}, {'settings': {'always_bcc': 'dc@example.test'}}),
    'checked': ({}, {'settings': {'milter_header_checks': 'regexp:{{/^X-/ IGNORE}}'}}),
    'user': ({'redirect_sender': 'user'}, {}),
    'null': ({'redirect_sender': 'null'}, {}),
    'srs': ({'redirect_sender': 'srs', 'srs_domain': 'srs.example.test'}, {}),
    'header': ({'fileinto_by': 'header'}, {}),
    'none': ({'fileinto_by': 'none'}, {}),
    'exact': ({'localpart_case': 'exact'}, {}),
    'alias': ({'users': 'mc@example.test ma@example.test\nme@example.test md@example.test\n'},
              {'virtual': {'mc@example.test': 'ma@example.test', 'me@example.test': 'md@example.test'}}),
    'bounce': ({'refuse_late': 'bounce', 'authserv_id': 'mx.example.test'}, {}),
}


def content_fits(copy, original, how):
    text, marks = world.without_ours(copy)
    wanted = EDITED + original if how.startswith('edited') else original
    return text == wanted and bool(marks) == how.endswith('marked')


def check(case, told, arrived, original):
    wrong = []
    if told.fates() != case.told:
        wrong.append(f'told {told.fates()} instead of {case.told}: {told.rcpt} {told.final} {told.gone}')
    said = f'{told.rcpt} {told.final}'
    wrong += [f'"{text}" was not said: {said}' for text in case.says if text not in said]
    if case.arrives is None:
        if not 1 <= len(arrived) <= 10:
            wrong.append(f'{len(arrived)} copies')
        return wrong
    want = [(address, how) for address, hows in case.arrives.items()
            for how in (hows if isinstance(hows, list) else [hows])]
    left = list(arrived)
    for address, how in want:
        for copy in left:
            if copy[0] == address and (how is None or content_fits(copy[2], original, how)):
                left.remove(copy)
                break
        else:
            wrong.append(f'{address}, {how or "as it was"}: did not come')
            continue
        sender = case.came_from.get(address, '' if how is None else case.sender)
        if not re.fullmatch(sender, copy[1]):
            wrong.append(f'{address}: from <{copy[1]}>')
        if address in case.in_place and world.received(copy[2]) != 1:
            wrong.append(f'{address}: a copy')
    wrong += [f'came as well: {copy}' for copy in left]
    return wrong


def play(tap, kind, name):
    cases = [case for case in CASES if case.group == name and kind in case.kinds]
    rules = {person: text for case in cases for person, text in case.people.items()}
    settings, mta = GROUPS[name]
    if not cases:
        return
    with place.directory('interfere') as directory:
        if 'users' in settings:
            (directory / 'users').write_text(settings['users'])
            settings = {**settings, 'users': directory / 'users'}
        with world.World(directory, kind, rules, settings, mta=mta) as scene:
            runs = []
            for number, case in enumerate(cases):
                original = world.message(f'{name}.{number}', more=case.header)
                runs.append((scene.send(case.to, original, sender=case.sender), original))
            scene.settle(60)
            for number, (case, (told, original)) in enumerate(zip(cases, runs)):
                wrong = check(case, told, scene.arrived(f'{name}.{number}'), original)
                if wrong:
                    wrong += [line for line in scene.daemon.log().splitlines() if any(f'rcpt={p}@' in line for p in case.people)]
                tap.result(f'{kind}: {case.title}', wrong)


def main():
    tap = Tap()
    for kind in ('postfix', 'sendmail'):
        why = world.missing(kind)
        for name in GROUPS:
            if why:
                tap.result(f'{kind}: {name}', [], why)
            else:
                play(tap, kind, name)
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
