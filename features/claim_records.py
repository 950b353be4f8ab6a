"""One request and its parts as columns, from a snapshot: the online way into `features/claim.py`. Nothing known later counts."""

from collections.abc import Iterable, Sequence

import numpy as np

from data_contracts.request import ClaimLine, DeliveryStatus, EvidenceKind, OrderLine, Party
from data_contracts.snapshot import Snapshot
from data_contracts.timeline import NULL
from features.claim_columns import ARRIVED, SIGNALS, Claims, Counted, Ints, Kinds, Lines, Measured, Pieces, Requests, Scans, fact_of
from features.claim_tables import FORMS, OBSERVERS
from features.streams import in_currency, micros, newest

_FORM = {EvidenceKind(form): code for code, form in enumerate(FORMS)}
_RANK = {observer: rank for rank, observer in enumerate(OBSERVERS)}
_SIGNAL = {signal: code for code, signal in enumerate(SIGNALS)}


class _Names(dict[str, int]):
    """Numbers for names, in the order in which they are met."""

    def __missing__(self, name: str) -> int:
        self[name] = len(self)
        return self[name]


def claims_of(seen: Snapshot) -> Claims:
    """The snapshot's request as columns of length one, with its parts."""
    kinds, facts = _Names(), _Names()
    return Claims(
        requests=_request(seen),
        ordered=_lines(seen.order_lines, [line.unit_price_minor for line in seen.order_lines]),
        ordered_kinds=_kinds(seen.order_lines, kinds, facts),
        claimed=_lines(seen.claim_lines, [None] * len(seen.claim_lines)),
        claimed_kinds=_kinds(seen.claim_lines, kinds, facts),
        scans=_scans(seen),
        pieces=_pieces(seen),
        counted=_counted(seen, kinds, facts),
        measured=_measured(seen),
        absent=frozenset(seen.missing),
    )


def _column(values: Iterable[int | None]) -> Ints:
    return np.array([NULL if value is None else value for value in values], dtype=np.int64)


def _rows(count: int) -> Ints:
    return np.zeros(count, dtype=np.int64)


def _said(word: str | None, wanted: Sequence[str]) -> int:
    return -1 if word is None else int(word in wanted)


def _request(seen: Snapshot) -> Requests:
    asked = seen.request
    order = seen.order if seen.order is not None and seen.order.known_at <= seen.as_of else None
    account = seen.account if seen.account is not None and seen.account.known_at <= seen.as_of else None
    named = order is not None or ("orders" in seen.missing and asked.order_id is not None)
    return Requests(
        occurred_us=_column([micros(asked.occurred_at)]),
        amount=_column([in_currency(asked.amount_minor, asked.currency, seen.currency)]),
        text_characters=_column([None if asked.text is None else len(asked.text)]),
        same_items=_column([-1 if asked.same_items is None else int(asked.same_items)]),
        not_received=_column([_said(asked.claim_type, ("not_received",))]),
        arrived=_column([_said(asked.claim_type, ARRIVED)]),
        order_us=_column([None if order is None else micros(order.occurred_at)]),
        order_amount=_column([None if order is None else in_currency(order.amount_minor, order.currency, seen.currency)]),
        order_known=np.array([named]),
        account_us=_column([None if account is None else micros(account.occurred_at)]),
        as_of_us=_column([micros(seen.as_of)]),
    )


def _lines(lines: Sequence[OrderLine | ClaimLine], prices: Sequence[int | None]) -> Lines:
    return Lines(_rows(len(lines)), _column(line.line_no for line in lines), _column(line.quantity for line in lines), _column(prices))


def _fact(kind: str, facts: _Names) -> int:
    """The number of the fact that a kind states, -1 for a plain kind."""
    name = fact_of(kind)
    return -1 if name is None else facts[name]


def _kinds(lines: Sequence[OrderLine | ClaimLine], kinds: _Names, facts: _Names) -> Kinds:
    found = [(line.line_no, kinds[kind], _fact(kind, facts), count) for line in lines for kind, count in (line.counts or {}).items()]
    return Kinds(_rows(len(found)), *(_column(each[place] for each in found) for place in range(4)))


def _scans(seen: Snapshot) -> Scans:
    scans = [scan for scan in seen.deliveries if scan.known_at < seen.as_of]
    status = _column(int(scan.status is not DeliveryStatus.DELIVERED) for scan in scans)
    return Scans(_rows(len(scans)), status, _column(micros(scan.occurred_at) for scan in scans))


def _pieces(seen: Snapshot) -> Pieces:
    pieces = [piece for piece in seen.evidence if piece.known_at <= seen.as_of]
    files = [piece.sha256 for piece in pieces]
    repeated = [files.index(file) < place for place, file in enumerate(files)]
    return Pieces(
        row=_rows(len(pieces)),
        form=_column(_FORM[piece.kind] for piece in pieces),
        buyer=np.array([piece.sent_by is Party.BUYER for piece in pieces], dtype=np.bool_),
        repeated=np.array(repeated, dtype=np.bool_),
        occurred_us=_column(micros(piece.occurred_at) for piece in pieces),
    )


def _counted(seen: Snapshot, kinds: _Names, facts: _Names) -> Counted:
    pieces = _Names()
    said: dict[tuple[int, int, int], dict[int, int]] = {}
    for each in seen.observations:
        if each.known_at <= seen.as_of:
            key = (pieces[each.evidence_id], kinds[each.attribute], _fact(each.attribute, facts))
            said.setdefault(key, {})[_RANK[each.observer]] = each.count
    return Counted(
        row=_rows(len(said)),
        piece=_column(piece for piece, _, _ in said),
        kind=_column(kind for _, kind, _ in said),
        fact=_column(fact for _, _, fact in said),
        count=_column(counts[min(counts)] for counts in said.values()),
        spread=_column(max(counts.values()) - min(counts.values()) if len(counts) > 1 else None for counts in said.values()),
    )


def _measured(seen: Snapshot) -> Measured:
    pieces = _Names()
    found = newest(seen.measurements, seen.as_of)
    return Measured(
        row=_rows(len(found)),
        piece=_column(pieces[each.evidence_id] for each in found),
        signal=_column(_SIGNAL.get(each.signal, -1) for each in found),
        ppm=_column(None if each.value is None else int(each.value * 1e6 + 0.5) for each in found),
    )
