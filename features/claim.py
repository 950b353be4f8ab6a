"""The stated features: formulas over requests and their parts, for whole tables. `claim_one.py` has them for one request; both agree to the bit.

Every number is a whole number or a quotient of two, so the order of parts cannot matter; NaN is null.

Several observers may count one kind in one piece of evidence. The most neutral one counts (agent, vision, claim form, seller), so that neither
party to the dispute can make a contradiction by counting high, nor hide one by counting low; how far they differ is a feature of its own.
"""

from collections.abc import Callable, Mapping

import numpy as np

from data_contracts.timeline import NULL
from features.claim_columns import SIGNALS, Claims, Flags, Ints
from features.formulas import Floats

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
PPM = 1_000_000


def numbers(claims: Claims) -> dict[str, Floats]:
    """Every numeric stated feature by name; NaN is null."""
    found: dict[str, Floats] = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for view in VIEWS:
            found.update(view(claims))
    return found


def known(values: Ints) -> Floats:
    """Whole numbers as floats, NULL as NaN."""
    return np.where(values == NULL, np.nan, values)


def counts(row: Ints, size: int) -> Floats:
    """How many parts each request has."""
    found: Floats = np.bincount(row, minlength=size).astype(np.float64)
    return found


def total(row: Ints, values: Ints | Flags, size: int) -> Floats:
    """Sums by request; exact, since whole."""
    return np.asarray(np.bincount(row, weights=values, minlength=size), np.float64)


def largest(row: Ints, values: Floats | Ints, size: int) -> Floats:
    """Maxima by request; NaN where there is nothing (NaN values do not count)."""
    found = np.full(size, np.nan)
    np.fmax.at(found, row, values)
    return found


def smallest(row: Ints, values: Floats | Ints, size: int) -> Floats:
    """Minima by request; NaN where there is nothing."""
    found = np.full(size, np.nan)
    np.fmin.at(found, row, values)
    return found


def positive(values: Floats) -> Floats:
    """The values above 0, else NaN: what one may divide by."""
    return np.where(values > 0, values, np.nan)


def some(values: Floats, row: Ints) -> Floats:
    """The values where a request has at least one part, else NaN."""
    return np.where(counts(row, values.size) > 0, values, np.nan)


def if_connected(values: Floats, claims: Claims, *tables: str) -> Floats:
    """The values, or NaN everywhere when one of the tables is not connected."""
    return np.full_like(values, np.nan) if claims.absent.intersection(tables) else values


def distinct(*keys: Ints) -> tuple[Ints, tuple[Ints, ...]]:
    """The group of each entry by its keys, and the keys of each group."""
    if not keys[0].size:
        return np.empty(0, np.int64), keys
    order = np.lexsort(keys[::-1])
    ranked = [key[order] for key in keys]
    fresh = np.ones(order.size, np.bool_)
    fresh[1:] = np.logical_or.reduce([key[1:] != key[:-1] for key in ranked])
    group = np.empty(order.size, np.int64)
    group[order] = np.cumsum(fresh) - 1
    return group, tuple(key[fresh] for key in ranked)


def lookup(keys: tuple[Ints, ...], values: Ints, wanted: tuple[Ints, ...]) -> Floats:
    """The sum of the values that stand under each wanted key; NaN where none does."""
    size = wanted[0].size
    both = tuple(np.concatenate([mine, theirs]) for mine, theirs in zip(wanted, keys, strict=True))
    group, _ = distinct(*both)
    groups = int(group.max(initial=-1)) + 1
    sums = np.bincount(group[size:], weights=values, minlength=groups)
    there = np.bincount(group[size:], minlength=groups) > 0
    return np.where(there[group[:size]], sums[group[:size]], np.nan)


def stated(claims: Claims) -> Mapping[str, Floats]:
    """What is claimed, and against the order's money and the clock."""
    asked = claims.requests
    amount, cost = known(asked.amount), known(asked.order_amount)
    since_order = np.where(asked.order_us == NULL, np.nan, (asked.occurred_us - asked.order_us) / DAY_US)
    age = np.where(asked.account_us == NULL, np.nan, (asked.as_of_us - asked.account_us) / DAY_US)
    return {
        "claimed_amount": amount,
        "order_amount": cost,
        "text_characters": known(asked.text_characters),
        "claim_hour": (asked.occurred_us % DAY_US) / HOUR_US,
        "account_age_days": age,
        "order_to_claim_days": since_order,
        "claimed_amount_share": amount / positive(cost),
        "claimed_amount_excess": amount - cost,
    }


def lines(claims: Claims) -> Mapping[str, Floats]:
    """The claimed lines beside the ordered ones."""
    size, ordered, claimed = len(claims), claims.ordered, claims.claimed
    pieces_ordered = some(total(ordered.row, ordered.quantity, size), ordered.row)
    pieces_claimed = some(total(claimed.row, claimed.quantity, size), claimed.row)
    there = lookup((ordered.row, ordered.line), ordered.quantity, (claimed.row, claimed.line))
    price = lookup((ordered.row, ordered.line), ordered.price, (claimed.row, claimed.line))
    worth = claimed.quantity * np.where(price < 0, np.nan, price)
    value = np.asarray(np.bincount(claimed.row, weights=worth, minlength=size), np.float64)
    both = np.isfinite(pieces_ordered) & np.isfinite(pieces_claimed)
    return {
        "claimed_quantity": pieces_claimed,
        "claimed_lines": positive(counts(claimed.row, size)),
        "order_quantity": pieces_ordered,
        "claimed_quantity_share": pieces_claimed / positive(pieces_ordered),
        "claimed_quantity_excess": np.where(both, largest(claimed.row, claimed.quantity - there, size), np.nan),
        "claimed_unknown_lines": np.where(both, total(claimed.row, np.isnan(there), size), np.nan),
        "claimed_over_line_value": known(claims.requests.amount) / positive(value),
    }


def kinds(claims: Claims) -> Mapping[str, Floats]:
    """Claimed kinds (sex, size, colour=red) beside the ordered ones, on lines whose kinds of that sort the order names."""
    size, ordered, claimed = len(claims), claims.ordered_kinds, claims.claimed_kinds
    there = lookup((ordered.row, ordered.line, ordered.kind), ordered.count, (claimed.row, claimed.line, claimed.kind))
    named = lookup((ordered.row, ordered.line, ordered.fact), ordered.count, (claimed.row, claimed.line, claimed.fact))
    excess = np.where(np.isnan(named), np.nan, claimed.count - np.nan_to_num(there))
    return {"claimed_attribute_excess": largest(claimed.row, excess, size)}


def carrier(claims: Claims) -> Mapping[str, Floats]:
    """The claim beside the carrier's scans."""
    size, asked, scans = len(claims), claims.requests, claims.scans
    delivered = scans.status == 0
    first = smallest(scans.row[delivered], scans.occurred_us[delivered], size)
    before = total(scans.row, delivered & (scans.occurred_us <= asked.occurred_us[scans.row]), size) > 0
    lost = total(scans.row, ~delivered, size) > 0
    delay_us = asked.occurred_us - first
    nothing, arrived = (np.where(asked.order_known & (said >= 0), said, np.nan) for said in (asked.not_received, asked.arrived))
    found = {
        "claim_delay_hours": delay_us / HOUR_US,
        "delivery_days": np.where(asked.order_us == NULL, np.nan, (first - asked.order_us) / DAY_US),
        "claim_before_delivery": np.where(np.isnan(first), np.nan, delay_us < 0),
        "claim_without_delivery": np.where(np.isnan(first), arrived, np.where(np.isnan(arrived), np.nan, 0.0)),
        "not_received_but_delivered": nothing * before,
        "not_received_and_lost": nothing * lost,
        "delivery_scans": np.where(asked.order_known, counts(scans.row, size), np.nan),
    }
    return {name: if_connected(values, claims, "deliveries") for name, values in found.items()}


def evidence(claims: Claims) -> Mapping[str, Floats]:
    """What was sent along, and when."""
    size, asked, pieces, scans = len(claims), claims.requests, claims.pieces, claims.scans
    by_buyer = total(pieces.row, pieces.buyer, size)
    shown_us = smallest(pieces.row[pieces.buyer], pieces.occurred_us[pieces.buyer], size)
    delivered = scans.status == 0
    first = smallest(scans.row[delivered], scans.occurred_us[delivered], size)
    early = total(pieces.row, pieces.buyer & (pieces.occurred_us < first[pieces.row]), size)
    found = {
        "evidence_photos": total(pieces.row, pieces.form == 0, size),
        "evidence_videos": total(pieces.row, pieces.form == 1, size),
        "evidence_documents": total(pieces.row, pieces.form == 2, size),  # noqa: PLR2004  # the code of a document
        "evidence_pieces": by_buyer,
        "evidence_missing": np.where(asked.arrived < 0, np.nan, (asked.arrived == 1) & (by_buyer == 0)),
        "evidence_repeated": total(pieces.row, pieces.repeated, size),
        "evidence_hours_after_claim": (shown_us - asked.occurred_us) / HOUR_US,
        "evidence_before_delivery": if_connected(np.where(np.isnan(first), np.nan, early), claims, "deliveries"),
    }
    return {name: if_connected(values, claims, "evidence") for name, values in found.items()}


def measurements(claims: Claims) -> Mapping[str, Floats]:
    """What the signals found in the pieces of evidence. Signals that no feature is made of are often silent for good reason: they do not count."""
    size, seen = len(claims), claims.measured
    there, ours = seen.ppm != NULL, seen.signal >= 0
    pieces = distinct(seen.row[there & ours], seen.piece[there & ours])[1][0]
    failed = distinct(seen.row[~there & ours], seen.piece[~there & ours])[1][0]
    found = {
        "evidence_measured": counts(pieces, size),
        "evidence_not_measurable": counts(failed, size),
    }
    for code, signal in enumerate(SIGNALS):
        mine = there & (seen.signal == code)
        row, ppm = seen.row[mine], seen.ppm[mine]
        found[f"{signal}_max"] = largest(row, ppm, size) / PPM
        found[f"{signal}_min"] = smallest(row, ppm, size) / PPM
        found[f"{signal}_mean"] = total(row, ppm, size) / (positive(counts(row, size)) * PPM)
    return {name: if_connected(values, claims, "measurements") for name, values in found.items()}


def observations(claims: Claims) -> Mapping[str, Floats]:
    """What was counted in the evidence beside the claim, the order and itself: the crab arithmetic.

    A kind that nobody counted in a piece of evidence is not known there, not zero. Pieces are added up over plain kinds, or over the values of one
    fact, and what needs most pieces counts.
    """
    size, seen, claimed = len(claims), claims.counted, claims.claimed
    pieces = counts(distinct(seen.row, seen.piece)[1][0], size)
    sort, (in_piece, _, _) = distinct(seen.row, seen.piece, seen.fact)
    per_piece = largest(in_piece, np.bincount(sort, weights=seen.count, minlength=in_piece.size), size)
    kind, (row, name, fact) = distinct(seen.row, seen.kind, seen.fact)
    most = largest(kind, seen.count, row.size)
    group, (of_group, _) = distinct(row, fact)
    needed = largest(of_group, np.bincount(group, weights=most, minlength=of_group.size), size)
    claimed_pieces = some(total(claimed.row, claimed.quantity, size), claimed.row)
    comparable = (claims.requests.same_items == 1) & (pieces >= 2)  # noqa: PLR2004  # one piece cannot contradict another
    found = {
        "evidence_counted": pieces,
        "observed_over_claimed": np.where(comparable, needed - claimed_pieces, np.nan),
        "claimed_over_observed": claimed_pieces - per_piece,
        "observed_over_ordered": _over_ordered(claims, (row, name, fact), most),
        "claimed_kinds_not_observed": _not_observed(claims, (row, name, fact), most),
        "observed_disagreement": np.where(comparable, np.bincount(row, weights=most - smallest(kind, seen.count, row.size), minlength=size), np.nan),
        "observed_facts_disagreement": np.where(comparable, _facts_apart(claims), np.nan),
        "observers_disagreement": largest(seen.row, known(seen.spread), size),
    }
    return {name: if_connected(values, claims, "observations") for name, values in found.items()}


Shown = tuple[Ints, Ints, Ints]
"""Request, kind and fact of what was counted, each once."""


def _over_ordered(claims: Claims, shown: Shown, most: Floats) -> Floats:
    """Per request the largest excess of one kind observed over ordered, where the order names kinds of that sort (plain ones, or that fact)."""
    ordered, (row, name, fact) = claims.ordered_kinds, shown
    there = np.nan_to_num(lookup((ordered.row, ordered.kind), ordered.count, (row, name)))
    named = lookup((ordered.row, ordered.fact), ordered.count, (row, fact))
    return largest(row, np.where(np.isnan(named), np.nan, most - there), len(claims))


def _not_observed(claims: Claims, shown: Shown, most: Floats) -> Floats:
    """Per request the largest excess of one kind claimed over observed, where kinds of that sort were counted."""
    claimed, (row, name, fact) = claims.claimed_kinds, shown
    group, (rows, kinds_claimed, facts_claimed) = distinct(claimed.row, claimed.kind, claimed.fact)
    wanted = np.bincount(group, weights=claimed.count, minlength=rows.size)
    seen = lookup((row, name), most.astype(np.int64), (rows, kinds_claimed))
    counted = lookup((row, fact), np.ones_like(row), (rows, facts_claimed))
    return largest(rows, np.where(np.isnan(counted), np.nan, wanted - np.nan_to_num(seen)), len(claims))


def _facts_apart(claims: Claims) -> Floats:
    """Per request how many facts have more values in all pieces together than in any of them: another serial number, another colour."""
    size, seen = len(claims), claims.counted
    told = (seen.fact >= 0) & (seen.count > 0)
    row, piece, kind, fact = (column[told] for column in (seen.row, seen.piece, seen.kind, seen.fact))
    _, (of_row, of_fact, _) = distinct(row, fact, kind)
    group, (group_row, group_fact) = distinct(of_row, of_fact)
    values = np.bincount(group, minlength=group_row.size)
    place, (place_row, place_fact, _) = distinct(row, fact, piece)
    inside = np.bincount(place, minlength=place_row.size)
    both = distinct(np.concatenate([group_row, place_row]), np.concatenate([group_fact, place_fact]))[0]
    most_inside = largest(both[group_row.size :], inside, group_row.size)
    return total(group_row, values > most_inside[both[: group_row.size]], size)


VIEWS: tuple[Callable[[Claims], Mapping[str, Floats]], ...] = (stated, lines, kinds, carrier, evidence, measurements, observations)
"""Every formula; each gives some of the stated features by name."""
