#!/usr/bin/env python3
# test_proxy.py - a filter before the queue (smtpd_proxy_filter), and tamis-milter at the service behind it; one behind both
# SPDX-License-Identifier: BSD-2-Clause
import os
import socket
import sys
import threading

import world
import place
from tap import Tap, equal

RULES = {
    'early': 'require ["ereject", "envelope"]; if envelope "from" "s@client.example" { ereject "5.7.9 not from you"; }',
    'late': 'require "reject"; reject "no, thanks";',
    'edits': 'require "editheader"; addheader "X-Edited" "once";',
    'never': 'discard;',
    'both': 'require "copy"; redirect :copy "away@out.example";',
}


class Forwarder:
    """A filter that lets everything through, as it came."""

    def __init__(self, to):
        self.to = to
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            peer, _address = self.listener.accept()
            server = socket.create_connection(('127.0.0.1', self.to))
            for one, other in ((peer, server), (server, peer)):
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    @staticmethod
    def _pump(one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def front_with(w, options):
    """The service that faces the world has these options as well."""
    path = w.mta.etc / 'master.cf'
    front = f'127.0.0.1:{w.mta.port} inet n - n - - smtpd '
    text = path.read_text()
    assert text.count(front) == 1
    w.mta._write('master.cf', text.replace(front, f'{front} {options} '))
    return w


def world_of(directory, options, own):
    behind = place.free_port()
    w = world.World(directory, 'postfix', RULES, {'own_clients': own}, mta={
        'services': f'127.0.0.1:{behind} inet n - n - - smtpd\n -o smtpd_authorized_xforward_hosts=127.0.0.0/8\n'})
    return front_with(w, f'-o smtpd_milters= -o smtpd_proxy_filter=127.0.0.1:{Forwarder(behind).port} -o smtpd_proxy_options={options}')


def world_behind(directory, option):
    """A content_filter that gets one recipient at a time, and hands its mail back to a service with that option."""
    back = place.free_port()
    w = world.World(directory, 'postfix', RULES, mta={
        'settings': {'scan_destination_recipient_limit': '1'},
        'services': f'scan unix - - n - - smtp\n127.0.0.1:{back} inet n - n - - smtpd\n -o syslog_name=postfix/back {option}\n'})
    return front_with(w, f'-o content_filter=scan:[127.0.0.1]:{Forwarder(back).port}')


def told(w, recipients, codes, came):
    """What the sender heard of each, and {who has it: a field of ours or of his rules}."""
    equal(w.send(recipients).fates(), codes, str(recipients))
    w.settle()
    equal({address.partition('@')[0]: [field.partition(b':')[0].decode() for field in world.split(content)[0]
                                       if field.startswith((b'X-', b'Tamis-'))] for address, _sender, content in w.arrived(w.number)},
          came, str(recipients))


def each(w):
    told(w, ['early', 'edits', 'never'], [550, 250, 250], {'edits': ['X-Edited']})
    told(w, ['edits', 'nobody'], [250, 250], {'edits': ['X-Edited'], 'nobody': []})
    told(w, ['late'], [550], {})


def replayed(w):
    """As doc/postfix.md says, one recipient's refusal at RCPT TO is everybody's."""
    told(w, ['early', 'edits', 'never'], [550, 550, 550], {})
    told(w, ['edits', 'nobody'], [250, 250], {'edits': ['X-Edited'], 'nobody': []})
    told(w, ['late'], [550], {})


def ours(w):
    told(w, ['early', 'edits', 'never'], [250, 250, 250], {'early': ['Tamis-Refused'], 'edits': ['X-Edited']})
    told(w, ['late'], [250], {'late': ['Tamis-Refused']})


def behind(w, times):
    """How often rules are run."""
    told(w, ['edits', 'never'], [250, 250], {'edits': ['X-Edited'] * times})
    told(w, ['both'], [250], {'both': [], 'away': []})
    equal([address for address, *_rest in w.arrived(w.number)], ['away@out.example'] * times + ['both@example.test'])


def main():
    tap = Tap()
    why = world.missing('postfix')
    for test, options, own in ((each, '', ''), (replayed, 'speed_adjust', ''), (ours, 'speed_adjust', '127.0.0.1')):
        if why:
            tap.result(test.__name__, [], why)
            continue
        with place.directory('proxy') as directory, world_of(directory, options, own) as w:
            w.run(tap, f'a filter before the queue: {test.__name__}', test)
    for option, times in (('', 2), ('-o smtpd_milters=', 1), ('-o receive_override_options=no_milters', 1)):
        title = f'a filter behind the queue hands mail back to a service with "{option}"'
        if why:
            tap.result(title, [], why)
            continue
        with place.directory('behind') as directory, world_behind(directory, option) as w:
            w.run(tap, title, lambda scene, times=times: behind(scene, times))
    return tap.finish()


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
