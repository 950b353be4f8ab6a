"""Where what is known comes from, as `gather` sees it: which kinds of data ever came, what answers while serving, and why something is missing."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, Protocol

from sqlalchemy import Connection

from data_contracts.asked import Asked
from data_contracts.discount import Discount
from data_contracts.snapshot import Neighbourhood, Snapshot
from data_contracts.timeline import Entity, Stream
from features.projection import STREAM_TABLES
from risk.stores.turns import Turn

NOT_CONNECTED = "not_connected"
NO_ANSWER = "no_answer"
"""Why a source is missing: nothing of its kind ever came, or it was asked in vain. Only the second makes a decision degraded."""

WITH_THE_QUESTION = ("order_lines", "deliveries", "claim_lines", "evidence", "observations", "measurements", "links")
"""Sources that come along with a request, named alike among the tables."""

Values = Mapping[str, float | None]
"""Features by name; null: not known."""


class SlowFeatures(Protocol):
    """The feature store, online."""

    def online_each(self, asked: Sequence[tuple[str | None, Sequence[str]]]) -> Sequence[Values]:
        """Values as of the last midnight, for a seller and articles each. SourceUnavailableError: it does not answer."""


class Discounts(Protocol):
    """What was learned of shared things."""

    def all(self) -> Sequence[Discount]:
        """Every table, by moment. SourceUnavailableError: they cannot be read."""


class Components(Protocol):
    """The graph, live."""

    read_to: int
    """The number of the turn up to which everything was read at the start."""

    def follow(self, connection: Connection, news: Sequence[Turn] | None) -> None:
        """Take note of what others wrote since the last question, as a `Feed` tells it."""

    def tell(self, turn: Turn) -> None:
        """What is being written by this worker."""

    def forget(self) -> None:
        """What was told since `follow` did not come to be."""

    def facts(self, account_id: str | None, entities: Iterable[Entity], as_of: datetime) -> Neighbourhood | None:
        """The component of account and entities, strictly before as_of; None: neither is known."""

    def near(self, account_id: str | None, entities: Iterable[Entity], as_of: datetime, *, judged: bool) -> Values:
        """The features of neighbours, strictly before as_of; `judged`: labels are connected."""


class Connected(NamedTuple):
    """Of the kinds of data that ever came: what is missing for want of the others, and the streams that are there."""

    absent: Mapping[str, str]
    streams: frozenset[Stream]


@lru_cache(maxsize=1_024)
def connected(told: frozenset[str]) -> Connected:
    """What follows from these kinds of data, named as tables."""
    tables = (*WITH_THE_QUESTION, *STREAM_TABLES.values(), "accounts")
    streams = frozenset(stream for stream, table in STREAM_TABLES.items() if table in told)
    absent = [*(table for table in tables if table not in told), *(stream.value for stream in STREAM_TABLES if stream not in streams)]
    return Connected(dict.fromkeys(absent, NOT_CONNECTED), streams)


def told_by(question: Asked) -> frozenset[str]:
    """The kinds of data that a question itself brings."""
    brought = [name for name in WITH_THE_QUESTION if getattr(question, name)]
    brought += [name for name, said in (("orders", question.order), ("accounts", question.account)) if said is not None]
    return frozenset(brought)


def degraded(seen: Snapshot) -> tuple[str, ...]:
    """The sources that were asked in vain, sorted."""
    return tuple(sorted(name for name, why in seen.missing.items() if why == NO_ANSWER))
