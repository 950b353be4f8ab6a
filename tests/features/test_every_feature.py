"""What every feature of the catalogue promises; a new row is held to it without a line of test."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import pytest

from data_contracts.link import LINK_TYPES
from data_contracts.reason import REASONS
from data_contracts.snapshot import Neighbourhood, Snapshot
from data_contracts.timeline import COLUMNS, NEVER, WHOLE, Timeline
from features.batch import compute_batch
from features.catalog import FEATURES, by_name
from features.declare import Derived, Discounted, Feature, Given, Measure, Stated, Windowed
from features.online import compute
from features.plan import DAY_US
from features.projection import STREAM_TABLES
from features.streams import micros
from features.views.neighbours import NEIGHBOURS
from tests.features.snapshots import World
from tests.features.worlds import START, STEP, Tables, world

every_feature = pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
every_windowed = pytest.mark.parametrize(
    "feature", [each for each in FEATURES if isinstance(each, Windowed) and not each.slow], ids=lambda feature: feature.name
)

SEEDS = (1, 2)
REQUESTS = 80
COMPONENT = {"component_accounts": 3.0, "component_entities": 2.0, "component_age_days": 9.5, "component_abuse": 1.0}
NEAR = {feature.name: 0.5 + place for place, feature in enumerate(NEIGHBOURS)}
HANDED = COMPONENT | NEAR
SOURCE_TABLES = {
    "account": "accounts",
    "order": "orders",
    "order_lines": "order_lines",
    "claim_lines": "claim_lines",
    "deliveries": "deliveries",
    "evidence": "evidence",
    "measurements": "measurements",
    "observations": "observations",
}
NO_TABLE = ("request", "category")  # the request itself is always there; the category is the article's or else the seller's


def slow_names() -> list[str]:
    return [feature.name for feature in FEATURES if isinstance(feature, Windowed) and feature.slow]


def batch(tables: Tables) -> pl.DataFrame:
    """The frame with made-up values from graph and feature store, so that what is derived from them has values too."""
    asked = tables["refund_requests"].select("request_id")
    given = asked.with_columns(pl.lit(value).alias(name) for name, value in HANDED.items())
    slow = asked.with_columns(pl.lit(20.0 + place).alias(name) for place, name in enumerate(slow_names()))
    return compute_batch(tables, given, slow).sort("request_id")


@pytest.fixture(scope="module")
def frames() -> dict[int, pl.DataFrame]:
    return {seed: batch(world(seed, REQUESTS)) for seed in SEEDS}


@pytest.fixture(scope="module")
def shuffled() -> dict[int, pl.DataFrame]:
    found = {}
    for seed in SEEDS:
        mixed = {name: table.sample(fraction=1.0, shuffle=True, seed=seed) for name, table in world(seed, REQUESTS).items()}
        found[seed] = batch(mixed)
    return found


MOMENT = START + 20 * STEP * 2
"""Somewhere in the middle of the worlds."""


@pytest.fixture(scope="module")
def earlier() -> dict[int, pl.DataFrame]:
    """The frames when nothing known after MOMENT is there, and of requests nothing known at it but themselves."""
    found = {}
    for seed in SEEDS:
        cut = {
            name: table.filter(pl.col("known_at") <= MOMENT) if "known_at" in table.columns else table
            for name, table in world(seed, REQUESTS).items()
        }
        found[seed] = batch(cut)
    return found


@pytest.fixture(scope="module")
def without() -> dict[str, pl.DataFrame]:
    """The frames of one world with one table absent, by table."""
    tables = world(1, REQUESTS)
    return {absent: batch({name: table for name, table in tables.items() if name != absent}) for absent in tables if absent != "refund_requests"}


@every_feature
def test_has_a_value_somewhere_in_these_tests(feature: Feature, frames: dict[int, pl.DataFrame]) -> None:
    assert any(frame[feature.name].is_not_null().any() for frame in frames.values())


@every_feature
def test_cannot_see_the_future(feature: Feature, frames: dict[int, pl.DataFrame], earlier: dict[int, pl.DataFrame]) -> None:
    for seed, before in earlier.items():
        now = frames[seed].filter(pl.col("as_of") <= MOMENT)
        assert 0 < now.height < frames[seed].height
        assert now[feature.name].equals(before[feature.name], null_equal=True)


@every_feature
def test_does_not_depend_on_the_order_of_events(feature: Feature, frames: dict[int, pl.DataFrame], shuffled: dict[int, pl.DataFrame]) -> None:
    for seed in SEEDS:
        assert frames[seed][feature.name].equals(shuffled[seed][feature.name], null_equal=True)


def tables_of(feature: Feature) -> set[str]:
    """The tables without which the feature has no value."""
    if isinstance(feature, Windowed) and not feature.slow:
        linked = {"links"} if feature.entity in LINK_TYPES else set()
        return (linked | {STREAM_TABLES[feature.stream]}) - {"refund_requests"}
    if isinstance(feature, Stated):
        return set() if feature.source in NO_TABLE else {SOURCE_TABLES[feature.source]}
    if isinstance(feature, Derived):
        return tables_of(by_name[feature.a]) | tables_of(by_name[feature.b])
    if isinstance(feature, Discounted):
        return set().union(*(tables_of(by_name[name]) for name in (feature.of, feature.accounts, feature.requests)))
    return set()


@every_feature
def test_is_null_when_its_source_is_missing(feature: Feature, without: dict[str, pl.DataFrame]) -> None:
    for table in tables_of(feature):
        assert without[table][feature.name].is_null().all()
    if isinstance(feature, Given) or (isinstance(feature, Windowed) and feature.slow):
        assert compute_batch(world(1))[feature.name].is_null().all()


def known_before(feature: Windowed, seen: Snapshot, rows: list[dict[str, Any]]) -> Snapshot:
    """The snapshot with events added to every timeline that the feature looks at."""
    timelines = dict(seen.timelines)
    for entity in seen.entities:
        if entity.type is feature.entity:
            timelines[entity, feature.stream] = with_events(timelines[entity, feature.stream], rows)
    return dataclasses.replace(seen, timelines=timelines)


def with_events(timeline: Timeline, rows: list[dict[str, Any]]) -> Timeline:
    columns: dict[str, np.ndarray[Any, Any]] = {name: getattr(timeline, name) for name in COLUMNS}
    grown = {name: np.concatenate([column, np.array([row[name] for row in rows], dtype=column.dtype)]) for name, column in columns.items()}
    order = np.lexsort((grown["event_id"].astype(str), grown["known_us"]))
    return Timeline(**{name: column[order] for name, column in grown.items()})


def an_event(feature: Windowed, account: str, occurred_us: int, known_us: int) -> dict[str, Any]:
    """An event that fulfils the feature's conditions and has every value."""
    row: dict[str, Any] = dict.fromkeys(COLUMNS, f"new {account} {occurred_us}") | dict.fromkeys(WHOLE, 7)
    row |= {"occurred_us": occurred_us, "known_us": known_us, "until_us": NEVER, "account_id": account}
    for test in feature.where:
        row[test.column] = test.value - 1 if test.op == "lt" else test.value
    return row


def snapshots() -> list[Snapshot]:
    """Snapshots of requests whose account is known, with two entities of every type and a store and a graph that answer."""
    found = []
    for seed in (1, 2, 3):
        online = World(world(seed))
        for request in online.requests:
            seen = online.snapshot(request)
            if request.account_id is not None:
                near = Neighbourhood(**{name.removeprefix("component_"): value for name, value in COMPONENT.items()})
                found.append(dataclasses.replace(seen, neighbourhood=near, near=NEAR))
    return found


@pytest.fixture(scope="module")
def seen_before() -> list[tuple[Snapshot, Mapping[str, object]]]:
    return [(seen, compute(seen).values) for seen in snapshots()]


def own_account(seen: Snapshot, feature: Windowed) -> str:
    own = next(entity.id for entity in seen.entities if entity.type == "account")
    return "another" if feature.whose == "others" else own


@every_windowed
def test_sees_no_event_known_at_or_after_its_moment(feature: Windowed, seen_before: list[tuple[Snapshot, Mapping[str, object]]]) -> None:
    asked = [pair for pair in seen_before if any(entity.type is feature.entity for entity in pair[0].entities)][:3]
    assert asked
    for seen, values in asked:
        t = micros(seen.as_of)
        later = [an_event(feature, own_account(seen, feature), t - 5, t), an_event(feature, own_account(seen, feature), t + 1, t + 1)]
        assert compute(known_before(feature, seen, later)).values[feature.name] == values[feature.name]


@every_windowed
def test_sees_its_window_and_nothing_beyond(feature: Windowed, seen_before: list[tuple[Snapshot, Mapping[str, object]]]) -> None:
    asked = [pair for pair in seen_before if any(entity.type is feature.entity for entity in pair[0].entities)][:3]
    changed = False
    for seen, values in asked:
        t, account = micros(seen.as_of), own_account(seen, feature)
        edge = t - (feature.window_days or 10_000) * DAY_US
        at_edge = compute(known_before(feature, seen, [an_event(feature, account, edge, t - 1)])).values[feature.name]
        changed |= at_edge != values[feature.name]
        if feature.window_days is not None:
            beyond = [an_event(feature, account, edge - 1, t - 1)]
            assert compute(known_before(feature, seen, beyond)).values[feature.name] == values[feature.name]
    assert changed or feature.measure in (Measure.SINCE_LAST, Measure.SHARE)


@every_feature
def test_says_why_it_has_no_value(feature: Feature, seen_before: list[tuple[Snapshot, Mapping[str, object]]]) -> None:
    seen = seen_before[0][0]
    bare = Snapshot(as_of=seen.as_of, request=dataclasses.replace(seen.request, amount_minor=None, text=None, claim_type=None))
    facts = compute(bare)
    assert (facts.values[feature.name] is None) == (feature.name in facts.missing)
    assert facts.values[feature.name] is None or feature.name in ("claim_hour", *EMPTY_IS_KNOWN)


EMPTY_IS_KNOWN = (
    "evidence_photos",
    "evidence_videos",
    "evidence_documents",
    "evidence_pieces",
    "evidence_repeated",
    "evidence_measured",
    "evidence_not_measurable",
    "evidence_counted",
)
"""What a connected source says of a request without evidence: none, which is a number."""


@every_feature
def test_is_documented(feature: Feature) -> None:
    assert sum(other.name == feature.name for other in FEATURES) == 1
    assert sum(other.meaning == feature.meaning for other in FEATURES) == 1
    assert feature.meaning[0].isupper()
    assert not feature.meaning.endswith(".")
    assert feature.missing
    assert feature.unit


@every_feature
def test_its_reason_belongs_to_its_family(feature: Feature) -> None:
    assert feature.family in (REASONS[feature.reason].family, "context")  # a circumstance may share a code, it is never evidence


@every_feature
def test_its_name_says_its_window(feature: Feature) -> None:
    if isinstance(feature, Windowed):
        assert feature.name.startswith(f"{feature.entity.value}_")
        assert feature.name.endswith(f"_{feature.window_days}d") or feature.window_days is None
