from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.link import EntityType
from data_contracts.tables import TIME
from features.batch import compute_batch
from features.catalog import FEATURES
from features.declare import Feature
from features.slow import STAMP, key_of, over_articles, slow_features, slow_questions, slow_states, states_at, states_for
from tests.features.worlds import START, Tables, world

LATER = START + timedelta(days=500)


def every_midnight(tables: Tables, days: int) -> dict[EntityType, pl.DataFrame]:
    """All states there can be."""
    stamps = pl.DataFrame({STAMP: [START + timedelta(days=day) for day in range(days)]}, schema={STAMP: TIME})
    return slow_states(tables, {kind: frame.select(key_of(kind)).join(stamps, how="cross") for kind, frame in states_at(tables, LATER).items()})


def as_live(kind: EntityType) -> list[Feature]:
    """The slow features of a type declared as live ones, so that the batch executor answers for the moment itself."""
    return [replace(feature, slow=False) for feature in slow_features()[kind]]


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_a_state_is_what_a_live_feature_says_at_that_midnight(seed: int) -> None:
    """Every request is moved to a midnight and asked there; an entity without state is one of which nothing was known."""
    tables = world(seed)
    midnight = (pl.col("known_at").dt.truncate("1d") + timedelta(days=1)).alias("known_at")
    tables = {**tables, "refund_requests": tables["refund_requests"].with_columns(midnight)}
    questions = slow_questions(tables)
    for kind, states in slow_states(tables, states_for(questions)).items():
        found = questions.drop_nulls(key_of(kind)).join(states, left_on=[key_of(kind), "as_of"], right_on=[key_of(kind), STAMP], how="left")
        best = found.group_by("request_id").agg(over_articles(slow_features()[kind])).sort("request_id")
        live = compute_batch(tables, features=as_live(kind)).join(best.select("request_id"), on="request_id", how="semi").sort("request_id")
        for feature in slow_features()[kind]:
            for state_value, live_value in zip(best[feature.name], live[feature.name], strict=True):
                assert state_value == live_value or (state_value is None and live_value == 0)


def test_a_state_is_stamped_after_everything_that_it_holds() -> None:
    tables = world(3)
    whole = every_midnight(tables, 60)[EntityType.SELLER]
    for day in (10, 20, 40):
        moment = START + timedelta(days=day)
        before = {name: frame.filter(pl.col("known_at") < moment) if "known_at" in frame.columns else frame for name, frame in tables.items()}
        mine = pl.col(STAMP) == moment
        assert every_midnight(before, 60)[EntityType.SELLER].filter(mine).equals(whole.filter(mine))


def test_an_entity_has_no_state_before_it_was_heard_of() -> None:
    requests = world(0)["refund_requests"].head(1).with_columns(seller_id=pl.lit("s1"), occurred_at=START, known_at=START)
    states = every_midnight({"refund_requests": requests}, 500)[EntityType.SELLER]
    assert states[STAMP].min() == START + timedelta(days=1)
    counted = states.select(pl.col(STAMP).dt.date().cast(pl.String).alias("day"), "seller_requests_90d", "seller_requests_365d", "seller_orders_90d")
    assert counted.filter(pl.col("day").is_in(["2026-01-02", "2026-04-01", "2026-04-02", "2027-01-01", "2027-01-02"])).rows() == [
        ("2026-01-02", 1.0, 1.0, None),
        ("2026-04-01", 1.0, 1.0, None),
        ("2026-04-02", 0.0, 1.0, None),
        ("2027-01-01", 0.0, 1.0, None),
        ("2027-01-02", 0.0, 0.0, None),
    ]


def test_the_service_needs_the_states_of_the_last_midnight() -> None:
    asked = states_at(world(1), START + timedelta(days=9, hours=13))
    assert {stamp for frame in asked.values() for stamp in frame[STAMP]} == {START + timedelta(days=9)}


def test_every_slow_feature_belongs_to_an_entity_that_requests_name() -> None:
    assert set(slow_features()) == {EntityType.SELLER, EntityType.SKU}
    assert sum(map(len, slow_features().values())) == sum(getattr(feature, "slow", False) for feature in FEATURES)


@pytest.mark.parametrize("table", ["orders", "labels"])
def test_an_absent_table_makes_its_features_null(table: str) -> None:
    tables = world(2)
    del tables[table]
    state = every_midnight(tables, 60)[EntityType.SELLER]
    silent = "seller_orders_90d" if table == "orders" else "seller_abuse_share_365d"
    assert state[silent].null_count() == len(state) > 0
