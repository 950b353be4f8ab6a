"""Sums by arrays say what adding up one by one says."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from data_contracts.contributions import Contributions, Speaker, Speakers
from data_contracts.reason import REASONS
from data_contracts.score import Contribution, Score
from features.catalog import FEATURES

SPEAKERS = Speakers(Speaker(feature.name, feature.family, feature.reason) for feature in FEATURES)
numbers = st.floats(-3, 3).map(lambda odds: round(odds, 1))
moved = st.lists(numbers, min_size=len(FEATURES), max_size=len(FEATURES))
known = st.lists(st.none() | numbers, min_size=len(FEATURES), max_size=len(FEATURES))


def told(log_odds: list[float], values: list[float | None]) -> Contributions:
    row = np.array(values, np.float64)
    return Contributions(SPEAKERS, np.array(log_odds), row, dict(zip(SPEAKERS.names, values, strict=True)))


def holds(part: Contribution) -> bool:
    limit = REASONS[part.reason].holds_above
    return limit is None or (isinstance(part.value, float) and part.value > limit)


@settings(max_examples=25, deadline=None)
@given(moved, known)
def test_sums_are_those_of_the_parts(log_odds: list[float], values: list[float | None]) -> None:
    contributions = told(log_odds, values)
    parts = contributions.largest()
    assert {part.feature: part.log_odds for part in parts} == {name: odds for name, odds in zip(SPEAKERS.names, log_odds, strict=True) if odds}
    for family, total in contributions.by_family().items():
        assert math.isclose(total, sum(part.log_odds for part in parts if part.family == family), abs_tol=1e-9)
    for reason, total in contributions.by_reason().items():
        said = [part for part in parts if part.reason == reason and holds(part)]
        assert math.isclose(total, sum(part.log_odds for part in said), abs_tol=1e-9)
        assert contributions.of_reason(reason, 2) == said[:2]


def test_what_is_kept_is_what_moved_the_score_so_that_it_can_be_seen() -> None:
    log_odds = [0.0] * len(FEATURES)
    log_odds[:4] = 0.12345678, -1.5, 4e-7, 0.7
    kept = told(log_odds, [None] * len(FEATURES)).kept()
    names = SPEAKERS.names
    assert kept == {names[0]: 0.123457, names[1]: -1.5, names[3]: 0.7}


def test_a_word_lets_no_sentence_about_numbers_be_said() -> None:
    speakers = Speakers([Speaker("kind", "mismatch", "CLAIM_AMOUNT_EXCEEDS_ORDER", is_word=True)])
    contributions = Contributions(speakers, np.array([1.0]), np.array([7.0]), {"kind": "seventh word"})
    assert contributions.by_reason() == {"CLAIM_AMOUNT_EXCEEDS_ORDER": 0.0}
    assert contributions.by_family() == {"mismatch": 1.0}


def test_early_records_which_list_contributions_are_read_alike() -> None:
    early = """{"probability": 0.5, "contributions": [
        {"feature": "a", "family": "image", "reason": "IMAGE_SHARED", "value": null, "log_odds": 0.123456789},
        {"feature": "b", "family": "image", "reason": "IMAGE_SHARED", "value": 1.0, "log_odds": 1e-12}]}"""
    assert TypeAdapter(Score).validate_json(early) == Score(0.5, {"a": 0.123457})
