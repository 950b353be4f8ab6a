"""Malformed, huge and odd JSON to every route that takes JSON: refused in the one error shape, soon, with nothing changed."""

import copy
import json
import time
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.risk.api.test_every_route import assert_error
from tests.risk.servers import Running
from tests.risk.stories import crab_body
from tests.service.routes import operations
from tests.service.rows import counted

SCORE = "/v1/refund-requests/score"
AS_JSON = {"Content-Type": "application/json"}
DEEP = 100_000
NO_JSON = {
    "nothing": b"",
    "white space": b" \n\t ",
    "a cut object": b'{"request_id": "a"',
    "a cut text": b'{"request_id": "a',
    "a cut escape": b'{"request_id": "\\u12"}',
    "a trailing comma": b'{"request_id": "a",}',
    "two commas": b'{"a": 1,, "b": 2}',
    "single quotes": b"{'request_id': 'a'}",
    "a key without quotes": b'{request_id: "a"}',
    "a comment": b'{"request_id": "a" /* me */}',
    "two documents": b"{}{}",
    "something behind": b"{} x",
    "a control character": b'{"request_id": "a\x01b"}',
    "a line break in a text": b'{"request_id": "a\nb"}',
    "an unknown escape": b'{"request_id": "\\x41"}',
    "a leading zero": b'{"amount_minor": 01}',
    "a plus": b'{"amount_minor": +1}',
    "hexadecimal": b'{"amount_minor": 0x10}',
    "half a number": b'{"amount_minor": 1.}',
    "an exponent without end": b'{"amount_minor": 1e}',
    "a minus alone": b'{"amount_minor": -}',
    "python's words": b'{"same_items": True}',
    "an undefined": b'{"same_items": undefined}',
    "brackets that do not match": b'{"links": [}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"request_id": "a"}'.encode("utf-16"),
    "broken UTF-8": b'{"request_id": "\xe4\xb8"}',
    "a surrogate in UTF-8": b'{"request_id": "\xed\xa0\x80"}',
    "too long UTF-8": b'{"request_id": "\xc0\xaf"}',
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep lists, cut": b"[" * DEEP,
    "deep objects": b'{"a":' * (DEEP // 3) + b"1" + b"}" * (DEEP // 3),
    "deep inside a known field": b'{"attributes": {"a": ' + b"[" * DEEP + b"]" * DEEP + b"}}",
    "markup": b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
}
NO_CONTRACT = {
    "not a number": b'{"amount_minor": NaN}',
    "without end": b'{"amount_minor": -Infinity}',
    "a number of 4,000 digits": b'{"amount_minor": ' + b"9" * 4_000 + b"}",
    "a number of 200,000 digits": b'{"amount_minor": ' + b"9" * 200_000 + b"}",
    "an exponent beyond all": b'{"amount_minor": 1e999999999}',
    "a lone surrogate": b'{"request_id": "\\ud800"}',
    "a null character": b'{"request_id": "\\u0000"}',
    "ten thousand unknown keys": json.dumps({f"key {number}": 1 for number in range(10_000)}).encode(),
    "an empty key": b'{"": 1}',
    "a key that programs know": b'{"__proto__": {"admin": true}, "__class__": 1}',
}
LONGEST = {
    "request_id": 128,
    "account_id": 128,
    "text": 10_000,
    "category": 64,
}


def post(service: Running, path: str, content: bytes) -> httpx.Response:
    began = time.monotonic()
    answer = service.client.post(path, content=content, headers=AS_JSON)
    assert time.monotonic() - began < 5, "a refusal takes no time"
    return answer


@pytest.mark.parametrize("content", [*NO_JSON.values(), *NO_CONTRACT.values()], ids=[*NO_JSON, *NO_CONTRACT])
def test_what_is_no_json_or_nothing_of_ours_is_refused_everywhere(service: Running, content: bytes) -> None:
    before = counted(service.server.home.database)
    paths = [each.url for each in operations(service) if "application/json" in each.takes]
    assert SCORE in paths
    for path in paths:
        answer = post(service, path, content)
        assert answer.status_code in {400, 422}, (path, answer.text)
        assert_error(answer, answer.status_code, "MALFORMED" if answer.status_code == 400 else "CONTRACT")
        assert len(answer.content) < 2_000, "an error does not repeat what was sent"
    assert counted(service.server.home.database) == before


@pytest.mark.parametrize(("field", "longest"), LONGEST.items())
def test_a_text_may_be_as_long_as_it_says_and_no_longer(service: Running, field: str, longest: int) -> None:
    def asked(length: int) -> httpx.Response:
        body = crab_body(f"length of {field}") | {field: "字" * length}
        if field == "account_id":
            body.pop("order")
        return post(service, SCORE, json.dumps(body).encode())

    assert_error(asked(longest + 1), 422, "CONTRACT")
    assert asked(longest).status_code == 200


@pytest.mark.parametrize(
    "too_many",
    [
        {"links": [{"entity_type": "device", "entity_id": f"d{number}"} for number in range(101)]},
        {"links": [{"entity_type": "device", "entity_id": "d" * 513}]},
        {"claim_lines": [{"line_no": number} for number in range(201)]},
        {"evidence": [{"sha256": f"{number:064x}", "kind": "photo"} for number in range(51)]},
        {"attributes": {f"a{number}": 1.0 for number in range(257)}},
        {"attributes": {"a": "x" * 257}},
        {"attributes": {"a" * 65: 1.0}},
        {"attributes": {"a": [1]}},
        {"attributes": {"a": {"b": {"c": 1}}}},
        {"amount_minor": 10**12 + 1},
        {"amount_minor": -1},
        {"amount_minor": True},
        {"amount_minor": "100"},
        {"revision": 0},
        {"occurred_at": "9999-12-31T23:59:59Z"},
        {"occurred_at": "2026-01-01T00:00:00"},
        {"occurred_at": 1_700_000_000},
        {"occurred_at": "1700000000"},
        {"occurred_at": "-1700000000.5"},
        {"order": {"order_id": "o", "occurred_at": "2026-01-01T00:00:00Z", "deliveries": [{"status": "delivered"}]}},
    ],
    ids=lambda found: f"{next(iter(found))}",
)
def test_more_than_a_request_can_have_is_refused(service: Running, too_many: dict[str, Any]) -> None:
    before = counted(service.server.home.database)
    assert_error(post(service, SCORE, json.dumps(crab_body("too many", **too_many)).encode()), 422, "CONTRACT")
    assert counted(service.server.home.database) == before


def places(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """The path to everything inside a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, each in inside for found in places(each, (*path, key)))][0 if path else 1 :]


TEMPLATE = crab_body("tampered", occurred_at="2026-01-01T00:00:00Z")
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=40),
    st.sampled_from(
        ["\x00", "\ud800", "\u202e", "a" * 129, "0" * 64, "DROP TABLE decisions; --", "%s%n", "{{7*7}}", "../../etc/passwd", "2026-01-01T00:00:00Z"]
    ),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    ),
)


@settings(max_examples=120, deadline=None)
@given(changes=st.lists(st.tuples(st.sampled_from(places(TEMPLATE)), ODD), min_size=1, max_size=4), name=st.uuids())
def test_a_body_with_anything_in_any_place_is_answered_or_refused(
    service: Running, changes: list[tuple[tuple[Any, ...], object]], name: object
) -> None:
    body = copy.deepcopy(TEMPLATE) | {"request_id": f"tampered {name}"}
    for path, odd in changes:
        inside: Any = body
        try:
            for key in path[:-1]:
                inside = inside[key]
            inside[path[-1]] = odd
        except (TypeError, KeyError, IndexError):
            continue  # an earlier change took that place away
    answer = post(service, SCORE, json.dumps(body).encode())
    if answer.status_code == 200:
        assert answer.json()["action"] in {"approve", "review", "block"}
        assert post(service, SCORE, json.dumps(body).encode()).content == answer.content
    else:
        assert answer.status_code in {400, 409, 422}, answer.text
        assert_error(answer, answer.status_code, {400: "MALFORMED", 409: "CONFLICT", 422: "CONTRACT"}[answer.status_code])
