"""Neighbour aggregates for one request at a time, from a state in memory that grows with every event."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import NamedTuple

import numpy as np

from data_contracts.label import Label
from data_contracts.link import Link
from data_contracts.request import Account
from data_contracts.timeline import NEVER, Entity
from graph.chains import longer
from graph.events import label_number, microseconds
from graph.judgements import Judgement
from graph.neighbour_events import CLAIM, LABEL, LINK, ORDER, TYPES, Tables, events_of, mark, marks, named, play, state_for
from graph.neighbour_kernel import empty_look
from graph.neighbour_state import Around, empty_around, with_refuted, with_room
from graph.neighbour_telling import EVENT, OPENED, Event, account_code, entity_code, names_of, tell, tell_and_ask
from graph.neighbours import AGGREGATES, Aggregate, picks, places_of, value
from graph.refuted import refuted
from graph.register import code_of, register_of, with_names
from graph.union_find import Ints

AHEAD = 64
"""Events for which room is made at once, and that wait at most."""

PLACES: Mapping[str, int] = {kind: place for place, kind in enumerate(TYPES)}


class Said(NamedTuple):
    """What was told of one account: the entities that it came to, by their marks, and when first; when it claimed; how many labels there are."""

    entities: Mapping[int, int]
    claims_us: tuple[int, ...]
    labels: int


class LiveNeighbours:
    """Safe to call from several threads. An event without an account is left out, as is a link of a type that makes no neighbours."""

    def __init__(self, aggregates: Sequence[Aggregate] = AGGREGATES, currency: str | None = None) -> None:
        self._aggregates, self._currency = aggregates, currency
        self._picked, places = picks(aggregates)
        self._places = [places_of(each, places) for each in aggregates]
        none = np.zeros(0, np.int64)
        self._names = names_of((register_of(none) for _ in range(4)), np.zeros(64, np.int64))
        self._around: Around = empty_around(64, 64, 64, 64, 64)
        self._look = empty_look()
        self._left = 0
        self._waiting = array("q")  # event by event
        self._lock = Lock()

    @classmethod
    def of(cls, tables: Tables, currency: str | None = None, aggregates: Sequence[Aggregate] = AGGREGATES) -> "LiveNeighbours":
        """The state after everything in the tables became known; they hold links, and `currency` is that of sums (null: any)."""
        live = cls(aggregates, currency)
        names = named(tables)
        events = events_of(tables, names, currency)
        live._around = state_for(names, events, spare=True)
        play(live._around, events, 0, NEVER)
        orders = marks(tables["orders"]["order_id"]) if "orders" in tables else np.zeros(0, np.int64)
        known = (names.account_mark, names.entity_mark, marks(names.requests["request_id"]), orders)
        live._names = names_of(map(register_of, known), names.requests["as_of_us"].to_numpy(writable=True))
        return live

    def tell(self, events: Sequence[Event]) -> None:
        """Take note of several events. They wait for the next question: handing the state over to compiled code takes longer than telling."""
        with self._lock:
            for event in events:
                self._waiting.extend(event)
            if len(self._waiting) > AHEAD * EVENT:
                self._tell_waiting()

    def add_link(self, link: Link) -> None:
        """An account came to an entity."""
        self.tell(links_told([(link.entity_type, link.entity_id, link.account_id, microseconds(link.known_at))]))

    def add_claim(self, request_id: str, account_id: str | None, amount_minor: int | None, known_at: datetime) -> None:
        """An account asked for its money back; another revision of the same request is no other claim."""
        self.tell([claim_told(request_id, account_id, amount_minor, microseconds(known_at))])

    def add_order(self, order_id: str, account_id: str | None, known_at: datetime) -> None:
        """An account bought something; the same order told again is no other order."""
        if account_id is not None:
            self.tell([order_told(order_id, account_id, microseconds(known_at))])

    def add_label(self, label: Label, account_id: str | None) -> None:
        """A claim of the account was judged; one that was never told here is too old to matter."""
        if account_id is not None:
            number = label_number(label.source, label.value)
            self.tell([(LABEL, 1, mark(account_id), mark(label.request_id), number, microseconds(label.known_at))])

    def add_account(self, account: Account) -> None:
        """When an account was opened; what was known first holds."""
        self.tell([opened_told(account.account_id, microseconds(account.occurred_at), microseconds(account.known_at))])

    def judge(self, judgements: Iterable[Judgement]) -> None:
        """From now on exactly these judgements say what was refuted when."""
        with self._lock:
            said = [each for each in refuted(judgements) if each.entity.type in PLACES]
            self._tell_waiting()
            self._room(len(said))
            around, names = self._around, self._names
            rows = [
                (
                    entity_code(around, names, mark(each.entity.type.value, each.entity.id), PLACES[each.entity.type]),
                    -1 if each.account_id is None else account_code(around, names, mark(each.account_id)),
                    each.from_us,
                    each.until_us,
                )
                for each in said
            ]
            self._around = with_refuted(around, rows)

    def facts(self, account_id: str | None, entities: Iterable[Entity], as_of: datetime, *, judged: bool = True) -> Mapping[str, float | None]:
        """Every aggregate for an account and the entities that it now comes with, strictly before as_of; `judged`: there are labels at all."""
        own = sorted([(mark(kind, name), PLACES[kind]) for kind, name in set(entities) if kind in PLACES])
        asked = (account_id is not None, 0 if account_id is None else mark(account_id), microseconds(as_of))
        with self._lock:
            events = self._taken(len(own))
            tell_and_ask(self._around, self._names, events, asked, np.array(own, np.int64).reshape(len(own), 2), self._look)
            numbers = self._look.found.reshape(-1)[self._picked].tolist()
        return {
            each.name: value(each, numbers[top], numbers[bottom], judged=judged)
            for each, (top, bottom) in zip(self._aggregates, self._places, strict=True)
        }

    def said_of(self, account_id: str, most: int) -> Said | None:
        """What is known of an account by all that was told; null when one part of it has more than `most` entries."""
        with self._lock:
            self._tell_waiting()
            account, around = code_of(self._names.accounts, mark(account_id)), self._around
            heads = [-1] * 3 if account < 0 else around.accounts[["entities_of", "claims_of", "labels_of"]][account].tolist()
            if any(head >= 0 and around.pool.records["number"][head] > most for head in heads):
                return None
            entities, claims, labels = (self._chain(head) for head in heads)
            times = tuple(sorted(known_us for _, known_us in claims))
            return Said({int(around.entities["mark"][entity]): known_us for entity, known_us in entities}, times, len(labels))

    def users_of(self, entity: Entity, most: int) -> dict[int, int] | None:
        """The accounts that came to an entity, by their marks, and when first; null when there are more than `most`."""
        with self._lock:
            self._tell_waiting()
            code, around = code_of(self._names.entities, mark(entity.type.value, entity.id)), self._around
            head = -1 if code < 0 else int(around.entities["users_of"][code])
            if head >= 0 and around.pool.records["number"][head] > most:
                return None
            return {int(around.accounts["mark"][account]): known_us for account, known_us in self._chain(head)}

    def _chain(self, head: int) -> list[tuple[int, int]]:
        """What each record of a chain says, and since when."""
        found, records = [], self._around.pool.records
        while head >= 0:
            found.append((int(records["what"][head]), int(records["us"][head])))
            head = int(records["before"][head])
        return found

    def _taken(self, names: int) -> Ints:
        """The events that wait, with room for them and for so many further names; they wait no longer."""
        events = np.frombuffer(self._waiting, np.int64).reshape(-1, EVENT)
        self._waiting = array("q")
        self._room(len(events) + names)
        return events

    def _tell_waiting(self) -> None:
        events = self._taken(0)
        tell(self._around, self._names, events)

    def _room(self, more: int) -> None:
        """Room for so many more events and all their names; asked for in steps, since looking takes longer than an event."""
        if self._left < more:
            registers = [with_names(each, more + AHEAD) for each in self._names[:4]]
            accounts, entities, requests, _ = (int(each.top[0]) + more + AHEAD for each in registers)
            asked_us = self._names.asked_us
            self._names = names_of(registers, asked_us if requests <= len(asked_us) else longer(asked_us, 2 * requests, 0))
            self._around = with_room(self._around, accounts, entities, requests, more + AHEAD)
            self._left = more + AHEAD
        self._left -= more


def links_told(links: Iterable[tuple[str, str, str | None, int]]) -> list[Event]:
    """Links by the type and id of the entity, the account, and when they were known; those that make no neighbours are left out."""
    return [
        (LINK, 1, mark(account_id), mark(kind, name), PLACES[kind], known_us)
        for kind, name, account_id, known_us in links
        if account_id is not None and kind in PLACES
    ]


def claim_told(request_id: str, account_id: str | None, amount_minor: int | None, known_us: int) -> Event:
    """Somebody asked for money back."""
    return (CLAIM, account_id is not None, 0 if account_id is None else mark(account_id), mark(request_id), amount_minor or 0, known_us)


def order_told(order_id: str, account_id: str, known_us: int) -> Event:
    """An account bought something."""
    return (ORDER, 1, mark(account_id), mark(order_id), 0, known_us)


def opened_told(account_id: str, occurred_us: int, known_us: int) -> Event:
    """An account was opened."""
    return (OPENED, 1, mark(account_id), 0, occurred_us, known_us)
