"""Many events in one call: each is taken in or refused with its reason, and sending it all again changes nothing; on both databases."""

import json
from typing import Any

import httpx
import pytest

from risk.api.bulk import LIMIT_BYTES, LIMIT_EVENTS, LINES
from tests.risk.api.test_every_route import assert_error
from tests.risk.servers import Running, another_key
from tests.risk.stories import ago, plain_body

EVENTS = "/v1/events"
WHEN = ago(days=3)


def story(name: str) -> list[dict[str, Any]]:
    """An order, its scan, a log-in, a label on a request that was decided before, a refund."""
    return [
        {"type": "order", "order_id": name, "account_id": name, "occurred_at": WHEN, "amount_minor": 900, "currency": "CNY"},
        {"type": "delivery", "order_id": name, "status": "delivered", "occurred_at": WHEN},
        {"type": "link", "entity_type": "device", "entity_id": f"DEVICE-{name}", "account_id": name, "occurred_at": WHEN},
        {"type": "label", "request_id": f"of-{name}", "value": "honest", "source": "verdict", "occurred_at": WHEN},
        {"type": "refund", "refund_id": name, "request_id": f"of-{name}", "amount_minor": 900, "currency": "CNY", "occurred_at": WHEN},
    ]


def as_lines(events: list[dict[str, Any]]) -> bytes:
    return b"\n".join(json.dumps(event).encode() for event in events) + b"\n"


def lines(service: Running, content: bytes) -> httpx.Response:
    return service.client.post(EVENTS, content=content, headers={"Content-Type": LINES}, timeout=120)


@pytest.mark.parametrize("form", ["array", "lines"])
def test_every_kind_is_taken_in_and_known_the_second_time(service: Running, form: str) -> None:
    service.client.post("/v1/refund-requests/score", json=plain_body(f"of-{form}"))

    def send() -> dict[str, Any]:
        answer = service.client.post(EVENTS, json=story(form)) if form == "array" else lines(service, as_lines(story(form)))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    first, again = send(), send()
    assert (first["new"], first["known"], first["refused"]) == (5, 0, 0), first
    assert (again["new"], again["known"], again["refused"]) == (0, 5, 0), again
    assert [item["type"] for item in first["items"]] == ["order", "delivery", "link", "label", "refund"]
    assert [item["index"] for item in first["items"]] == list(range(5))


def test_a_bad_event_is_refused_with_its_reason_and_the_others_are_not(service: Running) -> None:
    good = story("mixed")[:2]
    bad: list[tuple[Any, int, str | None]] = [
        ({"type": "order", "order_id": "mixed", "occurred_at": WHEN, "amount_minor": 901}, 409, "account_id"),
        ({"type": "label", "request_id": "nobody", "value": "honest", "source": "verdict"}, 404, "request_id"),
        ({"type": "parcel"}, 422, None),
        ({"order_id": "untyped"}, 422, None),
        ({"type": "order", "order_id": "late", "occurred_at": "2999-01-01T00:00:00Z"}, 422, "occurred_at"),
        ({"type": "refund", "refund_id": "no-money", "occurred_at": WHEN}, 422, None),
        ({"type": "link", "entity_type": "device", "entity_id": "0000", "account_id": "a", "occurred_at": WHEN}, 422, "entity_id"),
        ("a word", 422, None),
        ([1], 422, None),
        (None, 422, None),
    ]
    events = [good[0], *(event for event, _, _ in bad), good[1]]
    answer = service.client.post(EVENTS, json=events).json()
    assert (answer["new"], answer["known"], answer["refused"]) == (2, 0, len(bad))
    found = answer["items"][1:-1]
    assert [item["status"] for item in found] == [status for _, status, _ in bad]
    for item, (_, _, field) in zip(found, bad, strict=True):
        assert item["error"].keys() == {"code", "message", "field", "request_id"}
        if field is not None:
            assert item["error"]["field"] == field
    assert (answer["items"][0]["new"], answer["items"][-1]["new"]) == (True, True)


def test_lines_that_are_no_json_are_refused_one_by_one(service: Running) -> None:
    content = as_lines(story("torn")[:1]) + b'{"type": "order", "ord\n\n\xff\xfe\n' + b"[" * 5_000 + b"\n" + as_lines(story("torn")[1:2])
    answer = lines(service, content).json()
    assert [item["status"] for item in answer["items"]] == [201, 400, 400, 400, 201]


def test_more_than_a_chunk_is_taken_in_in_order(service: Running) -> None:
    events = [{"type": "order", "order_id": f"long-{number}", "occurred_at": WHEN, "account_id": "long"} for number in range(250)]
    answer = lines(service, as_lines(events)).json()
    assert (answer["new"], [item["index"] for item in answer["items"]]) == (250, list(range(250)))


@pytest.mark.parametrize("content", [b"", b"{}", b"[{},", b"nonsense", b"\xff", b"[" * 100_000])
def test_what_is_no_array_is_refused_whole(service: Running, content: bytes) -> None:
    assert_error(service.client.post(EVENTS, content=content, headers={"Content-Type": "application/json"}), 400, "MALFORMED")


def test_nothing_of_too_much_is_taken_in(service: Running) -> None:
    events = [{"type": "order", "order_id": f"too-many-{number}", "occurred_at": WHEN} for number in range(LIMIT_EVENTS + 1)]
    assert_error(lines(service, as_lines(events)), 413, "TOO_LARGE")
    assert_error(lines(service, b" " * (LIMIT_BYTES + 1)), 413, "TOO_LARGE")
    assert service.client.post("/v1/orders", json={key: events[0][key] for key in ("order_id", "occurred_at")}).status_code == 201


def test_a_label_needs_its_scope_also_among_others(service: Running) -> None:
    service.client.post("/v1/refund-requests/score", json=plain_body("of-scoped"))
    key = another_key(service, "events")
    answer = service.stranger.post(EVENTS, json=story("scoped"), headers={"Authorization": f"Bearer {key}"})
    assert [item["status"] for item in answer.json()["items"]] == [201, 201, 201, 403, 201]


def test_an_empty_call_does_nothing(service: Running) -> None:
    assert service.client.post(EVENTS, json=[]).json() == {"new": 0, "known": 0, "refused": 0, "items": []}
