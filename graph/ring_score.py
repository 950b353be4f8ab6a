"""How likely a group of claimants is a ring: a logistic score of what is measured of it.

`python -m benchmarks.ring_score` fits WEIGHTS on simulated markets 11 and 12, from builds of every second day of a year, each group counted by the
root of how often it was met, so that young groups weigh as much as old ones. No market that figures are told of was looked at.
"""

from collections.abc import Mapping

import numpy as np

from data_contracts.link import EntityType
from graph.hubs import SENTENCE, kind_of
from graph.ring_measures import Measures

KINDS = (EntityType.DEVICE, EntityType.ADDRESS, EntityType.IP, EntityType.IMAGE, EntityType.TEXT, SENTENCE, EntityType.CARD)

WEIGHTS: Mapping[str, float] = {
    "always": -10.77,
    "members": 2.59,
    "busy": 1.29,
    "close": 0.88,
    "abusers": 0.23,
    "abusive": 5.3,
    "hubs": -1.1,
    "device": -0.6,
    "device_weight": 4.02,
    "address": -1.53,
    "address_weight": 7.23,
    "ip": 1.53,
    "ip_weight": 0.52,
    "image": 2.11,
    "image_weight": 1.27,
    "text": -1.9,
    "text_weight": 2.81,
    "sentence": 4.86,
    "sentence_weight": 0.99,
    "card": -1.17,
    "card_weight": -0.91,
}
"""always: one. members, busy: doublings of members, and of claims in the busiest 30 days. close: share of the claims that lie within a day of another
member's. abusers: doublings of judged abusers (and one) among all users of one thing they share. abusive: abusers among judged members, drawn towards
two thirds while few are judged. hubs: meeting places that they share, too. KIND: one when members share a thing of that kind that says something;
KIND_weight: how much the most telling one says."""


def signs(each: Measures) -> dict[str, float]:
    """The measures of a group as the numbers that WEIGHTS are for."""
    found = {
        "always": 1.0,
        "members": float(np.log2(len(each.members))),
        "busy": float(np.log2(each.busy_claims)),
        "close": each.close_claims / each.claims,
        "abusers": float(np.log2(1.0 + max((held.abusers for held in each.entities), default=0))),
        "abusive": abusive(each),
        "hubs": float(len(each.hubs)),
    }
    for kind in KINDS:
        weights = [held.weight for held in each.entities if kind_of(held.entity_type, held.entity_id) == kind]
        found |= {str(kind): float(bool(weights)), f"{kind}_weight": max(weights, default=0.0)}
    return found


def abusive(each: Measures) -> float:
    """The share of abusers among judged members, drawn towards two thirds while few are judged."""
    return (each.abusers + 2.0) / (each.judged + 3.0)


def score(each: Measures) -> float:
    """The probability that the group is a ring, 0 to 1."""
    odds = sum(WEIGHTS[name] * value for name, value in signs(each).items())
    return float(1.0 / (1.0 + np.exp(-np.clip(odds, -50.0, 50.0))))
