from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.label import Label
from data_contracts.link import EntityType, Link
from data_contracts.snapshot import Neighbourhood
from data_contracts.timeline import Entity
from graph.components import component_facts
from graph.judgements import Judgement
from graph.live_components import LiveComponents
from graph.union_find import HUB_ACCOUNTS
from tests.graph.histories import at, histories, history, judgements, link, request


def tell(live: LiveComponents, row: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> None:
    if "entity_id" in row:
        live.add_link(Link(**row))
        return
    asked = tables["refund_requests"].row(by_predicate=pl.col("request_id") == row["request_id"], named=True)
    live.add_label(Label(**row), asked["account_id"], asked["known_at"])


def ask(live: LiveComponents, asked: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> tuple[float | None, ...]:
    own = tables["links"].filter((pl.col("request_id") == asked["request_id"]) & (pl.col("known_at") <= asked["known_at"]))
    entities = [Entity(EntityType(kind), name) for kind, name in own.select("entity_type", "entity_id").rows()]
    found = live.facts(asked["account_id"], entities, asked["known_at"])
    return (None,) * 4 if found is None else (found.accounts, found.entities, found.age_days, found.abuse)


@given(tables=histories(), said=judgements(), random=st.randoms(use_true_random=False), in_order=st.booleans())
@settings(max_examples=100, deadline=None)
def test_live_facts_equal_batch_facts_in_any_order_of_arrival(
    tables: dict[str, pl.DataFrame], said: list[Judgement], random: Random, *, in_order: bool
) -> None:
    """Questions come in between, about the present and the past; each is asked again when everything has arrived."""
    events = tables["links"].to_dicts() + tables["labels"].to_dicts()
    random.shuffle(events)
    if in_order:
        events.sort(key=lambda row: row["known_at"])
    asked = tables["refund_requests"].to_dicts()
    live = LiveComponents()
    for event in events:
        if random.random() < 0.3:
            ask(live, random.choice(asked), tables)
        if random.random() < 0.2:
            live.judge(said[: random.randint(0, len(said))])
        tell(live, event, tables)
    live.judge(said)
    expected = {name: rest for name, *rest in component_facts(tables, said).rows()}
    random.shuffle(asked)
    for question in asked:
        assert list(ask(live, question, tables)) == expected[question["request_id"]]


@given(histories(), histories(), judgements())
@settings(max_examples=25, deadline=None)
def test_a_state_taken_from_tables_goes_on_as_if_it_had_seen_every_event(
    first: dict[str, pl.DataFrame], then: dict[str, pl.DataFrame], said: list[Judgement]
) -> None:
    then = {name: frame.with_columns(known_at=pl.col("known_at") + timedelta(hours=20)) for name, frame in then.items()}
    then["refund_requests"] = then["refund_requests"].with_columns(request_id=pl.lit("later-") + pl.col("request_id"))
    for name in ("links", "labels"):
        then[name] = then[name].with_columns(request_id=pl.lit("later-") + pl.col("request_id"))
    both = {name: pl.concat([first[name], then[name]]) for name in first}
    live = LiveComponents.of(first, said)
    for event in then["links"].to_dicts() + then["labels"].to_dicts():
        tell(live, event, both)
    expected = [list(row[1:]) for row in component_facts(both, said).rows()]
    assert [list(ask(live, question, both)) for question in both["refund_requests"].to_dicts()] == expected


def test_asking_with_an_entity_equals_linking_it_first() -> None:
    random = np.random.default_rng(5)
    rows = [link(f"a{account}", f"e{entity}", hour) for hour, (account, entity) in enumerate(random.integers(0, 60, (300, 2)))]
    live = LiveComponents.of(history([request("r", "a0", 0)], rows))
    for account, entity in random.integers(0, 60, (200, 2)):
        asked = live.facts(f"a{account}", [Entity(EntityType.DEVICE, f"e{entity}")], at(400))
        linked = LiveComponents.of(history([request("r", "a0", 0)], [*rows, link(f"a{account}", f"e{entity}", 400)])).facts(
            f"a{account}", [], at(401)
        )
        assert asked is not None
        assert linked is not None
        assert (asked.accounts, asked.entities, asked.abuse) == (linked.accounts, linked.entities, linked.abuse)


def test_an_early_account_told_late_takes_the_seat_of_a_later_one() -> None:
    live = LiveComponents()
    for number in range(HUB_ACCOUNTS):
        live.add_link(Link(**link(f"a{number:02}", "locker", number + 1), occurred_at=at(0)))
    last = f"a{HUB_ACCOUNTS - 1:02}"
    assert live.facts(last, [], at(100)) == Neighbourhood(HUB_ACCOUNTS, 1, (100 - 1) / 24, 0)
    live.add_link(Link(**link("told-late", "locker", 0), occurred_at=at(0)))
    assert live.facts(last, [], at(100)) == Neighbourhood(1, 0, (100 - HUB_ACCOUNTS) / 24, 0)
    assert live.facts("told-late", [], at(100)) == Neighbourhood(HUB_ACCOUNTS, 1, 100 / 24, 0)


def test_nobody_known_gives_no_neighbourhood_and_a_new_buyer_is_alone() -> None:
    live = LiveComponents()
    assert live.facts(None, [Entity(EntityType.IP, "n")], at(0)) is None
    assert live.facts("new", [], at(0)) == Neighbourhood(1, 0, None, 0)
    assert live.facts(None, [Entity(EntityType.CARD, "c")], at(0)) == Neighbourhood(1, 0, None, 0)
