"""The live neighbours: built from the store, kept up with what every worker writes. The part of the live graph that features of neighbours read."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import polars as pl

from data_contracts.label import Label
from data_contracts.tables import TIME
from data_contracts.timeline import Entity, Stream
from graph.judgements import Judgement
from graph.live_neighbours import LiveNeighbours, claim_told, links_told, opened_told, order_told
from graph.neighbour_telling import Event
from risk.stores.acts import OPENED, Act
from risk.stores.turns import Turn


class LiveAround:
    """What is known of everybody's neighbours. A request counts as its first revision told it, with the buyer and the sum of then."""

    def __init__(self, links: pl.DataFrame, labels: pl.DataFrame, acts: pl.DataFrame, judgements: Sequence[Judgement]) -> None:
        kinds = {name: acts.filter(pl.col("kind") == name) for name in (Stream.REQUEST, Stream.ORDER, OPENED)}
        asked = kinds[Stream.REQUEST].select(_ID.alias("request_id"), "account_id", _KNOWN, "amount_minor", order_id=_NOTHING, currency=_NOTHING)
        tables = {
            "links": links,
            "labels": labels,
            "refund_requests": asked,
            "orders": kinds[Stream.ORDER].select(_ID.alias("order_id"), "account_id", _KNOWN),
            "accounts": kinds[OPENED].select("account_id", _KNOWN, occurred_at=_time("occurred_us")),
        }
        self.live = LiveNeighbours.of(tables)
        self.live.judge(judgements)

    def tell(self, turn: Turn) -> None:
        """Accounts asked, bought, were opened, and came to entities."""
        self.live.tell([*map(_told, turn.acts), *links_told(turn.links)])

    def add_label(self, label: Label, account_id: str | None) -> None:
        """A request of that account was judged; a request of nobody has no neighbours to tell."""
        self.live.add_label(label, account_id)

    def judge(self, judgements: Iterable[Judgement]) -> None:
        """From now on exactly these judgements say what was refuted when."""
        self.live.judge(judgements)

    def facts(self, account_id: str | None, entities: Iterable[Entity], as_of: datetime, *, judged: bool) -> Mapping[str, float | None]:
        """Every feature of neighbours, strictly before as_of; `judged`: labels are connected."""
        return self.live.facts(account_id, entities, as_of, judged=judged)


def _told(act: Act) -> Event:
    kind, account_id, event_id, occurred_us, known_us, amount_minor = act
    if kind == Stream.REQUEST:
        return claim_told(event_id, account_id, amount_minor, known_us)
    return order_told(event_id, account_id, known_us) if kind == Stream.ORDER else opened_told(account_id, occurred_us, known_us)


def _time(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Datetime("us")).dt.replace_time_zone("UTC").cast(TIME)


_ID = pl.col("event_id")
_KNOWN = _time("known_us").alias("known_at")
_NOTHING = pl.lit(None, pl.String)
