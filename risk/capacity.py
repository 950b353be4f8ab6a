"""More requests deserve a look than people can take: which are looked at first, and what becomes of the rest. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from data_contracts.decision import Action, Decision, Finding
from risk.terms import Policy

BY_COST = {"REVIEW_CHEAPEST", "BLOCK_NEEDS_SECOND_FAMILY"}
"""Reviews that only cost asks for. All others (contradictions, no score, no amount, a silent source) are never given up."""


def within_capacity(decisions: Sequence[Decision], policy: Policy) -> list[Decision]:
    """The decisions of one batch, with reviews behind the limit marked REVIEW_CAPACITY.

    Reviews that a finding asks for come first, then those in which a look saves most. Behind the limit a review waits; where the policy says
    `cheapest`, one that only cost asked for is approved if that is cheaper than to refuse it, which the finding then says with its numbers.
    Nothing is blocked, and nothing approved unsaid.
    """
    limit = int(policy.capacity_share * len(decisions))
    reviews = [place for place, decision in enumerate(decisions) if decision.action is Action.REVIEW]
    first = sorted(reviews, key=lambda place: (_only_by_cost(decisions[place], policy), -value_of_review(decisions[place])))
    done = list(decisions)
    for position, place in enumerate(first[limit:], start=limit + 1):
        done[place] = _behind(decisions[place], position, limit, policy)
    return done


def value_of_review(decision: Decision) -> float:
    """What a look saves against the cheaper of paying and refusing, in minor units; the whole rank value where costs are not known."""
    costs = decision.expected_cost_minor
    if not costs:
        return decision.rank_value
    return min(costs[Action.APPROVE.value], costs[Action.BLOCK.value]) - costs[Action.REVIEW.value]


def _only_by_cost(decision: Decision, policy: Policy) -> bool:
    """Whether nothing but expected cost asks for the review: no rule's reason, no missing score, amount or source."""
    firm = {rule.reason for rule in policy.rules if rule.action is not Action.APPROVE}
    asking = [finding for finding in decision.findings if finding.action is Action.REVIEW]
    return not any(finding.code in firm or (finding.family is None and finding.code not in BY_COST) for finding in asking)


def _behind(decision: Decision, position: int, limit: int, policy: Policy) -> Decision:
    costs = decision.expected_cost_minor
    place = f"place {position} of the reviews, people can take {limit}"
    if policy.when_full == "cheapest" and _only_by_cost(decision, policy) and costs[Action.APPROVE.value] <= costs[Action.BLOCK.value]:
        said = [replace(finding, action=Action.APPROVE) for finding in decision.findings]
        return replace(decision, action=Action.APPROVE, findings=(Finding(Action.APPROVE, "REVIEW_CAPACITY", None, place), *said))
    return replace(decision, findings=(*decision.findings, Finding(Action.REVIEW, "REVIEW_CAPACITY", None, place)))
