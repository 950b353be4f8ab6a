"""No reason code without a use, no use without a reason code."""

import re
from pathlib import Path

from data_contracts.reason import REASONS
from features.catalog import FEATURES, attribute
from risk.policy import load

PROJECT = Path(__file__).resolve().parents[2]
BY_COST = {"APPROVE_CHEAPEST", "REVIEW_CHEAPEST", "BLOCK_CHEAPEST"}
"""Codes that the policy puts together from an action."""


def written_down() -> set[str]:
    """Everything in our code and policies that looks like a reason code."""
    files = [path for package in ("features", "models", "risk") for kind in ("*.py", "*.toml") for path in (PROJECT / package).rglob(kind)]
    return {code for path in files for code in re.findall(r'"([A-Z]+(?:_[A-Z]+)*)"', path.read_text(encoding="utf-8"))}


def named() -> set[str]:
    """The codes that features and the shipped policy name."""
    shipped = load(None)
    by_features = {feature.reason for feature in FEATURES} | {attribute("any", "number").reason}
    return by_features | {rule.reason for rule in shipped.rules} | {excuse.reason for excuse in shipped.excuses} | BY_COST


def test_every_code_that_is_named_has_texts() -> None:
    assert named() - set(REASONS) == set()


def test_every_code_with_texts_is_used() -> None:
    assert set(REASONS) - named() - written_down() == set()
