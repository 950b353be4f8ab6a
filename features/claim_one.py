"""The stated features of one request, number by number: the online twin of `features/claim.py`, which has the formulas for whole tables.

A request has a handful of lines and pieces: plain numbers are ten times faster here than columns of length one. A property test holds the two equal
to the bit. None is null. Nothing known after the snapshot's moment counts.
"""

from collections.abc import Iterable, Mapping

from data_contracts.request import DeliveryStatus, Evidence, EvidenceKind, Party
from data_contracts.snapshot import Snapshot
from features.claim import DAY_US, HOUR_US, PPM
from features.claim_columns import ARRIVED, SIGNALS, fact_of
from features.claim_tables import OBSERVERS
from features.streams import in_currency, micros, newest

Numbers = dict[str, float | None]

_RANK = {observer: rank for rank, observer in enumerate(OBSERVERS)}


def numbers_of(seen: Snapshot) -> Numbers:
    """Every numeric stated feature by name."""
    scans = [scan for scan in seen.deliveries if scan.known_at < seen.as_of]
    first = min((micros(scan.occurred_at) for scan in scans if scan.status is DeliveryStatus.DELIVERED), default=None)
    pieces = [piece for piece in seen.evidence if piece.known_at <= seen.as_of]
    views: tuple[tuple[Numbers, str | None], ...] = (
        (_stated(seen), None),
        (_lines(seen), None),
        (_carrier(seen, [scan.status for scan in scans], first), "deliveries"),
        (_evidence(seen, pieces, first), "evidence"),
        (_measurements(seen), "measurements"),
        (_observations(seen), "observations"),
    )
    found: Numbers = {}
    for view, table in views:
        found |= dict.fromkeys(view) if table in seen.missing else view
    if "deliveries" in seen.missing:
        found["evidence_before_delivery"] = None
    return found


def _order_us(seen: Snapshot) -> int | None:
    return micros(seen.order.occurred_at) if seen.order is not None and seen.order.known_at <= seen.as_of else None


def _stated(seen: Snapshot) -> Numbers:
    """What is claimed, and against the order's money and the clock."""
    asked, occurred_us, order_us = seen.request, micros(seen.request.occurred_at), _order_us(seen)
    amount = in_currency(asked.amount_minor, asked.currency, seen.currency)
    cost = None if seen.order is None or order_us is None else in_currency(seen.order.amount_minor, seen.order.currency, seen.currency)
    account_us = micros(seen.account.occurred_at) if seen.account is not None and seen.account.known_at <= seen.as_of else None
    both = amount is not None and cost is not None
    return {
        "claimed_amount": None if amount is None else float(amount),
        "order_amount": None if cost is None else float(cost),
        "text_characters": None if asked.text is None else float(len(asked.text)),
        "claim_hour": (occurred_us % DAY_US) / HOUR_US,
        "account_age_days": None if account_us is None else (micros(seen.as_of) - account_us) / DAY_US,
        "order_to_claim_days": None if order_us is None else (occurred_us - order_us) / DAY_US,
        "claimed_amount_share": amount / cost if both and cost > 0 else None,  # type: ignore[operator]  # both are known
        "claimed_amount_excess": float(amount - cost) if both else None,  # type: ignore[operator]  # as above
    }


def _lines(seen: Snapshot) -> Numbers:
    """The claimed lines and kinds beside the ordered ones."""
    ordered = float(sum(line.quantity for line in seen.order_lines)) if seen.order_lines else None
    claimed = float(sum(line.quantity for line in seen.claim_lines)) if seen.claim_lines else None
    there: dict[int, int] = {}
    price: dict[int, int | None] = {}
    for line in seen.order_lines:
        there[line.line_no] = there.get(line.line_no, 0) + line.quantity
        before = price.get(line.line_no, 0)
        price[line.line_no] = None if before is None or line.unit_price_minor is None else before + line.unit_price_minor
    both = ordered is not None and claimed is not None
    excess = [float(line.quantity - there[line.line_no]) for line in seen.claim_lines if line.line_no in there]
    worth = [(line.quantity, each) for line in seen.claim_lines if (each := price.get(line.line_no)) is not None]
    value = sum(quantity * each for quantity, each in worth) if len(worth) == len(seen.claim_lines) else None
    amount = in_currency(seen.request.amount_minor, seen.request.currency, seen.currency)
    return {
        "claimed_quantity": claimed,
        "claimed_lines": float(len(seen.claim_lines)) or None,
        "order_quantity": ordered,
        "claimed_quantity_share": claimed / ordered if both and ordered > 0 else None,  # type: ignore[operator]  # both are known
        "claimed_quantity_excess": max(excess, default=None) if both else None,
        "claimed_unknown_lines": float(sum(line.line_no not in there for line in seen.claim_lines)) if both else None,
        "claimed_over_line_value": amount / value if amount is not None and value is not None and value > 0 else None,
        "claimed_attribute_excess": _kinds(seen),
    }


def _kinds(seen: Snapshot) -> float | None:
    """The largest excess of a claimed kind on lines whose kinds of that sort the order names."""
    ordered: dict[tuple[int, str], int] = {}
    named = set()
    for line in seen.order_lines:
        for kind, count in (line.counts or {}).items():
            ordered[line.line_no, kind] = ordered.get((line.line_no, kind), 0) + count
            named.add((line.line_no, fact_of(kind)))
    claimed = ((line.line_no, kind, count) for line in seen.claim_lines for kind, count in (line.counts or {}).items())
    return _largest(float(count - ordered.get((line, kind), 0)) for line, kind, count in claimed if (line, fact_of(kind)) in named)


def _carrier(seen: Snapshot, scans: list[DeliveryStatus], first: int | None) -> Numbers:
    """The claim beside the carrier's scans; `first` is when the first delivery was."""
    asked, occurred_us, order_us = seen.request, micros(seen.request.occurred_at), _order_us(seen)
    order_known = order_us is not None or ("orders" in seen.missing and asked.order_id is not None)
    told = order_known and asked.claim_type is not None
    nothing, arrived = float(asked.claim_type == "not_received"), float(asked.claim_type in ARRIVED)
    there = first is not None
    return {
        "claim_delay_hours": None if first is None else (occurred_us - first) / HOUR_US,
        "delivery_days": None if first is None or order_us is None else (first - order_us) / DAY_US,
        "claim_before_delivery": None if first is None else float(occurred_us < first),
        "claim_without_delivery": (0.0 if there else arrived) if told else None,
        "not_received_but_delivered": nothing * (first is not None and first <= occurred_us) if told else None,
        "not_received_and_lost": nothing * any(status is not DeliveryStatus.DELIVERED for status in scans) if told else None,
        "delivery_scans": float(len(scans)) if order_known else None,
    }


def _evidence(seen: Snapshot, pieces: list[Evidence], first: int | None) -> Numbers:
    """What was sent along, and when."""
    sent = [micros(piece.occurred_at) for piece in pieces if piece.sent_by is Party.BUYER]
    said = seen.request.claim_type
    forms = [piece.kind for piece in pieces]
    return {
        "evidence_photos": float(forms.count(EvidenceKind.PHOTO)),
        "evidence_videos": float(forms.count(EvidenceKind.VIDEO)),
        "evidence_documents": float(forms.count(EvidenceKind.DOCUMENT)),
        "evidence_pieces": float(len(sent)),
        "evidence_missing": None if said is None else float(said in ARRIVED and not sent),
        "evidence_repeated": float(len(pieces) - len({piece.sha256 for piece in pieces})),
        "evidence_hours_after_claim": (min(sent) - micros(seen.request.occurred_at)) / HOUR_US if sent else None,
        "evidence_before_delivery": None if first is None else float(sum(moment < first for moment in sent)),
    }


def _measurements(seen: Snapshot) -> Numbers:
    """What the signals found in the pieces of evidence."""
    if not seen.measurements:
        return _NOTHING_MEASURED
    ours = [each for each in newest(seen.measurements, seen.as_of) if each.signal in SIGNALS]
    found: Numbers = {
        "evidence_measured": float(len({each.evidence_id for each in ours if each.value is not None})),
        "evidence_not_measurable": float(len({each.evidence_id for each in ours if each.value is None})),
    }
    for signal in SIGNALS:
        ppm = [int(each.value * 1e6 + 0.5) for each in ours if each.signal == signal and each.value is not None]
        found[f"{signal}_max"] = max(ppm) / PPM if ppm else None
        found[f"{signal}_min"] = min(ppm) / PPM if ppm else None
        found[f"{signal}_mean"] = sum(ppm) / (len(ppm) * PPM) if ppm else None
    return found


_NOTHING_MEASURED: Numbers = {
    "evidence_measured": 0.0,
    "evidence_not_measurable": 0.0,
    **{f"{signal}_{measure}": None for signal in SIGNALS for measure in ("max", "min", "mean")},
}


def _observations(seen: Snapshot) -> Numbers:
    """What was counted in the evidence beside the claim, the order and itself: the crab arithmetic of `features/claim.py`."""
    if not seen.observations:
        return _NOTHING_COUNTED
    said: dict[tuple[str, str], dict[int, int]] = {}
    for each in seen.observations:
        if each.known_at <= seen.as_of:
            said.setdefault((each.evidence_id, each.attribute), {})[_RANK[each.observer]] = each.count
    counted = {key: counts[min(counts)] for key, counts in said.items()}
    in_piece: dict[tuple[str, str | None], int] = {}
    of_kind: dict[str, list[int]] = {}
    for (piece, kind), count in counted.items():
        in_piece[piece, fact_of(kind)] = in_piece.get((piece, fact_of(kind)), 0) + count
        of_kind.setdefault(kind, []).append(count)
    most = {kind: max(counts) for kind, counts in of_kind.items()}
    needed: dict[str | None, int] = {}
    for kind, count in most.items():
        needed[fact_of(kind)] = needed.get(fact_of(kind), 0) + count
    claimed = sum(line.quantity for line in seen.claim_lines) if seen.claim_lines else None
    pieces = len({piece for piece, _ in counted})
    comparable = seen.request.same_items is True and pieces >= 2  # noqa: PLR2004  # one piece cannot contradict another
    return {
        "evidence_counted": float(pieces),
        "observed_over_claimed": float(max(needed.values()) - claimed) if comparable and claimed is not None else None,
        "claimed_over_observed": float(claimed - max(in_piece.values())) if in_piece and claimed is not None else None,
        "observed_over_ordered": _over_ordered(seen, most),
        "claimed_kinds_not_observed": _not_observed(seen, most),
        "observed_disagreement": float(sum(max(counts) - min(counts) for counts in of_kind.values())) if comparable else None,
        "observed_facts_disagreement": _facts_apart(counted) if comparable else None,
        "observers_disagreement": _largest(float(max(counts.values()) - min(counts.values())) for counts in said.values() if len(counts) > 1),
    }


_NOTHING_COUNTED: Numbers = {
    "evidence_counted": 0.0,
    "observed_over_claimed": None,
    "claimed_over_observed": None,
    "observed_over_ordered": None,
    "claimed_kinds_not_observed": None,
    "observed_disagreement": None,
    "observed_facts_disagreement": None,
    "observers_disagreement": None,
}


def _over_ordered(seen: Snapshot, most: Mapping[str, int]) -> float | None:
    """The largest excess of one kind observed over ordered, where the order names kinds of that sort (plain ones, or that fact)."""
    ordered: dict[str, int] = {}
    for line in seen.order_lines:
        for kind, count in (line.counts or {}).items():
            ordered[kind] = ordered.get(kind, 0) + count
    named = set(map(fact_of, ordered))
    return _largest(float(count - ordered.get(kind, 0)) for kind, count in most.items() if fact_of(kind) in named)


def _not_observed(seen: Snapshot, most: Mapping[str, int]) -> float | None:
    """The largest excess of one kind claimed over observed, where kinds of that sort were counted."""
    claimed: dict[str, int] = {}
    for line in seen.claim_lines:
        for kind, count in (line.counts or {}).items():
            claimed[kind] = claimed.get(kind, 0) + count
    counted = set(map(fact_of, most))
    return _largest(float(count - most.get(kind, 0)) for kind, count in claimed.items() if fact_of(kind) in counted)


def _facts_apart(counted: Mapping[tuple[str, str], int]) -> float:
    """How many facts have more values in all pieces together than in any of them: another serial number, another colour."""
    together: dict[str, set[str]] = {}
    apart: dict[tuple[str, str], int] = {}
    for (piece, kind), count in counted.items():
        fact = fact_of(kind)
        if fact is not None and count > 0:
            together.setdefault(fact, set()).add(kind)
            apart[fact, piece] = apart.get((fact, piece), 0) + 1
    return float(sum(len(values) > max(count for (name, _), count in apart.items() if name == fact) for fact, values in together.items()))


def _largest(values: Iterable[float]) -> float | None:
    return max(values, default=None)
