"""The honest world in numbers: how much is lost, how often people complain, how they live. README.md names sources and guesses."""

from dataclasses import dataclass

from data_contracts.request import ClaimType

CURRENCY = "CNY"

ABUSE_PER_ORDER = 0.0034  # abusive claims planned an order: with about 2.2% honest claims, 12% to 13% of claims
ORDERS_PER_ACCOUNT_YEAR = 5.0  # UCI Online Retail: 22k invoices of 4,372 customers in a year
OLD_ACCOUNTS = 0.75  # opened before the period
GUEST_ORDERS = 0.008  # bought without an account

COMPLAINT_BETA = (0.85, 3.5)  # share of orders a person finds fault with: fitted to the ratios of UCI customers with 5+ orders
ORDER_SPREAD = 1.2  # of the logarithm of how often people order
MOST_ORDERS = 60.0  # times the median: a small shop that buys for resale
HEAVY_FROM = 0.988  # quantile of that share from which a person is a heavy returner

LOST = 0.006
DAMAGED = 0.005
STOLEN = 0.0025  # taken from the doorstep after an honest `delivered` scan
LATE = 0.02
CLAIM_IF_LOST = 0.85
CLAIM_IF_DAMAGED = 0.65
CLAIM_IF_STOLEN = 0.8
CLAIM_IF_LATE = 0.10
CLAIM_SELLER_ERROR = 0.0045  # mean over sellers and people
CLAIM_HABIT = 0.10  # of a heavy returner's orders
CLAIM_BAD_BATCH = 0.30
CLAIM_CHANGED_MIND = 0.0006
BAD_BATCH_ORDERS = 0.004  # share of order lines that come from a bad lot
VALUE_EXPONENT = 0.32  # claims rise with the price: orders above $2,000 claim 2.5 times as often as those below $100
GIFT_CLAIM_FACTOR = 1.4  # orders of November and December: more cause to complain, and busier carriers
GIFT_DELAYED = 0.55  # of their claims wait until after Christmas

SCAN_MISSING = 0.03
SCAN_KNOWN_LATE = 0.05
SCAN_END_OF_SHIFT = 0.10
LOST_SCANNED = 0.45
ORDER_OFFLINE = 0.01  # entered into the system hours later
REPEATED = 0.02  # requests sent a second time for the same order


@dataclass(frozen=True, slots=True)
class Segment:
    """How people live and what that makes them share: `size` of one home, `mean` of it, chances that a member uses the shared thing."""

    name: str
    share: float
    size: tuple[int, int]
    mean: float
    address: float = 0.0
    ip: float = 0.0
    card: float = 0.0
    device: float = 0.0


SEGMENTS = (
    Segment("honest", 0.50, (1, 1), 1.0),
    Segment("honest_household", 0.26, (2, 6), 2.8, address=1.0, ip=1.0, card=0.3, device=0.22),
    Segment("honest_dormitory", 0.08, (20, 160), 60.0, address=0.95, ip=0.9),
    Segment("honest_office", 0.06, (5, 60), 18.0, address=0.7, ip=0.75),
    Segment("honest_courier_point", 0.07, (20, 250), 80.0, address=0.9),
    Segment("honest_public_device", 0.03, (8, 60), 20.0, ip=0.8, device=0.6),
)
"""Cafes, libraries and village shops order for others: `honest_public_device`."""

SECOND_DEVICE = 0.4
SECOND_CARD = 0.25
SECOND_ADDRESS = 0.15
RESOLD_DEVICES = 0.025
RECYCLED_PHONES = 0.015
MOBILE_SESSIONS = 0.4  # behind carrier-grade NAT
VPN_SESSIONS = 0.02
ACCOUNTS_PER_NAT_ADDRESS = 120
NAT_ADDRESSES_PER_REGION = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A kind of shop: price in minor units (median, spread of its logarithm), quantities, days a lot lasts, hours to claim, transit days."""

    name: str
    share: float
    price_minor: int
    spread: float
    quantity: tuple[int, int]
    attributes: tuple[str, ...] = ()
    lot_days: int | None = None
    claim_hours: float = 96.0
    transit_days: float = 2.5
    faults: float = 1.0


CATEGORIES = (
    Category(
        name="seafood",
        share=0.18,
        price_minor=3_600,
        spread=0.55,
        quantity=(2, 12),
        attributes=("male", "female"),
        lot_days=3,
        claim_hours=7.0,
        transit_days=0.9,
        faults=1.6,
    ),
    Category(name="apparel", share=0.26, price_minor=16_000, spread=0.8, quantity=(1, 3), attributes=("S", "M", "L", "XL"), lot_days=60, faults=1.3),
    Category(name="electronics", share=0.16, price_minor=55_000, spread=1.15, quantity=(1, 1), faults=0.9),
    Category(name="home", share=0.14, price_minor=15_000, spread=1.0, quantity=(1, 2), lot_days=45),
    Category(name="beauty", share=0.14, price_minor=11_000, spread=0.75, quantity=(1, 3), lot_days=30, faults=0.7),
    Category(name="grocery", share=0.12, price_minor=4_500, spread=0.6, quantity=(1, 6), lot_days=7, claim_hours=30.0, transit_days=1.5, faults=0.9),
)
SEAFOOD = 0
WIDTH = max(len(category.attributes) for category in CATEGORIES)
"""Columns of a counts matrix: the most attributes that a category has."""

CAUSES = ("lost", "stolen", "late", "damaged", "batch", "habit", "error", "mind")
"""Why an honest person claims; a code is a position in this tuple, the first that applies holds."""

_T = ClaimType
CAUSE_REASONS: tuple[dict[ClaimType, float], ...] = (
    {_T.NOT_RECEIVED: 0.97, _T.MISSING: 0.03},
    {_T.NOT_RECEIVED: 0.9, _T.MISSING: 0.1},
    {_T.NOT_RECEIVED: 0.9, _T.CHANGED_MIND: 0.1},
    {_T.DAMAGED: 0.85, _T.MISSING: 0.1, _T.QUALITY: 0.05},
    {_T.QUALITY: 0.45, _T.DAMAGED: 0.25, _T.NOT_AS_DESCRIBED: 0.3},
    {_T.NOT_AS_DESCRIBED: 0.24, _T.CHANGED_MIND: 0.14, _T.QUALITY: 0.16, _T.DAMAGED: 0.16, _T.MISSING: 0.18, _T.WRONG_ITEM: 0.12},
    {_T.MISSING: 0.34, _T.WRONG_ITEM: 0.2, _T.NOT_AS_DESCRIBED: 0.15, _T.QUALITY: 0.14, _T.DAMAGED: 0.14, _T.OTHER: 0.03},
    {_T.CHANGED_MIND: 0.9, _T.OTHER: 0.1},
)
