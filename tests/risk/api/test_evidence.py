"""Evidence over HTTP: sent once, measured outside the loop, seen by the request that names it."""

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from features.image import examples
from tests.risk.api.test_every_route import assert_error
from tests.risk.servers import Running, running

SCORE = "/v1/refund-requests/score"
EVIDENCE = "/v1/evidence"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that takes small files only, one waiting at most."""
    os.environ |= LIMITS
    try:
        with running(tmp_path_factory.mktemp("evidence")) as started:
            yield started
    finally:
        for name in LIMITS:
            del os.environ[name]


LIMITS = {"REFUND_RISK_EVIDENCE_LIMIT_BYTES": "2000000", "REFUND_RISK_EVIDENCE_QUEUE_FILES": "1", "REFUND_RISK_EVIDENCE_WAIT_MS": "90000"}


def send(service: Running, data: bytes) -> httpx.Response:
    return service.client.post(EVIDENCE, files={"file": ("photo.jpg", data, "image/jpeg")}, timeout=120)


def measured(service: Running, sha256: str) -> dict[str, Any]:
    """Its status once it is measured."""
    for _ in range(600):
        found: dict[str, Any] = service.client.get(f"{EVIDENCE}/{sha256}").json()
        if found["status"] == "measured":
            return found
        time.sleep(0.2)
    pytest.fail(f"still {found['status']}")


def body(request_id: str, sha256: str) -> dict[str, Any]:
    return {
        "request_id": request_id,
        "account_id": f"of {request_id}",
        "occurred_at": "2026-01-01T00:00:00Z",
        "evidence": [{"sha256": sha256, "kind": "photo"}],
    }


def test_a_file_is_received_measured_and_seen_by_its_request(service: Running) -> None:
    data = examples.camera_jpeg()
    receipt = send(service, data)
    assert receipt.status_code == 201, receipt.text
    told = receipt.json()
    assert told["sha256"] == hashlib.sha256(data).hexdigest()
    assert told["status"] == "measuring"
    decision = service.client.post(SCORE, json=body("seen", told["sha256"]), timeout=120).json()
    assert decision["degraded"] == []
    record = service.server.home.database
    found = measured(service, told["sha256"])
    assert {"generated", "edited", "c2pa_manifest", "delivery_kind"} <= {each["signal"] for each in found["measurements"]}
    assert (found["kind"], found["format"], found["bytes"], found["unreadable"]) == ("photo", "jpeg", len(data), None)
    with record.reading() as connection:
        uses = record.fetch(connection, "SELECT request_id, reuse FROM evidence_uses WHERE sha256 = ?", (told["sha256"],))
    assert uses == [("seen", 0.0)]


def test_sent_again_it_is_not_measured_again(service: Running) -> None:
    data = examples.jpeg(examples.scene(seed=3))
    first = send(service, data).json()
    measured(service, first["sha256"])
    again = send(service, data)
    assert (again.status_code, again.json()["status"]) == (200, "measured")
    assert again.json()["evidence_id"] != first["evidence_id"]


def test_a_picture_that_another_account_sent_is_recognised(service: Running) -> None:
    shas = [send(service, examples.jpeg(examples.scene(seed=4), quality)).json()["sha256"] for quality in (90, 55) if time.sleep(0.1) is None]
    first = service.client.post(SCORE, json=body("anna", shas[0]), timeout=120).json()
    second = service.client.post(SCORE, json=body("berta", shas[1]), timeout=120).json()
    records = [service.server.home.database, service.client.get(f"/v1/decisions/{second['decision_id']}").json()]
    assert records[1] == second
    with records[0].reading() as connection:
        reuse = dict(records[0].fetch(connection, "SELECT request_id, reuse FROM evidence_uses WHERE request_id IN ('anna', 'berta')", ()))
    assert reuse == {"anna": 0.0, "berta": 0.7}
    assert first["degraded"] == second["degraded"] == []


def test_a_file_that_is_no_picture_is_a_full_answer(service: Running) -> None:
    told = send(service, b"%PDF-1.4 nothing to see").json()
    found = measured(service, told["sha256"])
    assert found["unreadable"] is not None


def test_a_file_that_is_too_large_is_refused_while_it_comes(service: Running) -> None:
    assert_error(send(service, bytes(2_100_000)), 413, "TOO_LARGE")

    def slowly() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(40):
            yield bytes(100_000)

    answer = service.client.post(EVIDENCE, content=slowly(), headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert_error(answer, 413, "TOO_LARGE")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "MALFORMED"),
        (b"no form", 400, "MALFORMED"),
        (b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nhalf', 400, "MALFORMED"),
        (b"--x--\r\n", 400, "MALFORMED"),
        (b'--x\r\nContent-Disposition: form-data; name="other"\r\n\r\n1\r\n--x--\r\n', 422, "CONTRACT"),
        (b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n\r\n--x--\r\n', 422, "CONTRACT"),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n1\r\n--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n2\r\n--x--',
            422,
            "CONTRACT",
        ),
    ],
    ids=["empty", "no-form", "cut", "no-part", "other-part", "empty-file", "two-files"],
)
def test_a_body_that_is_no_single_file_is_refused(service: Running, content: bytes, status: int, code: str) -> None:
    answer = service.client.post(EVIDENCE, content=content, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert_error(answer, status, code)
    spool = service.home / "evidence" / ".incoming"
    assert list(spool.iterdir()) == []


def test_a_body_of_another_kind_is_refused(service: Running) -> None:
    for kind in ("application/json", "text/plain", "multipart/form-data"):
        assert_error(service.client.post(EVIDENCE, content=b"{}", headers={"Content-Type": kind}), 415, "MEDIA_TYPE")


def test_what_is_unknown_or_no_hash_is_said(service: Running) -> None:
    assert_error(service.client.get(f"{EVIDENCE}/{'0' * 64}"), 404, "NOT_FOUND")
    assert_error(service.client.get(f"{EVIDENCE}/photo.jpg"), 422, "CONTRACT")


def test_when_too_many_wait_the_next_is_asked_to_come_back(service: Running) -> None:
    go_on, started = threading.Event(), threading.Barrier(3)

    def held(seed: int) -> httpx.Response:
        data = examples.jpeg(examples.scene(seed=seed))

        def slowly() -> Iterator[bytes]:
            yield b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + data[:100]
            started.wait(60)
            go_on.wait(60)
            yield data[100:] + b"\r\n--x--\r\n"

        return service.client.post(EVIDENCE, content=slowly(), headers={"Content-Type": "multipart/form-data; boundary=x"}, timeout=120)

    with ThreadPoolExecutor(2) as senders:
        uploads = [senders.submit(held, seed) for seed in (101, 102)]
        started.wait(60)
        time.sleep(0.5)
        refused = send(service, examples.jpeg(examples.scene(seed=103)))
        go_on.set()
        assert_error(refused, 429, "BUSY")
        assert int(refused.headers["retry-after"]) >= 1
        for upload in uploads:
            assert upload.result().status_code == 201
            measured(service, upload.result().json()["sha256"])


def test_the_bytes_lie_in_the_home_as_they_came(service: Running) -> None:
    data = examples.webp()
    sha256 = send(service, data).json()["sha256"]
    assert (Path(service.home) / "evidence" / sha256[:2] / sha256[2:4] / sha256).read_bytes() == data
    measured(service, sha256)
