"""The peers of `benchmarks/features.py`: the same measures by hand, in Polars rolling windows and in DuckDB range windows."""

import duckdb
import polars as pl

from data_contracts.link import EntityType
from data_contracts.timeline import Stream
from features.catalog import FEATURES
from features.declare import Condition, Measure, Windowed
from features.plan import DAY_US, Group, groups


def plan() -> Group:
    """All declared windowed measures over the requests of an account."""
    return next(each for each in groups(FEATURES) if (each.entity, each.stream) == (EntityType.ACCOUNT, Stream.REQUEST))


def by_polars(events: pl.DataFrame) -> pl.DataFrame:
    """The same measures as one would write them by hand: one rolling aggregation a window, accounts as numbers (faster, and keeps the order)."""
    account = pl.col("account_id").cast(pl.Categorical).to_physical().alias("account")
    ordered = events.with_columns(account, pl.from_epoch("occurred_us", time_unit="us").alias("at")).sort("account", "occurred_us")
    columns = [ordered["place"]]
    for days in plan().windows:
        mine = [each.feature for each in plan().fractions if each.feature.window_days == days]
        rolled = ordered.rolling(index_column="at", period=f"{days or 36_500}d", group_by="account", closed="left").agg(map(_expression, mine))
        columns += [_finished(each, rolled[each.name], ordered["occurred_us"]) for each in mine]
    return pl.DataFrame(columns).sort("place")


def _expression(feature: Windowed) -> pl.Expr:
    mask = pl.all_horizontal([_test(each) for each in feature.where]) if feature.where else pl.lit(value=True)
    match feature.measure:
        case Measure.COUNT:
            found = mask.sum() if feature.where else pl.len()
        case Measure.SUM:
            found = pl.col(feature.of or "").sum()
        case Measure.MEAN:
            found = pl.col(feature.of or "").sum() / pl.col(feature.of or "").count()
        case Measure.SHARE:
            found = pl.when(pl.len() >= feature.at_least).then(mask.sum() / pl.len())
        case Measure.DISTINCT:
            found = pl.col(feature.of or "").n_unique()
        case Measure.SINCE_LAST:
            found = pl.col("occurred_us").max()
        case Measure.SINCE_FIRST:
            found = pl.col("occurred_us").min()
    return found.alias(feature.name)


def _test(condition: Condition) -> pl.Expr:
    column = pl.col(condition.column)
    return {"eq": column == condition.value, "ge": column >= condition.value, "lt": column < condition.value}[condition.op]


def _finished(feature: Windowed, rolled: pl.Series, at: pl.Series) -> pl.Series:
    since = feature.measure in (Measure.SINCE_LAST, Measure.SINCE_FIRST)
    # Polars divides by a constant as a product with its inverse, which rounds otherwise than a division does.
    days = pl.Series((at - rolled).cast(pl.Float64).to_numpy() / DAY_US) if since else rolled.cast(pl.Float64)
    return days.fill_nan(None).alias(feature.name)


def by_duckdb(events: pl.DataFrame) -> pl.DataFrame:
    """The same measures as SQL range windows."""
    parts, windows = [], []
    for number, days in enumerate(plan().windows):
        span = "UNBOUNDED PRECEDING" if days is None else f"INTERVAL {days} DAYS PRECEDING"
        windows.append(f"w{number} AS (PARTITION BY account_id ORDER BY moment RANGE BETWEEN {span} AND INTERVAL 1 MICROSECOND PRECEDING)")
        parts += [f"{_sql(each.feature, f'w{number}')} AS {each.feature.name}" for each in plan().fractions if each.feature.window_days == days]
    connection = duckdb.connect()
    connection.register("given", events.with_columns(pl.from_epoch("occurred_us", time_unit="us").alias("moment")).to_arrow())
    query = f"SELECT place, {', '.join(parts)} FROM given WINDOW {', '.join(windows)} ORDER BY place"  # noqa: S608  # names of our own catalogue
    found = pl.from_arrow(connection.sql(query).to_arrow_table())
    assert isinstance(found, pl.DataFrame)  # noqa: S101  # an Arrow table is a frame
    return found


def _sql(feature: Windowed, window: str) -> str:
    tests = [f"{each.column} {_SQL[each.op]} {each.value!r}" for each in feature.where]
    mask = f" FILTER (WHERE {' AND '.join(tests)})" if tests else ""
    over = f"OVER {window}"
    match feature.measure:
        case Measure.COUNT:
            found = f"count(*){mask} {over}"
        case Measure.SUM:
            found = f"coalesce(sum({feature.of}) {over}, 0)"
        case Measure.MEAN:
            found = f"sum({feature.of}) {over} / count({feature.of}) {over}"
        case Measure.SHARE:
            found = f"CASE WHEN count(*) {over} >= {feature.at_least} THEN count(*){mask} {over} / count(*) {over} END"
        case Measure.DISTINCT:
            found = f"count(DISTINCT {feature.of}) {over}"
        case Measure.SINCE_LAST:
            found = f"(occurred_us - max(occurred_us) {over}) / {DAY_US}"
        case Measure.SINCE_FIRST:
            found = f"(occurred_us - min(occurred_us) {over}) / {DAY_US}"
    return f"CAST({found} AS DOUBLE)"


_SQL = {"eq": "=", "ge": ">=", "lt": "<"}
