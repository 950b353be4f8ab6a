"""Neighbour aggregates for one request at a time, from a state in memory that grows with every event."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import NamedTuple

import numpy as np

from data_contracts.label import Label
from data_contracts.link import Link
from data_contracts.request import Account
from data_contracts.timeline import NEVER, Entity
from graph.events import label_number, microseconds
from graph.judgements import Judgement
from graph.neighbour_events import TYPES, Tables, events_of, mark, marks, named, play, state_for
from graph.neighbour_kernel import GROUPS, WIDTH, add_claim, add_label, add_link, add_links, add_order, look_around
from graph.neighbour_state import Around, empty_around, enter_all, slot_of, with_refuted, with_room
from graph.neighbours import AGGREGATES, Aggregate, picks, value
from graph.refuted import refuted
from graph.union_find import Codes, Ints

AHEAD = 64
"""Events for which room is made at once."""

PLACES = {kind: place for place, kind in enumerate(TYPES)}


class Register:
    """Codes of names in the order in which they came; a name is kept as its mark, so ten million take 240 MB."""

    def __init__(self, known: Ints | None = None) -> None:
        known = np.zeros(0, np.int64) if known is None else known
        self.count = len(known)
        self._keys, self._codes = self._table(2 * self.count)
        enter_all(self._keys, self._codes, known, np.arange(self.count, dtype=np.int32))

    @staticmethod
    def _table(names: int) -> tuple[Ints, Codes]:
        slots = 1 << max(6, (2 * names).bit_length())
        return np.zeros(slots, np.int64), np.zeros(slots, np.int32)

    def code(self, key: int) -> int:
        """The code of a mark, -1 when it is new."""
        slot = slot_of(self._keys, key)
        return int(self._codes[slot]) if self._keys[slot] else -1

    def enter(self, key: int) -> tuple[int, bool]:
        """The code of a mark, and whether it is new; then it has one from now on."""
        slot = slot_of(self._keys, key)
        if self._keys[slot]:
            return int(self._codes[slot]), False
        self._keys[slot], self._codes[slot] = key, self.count
        self.count += 1
        if 2 * self.count > len(self._keys):
            used = self._keys != 0
            keys, codes = self._keys[used], self._codes[used]
            self._keys, self._codes = self._table(2 * self.count)
            enter_all(self._keys, self._codes, keys, codes)
        return self.count - 1, True


class Said(NamedTuple):
    """What was told of one account: the entities that it came to, by their marks, and when first; when it claimed; how many labels there are."""

    entities: Mapping[int, int]
    claims_us: tuple[int, ...]
    labels: int


class LiveNeighbours:
    """Safe to call from several threads. An event without an account is left out, as is a link of a type that makes no neighbours."""

    def __init__(self, aggregates: Sequence[Aggregate] = AGGREGATES, currency: str | None = None) -> None:
        self._aggregates, self._currency = aggregates, currency
        self._picked, self._places = picks(aggregates)
        self._accounts, self._entities, self._requests, self._orders = Register(), Register(), Register(), Register()
        self._asked_us = np.zeros(64, np.int64)
        self._around: Around = empty_around(64, 64, 64, 64, 64)
        self._scratch = np.zeros((GROUPS, WIDTH), np.int64)
        self._roomy = (0, 0, 0)
        self._steps_left = 0
        self._lock = Lock()

    @classmethod
    def of(cls, tables: Tables, currency: str | None = None, aggregates: Sequence[Aggregate] = AGGREGATES) -> "LiveNeighbours":
        """The state after everything in the tables became known; they hold links, and `currency` is that of sums (null: any)."""
        live = cls(aggregates, currency)
        names = named(tables)
        events = events_of(tables, names, currency)
        live._around = state_for(names, events, spare=True)
        play(live._around, events, 0, NEVER)
        live._accounts, live._entities = Register(names.account_mark), Register(names.entity_mark)
        live._requests = Register(marks(names.requests["request_id"]))
        live._asked_us = names.requests["as_of_us"].to_numpy(writable=True)
        live._orders = Register(marks(tables["orders"]["order_id"])) if "orders" in tables else Register()
        return live

    def add_link(self, link: Link) -> None:
        """An account came to an entity."""
        if link.account_id is None or link.entity_type not in PLACES:
            return
        with self._lock:
            entity, account = self._entity(Entity(link.entity_type, link.entity_id)), self._account(link.account_id)
            self._room()
            add_link(self._around, entity, account, microseconds(link.known_at))

    def add_links(self, links: Iterable[Link]) -> None:
        """Several at once, which costs little more than one."""
        with self._lock:
            told: list[tuple[int, int, int]] = []
            for link in links:
                if link.account_id is not None and link.entity_type in PLACES:
                    entity, account = self._entity(Entity(link.entity_type, link.entity_id)), self._account(link.account_id)
                    self._room()
                    told.append((entity, account, microseconds(link.known_at)))
            for start in range(0, len(told), AHEAD // 2):
                self._steps_left = 0
                self._room()
                add_links(self._around, np.array(told[start : start + AHEAD // 2], dtype=np.int64))

    def add_claim(self, request_id: str, account_id: str | None, amount_minor: int | None, known_at: datetime) -> None:
        """An account asked for its money back; another revision of the same request is no other claim."""
        with self._lock:
            request, fresh = self._requests.enter(mark(request_id))
            if not fresh:
                return
            if request >= len(self._asked_us):
                self._asked_us = np.concatenate([self._asked_us, np.zeros(len(self._asked_us) + 64, np.int64)])
            self._asked_us[request] = microseconds(known_at)
            account = -1 if account_id is None else self._account(account_id)
            self._room()
            if account >= 0:
                add_claim(self._around, account, amount_minor or 0, microseconds(known_at))

    def add_order(self, order_id: str, account_id: str | None, known_at: datetime) -> None:
        """An account bought something; the same order told again is no other order."""
        with self._lock:
            if account_id is None or not self._orders.enter(mark(order_id))[1]:
                return
            account = self._account(account_id)
            self._room()
            add_order(self._around, account, microseconds(known_at))

    def add_label(self, label: Label, account_id: str | None) -> None:
        """A claim of the account was judged; one that was never told here is too old to matter."""
        with self._lock:
            key = mark(label.request_id)
            request = self._requests.code(key)
            if account_id is None or request < 0:
                return
            account, asked_us = self._account(account_id), int(self._asked_us[request])
            self._room()
            known_us = max(microseconds(label.known_at), asked_us)
            add_label(self._around, (request, account, key), label_number(label.source, label.value), asked_us, known_us)

    def add_account(self, account: Account) -> None:
        """When an account was opened; what was known first holds."""
        with self._lock:
            code, known_us = self._account(account.account_id), microseconds(account.known_at)
            self._room()
            if known_us < self._around.opened_known_us[code]:
                self._around.opened_known_us[code] = known_us
                self._around.opened_us[code] = microseconds(account.occurred_at)

    def judge(self, judgements: Iterable[Judgement]) -> None:
        """From now on exactly these judgements say what was refuted when."""
        with self._lock:
            rows = [
                (self._entity(each.entity), -1 if each.account_id is None else self._account(each.account_id), each.from_us, each.until_us)
                for each in refuted(judgements)
                if each.entity.type in PLACES
            ]
            self._room()
            self._around = with_refuted(self._around, rows)

    def facts(self, account_id: str | None, entities: Iterable[Entity], as_of: datetime, *, judged: bool = True) -> Mapping[str, float | None]:
        """Every aggregate for an account and the entities that it now comes with, strictly before as_of; `judged`: there are labels at all."""
        with self._lock:
            own = sorted((mark(*map(str, entity)), self._entity(entity)) for entity in set(entities) if entity.type in PLACES)
            account = -1 if account_id is None else self._accounts.code(mark(account_id))
            self._room()
            look_around(self._around, account, np.array([code for _, code in own], dtype=np.int32), microseconds(as_of), self._scratch)
            numbers = self._scratch.reshape(-1)[self._picked].tolist()
        return {each.name: value(each, numbers, self._places, judged=judged) for each in self._aggregates}

    def said_of(self, account_id: str, most: int) -> Said | None:
        """What is known of an account by all that was told; null when one part of it has more than `most` entries."""
        with self._lock:
            account, around = self._accounts.code(mark(account_id)), self._around
            heads = [-1] * 3 if account < 0 else [int(chain[account]) for chain in (around.entities_of, around.claims_of, around.labels_of)]
            if any(head >= 0 and around.pool.number[head] > most for head in heads):
                return None
            entities, claims, labels = (self._chain(head) for head in heads)
            times = tuple(sorted(known_us for _, known_us in claims))
            return Said({int(around.entity_mark[entity]): known_us for entity, known_us in entities}, times, len(labels))

    def users_of(self, entity: Entity, most: int) -> dict[int, int] | None:
        """The accounts that came to an entity, by their marks, and when first; null when there are more than `most`."""
        with self._lock:
            code, around = self._entities.code(mark(entity.type.value, entity.id)), self._around
            head = -1 if code < 0 else int(around.users_of[code])
            if head >= 0 and around.pool.number[head] > most:
                return None
            return {int(around.account_mark[account]): known_us for account, known_us in self._chain(head)}

    def _chain(self, head: int) -> list[tuple[int, int]]:
        """What each record of a chain says, and since when."""
        found, pool = [], self._around.pool
        while head >= 0:
            found.append((int(pool.what[head]), int(pool.us[head])))
            head = int(pool.before[head])
        return found

    def _account(self, name: str) -> int:
        key = mark(name)
        code, fresh = self._accounts.enter(key)
        if fresh:
            self._room()
            self._around.account_mark[code] = key
        return code

    def _entity(self, entity: Entity) -> int:
        key = mark(entity.type.value, entity.id)
        code, fresh = self._entities.enter(key)
        if fresh:
            self._room()
            self._around.entity_mark[code], self._around.entity_type[code] = key, PLACES[entity.type]
        return code

    def _room(self) -> None:
        """Room for all that has a code and for one more event; asked for in steps, since looking takes longer than an event."""
        needed = (self._accounts.count, self._entities.count, self._requests.count)
        if self._steps_left == 0 or any(now > then for now, then in zip(needed, self._roomy, strict=True)):
            accounts, entities, requests = self._roomy = (needed[0] + AHEAD, needed[1] + AHEAD, needed[2] + AHEAD)
            self._around = with_room(self._around, accounts, entities, requests, AHEAD)
            self._steps_left = AHEAD
        self._steps_left -= 1
