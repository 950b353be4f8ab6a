"""From a score and facts to an action, pure: every finding is collected and the worst one wins. There is no default action.

A policy is a TOML file, checked when it is loaded and immutable afterwards: its version is the hash of its content. A block needs two
independent families of evidence; what explains many honest claims at once (a bad batch) turns a block into a review.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from data_contracts.contributions import Contributions
from data_contracts.decision import Action, Decision, Finding
from data_contracts.reason import REASONS
from data_contracts.score import Contribution
from data_contracts.snapshot import Facts
from risk import policy_file
from risk.details import plainly
from risk.terms import BLOCKING, Excuse, Policy, Rule, cheapest

NO_DETAILS: Mapping[str, str] = {}

MOST_NAMED = 2
"""Features that a reason names, those that moved the score most."""

SPEAK_FOR = frozenset(code for code, reason in REASONS.items() if reason.speaks == "for")
"""Reasons that are shown where they lowered the risk."""

_severity = attrgetter("severity")


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


@dataclass(frozen=True, slots=True)
class Weighed:
    """All that was found before anybody asked what moved the score. `costs` is empty where they could not be weighed."""

    facts: Facts
    policy: Policy
    findings: tuple[Finding, ...]
    costs: Mapping[Action, float]
    rank_value: float
    provisional: bool

    @property
    def is_plain(self) -> bool:
        """Whether nothing asks for more than an approval: then nobody asks what moved the score."""
        return all(finding.action is Action.APPROVE for finding in self.findings)


def weigh(probability: float | None, facts: Facts, amount_minor: int | None, policy: Policy, circumstances: Circumstances = PLAIN) -> Weighed:
    """Collect every finding. Without a score or an amount a person looks.

    `amount_minor` is null when it is not known or not in the policy's currency.
    """
    weighed, costs = _weigh(probability, amount_minor, policy)
    ruled = _rule_findings(facts, policy, circumstances.details)
    pending = _pending_findings(amount_minor, policy, circumstances.awaited)
    silent = _source_findings(amount_minor, policy, circumstances.degraded)
    return Weighed(facts, policy, (weighed, *ruled, *pending, *silent), costs, _rank_value(costs, amount_minor), bool(pending))


def conclude(weighed: Weighed, contributions: Contributions | None = None) -> Decision:
    """Let the worst finding win, and say what moved the score; null: nobody asked."""
    findings = list(weighed.findings)
    if any(finding.action is Action.BLOCK for finding in findings):
        findings = _checked_block(findings, weighed, contributions)
    worst = max((finding.action for finding in findings), key=_severity)
    if contributions is not None:
        findings += _explained(contributions, worst, weighed.policy, {finding.code for finding in findings})
    return Decision(
        worst,
        tuple(sorted(findings, key=lambda finding: -finding.action.severity)),
        weighed.rank_value,
        {action.value: round(cost, 2) for action, cost in weighed.costs.items()},
        weighed.policy.version,
    )


def _weigh(probability: float | None, amount_minor: int | None, policy: Policy) -> tuple[Finding, dict[Action, float]]:
    """What follows from cost alone; without a score or an amount, review."""
    if probability is None:
        return Finding(Action.REVIEW, "NO_SCORE", None, "no model gave a score"), {}
    if amount_minor is None:
        return Finding(Action.REVIEW, "AMOUNT_UNKNOWN", None, f"probability {probability:.3f}, amount not known"), {}
    costs = policy.costs.expected(amount_minor, probability)
    action = cheapest(costs)
    weighed = ", ".join(f"{name.value} {cost / 100:.2f}" for name, cost in costs.items())
    return Finding(action, f"{action.name}_CHEAPEST", None, f"probability {probability:.3f}; expected cost {weighed}"), costs


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


def _checked_block(findings: list[Finding], weighed: Weighed, contributions: Contributions | None) -> list[Finding]:
    """The findings with every block turned into a review, unless enough independent families agree and nothing excuses the buyer.

    A provisional decision never blocks: nobody is refused before her evidence was looked at.
    """
    facts, policy = weighed.facts, weighed.policy
    excuses = {excuse: value for excuse in policy.excuses if (value := _reached(facts, excuse)) is not None}
    families = sorted(_families(findings, contributions, policy))
    identity = any(rule.identity_match and _reached(facts, rule) is not None for rule in policy.rules)
    if not weighed.provisional and not excuses and (identity or len(families) >= policy.block_families):
        return findings
    softened = [Finding(min(f.action, Action.REVIEW, key=_severity), f.code, f.family, f.detail) for f in findings]
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


def _families(findings: Sequence[Finding], contributions: Contributions | None, policy: Policy) -> set[str]:
    """The families that speak against the request: by a rule's finding, or by the sum of their contributions."""
    found: set[str] = {finding.family for finding in findings if finding.family is not None and finding.action is not Action.APPROVE}
    sums = contributions.by_family() if contributions else {}
    found |= {family for family, total in sums.items() if total >= policy.family_log_odds}
    return found & BLOCKING


def _explained(contributions: Contributions, worst: Action, policy: Policy, known: set[str]) -> list[Finding]:
    """The contributions as findings, one a reason code: the strongest that speak against the request, and those that speak for it.

    They carry the action that the decision has anyway, or approve: an explanation never changes the outcome. A feature that moved the score
    explains only what is so: an amount below the order's is never called too high, however it counts.
    """
    sums = {code: total for code, total in contributions.by_reason().items() if total and code not in known}
    against = sorted([code for code, total in sums.items() if total > 0 and code not in SPEAK_FOR], key=sums.__getitem__, reverse=True)
    speaks_for = sorted([code for code, total in sums.items() if total < 0 and code in SPEAK_FOR], key=sums.__getitem__)
    return [
        _said(action, contributions.of_reason(code, MOST_NAMED), sums[code])
        for action, codes in ((worst, against), (Action.APPROVE, speaks_for))
        for code in codes[: policy.reasons_shown]
    ]


def _said(action: Action, largest: Sequence[Contribution], total: float) -> Finding:
    """One reason, in the family of what moved the score most: it may gather features of several."""
    first = largest[0]
    named = ", ".join([f"{part.feature} is {'not known' if part.value is None else _short(part.value)}" for part in largest])
    return Finding(action, first.reason, first.family, f"{named}; together {total:+.2f} log-odds")


def _short(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
