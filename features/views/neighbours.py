"""What the accounts around the buyer are like: those on the things that she uses (near), and those one step further (far).

They are counted by `graph/neighbours.py` under the same names, bounded however large a hub is: the latest ten accounts of each thing.
"""

from features.declare import Feature, Given, Sign

_NEAR = "the other accounts on the things that the buyer uses"
_FAR = "the accounts one step further, over other things that those accounts own"
_NOTHING = "nothing that makes neighbours is known of the buyer, or the graph is not connected"
_NOBODY = f"{_NOTHING}, or there is no such account"


def _row(name: str, unit: str, meaning: str, missing: str, reason: str, sign: Sign = 0) -> Given:
    return Given(name=name, unit=unit, meaning=meaning, missing=missing, reason=reason, sign=sign, family="links", source="graph")


NEIGHBOURS: tuple[Feature, ...] = (
    _row("near_accounts", "accounts", f"How many {_NEAR}, the latest ten of each thing", _NOTHING, "LINKED_ACCOUNTS"),
    _row("near_claims_90_mean", "requests", f"Refund requests of {_NEAR}, in the last 90 days, mean over them", _NOBODY, "LINKED_REQUESTS"),
    _row("near_claims_most", "requests", f"Refund requests of that one of {_NEAR} that made most, in the last 365 days", _NOTHING, "LINKED_REQUESTS"),
    _row(
        "near_share_pooled", "ratio", f"Refund requests of {_NEAR}, in the last 365 days, divided by their orders",
        f"{_NOTHING}, or they ordered nothing", "LINKED_REQUESTS",
    ),
    _row("near_amount_mean", "minor units", f"Money claimed back by {_NEAR}, in the last 365 days, mean over them", _NOBODY, "LINKED_MONEY"),
    _row("near_abuse", "requests", f"Requests of {_NEAR}, of the last 365 days, confirmed as abuse", _NOTHING, "LINKED_CONFIRMED_ABUSE", 1),
    _row(
        "near_abuse_most", "requests", f"Requests confirmed as abuse of that one of {_NEAR} that has most, of the last 365 days",
        _NOTHING, "LINKED_CONFIRMED_ABUSE", 1,
    ),
    _row("near_age_mean", "days", f"Age of {_NEAR}, mean over those whose age is known", _NOBODY, "LINKED_ACCOUNT_AGE"),
    _row("near_age_least", "days", f"Age of the youngest of {_NEAR}", _NOBODY, "LINKED_ACCOUNT_AGE"),
    _row("far_accounts", "accounts", f"How many {_FAR}", _NOTHING, "LINKED_FURTHER"),
    _row("far_claims_mean", "requests", f"Refund requests of {_FAR}, in the last 365 days, mean over them", _NOBODY, "LINKED_FURTHER"),
    _row("far_abuse", "requests", f"Requests of {_FAR}, of the last 365 days, confirmed as abuse", _NOTHING, "LINKED_FURTHER_ABUSE", 1),
)  # fmt: skip
"""Nobody is her own neighbour, and what is judged counts once it is known."""
