"""The tools of the simulator."""

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.identity import text_id
from risk.simulator.arrays import NONE, by_row, digests, opaque, pick, run_lengths, stage, weighted, within


def test_ids_are_unique_opaque_and_stable() -> None:
    index = np.arange(200_000, dtype=np.int64)
    ids = opaque("acc", 7, index)
    assert ids.n_unique() == len(index)
    assert ids.str.contains(r"^acc_[0-9a-f]{16}$").all()
    assert ids.equals(opaque("acc", 7, index))
    assert not ids.equals(opaque("acc", 8, index))


def test_digests_look_like_sha256() -> None:
    assert digests(1, np.arange(50, dtype=np.int64)).str.contains(r"^[0-9a-f]{64}$").all()


def test_an_index_that_points_nowhere_names_nothing() -> None:
    names = pl.Series(["a", "b"])
    assert pick(names, np.array([1, NONE, 0])).to_list() == ["b", None, "a"]
    assert pick(names, np.array([NONE, NONE])).to_list() == [None, None]


@settings(max_examples=40, deadline=None)
@given(total=st.integers(0, 300), low=st.integers(1, 5), more=st.integers(0, 40), mean=st.floats(1.0, 30.0))
def test_group_sizes_add_up(total: int, low: int, more: int, mean: float) -> None:
    lengths = run_lengths(np.random.default_rng(1), total, (low, low + more), mean)
    assert lengths.sum() == total
    assert (lengths > 0).all()
    assert (lengths <= low + more).all()


def test_numbers_inside_runs_start_anew() -> None:
    assert within(np.array([2, 0, 3])).tolist() == [0, 1, 0, 1, 2]


def test_weights_decide_how_often() -> None:
    drawn = weighted(np.random.default_rng(1), np.array([1.0, 0.0, 3.0]), 4_000)
    assert 1 not in drawn
    assert 0.7 < (drawn == 2).mean() < 0.8


def test_a_row_draws_from_its_own_mix() -> None:
    row = np.array([0, 1] * 500)
    drawn = by_row(np.random.default_rng(1), ((1.0, 0.0), (0.0, 2.0)), row)
    assert (drawn == row).all()


def test_each_step_has_its_own_numbers() -> None:
    assert stage(1, "a").random() == stage(1, "a").random()
    assert stage(1, "a").random() != stage(1, "b").random()


def test_texts_that_differ_in_dress_only_are_one() -> None:
    assert text_id("Item broken!") == text_id("  item BROKEN ")
    assert text_id("item broken") != text_id("item not broken")
    assert text_id("没收到货") == text_id("没收到货。")
