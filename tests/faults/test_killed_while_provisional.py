"""The service is killed while a provisional decision waits for its photo: after the start the final one follows without a hand, exactly once."""

import os
import random
import signal
import time
from typing import Any

from features.image import examples
from risk.ledger import Ledger
from risk.ledger_chain import verify
from risk.stores.database import open_database
from risk.stores.history import History
from tests.faults.answers import SCORE, until
from tests.faults.conftest import Serve
from tests.faults.test_disks import EVIDENCE, wait_measured
from tests.faults.test_image_worker_killed import lookers
from tests.risk.stories import plain_body
from tests.service.processes import Process

FINAL_S = 60
"""Far less than the ten minutes after which a final decision is made without its photo: it was measured."""
RANDOM_KILLS = 2


def send(service: Process, seed: int) -> str:
    with service.client(120) as client:
        sent = client.post(EVIDENCE, files={"file": ("photo.jpg", examples.jpeg(examples.scene(seed=seed)), "image/jpeg")})
    assert sent.status_code == 201, sent.text
    return str(sent.json()["sha256"])


def hurried(service: Process, request_id: str, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was asked with a photo that came just now, in a hurry, and the answer."""
    body = plain_body(request_id) | {"occurred_at": "2026-01-01T00:00:00Z", "evidence": [{"sha256": send(service, seed), "kind": "photo"}]}
    with service.client() as client:
        answer = client.post(SCORE, json=body, headers={"Deadline-Ms": "1"})
    assert answer.status_code == 200, answer.text
    return body, answer.json()


def final(service: Process, request_id: str) -> dict[str, Any]:
    """Its newest decision, once that is final."""
    with service.client() as client:

        def newest() -> dict[str, Any]:
            found: dict[str, Any] = client.get(f"/v1/refund-requests/{request_id}").json()
            return found

        until(lambda: not newest()["provisional"], FINAL_S, f"no final decision of {request_id} came")
        return newest()


def killed_in_the_look(service: Process) -> dict[str, Any]:
    """The photo is being looked at, and that cannot end, when everything is killed; the provisional answer."""
    wait_measured(service, send(service, 700))
    (looker,) = lookers(service)
    os.kill(looker, signal.SIGSTOP)
    _, first = hurried(service, "in the look", 701)
    service.kill()
    os.kill(looker, signal.SIGKILL)  # it has a process group of its own
    return first


def test_what_waits_for_its_photo_is_decided_once_after_a_kill(empty_url: str, serve_home: Serve) -> None:
    environment = {"REFUND_RISK_DATABASE_URL": empty_url}
    service = serve_home(**environment)
    key = service.key
    firsts = {"in the look": killed_in_the_look(service)}
    bodies = {}
    for turn in range(RANDOM_KILLS):
        service = serve_home(key=key, **environment)
        name = f"at random {turn}"
        bodies[name], firsts[name] = hurried(service, name, 710 + turn)
        time.sleep(random.uniform(0, 1.5))  # noqa: S311  # a moment of nobody's choosing
        service.kill()
    assert firsts["in the look"]["provisional"]
    service = serve_home(key=key, **environment)
    finals = {name: final(service, name) for name in firsts}
    for name, first in firsts.items():
        if first["provisional"]:
            assert (finals[name]["supersedes"], finals[name]["degraded"]) == (first["decision_id"], []), name
        else:
            assert finals[name] == first
    with service.client() as client:
        assert {name: client.post(SCORE, json=body).json() for name, body in bodies.items()} == {name: finals[name] for name in bodies}
    decided_once(empty_url, firsts)


def decided_once(url: str, firsts: dict[str, dict[str, Any]]) -> None:
    """The ledger holds each provisional decision and one final one, nothing waits, and the chain is whole."""
    database = open_database(url, 20_000)
    try:
        assert verify(Ledger(History(database)).links()).ok
        with database.reading() as connection:
            counted = dict(database.fetch(connection, "SELECT request_id, COUNT(*) FROM decisions GROUP BY request_id", ()))
            assert database.fetch(connection, "SELECT request_id FROM pending_decisions", ()) == []
        assert counted == {name: 1 + first["provisional"] for name, first in firsts.items()}
    finally:
        database.close()
