from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings

from graph.components import COMPONENT_FEATURES, component_facts
from graph.events import MERGING
from graph.judgements import Judgement
from graph.union_find import HUB_ACCOUNTS
from tests.graph.histories import histories, history, judgements, label, link, request, ties_nobody

Row = Mapping[str, Any]
Facts = tuple[float | None, ...]


def seats(links: Iterable[Row]) -> dict[tuple[str, str], list[str]]:
    """Which accounts each entity joins, by a plain reading of the rule."""
    taken: dict[tuple[str, str], list[str]] = {}
    for row in sorted((row for row in links if row["account_id"]), key=lambda row: (row["known_at"], row["account_id"])):
        seated = taken.setdefault((row["entity_type"], row["entity_id"]), [])
        if row["account_id"] not in seated and len(seated) < HUB_ACCOUNTS:
            seated.append(row["account_id"])
    return taken


def component(start: str, seated: Iterable[list[str]]) -> set[str]:
    members = {start}
    while True:
        more = members.union(*(accounts for accounts in seated if members & set(accounts)))
        if more == members:
            return members
        members = more


def confirmed(labels: Iterable[Row]) -> set[str]:
    latest: dict[str, Row] = {}
    for row in sorted(labels, key=lambda row: (row["known_at"], row["source"], row["value"])):
        latest[row["request_id"]] = row
    return {name for name, row in latest.items() if row["value"] == "abuse"}


def plain_facts(asked: Row, tables: Mapping[str, pl.DataFrame], said: Sequence[Judgement] = ()) -> Facts:
    """Component facts of one request, computed from scratch over what was known before it."""

    def joins(kind: str, entity: str, account: str | None) -> bool:
        return not ties_nobody(said, asked["known_at"], kind, entity, account)

    links = [row for row in tables["links"].to_dicts() if row["entity_type"] in MERGING]
    before = [row for row in links if row["known_at"] < asked["known_at"] and joins(row["entity_type"], row["entity_id"], row["account_id"])]
    own = {
        (row["entity_type"], row["entity_id"]) for row in links if row["request_id"] == asked["request_id"] and row["known_at"] <= asked["known_at"]
    }
    me = asked["account_id"] or "a buyer never seen before"
    if asked["account_id"] is None and not own:
        return (None,) * 4
    taken = seats(before)
    for entity in own:
        if not joins(*entity, asked["account_id"]):
            continue
        if me not in taken.setdefault(entity, []) and len(taken[entity]) < HUB_ACCOUNTS:
            taken[entity].append(me)
    members = component(me, taken.values())
    account_of = {row["request_id"]: row["account_id"] for row in tables["refund_requests"].to_dicts()}
    asked_at = dict(tables["refund_requests"].select("request_id", "known_at").rows())
    labels = [{**row, "known_at": max(row["known_at"], asked_at[row["request_id"]])} for row in tables["labels"].to_dicts()]
    abuse = confirmed(row for row in labels if row["known_at"] < asked["known_at"])
    shared = sum(len(accounts) > 1 and accounts[0] in members for accounts in taken.values())
    since = [row["known_at"] for row in before if row["account_id"] in members]
    age = (asked["known_at"] - min(since)).total_seconds() / 86_400 if since else None
    return float(len(members)), float(shared), age, float(sum(account_of[name] in members for name in abuse))


@given(histories(), judgements())
@settings(max_examples=150, deadline=None)
def test_batch_facts_equal_a_computation_from_scratch_for_each_request(tables: dict[str, pl.DataFrame], said: list[Judgement]) -> None:
    facts = component_facts(tables, said)
    for asked, row in zip(tables["refund_requests"].to_dicts(), facts.rows(), strict=True):
        assert row[0] == asked["request_id"]
        assert row[1:] == pytest.approx(plain_facts(asked, tables, said), nan_ok=False) or row[1:] == plain_facts(asked, tables, said)


@given(histories())
@settings(max_examples=30, deadline=None)
def test_what_becomes_known_later_changes_nothing(tables: dict[str, pl.DataFrame]) -> None:
    first = tables["refund_requests"].sort("known_at").head(1)
    moment = first["known_at"][0]
    seen = {
        "refund_requests": tables["refund_requests"],
        "links": tables["links"].filter((pl.col("known_at") < moment) | (pl.col("request_id") == first["request_id"][0])),
        "labels": tables["labels"].filter(pl.col("known_at") < moment),
    }
    mine = pl.col("request_id") == first["request_id"][0]
    assert component_facts(tables).filter(mine).equals(component_facts(seen).filter(mine))


def test_a_new_account_on_a_known_device_joins_its_group_with_the_request() -> None:
    tables = history(
        [request("r0", "old", 1), request("r1", "new", 48)],
        [link("old", "phone-1", 0), link("new", "phone-1", 48, request="r1")],
        [label("r0", "abuse", 24)],
    )
    assert component_facts(tables).rows()[1] == ("r1", 2.0, 1.0, 2.0, 1.0)


def test_a_superseded_verdict_counts_until_the_appeal_is_known() -> None:
    asked = [request("r0", "a", 0), *(request(f"r{hour}", "a", hour) for hour in (2, 3, 5, 6))]
    tables = history(asked, [link("a", "x", 0)], [label("r0", "abuse", 2), label("r0", "honest", 5, "appeal")])
    assert component_facts(tables)["component_abuse"].to_list() == [0, 0, 1, 1, 0]


def test_a_hub_joins_its_first_accounts_and_no_later_ones() -> None:
    many = [link(f"a{number:02}", "parcel-locker", number, "address") for number in range(HUB_ACCOUNTS + 5)]
    tables = history([request("early", "a00", 100), request("late", f"a{HUB_ACCOUNTS:02}", 100)], many)
    assert component_facts(tables)["component_accounts"].to_list() == [HUB_ACCOUNTS, 1]


def test_strangers_behind_one_network_address_are_not_one_group() -> None:
    tables = history([request("r0", "a", 9)], [link("a", "n", 0, "ip"), link("b", "n", 1, "ip")])
    assert component_facts(tables).rows()[0][1:] == (1.0, 0.0, None, 0.0)


def test_facts_are_null_without_their_table_or_buyer() -> None:
    tables = history([request("r0", None, 9), request("r1", "a", 9)], [link("a", "x", 8)])
    assert component_facts(tables).rows()[0][1:] == (None,) * 4
    assert component_facts({"refund_requests": tables["refund_requests"], "links": tables["links"]}).rows()[1][1:] == (1.0, 0.0, 1 / 24, None)
    nothing = component_facts({"refund_requests": tables["refund_requests"]})
    assert nothing.columns == ["request_id", *COMPONENT_FEATURES]
    assert nothing.rows()[1][1:] == (None,) * 4


def test_empty_tables_give_empty_facts() -> None:
    tables = history([], [])
    assert component_facts(tables).is_empty()
    assert component_facts(history([request("r0", "a", 1)], []))["component_accounts"].to_list() == [1.0]
