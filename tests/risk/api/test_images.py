"""Checking a picture over HTTP: the same answer as on the command line, bounded, and nothing is kept."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from features.image import examples
from risk import clock
from risk.api import errors
from risk.api.calls import Gate
from risk.api.images import WAITING, Checks, ImageRoutes, InMemory
from risk.api.metrics import Metrics
from risk.api.upload import OVERHEAD
from risk.jobs.serve import listen
from risk.keys import Scope, all_keys, make_key
from risk.stores.database import open_sqlite
from tests.risk.image_models import bright_photo, dark_photo, patched_photo, small_models
from tests.risk.servers import Running

CHECK = "/v1/images/check"
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def checks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checks]:
    folder = tmp_path_factory.mktemp("models")
    made = Checks(1, small_models(folder), folder / "no tower")
    yield made
    made.close()


@pytest.fixture(scope="module")
def client(checks: Checks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The route alone, with real keys in a real database."""
    database = open_sqlite(tmp_path_factory.mktemp("store") / "risk.db", 1000)
    key = make_key(database, "tests", (Scope.EVIDENCE,), clock.now())
    app = FastAPI()
    errors.install(app, Metrics())
    app.include_router(ImageRoutes(Gate(lambda: all_keys(database), clock.now, 1 << 18, 1000), checks).router())
    with listen("127.0.0.1", 0) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=120) as made:
            yield made
        server.should_exit = True
        thread.join()
    database.close()


def test_one_photo_one_answer(client: httpx.Client) -> None:
    for data, verdict in ((dark_photo(), "authentic"), (bright_photo(), "generated"), (patched_photo(), "edited")):
        answer = client.post(CHECK, files={"file": ("crab.jpg", data, "image/jpeg")}, params={"read": "0"})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert (body["verdict"], body["path"], body["kind"]) == (verdict, "crab.jpg", "photo")
        assert 0 <= body["score"] <= 1
        assert body["texts"].keys() >= {finding["code"] for finding in body["findings"]}


def test_bytes_that_are_no_picture_are_an_answer_too(client: httpx.Client) -> None:
    for data, reason in ((b"no picture", "not_decodable"), (dark_photo()[:3000], "broken")):
        body = client.post(CHECK, files={"file": ("a.jpg", data)}, params={"read": "0"}).json()
        assert (body["verdict"], body["score"], body["standing_on"]) == ("unreadable", None, [reason])


def test_the_order_is_compared(client: httpx.Client) -> None:
    order = json.dumps({"ordered": {"male": 2}, "observed": {"crab.jpg": {"male": 3}}})
    files = {"file": ("some/where/crab.jpg", dark_photo()), "order": (None, order)}
    body = client.post(CHECK, files=files, params={"read": "0"}).json()
    assert body["path"] == "crab.jpg"
    assert "IMAGE_COUNT_MISMATCH" in {finding["code"] for finding in body["findings"]}


def test_texts_come_in_the_language_asked_for_and_a_page_where_html_is(client: httpx.Client) -> None:
    files = {"file": ("crab.jpg", patched_photo())}
    body = client.post(CHECK, files=files, params={"read": "0", "lang": "zh"}).json()
    assert all(re.search("[一-鿿]", text) for text in body["texts"].values())
    shown = client.post(CHECK, files=files, params={"read": "0"}, headers={"Accept": "text/html"})
    assert shown.headers["content-type"].startswith("text/html")
    assert "<h2>Edited" in shown.text


def test_words_in_the_picture_are_read_unless_told_not_to(client: httpx.Client) -> None:
    from features.image import visible_marks

    label = next(example for example in visible_marks.EXAMPLES if example.low == 0.7).make()
    body = client.post(CHECK, files={"file": ("label.jpg", label)}).json()
    assert "IMAGE_VISIBLE_AI_LABEL" in {finding["code"] for finding in body["findings"]}
    assert "visible_marks" not in client.post(CHECK, files={"file": ("label.jpg", label)}, params={"read": "0"}).json()["versions"]


@pytest.mark.parametrize(
    ("send", "status", "code"),
    [
        (lambda ask: ask(json={}), 415, "MEDIA_TYPE"),
        (lambda ask: ask(content=b"x", headers={"Content-Type": "multipart/form-data"}), 415, "MEDIA_TYPE"),
        (lambda ask: ask(content=b"--b\r\n", headers={"Content-Type": "multipart/form-data; boundary=b"}), 400, "MALFORMED"),
        (lambda ask: ask(files={"other": ("a.jpg", b"a")}), 422, "CONTRACT"),
        (lambda ask: ask(files={"order": (None, "{}")}), 400, "MALFORMED"),
        (lambda ask: ask(files={"file": ("a.jpg", b"a"), "order": (None, "{")}), 422, "CONTRACT"),
        (lambda ask: ask(files={"file": ("a.jpg", b"a"), "order": (None, "1" * (OVERHEAD + 1))}), 413, "TOO_LARGE"),
        (lambda ask: ask(files={"file": ("a.jpg", b"a")}, params={"read": "yes"}), 422, "CONTRACT"),
        (lambda ask: ask(files={"file": ("a.jpg", b"a")}, params={"lang": "xx"}), 422, "CONTRACT"),
        (lambda ask: ask(files={"file": ("a.jpg", b"a")}, headers={"Authorization": "Bearer rr_wrong"}), 401, "NOT_ALLOWED"),
    ],
)
def test_what_does_not_hold_is_refused_in_one_shape(client: httpx.Client, send: Callable[[Ask], Any], status: int, code: str) -> None:
    answer = send(lambda **given: client.post(CHECK, **given))
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["code"] == code


def test_a_file_that_grows_too_large_is_refused_while_it_comes() -> None:
    taken = InMemory(10)
    taken.write(b"12345")
    with pytest.raises(errors.TooLargeError, match="more than 10 bytes"):
        taken.write(b"678901")
    assert bytes(taken.data) == b"12345"


def test_more_calls_than_may_wait_are_told_to_come_back(client: httpx.Client, checks: Checks) -> None:
    inspector = checks._idle.get()  # nobody looks meanwhile
    try:
        with ThreadPoolExecutor(WAITING + 4) as pool:
            asked = [pool.submit(client.post, CHECK, files={"file": ("a.jpg", dark_photo())}, params={"read": "0"}) for _ in range(WAITING + 4)]
            release = threading.Timer(3.0, checks._idle.put, (inspector,))
            release.start()
            codes = sorted(each.result().status_code for each in asked)
    finally:
        release.join()
    assert codes == [200] * WAITING + [429] * 4


def test_a_running_service_checks_pictures_and_keeps_nothing(start: Callable[..., Running], tmp_path: Path) -> None:
    service = start()
    before = {path for path in (tmp_path / "home").rglob("*") if path.is_file()}
    began = time.perf_counter()
    answer = service.client.post(CHECK, files={"file": ("camera.jpg", examples.camera_jpeg())}, params={"read": "0"}, timeout=120)
    assert time.perf_counter() - began < 120
    assert answer.status_code == 200, answer.text
    assert answer.json()["verdict"] in {"authentic", "unsure"}
    assert {path for path in (tmp_path / "home").rglob("*") if path.is_file()} == before
    operation = service.stranger.get("/openapi.json").json()["paths"][CHECK]["post"]
    assert "multipart/form-data" in operation["requestBody"]["content"]
