"""Slow features: what is known of a seller or an article by midnight, for the feature store.

A state is stamped with a midnight (UTC) and holds what was known strictly before it, so that a join in time may include its stamp. Its values
come from the kernel of all windowed features: a state equals a live feature asked at that midnight. Who was never heard of before a midnight
has no state of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

import numpy as np
import polars as pl

from data_contracts.link import EntityType
from data_contracts.tables import TIME
from data_contracts.timeline import TIMELINE_LIMIT, Stream
from features.catalog import FEATURES, needed_slow
from features.coding import Coded, encode
from features.declare import Feature, Windowed
from features.formulas import smallest_wins
from features.measuring import measure
from features.plan import Group, fraction
from features.projection import STREAM_TABLES, Projection, Tables, currency_of
from features.windows import Questions, group

STAMP = "at"
"""The column that holds the midnight of a state."""

States: TypeAlias = Mapping[EntityType, pl.DataFrame]
"""Rows of key and STAMP, by entity type; of states also the values."""


def key_of(entity: EntityType) -> str:
    """The column that names the entity: seller_id, sku_id."""
    return f"{entity.value}_id"


def slow_features(features: Iterable[Feature] = FEATURES) -> dict[EntityType, tuple[Windowed, ...]]:
    """The slow features of each entity type that has any, in the order of the catalogue."""
    found: dict[EntityType, tuple[Windowed, ...]] = {}
    for feature in needed_slow(features):
        found[feature.entity] = (*found.get(feature.entity, ()), feature)
    return found


def slow_states(
    tables: Tables, asked: States, *, features: Sequence[Feature] = FEATURES, limit: int = TIMELINE_LIMIT
) -> dict[EntityType, pl.DataFrame]:
    """The states that are asked for, by entity type: its key, STAMP and its slow features, sorted by key and stamp.

    `asked` has the key and STAMP, a midnight. A value is null where its source has no table, or a mean or share has too few events under it.
    """
    projection = Projection(tables, currency_of(tables))
    return {kind: _states(projection, kind, rows, asked[kind], limit) for kind, rows in slow_features(features).items()}


def states_for(questions: pl.DataFrame) -> dict[EntityType, pl.DataFrame]:
    """Which states `slow_questions` need: each entity's of the last midnight at or before as_of."""
    stamped = questions.with_columns(pl.col("as_of").dt.truncate("1d").alias(STAMP))
    return {kind: stamped.select(key_of(kind), STAMP).drop_nulls().unique() for kind in slow_features()}


def states_at(tables: Tables, moment: datetime) -> dict[EntityType, pl.DataFrame]:
    """Which states a service needs: everybody's of the last midnight at or before the moment."""
    midnight = pl.lit(moment).cast(TIME).dt.truncate("1d").alias(STAMP)
    projection = Projection(tables, currency_of(tables))
    return {
        kind: _first_heard(_encoded(projection, kind, features)).select(pl.col("entity_id").alias(key_of(kind)), midnight)
        for kind, features in slow_features().items()
    }


def slow_questions(tables: Tables) -> pl.DataFrame:
    """Whose states the requests need: request_id, as_of, seller_id, sku_id; one row for each article, ids null where not known."""
    projection = Projection(tables, currency_of(tables))
    requests = projection.requests.select("place", "request_id", pl.from_epoch("known_us", time_unit="us").cast(TIME).alias("as_of"), "seller_id")
    articles = projection.members(EntityType.SKU).rename({"entity_id": "sku_id"})
    return requests.join(articles, on="place", how="left", maintain_order="left").drop("place")


def over_articles(features: Sequence[Windowed]) -> list[pl.Expr]:
    """How several rows of one request become one: the largest value, for since_last the smallest."""
    return [pl.col(each.name).min() if smallest_wins(each) else pl.col(each.name).max() for each in features]


def one_value(feature: Windowed, values: Iterable[float | None]) -> float | None:
    """The same for one request; null when none is known."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return min(known) if smallest_wins(feature) else max(known)


def _states(projection: Projection, kind: EntityType, features: Sequence[Windowed], asked: pl.DataFrame, limit: int) -> pl.DataFrame:
    encoded = _encoded(projection, kind, features)
    wanted = asked.select(pl.col(key_of(kind)).alias("entity_id"), pl.col(STAMP).dt.epoch("us").alias("at_us")).unique()
    heard = wanted.join(_first_heard(encoded), on="entity_id").filter(pl.col("known_us") < pl.col("at_us"))
    rows = heard.select("entity_id", "at_us").sort("entity_id", "at_us")
    values = {feature.name: pl.Series([None] * rows.height, dtype=pl.Float64) for feature in features}
    for plan, coded in encoded:
        values |= _values(plan, coded, rows, limit)
    stamp = pl.from_epoch("at_us", time_unit="us").cast(TIME).alias(STAMP)
    return rows.select(pl.col("entity_id").alias(key_of(kind)), stamp).with_columns(series.alias(name) for name, series in values.items())


def _encoded(projection: Projection, kind: EntityType, features: Sequence[Windowed]) -> list[tuple[Group, Coded]]:
    """The events to measure, by stream, and nobody's questions; a stream without its table is left out."""
    nobody = projection.members(kind).clear()
    by_stream: dict[Stream, list[Windowed]] = {}
    for feature in features:
        if STREAM_TABLES[feature.stream] in projection.tables:
            by_stream.setdefault(feature.stream, []).append(feature)
    plans = [Group(kind, stream, tuple(fraction(each) for each in rows)) for stream, rows in by_stream.items()]
    return [(plan, encode(projection, plan, nobody)) for plan in plans]


def _first_heard(encoded: Sequence[tuple[Group, Coded]]) -> pl.DataFrame:
    """When the first event of each entity became known: entity_id, known_us."""
    found = [pl.DataFrame(schema={"entity_id": pl.String, "known_us": pl.Int64})]
    for _, coded in encoded:
        start = coded.events.start
        entities = np.flatnonzero(np.diff(start))
        found.append(pl.DataFrame({"entity_id": coded.words["entity"].names(entities), "known_us": coded.events.known[start[entities]]}))
    return pl.concat(found).group_by("entity_id").agg(pl.col("known_us").min())


def _values(plan: Group, coded: Coded, asked: pl.DataFrame, limit: int) -> dict[str, pl.Series]:
    """The plan's features for each row of `asked` (entity_id, at_us; sorted by both)."""
    entity = coded.words["entity"].codes(asked["entity_id"])
    entities = max(int(entity.max(initial=-1)) + 1, coded.events.start.size - 1)
    start, order = group(entity, entities)
    events = replace(coded.events, start=np.pad(coded.events.start, (0, entities + 1 - coded.events.start.size), mode="edge"))
    questions = Questions(start, asked["at_us"].to_numpy()[order], np.empty(0, np.int64))
    found: dict[str, pl.Series] = {}
    for feature, values in measure(plan, coded._replace(events=events, questions=questions, place=order), limit):
        column = np.empty(len(asked))
        column[order] = values
        found[feature.name] = pl.Series(column, nan_to_null=True)
    return found
