#!/usr/bin/env python3
# soak.py - tamis-milter at full speed while rules change and connections drop: memory, threads, descriptors stay flat
# SPDX-License-Identifier: BSD-2-Clause
"""Threads speak the milter protocol as fast as they are answered; each message's fate is checked.  Meanwhile users' rules
are written anew, the daemon is told to reload, connections are dropped at any step, and nonsense is sent."""
import argparse
import contextlib
import os
import pathlib
import random
import re
import struct
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / 'lib'))
import daemon
import milter
import place
import sink

USERS = 60
DIFFERENT = 400                 # messages
BODY = b'one line of text, as long as lines of text are\r\n' * 20
LARGE = BODY * 40               # over max_memory: it goes to a file
# what a sanitizer says
REPORT = re.compile(r'(ERROR: AddressSanitizer|WARNING: ThreadSanitizer|runtime error:|LeakSanitizer).*')
# seconds until caches are full and malloc has what it needs, of all
WARM_UP = 0.3
GROWTH_MOST = 3072              # KiB, between the middle and the end
GROWTH_SANITIZED = 16384        # its shadow and quarantine are not ours
LATEST = 600                    # seconds
DESCRIPTORS_MOST = 3            # more than before, when all clients are gone

# Each user has one kind of rules, written in forms that mean the same: {kind: (forms, answer at RCPT)}.
KINDS = {
    'keep': (['keep;', 'if header :contains "subject" "nothing" { discard; }', 'stop;'], 'continue'),
    'refuse': (['require "ereject"; ereject "no";', 'require ["ereject", "envelope"]; if envelope :all "from" '
                '"s@client.example" { ereject "no"; }'], '550'),
    'discard': (['discard;', 'require "body"; if body :contains "text" { discard; }'], 'continue'),
    'redirect': (['redirect "x@else.example";', 'if true { redirect "x@else.example"; }'], 'continue'),
    'copy': (['require "editheader"; addheader "X-Edit" "v";', 'require ["editheader", "variables"]; set "a" "v"; '
              'addheader "X-Edit" "${a}"; keep;'], 'continue'),
    'file': (['require "fileinto"; fileinto "Lists";', 'require "fileinto"; if exists "subject" { fileinto "Lists"; }'],
             'continue'),
}
KIND_OF = [list(KINDS)[n % len(KINDS)] for n in range(USERS)]


class Port(sink.Sink):
    """Takes all, keeps nothing."""

    taken = 0

    def store(self, envelope, content):
        with self._lock:
            self.taken += 1


class Soak:
    def __init__(self, box, seconds, threads, seed, least=None):
        self.box, self.seconds, self.threads, self.seed, self.least = box, seconds, threads, seed, least or {}
        self.until = time.monotonic() + seconds
        self.lock = threading.Lock()
        self.wrong, self.counts = [], {'messages': 0, 'dropped': 0, 'nonsense': 0, 'written': 0, 'reloads': 0}
        self.samples = []               # (share of the time, RSS in KiB, threads, descriptors)

    def count(self, what, n=1):
        with self.lock:
            self.counts[what] += n

    def complain(self, what):
        with self.lock:
            self.wrong.append(what)

    def over(self):
        """On a machine that is busy it takes longer until there was enough of everything."""
        late = time.monotonic() - self.until
        return (late > 0 and (late > LATEST or all(self.counts[what] >= n for what, n in self.least.items())) or
                len(self.wrong) > 20 or self.box.process.poll() is not None)

    # --- what disturbs

    def write_rules(self, rng):
        while not self.over():
            user = rng.randrange(USERS)
            self.box.write_rules(f'user{user}', f'# {rng.randrange(50)}\n{rng.choice(KINDS[KIND_OF[user]][0])}\n')
            self.count('written')
            time.sleep(0.01)

    def reload(self, rng):
        while not self.over():
            self.box.hang_up()
            self.count('reloads')
            time.sleep(rng.choice([0.05, 0.5]))

    def sample(self):
        begun = time.monotonic()
        while not self.over():
            share = (time.monotonic() - begun) / self.seconds
            self.samples.append((share, self.box.status('VmRSS'), self.box.status('Threads'), self.box.descriptors()))
            time.sleep(min(1, self.seconds / 60))

    # --- clients

    def client(self, rng):
        while not self.over():
            try:
                self.connection(rng)
            except (milter.Gone, OSError) as why:
                if self.box.process.poll() is None:
                    self.complain(f'connection: {why!r}')

    def connection(self, rng):
        if rng.random() < 0.02:
            self.nonsense(rng)
            return
        with milter.MilterClient(self.box.socket, timeout=300) as peer:
            peer.macros(b'C', j='mx.example.test', v='Postfix 3.7')
            peer.connect()
            peer.helo()
            for _message in range(rng.choice([1, 1, 20, 100])):
                if self.over():
                    return
                if rng.random() < 0.02:
                    self.half(peer, rng)
                    self.count('dropped')
                    if rng.random() < 0.5:
                        return
                    peer.abort()
                else:
                    self.message(peer, rng)
            peer.quit()

    def half(self, peer, rng):
        """Some of a message."""
        steps = [lambda: peer.mail('<s@client.example>'), lambda: peer.rcpt(f'<user{rng.randrange(USERS)}@example.test>'),
                 lambda: peer.header('Subject', 'a'), peer.eoh, lambda: peer.body(BODY)]
        for step in steps[:rng.randrange(len(steps) + 1)]:
            if peer.ended(step()):
                return

    def nonsense(self, rng):
        """Bytes that are no protocol; nobody waits for what comes of them."""
        with contextlib.suppress(milter.Gone, OSError), \
                milter.MilterClient(self.box.socket, negotiate=False, timeout=300) as peer:
            kind = rng.randrange(3)
            if kind == 0:
                peer.raw(bytes(rng.randrange(256) for _byte in range(rng.randrange(1, 60))))
            elif kind == 1:
                peer.raw(struct.pack('>I', rng.randrange(1 << 20, 1 << 32)) + b'M')
            else:
                peer.negotiate()
                peer.put(rng.choice([b'R', b'L', b'E', b'B', b'\0']), bytes(rng.randrange(60)))
        self.count('nonsense')

    def message(self, peer, rng):
        """Most of them have been sent before, so that the journal has nothing new to remember of them."""
        if rng.random() < 0.999:
            number = rng.randrange(DIFFERENT)
            users = random.Random(number).sample(range(USERS), (1, 1, 2, 5)[number % 4])
        else:
            number, users = rng.randrange(DIFFERENT, 1 << 40), rng.sample(range(USERS), 2)
        header = [('Message-ID', f'<{number}@client.example>'), ('Subject', 'a'), ('Date', 'Sat, 28 Nov 2026 12:00:00 +0000')]
        rcpt, end = peer.message('<s@client.example>', [f'<user{u}@example.test>' for u in users], header,
                                 BODY if number % 50 else LARGE)
        self.count('messages')
        self.judge(users, rcpt, end)

    def judge(self, users, rcpt, end):
        """By what the rules say, in whatever form they are just now."""
        for user, answers in zip(users, rcpt):
            if not str(answers[-1]).startswith(KINDS[KIND_OF[user]][1]):
                self.complain(f'{KIND_OF[user]}: {answers} at RCPT')
        left = [u for u in users if KIND_OF[u] != 'refuse']
        if not left:
            return
        if end[-1].letter not in (b'c', b'a'):
            # two threads may have the same message at the same time: one is told to come again
            if not str(end[-1]).startswith('451 4.4.0'):
                self.complain(f'{[KIND_OF[u] for u in left]}: {end}')
            return
        edits = [str(answer) for answer in end[:-1]]
        edited = any(edit.startswith('insert header') for edit in edits)
        for user in left:
            gone = f'delete recipient <user{user}@example.test>' in edits
            # whose content is not that of the server's message goes, and has a copy
            stays = {'keep': not edited, 'copy': edited}.get(KIND_OF[user], False)
            if not gone and not stays:
                self.complain(f'{KIND_OF[user]} {user} stays: {edits}')
        if any(KIND_OF[u] in ('redirect', 'file') for u in left) and not edited and \
                not any(edit.startswith('add recipient') for edit in edits):
            self.complain(f'{[KIND_OF[u] for u in left]}: nobody is added: {edits}')

    # --- the whole

    def go(self):
        work = [(self.write_rules, 1), (self.reload, 1), (self.client, self.threads)]
        threads = [threading.Thread(target=what, args=(random.Random(f'{self.seed}/{what.__name__}/{n}'),))
                   for what, many in work for n in range(many)]
        threads.append(threading.Thread(target=self.sample))
        with milter.MilterClient(self.box.socket):
            before = self.box.descriptors()
        sys.setswitchinterval(0.0005)   # whoever was answered goes on at once
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.box.process.poll() is not None:
            self.complain(f'the daemon died: {self.box.process.poll()}')
            return
        self.check_end(before)
        self.check_flat()

    def check_end(self, before):
        """What belonged to connections is gone with them."""
        try:
            place.wait_for(lambda: self.box.descriptors() <= before + DESCRIPTORS_MOST, 15, 'descriptors')
            place.wait_for(lambda: self.box.status('Threads') <= 8, 15, 'threads')
        except TimeoutError:
            links = [os.readlink(path) for path in pathlib.Path(f'/proc/{self.box.process.pid}/fd').iterdir()]
            self.complain(f'{self.box.status("Threads")} threads are left; {before} descriptors before, now {len(links)}, such as {sorted(links)[:20]}')

    def check_flat(self):
        middle = [s for s in self.samples if WARM_UP <= s[0] < (1 + WARM_UP) / 2]
        end = [s for s in self.samples if s[0] >= (1 + WARM_UP) / 2]
        if not middle or not end:
            self.complain(f'it was over after {len(self.samples)} looks')
            return
        most = GROWTH_SANITIZED if sanitized() else GROWTH_MOST
        rss = [sorted(s[1] for s in part)[len(part) // 2] for part in (middle, end)]
        if rss[1] - rss[0] > most:
            self.complain(f'memory grows: {rss[0]} KiB in the middle, {rss[1]} KiB at the end')
        for at, what in ((2, 'threads'), (3, 'descriptors')):
            if max(s[at] for s in end) > 2 * max(s[at] for s in middle) + 10:
                self.complain(f'{what} grow: {max(s[at] for s in middle)} in the middle, {max(s[at] for s in end)} at the end')
        self.counts['KiB in the middle'], self.counts['KiB at the end'] = rss
        self.counts['threads'] = max(s[2] for s in self.samples)
        self.counts['descriptors'] = max(s[3] for s in self.samples)


def sanitized():
    data = pathlib.Path(daemon.program()).read_bytes()
    return b'__asan_init' in data or b'__tsan_init' in data


def soak(seconds, threads=8, seed='1', least=None):
    """What is wrong, and what was counted; least: {what: so many there have to be}."""
    with place.directory('soak') as directory, Port(directory / 'copies') as port:
        rules = {f'user{n}': KINDS[KIND_OF[n]][0][0] for n in range(USERS)}
        settings = {'copy_to': f'smtp:127.0.0.1:{port.port}', 'fileinto_by': 'detail', 'max_memory': 16384,
                    'trouble_times': 1000}
        environment = {'ASAN_OPTIONS': 'quarantine_size_mb=4:detect_leaks=0', 'TSAN_OPTIONS': 'second_deadlock_stack=1'}
        with daemon.Daemon(directory / 'tamis', rules, settings, environment=environment) as box:
            run = Soak(box, seconds, threads, seed, least)
            run.go()
            if box.process.poll() is None and box.stop() not in (0, 66):
                run.complain('it did not stop as it should')
            run.counts['copies'] = port.taken
            reports = REPORT.findall(box.log())
            if reports:
                at = REPORT.search(box.log()).start()
                run.complain(f'{len(reports)} reports of a sanitizer:\n{box.log()[at:at + 5000]}')
            return run.wrong, run.counts


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seconds', type=float, default=30)
    parser.add_argument('--threads', type=int, default=8)
    parser.add_argument('--seed', default='1')
    options = parser.parse_args()
    why = daemon.missing()
    if why:
        sys.exit(f'soak.py: {why}')
    wrong, counts = soak(options.seconds, options.threads, options.seed)
    print(', '.join(f'{what} {n}' for what, n in counts.items()))
    for complaint in wrong[:20]:
        print(f'not ok: {complaint}')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
