# measure.py - what a command costs in processor time
# SPDX-License-Identifier: BSD-2-Clause
import os
import resource         # os.wait4() needs it, and may not find it as another user
import statistics
import subprocess
import threading
import time


class Cost:
    """Seconds of one process: cpu is user and system, as wait4() tells."""

    def __init__(self, cpu, wall, status, complaint):
        self.cpu, self.wall, self.status, self.complaint = cpu, wall, status, complaint

    @property
    def disturbed(self):
        """Something else wanted the processor, or the command waited for a disk."""
        return self.wall > 1.2 * self.cpu + 0.005


def run(command, environment=None, seconds=120):
    """Runs it, its output unseen."""
    with open(os.devnull, 'r+b') as null:
        start = time.monotonic()
        child = subprocess.Popen(command, stdin=null, stdout=null, stderr=subprocess.PIPE,
                                 env={**os.environ, **(environment or {})})
        timer = None if seconds is None else _Alarm(child, seconds)
        complaint = child.stderr.read().decode(errors='replace')
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - start
        child.stderr.close()
        child.returncode = status
        if timer:
            timer.cancel()
    return Cost(usage.ru_utime + usage.ru_stime, wall, status, complaint)


class _Alarm:
    """Ends a child that takes too long."""

    def __init__(self, child, seconds):
        self.timer = threading.Timer(seconds, child.kill)
        self.timer.daemon = True
        self.timer.start()

    def cancel(self):
        self.timer.cancel()


def median(values):
    return statistics.median(values) if values else None


def interleaved(cells, rounds):
    """Each cell is a function that gives a number or None; each round calls them all, in another order.

    The answer: for each cell, its numbers by round."""
    found = [[] for _ in cells]
    for i in range(rounds):
        turn = i % len(cells)
        for k in list(range(turn, len(cells))) + list(range(turn)):
            found[k].append(cells[k]())
    return found


def high_water(pid):
    """Bytes of memory that a process had at most, or None where nobody tells."""
    try:
        with open(f'/proc/{pid}/status', 'rb') as status:
            for line in status:
                if line.startswith(b'VmHWM:'):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None
