"""Identifiers that callers send: raw ones are brought into one form, those that name nobody are left out and counted."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from data_contracts.errors import ContractError
from data_contracts.link import EntityType
from graph.normalise import Outcome
from graph.templates import Templates
from risk.api.body import RefundRequestBody
from risk.api.decisions import REQUEST
from risk.api.edge import Edge
from risk.api.events import ORDER
from risk.identity import AS_WRITTEN, Identifiers, pseudonym
from tests.risk.servers import Running
from tests.risk.stories import plain_body

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEYED = "0123456789abcdef0123456789abcdef"


def an_edge(scheme: int = 2) -> Edge:
    return Edge(Identifiers(partial(pseudonym, b"key"), "DE", scheme), timedelta(minutes=5), Templates())


def body(*links: tuple[str, str], **more: object) -> RefundRequestBody:
    said = {"request_id": "r", "account_id": "buyer-77", "occurred_at": NOON.isoformat(), **more}
    said["links"] = [{"entity_type": kind, "entity_id": raw} for kind, raw in links]
    return REQUEST.validate_json(json.dumps(said))


def linked(*links: tuple[str, str], **more: object) -> list[tuple[str, str]]:
    return [(link.entity_type.value, link.entity_id) for link in an_edge().question(body(*links, **more), NOON).links]


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("address", "12 High Street, Apt. 4B", "12 HIGH ST  apartment 4 b"),
        ("phone", "0170 1234567", "+49 (170) 123 45 67"),
        ("ip", "2001:4860:4860:0:1::1", "2001:4860:4860::9"),
        ("card", "4111 1111 1111 1111", "4111111111111111"),
        ("device", "AB-12-CD-34-EF", "ab12cd34ef"),
    ],
)
def test_one_thing_in_two_forms_is_one_entity(kind: str, one: str, other: str) -> None:
    assert linked((kind, one)) == linked((kind, other)) != []


@pytest.mark.parametrize(
    ("kind", "raw", "outcome"),
    [
        ("device", "0000", Outcome.PLACEHOLDER),
        ("device", "00000000-0000-0000-0000-000000000000", Outcome.PLACEHOLDER),
        ("address", "unknown", Outcome.PLACEHOLDER),
        ("device", "---", Outcome.EMPTY),
        ("ip", "127.0.0.1", Outcome.PLACEHOLDER),
        ("device", "buyer-77", Outcome.SELF),
    ],
)
def test_what_names_nobody_links_nobody(kind: str, raw: str, outcome: Outcome) -> None:
    assert linked((kind, raw)) == []
    found = an_edge().read(body((kind, raw)).links, "buyer-77")
    assert [(kind, each.outcome) for kind, each in found] == [(EntityType(kind), outcome)]


def test_a_token_that_no_normaliser_reads_still_equals_itself() -> None:
    assert linked(("card", "tok_9f8e7d")) == linked(("card", " TOK-9f8e7d ")) != []
    assert linked(("phone", "see invoice")) != linked(("phone", "see receipt"))


def test_the_same_identifier_twice_is_one_link() -> None:
    assert len(linked(("device", "ab12cd34ef"), ("device", "AB12-CD34-EF"))) == 1


def test_hashes_from_before_are_taken_as_they_are() -> None:
    said = {"request_id": "r", "occurred_at": NOON.isoformat(), "links": [{"entity_type": "device", "hashed_id": KEYED}]}
    assert [link.entity_id for link in an_edge().question(REQUEST.validate_json(json.dumps(said)), NOON).links] == [KEYED]


def test_an_installation_of_the_first_scheme_goes_on_hashing_what_is_written() -> None:
    old = an_edge(AS_WRITTEN)
    found = [link.entity_id for link in old.question(body(("device", "AB-12"), ("device", "0000"), text="Item broken!"), NOON).links]
    assert found[:2] == [pseudonym(b"key", "device", "AB-12"), pseudonym(b"key", "device", "0000")]
    assert found[2].startswith("txt_")


def test_orders_are_read_alike() -> None:
    said = {"order_id": "o", "account_id": "buyer-77", "occurred_at": NOON.isoformat()}
    said["links"] = [{"entity_type": "device", "entity_id": raw} for raw in ("0000", "buyer-77", "AB-12-CD-34-EF")]
    links = an_edge().order_event(ORDER.validate_json(json.dumps(said)), NOON).links
    assert [link.entity_id for link in links] == [pseudonym(b"key", "device", "ab12cd34ef")]


def test_wordings_that_differ_by_names_numbers_and_a_word_are_one_entity() -> None:
    edge = an_edge()
    said = "the parcel {} never arrived at my door and the carrier could not help, kindly refund to the original payment method"
    texts = [f"Hello Anna, {said.format('12345')}. Regards, Tom", said.format("98").replace("kindly", "please"), "the lamp has no shade at all"]
    found = [[link.entity_id for link in edge.question(body(text=text), NOON).links] for text in texts]
    assert found[0] == found[1] != found[2]


def test_a_clock_that_runs_ahead_a_little_is_now_and_further_is_refused() -> None:
    ahead = an_edge().question(body(occurred_at=(NOON + timedelta(minutes=4)).isoformat()), NOON)
    assert ahead.request.occurred_at == NOON
    with pytest.raises(ContractError, match="lies in the future"):
        an_edge().question(body(occurred_at=(NOON + timedelta(minutes=6)).isoformat()), NOON)


def test_the_service_counts_what_it_left_out_and_refuses_a_type_that_there_is_not(service: Running) -> None:
    links = [{"entity_type": "device", "entity_id": "0000"}, {"entity_type": "device", "entity_id": "ab12cd34ef"}]
    assert service.client.post("/v1/refund-requests/score", json=plain_body("left-out", links=links)).status_code == 200
    figures = service.client.get("/metrics").text
    assert 'refund_risk_identifiers_total{outcome="placeholder",type="device"} 1.0' in figures
    assert 'refund_risk_identifiers_total{outcome="kept",type="device"} 1.0' in figures
    strange = plain_body("strange", links=[{"entity_type": "spaceship", "entity_id": "x"}])
    answer = service.client.post("/v1/refund-requests/score", json=strange)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "links.0.entity_type")
