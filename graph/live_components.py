"""Component facts for one request at a time, from a union-find in memory that grows with every link and label.

An event waits until a question comes from after it became known. A late one, known before a moment already asked about, winds the forest back to
its place; the events after it are then played again. So the answers depend on the set of events, never on the order of their arrival.
"""

import heapq
from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from threading import Lock

import numpy as np
import polars as pl

from data_contracts.label import Label
from data_contracts.link import EntityType, Link
from data_contracts.snapshot import Neighbourhood
from data_contracts.timeline import Entity
from graph.components import DAY_US
from graph.events import (
    LABEL,
    LINK,
    MERGING,
    SKIPPED,
    Events,
    all_events,
    asked,
    label_number,
    merging_links,
    microseconds,
    more_events,
    name_nodes,
    no_events,
)
from graph.judgements import Judgement
from graph.playing import play, play_more
from graph.refuted import Refuted, refuted
from graph.skipping import EVERYBODY, NONE, in_force, is_skipped, switch, without
from graph.union_find import NO_LINK, Forest, empty_forest, facts_at, wind_back, with_room

KINDS: Mapping[str, EntityType] = {kind: kind for kind in MERGING}

SPARE = 4
"""A state made from tables has room for a quarter more events: making room later copies everything."""

AHEAD = 64
"""Events for which room is made at once."""

Waiting = tuple[int, str, int, int, int]
"""An event that is not played yet: known_us, account_id, kind, label number, code of the entity or the request. They sort as `Events` do."""


class LiveComponents:
    """Component facts for one request at a time; safe to call from several threads.

    An event of an account that nobody named is left out, as is a link of a type that joins nothing. An event told twice counts once, but told late
    it winds back like any late one.
    """

    def __init__(self) -> None:
        self._accounts: dict[str, int] = {}
        self._entities: dict[Entity, int] = {}
        self._requests: dict[str, int] = {}
        self._names: list[str] = []
        self._forest: Forest = empty_forest(64, 64, 64, 64, 64)
        self._log = no_events(64)
        self._played = 0
        self._waiting: list[Waiting] = []
        self._left = 0
        self._asked_us = -NO_LINK
        self._refuted: Sequence[Refuted] = ()
        self._skipped = NONE
        self._lock = Lock()

    @classmethod
    def of(cls, tables: Mapping[str, pl.DataFrame], judgements: Sequence[Judgement] = ()) -> "LiveComponents":
        """The state after everything in the tables became known."""
        live = cls()
        names, requests, links = name_nodes(asked(tables), merging_links(tables))
        events = all_events(links, tables.get("labels"), requests, names)
        live._names = names.accounts.names["account_id"].to_list()
        live._accounts = {name: code for code, name in enumerate(live._names)}
        live._entities = {Entity(EntityType(kind), name): code for code, (kind, name) in enumerate(names.entities.names.iter_rows())}
        live._requests = {name: code for code, name in enumerate(requests["request_id"])}
        count = len(events.kind)
        live._log = more_events(events, no_events(count // SPARE + 64))
        room = (number + number // SPARE for number in (len(live._accounts), len(live._entities), len(live._requests), count))
        live._forest = with_room(live._forest, *room)
        live._played = play(live._forest, _until(live._log, count), 0, NO_LINK)
        if live._played:
            live._asked_us = int(live._log.known_us[count - 1]) + 1
        live.judge(judgements)
        return live

    def add_link(self, link: Link) -> None:
        """Take note of one use of an entity."""
        self.add_links([(link.entity_type, link.entity_id, link.account_id, microseconds(link.known_at))])

    def add_links(self, links: Iterable[tuple[str, str, str | None, int]]) -> None:
        """Take note of uses of entities: type and id of each, the account, and when it was known."""
        with self._lock:
            for kind, name, account_id, known_us in links:
                if account_id is not None and kind in KINDS:
                    entity = self._entities.setdefault(Entity(KINDS[kind], name), len(self._entities))
                    self._add(known_us, account_id, LINK, 0, entity)

    def add_label(self, label: Label, account_id: str | None, asked_at: datetime | None = None) -> None:
        """Take note of what a request of that account turned out to be; it counts no earlier than `asked_at`, when the request was known."""
        if account_id is None:
            return
        with self._lock:
            request = self._requests.setdefault(label.request_id, len(self._requests))
            self._add(
                microseconds(max(label.known_at, asked_at or label.known_at)), account_id, LABEL, label_number(label.source, label.value), request
            )

    def judge(self, judgements: Iterable[Judgement]) -> None:
        """Take these as all that analysts ever said: a link or an entity joins nobody for questions asked while it is refuted."""
        with self._lock:
            self._refuted = refuted(judgements)

    def facts(self, account_id: str | None, entities: Iterable[Entity], as_of: datetime) -> Neighbourhood | None:
        """The component that the account and the request's own entities make up, strictly before as_of; None: neither is known."""
        own = {entity for entity in entities if entity.type in MERGING}
        if account_id is None and not own:
            return None
        as_of_us = microseconds(as_of)
        with self._lock:
            self._skip(as_of_us)
            self._play(as_of_us)
            account = -1 if account_id is None else self._accounts.get(account_id, -1)
            known = without([self._entities[entity] for entity in own if entity in self._entities], account, self._skipped)
            accounts, shared, abuse, oldest = facts_at(
                self._forest, account, np.array(known, dtype=np.int32), as_of_us, np.empty(len(known) + 1, np.int64)
            )
        return Neighbourhood(accounts, shared, None if oldest == NO_LINK else (as_of_us - oldest) / DAY_US, abuse)

    def checksum(self, divisor: int) -> tuple[int, int]:
        """How many links there are, and the sum of the remainders of their times (of the sign of the time, as in SQL)."""
        with self._lock:
            kinds, times = self._log.kind[: self._played], self._log.known_us[: self._played]
            told = times[kinds != LABEL]
            waiting = [known_us for known_us, _, kind, *_ in self._waiting if kind == LINK]
        return len(told) + len(waiting), int(np.fmod(np.concatenate([told, np.array(waiting, dtype=np.int64)]), divisor).sum())

    def members(self, account_id: str) -> int:
        """How many accounts there are in the account's component by all links that were told and played, refuted ones included.

        An account that is not known is alone.
        """
        with self._lock:
            account = self._accounts.get(account_id)
            return 1 if account is None else facts_at(self._forest, account, np.zeros(0, dtype=np.int32), NO_LINK, np.empty(1, np.int64))[0]

    def _add(self, known_us: int, account_id: str, kind: int, label: int, other: int) -> None:
        """Queue an event; a late one takes back what was played at and after its moment."""
        if account_id not in self._accounts:
            self._accounts[account_id] = len(self._names)
            self._names.append(account_id)
        if known_us < self._asked_us:
            self._wind_back(known_us)
        self._wait((known_us, account_id, kind, label, other))

    def _wait(self, event: Waiting) -> None:
        """Let an event wait; it takes room for an account, an entity, a request and itself."""
        heapq.heappush(self._waiting, event)
        self._left -= 1

    def _wind_back(self, known_us: int) -> None:
        start = int(np.searchsorted(self._log.known_us[: self._played], known_us))
        wind_back(self._forest, known_us)
        for index in range(start, self._played):
            known, kind, account, other, label = (int(column[index]) for column in self._log)
            self._wait((known, self._names[account], LINK if kind == SKIPPED else kind, label, other))
        self._played = start
        self._asked_us = known_us

    def _skip(self, as_of_us: int) -> None:
        """Skip what is refuted for questions of that moment; where that changed, the events since then are played again."""
        if not self._refuted and not self._skipped:
            return
        pairs = set()
        for each in in_force(self._refuted, as_of_us):
            entity = self._entities.get(each.entity)
            account = EVERYBODY if each.account_id is None else self._accounts.get(each.account_id)
            if entity is not None and account is not None:
                pairs.add((entity, account))
        now = frozenset(pairs)
        changed = switch(self._log, self._played, self._skipped, now)
        self._skipped = now
        if changed is not None:
            known_us = int(self._log.known_us[changed])
            wind_back(self._forest, known_us)
            start = int(np.searchsorted(self._log.known_us[: self._played], known_us))
            self._room(self._played - start)
            play(self._forest, _until(self._log, self._played), start, NO_LINK)

    def _play(self, as_of_us: int) -> None:
        """Play the waiting events known strictly before that moment."""
        self._asked_us = max(self._asked_us, as_of_us)
        if self._left < 0:
            self._room(0)
        rows: list[int] = []
        while self._waiting and self._waiting[0][0] < as_of_us:
            known_us, account_id, kind, label, other = heapq.heappop(self._waiting)
            account = self._accounts[account_id]
            if kind == LINK and is_skipped(self._skipped, other, account):
                kind = SKIPPED
            rows += known_us, kind, account, other, label
        if rows:
            told = np.frombuffer(array("q", rows), np.int64).reshape(-1, len(Events._fields))
            self._played = play_more(self._forest, self._log, self._played, told)

    def _room(self, again: int) -> None:
        """Room for all that waits, for events that are played again, and for AHEAD more: looking takes longer than an event."""
        more = len(self._waiting) + again + AHEAD
        accounts, entities, requests = (len(each) + AHEAD for each in (self._accounts, self._entities, self._requests))
        self._forest = with_room(self._forest, accounts, entities, requests, more)
        if self._played + more > len(self._log.known_us):
            self._log = more_events(self._log, no_events(self._played + more))
        self._left = AHEAD


def _until(log: Events, end: int) -> Events:
    """The events before that place, as views of the log's columns."""
    return Events(*(column[:end] for column in log))
