"""One declaration, two executors: they agree to the bit on random histories."""

import struct
from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.discount import CELLS, KINDS, Discount, newest
from data_contracts.link import EntityType
from data_contracts.timeline import COLUMNS, Stream
from features.batch import compute_batch
from features.catalog import FEATURES
from features.online import compute
from features.streams import timeline_events
from tests.features.snapshots import World
from tests.features.worlds import START, world

ABSENT = (
    "orders",
    "order_lines",
    "deliveries",
    "claim_lines",
    "evidence",
    "observations",
    "measurements",
    "links",
    "labels",
    "accounts",
    "skus",
    "sellers",
)


def bits(value: object) -> object:
    return struct.pack("<d", value) if isinstance(value, float) else value


def differences(tables: dict[str, pl.DataFrame], limit: int, discounts: tuple[Discount, ...] = ()) -> list[tuple[object, ...]]:
    online = World(tables)
    rows = {row["request_id"]: row for row in compute_batch(tables, limit=limit, discounts=discounts).to_dicts()}
    found = []
    for request in online.requests:
        facts = compute(replace(online.snapshot(request), discount=newest(discounts, request.known_at)), limit=limit)
        row = rows[request.request_id]
        assert facts.missing.keys() == {name for name, value in facts.values.items() if value is None}
        found += [
            (request.request_id, feature.name, row[feature.name], facts.values[feature.name])
            for feature in FEATURES
            if bits(row[feature.name]) != bits(facts.values[feature.name])
        ]
    return found


@given(seed=st.integers(0, 2**32), limit=st.sampled_from([3, 2_000]))
@settings(max_examples=12, deadline=None)
def test_batch_and_online_agree_to_the_bit(seed: int, limit: int) -> None:
    assert not differences(world(seed), limit)


weights = st.dictionaries(st.sampled_from(KINDS), st.tuples(*[st.floats(0.0, 1.0)] * CELLS))
moments = st.integers(0, 90).map(lambda days: START + timedelta(days=days))
learned = st.lists(st.builds(Discount, moments, weights), max_size=3, unique_by=lambda each: each.at).map(tuple)


@given(seed=st.integers(0, 2**32), discounts=learned)
@settings(max_examples=8, deadline=None)
def test_they_agree_about_what_was_learned_of_shared_things(seed: int, discounts: tuple[Discount, ...]) -> None:
    assert not differences(world(seed), 2_000, discounts)


def test_a_shared_thing_counts_as_much_as_the_newest_tables_from_before_the_request_say() -> None:
    tables, name = world(3, 60), "device_other_requests_365d"
    middle = tables["refund_requests"]["known_at"].sort()[30]
    frame = compute_batch(tables, discounts=[Discount(middle, {EntityType.DEVICE: (0.0,) * CELLS})])
    told = compute_batch(tables).filter((pl.col(name) > 0) & (pl.col("as_of") < middle))
    discounted = "device_other_requests_discounted_365d"
    assert not told.is_empty()
    assert (told[discounted] > 0).all()
    assert frame.filter(pl.col("as_of") < middle)[discounted].equals(
        compute_batch(tables).filter(pl.col("as_of") < middle)[discounted], null_equal=True
    )
    assert frame.filter(pl.col("as_of") >= middle)[discounted].drop_nulls().eq(0.0).all()


@pytest.mark.parametrize("absent", ABSENT)
def test_they_agree_when_a_table_is_absent(absent: str) -> None:
    tables = world(7)
    del tables[absent]
    assert not differences(tables, 2_000)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=8, deadline=None)
def test_events_of_tables_and_of_records_are_the_same(seed: int) -> None:
    tables = world(seed)
    online = World(tables)
    for entity in EntityType:
        for stream in Stream:
            batch = {(row[0], row[3], row[1]): row[1:] for row in timeline_events(tables, entity, stream, online.currency).rows()}
            single = {
                (name, known_us, event_id): row
                for (where, placed), events in online.events.items()
                for name in [where.id]
                if where.type is entity and placed is stream
                for (known_us, event_id), row in events.items()
            }
            assert batch == single, (entity, stream)
            assert len(COLUMNS) == len(next(iter(single.values()), COLUMNS))


def test_how_the_work_is_cut_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = compute_batch(world(5, 40))
    monkeypatch.setattr("features.coding.PART", 3)
    assert compute_batch(world(5, 40)).equals(whole, null_equal=True)
