"""The live graph: built from the links and labels in the store, checked against them, and kept up with what every worker writes."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from threading import Lock

import polars as pl
from sqlalchemy import Connection, select

from data_contracts.errors import SourceUnavailableError
from data_contracts.label import Label
from data_contracts.link import EntityType
from data_contracts.snapshot import Neighbourhood
from data_contracts.tables import TIME, schema
from data_contracts.timeline import Entity
from graph.live_components import LiveComponents
from graph.neighbour_events import TYPES
from risk.jobs.around_check import around_differences
from risk.jobs.live_around import LiveAround
from risk.jobs.live_check import differences
from risk.stores import tables as stored
from risk.stores.acts import all_acts
from risk.stores.database import Database
from risk.stores.history import History, moment
from risk.stores.links import LABEL_COLUMNS, LINK_COLUMNS
from risk.stores.ring_builds import RingBuilds
from risk.stores.turns import Turn, newest_turn

ANEW = 50_000
"""News from which building the graph anew is faster than telling it one by one."""


class LiveGraph:
    """Components and neighbours as they stand after everything in the store: told what this worker writes, and what others wrote with each question.

    `read_to` is the turn up to which the store was read at the start.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._lock = Lock()
        self._ahead = self._lost = False
        with history.database.reading() as connection:
            self.read_to = newest_turn(history.database, connection)
            self._read_all(connection)
            wrong = differences(history.database, connection, self._live)
            wrong += around_differences(history.database, connection, self._around.live)
        if wrong:
            message = f"the live graph is not what the links in the store say: {'; '.join(wrong)}; check the disk, restore the store from a backup"
            raise SourceUnavailableError(message, field="links")

    def follow(self, connection: Connection, news: Sequence[Turn] | None) -> None:
        """Take note of what others wrote since the last question, as a `Feed` tells it: each turn must come once, in the order of writing."""
        with self._lock:
            anew = self._lost or news is None or sum(turn.news for turn in news) >= ANEW
            self._lost = True  # unless all of it goes well
            if anew or news is None:
                self._read_all(connection)
            else:
                for turn in news:
                    self._note(connection, turn)
                if any(turn.judged for turn in news):
                    said = RingBuilds(self._history.database).judgements(connection)
                    self._live.judge(said)
                    self._around.judge(said)
            self._ahead = self._lost = False

    def tell(self, turn: Turn) -> None:
        """What is being written by this worker: known at once."""
        with self._lock:
            self._add(turn)
            self._ahead = True

    def forget(self) -> None:
        """What was told since `follow` did not come to be: with the next question the graph is built anew."""
        self._lost = self._lost or self._ahead

    def _note(self, connection: Connection, turn: Turn) -> None:
        self._add(turn)
        for request_id, source, value, occurred_us, known_us in turn.labels:
            label = Label(request_id=request_id, source=source, value=value, occurred_at=moment(occurred_us), known_at=moment(known_us))
            buyers = self._buyers(connection, request_id)
            account_id, asked_us = buyers[-1]
            self._live.add_label(label, account_id, moment(asked_us))
            self._around.add_label(label, buyers[0][0])

    def _add(self, turn: Turn) -> None:
        self._live.add_links(turn.links)
        self._around.tell(turn)

    def facts(self, account_id: str | None, entities: Iterable[Entity], as_of: datetime) -> Neighbourhood | None:
        """The component of account and entities, strictly before as_of; None: neither is known."""
        return self._live.facts(account_id, entities, as_of)

    def near(self, account_id: str | None, entities: Iterable[Entity], as_of: datetime, *, judged: bool) -> Mapping[str, float | None]:
        """The features of neighbours, strictly before as_of; `judged`: labels are connected."""
        return self._around.facts(account_id, entities, as_of, judged=judged)

    def _read_all(self, connection: Connection) -> None:
        database = self._history.database
        tables = {
            "links": _links(database, connection),
            "labels": _labels(database, connection),
            "refund_requests": _requests(database, connection),
        }
        said = RingBuilds(database).judgements(connection)
        self._live = LiveComponents.of(tables, said)
        self._around = LiveAround(tables["links"], tables["labels"], all_acts(database, connection), said)

    def _buyers(self, connection: Connection, request_id: str) -> list[tuple[str | None, int]]:
        """Whose request that is and when it was asked, by its revisions in their order; nobody's where that was never said."""
        query = "SELECT entity_id, known_us FROM request_places WHERE request_id = ? AND entity_type = ? ORDER BY known_us"
        return self._history.database.fetch(connection, query, (request_id, EntityType.ACCOUNT.value)) or [(None, 0)]


def _links(database: Database, connection: Connection) -> pl.DataFrame:
    """The links that make neighbours; the others are of no use to the graph."""
    columns = [stored.links.c[name] for name in LINK_COLUMNS]
    joining = stored.links.c.entity_type.in_([kind.value for kind in TYPES]) & stored.links.c.account_id.is_not(None)
    return _timed(database.frame(connection, select(*columns).where(joining), _kinds(LINK_COLUMNS)), "links")


def _labels(database: Database, connection: Connection) -> pl.DataFrame:
    columns = [stored.labels.c[name] for name in LABEL_COLUMNS]
    return _timed(database.frame(connection, select(*columns), _kinds(LABEL_COLUMNS)), "labels")


def _requests(database: Database, connection: Connection) -> pl.DataFrame:
    """Requests and their buyers, off the accounts' timelines: the latest revision of each."""
    places = stored.request_places.c
    query = select(places.request_id, places.entity_id, places.known_us).where(places.entity_type == EntityType.ACCOUNT.value)
    found = database.frame(connection, query, _kinds(("request_id", "account_id", "known_us")))
    latest = found.sort("known_us").unique("request_id", keep="last", maintain_order=True)
    return latest.select("request_id", "account_id", order_id=pl.lit(None, pl.String), known_at=_time("known_us"))


def _kinds(names: tuple[str, ...]) -> pl.Schema:
    return pl.Schema({name: pl.Int64() if name.endswith("_us") else pl.String() for name in names})


def _timed(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """The columns of the contract, times as times."""
    return frame.with_columns(occurred_at=_time("occurred_us"), known_at=_time("known_us")).select(list(schema(table)))


def _time(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Datetime("us")).dt.replace_time_zone("UTC").cast(TIME)
