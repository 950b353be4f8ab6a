from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.tables import schema
from graph.union_find import HUB_ACCOUNTS
from models.ranker.splits import by_group, by_time, groups, moment_at

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def links(*uses: tuple[str, str, str], known_at: datetime = NOW - timedelta(days=1)) -> pl.DataFrame:
    rows = [
        {
            "entity_type": kind,
            "entity_id": entity,
            "account_id": account,
            "request_id": None,
            "order_id": None,
            "occurred_at": known_at,
            "known_at": known_at,
        }
        for kind, entity, account in uses
    ]
    return pl.DataFrame(rows, schema=schema("links"))


def requests(**accounts: str | None) -> pl.DataFrame:
    return pl.DataFrame(
        {"request_id": list(accounts), "account_id": list(accounts.values())}, schema={"request_id": pl.String, "account_id": pl.String}
    )


def group_of(frame: pl.DataFrame) -> dict[str, str]:
    return dict(frame.select("request_id", "group").iter_rows())


def test_accounts_that_share_a_device_or_a_chain_of_things_are_one_group() -> None:
    shared = links(("device", "d", "ann"), ("device", "d", "bob"), ("card", "c", "bob"), ("card", "c", "cyd"))
    found = group_of(groups(requests(r1="ann", r2="bob", r3="cyd", r4="dan"), shared, NOW))
    assert found["r1"] == found["r2"] == found["r3"] == "ann"
    assert found["r4"] == "dan"


def test_the_same_id_of_another_type_ties_nobody() -> None:
    found = group_of(groups(requests(r1="ann", r2="bob"), links(("device", "x", "ann"), ("card", "x", "bob")), NOW))
    assert found["r1"] != found["r2"]


def test_a_link_that_is_not_known_yet_ties_nobody() -> None:
    later = links(("device", "d", "ann"), ("device", "d", "bob"), known_at=NOW)
    found = group_of(groups(requests(r1="ann", r2="bob"), later, NOW))
    assert found["r1"] != found["r2"]


def test_a_hub_ties_nobody() -> None:
    names = [f"a{place}" for place in range(HUB_ACCOUNTS + 1)]
    found = group_of(groups(requests(**{f"r{name}": name for name in names}), links(*(("ip", "nat", name) for name in names)), NOW))
    assert len(set(found.values())) == len(names)


def test_a_request_without_an_account_is_alone_also_without_any_links() -> None:
    found = group_of(groups(requests(r1=None, r2=None, r3="ann"), None, NOW))
    assert len(set(found.values())) == 3


rows_of_groups = st.lists(st.integers(0, 12), min_size=10, max_size=80).map(
    lambda numbers: pl.DataFrame(
        {
            "request_id": [f"r{place}" for place in range(len(numbers))],
            "as_of": [NOW + timedelta(hours=place) for place in range(len(numbers))],
            "group": [f"g{number}" for number in numbers],
        },
    ),
)


@settings(max_examples=40, deadline=None)
@given(rows=rows_of_groups)
def test_a_straddling_ring_stands_on_one_side_of_the_split_in_time(rows: pl.DataFrame) -> None:
    split = by_time(rows, 0.3)
    group, as_of = rows["group"].to_numpy(), rows["as_of"].to_numpy()
    assert not set(group[split.fit]) & set(group[split.held])
    assert len(split.held) > 0
    assert len(split.fit) == 0 or as_of[split.fit].max() < as_of[split.held].min()


@settings(max_examples=40, deadline=None)
@given(rows=rows_of_groups, folds=st.integers(2, 5))
def test_folds_hold_out_every_request_once_and_never_part_of_a_ring(rows: pl.DataFrame, folds: int) -> None:
    splits = by_group(rows, folds, seed=1)
    group = rows["group"].to_numpy()
    assert sorted(np.concatenate([split.held for split in splits])) == list(range(rows.height))
    for split in splits:
        assert not set(group[split.fit]) & set(group[split.held])


def test_requests_of_one_moment_are_never_parted() -> None:
    rows = pl.DataFrame(
        {"request_id": ["a", "b", "c", "d"], "as_of": [NOW, NOW + timedelta(hours=1), NOW + timedelta(hours=1), NOW + timedelta(hours=2)]}
    )
    assert by_time(rows, 0.5).held.tolist() == [1, 2, 3]


def test_the_moment_of_a_share_has_that_share_before_it() -> None:
    frame = pl.DataFrame({"as_of": [NOW + timedelta(hours=place) for place in range(10)]})
    assert frame.filter(pl.col("as_of") < moment_at(frame, 0.4)).height == 4
    assert frame.filter(pl.col("as_of") < moment_at(frame, 1.0)).height == 10
