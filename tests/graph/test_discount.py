from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.discount import CELLS, HOLDS_AFTER, KINDS, PRIOR, Discount, cell, newest
from data_contracts.link import EntityType
from graph.discount import learned, months
from graph.hubs import entities_of
from graph.uses import seen_before
from tests.graph.histories import START, at, histories, history, label, link, request
from tests.graph.ring_stories import also, ring_world

PAIRS = [(f"a{number}", f"b{number}") for number in range(100)]


def table(tables: dict[str, pl.DataFrame], hour: float, kind: EntityType = EntityType.DEVICE) -> tuple[float, ...]:
    return learned(tables, [at(hour)])[0].weights[kind]


def before(tables: dict[str, pl.DataFrame], moment: datetime) -> dict[str, pl.DataFrame]:
    return {name: frame.filter(pl.col("known_at") < moment) for name, frame in tables.items()}


def paired(kind: str, value: str | None) -> dict[str, pl.DataFrame]:
    requests = [request(f"r{name}", name, 10) for pair in PAIRS for name in pair]
    links = [link(name, f"thing-{pair[0]}", 1, kind) for pair in PAIRS for name in pair]
    return history(requests, links, [label(f"r{name}", value, 20) for pair in PAIRS for name in pair] if value else [])


def test_the_prior_holds_until_something_is_known() -> None:
    assert table(history([request("r", "a", 5)], [link("a", "x", 1)]), 100) == PRIOR
    assert len(PRIOR) == CELLS
    assert learned({"refund_requests": history([], [])["refund_requests"]}, [START]) == ()


@pytest.mark.parametrize("kind", ["device", "card", "address"])
def test_things_whose_users_were_abusers_count_for_more_than_those_of_honest_people(kind: str) -> None:
    told = {value: table(paired(kind, value), 21, EntityType(kind))[cell(1, 1)] for value in ("abuse", "honest")}
    assert told["abuse"] > told["honest"] + 0.1
    assert table(paired(kind, "abuse"), 20, EntityType(kind)) == table(paired(kind, None), 20, EntityType(kind))


def test_a_place_of_many_honest_people_counts_for_less_than_a_thing_of_claimants() -> None:
    tables = ring_world(members=8, strangers=60)
    assert table(tables, 1_000)[cell(7, 7)] > 0.3
    assert table(tables, 1_000, EntityType.ADDRESS)[cell(59, 14)] < PRIOR[cell(59, 14)]


@given(histories(), st.integers(1, 41))
@settings(max_examples=40, deadline=None)
def test_tables_of_a_moment_are_those_of_what_was_known_before_it(tables: dict[str, pl.DataFrame], hour: int) -> None:
    whole = also(tables, labels=[label("r0", "abuse", hour), label("r0", "honest", hour + 1)])
    assert learned(whole, [at(hour)]) == learned(before(whole, at(hour)), [at(hour)])
    assert learned(whole, [at(hour), at(hour + 9)])[0] == learned(tables, [at(hour)])[0]


@given(histories(), st.integers(1, 400))
@settings(max_examples=40, deadline=None)
def test_users_and_judgements_are_those_that_the_ring_finder_counts_of_accounts(tables: dict[str, pl.DataFrame], hour: int) -> None:
    from graph.discount import _entities, _history
    from graph.events import microseconds

    names = ["entity_type", "entity_id", "users", "claimants", "judged", "abusers"]
    named = {name: tables[name].drop_nulls("account_id") for name in ("refund_requests", "links")}
    expected = entities_of(seen_before(tables | named, at(hour))).select(names)
    found = _entities(_history(tables), microseconds(at(hour))).select(names)
    judged = pl.col("judged", "abusers").fill_null(0).cast(pl.Int64)
    assert found.with_columns(judged).equals(expected.with_columns(judged))


def test_a_request_is_discounted_by_the_newest_month_before_it() -> None:
    moments = months(datetime(2026, 1, 31, 5, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
    assert moments == tuple(datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3))
    tables = [Discount(moment, {}) for moment in moments]
    assert newest(tables, moments[1] + HOLDS_AFTER - timedelta(microseconds=1)) is tables[0]
    assert newest(tables, moments[1] + HOLDS_AFTER) is tables[1]
    assert newest(tables, moments[0]) is None


def test_every_cell_belongs_to_a_table() -> None:
    cells = {cell(accounts, requests) for accounts in range(200) for requests in range(200)}
    assert cells == set(range(CELLS))
    assert EntityType.AGENT not in KINDS
