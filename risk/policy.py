"""From a score and facts to an action, pure: every finding is collected and the worst one wins. There is no default action.

A policy is a TOML file, checked when it is loaded and immutable afterwards: its version is the hash of its content. A block needs two
independent families of evidence; what explains many honest claims at once (a bad batch) turns a block into a review.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from data_contracts.decision import Action, Decision, Finding
from data_contracts.reason import REASONS
from data_contracts.score import Contribution, Family, Score
from data_contracts.snapshot import Facts
from risk import policy_file
from risk.details import plainly
from risk.terms import BLOCKING, Excuse, Policy, Rule, cheapest

NO_DETAILS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a decision may use beside score and facts: details in words by feature (the arithmetic), and the sources that did not answer.

    `awaited`: how many files of the request are not measured yet; where there are any, the decision is provisional.
    """

    details: Mapping[str, str]
    degraded: tuple[str, ...] = ()
    awaited: int = 0


PLAIN = Circumstances(NO_DETAILS)


def load(path: Path | None) -> Policy:
    """The policy of that file, or the one that ships when null. PolicyError: it is missing, contradicts itself or names what does not exist."""
    return policy_file.read(path)


def decide(score: Score | None, facts: Facts, amount_minor: int | None, policy: Policy, circumstances: Circumstances = PLAIN) -> Decision:
    """Collect every finding, then let the worst one win. Without a score or an amount a person looks.

    `amount_minor` is null when it is not known or not in the policy's currency.
    """
    weighed, costs = _weigh(score, amount_minor, policy)
    ruled = _rule_findings(facts, policy, circumstances.details)
    pending = _pending_findings(amount_minor, policy, circumstances.awaited)
    findings = [weighed, *ruled, *pending, *_source_findings(amount_minor, policy, circumstances.degraded)]
    if any(finding.action is Action.BLOCK for finding in findings):
        findings = _checked_block(findings, score, facts, policy, provisional=bool(pending))
    worst = max((finding.action for finding in findings), key=lambda action: action.severity)
    if score is not None:
        findings += _explained(score, worst, policy, {finding.code for finding in findings})
    return Decision(
        worst,
        tuple(sorted(findings, key=lambda finding: -finding.action.severity)),
        _rank_value(costs, amount_minor),
        {action.value: round(cost, 2) for action, cost in costs.items()},
        policy.version,
    )


def _weigh(score: Score | None, amount_minor: int | None, policy: Policy) -> tuple[Finding, dict[Action, float]]:
    """What follows from cost alone; without a score or an amount, review."""
    if score is None:
        return Finding(Action.REVIEW, "NO_SCORE", None, "no model gave a score"), {}
    if amount_minor is None:
        return Finding(Action.REVIEW, "AMOUNT_UNKNOWN", None, f"probability {score.probability:.3f}, amount not known"), {}
    costs = policy.costs.expected(amount_minor, score.probability)
    action = cheapest(costs)
    weighed = ", ".join(f"{name.value} {cost / 100:.2f}" for name, cost in costs.items())
    return Finding(action, f"{action.name}_CHEAPEST", None, f"probability {score.probability:.3f}; expected cost {weighed}"), costs


def _rank_value(costs: Mapping[Action, float], amount_minor: int | None) -> float:
    """What not paying at once is expected to save, in minor units. Unknown costs: the whole amount is at stake; unknown amount: 0."""
    if not costs:
        return float(amount_minor or 0)
    return round(costs[Action.APPROVE] - min(costs[Action.REVIEW], costs[Action.BLOCK]), 2)


def _rule_findings(facts: Facts, policy: Policy, details: Mapping[str, str]) -> list[Finding]:
    """One finding for each rule whose feature is known and large enough."""
    found = []
    for rule in policy.rules:
        value = _reached(facts, rule)
        if value is not None:
            detail = details.get(rule.feature) or plainly(rule.feature, value, rule.at_least)
            found.append(Finding(rule.action, rule.reason, REASONS[rule.reason].family, detail))
    return found


def _source_findings(amount_minor: int | None, policy: Policy, degraded: Sequence[str]) -> list[Finding]:
    """A review where a source did not answer and the amount is too high to go without it."""
    if not degraded or (amount_minor is not None and amount_minor <= policy.degraded_approve_minor):
        return []
    return [Finding(Action.REVIEW, "SOURCE_MISSING", None, f"no answer from {', '.join(sorted(degraded))}")]


def _pending_findings(amount_minor: int | None, policy: Policy, awaited: int) -> list[Finding]:
    """While evidence is not measured a person looks, but for small amounts where the policy allows it."""
    if not awaited:
        return []
    small = amount_minor is not None and amount_minor <= policy.provisional_approve_minor > 0
    said = f"{awaited} {'file is' if awaited == 1 else 'files are'} not measured yet; the final decision follows by itself"
    return [Finding(Action.APPROVE if small else Action.REVIEW, "EVIDENCE_PENDING", None, said)]


def _checked_block(findings: list[Finding], score: Score | None, facts: Facts, policy: Policy, *, provisional: bool) -> list[Finding]:
    """The findings with every block turned into a review, unless enough independent families agree and nothing excuses the buyer.

    A provisional decision never blocks: nobody is refused before her evidence was looked at.
    """
    excuses = {excuse: value for excuse in policy.excuses if (value := _reached(facts, excuse)) is not None}
    families = sorted(_families(findings, score, policy))
    identity = any(rule.identity_match and _reached(facts, rule) is not None for rule in policy.rules)
    if not provisional and not excuses and (identity or len(families) >= policy.block_families):
        return findings
    softened = [Finding(min(f.action, Action.REVIEW, key=lambda action: action.severity), f.code, f.family, f.detail) for f in findings]
    softened = [finding for finding in softened if finding.code != "BLOCK_CHEAPEST"]
    for excuse, value in excuses.items():
        told = plainly(excuse.feature, value, excuse.at_least)
        softened.append(Finding(Action.REVIEW, excuse.reason, "context", f"{told}; so nobody is blocked"))
    if not identity and len(families) < policy.block_families:
        detail = f"evidence from {', '.join(families) or 'no family'}; a block needs {policy.block_families} of {', '.join(sorted(BLOCKING))}"
        softened.append(Finding(Action.REVIEW, "BLOCK_NEEDS_SECOND_FAMILY", None, detail))
    return softened


def _reached(facts: Facts, limit: Rule | Excuse) -> float | None:
    """The value of its feature where that is known and large enough."""
    value = facts.values.get(limit.feature)
    return value if isinstance(value, int | float) and value >= limit.at_least else None


def _families(findings: Sequence[Finding], score: Score | None, policy: Policy) -> set[str]:
    """The families that speak against the request: by a rule's finding, or by the sum of their contributions."""
    found: set[str] = {finding.family for finding in findings if finding.family is not None and finding.action is not Action.APPROVE}
    sums: dict[str, float] = {}
    for part in score.contributions if score else ():
        sums[part.family] = sums.get(part.family, 0.0) + part.log_odds
    found |= {family for family, total in sums.items() if total >= policy.family_log_odds}
    return found & BLOCKING


def _explained(score: Score, worst: Action, policy: Policy, known: set[str]) -> list[Finding]:
    """The contributions as findings, one a reason code: the strongest that speak against the request, and those that speak for it.

    They carry the action that the decision has anyway, or approve: an explanation never changes the outcome. A feature that moved the score
    explains only what is so: an amount below the order's is never called too high, however it counts.
    """
    groups: dict[str, list[Contribution]] = {}
    for part in score.contributions:
        if part.reason not in known and REASONS[part.reason].holds(part.value):
            groups.setdefault(part.reason, []).append(part)
    sums = {code: sum(part.log_odds for part in parts) for code, parts in groups.items()}
    against = sorted((code for code, total in sums.items() if total > 0 and REASONS[code].speaks != "for"), key=lambda code: -sums[code])
    speaks_for = sorted((code for code, total in sums.items() if total < 0 and REASONS[code].speaks == "for"), key=lambda code: sums[code])
    return [
        Finding(action, code, _family(groups[code]), f"{_largest(groups[code])}; together {sums[code]:+.2f} log-odds")
        for action, codes in ((worst, against), (Action.APPROVE, speaks_for))
        for code in codes[: policy.reasons_shown]
    ]


def _family(parts: Sequence[Contribution]) -> Family:
    """The family of what moved the score most: one reason may gather features of several."""
    return max(parts, key=lambda part: abs(part.log_odds)).family


def _largest(parts: Sequence[Contribution]) -> str:
    """The two contributions of one reason that moved the score most, with their values."""
    largest = sorted(parts, key=lambda part: -abs(part.log_odds))[:2]
    return ", ".join(f"{part.feature} is {'not known' if part.value is None else _short(part.value)}" for part in largest)


def _short(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
