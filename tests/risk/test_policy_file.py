from pathlib import Path

import pytest

from data_contracts.errors import PolicyError
from risk import policy_file
from risk.policy import load

SHIPPED = policy_file.default_text()


def refused(old: str, new: str) -> str:
    """What the loader says about the shipped policy with one thing changed."""
    assert old in SHIPPED
    with pytest.raises(PolicyError) as caught:
        policy_file.parse(SHIPPED.replace(old, new, 1), "test.toml")
    assert "test.toml" in caught.value.message
    return caught.value.message


def test_the_shipped_policy_loads() -> None:
    assert load(None).name == "default"


def test_the_version_is_the_content_not_the_wording() -> None:
    version = policy_file.parse(SHIPPED, "a").version
    assert policy_file.parse(SHIPPED + "\n# a remark\n", "b").version == version
    assert policy_file.parse(SHIPPED.replace("review_minutes = 6.0", "review_minutes = 7.0"), "c").version != version


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("families = 2 ", "families = 1 ", "block.families is 1, expected 2 to 4"),
        ("families = 2 ", "families = 5 ", "block.families is 5"),
        ("families = 2 ", "families = true ", "block.families"),
        ("family_log_odds = 0.35", "family_log_odds = 0", "family_log_odds is 0"),
        ("family_log_odds = 0.35", "family_log_odds = nan", "family_log_odds"),
        ("capacity_share = 0.20", "capacity_share = 1.5", "review.capacity_share is 1.5"),
        ('when_full = "wait"', 'when_full = "approve"', "review.when_full is 'approve'"),
        ("reviewer_catches = 0.80", "reviewer_catches = 80", "costs.reviewer_catches is 80, expected 0 to 1"),
        ("reviewer_catches = 0.80", "reviewer_catches = 0", "never finds abuse"),
        ("hourly_minor = 6000", "hourly_minor = -1", "costs.hourly_minor is -1, expected 0 or more"),
        ("hourly_minor = 6000", 'hourly_minor = "6000"', "costs.hourly_minor is 6000, expected a number"),
        ("hourly_minor = 6000", "hourly_minutes = 6000", "hourly_minutes"),
        ("hourly_minor = 6000", "# hourly_minor", "[costs] lacks hourly_minor"),
        ('feature = "observed_over_claimed"', 'feature = "no_such_feature"', "no_such_feature, which is no number of the catalogue"),
        ('feature = "observed_over_claimed"', 'feature = "claim_type"', "claim_type, which is no number"),
        ('reason = "EVIDENCE_CONTRADICTS_CLAIM"', 'reason = "NO_SUCH_REASON"', "NO_SUCH_REASON"),
        ('action = "review"', 'action = "refuse"', "refuse"),
        ("at_least = 1\n", 'at_least = "1"\n', "expected a number"),
        ('reason = "LOT_CLAIMS_HIGH"', 'reason = "CLAIM_TIMING"', "does not speak for the buyer"),
        ("[degraded]", "[degrade]", "degrade"),
        ('name = "default"', "", "name"),
        ("[costs]", "[costs", "no TOML"),
        ("at_least = 1\n", "at_least = 1\nidentity_match = true\n", "identity match"),
    ],
)
def test_a_contradiction_is_refused_and_named(old: str, new: str, named: str) -> None:
    assert named in refused(old, new)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"none\.toml cannot be read"):
        load(tmp_path / "none.toml")


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_bytes("# ü".encode("latin-1"))
    with pytest.raises(PolicyError, match="UTF-8"):
        load(tmp_path / "p.toml")


def test_a_shops_own_column_may_be_named() -> None:
    text = SHIPPED.replace('feature = "observed_over_claimed"', 'feature = "attribute_risk_flag"', 1)
    assert policy_file.parse(text, "x").rules[0].feature == "attribute_risk_flag"
