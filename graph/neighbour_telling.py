"""What live neighbours are told and asked, by the marks of names: several events or one question in one compiled call."""

from collections.abc import Iterable
from typing import NamedTuple

from data_contracts.machine_code import in_place
from graph.neighbour_events import CLAIM, LABEL, LINK, ORDER
from graph.neighbour_kernel import Look, add_claim, add_label, add_link, add_order, look_around
from graph.neighbour_state import Around
from graph.register import Register, code_of, enter
from graph.union_find import Ints

OPENED = 4
"""An account was opened; the other kinds of events are those of `neighbour_events.py`."""

EVENT = 6
Event = tuple[int, int, int, int, int, int]
"""Its kind; whether an account is named, and its mark; the mark of the entity, request or order; a value; when it was known, in microseconds.

The value is the entity's type by its place (link), an amount (claim), a label's number, or when the account was opened.
"""


class Names(NamedTuple):
    """Who has which code; `asked_us` says when each request was known."""

    accounts: Register
    entities: Register
    requests: Register
    orders: Register
    asked_us: Ints


def names_of(registers: Iterable[Register], asked_us: Ints) -> Names:
    """The four registers in their order."""
    accounts, entities, requests, orders = registers
    return Names(accounts, entities, requests, orders, asked_us)


@in_place
def account_code(around: Around, names: Names, key: int) -> int:
    """The code of an account, which it has from now on."""
    code = code_of(names.accounts, key)
    if code < 0:
        code = enter(names.accounts, key)
        around.accounts["mark"][code] = key
    return int(code)


@in_place
def entity_code(around: Around, names: Names, key: int, place: int) -> int:
    """The code of an entity of that type, which it has from now on."""
    code = code_of(names.entities, key)
    if code < 0:
        code = enter(names.entities, key)
        around.entities["mark"][code] = key
        around.entities["type"][code] = place
    return int(code)


@in_place
def tell(around: Around, names: Names, events: Ints) -> None:  # noqa: C901  # five kinds of events
    """Take note of events, a row each (`Event`); there is room for all of them and their names."""
    for row in range(len(events)):
        kind, somebody, whose, what = events[row, 0], events[row, 1], events[row, 2], events[row, 3]
        value, us = events[row, 4], events[row, 5]
        if kind == LINK:
            entity = entity_code(around, names, what, value)
            add_link(around, entity, account_code(around, names, whose), us)
        elif kind == CLAIM:
            if code_of(names.requests, what) < 0:
                names.asked_us[enter(names.requests, what)] = us
                if somebody:
                    add_claim(around, account_code(around, names, whose), value, us)
        elif kind == ORDER:
            if code_of(names.orders, what) < 0:
                enter(names.orders, what)
                add_order(around, account_code(around, names, whose), us)
        elif kind == LABEL:
            request = code_of(names.requests, what)
            if request >= 0:
                asked_us = names.asked_us[request]
                add_label(around, (request, account_code(around, names, whose), what), value, asked_us, max(us, asked_us))
        else:
            account = account_code(around, names, whose)
            if us < around.accounts["opened_known_us"][account]:
                around.accounts["opened_known_us"][account] = us
                around.accounts["opened_us"][account] = value


@in_place
def tell_and_ask(around: Around, names: Names, events: Ints, asked: tuple[int, int, int], own: Ints, look: Look) -> None:
    """Take note of events, then look around an account: whether there is one, its mark, and as of when, in microseconds.

    It comes with entities: mark and type each, in the order of their marks; their codes take the place of the marks.
    """
    tell(around, names, events)
    for row in range(len(own)):
        own[row, 0] = entity_code(around, names, own[row, 0], own[row, 1])
    account = code_of(names.accounts, asked[1]) if asked[0] else -1
    look_around(around, account, own[:, 0], asked[2], look)
