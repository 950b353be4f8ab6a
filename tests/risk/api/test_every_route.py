"""What holds for every route: a key where one is due, one error shape, only its own method, a place in the OpenAPI document."""

from typing import Any

import httpx
import pytest

from tests.risk.servers import Running

ROUTES = [
    ("POST", "/v1/refund-requests/score"),
    ("GET", "/v1/refund-requests/{request_id}"),
    ("GET", "/v1/decisions/{decision_id}"),
    ("POST", "/v1/orders"),
    ("POST", "/v1/deliveries"),
    ("POST", "/v1/refunds"),
    ("POST", "/v1/links"),
    ("POST", "/v1/events"),
    ("POST", "/v1/labels"),
    ("POST", "/v1/appeals"),
    ("GET", "/v1/appeals"),
    ("GET", "/v1/appeals/{appeal_id}"),
    ("POST", "/v1/appeals/{appeal_id}/verdict"),
    ("GET", "/v1/webhooks/dead"),
    ("GET", "/v1/features"),
    ("GET", "/v1/rings"),
    ("GET", "/v1/rings/{ring_id}"),
    ("POST", "/v1/judgements"),
    ("GET", "/v1/entities/{entity_type}/{entity_id}/neighbourhood"),
    ("POST", "/v1/images/check"),
    ("POST", "/v1/evidence"),
    ("GET", "/v1/evidence/{sha256}"),
    ("GET", "/v1/evidence/{sha256}/file"),
    ("GET", "/v1/evidence/{sha256}/reads"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
]
FORMS = {"/v1/images/check", "/v1/evidence"}
OPEN = {"/healthz", "/readyz", "/metrics"}

every_route = pytest.mark.parametrize(("method", "path"), ROUTES, ids=[path for _, path in ROUTES])


def assert_error(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The one error shape."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body.keys() == {"error"}
    assert body["error"].keys() == {"code", "message", "field", "request_id"}
    assert body["error"]["code"] == code
    assert body["error"]["message"]
    found: dict[str, Any] = body["error"]
    return found


def test_these_are_all_routes(service: Running) -> None:
    document = service.stranger.get("/openapi.json").json()
    found = [(method.upper(), path) for path, methods in document["paths"].items() for method in methods]
    assert sorted(found) == sorted(ROUTES)


@every_route
def test_needs_a_key(service: Running, method: str, path: str) -> None:
    for key in (None, "rr_wrong", service.key[:-1], service.key + "x"):
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        answer = service.stranger.request(method, path, headers=headers, json={} if method == "POST" else None)
        if path in OPEN:
            assert answer.status_code == 200
        else:
            assert_error(answer, 401, "NOT_ALLOWED")
            assert answer.headers["www-authenticate"] == "Bearer"


@every_route
def test_a_key_by_another_scheme_is_no_key(service: Running, method: str, path: str) -> None:
    if path not in OPEN:
        assert_error(service.stranger.request(method, path, headers={"Authorization": f"Basic {service.key}"}), 401, "NOT_ALLOWED")


@every_route
def test_takes_only_its_method(service: Running, method: str, path: str) -> None:
    answer = service.client.request("PUT", path)
    assert_error(answer, 405, "METHOD_NOT_ALLOWED")
    assert method in answer.headers["allow"]


@every_route
def test_is_documented_with_its_refusals(service: Running, method: str, path: str) -> None:
    operation = service.stranger.get("/openapi.json").json()["paths"][path][method.lower()]
    assert operation["summary"]
    assert ("requestBody" in operation) is (method == "POST")
    assert ("401" in operation["responses"]) is (path not in OPEN)
    assert ("security" in operation) is (path not in OPEN)


def test_an_unknown_path_is_said_in_the_same_shape(service: Running) -> None:
    assert_error(service.client.get("/v2/nothing"), 404, "NOT_FOUND")


def test_every_reference_of_the_document_exists(service: Running) -> None:
    text = service.stranger.get("/openapi.json").text
    schemas = service.stranger.get("/openapi.json").json()["components"]["schemas"]
    named = {part.split('"', 1)[0] for part in text.split("#/components/schemas/")[1:]}
    assert named <= set(schemas)


MANY = {"/v1/events"}
"""What takes many things says of each of them what is wrong with it (test_bulk.py)."""

every_body = pytest.mark.parametrize("path", [path for method, path in ROUTES if method == "POST" and path not in FORMS])
every_single_body = pytest.mark.parametrize("path", [path for method, path in ROUTES if method == "POST" and path not in FORMS | MANY])


@every_body
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"a": 1,}',
        b"\xff\xfe\x00",
        b'{"request_id": "\xc3\x28"}',
        b"[" * 20_000 + b"]" * 20_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    ],
    ids=["empty", "cut", "word", "comma", "bytes", "utf8", "deep-lists", "deep-objects"],
)
def test_a_malformed_body_is_refused(service: Running, path: str, content: bytes) -> None:
    answer = service.client.post(path, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}
    assert_error(answer, answer.status_code, "MALFORMED" if answer.status_code == 400 else "CONTRACT")


@every_single_body
@pytest.mark.parametrize("content", [b"null", b"[]", b"1", b'"text"', b"{}", b'{"request_id": null}'])
def test_json_of_another_shape_is_refused(service: Running, path: str, content: bytes) -> None:
    assert_error(service.client.post(path, content=content, headers={"Content-Type": "application/json"}), 422, "CONTRACT")


@every_single_body
def test_an_oversized_body_is_refused_before_it_is_read(service: Running, path: str) -> None:
    large = b'{"request_id": "' + b"x" * 300_000 + b'"}'
    assert_error(service.client.post(path, content=large, headers={"Content-Type": "application/json"}), 413, "TOO_LARGE")
    chunks = iter([b"[" + b" " * 200_000, b" " * 200_000])
    assert_error(service.client.post(path, content=chunks, headers={"Content-Type": "application/json"}), 413, "TOO_LARGE")


@every_body
def test_a_body_that_is_not_declared_as_json_is_refused(service: Running, path: str) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert_error(service.client.post(path, content=b"{}", headers={"Content-Type": kind}), 415, "MEDIA_TYPE")
