"""Component facts: how large is the group of accounts that this buyer belongs to, how old, and how much abuse was confirmed in it.

The question is the request's account together with the entities that the request itself comes with (its device, its address, ...), so a new
account on a known device is seen as part of the group it joins. Everything else is strictly before as_of. A request whose buyer is not
known is taken as a buyer never seen before. In batch and live the same functions of `union_find.py` work on the same arrays.

Live, an event waits until a question comes from after it became known. A late one, known before a moment already asked about, winds the forest
back to its place; the events after it are then played again. So the answers depend on the set of events, never on the order of their arrival.
"""

import heapq
from collections.abc import Iterable, Mapping
from datetime import datetime
from threading import Lock

import numpy as np
import polars as pl

from data_contracts.label import Label
from data_contracts.link import EntityType, Link
from data_contracts.snapshot import Neighbourhood
from data_contracts.timeline import Entity
from graph.events import (
    LABEL,
    LINK,
    MERGING,
    Events,
    all_events,
    all_questions,
    answer,
    asked,
    coded,
    label_number,
    merging_links,
    microseconds,
    name_nodes,
    play,
)
from graph.union_find import NO_LINK, Forest, empty_forest, facts_at, wind_back, with_room

DAY_US = 86_400_000_000

COMPONENT_FEATURES = ("component_accounts", "component_entities", "component_age_days", "component_abuse")


def component_facts(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """request_id and COMPONENT_FEATURES (Float64), one row a request in the order of `refund_requests`.

    Null: no links table; the buyer is not known and the request comes with no entity; age: no link known by then; abuse: no labels table.
    """
    ids = tables["refund_requests"].select("request_id")
    if "links" not in tables:
        return ids.with_columns(pl.lit(None, pl.Float64).alias(name) for name in COMPONENT_FEATURES)
    requests = asked(tables)
    links = merging_links(tables)
    names = name_nodes(requests, links)
    links = coded(links, names)
    questions = all_questions(links, requests, names)
    events = all_events(links, tables.get("labels"), requests, names)
    answers = np.zeros((len(ids), 4), dtype=np.int64)
    answer(_forest_for(events, len(names.accounts), len(names.entities), len(ids)), events, questions, answers)
    known = np.zeros(len(ids), dtype=bool)
    known[questions.row] = (questions.account >= 0) | (np.diff(questions.start) > 0)
    aged = known & (answers[:, 3] != NO_LINK)
    age = np.where(aged, requests["as_of_us"].to_numpy() - answers[:, 3], 0) / DAY_US
    columns = (
        _number(answers[:, 0], known),
        _number(answers[:, 1], known),
        _number(age, aged),
        _number(answers[:, 2], known & ("labels" in tables)),
    )
    return ids.with_columns(column.alias(name) for name, column in zip(COMPONENT_FEATURES, columns, strict=True))


Waiting = tuple[int, str, int, int, int]
"""An event that is not played yet: known_us, account_id, kind, label number, code of the entity or the request. They sort as `Events` do."""


class LiveComponents:
    """Component facts for one request at a time; safe to call from several threads.

    An event of an account that nobody named is left out, as is a link of a type that joins nothing.
    """

    def __init__(self) -> None:
        self._accounts: dict[str, int] = {}
        self._entities: dict[Entity, int] = {}
        self._requests: dict[str, int] = {}
        self._names: list[str] = []
        self._forest: Forest = empty_forest(64, 64, 64, 64, 64)
        self._log = Events(*(np.zeros(64, dtype=np.int64) for _ in Events._fields))
        self._played = 0
        self._waiting: list[Waiting] = []
        self._asked_us = -NO_LINK
        self._lock = Lock()

    @classmethod
    def of(cls, tables: Mapping[str, pl.DataFrame]) -> "LiveComponents":
        """The state after everything in the tables became known."""
        live = cls()
        requests = asked(tables)
        links = merging_links(tables)
        names = name_nodes(requests, links)
        live._log = all_events(coded(links, names), tables.get("labels"), requests, names)
        live._names = names.accounts.to_list()
        live._accounts = {name: code for code, name in enumerate(live._names)}
        live._entities = {Entity(EntityType(kind), name): code for code, (kind, name) in enumerate(names.entities.iter_rows())}
        live._requests = {name: code for code, name in enumerate(requests["request_id"])}
        live._forest = with_room(live._forest, len(live._accounts), len(live._entities), len(live._requests), len(live._log.kind))
        live._played = play(live._forest, live._log, 0, NO_LINK)
        if live._played:
            live._asked_us = int(live._log.known_us[-1]) + 1
        return live

    def add_link(self, link: Link) -> None:
        """Take note of one use of an entity."""
        if link.account_id is None or link.entity_type not in MERGING:
            return
        with self._lock:
            entity = self._entities.setdefault(Entity(link.entity_type, link.entity_id), len(self._entities))
            self._add(microseconds(link.known_at), link.account_id, LINK, 0, entity)

    def add_label(self, label: Label, account_id: str | None, asked_at: datetime | None = None) -> None:
        """Take note of what a request of that account turned out to be; it counts no earlier than `asked_at`, when the request was known."""
        if account_id is None:
            return
        with self._lock:
            request = self._requests.setdefault(label.request_id, len(self._requests))
            self._add(
                microseconds(max(label.known_at, asked_at or label.known_at)), account_id, LABEL, label_number(label.source, label.value), request
            )

    def facts(self, account_id: str | None, entities: Iterable[Entity], as_of: datetime) -> Neighbourhood | None:
        """The component that the account and the request's own entities make up, strictly before as_of; None: neither is known."""
        own = {entity for entity in entities if entity.type in MERGING}
        if account_id is None and not own:
            return None
        as_of_us = microseconds(as_of)
        with self._lock:
            self._play(as_of_us)
            account = -1 if account_id is None else self._accounts.get(account_id, -1)
            known = np.array([self._entities[entity] for entity in own if entity in self._entities], dtype=np.int32)
            accounts, shared, abuse, oldest = facts_at(self._forest, account, known, as_of_us)
        return Neighbourhood(accounts, shared, None if oldest == NO_LINK else (as_of_us - oldest) / DAY_US, abuse)

    def _add(self, known_us: int, account_id: str, kind: int, label: int, other: int) -> None:
        """Queue an event; a late one takes back what was played at and after its moment."""
        if account_id not in self._accounts:
            self._accounts[account_id] = len(self._names)
            self._names.append(account_id)
        if known_us < self._asked_us:
            self._wind_back(known_us)
        heapq.heappush(self._waiting, (known_us, account_id, kind, label, other))

    def _wind_back(self, known_us: int) -> None:
        start = int(np.searchsorted(self._log.known_us[: self._played], known_us))
        wind_back(self._forest, known_us)
        for index in range(start, self._played):
            known, kind, account, other, label = (int(column[index]) for column in self._log)
            heapq.heappush(self._waiting, (known, self._names[account], kind, label, other))
        self._played = start
        self._asked_us = known_us

    def _play(self, as_of_us: int) -> None:
        """Play the waiting events known strictly before that moment."""
        self._asked_us = max(self._asked_us, as_of_us)
        end = self._played
        while self._waiting and self._waiting[0][0] < as_of_us:
            known_us, account_id, kind, label, other = heapq.heappop(self._waiting)
            if end == len(self._log.known_us):
                self._log = Events(*(np.concatenate([column, np.zeros(len(column) + 64, dtype=np.int64)]) for column in self._log))
            for column, value in zip(self._log, (known_us, kind, self._accounts[account_id], other, label), strict=True):
                column[end] = value
            end += 1
        self._forest = with_room(self._forest, len(self._accounts), len(self._entities), len(self._requests), end - self._played)
        if end > self._played:
            self._played = play(self._forest, Events(*(column[:end] for column in self._log)), self._played, as_of_us)


def _forest_for(events: Events, accounts: int, entities: int, requests: int) -> Forest:
    """An empty forest with room for these events."""
    labels = int(np.count_nonzero(events.kind))
    return empty_forest(accounts, entities, requests, len(events.kind) - labels, labels)


def _number(values: np.ndarray, known: np.ndarray) -> pl.Series:
    return pl.Series(np.where(known, values, np.nan)).fill_nan(None)
