"""Hostile and broken files to the routes that take files: each is a full answer soon, the service goes on, and no name of a file is believed."""

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from features.image import examples
from tests.risk.servers import Running, running
from tests.service.hostile_pictures import ANY_ANSWER, UNREADABLE

CHECK, EVIDENCE = "/v1/images/check", "/v1/evidence"
SOON_S = 60
NAMES = ["photo.jpg", "photo.png", "../../../etc/passwd", "a\\..\\b.gif", "photo.jpg\x00.exe", "字" * 300, "<script>.jpg", ""]
FROM_THE_SHELF = 40


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("hostile")) as started:
        yield started


def check(service: Running, data: bytes, name: str = "photo.jpg") -> httpx.Response:
    began = time.monotonic()
    answer = service.client.post(CHECK, params={"read": "0"}, files={"file": (name, data, "image/jpeg")}, timeout=3 * SOON_S)
    assert time.monotonic() - began < SOON_S
    return answer


@pytest.mark.parametrize("data", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_hostile_is_unreadable_with_its_reason(service: Running, data: bytes) -> None:
    answer = check(service, data)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["verdict"], found["score"]) == ("unreadable", None)
    assert found["sha256"] == hashlib.sha256(data).hexdigest()
    assert found["unavailable"]


@pytest.mark.parametrize("data", ANY_ANSWER.values(), ids=ANY_ANSWER)
def test_what_is_broken_is_answered(service: Running, data: bytes) -> None:
    answer = check(service, data)
    assert answer.status_code == 200, answer.text
    assert answer.json()["verdict"] in {"authentic", "generated", "edited", "unsure", "unreadable"}


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_a_file_decides_nothing(service: Running, name: str) -> None:
    plain, named = check(service, examples.camera_jpeg()).json(), check(service, examples.camera_jpeg(), name)
    assert named.status_code == 200
    assert {key: named.json()[key] for key in ("verdict", "score", "kind")} == {key: plain[key] for key in ("verdict", "score", "kind")}
    assert "/" not in named.json()["path"]


def test_hostile_files_are_evidence_that_says_it_cannot_be_read(service: Running) -> None:
    shas = []
    for data in UNREADABLE.values():
        while (answer := service.client.post(EVIDENCE, files={"file": ("photo.jpg", data, "image/jpeg")})).status_code == 429:
            time.sleep(float(answer.headers["retry-after"]))
        assert answer.status_code in {200, 201}, answer.text
        shas.append(answer.json()["sha256"])
    until = time.monotonic() + 120
    for sha256 in shas:
        while (found := service.client.get(f"{EVIDENCE}/{sha256}").json())["status"] != "measured":
            assert time.monotonic() < until
            time.sleep(0.1)
        assert found["unreadable"], found
        assert all(each["value"] is None for each in found["measurements"] if each["signal"] in {"generated", "edited"})
    outside = {path for path in Path(service.home).rglob("*") if path.is_file() and path.suffix in {".bat", ".exe", ".html"}}
    assert outside == set()


def test_afterwards_an_honest_photo_is_judged_as_ever(service: Running) -> None:
    assert check(service, examples.camera_jpeg()).json()["verdict"] != "unreadable"
    assert service.client.get("/healthz").status_code == 200


@pytest.mark.shared
def test_real_photos_cut_and_joined_are_answered(service: Running, shelf: Path) -> None:
    files = sorted(path for path in (shelf / "data" / "images").rglob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"})
    assert files
    for place, path in enumerate(files[:: max(1, len(files) // FROM_THE_SHELF)]):
        data = path.read_bytes()
        cut = (data[: len(data) // 2], data[:200] + data[400:], data + b"PK\x03\x04" + bytes(100), data[::-1])[place % 4]
        assert check(service, cut).status_code == 200
