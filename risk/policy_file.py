"""Policies as files: TOML in, a checked Policy out, or a PolicyError that names what is wrong."""

import hashlib
import json
import math
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from data_contracts.decision import Action
from data_contracts.errors import PolicyError
from data_contracts.reason import REASONS
from features.catalog import ATTRIBUTE, FEATURES
from features.declare import Given, Stated
from risk.terms import BLOCKING, Costs, Excuse, Policy, Rule

SECTIONS = {"name", "costs", "block", "review", "degraded", "provisional", "reasons", "rules", "excuses"}
MIN_FAMILIES = 2
SHARES = ("reviewer_catches", "reviewer_clears", "abuse_loss_share", "goods_margin", "delay_share")


def default_text() -> str:
    """The policy that ships."""
    return files("risk").joinpath("policies/default.toml").read_text(encoding="utf-8")


def read(path: Path | None) -> Policy:
    """The policy of that file, or the one that ships. PolicyError: the file is missing or contradicts itself."""
    if path is None:
        return parse(default_text(), "the policy that ships")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"policy {path} cannot be read: {error}; expected a TOML file in UTF-8"
        raise PolicyError(message) from error
    return parse(text, str(path))


def parse(text: str, source: str) -> Policy:
    """The policy that this TOML text says. `source` is where it came from, for messages. PolicyError: what is wrong with it."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"policy {source} is no TOML: {error}"
        raise PolicyError(message) from error
    try:
        policy = _built(raw)
    except (KeyError, TypeError, ValueError) as error:
        what = f"misses {error}" if isinstance(error, KeyError) else str(error)
        message = f"policy {source}: {what}; risk/policies/default.toml shows every key"
        raise PolicyError(message) from error
    problem = next(iter(_problems(policy)), None)
    if problem is not None:
        message = f"policy {source}: {problem}"
        raise PolicyError(message)
    return policy


def version_of(raw: Mapping[str, Any]) -> str:
    """The hash of what a policy says; comments and the order of keys do not count."""
    return hashlib.sha256(json.dumps(raw, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def _built(raw: Mapping[str, Any]) -> Policy:
    unknown = sorted(set(raw) - SECTIONS)
    if unknown:
        message = f"unknown sections {', '.join(unknown)}; expected {', '.join(sorted(SECTIONS))}"
        raise ValueError(message)
    review, block = _only(raw, "review", "capacity_share", "when_full"), _only(raw, "block", "families", "family_log_odds")
    return Policy(
        name=str(raw["name"]),
        version=version_of(raw),
        costs=_costs(raw),
        block_families=block["families"],
        family_log_odds=block["family_log_odds"],
        capacity_share=review["capacity_share"],
        when_full=review["when_full"],
        degraded_approve_minor=_only(raw, "degraded", "approve_up_to_minor")["approve_up_to_minor"],
        provisional_approve_minor=_provisional(raw),
        reasons_shown=_only(raw, "reasons", "shown")["shown"],
        rules=tuple(Rule(**{**rule, "action": Action(rule["action"])}) for rule in raw.get("rules", ())),
        excuses=tuple(Excuse(**excuse) for excuse in raw.get("excuses", ())),
    )


def _costs(raw: Mapping[str, Any]) -> Costs:
    """The prices. ValueError: one is not given; there is no default price, and `currency` alone may be left out."""
    keys = [field.name for field in fields(Costs)]
    found = {"currency": None, **_only(raw, "costs", *keys)}
    lacking = [key for key in keys if key not in found]
    if lacking:
        message = f"[costs] lacks {', '.join(lacking)}"
        raise ValueError(message)
    return Costs(**found)


def _provisional(raw: Mapping[str, Any]) -> int:
    """Up to which amount a request may be approved before its evidence is measured; never, where the policy does not speak of it."""
    found: int = _only(raw, "provisional", "approve_up_to_minor")["approve_up_to_minor"] if "provisional" in raw else 0
    return found


def _only(raw: Mapping[str, Any], section: str, *keys: str) -> Mapping[str, Any]:
    """That section. ValueError: it has a key that nobody reads."""
    found: Mapping[str, Any] = raw[section]
    unknown = sorted(set(found) - set(keys))
    if unknown:
        message = f"[{section}] has unknown keys {', '.join(unknown)}; expected {', '.join(keys)}"
        raise ValueError(message)
    return found


def _problems(policy: Policy) -> list[str]:
    """Everything that contradicts itself or names what does not exist."""
    return [*_cost_problems(policy.costs), *_limit_problems(policy), *_rule_problems(policy)]


def _cost_problems(costs: Costs) -> list[str]:
    found = [f"costs.{name} is {getattr(costs, name)}, expected a number" for name in _amounts() if not _number(getattr(costs, name))]
    if found:
        return found
    found += [f"costs.{name} is {getattr(costs, name)}, expected 0 to 1" for name in SHARES if not 0 <= getattr(costs, name) <= 1]
    found += [f"costs.{name} is {getattr(costs, name)}, expected 0 or more" for name in _amounts() if getattr(costs, name) < 0]
    if costs.reviewer_catches == 0:
        found.append("costs.reviewer_catches is 0: a review that never finds abuse cannot be worth its cost")
    return found


def _amounts() -> list[str]:
    return [field.name for field in fields(Costs) if field.name != "currency"]


def _limit_problems(policy: Policy) -> list[str]:
    families, share = policy.block_families, policy.capacity_share
    checks = (
        ("block.families", families, _whole(families) and MIN_FAMILIES <= families <= len(BLOCKING), "2 to 4: no family blocks alone"),
        ("block.family_log_odds", policy.family_log_odds, _number(policy.family_log_odds) and policy.family_log_odds > 0, "above 0"),
        ("review.capacity_share", share, _number(share) and 0 < share <= 1, "above 0, up to 1"),
        ("review.when_full", policy.when_full, policy.when_full in ("wait", "cheapest"), "wait or cheapest"),
        ("degraded.approve_up_to_minor", policy.degraded_approve_minor, _number(policy.degraded_approve_minor), "a number of minor units"),
        (
            "provisional.approve_up_to_minor",
            policy.provisional_approve_minor,
            _whole(policy.provisional_approve_minor) and policy.provisional_approve_minor >= 0,
            "minor units, 0 for never",
        ),
        ("reasons.shown", policy.reasons_shown, _whole(policy.reasons_shown) and policy.reasons_shown >= 1, "1 or more"),
    )
    return [f"{name} is {got!r}, expected {expected}" for name, got, holds, expected in checks if not holds]


def _rule_problems(policy: Policy) -> list[str]:
    limits: list[Rule | Excuse] = [*policy.rules, *policy.excuses]
    numbers = _numeric_features()
    unknown = [limit for limit in limits if limit.feature not in numbers and not limit.feature.startswith(ATTRIBUTE)]
    unnamed = [limit for limit in limits if limit.reason not in REASONS]
    unlimited = [limit for limit in limits if not _number(limit.at_least)]
    harmless = [rule for rule in policy.rules if rule.identity_match and rule.action is not Action.BLOCK]
    accusing = [excuse for excuse in policy.excuses if excuse.reason in REASONS and REASONS[excuse.reason].speaks != "for"]
    return [
        *(f"{each.reason} names {each.feature}, which is no number of the catalogue; see `refund-risk features`" for each in unknown),
        *(f"the rule on {each.feature} names the reason {each.reason}, which data_contracts/reasons.toml does not have" for each in unnamed),
        *(f"the rule on {each.feature} has at_least {each.at_least!r}, expected a number" for each in unlimited),
        *(f"the rule on {each.feature} is an identity match, which only makes sense with action block" for each in harmless),
        *(f"the excuse on {each.feature} has the reason {each.reason}, which does not speak for the buyer" for each in accusing),
    ]


def _numeric_features() -> Collection[str]:
    return {feature.name for feature in FEATURES if not (isinstance(feature, Stated | Given) and feature.kind == "category")}


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
