# rules.py - rules of many users, whose fates are known
# SPDX-License-Identifier: BSD-2-Clause
"""User N has the local part Nuser.  What becomes of a message of load's is told by a letter (load.c): a string of
letters gives them to the users, again and again."""
import workload

REQUIRE = {'k': [], 'r': ['ereject', 'envelope'], 'd': [], 't': [], 'e': ['editheader'], 'c': ['copy', 'editheader']}


def require(names):
    return 'require [' + ', '.join(f'"{name}"' for name in sorted(names)) + '];\n' if names else ''


def fate_of(number, fates):
    return fates[number % len(fates)]


def early(number, fate):
    """What is known at RCPT TO."""
    return f'if envelope :is "from" "sender@client.example" {{ ereject "user {number} takes nothing"; stop; }}\n' if fate == 'r' else ''


def late(number, fate):
    return {'d': 'discard; stop;',
            't': f'redirect "elsewhere{number}@outside.example"; stop;',
            'e': f'addheader "X-User" "{number}"; stop;',
            'c': f'redirect :copy "elsewhere{number}@outside.example"; addheader "X-User" "{number}"; stop;'}.get(fate, '')


def ten(number, fates):
    """S1, the same for all, but that it ends in a keep: the milter sends no answers.  What is fated comes before the rule
    for everything else."""
    fate, text = fate_of(number, fates), workload.user_rules().split('\n', 1)[1]
    text = text.replace(workload.OWNER, 'user@example.test')
    at = text.index('if not address :contains')
    last = text[at:text.index('else {')] + 'else { keep; }\n'
    action = f'if exists "from" {{ {late(number, fate)} }}\n' if late(number, fate) else ''
    return require({'fileinto', *REQUIRE[fate]}) + early(number, fate) + text[:at] + action + last


def ten_own(number, fates):
    """The same with something that nobody else's rules have: they are kept apart."""
    return ten(number, fates).replace('director@', f'director{number}@')


def own(number, fates):
    """Between five and thirty rules that nobody else has."""
    dice, fate = workload.Dice(f'user {number}'), fate_of(number, fates)
    rules = ''.join(f'if {workload.condition(dice)} {{ {workload.file_into(dice)} stop; }}\n' for _ in range(dice.between(5, 30)))
    return require({'fileinto', *REQUIRE[fate]}) + early(number, fate) + rules + late(number, fate) + '\n'


def header_only(number, fates):
    fate = fate_of(number, fates)
    return require(REQUIRE[fate]) + 'if header :contains "subject" "nothing of the kind" { discard; stop; }\n' + late(number, fate)


def size_only(_number, _fates):
    """load is told that all are discarded: that shows that what was counted is right."""
    return 'if size :over 3M { discard; }\n'
