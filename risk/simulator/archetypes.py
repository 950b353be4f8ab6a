"""Who abuses and how: one row an archetype. Every number here is a guess unless README.md names its source."""

from dataclasses import dataclass, field

from data_contracts.request import ClaimType

REASONS = tuple(ClaimType)
"""Claim types in the order of their codes."""

_INR, _MISSING, _DAMAGED = ClaimType.NOT_RECEIVED, ClaimType.MISSING, ClaimType.DAMAGED
_WRONG, _QUALITY, _OTHERWISE = ClaimType.WRONG_ITEM, ClaimType.QUALITY, ClaimType.NOT_AS_DESCRIBED


@dataclass(frozen=True, slots=True, kw_only=True)
class Archetype:
    """One way to abuse refunds. Shares and chances are 0..1; `None` as a group means that its people act alone.

    share: of all abusive claims. further_claims, further_orders: mean per account beyond the first abusive one, Poisson.
    group, group_mean: accounts in one group. window_days: how long a group is active. late: share of groups that start in the last 40%
    of the period; ramp: claims grow over the period instead of being even.
    pricier: chance to choose the dearest of three articles. whole: chance to claim the whole order. evidence: factor on the chance to send any.
    generated, edited: share of own pictures that are. reused: share of pictures from the group's pool. contradiction: chance that counts
    in two pieces of evidence exclude each other. script: share of texts from the group's script. group_ip, group_device: share of claims
    sent from the group's addresses or device. agent: share of groups with a bribed support agent, who then takes most of their claims.
    """

    name: str
    share: float
    further_claims: float
    further_orders: float
    group: tuple[int, int] | None = None
    group_mean: float = 1.0
    window_days: tuple[int, int] = (10_000, 10_000)
    late: float = 0.0
    ramp: bool = False
    pricier: float = 0.6
    whole: float = 0.75
    evidence: float = 1.0
    generated: float = 0.02
    edited: float = 0.05
    reused: float = 0.0
    contradiction: float = 0.35
    script: float = 0.0
    group_ip: float = 0.0
    group_device: float = 0.0
    agent: float = 0.0
    reasons: dict[ClaimType, float] = field(default_factory=dict)


_COMMON = {
    _INR: 0.5,
    _MISSING: 0.11,
    _DAMAGED: 0.17,
    _WRONG: 0.055,
    _QUALITY: 0.05,
    _OTHERWISE: 0.06,
    ClaimType.CHANGED_MIND: 0.03,
    ClaimType.OTHER: 0.01,
}
_PICTURED = {_DAMAGED: 0.42, _QUALITY: 0.2, _OTHERWISE: 0.2, _WRONG: 0.07, _MISSING: 0.11}

ABUSE = (
    Archetype(name="opportunist", share=0.20, further_claims=0.5, further_orders=2.0, evidence=0.8, edited=0.08, reasons=_COMMON),
    Archetype(name="serial_refunder", share=0.17, further_claims=3.5, further_orders=4.0, contradiction=0.5, script=0.3, reasons=_COMMON),
    Archetype(
        name="amateur_ring",
        share=0.17,
        further_claims=1.2,
        further_orders=1.2,
        group=(3, 12),
        group_mean=4.6,
        window_days=(30, 120),
        late=0.35,
        reused=0.15,
        contradiction=0.5,
        script=0.25,
        group_ip=0.5,
        reasons=_COMMON,
    ),
    Archetype(
        name="professional_customer",
        share=0.18,
        further_claims=0.15,
        further_orders=2.0,
        group=(8, 60),
        group_mean=22.0,
        window_days=(40, 150),
        late=0.3,
        pricier=0.85,
        whole=0.85,
        reused=0.4,
        script=0.85,
        group_ip=0.8,
        group_device=0.2,
        agent=0.35,
        reasons=_COMMON,
    ),
    Archetype(
        name="photo_reuser",
        share=0.08,
        further_claims=0.6,
        further_orders=2.0,
        group=(1, 9),
        group_mean=3.5,
        window_days=(60, 240),
        late=0.3,
        evidence=1.1,
        reused=0.9,
        script=0.25,
        reasons=_PICTURED,
    ),
    Archetype(
        name="ai_faker",
        share=0.12,
        further_claims=0.35,
        further_orders=4.0,
        ramp=True,
        evidence=1.15,
        generated=0.72,
        edited=0.22,
        contradiction=0.5,
        reasons=_PICTURED,
    ),
    Archetype(
        name="bribed_agent",
        share=0.08,
        further_claims=0.3,
        further_orders=2.0,
        group=(6, 40),
        group_mean=16.0,
        window_days=(60, 200),
        late=0.35,
        pricier=0.85,
        whole=0.85,
        evidence=0.5,
        agent=1.0,
        reasons=_COMMON,
    ),
)
RINGS = ("amateur_ring", "professional_customer", "photo_reuser")
"""Archetypes whose groups get a `ring_id` in the truth."""

ROLE = {archetype.name: code for code, archetype in enumerate(ABUSE)}
"""The code of each archetype, as accounts and orders carry it."""
