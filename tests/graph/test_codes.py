import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.codes import PART, in_time, number, numbered
from tests.graph.histories import history, label, link, request

NAMES = st.lists(st.tuples(st.sampled_from(["device", "card", ""]), st.one_of(st.none(), st.text(max_size=3))), max_size=40)


def frame(rows: list[tuple[str, str | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"kind": pl.String, "name": pl.String}, orient="row")


@given(NAMES, NAMES)
@settings(max_examples=100, deadline=None)
def test_equal_names_have_one_code_in_every_frame_and_null_has_none(one: list[tuple[str, str | None]], other: list[tuple[str, str | None]]) -> None:
    found = numbered([frame(one), frame(other)])
    told = found.names.rows()
    assert len(set(told)) == len(told)
    for rows, codes in zip((one, other), found.codes, strict=True):
        assert [told[code] if code >= 0 else None for code in codes] == [row if row[1] is not None else None for row in rows]


def test_names_in_many_parts_keep_their_codes_apart() -> None:
    rng = np.random.default_rng(1)
    who = rng.integers(0, 30_000, 9 << PART)
    found = numbered([pl.DataFrame({"name": "a" + pl.Series(who).cast(pl.String)})])
    assert len(found.first) == len(np.unique(who))
    assert np.array_equal(who[found.first][found.codes[0]], who)


def test_names_that_agree_in_one_hash_only_are_two() -> None:
    one, other = np.array([7, 7, 7, 9], dtype=np.uint64), np.array([1, 2, 1, 1], dtype=np.uint64)
    codes, first = number(one, other, np.ones(4, dtype=np.bool_))
    assert codes[0] == codes[2]
    assert len({*codes.tolist()}) == len(first) == 3


@given(st.lists(st.one_of(st.integers(-3, 3), st.integers(-(2**62), 2**61)), max_size=60))
@settings(max_examples=100, deadline=None)
def test_moments_come_into_their_order_however_far_apart_they_lie(moments: list[int]) -> None:
    told = np.array(moments, dtype=np.int64)
    order, found = in_time(told)
    assert np.array_equal(order, np.argsort(told, kind="stable"))
    assert np.array_equal(found, told[order])


def test_events_of_one_moment_are_ordered_by_name_whatever_the_codes_are() -> None:
    """Ten seats, taken in one microsecond by the first ten names: the rest stays alone, in whatever order the rows come."""
    from graph.components import component_facts

    names = [f"{letter}{number}" for letter in "zbay" for number in (2, 10, 1)]
    seated = sorted(names)[:10]
    for rows in (names, names[::-1]):
        asked = [request(f"r-{name}", name, 9) for name in names]
        tables = history(asked, [link(name, "d", 1) for name in rows], [label("r-a1", "abuse", 1)])
        facts = component_facts(tables)["component_accounts"].to_list()
        assert facts == [10.0 if name in seated else 1.0 for name in names]
