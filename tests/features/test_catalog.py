"""The catalogue as a whole."""

from dataclasses import replace

import pytest

from features.catalog import FEATURES, by_name, catalogue_hash, describe, formulas, needed_slow, with_attributes
from features.declare import Derived, Measure, Windowed
from features.plan import fraction


def test_a_change_of_rules_changes_the_hash_and_a_change_of_words_does_not() -> None:
    first, *rest = FEATURES
    assert catalogue_hash((replace(first, meaning="Other words", missing="other"), *rest)) == catalogue_hash()
    assert catalogue_hash((replace(first, window_days=2), *rest)) != catalogue_hash()
    assert catalogue_hash(FEATURES[::-1]) != catalogue_hash()


def test_formulas_come_after_what_they_are_made_of() -> None:
    order = [feature.name for feature in formulas()]
    for feature in formulas():
        for part in (feature.a, feature.b):
            assert part in by_name
            assert part not in order or order.index(part) < order.index(feature.name)


def test_formulas_in_a_circle_are_refused() -> None:
    shared = {"family": "context", "unit": "x", "meaning": "x", "missing": "x", "reason": "AMOUNT", "formula": "ratio"}
    circle = (Derived(name="one", a="two", b="two", **shared), Derived(name="two", a="one", b="one", **shared))
    with pytest.raises(ValueError, match="circle: one, two"):
        formulas(circle)


def test_the_description_has_every_feature_once() -> None:
    assert [row["name"] for row in describe()] == [feature.name for feature in FEATURES]


def test_a_shops_own_columns_come_last_by_name() -> None:
    added = with_attributes(["weight", "age"], ["channel"])[len(FEATURES) :]
    assert [(each.name, each.kind, each.family) for each in added] == [
        ("attribute_age", "number", "context"),
        ("attribute_weight", "number", "context"),
        ("attribute_channel", "category", "context"),
    ]


def test_slow_features_are_those_of_sellers_and_articles() -> None:
    assert {feature.entity.value for feature in needed_slow()} == {"seller", "sku"}


def test_what_the_executors_do_not_offer_is_refused() -> None:
    live = next(feature for feature in FEATURES if isinstance(feature, Windowed))
    with pytest.raises(ValueError, match="not offered"):
        fraction(replace(live, measure=Measure.SINCE_LAST, whose="others"))


def test_a_bad_batch_can_only_excuse() -> None:
    bursts = [feature for feature in FEATURES if feature.name.startswith(("seller_other_", "sku_other_", "lot_other_", "lot_claimants"))]
    assert bursts
    assert all(feature.sign == -1 for feature in bursts)
