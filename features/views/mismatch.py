"""Does the claim fit the order, the carrier and itself? Read off the request; the formulas stand in `features/claim.py` under the same names."""

from data_contracts.score import Family
from features.declare import Feature, Sign, Source, Stated


def _row(name: str, source: Source, unit: str, meaning: str, missing: str, reason: str, sign: Sign = 0, family: Family = "mismatch") -> Stated:  # noqa: PLR0913  # a row of the table
    return Stated(name=name, source=source, unit=unit, meaning=meaning, missing=missing, reason=reason, sign=sign, family=family)


_NO_ORDER = "the order is not known"
_NO_LINES = "the order's or the claim's lines are not known"
_NO_SCANS = "deliveries are not connected or the order is not known"

MISMATCH: tuple[Feature, ...] = (
    # What is claimed
    _row(
        "claimed_amount", "request", "minor units",
        "The amount claimed", "the amount is not known or in another currency", "AMOUNT", family="context",
    ),
    _row("claimed_quantity", "claim_lines", "pieces", "Pieces claimed", "no line is claimed", "CLAIM_DETAIL", family="context"),
    _row("claimed_lines", "claim_lines", "lines", "Order lines claimed", "no line is claimed", "CLAIM_DETAIL", family="context"),
    _row(
        "text_characters", "request", "characters",
        "Length of what the buyer wrote", "the request carries no text", "CLAIM_DETAIL", family="context",
    ),
    _row(
        "claim_hour", "request", "hours",
        "Hour of the day (UTC) at which the request was sent, 0 up to 24", "never null", "BUYER_TIMING", family="behaviour",
    ),
    _row("order_amount", "order", "minor units", "What the whole order cost", _NO_ORDER, "AMOUNT", family="context"),
    _row("order_quantity", "order_lines", "pieces", "Pieces ordered", "the order's lines are not known", "CLAIM_DETAIL", family="context"),
    # Against the order
    _row(
        "claimed_amount_share", "order", "ratio",
        "The amount claimed for each unit of what the order cost", "an amount is not known, or the order cost nothing", "CLAIM_DETAIL",
    ),
    _row(
        "claimed_amount_excess", "order", "minor units",
        "The amount claimed less what the order cost", "an amount is not known", "CLAIM_AMOUNT_EXCEEDS_ORDER", 1,
    ),
    _row(
        "claimed_over_line_value", "order_lines", "ratio",
        "The amount claimed for each unit of what the claimed pieces cost",
        "a claimed line's price or the amount is not known", "CLAIM_DETAIL",
    ),
    _row("claimed_quantity_share", "order_lines", "ratio", "Pieces claimed for each piece ordered", _NO_LINES, "CLAIM_DETAIL"),
    _row(
        "claimed_quantity_excess", "order_lines", "pieces",
        "Pieces claimed less pieces ordered, on the claimed line with the most", _NO_LINES, "CLAIM_EXCEEDS_ORDER", 1,
    ),
    _row(
        "claimed_attribute_excess", "order_lines", "pieces",
        "Pieces of one kind (sex, size) claimed less ordered, on the line and kind with the most",
        "the order's or the claim's kinds are not known", "CLAIM_EXCEEDS_ORDER", 1,
    ),
    _row("claimed_unknown_lines", "order_lines", "lines", "Claimed lines that the order does not have", _NO_LINES, "CLAIM_EXCEEDS_ORDER", 1),
    # Against the carrier and the clock
    _row(
        "claim_delay_hours", "deliveries", "hours",
        "Hours from delivery to claim; below 0 the claim came first", "no scan says delivered", "CLAIM_TIMING",
    ),
    _row("order_to_claim_days", "order", "days", "Days from order to claim", _NO_ORDER, "CLAIM_TIMING"),
    _row("delivery_days", "deliveries", "days", "Days from order to delivery", "no scan says delivered", "CLAIM_TIMING", family="context"),
    _row(
        "claim_before_delivery", "deliveries", "0 or 1",
        "The claim was sent before the moment of the delivery that it is about", "no scan says delivered", "CLAIM_BEFORE_DELIVERY",
    ),
    _row(
        "claim_without_delivery", "deliveries", "0 or 1",
        "The claim says what arrived, and no scan says that anything did",
        "deliveries, the order or the claim type is not known", "CLAIM_BEFORE_DELIVERY",
    ),
    _row(
        "not_received_but_delivered", "deliveries", "0 or 1",
        "The claim says nothing came, and a scan before it says delivered",
        "deliveries, the order or the claim type is not known", "CLAIM_AGAINST_CARRIER_SCAN",
    ),
    _row(
        "not_received_and_lost", "deliveries", "0 or 1",
        "The claim says nothing came, and the carrier says lost or returned",
        "deliveries, the order or the claim type is not known", "CLAIM_DETAIL", -1,
    ),
    _row("delivery_scans", "deliveries", "scans", "Carrier scans of the order", _NO_SCANS, "CLAIM_DETAIL", family="context"),
    # Against the evidence
    _row(
        "observed_over_claimed", "observations", "pieces",
        "Pieces that all evidence together needs (per kind the largest count in any piece) less the pieces claimed; above 0 it cannot all be true",
        "the buyer did not say that all evidence shows the same items, fewer than 2 pieces of evidence were counted, or no line is claimed",
        "EVIDENCE_CONTRADICTS_CLAIM", 1,
    ),
    _row(
        "observed_over_ordered", "observations", "pieces",
        "Pieces of one kind counted in one piece of evidence less ordered, on the kind with the most",
        "nothing was counted, or the order's kinds are not known", "EVIDENCE_CONTRADICTS_CLAIM", 1,
    ),
    _row(
        "claimed_over_observed", "observations", "pieces",
        "Pieces claimed less the most counted in one piece of evidence; above 0 not all were shown",
        "nothing was counted, or no line is claimed", "CLAIM_DETAIL",
    ),
    _row(
        "claimed_kinds_not_observed", "observations", "pieces",
        "Pieces of one kind claimed less the most counted of it, on the kind with the most",
        "nothing was counted, or the claim's kinds are not known", "CLAIM_DETAIL",
    ),
    _row(
        "observed_disagreement", "observations", "pieces",
        "Spread of the counts between pieces of evidence of the same items, summed over kinds; 0 when they agree",
        "the buyer did not say that all evidence shows the same items, or fewer than 2 pieces of evidence were counted",
        "EVIDENCE_CONTRADICTS_EVIDENCE", 1,
    ),
    _row(
        "observed_facts_disagreement", "observations", "facts",
        "Facts (serial number, colour, brand) of which pieces of evidence of the same items show different values; 0 when they agree",
        "the buyer did not say that all evidence shows the same items, or fewer than 2 pieces of evidence were counted",
        "EVIDENCE_CONTRADICTS_EVIDENCE", 1,
    ),
    _row(
        "observers_disagreement", "observations", "pieces",
        "Largest spread between observers who counted the same kind in the same piece of evidence",
        "no kind was counted by 2 observers", "EVIDENCE_CONTRADICTS_EVIDENCE", family="context",
    ),
    Stated(
        name="claim_type", source="request", kind="category", family="context", unit="category", meaning="What the buyer says happened",
        missing="the buyer did not say", reason="CLAIM_TYPE",
    ),
    Stated(
        name="category", source="category", kind="category", family="context", unit="category",
        meaning="The category of the article, or of the seller", missing="neither has one", reason="PEER_GROUP",
    ),
)  # fmt: skip
"""The request beside its order, its delivery and its own evidence."""
