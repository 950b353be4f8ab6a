"""The plain rules that a shop has before it has a model: a handful of limits, points for each, added up. The baseline that a model must beat."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from data_contracts.decision import Action
from models.ranker.dataset import Floats


class Limit(NamedTuple):
    """One rule: from `at_least` on, a feature gives `points`. A feature that is not known gives none."""

    feature: str
    at_least: float
    points: int
    says: str


@dataclass(frozen=True, slots=True)
class Rules:
    """Limits and what their points lead to; values from which a request is reviewed or blocked."""

    limits: tuple[Limit, ...]
    review_from: int = 2
    block_from: int = 5

    def points(self, frame: pl.DataFrame) -> Floats:
        """The points of each request; a feature that the frame lacks gives none."""
        total = np.zeros(frame.height)
        for limit in self.limits:
            if limit.feature in frame.columns:
                total += limit.points * (frame[limit.feature].cast(pl.Float64) >= limit.at_least).fill_null(value=False).to_numpy()
        return total

    def actions(self, points: Floats) -> list[str]:
        """What the points lead to."""
        names = (Action.APPROVE.value, Action.REVIEW.value, Action.BLOCK.value)
        return [names[int(reached)] for reached in (points >= self.review_from).astype(int) + (points >= self.block_from)]


PLAIN = Rules(
    (
        Limit("account_abuse_365d", 1, 4, "the buyer was caught in the last year"),
        Limit("component_abuse", 1, 2, "somebody in her ring was caught"),
        Limit("device_other_abuse_365d", 1, 2, "somebody else on her device was caught"),
        Limit("card_other_abuse_365d", 1, 2, "somebody else on her card was caught"),
        Limit("account_requests_90d", 4, 2, "four or more earlier requests in 90 days"),
        Limit("account_request_rate_365d", 0.5, 1, "every second order ends in a request"),
        Limit("device_other_accounts_30d", 2, 1, "two other accounts on her device in 30 days"),
        Limit("card_other_accounts_30d", 2, 1, "two other accounts on her card in 30 days"),
        Limit("image_other_requests_365d", 1, 3, "her photo was sent with another account's request"),
        Limit("generated_max", 0.9, 2, "a photo looks generated"),
        Limit("observed_over_claimed", 1, 3, "her pieces of evidence cannot all be true"),
        Limit("claimed_quantity_excess", 1, 3, "more pieces claimed than ordered"),
        Limit("claimed_amount_excess", 1, 2, "more money claimed than paid"),
        Limit("claim_before_delivery", 1, 2, "claimed before it was delivered"),
        Limit("not_received_but_delivered", 1, 1, "says nothing came, the carrier says it did"),
        Limit("claimed_amount", 50_000, 1, "a large amount"),
    ),
)
"""Rules of the kind that shops write by hand; their limits were not fitted to anything."""
