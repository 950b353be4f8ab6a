"""Events and questions through the union-find, in the order of time: the compiled loop that batch and live have in common.

Most of the time of a large history would go by waiting for memory: each event touches a few accounts, entities and totals that lie anywhere. So the
loop asks for what the events after the next ones will touch while it works on this one.
"""

from data_contracts.machine_code import in_place
from graph.events import LABEL, LINK, Events, Questions
from graph.prefetch import prefetch
from graph.union_find import NO_LINK, Forest, Ints, add_label, add_link, facts_at

AHEAD = 8
"""How many events lie between two steps of looking ahead: long enough for memory to answer, short enough to find it still in the cache."""


@in_place
def _look_ahead(forest: Forest, events: Events, place: int) -> None:
    """Ask for what later events will touch: in four steps, since each names the place of the next."""
    last = len(events.known_us) - 1
    fourth = min(place + 4 * AHEAD, last)
    prefetch(forest.accounts, events.account[fourth])
    if events.kind[fourth] != LABEL:
        prefetch(forest.entities, events.other[fourth])
    third = min(place + 3 * AHEAD, last)
    _ask_up(forest, events.account[third])
    if events.kind[third] != LABEL and forest.entities[events.other[third]].seat >= 0:
        prefetch(forest.seats, forest.entities[events.other[third]].seat)
        prefetch(forest.accounts, forest.entities[events.other[third]].first)
    second = min(place + 2 * AHEAD, last)
    _ask_up(forest, forest.accounts[events.account[second]].parent)
    if events.kind[second] != LABEL and forest.entities[events.other[second]].seat >= 0:
        prefetch(forest.seats, forest.seats[forest.entities[events.other[second]].seat].before)
        _ask_up(forest, forest.entities[events.other[second]].first)
    first = min(place + AHEAD, last)
    if events.kind[first] != LABEL and forest.entities[events.other[first]].seat >= 0:
        _ask_up(forest, forest.accounts[forest.entities[events.other[first]].first].parent)


@in_place
def _ask_up(forest: Forest, account: int) -> None:
    """Ask for the account above that one, and for the totals that it has if it is a root."""
    prefetch(forest.accounts, forest.accounts[account].parent)
    prefetch(forest.records, forest.accounts[account].record)


@in_place
def play(forest: Forest, events: Events, start: int, as_of_us: int) -> int:
    """Apply the events from `start` on that became known strictly before that moment; return where it stopped."""
    while start < len(events.known_us) and events.known_us[start] < as_of_us:
        _look_ahead(forest, events, start)
        if events.kind[start] == LINK:
            add_link(forest, events.other[start], events.account[start], events.known_us[start])
        elif events.kind[start] == LABEL:
            add_label(forest, events.other[start], events.account[start], 1 - events.label[start] % 2, events.known_us[start])
        start += 1
    return start


@in_place
def play_more(forest: Forest, log: Events, start: int, told: Ints) -> int:
    """Write further events, a row of the columns each, behind the first `start` ones of a log and apply them; where the log then ends."""
    end = start + len(told)
    for row in range(len(told)):
        place = start + row
        log.known_us[place], log.kind[place], log.account[place] = told[row, 0], told[row, 1], told[row, 2]
        log.other[place], log.label[place] = told[row, 3], told[row, 4]
    until = Events(log.known_us[:end], log.kind[:end], log.account[:end], log.other[:end], log.label[:end])
    return play(forest, until, start, NO_LINK)


@in_place
def _look_ahead_of(forest: Forest, questions: Questions, place: int) -> None:
    """Ask for what later questions will touch."""
    last = len(questions.row) - 1
    third = min(place + 3 * AHEAD, last)
    if questions.account[third] >= 0:
        prefetch(forest.accounts, questions.account[third])
    for entity in questions.entity[questions.start[third] : questions.start[third + 1]]:
        if entity >= 0:
            prefetch(forest.entities, entity)
    second = questions.account[min(place + 2 * AHEAD, last)]
    if second >= 0:
        _ask_up(forest, second)
    first = questions.account[min(place + AHEAD, last)]
    if first >= 0:
        _ask_up(forest, forest.accounts[first].parent)


@in_place
def answer(forest: Forest, events: Events, start: int, questions: Questions, within: tuple[int, int], room: tuple[Ints, Ints]) -> int:
    """Fill the answers (accounts, entities, abuse, oldest link), a row a question, for the questions within two places, in the order of time.

    `start` is the first event that is not played yet; where it stopped comes back. `room` holds the answers, and what `facts_at` needs.
    """
    answers, roots = room
    first, last = within
    done = start
    for index in range(first, last):
        _look_ahead_of(forest, questions, index)
        as_of_us = questions.as_of_us[index]
        done = play(forest, events, done, as_of_us)
        entities = questions.entity[questions.start[index] : questions.start[index + 1]]
        sums = facts_at(forest, questions.account[index], entities, as_of_us, roots)
        answers[index, 0], answers[index, 1], answers[index, 2], answers[index, 3] = sums
    return done
