"""What the buyer did before: her orders, her refund requests and what became of them."""

from functools import partial
from itertools import chain

from data_contracts.link import EntityType
from data_contracts.timeline import Stream
from features.declare import Condition, Derived, Feature, Measure, Stated
from features.views.rows import ABUSE, EVERY, HONEST, derived, windowed

_orders = partial(windowed, EntityType.ACCOUNT, Stream.ORDER, family="behaviour")
_requests = partial(windowed, EntityType.ACCOUNT, Stream.REQUEST, family="behaviour")
_labels = partial(windowed, EntityType.ACCOUNT, Stream.LABEL, family="behaviour")
_uses = partial(windowed, EntityType.ACCOUNT, Stream.LINK, Measure.DISTINCT, of="target_id", family="behaviour", reason="BUYER_MANY_MEANS")

_OFTEN = {"unit": "requests", "reason": "BUYER_CLAIMS_OFTEN"}
_GENERATED = (Condition("generated_ppm", "ge", 700_000),)
_EARLY = (Condition("delay_s", "lt", 3_600),)
_NOT_RECEIVED = (Condition("claim_type", "eq", "not_received"),)


def _used(kind: EntityType, several: str) -> tuple[Feature, ...]:
    where = (Condition("target_type", "eq", kind.value),)
    return _uses(name=several, meaning=f"Different {several} that the buyer used", days=(30, 365), unit=several, where=where)


def _rate(days: int) -> tuple[Derived, ...]:
    shared = {"family": "behaviour", "formula": "ratio", "reason": "BUYER_CLAIM_SHARE_HIGH", "unit": "ratio"}
    return (
        derived(
            f"account_request_rate_{days}d",
            f"The buyer's refund requests for each order, in the last {days} days",
            "the account is not known, orders are not connected, or fewer than 3 orders; a new buyer is unknown, not clean",
            a=f"account_requests_{days}d",
            b=f"account_orders_{days}d",
            at_least=3.0,
            **shared,
        ),
        derived(
            f"account_amount_rate_{days}d",
            f"Money the buyer claimed back for each unit of money she ordered for, in the last {days} days",
            "the account is not known, orders are not connected, or nothing was ordered",
            a=f"account_amount_claimed_{days}d",
            b=f"account_amount_ordered_{days}d",
            **shared,
        ),
    )


BEHAVIOUR: tuple[Feature, ...] = (
    *_requests(Measure.COUNT, "requests", "Refund requests of the buyer", EVERY, **_OFTEN),
    *_orders(Measure.COUNT, "orders", "Orders of the buyer", EVERY, unit="orders", reason="BUYER_HISTORY_GOOD"),
    *_requests(
        Measure.SUM, "amount_claimed", "Money the buyer claimed back", EVERY, of="amount_minor", unit="minor units", reason="BUYER_AMOUNT_HIGH"
    ),
    *_orders(
        Measure.SUM,
        "amount_ordered",
        "Money the buyer ordered for",
        (30, 90, 365),
        of="amount_minor",
        unit="minor units",
        reason="BUYER_HISTORY_GOOD",
    ),
    *_requests(
        Measure.DISTINCT,
        "claim_types",
        "Different kinds of claim of the buyer",
        EVERY,
        of="claim_type",
        unit="kinds",
        reason="BUYER_MANY_CLAIM_TYPES",
    ),
    *_requests(
        Measure.DISTINCT,
        "claim_sellers",
        "Different sellers the buyer claimed from",
        EVERY,
        of="seller_id",
        unit="sellers",
        reason="BUYER_CLAIMS_OFTEN",
    ),
    *_orders(
        Measure.DISTINCT,
        "order_sellers",
        "Different sellers the buyer ordered from",
        (90, 365),
        of="seller_id",
        unit="sellers",
        reason="BUYER_HISTORY_GOOD",
    ),
    *_requests(
        Measure.MEAN,
        "claim_delay_mean",
        "Seconds from delivery to claim, mean of the buyer's requests",
        EVERY,
        of="delay_s",
        unit="seconds",
        reason="BUYER_CLAIMS_FAST",
    ),
    *_requests(
        Measure.COUNT,
        "early_claims",
        "The buyer's requests within an hour of delivery or before it",
        (365,),
        where=_EARLY,
        unit="requests",
        reason="BUYER_CLAIMS_FAST",
    ),
    *_requests(
        Measure.SHARE,
        "not_received_share",
        "Share of the buyer's requests that say nothing came",
        (365,),
        where=_NOT_RECEIVED,
        at_least=2,
        unit="ratio",
        reason="BUYER_CLAIMS_OFTEN",
    ),
    *_requests(
        Measure.MEAN,
        "amount_claimed_mean",
        "Money per request of the buyer",
        (365,),
        of="amount_minor",
        unit="minor units",
        reason="BUYER_AMOUNT_HIGH",
    ),
    *_requests(Measure.SINCE_LAST, "days_since_request", "Days since the buyer's last refund request", (None,), unit="days", reason="BUYER_TIMING"),
    *_orders(Measure.SINCE_LAST, "days_since_order", "Days since the buyer's last order", (None,), unit="days", reason="BUYER_TIMING"),
    *_orders(Measure.SINCE_FIRST, "days_since_first_order", "Days since the buyer's first order", (None,), unit="days", reason="BUYER_NEW_ACCOUNT"),
    *_labels(
        Measure.COUNT,
        "abuse",
        "The buyer's requests confirmed as abuse",
        (30, 90, 365),
        where=ABUSE,
        unit="requests",
        sign=1,
        reason="BUYER_CONFIRMED_ABUSE",
    ),
    *_labels(
        Measure.SUM,
        "amount_abuse",
        "Money in the buyer's requests confirmed as abuse",
        (365,),
        of="amount_minor",
        where=ABUSE,
        unit="minor units",
        sign=1,
        reason="BUYER_CONFIRMED_ABUSE",
    ),
    *_labels(
        Measure.COUNT, "honest", "The buyer's requests confirmed as honest", (90, 365), where=HONEST, unit="requests", reason="BUYER_HISTORY_GOOD"
    ),
    *_labels(
        Measure.SHARE,
        "abuse_share",
        "Share of the buyer's judged requests that were abuse",
        (365,),
        where=ABUSE,
        unit="ratio",
        sign=1,
        reason="BUYER_CONFIRMED_ABUSE",
    ),
    *_labels(
        Measure.SINCE_LAST,
        "days_since_abuse",
        "Days since the buyer's last request confirmed as abuse",
        (None,),
        where=ABUSE,
        unit="days",
        reason="BUYER_CONFIRMED_ABUSE",
    ),
    *windowed(
        EntityType.ACCOUNT,
        Stream.REQUEST,
        Measure.COUNT,
        "generated_images",
        "The buyer's requests whose image looked generated (0.7 or more)",
        (365,),
        where=_GENERATED,
        unit="requests",
        family="image",
        sign=1,
        reason="IMAGE_LOOKS_GENERATED",
    ),
    *_used(EntityType.DEVICE, "devices"),
    *_used(EntityType.CARD, "cards"),
    *_used(EntityType.ADDRESS, "addresses"),
    *_used(EntityType.IP, "ips"),
    *chain.from_iterable(_rate(days) for days in (30, 90, 365)),
    Stated(
        name="account_age_days",
        family="behaviour",
        unit="days",
        meaning="Days since the buyer's account was opened",
        missing="the account or its opening is not known",
        reason="BUYER_NEW_ACCOUNT",
        source="account",
    ),
)
"""The buyer's own history. Requests and orders raise or lower nothing by themselves: heavy returners are mostly honest, so their sign is open."""
