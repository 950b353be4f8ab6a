from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.errors import ContractError, ModelMismatchError
from features.catalog import FEATURES, by_name
from features.declare import Given
from models.ranker.dataset import Encoding, catalogue_of, labels_as_of, latest_labels, sign_in, training_rows

NOW = datetime(2026, 5, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def labels(*rows: tuple[str, str, datetime]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"request_id": request, "value": value, "source": "verdict", "occurred_at": known_at, "known_at": known_at}
            for request, value, known_at in rows
        ],
    )


def known(frame: pl.DataFrame) -> dict[str, float]:
    return dict(frame.select("request_id", "label").iter_rows())


def test_a_label_counts_only_after_the_moment_at_which_it_became_known() -> None:
    told = labels(("r1", "abuse", NOW - HOUR), ("r2", "honest", NOW), ("r3", "abuse", NOW + HOUR))
    assert known(labels_as_of(told, NOW)) == {"r1": 1.0}


def test_a_later_label_supersedes_an_earlier_one_from_the_moment_that_it_is_known() -> None:
    told = labels(("r1", "abuse", NOW), ("r1", "honest", NOW + 2 * HOUR))
    assert known(labels_as_of(told, NOW + HOUR)) == {"r1": 1.0}
    assert known(labels_as_of(told, NOW + 3 * HOUR)) == {"r1": 0.0}
    assert known(latest_labels(told)) == {"r1": 0.0}


def test_training_rows_are_asked_before_old_enough_and_labelled() -> None:
    frame = pl.DataFrame({"request_id": ["old", "young", "late", "bare"], "as_of": [NOW - 48 * HOUR, NOW - HOUR, NOW, NOW - 48 * HOUR], "label": 1.0})
    told = labels(*((request, "abuse", NOW - HOUR / 2) for request in ("old", "young", "late")))
    assert training_rows(frame, told, NOW)["request_id"].to_list() == ["old", "young"]
    assert training_rows(frame, told, NOW, maturity_days=1.0)["request_id"].to_list() == ["old"]


def number(name: str) -> Given:
    return Given(name=name, family="context", unit="one", meaning=name, missing="-", reason="SHOP_ATTRIBUTE", source="shop")


def word(name: str) -> Given:
    return Given(name=name, family="context", unit="one", meaning=name, missing="-", reason="SHOP_ATTRIBUTE", source="shop", kind="category")


def test_missing_numbers_rare_words_and_unseen_words_are_missing_never_zero() -> None:
    rows = pl.DataFrame({"n": [1.0, None] * 20, "w": ["a"] * 25 + ["b"] * 14 + ["rare"]})
    encoding = Encoding.learn(rows, [number("n"), word("w")])
    assert encoding.vocabulary == {"w": ("a", "b")}
    matrix = encoding.matrix(pl.DataFrame({"n": [None, 0.0], "w": ["rare", "b"]}, schema={"n": pl.Float64, "w": pl.String}))
    np.testing.assert_array_equal(matrix, [[np.nan, np.nan], [0.0, 1.0]])
    np.testing.assert_array_equal(encoding.row({"n": None, "w": "never seen"}), [np.nan, np.nan])


def test_a_feature_that_never_varies_is_not_learnt_from() -> None:
    rows = pl.DataFrame({"n": [1.0] * 30, "m": [None] * 30, "k": [1.0, 2.0] * 15}, schema={"n": pl.Float64, "m": pl.Float64, "k": pl.Float64})
    assert Encoding.learn(rows, [number("n"), number("m"), number("k")]).names == ("k",)


@settings(max_examples=30, deadline=None)
@given(values=st.lists(st.tuples(st.none() | st.floats(-1e9, 1e9), st.none() | st.sampled_from(["a", "b", "c"])), min_size=1, max_size=30))
def test_one_row_is_encoded_like_a_frame(values: list[tuple[float | None, str | None]]) -> None:
    frame = pl.DataFrame({"n": [n for n, _ in values], "w": [w for _, w in values]}, schema={"n": pl.Float64, "w": pl.String})
    encoding = Encoding(("w", "n"), {"w": ("b", "a")})
    np.testing.assert_array_equal(encoding.matrix(frame), np.array([encoding.row(row) for row in frame.to_dicts()]))


def test_a_frame_without_a_feature_of_the_model_is_refused_by_name() -> None:
    with pytest.raises(ModelMismatchError, match="lacks 1: n"):
        Encoding(("n",), {}).matrix(pl.DataFrame({"m": [1.0]}))


def test_a_frame_without_a_catalogue_feature_is_refused_by_name() -> None:
    with pytest.raises(ContractError, match=FEATURES[0].name):
        catalogue_of(pl.DataFrame({"request_id": ["r"]}))


def test_the_shops_own_columns_become_features_by_their_type() -> None:
    columns = {feature.name: pl.Series([None], dtype=pl.Float64) for feature in FEATURES}
    own = {"attribute_basket": pl.Series([1.5]), "attribute_channel": pl.Series(["app"])}
    found = catalogue_of(pl.DataFrame({**columns, **own}))
    assert [feature.name for feature in found[len(FEATURES) :]] == ["attribute_basket", "attribute_channel"]


def test_counts_about_a_seller_excuse_only_where_her_orders_are_known() -> None:
    burst = by_name["seller_other_requests_7d"]
    assert burst.sign == -1
    counted = pl.DataFrame({burst.name: [1.0, 2.0], "seller_orders_7d": [None, None]}, schema_overrides={"seller_orders_7d": pl.Float64})
    assert sign_in(counted, burst) == 0
    assert sign_in(counted.with_columns(seller_orders_7d=pl.Series([None, 30.0])), burst) == -1


def test_a_sign_of_the_evidence_holds_everywhere_and_words_have_none() -> None:
    assert sign_in(pl.DataFrame(), by_name["observed_over_claimed"]) == 1
    assert sign_in(pl.DataFrame(), by_name["claim_type"]) == 0
