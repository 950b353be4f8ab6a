"""The terms of a policy: what actions cost, which findings stand on their own, what excuses a buyer, what a block needs."""

from dataclasses import dataclass
from typing import Literal, get_args

from data_contracts.decision import Action
from data_contracts.score import Family

BLOCKING: frozenset[str] = frozenset(get_args(Family)) - {"context"}
"""The independent families of evidence. Context (seller, article, the shop's own columns) excuses or explains; it never helps to block."""

MINUTES_AN_HOUR = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """The shop's economics. Shares lie in [0, 1]; money is in minor units of `currency` (null: whatever the data are in).

    review_minutes, hourly_minor: a person's time for one request, and what an hour of it costs.
    reviewer_catches: share of abuse that a reviewer recognises. reviewer_clears: share of honest requests that a reviewer lets through.
    abuse_loss_share: what an approved abusive request costs, as a share of its amount.
    goods_margin, orders_lost: an honest buyer who is refused places that many orders fewer, each of the same amount with that margin.
    appeal_minor: handling the complaint of an honest buyer who was refused.
    delay_share: an honest buyer who waits for a review orders less, too: that share of what refusing her costs.
    """

    currency: str | None
    review_minutes: float
    hourly_minor: float
    reviewer_catches: float
    reviewer_clears: float
    abuse_loss_share: float
    goods_margin: float
    orders_lost: float
    appeal_minor: float
    delay_share: float

    @property
    def review_minor(self) -> float:
        """What one review costs in people's time."""
        return self.review_minutes / MINUTES_AN_HOUR * self.hourly_minor

    def honest_refused(self, amount_minor: int) -> float:
        """What refusing one honest buyer costs: the margin on the orders she no longer places, and her complaint."""
        return self.orders_lost * self.goods_margin * amount_minor + self.appeal_minor

    def expected(self, amount_minor: int, probability: float) -> dict[Action, float]:
        """The expected cost of every action for a request that is abuse with that probability.

        With a probability of exactly 0 or 1 it is the cost of a request whose truth is known: what evaluation adds up.
        """
        paid_to_abuse = probability * self.abuse_loss_share * amount_minor
        honest_refused = (1 - probability) * self.honest_refused(amount_minor)
        honest_reviewed = (1 - self.reviewer_clears + self.delay_share) * honest_refused
        return {
            Action.APPROVE: paid_to_abuse,
            Action.REVIEW: self.review_minor + (1 - self.reviewer_catches) * paid_to_abuse + honest_reviewed,
            Action.BLOCK: honest_refused,
        }


def cheapest(costs: dict[Action, float]) -> Action:
    """The action of lowest expected cost; a tie goes to review, then to approve, so a block is never a coin's fall."""
    order = (Action.REVIEW, Action.APPROVE, Action.BLOCK)
    return min(order, key=lambda action: (costs[action], order.index(action)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A finding of its own wherever `feature` is at least `at_least`. It adds severity, never takes any away.

    An `approve` rule only says what speaks for the buyer. `identity_match` marks a confirmed identity, the one finding that may block alone.
    """

    feature: str
    at_least: float
    action: Action
    reason: str
    identity_match: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Excuse:
    """Where `feature` is at least `at_least`, many honest buyers have the same cause: nobody is blocked, a person looks."""

    feature: str
    at_least: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the shop wants. Built by `risk/policy_file.py`, which checks it.

    block_families: independent families of evidence that a block needs. family_log_odds: from which sum of contributions a family counts.
    capacity_share: share of a batch that people can look at. when_full: what happens to cost-only reviews behind it: they `wait`, or the
    `cheapest` other action is taken, which may approve and never blocks. degraded_approve_minor: up to which amount a request may be approved
    although a source did not answer. provisional_approve_minor: up to which amount it may be approved before its evidence is measured, when the
    caller's deadline passed; 0: never. reasons_shown: how many reasons that speak against (and again for) the request a decision names.
    """

    name: str
    version: str
    costs: Costs
    block_families: int
    family_log_odds: float
    capacity_share: float
    when_full: Literal["wait", "cheapest"]
    degraded_approve_minor: int
    provisional_approve_minor: int
    reasons_shown: int
    rules: tuple[Rule, ...]
    excuses: tuple[Excuse, ...]
