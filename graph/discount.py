"""The discount of shared things as features use it: what `hubs.py` learns about single entities, averaged over entities that look alike.

A table belongs to the first moment of a month (UTC), is learned from what was known strictly before it, and holds a day later. So any request,
whenever it is asked about, is discounted by the newest table that holds at its moment; a record that comes late changes later tables only. Accounts
only: whose request it was when nobody was named, a store does not keep.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

import numpy as np
import polars as pl

from data_contracts.discount import BUSY, CELLS, KINDS, PRIOR, STEPS, Discount
from data_contracts.label import LabelValue
from data_contracts.link import EntityType
from data_contracts.tables import schema
from graph.events import SOURCES, asked, microseconds
from graph.hubs import TIME_TO_CLAIM_US, discounted
from graph.uses import ENTITY

FIRM = 20.0
"""How firmly PRIOR is held, in claimants."""

DIGITS = 3
"""Decimals that are kept: more would be noise, and a table is told in every decision."""


class History(NamedTuple):
    """The whole history, once: `uses` are entity, buyer, first_us; `buyers` are buyer, claimed_us, ordered_us; `labels` are buyer, request, abuse."""

    uses: pl.DataFrame
    buyers: pl.DataFrame
    labels: pl.DataFrame


def months(first: datetime, last: datetime) -> tuple[datetime, ...]:
    """The first moments of the months (UTC) of which requests from `first` to `last` need the tables."""
    begin = first.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    found = pl.datetime_range(begin, last, "1mo", time_unit="us", time_zone="UTC", eager=True)
    return tuple(found.to_list())


def learned(tables: Mapping[str, pl.DataFrame], moments: Iterable[datetime]) -> tuple[Discount, ...]:
    """The tables of these moments; without links or requests there are none."""
    if "links" not in tables or "refund_requests" not in tables:
        return ()
    history = _history(tables)
    return tuple(Discount(moment, _tables(history, microseconds(moment))) for moment in moments)


def _history(tables: Mapping[str, pl.DataFrame]) -> History:
    claims = asked(tables).join(
        tables["refund_requests"].select("request_id", claimed_us=pl.col("known_at").dt.epoch("us")), on="request_id", maintain_order="left"
    )
    claims = claims.drop_nulls("account_id").rename({"account_id": "buyer"}).sort("claimed_us", "request_id")
    links = tables["links"].filter(pl.col("entity_type").is_in([str(kind) for kind in KINDS])).drop_nulls("account_id")
    uses = links.select(*ENTITY, "request_id", "order_id", buyer="account_id", first_us=pl.col("known_at").dt.epoch("us"))
    orders = uses.filter(pl.col("order_id").is_not_null() & pl.col("request_id").is_null())
    buyers = claims.group_by("buyer").agg(pl.col("claimed_us").min())
    buyers = buyers.join(orders.group_by("buyer").agg(ordered_us=pl.col("first_us").min()), on="buyer", how="full", coalesce=True)
    used = uses.group_by(*ENTITY, "buyer").agg(pl.col("first_us").min())
    ever = used.join(claims.select("buyer").unique(), on="buyer", how="semi").group_by(*ENTITY).len().filter(pl.col("len") > 1)
    return History(used.join(ever, on=ENTITY, how="semi"), buyers, _labels(tables, claims))


def _labels(tables: Mapping[str, pl.DataFrame], claims: pl.DataFrame) -> pl.DataFrame:
    labels = tables["labels"] if "labels" in tables else pl.DataFrame(schema=schema("labels"))
    abuse = pl.col("value") == LabelValue.ABUSE
    number = pl.col("source").cast(pl.Enum(SOURCES)).to_physical().cast(pl.Int32) * 2 + (~abuse).cast(pl.Int32)
    known = labels.select("request_id", known_us=pl.col("known_at").dt.epoch("us"), number=number, abuse=abuse)
    return known.join(claims.select("request_id", "buyer", "claimed_us"), on="request_id").sort("known_us", "number")


def _tables(history: History, at_us: int) -> dict[EntityType, tuple[float, ...]]:
    """One table a type, from what was known strictly before that moment."""
    entities = _entities(history, at_us)
    if entities.is_empty():
        return dict.fromkeys(KINDS, PRIOR)
    weighed = discounted(entities)
    return {kind: _table(weighed.filter(pl.col("entity_type") == str(kind))) for kind in KINDS}


def _entities(history: History, at_us: int) -> pl.DataFrame:
    """As `hubs.entities_of` of accounts, without the traits of texts and images."""
    known = history.labels.filter((pl.col("known_us") < at_us) & (pl.col("claimed_us") < at_us))
    judged = known.group_by("request_id").agg(pl.col("buyer", "abuse").last()).group_by("buyer").agg(pl.col("abuse").max())
    claimed, waited = (pl.col("claimed_us") < at_us).fill_null(value=False), (pl.col("ordered_us") < at_us - TIME_TO_CLAIM_US).fill_null(value=False)
    nobody_ordered = history.buyers.filter(pl.col("ordered_us") < at_us).is_empty()
    buyers = history.buyers.select("buyer", claimed=claimed, counts=claimed | waited | nobody_ordered)
    uses = history.uses.filter(pl.col("first_us") < at_us).join(buyers, on="buyer", how="left").join(judged, on="buyer", how="left")
    counted = uses.filter(pl.col("counts").fill_null(value=nobody_ordered)).group_by(*ENTITY)
    found = counted.agg(users=pl.len(), claimants=pl.col("claimed").sum(), judged=pl.col("abuse").count(), abusers=pl.col("abuse").sum())
    traits = {"sellers": pl.lit(None, pl.UInt32), "length": pl.lit(None, pl.UInt32)}
    return found.filter(pl.col("claimants") > 1).with_columns(**traits).sort(*ENTITY)


def _table(entities: pl.DataFrame) -> tuple[float, ...]:
    """The mean weight of each cell over its claimants, held to the prior."""
    others, claimants = (entities[name].cast(pl.Float64).to_numpy() for name in ("users", "claimants"))
    cells = 2 * np.searchsorted(STEPS, others - 1.0, side="right") + (claimants - 1.0 >= BUSY * (others - 1.0))
    total = np.bincount(cells, weights=claimants * entities["weight"].to_numpy(), minlength=CELLS) + FIRM * np.array(PRIOR)
    mean = total / (np.bincount(cells, weights=claimants, minlength=CELLS) + FIRM)
    return tuple(np.round(mean, DIGITS).tolist())
