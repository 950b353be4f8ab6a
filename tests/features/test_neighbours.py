"""What a buyer's neighbours are like: the catalogue, the batch frame and the live state say the same, to the bit."""

from dataclasses import replace
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.label import Label
from data_contracts.link import EntityType, Link
from data_contracts.request import Account, Order, RefundRequest
from data_contracts.snapshot import Snapshot
from data_contracts.timeline import Entity, Stream
from features.batch import compute_batch
from features.catalog import by_name
from features.online import compute
from features.streams import in_currency
from features.views.neighbours import NEIGHBOURS
from graph.live_neighbours import LiveNeighbours
from graph.neighbours import AGGREGATES, neighbour_facts
from tests.features.snapshots import World, records
from tests.features.test_batch_equals_online import ABSENT, bits
from tests.features.worlds import Tables, world

NAMES = [feature.name for feature in NEIGHBOURS]


def buyer(seen: Snapshot) -> str | None:
    return next((entity.id for entity in seen.entities if entity.type is EntityType.ACCOUNT), None)


def live_state(online: World, tables: Tables, random: Random) -> LiveNeighbours:
    """Told everything, as it comes; a label comes after its request."""
    live = LiveNeighbours()
    told: list[object] = [*online.requests, *online.orders.values(), *online.accounts.values(), *records(tables, "links")]
    random.shuffle(told)
    for each in [*told, *records(tables, "labels")]:
        match each:
            case RefundRequest():
                amount = in_currency(each.amount_minor, each.currency, online.currency)
                live.add_claim(each.request_id, buyer(online.question(each)), amount, each.known_at)
            case Link():
                live.add_link(each)
            case Label():
                asked = [online.question(request) for request in online.requests if request.request_id == each.request_id]
                live.add_label(each, buyer(asked[0]) if asked else None)
            case Order():
                live.add_order(each.order_id, each.account_id, each.known_at)
            case Account():
                live.add_account(each)
    return live


def differences(tables: Tables, random: Random) -> tuple[list[tuple[object, ...]], int]:
    """Where batch and online differ, and how many values there are."""
    online = World(tables)
    live = live_state(online, tables, random)
    frame = compute_batch(tables, neighbour_facts(tables, online.currency))
    rows = {row["request_id"]: row for row in frame.to_dicts()}
    found: list[tuple[object, ...]] = []
    for request in online.requests:
        seen = online.snapshot(request)
        own = [Entity(link.entity_type, link.entity_id) for link in seen.links if link.known_at <= seen.as_of]
        facts = compute(replace(seen, near=live.facts(buyer(seen), own, seen.as_of, judged=Stream.LABEL in seen.sources)))
        assert {name for name in NAMES if name in facts.missing} == {name for name in NAMES if facts.values[name] is None}
        row = rows[request.request_id]
        found += [(request.request_id, name, row[name], facts.values[name]) for name in NAMES if bits(row[name]) != bits(facts.values[name])]
    return found, sum(frame[name].count() for name in NAMES)


@given(seed=st.integers(0, 2**32), random=st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_batch_and_online_agree_to_the_bit(seed: int, random: Random) -> None:
    wrong, values = differences(world(seed), random)
    assert not wrong
    assert values > 0


@pytest.mark.parametrize("absent", ABSENT)
@given(random=st.randoms(use_true_random=False))
@settings(max_examples=2, deadline=None)
def test_they_agree_when_a_table_is_absent(absent: str, random: Random) -> None:
    tables = world(7)
    del tables[absent]
    assert differences(tables, random)[0] == []


def test_the_catalogue_names_what_the_graph_finds() -> None:
    assert sorted(NAMES) == sorted(each.name for each in AGGREGATES)
    assert all(by_name[name].family == "links" for name in NAMES)


def test_every_one_of_them_has_values_and_no_value_has_a_reason() -> None:
    tables = world(3, 200)
    frame = compute_batch(tables, neighbour_facts(tables, World(tables).currency))
    assert [name for name in NAMES if frame[name].n_unique() < 3 and not name.startswith("far_")] == []
    seen = World(tables).snapshot(World(tables).requests[0])
    silent = compute(replace(seen, missing={**seen.missing, "neighbourhood": "no_answer"})).missing
    assert {silent[name] for name in NAMES} <= {"no_account", "no_answer"}
    nobody = compute(replace(seen, near=dict.fromkeys(NAMES))).missing
    assert {nobody[name] for name in NAMES} == {"too_few"}
    ages = frame.filter(pl.col("near_age_mean").is_not_null())
    assert (ages["near_age_least"] <= ages["near_age_mean"]).all()
