"""A scoring call with a deadline: a provisional answer in time, the final one by itself, over a real service on both databases."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from features.image import examples
from tests.risk.api.test_every_route import assert_error
from tests.risk.servers import Running, running
from tests.risk.stories import plain_body

SCORE = "/v1/refund-requests/score"
PROMPT = {"Deadline-Ms": "40"}


def send(service: Running, seed: int) -> str:
    data = examples.jpeg(examples.scene(seed=seed), 90)
    sent = service.client.post("/v1/evidence", files={"file": ("photo.jpg", data, "image/jpeg")}, timeout=120)
    assert sent.status_code == 201, sent.text
    sha256: str = sent.json()["sha256"]
    return sha256


def shown(request_id: str, *shas: str, **more: object) -> dict[str, Any]:
    said = plain_body(request_id, **more)
    return said | {"occurred_at": "2026-01-01T00:00:00Z", "evidence": [{"sha256": sha256, "kind": "photo"} for sha256 in shas]}


def newest(service: Running, request_id: str) -> dict[str, Any]:
    """The newest decision, once it is final."""
    for _ in range(900):
        found: dict[str, Any] = service.client.get(f"/v1/refund-requests/{request_id}").json()
        if not found["provisional"]:
            return found
        time.sleep(0.1)
    pytest.fail("no final decision came")


def test_a_provisional_answer_comes_in_time_and_the_final_one_by_itself(service: Running) -> None:
    body = shown("hurried", send(service, 501))
    began = time.perf_counter()
    first = service.client.post(SCORE, json=body, headers=PROMPT).json()
    assert time.perf_counter() - began < 20.0  # not 40 ms on a busy machine, but no look is waited for
    assert (first["provisional"], first["action"], first["supersedes"]) == (True, "review", None)
    assert "EVIDENCE_PENDING" in {reason["code"] for reason in first["reasons"]}
    assert service.client.post(SCORE, json=body).json()["request_id"] == "hurried"
    final = newest(service, "hurried")
    assert (final["supersedes"], final["degraded"]) == (first["decision_id"], [])
    assert "EVIDENCE_PENDING" not in {reason["code"] for reason in final["reasons"]}
    assert service.client.post(SCORE, json=body, headers=PROMPT).json() == final
    told = service.client.get(f"/v1/decisions/{first['decision_id']}").json()
    assert (told["superseded_by"], told["action"]) == (final["decision_id"], first["action"])
    assert service.client.get(f"/v1/decisions/{final['decision_id']}").json() == final
    chinese = service.client.get("/v1/refund-requests/hurried", params={"lang": "zh"}).json()
    assert chinese["decision_id"] == final["decision_id"]


def test_the_deadline_is_no_part_of_the_identity(service: Running) -> None:
    body = plain_body("identity")
    answers = [service.client.post(SCORE, json=body | more).content for more in ({}, {"deadline_ms": 50}, {"deadline_ms": 60_000})]
    assert len(set(answers)) == 1


def test_what_is_measured_already_is_decided_finally_at_once(service: Running) -> None:
    sha256 = send(service, 502)
    newest_of = shown("patient", sha256)
    while service.client.get(f"/v1/evidence/{sha256}").json()["status"] != "measured":
        time.sleep(0.1)
    assert not service.client.post(SCORE, json=newest_of, headers=PROMPT).json()["provisional"]
    assert not service.client.post(SCORE, json=shown("never sent", "f" * 64), headers=PROMPT).json()["provisional"]


@pytest.mark.parametrize("said", ["0", "-5", "soon", "60001", "1e3", "٣"])
def test_a_header_that_is_no_deadline_is_refused(service: Running, said: str) -> None:
    answer = service.client.post(SCORE, json=shown("refused", "e" * 64), headers={"Deadline-Ms": said.encode()})
    assert assert_error(answer, 422, "CONTRACT")["field"] == "Deadline-Ms"
    wrong = service.client.post(SCORE, json=plain_body("refused") | {"deadline_ms": 0})
    assert assert_error(wrong, 422, "CONTRACT")["field"] == "deadline_ms"


def test_a_request_that_was_never_decided_is_not_found(service: Running) -> None:
    assert_error(service.client.get("/v1/refund-requests/nobody"), 404, "NOT_FOUND")


def test_two_workers_make_each_final_decision_once(service: Running) -> None:
    """The second worker runs over the same store; both look for what is due, one of them finds it."""
    with running(service.home, service.key) as other, ThreadPoolExecutor(4) as callers:
        bodies = [shown(f"shared-{number}", send(service, 510 + number)) for number in range(4)]
        asked = [(service, other)[number % 2] for number in range(4)]
        firsts = list(callers.map(lambda pair: pair[0].client.post(SCORE, json=pair[1], headers=PROMPT).json(), zip(asked, bodies, strict=True)))
        finals = [newest(other, body["request_id"]) for body in bodies]
    assert [final["supersedes"] or final["decision_id"] for final in finals] == [first["decision_id"] for first in firsts]
    with service.server.home.database.reading() as connection:
        query = "SELECT request_id, COUNT(*) FROM decisions WHERE request_id LIKE 'shared-%' GROUP BY request_id"
        counted = dict(service.server.home.database.fetch(connection, query, ()))
        assert service.server.home.database.fetch(connection, "SELECT request_id FROM pending_decisions", ()) == []
    assert counted == {first["request_id"]: 1 + first["provisional"] for first in firsts}


def test_what_waited_when_the_service_stopped_is_finished_after_its_start(start: Callable[..., Running]) -> None:
    first = start()
    body = shown("interrupted", send(first, 530))
    answer = first.client.post(SCORE, json=body, headers=PROMPT).json()
    assert answer["provisional"]
    first.server.stop()
    second = start(key=first.key)
    assert newest(second, "interrupted")["supersedes"] == answer["decision_id"]
