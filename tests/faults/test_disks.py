"""The disk is full, or the evidence folder cannot be written: refused with 503, nothing half kept, and well again when there is room."""

import time
from pathlib import Path

import httpx

from features.image import examples
from tests.faults.answers import SCORE, assert_come_again
from tests.faults.conftest import Serve
from tests.faults.mounts import Mounts, fill
from tests.service.load import ORDERS, Told, a_body
from tests.service.processes import Process
from tests.service.promises import kept_promises, the_same_answers

EVIDENCE = "/v1/evidence"
DISK_MB = 24


def upload(client: httpx.Client, seed: int) -> httpx.Response:
    data = examples.jpeg(examples.scene(seed=seed), 95)
    return client.post(EVIDENCE, files={"file": ("photo.jpg", data, "image/jpeg")})


def ask_until_refused(client: httpx.Client, told: Told, first: int) -> httpx.Response:
    """Score until the answer is no decision; that answer."""
    for number in range(first, first + 500):
        body = a_body(number)
        answer = client.post(SCORE, json=body)
        if answer.status_code != httpx.codes.OK:
            told.refused[body["request_id"]] = body
            return answer
        told.answered[body["request_id"]] = (body, answer.content)
    message = "500 decisions fitted on a full disk"
    raise AssertionError(message)


def tell_until_refused(client: httpx.Client, name: str) -> httpx.Response:
    """Tell orders until one is refused; they are smaller than decisions, so some may fit into what SQLite's log has left."""
    for number in range(500):
        order = {"order_id": f"{name}-{number}", "occurred_at": "2026-01-01T00:00:00Z", "account_id": "a" * 100}
        answer = client.post(ORDERS, json=order)
        if answer.is_error:
            return answer
    message = "500 orders fitted on a full disk"
    raise AssertionError(message)


def test_a_full_disk_refuses_and_room_heals(serve_home: Serve, mounts: Mounts, tmp_path: Path) -> None:
    disk = mounts.small_disk(tmp_path / "disk", DISK_MB)
    service, told = serve_home(disk / "home"), Told()
    with service.client() as client:
        for turn in range(2):
            known = a_body(turn)
            told.answered[known["request_id"]] = (known, client.post(SCORE, json=known).content)
            ballast = fill(disk)
            assert_come_again(ask_until_refused(client, told, 100 + 1_000 * turn))
            assert_come_again(tell_until_refused(client, f"o{turn}"))
            assert_come_again(upload(client, turn))
            assert client.post(SCORE, json=known).content == told.answered[known["request_id"]][1]
            assert client.get("/healthz").status_code == 200
            ready = client.get("/readyz")
            assert ready.status_code == 503
            assert "disk: the home cannot be written" in ready.json()["error"]["message"]
            ballast.unlink()
            the_same_answers(service, told, 20)
        assert upload(client, 7).status_code == 201
    kept_promises(f"sqlite:///{disk / 'home' / 'risk.db'}", told)
    assert_nothing_is_half(disk / "home")


def test_an_evidence_folder_that_cannot_be_written(serve_home: Serve, mounts: Mounts, tmp_path: Path) -> None:
    service = serve_home()
    folder = tmp_path / "home" / "evidence"
    with service.client() as client:
        first = upload(client, 1)
        assert first.status_code == 201
        wait_measured(service, first.json()["sha256"])
        mounts.freeze(folder)
        refused = upload(client, 2)
        assert_come_again(refused)
        assert client.get(f"{EVIDENCE}/{first.json()['sha256']}").json()["status"] == "measured"
        body = a_body(1) | {"evidence": [{"sha256": first.json()["sha256"], "kind": "photo"}]}
        assert client.post(SCORE, json=body).json()["degraded"] == []
        mounts.thaw(folder)
        assert upload(client, 2).status_code == 201
    assert_nothing_is_half(tmp_path / "home")


def assert_nothing_is_half(home: Path) -> None:
    """No file that never became complete is left behind, nor one that only tried the disk."""
    assert list(home.rglob(".probe-*")) == []
    assert list((home / "evidence" / ".incoming").iterdir()) == []


def wait_measured(service: Process, sha256: str) -> dict[str, object]:
    """What was measured in a file, once it was."""
    with service.client() as client:
        for _ in range(600):
            found: dict[str, object] = client.get(f"{EVIDENCE}/{sha256}").json()
            if found["status"] == "measured":
                return found
            time.sleep(0.1)
    message = f"still {found['status']}"
    raise AssertionError(message)
