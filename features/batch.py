"""Every feature of every request, point in time, from tables. Polars joins and sorts, the kernel in `features/windows.py` merges."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl

from data_contracts.discount import HOLDS_AFTER, Discount
from data_contracts.tables import OPEN_TABLE, TIME
from data_contracts.timeline import TIMELINE_LIMIT
from features import claim, claim_tables
from features.catalog import ATTRIBUTE, FEATURES, discounted, formulas, kind_of
from features.coding import Coded, encode, parts_of
from features.declare import Feature, Given, Stated, Windowed
from features.formulas import Floats, derive, discount, smallest_wins
from features.measuring import measure
from features.plan import Group, groups
from features.projection import STREAM_TABLES, Projection, Tables, currency_of
from features.streams import micros


def compute_batch(
    tables: Tables,
    given: pl.DataFrame | None = None,
    slow: pl.DataFrame | None = None,
    *,
    discounts: Sequence[Discount] = (),
    features: Sequence[Feature] = FEATURES,
    limit: int = TIMELINE_LIMIT,
) -> pl.DataFrame:
    """One row a request: request_id, as_of, every feature in catalogue order, then the shop's own columns by name.

    `given` (graph) and `slow` (feature store) hold request_id and feature columns; what they lack is null. `discounts` are what was learned of
    shared things, each from its moment on; the prior before. Rows are in the order of
    (as_of, request_id). Numbers are Float64, categories String; null is missing.
    """
    projection = Projection(tables, currency_of(tables))
    values: dict[str, Floats] = {}
    for each in groups(features):
        values |= windowed(projection, each, limit)
    values |= claim.numbers(claim_tables.claims_of(projection))
    frame = projection.requests.select("request_id", pl.from_epoch("known_us", time_unit="us").cast(TIME).alias("as_of"))
    for handed in (given, slow):
        if handed is not None:
            frame = frame.join(handed.drop("as_of", strict=False), on="request_id", how="left", maintain_order="left")
    values |= {name: frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in _handed(frame, features)}
    nothing = np.full(frame.height, np.nan)
    values |= _discounted(values, projection, discounts, features)
    for formula in formulas(features):
        values[formula.name] = derive(formula, values.get(formula.a, nothing), values.get(formula.b, nothing))
    columns = [_column(feature, values, projection) for feature in features]
    return pl.concat([frame.select("request_id", "as_of"), pl.DataFrame(columns), *_attributes(projection)], how="horizontal")


def _discounted(
    values: Mapping[str, Floats], projection: Projection, discounts: Sequence[Discount], features: Sequence[Feature]
) -> dict[str, Floats]:
    """The features that are weighed by the newest tables that hold at each request's moment."""
    known = sorted(discounts, key=lambda each: each.at)
    which = np.searchsorted([micros(each.at + HOLDS_AFTER) for each in known], projection.requests["known_us"].to_numpy(), side="right")
    return {each.name: discount(each, values, (None, *known), which) for each in discounted(features)}


def _handed(frame: pl.DataFrame, features: Sequence[Feature]) -> list[str]:
    wanted = [feature.name for feature in features if isinstance(feature, Given) or (isinstance(feature, Windowed) and feature.slow)]
    return [name for name in wanted if name in frame.columns]


def _column(feature: Feature, values: Mapping[str, Floats], projection: Projection) -> pl.Series:
    """The finished column of a feature; NaN becomes null."""
    if isinstance(feature, Stated) and kind_of(feature) == "category":
        words = projection.requests["claim_type"] if feature.name == "claim_type" else projection.category
        return words.cast(pl.String).alias(feature.name)
    if feature.name not in values:
        return pl.Series(feature.name, [None] * projection.requests.height, dtype=pl.Float64)
    return pl.Series(feature.name, values[feature.name], dtype=pl.Float64, nan_to_null=True)


def _attributes(projection: Projection) -> list[pl.DataFrame]:
    """The shop's own columns, by name, under the names of their features."""
    if OPEN_TABLE not in projection.tables:
        return []
    own = projection.tables[OPEN_TABLE]
    joined = projection.requests.select("request_id").join(own, on="request_id", how="left", maintain_order="left").drop("request_id")
    return [joined.select(pl.col(name).alias(f"{ATTRIBUTE}{name}") for name in sorted(joined.columns))]


THREADS = min(4, os.cpu_count() or 1)
"""How many parts are computed at a time; the kernel and NumPy let other threads work."""


def windowed(projection: Projection, plan: Group, limit: int = TIMELINE_LIMIT) -> dict[str, Floats]:
    """The windowed features of one entity type and stream, one value a request in the order of `projection.requests`; NaN is null."""
    height = projection.requests.height
    members = projection.members(plan.entity)
    if STREAM_TABLES[plan.stream] not in projection.tables or members.is_empty():
        return {each.feature.name: np.full(height, np.nan) for each in plan.fractions}
    coded = encode(projection, plan, members, limit)
    several = members["place"].n_unique() != members.height
    found = {each.feature.name: np.full(height, np.nan) for each in plan.fractions}

    def answer(part: Coded) -> None:
        for feature, values in measure(plan, part, limit):
            if several:
                (np.fmin if smallest_wins(feature) else np.fmax).at(found[feature.name], part.place, values)
            else:
                found[feature.name][part.place] = values

    with ThreadPoolExecutor(1 if several else THREADS) as pool:  # the entities of one request may lie in two parts
        list(pool.map(answer, parts_of(coded)))
    return found
