# probes.py - how costs grow with what is larger: nothing is quadratic
# SPDX-License-Identifier: BSD-2-Clause
import math
import os
import shutil

import measure

EXPONENT_MOST = 1.3             # 1 is linear, 2 quadratic; a table that outgrows a cache makes it 1.1 or 1.2
COPIES, COPIES_SHORT = 4, 64     # of the message that is run over; of a short one, or compiling drowns it
SHORT = 8192
LARGE = 5 << 20                 # the message of which only the header is asked
LIMITS = ['script-size=64M', 'work=1000G', 'memory=4G', 'variables=1M', 'includes=255']
HEAD = b'From: ann@a.example\nTo: bob@b.example\nSubject: hello\n'
NEVER = '{ discard; }\n'


def join(n, text, between='', start=0):
    """The text n times, with the number for @."""
    return between.join(text.replace('@', str(i)) for i in range(start, start + n))


def lines(n):
    return (b'some words of a line that is as long as most lines are, not more\n' * (n // 65 + 1))[:n]


def plain(body=b'x\n'):
    return HEAD + b'\n' + body


def fields(text):
    return HEAD + text.encode() + b'\n\nx\n'


def subject(text):
    return b'From: ann@a.example\nSubject: ' + text.encode() + b'\n\nx\n'


def typed(kind, body, coding='8bit'):
    return HEAD + f'MIME-Version: 1.0\nContent-Type: {kind}\nContent-Transfer-Encoding: {coding}\n\n'.encode() + body


def multipart(n):
    return typed('multipart/mixed; boundary=b', b'--b\nContent-Type: text/plain\n\nwords\n' * n + b'--b--\n')


def nested(n):
    head = ''.join(f'Content-Type: multipart/mixed; boundary=b{i}x\n\n--b{i}x\n' for i in range(n))
    tail = ''.join(f'\n--b{i}x--\n' for i in reversed(range(n)))
    return HEAD + b'MIME-Version: 1.0\n' + (head + 'Content-Type: text/plain\n\nwords\n' + tail).encode()


def require(names):
    return f'require [{", ".join(chr(34) + name + chr(34) for name in names.split())}];\n'


BODY, VARIABLES = require('body'), require('variables')
TEXT = BODY + 'if body :text :contains "never there" ' + NEVER
CONTENT = BODY + 'if body :content "text" :contains "never there" ' + NEVER
CONTAINS = 'if header :contains ["subject", "to"] "never there" ' + NEVER
ADDRESS = 'if address :is ["to", "cc"] "no@never.example" ' + NEVER
COMPARED = 'header :is "subject" "a@"'


# What is only compiled: (name, n to begin with, n to end with, rules of n)
COMPILED = [
    ('rules', 500, 400000, lambda n: join(n, f'if {COMPARED} {NEVER}')),
    ('elsif', 500, 400000, lambda n: f'if false {NEVER}' + join(n, f'elsif {COMPARED} {NEVER}')),
    ('tests of one anyof', 500, 400000, lambda n: f'if anyof ({join(n, COMPARED, ", ")}) {NEVER}'),
    ('keys :is', 1000, 1000000, lambda n: f'if header :is "subject" [{join(n, chr(34) + "a@" + chr(34), ",")}] {NEVER}'),
    ('keys :contains', 1000, 1000000, lambda n: f'if header :contains "subject" [{join(n, chr(34) + "a@" + chr(34), ",")}] {NEVER}'),
    ('keys :matches', 1000, 1000000, lambda n: f'if header :matches "subject" [{join(n, chr(34) + "*a@?b*" + chr(34), ",")}] {NEVER}'),
    ('header names of one test', 1000, 1000000, lambda n: f'if header :is [{join(n, chr(34) + "x-@" + chr(34), ",")}] "a" {NEVER}'),
    ('header names of all tests', 500, 400000, lambda n: join(n, f'if header :is "x-@" "a" {NEVER}')),
    ('mailboxes', 500, 400000, lambda n: require('fileinto') + join(n, f'if {COMPARED} {{ fileinto "m@"; }}\n')),
    ('blocks in blocks', 7, 56, lambda n: join(3000, 'if true {\n' * n + 'keep;\n' + '}\n' * n)),
    ('not not not', 7, 56, lambda n: join(3000, 'if ' + 'not ' * n + f'true {NEVER}')),
    ('allof in allof', 7, 56, lambda n: join(3000, 'if ' + 'allof(true, ' * n + 'true' + ')' * n + NEVER)),
    ('one string', 65536, 1 << 20, lambda n: f'if header :is "subject" "{"a" * n}" {NEVER}'),
    ('one pattern', 65536, 1 << 20, lambda n: f'if header :matches "subject" "{"*a?" * (n // 3)}" {NEVER}'),
    ('comments', 65536, 32 << 20, lambda n: '# words words words\n/* words */\n' * (n // 32) + 'keep;\n'),
    ('actions in one block', 1000, 400000, lambda n: f'if {COMPARED} {{ {"discard; " * n} }}'),
    ('mistakes', 500, 100000, lambda n: join(n, 'kept @;\n')),
    ('requires', 500, 200000, lambda n: 'require "fileinto";\n' * n),
    ('names', 500, 200000, lambda n: VARIABLES + join(n, 'set "v@" "x";\n')),
    ('names in one string', 500, 100000, lambda n: VARIABLES + 'set "b" "' + '${a}${1}' * n + '";\n'),
    ('regexes', 100, 20000, lambda n: require('regex') + join(n, f'if header :regex "subject" "^a[0-9]+(b|c)@$" {NEVER}')),
]

# What is run: (name, n to begin with, n to end with, rules of n, message of n)
RUN = [
    ('rules', 500, 100000, lambda n: join(n, f'if {COMPARED} {NEVER}'), lambda n: plain()),
    ('rules that differ in header', 500, 100000, lambda n: join(n, f'if header :contains "x-@" "a" {NEVER}'), lambda n: plain()),
    ('elsif', 500, 100000, lambda n: f'if false {NEVER}' + join(n, f'elsif {COMPARED} {NEVER}'), lambda n: plain()),
    ('keys :contains, long field', 1000, 200000,
     lambda n: f'if header :contains "subject" [{join(n, chr(34) + "a@" + chr(34), ",")}] {NEVER}', lambda n: subject('a a1 ' * 100)),
    ('keys :matches', 1000, 100000,
     lambda n: f'if header :matches "subject" [{join(n, chr(34) + "*a@?b*" + chr(34), ",")}] {NEVER}', lambda n: subject('a a1 ' * 20)),
    ('wildcards', 50, 20000, lambda n: f'if header :matches "subject" "{"*a" * n}*b" {NEVER}', lambda n: subject('a' * 900)),
    ('field against wildcards', 1000, 4 << 20, lambda n: f'if header :matches "subject" "{"*a" * 30}*b" {NEVER}', lambda n: subject('a' * n)),
    ('field against *a?', 1000, 1 << 20, lambda n: f'if header :matches "subject" "*a?b" {NEVER}', lambda n: subject('a' * n)),
    ('field against a regex', 1000, 1 << 20, lambda n: require('regex') + f'if header :regex "subject" "a[0-9]+b" {NEVER}', lambda n: subject('a1 ' * (n // 3))),
    ('fields', 1000, 90000, lambda n: CONTAINS, lambda n: fields(join(n, 'X-@: value', '\n'))),
    ('fields of one name', 1000, 90000, lambda n: CONTAINS.replace('"to"', '"x"'), lambda n: fields(join(n, 'X: value @', '\n'))),
    ('fields with dates', 1000, 90000, lambda n: require('date index') + f'if date :index 1 :last "received" "year" "1999" {NEVER}',
     lambda n: fields(join(n, 'Received: from a by b; Mon, 6 Jan 2025 10:00:00 +0100', '\n'))),
    ('field length', 16384, 16 << 20, lambda n: CONTAINS, lambda n: subject('words ' * (n // 6))),
    ('folded lines', 16384, 16 << 20, lambda n: CONTAINS, lambda n: subject('words\n ' * (n // 7))),
    ('encoded words', 500, 100000, lambda n: CONTAINS, lambda n: subject('=?utf-8?Q?w=C3=B6rter_?=\n ' * n + 'x')),
    ('encoded words, one line', 500, 100000, lambda n: CONTAINS, lambda n: subject('=?utf-8?B?d8O2cnRlcg==?= ' * n)),
    ('=? without end', 16384, 4 << 20, lambda n: CONTAINS, lambda n: subject('=?utf-8?Q?a' * (n // 11))),
    ('addresses', 500, 90000, lambda n: ADDRESS, lambda n: fields('Cc: ' + join(n, 'Some Body <some@b.example>', ',\n '))),
    ('addresses, encoded', 500, 90000, lambda n: ADDRESS, lambda n: fields('Cc: ' + join(n, '=?utf-8?Q?S=C3=B6?= <some@b.example>', ',\n '))),
    ('groups', 500, 90000, lambda n: ADDRESS, lambda n: fields('Cc: ' + join(n, 'g: a@b.example, c@d.example;', ',\n '))),
    ('((((', 4096, 4 << 20, lambda n: ADDRESS, lambda n: fields('Cc: ' + '(' * n)),
    ('()()()', 4096, 4 << 20, lambda n: ADDRESS, lambda n: fields('Cc: ' + '(a) ' * (n // 4) + 'a@b.example')),
    ('<<<<', 4096, 4 << 20, lambda n: ADDRESS, lambda n: fields('Cc: ' + '<' * n)),
    ('""""', 4096, 4 << 20, lambda n: ADDRESS, lambda n: fields('Cc: ' + '"' * (n + 1))),
    ('@@@@', 4096, 4 << 20, lambda n: ADDRESS, lambda n: fields('Cc: ' + 'a@' * (n // 2))),
    (',,,,', 4096, 4 << 20, lambda n: ADDRESS, lambda n: fields('Cc: ' + ', ' * (n // 2))),
    (':;:;', 4096, 4 << 20, lambda n: ADDRESS, lambda n: fields('Cc: ' + 'a:;' * (n // 3))),
    ('words without an address', 4096, 4 << 20, lambda n: ADDRESS, lambda n: fields('Cc: ' + 'word ' * (n // 5))),
    ('body', 65536, 32 << 20, lambda n: CONTENT, lambda n: plain(lines(n))),
    ('body, raw', 65536, 32 << 20, lambda n: BODY + f'if body :raw :contains "never there" {NEVER}', lambda n: plain(lines(n))),
    ('body, *a?b*', 65536, 8 << 20, lambda n: BODY + f'if body :text :matches "*some?x*" {NEVER}', lambda n: plain(lines(n))),
    ('body, base64', 65536, 32 << 20, lambda n: CONTENT, lambda n: typed('text/plain', (b'd29yZHMg' * 9 + b'\n') * (n // 73), 'base64')),
    ('body, quoted-printable', 65536, 32 << 20, lambda n: CONTENT, lambda n: typed('text/plain', b'w=C3=B6rds =\n' * (n // 13), 'quoted-printable')),
    ('body, latin-1', 65536, 32 << 20, lambda n: CONTENT, lambda n: typed('text/plain; charset=iso-8859-1', b'w\xf6rds ' * (n // 6))),
    ('HTML', 65536, 8 << 20, lambda n: TEXT, lambda n: typed('text/html', b'<p class="x">words &amp; words</p>\n' * (n // 35))),
    ('HTML, never closed', 65536, 8 << 20, lambda n: TEXT, lambda n: typed('text/html', b'<div><b>words ' * (n // 14))),
    ('HTML, <<<<', 65536, 8 << 20, lambda n: TEXT, lambda n: typed('text/html', b'<' * n)),
    ('HTML, &&&&', 65536, 8 << 20, lambda n: TEXT, lambda n: typed('text/html', b'&am' * (n // 3))),
    ('HTML, <!-- <!--', 65536, 8 << 20, lambda n: TEXT, lambda n: typed('text/html', b'<!-- <!-- ' * (n // 10))),
    ('HTML, <script <script', 65536, 8 << 20, lambda n: TEXT, lambda n: typed('text/html', b'<script>< /scrip </scrip' * (n // 24))),
    ('HTML, attributes', 65536, 8 << 20, lambda n: TEXT, lambda n: typed('text/html', b'<p ' + b'a="b" ' * (n // 6) + b'>')),
    ('parts', 500, 9000, lambda n: CONTENT, multipart),
    ('parts in parts', 12, 96, lambda n: CONTENT, nested),
    ('lines like boundaries', 65536, 8 << 20, lambda n: CONTENT, lambda n: typed('multipart/mixed; boundary=bound', b'--boun\n--\n' * (n // 10))),
    ('boundaries, no parts', 65536, 4 << 20, lambda n: CONTENT, lambda n: typed('multipart/mixed; boundary=b', b'--b\n' * min(n // 4, 9000) + lines(n))),
    ('parameters', 500, 50000, lambda n: CONTENT, lambda n: typed('text/plain; ' + join(n, 'p@=v', ';\n '), b'words\n')),
    ('parameters, continued', 500, 50000, lambda n: CONTENT, lambda n: typed('multipart/mixed; ' + join(n, 'boundary*@=v', ';\n '), b'words\n')),
    ('variables', 500, 100000, lambda n: VARIABLES + join(n, 'set "v@" "x${v0}";\n'), lambda n: plain()),
    ('one variable, set again', 500, 100000, lambda n: VARIABLES + join(n, 'set :upper "v" "x@";\n'), lambda n: plain()),
    ('value of a variable', 1000, 60000, lambda n: VARIABLES + 'if header :matches "subject" "*" {\n' + 'set :quotewildcard :lower "v" "${1}";\n' * 100 + '}\n',
     lambda n: subject('a*?b' * (n // 4))),
    ('match variables', 500, 50000, lambda n: VARIABLES + join(n, 'if header :matches "subject" "*@*b*c" { set "v" "${2}"; }\n'), lambda n: subject('ab1c' * 100)),
]


class Probe:
    def __init__(self, tamis, work, options):
        self.tamis, self.options = tamis, options
        self.goal = 0.04 if options.quick else 0.12             # seconds at which growth shows over noise
        self.rounds = 3
        self.work = os.path.join(work, 'probes')
        self.quadratic, self.complaint = [], ''
        self.limits = [word for limit in LIMITS for word in ('--limit', limit)]

    def path(self, name):
        return os.path.join(self.work, name)

    def write(self, name, data):
        with open(self.path(name), 'wb') as out:
            out.write(data if isinstance(data, bytes) else data.encode())

    def maildir(self, message, copies):
        shutil.rmtree(self.path('messages'), ignore_errors=True)
        os.makedirs(self.path('messages/new'))
        os.makedirs(self.path('messages/cur'))
        self.write('messages/cur/0', message)
        for i in range(1, copies):
            os.link(self.path('messages/cur/0'), self.path(f'messages/cur/{i}'))

    def compiled(self, rules):
        self.write('rules.sieve', rules)
        self.write('keep.sieve', 'keep;\n')
        return ([self.tamis, 'check', *self.limits, self.path('rules.sieve')],
                [self.tamis, 'check', *self.limits, self.path('keep.sieve')])

    def ran(self, rules, message, copies=None, more=()):
        self.write('rules.sieve', rules)
        self.maildir(message, copies or (COPIES if len(message) > SHORT else COPIES_SHORT))
        for sub in ('new', 'cur'):
            os.makedirs(self.path('none/' + sub), exist_ok=True)
        command = [self.tamis, 'run', *self.limits, *more, '--summary', self.path('rules.sieve')]
        return command + [self.path('messages')], command + [self.path('none')]

    def cost(self, command, base, rounds, wrong=False):
        """Seconds, or None if it is refused (a limit) or takes far too long."""
        costs = []
        for _ in range(rounds):
            nothing, cost = measure.run(base), measure.run(command, seconds=60)
            if bool(cost.status) != wrong or nothing.status:
                self.complaint = (cost.complaint.strip().splitlines() or ['killed'])[0][-100:]
                return None
            costs.append(cost.cpu - nothing.cpu)
        return max(measure.median(costs), 1e-6)

    def grow(self, start, most, prepare, wrong, goal):
        """[(n, seconds)], n doubled until the goal is reached."""
        points, n = [], start
        while n <= most:
            seconds = self.cost(*prepare(n), rounds=self.rounds, wrong=wrong)
            if seconds is None:
                break
            points.append((n, seconds))
            if seconds >= goal:
                break
            n *= 4 if seconds < goal / 32 and n * 4 <= most else 2
        return points

    @staticmethod
    def exponent(points):
        """The slope of the last three, in logarithms: what is below that is noise or fixed."""
        last = [(math.log(n), math.log(seconds)) for n, seconds in points if seconds > 0.002][-3:]
        if len(last) < 2:
            return None
        x, y = sum(p[0] for p in last) / len(last), sum(p[1] for p in last) / len(last)
        return sum((p[0] - x) * (p[1] - y) for p in last) / sum((p[0] - x) ** 2 for p in last)

    def report(self, name, start, most, prepare, wrong=False):
        points = self.grow(start, most, prepare, wrong, self.goal)
        exponent = self.exponent(points)
        if exponent is not None and exponent > EXPONENT_MOST:          # a step, where a cache is full, or more than that?
            points = self.grow(start, most, prepare, wrong, 4 * self.goal)
            exponent = self.exponent(points)
        shown = '  '.join(f'{n}: {seconds * 1e3:.1f} ms' for n, seconds in points[-3:])
        if not points:
            word = 'refused'
            shown = self.complaint
        elif exponent is None:
            word = 'small'
        else:
            word = f'{exponent:.2f}'
        bad = exponent is not None and exponent > EXPONENT_MOST
        if bad or not points:
            self.quadratic.append(name)
        print(f'{name:36} {word:>7}{" !" if bad else "  "}  {shown}', flush=True)

    def compare(self, name, text, small, large, most):
        """The larger costs at most so many times the smaller."""
        ratio = measure.median([self.cost(*large(), rounds=1) / self.cost(*small(), rounds=1) for _ in range(5)])
        print(f'{name:36} {ratio:7.2f}{" !" if ratio > most else "  "}  {text}, target {most}', flush=True)
        if ratio > most:
            self.quadratic.append(name)


def compare(probe, copies):
    header = CONTAINS + ADDRESS

    def over(octets):
        return lambda: probe.ran(header, plain(lines(octets)), copies)

    def listed(n):
        rules = f'if address :is "from" [{join(n, chr(34) + "user@" + chr(34), ",")}] {NEVER}'.replace('user', 'user.name.')
        return lambda: probe.ran(rules, plain(lines(5000)), copies)
    probe.compare('header only, 5 MB', f'times what 5 KB cost, {copies} messages', over(5 << 10), over(LARGE), 1.3)
    probe.compare('list of 100,000 keys', f'times what 10 cost, {copies} messages', listed(10), listed(100000), 2)


def includes(probe):
    """Scripts that a script includes, each of them some rules long."""
    shutil.rmtree(probe.path('global'), ignore_errors=True)
    os.makedirs(probe.path('global'))
    for i in range(250):
        probe.write(f'global/s{i}.sieve', join(40, f'if {COMPARED} {NEVER}'))

    def prepare(n):
        command, base = probe.compiled(require('include') + join(n, 'include :global "s@";\n'))
        return command + ['--global', probe.path('global')], base
    return prepare


def run(tamis, work, options):
    """The exit status: 1 if anything is flagged."""
    probe = Probe(tamis, work, options)
    shutil.rmtree(probe.work, ignore_errors=True)
    os.makedirs(probe.work)

    def wanted(name):
        return not options.only or any(part in name for part in options.only.split(','))

    print(f'{"probe":36} exponent  the last sizes')
    for name, start, most, rules in COMPILED:
        if wanted('compile ' + name):
            probe.report('compile ' + name, start, most, lambda n, rules=rules: probe.compiled(rules(n)), wrong=name == 'mistakes')
    if wanted('compile includes'):
        probe.report('compile includes', 30, 250, includes(probe))
    for name, start, most, rules, message in RUN:
        if wanted('run ' + name):
            probe.report('run ' + name, start, most, lambda n, rules=rules, message=message: probe.ran(rules(n), message(n)))
    for name, start, most, rules, message in RUN[:3]:
        if wanted('run --no-index ' + name):
            probe.report('run --no-index ' + name, start, most,
                         lambda n, rules=rules, message=message: probe.ran(rules(n), message(n), more=['--no-index']))
    if wanted('compare'):
        compare(probe, 200 if options.quick else 1000)
    if probe.quadratic:
        print('\ntoo much: ' + ', '.join(probe.quadratic))
    return 1 if probe.quadratic else 0
