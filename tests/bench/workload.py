#!/usr/bin/env python3
# workload.py - rules and messages to measure with, the same ones every time
# SPDX-License-Identifier: BSD-2-Clause
"""Usage: workload.py [--few] DIRECTORY

Writes rules S0.sieve to S7.sieve and Maildirs of messages below DIRECTORY.
Nothing is random: the same version of this file writes the same bytes.

Rules
  S0   keep
  S1   ten rules of one user; ends in a vacation
  S2   200 rules one after the other, each with a stop
  S3   5,000 rules in elsif chains of 100
  S3x  the same 5,000 in one elsif chain
  S4   200 regular expressions
  S5   variables, their modifiers, strings, dates, flags
  S6   tests of the body: decoded, as text, and raw
  S7   one list of 100,000 addresses; S7m of 10,000; S7s of 10
Messages
  typical   about 35 KB: a text and its HTML, two dozen header fields
  small     about 2.4 KB of text
  large     about 5 MB: a text and attachments in base64
  few       the first of the typical ones, for rules that take some engines long
  often     those again and again, for engines that they do not take long
  box       one message in four small, the rest typical
  empty     none: what a command costs before its first message"""
import argparse
import base64
import os
import quopri
import random
import shutil
import sys

COUNTS = {'typical': 1000, 'small': 2000, 'large': 40, 'few': 100, 'box': 4000}
COUNTS_FEW = {'typical': 200, 'small': 300, 'large': 10, 'few': 20, 'box': 200}
OFTEN = 20                      # times the few
LISTS = {'S7': 100000, 'S7m': 10000, 'S7s': 10}
OWNER = 'ada.lind@home.example'
ONSETS = ['b', 'br', 'c', 'd', 'dr', 'f', 'g', 'gr', 'h', 'k', 'l', 'm', 'n', 'p', 'pl', 'r', 's', 'st', 't', 'tr', 'v', 'w']
VOWELS = ['a', 'e', 'i', 'o', 'u', 'ai', 'ea', 'ou']
FOREIGN = ['ä', 'é', 'ø', 'ű', 'ж', 'я', '会', '議']
TOPS = ['example', 'example.com', 'example.net', 'example.org', 'test']
DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']


class Dice:
    """What is drawn depends on the name and on nothing else."""

    def __init__(self, name):
        self.random = random.Random('tamis ' + name).random

    def below(self, n):
        return int(self.random() * n)

    def between(self, low, high):
        return low + self.below(high - low + 1)

    def one(self, choices):
        return choices[self.below(len(choices))]

    def chance(self, percent):
        return self.random() * 100 < percent

    def digits(self, base, n):
        return ''.join('0123456789abcdef'[self.below(base)] for _ in range(n))

    def octets(self, n):
        return bytes(self.below(256) for _ in range(n))


def vocabulary():
    dice, words = Dice('vocabulary'), {}
    while len(words) < 900:
        word = ''.join(dice.one(ONSETS) + dice.one(VOWELS) for _ in range(dice.between(1, 3))) + dice.one(['', 'n', 'r', 's'])
        words[word] = None
    return list(words)


WORDS = vocabulary()


def word(dice):
    """Some are frequent, most are rare, as in any language."""
    return WORDS[int(len(WORDS) * dice.random() ** 2)]


def words(dice, n):
    return ' '.join(word(dice) for _ in range(n))


def domain(dice):
    name = word(dice) + (word(dice) if dice.chance(60) else '')
    return (dice.one(['mail.', 'lists.', 'mx.']) if dice.chance(30) else '') + name + '.' + dice.one(TOPS)


def address(dice):
    return f'{word(dice)}.{word(dice)}{dice.below(100) if dice.chance(40) else ""}@{domain(dice)}'


def mailbox(dice):
    name = f'{word(dice).capitalize()} {word(dice).capitalize()}'
    shape = dice.below(8)
    if shape == 0:
        return address(dice)
    if shape == 1:
        return f'{encoded(name + dice.one(FOREIGN))} <{address(dice)}>'
    return f'"{name}" <{address(dice)}>' if shape < 4 else f'{name} <{address(dice)}>'


def encoded(text):
    return '=?utf-8?B?' + base64.b64encode(text.encode()).decode() + '?='


def date(minutes):
    """Monday, 6 January 2025 and some minutes."""
    day, minute = divmod(minutes, 24 * 60)
    month, day_of_month = divmod(5 + day, 28)
    month += int(month >= 12)
    weekday = (day + 3 * month) % 7         # only the form counts
    return f'{DAYS[weekday]}, {day_of_month + 1} {MONTHS[month % 12]} 2025 {minute // 60:02}:{minute % 60:02}:07 +0100'


def folded(line):
    """At blanks, before column 78."""
    lines, rest = [], line
    while len(rest) > 77:
        at = rest.rfind(' ', 1, 77)
        if at <= len(rest.split(':')[0]) + 1:
            break
        lines.append(rest[:at])
        rest = rest[at:]
    return '\n'.join(lines + [rest])


def subject(dice):
    text = words(dice, dice.between(3, 9)).capitalize()
    if dice.chance(25):
        text = dice.one(['Re: ', 'Fwd: ', 'Re: Re: ']) + text
    if dice.chance(15):
        return ' '.join(encoded(part + dice.one(FOREIGN) + ' ') for part in text.split())
    return text


def trace_fields(dice, sender, minutes):
    site = sender.split('@')[1]
    for hop in range(dice.between(2, 5)):
        yield (f'Received: from out{hop}.{site} (out{hop}.{site} [198.51.100.{dice.between(1, 254)}]) by in{hop}.home.example '
               f'with ESMTPS id {dice.digits(16, 11)} for <{OWNER}>; {date(minutes - hop)}')
    if dice.chance(80):
        blanks = ' '.join(base64.b64encode(dice.octets(45)).decode() for _ in range(4))
        yield (f'DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={site}; s=k{dice.below(9)}; h=from:to:subject:date; '
               f'bh={base64.b64encode(dice.octets(32)).decode()}; b={blanks}')
        yield f'Authentication-Results: in0.home.example; dkim=pass header.d={site}; spf={dice.one(["pass", "none"])} smtp.mailfrom={sender}'


def list_fields(dice):
    name = word(dice)
    site = domain(dice)
    yield f'List-Id: about {name} <{name}.{site}>'
    yield f'List-Post: <mailto:{name}@{site}>'
    yield f'List-Unsubscribe: <https://{site}/leave/{dice.digits(16, 12)}>, <mailto:{name}-leave@{site}>'
    yield f'Sender: {name}-bounces@{site}'
    yield 'Precedence: list'


def header(dice, number):
    """All but the fields of MIME."""
    sender, minutes = address(dice), 60 + number * 7
    yield f'Return-Path: <{sender}>'
    yield f'Delivered-To: {OWNER}'
    yield from trace_fields(dice, sender, minutes)
    yield f'From: {word(dice).capitalize()} {word(dice).capitalize()} <{sender}>' if dice.chance(80) else f'From: {mailbox(dice)}'
    to = [OWNER] if dice.chance(80) else []
    yield 'To: ' + ', '.join(to + [mailbox(dice) for _ in range(dice.below(4) + (not to))])
    if dice.chance(30):
        yield 'Cc: ' + ', '.join(mailbox(dice) for _ in range(dice.between(1, 6)))
    yield 'Subject: ' + subject(dice)
    yield 'Date: ' + date(minutes)
    yield f'Message-ID: <{dice.digits(16, 16)}.{number}@{sender.split("@")[1]}>'
    if dice.chance(40):
        yield 'References: ' + ' '.join(f'<{dice.digits(16, 16)}@{domain(dice)}>' for _ in range(dice.between(1, 8)))
    if dice.chance(30):
        yield from list_fields(dice)
    if dice.chance(50):
        yield f'User-Agent: {word(dice).capitalize()}/{dice.below(20)}.{dice.below(10)}'
    if dice.chance(60):
        score = dice.between(-40, 90) / 10
        yield f'X-Spam-Score: {score}'
        yield f'X-Spam-Status: {"Yes" if score > 5 else "No"}, score={score} required=5.0 tests=HTML_MESSAGE,SPF_PASS,T_{dice.below(999)}'
    yield 'MIME-Version: 1.0'


def prose(dice, octets):
    """Sentences, a line per paragraph, one letter in some hundred not ASCII."""
    text, length = [], 0
    while length < octets:
        sentence = words(dice, dice.between(5, 16)).capitalize() + (dice.one(FOREIGN) if dice.chance(30) else '') + '.'
        text.append(sentence + ('\n\n' if dice.chance(20) else ' '))
        length += len(text[-1].encode())
    return ''.join(text)


def html(dice, octets):
    style = ''.join(f'.s{i} {{ margin: {dice.below(30)}px; color: #{dice.digits(16, 6)} }}\n' for i in range(20))
    rows, length = [], 0
    while length < octets:
        link = f'https://{domain(dice)}/{dice.digits(16, 24)}?m={dice.digits(16, 12)}&amp;n={dice.below(1000)}'
        rows.append(f'<tr><td class="s{dice.below(20)}" align="left" style="padding: {dice.below(30)}px 12px">\n'
                    f'<p>{prose(dice, 200).strip()}</p>\n<a href="{link}">{word(dice)}</a>'
                    f'<img src="{link}" width="{dice.below(600)}" alt=""></td></tr>\n')
        length += len(rows[-1])
    return f'<html><head><style>\n{style}</style></head>\n<body><table>\n{"".join(rows)}</table></body></html>\n'


def base64_lines(data):
    return base64.encodebytes(data).decode()


def part(kind, text, coding):
    body = base64_lines(text.encode()) if coding == 'base64' else quopri.encodestring(text.encode()).decode()
    return f'Content-Type: {kind}; charset="utf-8"\nContent-Transfer-Encoding: {coding}\n\n{body}'


def multipart(dice, kind, parts):
    boundary = '=_' + dice.digits(16, 28)
    body = ''.join(f'--{boundary}\n{item}\n' for item in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n{body}--{boundary}--\n'


def alternative(dice, octets):
    coding = 'base64' if dice.chance(20) else 'quoted-printable'
    return multipart(dice, 'alternative', [part('text/plain', prose(dice, octets // 6), coding),
                                           part('text/html', html(dice, octets * 2 // 3), coding)])


def attachment(dice, octets):
    """Most of it one block over and over: whoever does not look does not care."""
    block = dice.octets(3 * 19 * 64)
    data = base64_lines(block) * (octets // len(base64_lines(block)))
    return (f'Content-Type: application/pdf; name="{word(dice)}.pdf"\nContent-Disposition: attachment\n'
            f'Content-Transfer-Encoding: base64\n\n{data}')


def message(kind, number):
    dice = Dice(f'{kind} {number}')
    fields = ''.join(folded(field) + '\n' for field in header(dice, number))
    if kind == 'small':
        body = 'Content-Type: text/plain; charset="utf-8"\nContent-Transfer-Encoding: 8bit\n\n' + prose(dice, 500)
    elif kind == 'typical':
        body = alternative(dice, dice.between(22000, 44000))
    else:
        body = multipart(dice, 'mixed', [alternative(dice, 30000)] + [attachment(dice, 1650000) for _ in range(3)])
    return (fields + body).encode()


# --- rules

def script(needs, rules):
    require = f'require [{", ".join(quoted(name) for name in needs)}];\n' if needs else ''
    return require + '\n'.join(rules) + '\n'


def quoted(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def file_into(dice):
    return 'fileinto ' + quoted('.'.join(word(dice).capitalize() for _ in range(dice.between(1, 3)))) + ';'


def user_rules():
    return script(['fileinto', 'vacation'], [
        'if header :contains "x-spam-status" "yes," { fileinto "Junk"; stop; }',
        f'if header :contains "list-id" ["{WORDS[700]}.{WORDS[800]}", "{WORDS[710]}.lists"] {{ fileinto "Lists"; stop; }}',
        'if anyof (header :contains "subject" "[board]", address :is "sender" "board-bounces@home.example")'
        ' { fileinto "Board"; stop; }',
        'if address :is "from" ["director@home.example", "office@home.example"] { fileinto "Work"; stop; }',
        f'if address :domain :is "from" ["{WORDS[5]}.example", "bank.example.com"] {{ fileinto "Bank"; stop; }}',
        'if allof (header :matches "subject" "*receipt*", not header :contains "from" "no-reply")'
        ' { fileinto "Receipts"; stop; }',
        'if size :over 3M { fileinto "Large"; stop; }',
        'if allof (exists "list-unsubscribe", not exists "list-id") { fileinto "News"; stop; }',
        f'if not address :contains ["to", "cc"] "{OWNER}" {{ fileinto "Others"; }}',
        'else { vacation :days 5 :subject "Away" "I am not here before Tuesday."; }'])


def condition(dice):
    """One of the kinds of test that users write; few ever match."""
    rare = f'{word(dice)}{dice.below(1000)}'
    return [
        lambda: f'header :contains "subject" "{rare}"',
        lambda: f'header :is ["list-id", "x-list"] "<{rare}.{domain(dice)}>"',
        lambda: f'address :is "from" "{rare}@{domain(dice)}"',
        lambda: f'address :domain :is ["from", "sender"] ["{rare}.example", "{domain(dice)}x"]',
        lambda: f'address :localpart :is ["to", "cc"] "{word(dice)}.{rare}"',
        lambda: f'address :matches "from" "*{rare}@*.{word(dice)}.*"',
        lambda: f'header :matches "subject" "*{rare}?{word(dice)}*"',
        lambda: f'allof (header :contains "from" "{rare}", not exists "x-spam-flag")',
        lambda: f'anyof (header :is "x-campaign" "{rare}", header :contains ["to", "cc"] "{rare}@")',
        lambda: f'allof (size :over {dice.between(6, 60)}M, header :contains "subject" "{word(dice)}")',
    ][dice.below(10)]()


def many_rules(name, count, chain):
    """Chains of elsif, or one if after the other when a chain has one link."""
    dice, rules = Dice(name), []
    for i in range(count):
        stop = ' stop;' if chain == 1 else ''
        rules.append(f'{"elsif" if i % chain else "if"} {condition(dice)} {{\n    {file_into(dice)}{stop}\n}}')
    return script(['fileinto'], rules)


def regex_rules():
    dice, rules = Dice('S4'), []
    for _ in range(200):
        rare = word(dice) + word(dice)
        test = [
            lambda: 'header :regex "subject" ' + quoted(f'^(re|fwd|aw): *\\[{rare}-[0-9]+\\]'),
            lambda: 'address :regex "from" ' + quoted(f'^[a-z0-9._+-]+@([a-z0-9-]+\\.)*{rare}\\.(com|net|org)$'),
            lambda: 'header :regex "received" ' + quoted(f'from [^ ]*{rare}[^ ]* \\(.*\\[10(\\.[0-9]{{1,3}}){{3}}\\]\\)'),
            lambda: 'header :regex "message-id" ' + quoted(f'^<[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}@{word(dice)}[a-z]*\\.'),
            lambda: 'header :regex ["to", "cc"] ' + quoted(f'(^|[^a-z]){rare}[-_.]?{word(dice)}@[a-z]+\\.example'),
            lambda: 'header :regex ["subject", "from"] ' + quoted(f'{word(dice)}.*{rare}[^a-z]+[0-9]'),
        ][dice.below(6)]()
        rules.append(f'if {test} {{ {file_into(dice)} stop; }}')
    return script(['fileinto', 'regex'], rules)


def variable_rules():
    dice = Dice('S5')
    rules = ['set "folder" "INBOX"; set "tag" "";',
             'if currentdate :matches "year" "*" { set "year" "${1}"; }',
             'if header :matches "subject" "*" { set "subject" "${1}"; }',
             'if address :matches "from" "*@*" { set :lower "who" "${1}"; set :lower "site" "${2}"; }',
             'if header :matches "list-id" "*<*.*>*" { set :lower "list" "${2}"; }',
             'set :length "length" "${subject}"; set :lower :upperfirst "nice" "${subject}"; set :quotewildcard "raw" "${subject}";']
    for i in range(30):
        rare, other = word(dice), word(dice)
        rules += [f'set "a{i}" "${{who}}/{rare}/${{site}}"; set :upper "b{i}" "${{a{i}}}";',
                  f'if string :matches "${{a{i}}}" "*/{rare}/*.{other}.*" {{ set "folder" "Mail.${{year}}.${{1}}"; addflag "${other}"; }}',
                  f'elsif string :contains "${{subject}}" "{rare} {other}" {{ set "tag" "${{tag}} {other}"; }}',
                  f'if string :value "gt" :comparator "i;ascii-numeric" "${{length}}" "{30 + 4 * i}" {{ set "tag" "${{tag}}+"; }}']
    for i in range(20):
        rules.append(f'if allof (date :value "ge" :originalzone "date" "hour" "{(7 * i) % 24:02}", date :is "date" "weekday" "{i % 7}",'
                     f' date :value "lt" :zone "+0{i % 9}00" "date" "julian" "{60400 + 7 * i}") {{ set "folder" "Time.${{year}}.{i}"; }}')
    for i in range(10):
        rules.append(f'if not currentdate :value "ge" "date" "20{40 + i}-01-01" {{ set "tag" "${{tag}}{i}"; }}')
    rules.append('if string :is "${folder}" "INBOX" { keep; } else { fileinto "${folder}"; }')
    return script(['fileinto', 'variables', 'date', 'relational', 'imap4flags', 'comparator-i;ascii-numeric'], rules)


def body_rules():
    dice, rules = Dice('S6'), []
    for i in range(10):
        rules.append(f'if body :contains ["{word(dice)} q{i}q", "{word(dice)}zx{i}"] {{ fileinto "A{i}"; stop; }}')
    for i in range(5):
        rules += [f'if body :content "text" :contains ["{word(dice)} zq{i}", "xz{i}{word(dice)}"] {{ fileinto "B{i}"; stop; }}',
                  f'if body :raw :contains "{word(dice)}_~{i}_" {{ fileinto "C{i}"; stop; }}',
                  f'if body :text :matches "*{word(dice)}?{i}xq*" {{ fileinto "D{i}"; stop; }}']
    return script(['fileinto', 'body'], rules)


def list_rules(count):
    dice, keys = Dice('S7'), {}
    while len(keys) < count:
        keys[f'{word(dice)}.{word(dice)}{dice.below(100000)}@{domain(dice)}'] = None
    return script(['fileinto'], ['if address :is "from" [\n' + ',\n'.join('    ' + quoted(key) for key in keys) + '\n] {',
                                 '    fileinto "Known"; stop;', '}', 'fileinto "Unknown";'])


def rules():
    """(name, text) of all."""
    yield 'S0', 'keep;\n'
    yield 'S1', user_rules()
    yield 'S2', many_rules('S2', 200, 1)
    yield 'S3', many_rules('S3', 5000, 100)
    yield 'S3x', many_rules('S3', 5000, 5000)
    yield 'S4', regex_rules()
    yield 'S5', variable_rules()
    yield 'S6', body_rules()
    for name, count in LISTS.items():
        yield name, list_rules(count)


# --- files

class Maildir:
    def __init__(self, path):
        for sub in ('cur', 'new', 'tmp'):
            os.makedirs(os.path.join(path, sub))
        self.path, self.count = path, 0

    def name(self, octets, lines):
        self.count += 1
        return os.path.join(self.path, 'cur', f'{1735689600 + self.count}.M{self.count:06}.bench,S={octets},W={octets + lines}:2,S')

    def add(self, data):
        path = self.name(len(data), data.count(b'\n'))
        with open(path, 'wb') as out:
            out.write(data)
        return path

    def link(self, path):
        octets, wire = os.path.basename(path).split(':')[0].split(',')[1:]
        os.link(path, self.name(int(octets[2:]), int(wire[2:]) - int(octets[2:])))


def write_messages(directory, counts):
    made = {}
    Maildir(os.path.join(directory, 'empty'))
    for kind in ('typical', 'small', 'large'):
        maildir = Maildir(os.path.join(directory, kind))
        # a large one takes long to make, and its copies are as long to read
        differing = counts[kind] if kind != 'large' else 2
        made[kind] = [maildir.add(message(kind, i)) for i in range(differing)]
        for i in range(differing, counts[kind]):
            maildir.link(made[kind][i % differing])
    few, often, box = (Maildir(os.path.join(directory, name)) for name in ('few', 'often', 'box'))
    for path in made['typical'][:counts['few']]:
        few.link(path)
    for i in range(OFTEN * counts['few']):
        often.link(made['typical'][i % counts['few']])
    for i in range(counts['box']):
        kind = 'small' if i % 4 == 0 else 'typical'
        box.link(made[kind][i % len(made[kind])])


def write(directory, few=False):
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    for name, text in rules():
        with open(os.path.join(directory, name + '.sieve'), 'w', encoding='utf-8') as out:
            out.write(text)
    write_messages(directory, COUNTS_FEW if few else COUNTS)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--few', action='store_true', help='fewer messages')
    parser.add_argument('directory')
    options = parser.parse_args()
    write(options.directory, options.few)


if __name__ == '__main__':
    sys.exit(main())
