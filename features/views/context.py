"""What excuses or explains: the seller, the article, the lot, the peer group. None of it helps to block."""

from functools import partial

from data_contracts.link import EntityType
from data_contracts.timeline import Stream
from features.declare import Derived, Feature, Measure
from features.views.rows import ABUSE, NO_ENTITY, windowed

_REASON = {EntityType.SELLER: "SELLER_CLAIMS_HIGH", EntityType.SKU: "ARTICLE_CLAIMS_HIGH", EntityType.LOT: "LOT_CLAIMS_HIGH"}
_WHAT = {EntityType.SELLER: "the seller", EntityType.SKU: "the article", EntityType.LOT: "the lot"}
_SLOW = (90, 365)


def _live(kind: EntityType, days: tuple[int, ...]) -> tuple[Feature, ...]:
    """Bursts: what others claim right now. More of it can only excuse: an honest bad batch must lower suspicion."""
    row = partial(windowed, kind, family="context", reason=_REASON[kind])
    what = _WHAT[kind]
    return (
        *row(
            Stream.REQUEST, Measure.COUNT, "other_requests", f"Refund requests of other buyers about {what}", days, whose="others",
            unit="requests", sign=-1,
        ),
        *row(
            Stream.REQUEST, Measure.DISTINCT, "claimants", f"Different other buyers who claim about {what}", days[-1:],
            of="account_id", whose="others", unit="accounts", sign=-1,
        ),
        *row(Stream.ORDER, Measure.COUNT, "orders", f"Orders of {what}", days, unit="orders"),
        *(_ratio(kind, "other_requests", each, 3.0) for each in days[1:]),
    )  # fmt: skip


def _base_rates(kind: EntityType) -> tuple[Feature, ...]:
    """Slow rates, as of the last midnight (UTC), from the feature store."""
    row = partial(windowed, kind, family="context", reason=_REASON[kind], slow=True)
    what, unknown = _WHAT[kind], f"{NO_ENTITY[kind]}, or the feature store has no state of it yet"
    return (
        *row(Stream.REQUEST, Measure.COUNT, "requests", f"Refund requests about {what} by last midnight", _SLOW, unit="requests", missing=unknown),
        *row(Stream.ORDER, Measure.COUNT, "orders", f"Orders of {what} by last midnight", _SLOW, unit="orders", missing=unknown),
        *row(
            Stream.REQUEST, Measure.MEAN, "amount_mean", f"Money per refund request about {what} by last midnight", (365,), of="amount_minor",
            unit="minor units", missing=unknown,
        ),
        *row(
            Stream.LABEL, Measure.SHARE, "abuse_share", f"Share of abuse among judged requests about {what} by last midnight", (365,),
            where=ABUSE, at_least=5, unit="ratio", missing=unknown,
        ),
        *(_ratio(kind, "requests", each, 10.0) for each in _SLOW),
    )  # fmt: skip


def _ratio(kind: EntityType, requests: str, days: int, at_least: float) -> Derived:
    return Derived(
        name=f"{kind.value}_request_rate_{days}d",
        family="context",
        unit="ratio",
        meaning=f"Refund requests for each order of {_WHAT[kind]}, in the last {days} days",
        missing=f"{NO_ENTITY[kind]}, or fewer than {at_least:.0f} orders",
        reason=_REASON[kind],
        sign=-1,
        formula="ratio",
        a=f"{kind.value}_{requests}_{days}d",
        b=f"{kind.value}_orders_{days}d",
        at_least=at_least,
    )


def _peer(name: str, meaning: str, a: str, b: str, at_least: float) -> Derived:
    return Derived(
        name=name, family="context", unit="ratio", meaning=meaning, missing="one of the two is not known", reason="PEER_GROUP",
        formula="ratio", a=a, b=b, at_least=at_least,
    )  # fmt: skip


CONTEXT: tuple[Feature, ...] = (
    *_live(EntityType.SELLER, (1, 7)),
    *_live(EntityType.SKU, (1, 7)),
    *_live(EntityType.LOT, (1, 7, 30)),
    *_base_rates(EntityType.SELLER),
    *_base_rates(EntityType.SKU),
    _peer(
        "amount_to_seller_mean", "The amount claimed, measured by the seller's mean refund request", "claimed_amount",
        "seller_amount_mean_365d", 1.0,
    ),
    _peer("amount_to_sku_mean", "The amount claimed, measured by the article's mean refund request", "claimed_amount", "sku_amount_mean_365d", 1.0),
    _peer(
        "amount_to_own_mean", "The amount claimed, measured by the mean of the buyer's earlier requests",
        "claimed_amount", "account_amount_claimed_mean_365d", 1.0,
    ),
    _peer(
        "rate_to_seller_rate", "The buyer's requests for each order, measured by the seller's",
        "account_request_rate_365d", "seller_request_rate_365d", 0.0001,
    ),
)  # fmt: skip
"""Base rates of the seller, the article and the lot, and the request beside its peers."""
