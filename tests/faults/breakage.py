# breakage.py - what can break while a message comes, one class for each
# SPDX-License-Identifier: BSD-2-Clause
"""A breakage lasts for one attempt.  begin() is called before the client connects, at(step) between its commands,
end() when it has its answer or has lost its connection; they tell the run what did happen."""
import os
import pathlib
import random
import re
import signal
import time

SOURCE = pathlib.Path(os.environ.get('TAMIS_SOURCE') or pathlib.Path(__file__).resolve().parents[2])
POINTS = re.findall(r'^POINT\(\w+, "([\w-]+)"\)', (SOURCE / 'src/milter/points.def').read_text('utf-8'), re.M)
# those that are passed more than once in a message, and how often at most
MANY = {'rcpt': 3, 'field': 6, 'run': 4, 'copy': 2, 'copy-taken': 2, 'journal': 2, 'add-rcpt': 2, 'delete-rcpt': 3, 'body': 2}
COPYING = ('copy', 'copy-taken', 'journal', 'edit', 'delete-rcpt', 'verdict')
WANTED = {'add-rcpt': 'add', 'hold': 'hold'}            # points that not every message passes
STEPS = ('connected', 'mail', 'rcpt', 'data', 'half', 'dot')
PORT_STEPS = ('connect', 'helo', 'mail', 'rcpt', 'data', 'dot', 'stored', 'quit')
# those that can befall a message that waits in the queue, where no client of ours is
QUEUED = ('kill', 'power', 'port', 'disk', 'socket')


class Dropped(Exception):
    """The client goes away here."""


class Breakage:
    """Nothing breaks."""

    name = 'none'
    wants = None                    # of the scenario: that a copy leaves, or a recipient comes
    renews = False                  # the rules are written anew, to be others than before

    def __init__(self, bench, rng, detail=None):
        self.bench, self.random, self.detail = bench, rng, detail

    def start(self):
        """How the daemon is started for this attempt: options of Supervised.start()."""
        return {}

    def begin(self, run):
        pass

    def at(self, step, run):
        pass

    def end(self, run):
        pass

    def happened(self):
        """Is there nothing more to wait for?"""
        return False

    def __str__(self):
        return self.name


class Kill(Breakage):
    """kill -9 at one point, at its first or a later passing."""

    name = 'kill'

    def __init__(self, bench, rng, detail=None):
        super().__init__(bench, rng, detail)
        self.point = detail or rng.choice(POINTS + list(COPYING))
        self.nth = rng.randint(1, MANY.get(self.point, 1)) if rng.random() < 0.3 else 1
        self.wants = 'copy' if self.point in COPYING else WANTED.get(self.point)
        self.renews = self.point == 'run'

    def start(self):
        return {'fault': f'{self.point}:{self.nth}'}

    def at(self, step, run):
        """A message is aborted when the client goes, and the connection to the milter is closed."""
        if step == 'rcpt' and (self.point == 'abort' or self.point == 'close' and self.random.random() < 0.5):
            raise Dropped

    def happened(self):
        return not self.bench.daemon.is_up

    def __str__(self):
        return f'{self.name} at {self.point}:{self.nth}'


class Power(Kill):
    """The same, and the machine with it: what was not synced is gone."""

    name = 'power'

    def start(self):
        return {**super().start(), 'power': self.bench.power}


class Term(Breakage):
    """Told to stop while a message comes: it drains."""

    name = 'term'

    def __init__(self, bench, rng, detail=None):
        super().__init__(bench, rng, detail)
        self.step = detail or rng.choice(STEPS)

    def at(self, step, run):
        if step == self.step and self.bench.daemon.is_up:
            self.bench.daemon.process.send_signal(signal.SIGTERM)
            run.event('told to stop', step=step)

    def __str__(self):
        return f'{self.name} at {self.step}'


class Port(Breakage):
    """The port for copies fails at one step of SMTP."""

    name = 'port'
    wants = 'copy'
    actions = ('451 4.3.0 later', '554 5.3.0 never', 'close', 'hang')

    def __init__(self, bench, rng, detail=None):
        super().__init__(bench, rng, detail)
        self.step = detail or rng.choice(PORT_STEPS)
        weights = [6, 0 if self.step in ('connect', 'helo', 'stored', 'quit') else 6, 6, 1]
        self.action = rng.choices(self.actions, weights)[0]
        self.times = rng.choice([1, 1, 2, 3])

    def begin(self, run):
        self.bench.copies.fail(self.step, self.action, self.times)
        self.failure = self.bench.copies.failures[-1]

    def happened(self):
        return self.failure.times < self.times

    def end(self, run):
        self.bench.copies.heal()
        fired = self.times - self.failure.times
        word = 'reply lost' if self.step == 'stored' else 'port refused' if self.action.startswith('5') else 'port failed'
        for _time in range(fired):
            run.event(word, step=self.step, action=self.action)

    def __str__(self):
        return f'{self.name} says {self.action!r} at {self.step}, {self.times} times'


class Disk(Breakage):
    """The journal can grow by some bytes only; a large body finds no room either.  By a limit, which tells it byte by
    byte; or on a disk that is full indeed, where half a line may be written and nothing new has room."""

    name = 'disk'
    wants = 'copy'

    def __init__(self, bench, rng, detail=None):
        super().__init__(bench, rng, detail)
        self.room = rng.choice([0, 1, 50, 100, 150, 250, 400])
        self.how = (detail or rng.choice(['limit', 'small'])) if bench.daemon.small else 'limit'

    def start(self):
        return {'room': self.room} if self.how == 'small' else {}

    def begin(self, run):
        if self.how == 'small':
            self.bench.daemon.fill()
        else:
            self.bench.daemon.limit(self.bench.daemon.journal_size() + self.room)
        run.event('disk full', room=self.room, how=self.how)

    def end(self, run):
        if self.how == 'small':
            self.bench.daemon.empty()
        elif self.bench.daemon.is_up:
            self.bench.daemon.limit(-1)

    def __str__(self):
        return f'{self.name} ({self.how}) has room for {self.room} bytes'


class Socket(Breakage):
    """Nobody can reach the milter: its socket is gone, or it is down."""

    name = 'socket'

    def __init__(self, bench, rng, detail=None):
        super().__init__(bench, rng, detail)
        self.down = (detail or rng.choice(['down', 'unlinked'])) == 'down'

    def begin(self, run):
        if self.down:
            self.bench.daemon.kill()
        else:
            self.bench.daemon.socket.unlink()
        run.event('socket gone', how='down' if self.down else 'unlinked')

    def end(self, run):
        if self.bench.daemon.is_up:
            self.bench.daemon.kill()

    def __str__(self):
        return f'{self.name}: {"the daemon is down" if self.down else "unlinked"}'


class Mta(Breakage):
    """The mail server is restarted."""

    name = 'mta'

    def __init__(self, bench, rng, detail=None):
        super().__init__(bench, rng, detail)
        self.step = detail or rng.choice(STEPS)

    def begin(self, run):
        # what it is delivering now it would deliver twice, which is not what is looked at here
        self.bench.wait_empty(run.keep_up)

    def at(self, step, run):
        if step == self.step:
            self.bench.restart_mta()
            run.event('mail server restarted', step=step)

    def __str__(self):
        return f'{self.name} is restarted at {self.step}'


class Client(Breakage):
    """The client goes away."""

    name = 'client'

    def __init__(self, bench, rng, detail=None):
        super().__init__(bench, rng, detail)
        self.step = detail or rng.choice(STEPS + ('dot', 'answered'))
        self.wants = 'copy' if self.step == 'dot' else None

    def at(self, step, run):
        if step == self.step:
            run.event('client gone', step=step)
            raise Dropped

    def __str__(self):
        return f'{self.name} goes away at {self.step}'


class Hup(Breakage):
    """The configuration is read again in the middle."""

    name = 'hup'

    def __init__(self, bench, rng, detail=None):
        super().__init__(bench, rng, detail)
        self.step = detail or rng.choice(STEPS)

    def at(self, step, run):
        if step == self.step and self.bench.daemon.is_up:
            self.bench.daemon.hang_up()
            time.sleep(self.random.choice([0, 0.01]))
            run.event('reloaded', step=step)

    def __str__(self):
        return f'{self.name} at {self.step}'


KINDS = {kind.name: kind for kind in (Breakage, Kill, Power, Term, Port, Disk, Socket, Mta, Client, Hup)}
# what is drawn: all of it once in a hundred runs
DECK = (
    [('kill', point) for point in POINTS] + [('kill', point) for point in COPYING + COPYING + ('copy-taken', 'add-rcpt', 'hold')] +
    [('port', step) for step in PORT_STEPS] + [('port', step) for step in PORT_STEPS + ('rcpt', 'dot', 'stored')] +
    [('power', point) for point in COPYING + ('copy-taken', 'verdict')] + [('disk', how) for how in ('limit', 'small') * 4] +
    [('client', step) for step in STEPS + ('dot', 'answered')] + [('socket', how) for how in ('down', 'unlinked') * 2] +
    [('mta', step) for step in ('mail', 'half', 'dot')] + [('hup', step) for step in STEPS] +
    [('term', step) for step in ('mail', 'half', 'dot')] + [('none', None)]
)


def dealt(seed, number):
    """The card of that run: the deck is shuffled anew when it is through."""
    turn, at = divmod(number - 1, len(DECK))
    deck = list(DECK)
    random.Random(f'{seed}/{turn}/deck').shuffle(deck)
    return deck[at]


def draw(bench, rng, only=None, card=None):
    """only: a kind, or kind:detail, such as kill:journal or port:dot.  card: what was dealt, else any is."""
    name, _colon, detail = (only or '').partition(':')
    if not name:
        name, detail = card or rng.choice(DECK)
    if name == 'power' and not bench.power:
        name = 'kill'
    return KINDS[name](bench, rng, detail or None)
