from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.label import Label
from data_contracts.link import EntityType, Link
from data_contracts.request import Account
from data_contracts.timeline import Entity
from graph.judgements import Judgement, Subject, Verdict
from graph.live_neighbours import LiveNeighbours
from graph.neighbours import all_aggregates, neighbour_facts
from tests.graph.histories import at, history, label, link, request, table

EVERY = all_aggregates()
Tables = dict[str, pl.DataFrame]


@st.composite
def societies(draw: st.DrawFn) -> Tables:
    """Up to 26 accounts with claims, orders, labels, ages and links of every kind; few things and few hours, so there are hubs and ties."""
    accounts = [f"a{number}" for number in range(draw(st.integers(2, 26)))]
    somebody, hours = st.sampled_from([None, *accounts]), st.integers(0, draw(st.sampled_from([2, 8, 40, 12_000])))
    asked = [
        request(f"r{number}", draw(somebody), draw(hours)) | {"amount_minor": draw(st.one_of(st.none(), st.integers(0, 900))), "currency": "CNY"}
        for number in range(draw(st.integers(1, 14)))
    ]
    ids = st.sampled_from([row["request_id"] for row in asked])
    kinds = st.sampled_from(["device", "card", "phone", "ip", "image", "text", "agent"])
    links = st.builds(link, somebody, st.sampled_from(["x", "y", "z"]), hours, kinds, st.one_of(st.none(), st.none(), ids))
    labels = st.builds(label, ids, st.sampled_from(["abuse", "honest"]), hours, st.sampled_from(["verdict", "appeal"]))
    tables = history(asked, draw(st.lists(links, max_size=90)), draw(st.lists(labels, max_size=16)))
    orders = [{"order_id": f"o{number}", "account_id": draw(somebody), "known_at": at(draw(hours))} for number in range(draw(st.integers(0, 12)))]
    opened = [{"account_id": name, "known_at": at(draw(hours))} for name in accounts if draw(st.booleans())]
    return tables | {"orders": table("orders", orders), "accounts": table("accounts", opened)}


def events(tables: Tables) -> list[tuple[str, dict[str, Any]]]:
    return [(name, row) for name in ("links", "refund_requests", "orders", "labels", "accounts") for row in tables[name].to_dicts()]


def tell(live: LiveNeighbours, name: str, row: dict[str, Any], tables: Tables) -> None:
    match name:
        case "links":
            live.add_link(Link(**row))
        case "refund_requests":
            live.add_claim(row["request_id"], row["account_id"], row["amount_minor"], row["known_at"])
        case "orders":
            live.add_order(row["order_id"], row["account_id"], row["known_at"])
        case "accounts":
            live.add_account(Account(**row))
        case _:
            live.add_label(Label(**row), dict(tables["refund_requests"].select("request_id", "account_id").rows())[row["request_id"]])


def ask(live: LiveNeighbours, asked: dict[str, Any], tables: Tables) -> Mapping[str, float | None]:
    own = tables["links"].filter((pl.col("request_id") == asked["request_id"]) & (pl.col("known_at") <= asked["known_at"]))
    entities = [Entity(EntityType(kind), name) for kind, name in own.select("entity_type", "entity_id").rows()]
    return live.facts(asked["account_id"], entities, asked["known_at"])


def in_random_order(tables: Tables, random: Random) -> list[tuple[str, dict[str, Any]]]:
    """Anything may come late, but a label comes after its request, as the service sees to."""
    told = events(tables)
    random.shuffle(told)
    return sorted(told, key=lambda pair: pair[0] == "labels")


def refutations(random: Random) -> list[Judgement]:
    found = []
    for number in range(random.randint(0, 4)):
        said = at(random.randint(0, 30))
        found.append(
            Judgement(
                subject=random.choice([Subject.LINK, Subject.ENTITY]),
                verdict=random.choice([Verdict.REFUTED, Verdict.REFUTED, Verdict.CONFIRMED]),
                by="ann",
                why="a shared flat",
                at=said,
                until=random.choice([None, said + timedelta(hours=5)]),
                entity_type=EntityType.DEVICE,
                entity_id=random.choice(["x", "y"]),
                account_id=f"a{number}",
            )
        )
    return found


@given(tables=societies(), random=st.randoms(use_true_random=False), ready=st.booleans())
@settings(max_examples=100, deadline=None)
def test_live_equals_batch_to_the_bit_in_any_order_of_arrival(tables: Tables, random: Random, *, ready: bool) -> None:
    """Late events, merges, hubs, refuted links; questions about past and present in between; or a state taken from the tables."""
    judgements = refutations(random)
    asked = tables["refund_requests"].to_dicts()
    live = LiveNeighbours.of(tables, "CNY", EVERY) if ready else LiveNeighbours(EVERY)
    for name, row in in_random_order(tables, random):  # told once more, nothing changes
        if random.random() < 0.2:
            ask(live, random.choice(asked), tables)
        if not ready or name != "labels":
            tell(live, name, row, tables)
    live.judge(judgements)
    expected = {row.pop("request_id"): row for row in neighbour_facts(tables, "CNY", judgements, EVERY).to_dicts()}
    random.shuffle(asked)
    for question in asked:
        assert ask(live, question, tables) == expected[question["request_id"]]


@given(tables=societies(), cut=st.integers(0, 40))
@settings(max_examples=40, deadline=None)
def test_nothing_known_at_or_after_the_question_counts(tables: Tables, cut: int) -> None:
    """Later facts change nothing; labels count only once they are known."""
    now = neighbour_facts(tables, "CNY", aggregates=EVERY)
    asked = tables["refund_requests"].filter(pl.col("known_at") <= at(cut))["request_id"]
    earlier = {name: frame.filter(pl.col("known_at") <= at(cut)) for name, frame in tables.items()}
    before = neighbour_facts(earlier, "CNY", aggregates=EVERY)
    assert now.filter(pl.col("request_id").is_in(asked.implode())).equals(before, null_equal=True)


def test_told_twice_in_the_same_words_is_told_once() -> None:
    rows = [link("a", "d", 0), link("b", "d", 1)]
    said = [label("r0", "abuse", 2)]
    once = history([request("r0", "a", 1), request("r1", "b", 9)], rows, said)
    twice = history([request("r0", "a", 1), request("r1", "b", 9)], rows * 2, said * 2)
    assert neighbour_facts(once).equals(neighbour_facts(twice), null_equal=True)


def facts(tables: Tables, name: str) -> list[float | None]:
    found: list[float | None] = neighbour_facts(tables, None, (), EVERY)[name].to_list()
    return found


def test_what_a_neighbour_did_elsewhere_counts_and_ones_own_past_does_not() -> None:
    asked = [request("r0", "b", 1), request("r1", "b", 2), request("r2", "a", 3), request("r3", "a", 9)]
    tables = history(asked, [link("a", "d", 0), link("b", "d", 0)], [label("r0", "abuse", 4), label("r1", "honest", 4), label("r2", "abuse", 5)])
    assert facts(tables, "device_near_claims") == [0, 0, 2, 2]
    assert facts(tables, "near_abuse") == [0, 0, 0, 1]
    assert facts(tables, "near_honest_mean") == [0, 0, 0, 1]


def test_the_second_step_leads_through_owned_things_and_not_through_hubs() -> None:
    crowd = [link(f"c{number}", "tower", 0, "address") for number in range(30)]
    rows = [
        link("a", "d", 0),
        link("b", "d", 0),
        link("b", "k", 0, "card"),
        link("c", "k", 0, "card"),
        link("b", "n", 0, "ip"),
        link("e", "n", 0, "ip"),
    ]
    tables = history([request("r", "a", 9)], [*rows, link("b", "tower", 1, "address"), *crowd])
    assert facts(tables, "near_accounts") == [1]
    assert facts(tables, "far_accounts") == [1]


def test_a_hub_shows_its_latest_accounts_and_counts_the_rest() -> None:
    rows = [link(f"c{number:03}", "locker", number, "address") for number in range(200)]
    tables = history([request("r", "a", 500)], [*rows, link("a", "locker", 400, "address")])
    assert facts(tables, "address_near_accounts") == [10]
    assert facts(tables, "address_near_unseen") == [190]


@pytest.mark.parametrize("without", ["links", "labels", "accounts", "orders"])
def test_what_is_not_there_is_null_and_not_zero(without: str) -> None:
    tables = history([request("r0", "b", 1), request("r1", "a", 9)], [link("a", "d", 0), link("b", "d", 0)], [label("r0", "abuse", 4)])
    tables |= {"orders": table("orders", [{"order_id": "o", "account_id": "b", "known_at": at(0)}])}
    tables |= {"accounts": table("accounts", [{"account_id": "b", "known_at": at(0)}])}
    named = {"links": "near_claims", "labels": "near_abuse", "accounts": "near_age_mean", "orders": "near_share_pooled"}
    assert facts(tables, named[without])[1] is not None
    assert facts({name: frame for name, frame in tables.items() if name != without}, named[without])[1] is None
