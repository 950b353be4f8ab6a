"""Who else stands behind the same device, address, card, phone, IP, image, text or agent, before now."""

from functools import partial
from itertools import chain

from data_contracts.link import EntityType
from data_contracts.timeline import Stream
from features.declare import Discounted, Feature, Given, Measure
from features.views.rows import ABUSE, HONEST, NO_ENTITY, windowed

_WHAT = {
    EntityType.DEVICE: "this device",
    EntityType.ADDRESS: "this address",
    EntityType.CARD: "this card",
    EntityType.PHONE: "this phone",
    EntityType.IP: "this IP address",
    EntityType.IMAGE: "an image of this request",
    EntityType.TEXT: "this claim text",
}

_REASON = {EntityType.IMAGE: "IMAGE_SHARED", EntityType.TEXT: "TEXT_SHARED", EntityType.IP: "CLAIM_IP_SHARED"}


def _shared(kind: EntityType, days: tuple[int, ...], *, own: bool) -> tuple[Feature, ...]:
    """The rows of one kind of link; `days` from short to long, `own` adds how used the buyer herself is to it."""
    row = partial(windowed, kind, family="links")
    what, reason = _WHAT[kind], _REASON.get(kind)
    long = days[-1:]
    found: tuple[Feature, ...] = (
        *row(
            Stream.LINK, Measure.DISTINCT, "other_accounts", f"Other accounts on {what}", days,
            of="account_id", whose="others", unit="accounts", reason=reason or "LINKED_ACCOUNTS",
        ),
        *row(
            Stream.REQUEST, Measure.COUNT, "other_requests", f"Refund requests of others on {what}", days, whose="others", unit="requests",
            reason=reason or "LINKED_REQUESTS",
        ),
        *row(
            Stream.REQUEST, Measure.SUM, "other_amount", f"Money claimed back by others on {what}", long,
            of="amount_minor", whose="others", unit="minor units", reason=reason or "LINKED_MONEY",
        ),
        *row(
            Stream.LABEL, Measure.COUNT, "other_abuse", f"Requests of others on {what} confirmed as abuse", (365,),
            where=ABUSE, whose="others", unit="requests", sign=1, reason="LINKED_CONFIRMED_ABUSE",
        ),
        *row(
            Stream.LABEL, Measure.COUNT, "other_honest", f"Requests of others on {what} confirmed as honest", (365,),
            where=HONEST, whose="others", unit="requests", reason=reason or "LINKED_REQUESTS",
        ),
        *row(
            Stream.LINK, Measure.SINCE_FIRST, "days_since_first_seen", f"Days since {what} was first seen with anybody", (None,), unit="days",
            reason="LINK_AGE",
        ),
        *(_discounted(kind, name, long[0]) for name in ("other_requests", "other_abuse")),
    )  # fmt: skip
    if own:
        found += row(
            Stream.LINK,
            Measure.COUNT,
            "own_uses",
            f"Times the buyer herself used {what}",
            long,
            whose="own",
            unit="uses",
            reason="LINK_AGE",
        )
    return found


def _discounted(kind: EntityType, name: str, days: int) -> Discounted:
    """A hub (courier point, dormitory, NAT address) ties strangers: what is linked through it counts as much as history teaches of such things."""
    abuse = name == "other_abuse"
    said = "confirmed abuse of others" if abuse else "refund requests of others"
    return Discounted(
        name=f"{kind.value}_{name}_discounted_{365 if abuse else days}d",
        family="links",
        unit="requests, discounted",
        meaning=f"The {said} on {_WHAT[kind]}, less where things like it tie strangers, in the last {365 if abuse else days} days",
        missing=NO_ENTITY[kind],
        reason="LINKED_CONFIRMED_ABUSE" if abuse else _REASON.get(kind, "LINKED_REQUESTS"),
        entity=kind,
        of=f"{kind.value}_{name}_{365 if abuse else days}d",
        accounts=f"{kind.value}_other_accounts_{days}d",
        requests=f"{kind.value}_other_requests_{days}d",
    )


_agent = partial(windowed, EntityType.AGENT, family="links", reason="AGENT_UNUSUAL")


def _component(name: str, unit: str, meaning: str, reason: str, sign: int = 0) -> Given:
    return Given(
        name=f"component_{name}",
        family="links",
        unit=unit,
        meaning=meaning,
        missing="the account is not known or the graph is not connected",
        reason=reason,
        sign=1 if sign else 0,
        source="graph",
    )


LINKS: tuple[Feature, ...] = (
    *_shared(EntityType.DEVICE, (1, 30, 365), own=True),
    *_shared(EntityType.ADDRESS, (30, 365), own=True),
    *_shared(EntityType.CARD, (1, 30, 365), own=True),
    *_shared(EntityType.PHONE, (365,), own=False),
    *_shared(EntityType.IP, (1, 30), own=True),
    *_shared(EntityType.IMAGE, (365,), own=True),
    *_shared(EntityType.TEXT, (30, 365), own=True),
    *_agent(Stream.REQUEST, Measure.COUNT, "requests", "Refund requests handled by this agent", (7, 90), unit="requests"),
    *_agent(
        Stream.REQUEST, Measure.MEAN, "amount_mean", "Money per refund request handled by this agent", (90,), of="amount_minor",
        unit="minor units",
    ),
    *_agent(
        Stream.LABEL, Measure.SHARE, "abuse_share", "Share of abuse among judged requests of this agent", (90, 365),
        where=ABUSE, at_least=5, unit="ratio", sign=1,
    ),
    *_agent(
        Stream.REQUEST, Measure.COUNT, "own_requests", "Earlier requests of the buyer that went to this same agent", (365,), whose="own",
        unit="requests",
    ),
    *chain((
        _component("accounts", "accounts", "Accounts held together by shared devices, addresses, cards and phones, this one included", "RING_SIZE"),
        _component("entities", "entities", "Devices, addresses, cards and phones that hold the buyer's accounts together", "RING_SIZE"),
        _component("age_days", "days", "Days since the oldest link among these accounts was known", "RING_SIZE"),
        _component("abuse", "requests", "Requests among these accounts that were confirmed as abuse", "RING_CONFIRMED_ABUSE", sign=1),
    )),
)  # fmt: skip
"""Links count other accounts only (`others`), or the buyer's own familiarity with the thing (`own`)."""
