"""The edge puts records together without checking them again: they must be what their contracts would have made of the same fields."""

import dataclasses
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from data_contracts.link import Link
from data_contracts.unchecked import unchecked
from risk.api.decisions import REQUEST
from risk.api.edge import NOT_PAYLOAD
from risk.api.events import ORDER
from risk.api.events_body import OrderEventBody
from risk.identity import Identifiers
from tests.risk.builders import EDGE, NOON

WHOLE: dict[str, Any] = {
    "request_id": "r" * 128,
    "revision": 2,
    "occurred_at": "2026-06-01T20:00:00.123456+08:00",
    "account_id": " buyer-1 ",
    "account_opened_at": "2026-06-01T12:04:00Z",
    "claim_type": "dead_on_arrival",
    "amount_minor": 14_600,
    "currency": "CNY",
    "text": "Six of them\x00 were dead.",
    "same_items": True,
    "category": " food ",
    "order": {
        "order_id": "o-1",
        "occurred_at": "2026-06-01T12:03:00Z",
        "seller_id": "lake-shop",
        "amount_minor": 0,
        "currency": "CNY",
        "lines": [{"line_no": 0, "sku_id": "crab", "lot": "l", "quantity": 8, "counts": {" male ": 4, "female": 4}}, {"line_no": 1}],
        "deliveries": [
            {"status": "lost", "occurred_at": "2026-06-01T12:04:59Z"},
            {"status": "delivered", "occurred_at": "2026-05-31T00:00:00-11:00"},
        ],
    },
    "claim_lines": [{"line_no": 0, "sku_id": "crab", "quantity": 6, "counts": {"male": 1_000_000}}],
    "evidence": [
        {
            "sha256": "a" * 64,
            "kind": "video",
            "occurred_at": "2026-06-01T12:01:00Z",
            "observations": [{"observer": "agent", "attribute": " male ", "count": 0}],
            "measurements": [{"signal": "reuse", "value": 1}, {"signal": "edited", "version": 3, "unavailable": "broken"}],
        },
        {"sha256": "b" * 64, "kind": "photo", "sent_by": "seller", "evidence_id": "e" * 128},
    ],
    "links": [
        {"entity_type": "device", "entity_id": " PHONE-123456 "},
        {"entity_type": "card", "hashed_id": "h" * 128},
        {"entity_type": "phone", "entity_id": "0000"},
    ],
    "attributes": {"vip": 1.5, "note": "x", "none": None},
}


def as_contract(record: Any) -> object:  # noqa: ANN401  # any record
    """The same record, checked."""
    return type(record)(**{each.name: getattr(record, each.name) for each in dataclasses.fields(record)})


def test_every_record_of_a_question_is_what_its_contract_makes_of_it() -> None:
    asked = EDGE.question(REQUEST.validate_json(json.dumps(WHOLE)), NOON)
    records = [asked.request, asked.order, asked.account, *asked.order_lines, *asked.deliveries, *asked.claim_lines, *asked.evidence]
    records += [*asked.observations, *asked.measurements, *asked.links]
    assert {type(record).__name__ for record in records} == {
        "RefundRequest", "Order", "Account", "OrderLine", "Delivery", "ClaimLine", "Evidence", "Observation", "Measurement", "Link",
    }  # fmt: skip
    for record in records:
        checked = as_contract(record)
        assert (checked, hash(type(checked)), repr(checked)) == (record, hash(type(record)), repr(record))


def test_every_record_of_an_order_is_what_its_contract_makes_of_it() -> None:
    said = WHOLE["order"] | {"account_id": "buyer-1", "links": WHOLE["links"]}
    told = EDGE.order_event(ORDER.validate_json(json.dumps(said)), NOON)
    assert (len(told.lines), len(told.scans), len(told.links)) == (2, 2, 2)
    for record in (told.order, *told.lines, *told.scans, *told.links):
        assert repr(as_contract(record)) == repr(record)


def test_identifiers_read_before_are_not_read_again() -> None:
    body = REQUEST.validate_json(json.dumps(WHOLE))
    told = EDGE.read(body.links, "buyer-1")
    nobody = dataclasses.replace(EDGE, identifiers=Identifiers(lambda _kind, _raw: pytest.fail("read twice")))
    assert nobody.question(body, NOON, told) == EDGE.question(body, NOON)
    order = OrderEventBody(order_id="o", occurred_at=NOON, links=body.links)
    assert nobody.order_event(order, NOON, told) == EDGE.order_event(order, NOON)


def test_the_identity_of_a_payload_does_not_change_from_one_version_to_the_next() -> None:
    """A request that was decided before an upgrade is the same request after it."""
    moment = datetime(2026, 6, 1, 12, tzinfo=UTC)
    small = {"request_id": "small", "occurred_at": "2026-06-01T11:00:00Z"}
    assert [EDGE.question(REQUEST.validate_json(json.dumps(body)), moment).payload_sha256 for body in (WHOLE, small)] == [
        "cbed95977295908ad9161906b04d85cbfb5cf763dd0423bbcf645427981a5b62",
        "e4c789a3a321585914ea4f9f5248b696af376676dbff3214f5800b5139f0543a",
    ]


@pytest.mark.parametrize("moment", ["2026-01-01T00:00:00.12Z", "2026-01-01 00:00:00.120001+08:00", "0001-01-02T00:00:00Z", "2026-06-01T11:00Z"])
def test_a_payload_is_hashed_as_its_contract_writes_it(moment: str) -> None:
    attributes = {"whole": 3, "large": 1e300, "minus": -0.0, "small": 5e-324, "said": "\u00e9\u2028<\U0001f600", "none": None}
    body = REQUEST.validate_json(json.dumps(WHOLE | {"occurred_at": moment, "account_opened_at": moment, "attributes": attributes}))
    question = EDGE.question(body, datetime(2026, 6, 1, 12, tzinfo=UTC))
    written = [body.model_dump(mode="json", exclude=NOT_PAYLOAD), [(link.entity_type, link.entity_id) for link in question.links]]
    assert question.payload_sha256 == hashlib.sha256(msgspec.json.encode(written, order="sorted")).hexdigest()


def test_a_record_without_its_checks_still_needs_its_fields() -> None:
    with pytest.raises(KeyError, match="known_at"):
        unchecked(Link)(entity_type="device", entity_id="x", occurred_at=NOON)  # type: ignore[call-arg, arg-type]
