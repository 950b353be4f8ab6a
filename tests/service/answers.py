"""A story that gets every answer which the OpenAPI document names from running services, by asking what its examples ask.

python -m tests.service.answers     # writes the answers down as the document's examples: risk/api/examples.json
"""

import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from features.image import examples as pictures
from features.streams import micros
from risk import clock
from risk.api import evidence
from risk.api.examples import ANY, FILE
from risk.jobs.home_rings import build_from
from risk.jobs.load_history import load_tables
from risk.jobs.purge import purge_home
from risk.jobs.train import train
from risk.stores.outbox import Endpoint, Kind, Outbox
from tests.graph.ring_stories import ring_world
from tests.risk.jobs.labelled_shop import a_shop
from tests.risk.servers import Running, another_key, running
from tests.service.routes import PLACES

Answers = dict[str, dict[str, Any]]

LONGEST, LINES = 2, 8
"""Entries of a list and lines of a text that are written down; the others are like them."""
LIMITED = {"REFUND_RISK_CALLS_PER_SECOND": "10", "REFUND_RISK_BUSY_TIMEOUT_MS": "100"}
PHOTO = {"file": ("crab.jpg", pictures.camera_jpeg(), "image/jpeg")}
FEW = {"orders": "OrderEventBody", "deliveries": "DeliveryEventBody", "links": "LinkEventBody", "refunds": "RefundBody"}


@dataclass
class Story:
    """Asks a service and notes down what it said, by operation and status; of two like ones the first."""

    service: Running
    answers: Answers = field(default_factory=lambda: defaultdict(dict))
    document: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        """Read the document of the service."""
        self.document = self.service.stranger.get("/openapi.json").json()

    def ask(self, operation: str, *places: str, noted: str | None = None, key: str | None = None, **given: Any) -> Any:  # noqa: ANN401  # JSON
        """Call it with these in the places of its path; what it says. `noted`: for what it is noted down when not for the operation."""
        method, _, path = operation.partition(" ")
        for place in places:
            path = path[: path.index("{")] + place + path[path.index("}") + 1 :]
        client = self.service.client if key is None else self.service.stranger
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        answer = client.request(method, path, timeout=120, headers=headers | given.pop("headers", {}), **given)
        kind = answer.headers["content-type"].partition(";")[0]
        told = answer.json() if kind == "application/json" else answer.text
        if kind in {"application/json", "text/plain"} and (noted != ANY or answer.is_error):
            self.answers[noted or operation].setdefault(str(answer.status_code), told)
        return told

    def twice(self, operation: str, body: Any, *places: str, other: Answers | None = None) -> Any:  # noqa: ANN401  # JSON
        """Send a body twice, then with these `other` words, and another one under the first one's idempotency key; what was said first."""
        once = {"Idempotency-Key": operation.replace(" ", "-")}
        told = self.ask(operation, *places, json=body, headers=once)
        self.ask(operation, *places, json=body)
        if other is not None:
            self.ask(operation, *places, json={**body, **other})
        self.ask(operation, *places, content=json.dumps(body, indent=1), headers={**once, "Content-Type": "application/json"})
        return told

    def example(self, schema: str) -> Any:  # noqa: ANN401  # JSON
        """The first example of a body."""
        return self.document["components"]["schemas"][schema]["examples"][0]


def a_refund(story: Story) -> None:
    """An order, what became of it, a refund request, an appeal against its decision, and what it turned out to be."""
    for path, name in FEW.items():
        story.twice(f"POST /v1/{path}", story.example(name), other={"amount_minor": 1} if path in {"orders", "refunds"} else None)
    decision = story.twice("POST /v1/refund-requests/score", story.example("RefundRequestBody"), other={"amount_minor": 1})
    for name, found in (("request_id", "req-1"), ("request_id", "req-none")):
        story.ask(f"GET /v1/refund-requests/{{{name}}}", found)
    for found in (decision["decision_id"], "dec-none"):
        story.ask("GET /v1/decisions/{decision_id}", found)
    appeal = story.twice("POST /v1/appeals", story.example("AppealBody"), other={"words": "I insist."})["appeal_id"]
    story.ask("POST /v1/appeals", json={**story.example("AppealBody"), "request_id": "req-none"})
    for path in ("GET /v1/appeals/{appeal_id}", "POST /v1/appeals/{appeal_id}/verdict"):
        story.ask(path, "apl_none", json=story.example("VerdictBody") if path.startswith("POST") else None)
    story.twice("POST /v1/appeals/{appeal_id}/verdict", story.example("VerdictBody"), appeal, other={"verdict": "upheld"})
    story.ask("GET /v1/appeals/{appeal_id}", appeal)
    story.ask("GET /v1/appeals")
    story.twice("POST /v1/labels", story.example("LabelBody"))
    story.ask("POST /v1/labels", json={**story.example("LabelBody"), "request_id": "req-none"})
    story.twice("POST /v1/events", [*story.example("BulkEvents"), {"type": "unknown"}])


def a_ring(story: Story) -> None:
    """Rings, one in full, what is around a device, and a judgement."""
    database = story.service.server.home.database
    load_tables(ring_world(), database, None)
    build_from(database, clock.now())
    ring = story.ask("GET /v1/rings")["rings"][0]["ring_id"]
    for name in (ring, "ring_none"):
        story.ask("POST /v1/judgements", json={**story.example("JudgementBody"), "ring_id": name})
        story.ask("GET /v1/rings/{ring_id}", name)
    story.twice("POST /v1/judgements", {**story.example("JudgementBody"), "ring_id": ring})
    story.ask("GET /v1/entities/{entity_type}/{entity_id}/neighbourhood", "device", "ring-device")
    story.ask("GET /v1/entities/{entity_type}/{entity_id}/neighbourhood", "device", "unused")


def a_photo(story: Story) -> None:
    """A file that is sent, measured, looked at, checked and purged; and one that never came."""
    for name in PLACES["sha256"], "0" * 64:
        story.ask("GET /v1/evidence/{sha256}", name)
    sha256 = story.ask("POST /v1/evidence", files=PHOTO)["sha256"]
    until = time.monotonic() + 120
    while story.service.client.get(f"/v1/evidence/{sha256}").json()["status"] != "measured":
        assert time.monotonic() < until
        time.sleep(0.1)
    story.ask("POST /v1/evidence", files=PHOTO)
    story.ask("GET /v1/evidence/{sha256}", sha256)
    for name in (sha256, "0" * 64):
        story.ask("GET /v1/evidence/{sha256}/file", name, params={"why": "The buyer objects."})
    story.ask("GET /v1/evidence/{sha256}/reads", sha256)
    story.ask("POST /v1/images/check", files=PHOTO, params={"read": "0"})
    purge_home(story.service.home, timedelta(0))
    story.ask("GET /v1/evidence/{sha256}/file", sha256, params={"why": "The buyer objects."})


def refusals(story: Story) -> None:
    """What any operation may refuse, each once."""
    score = "POST /v1/refund-requests/score"
    story.ask("GET /v2/nothing", noted=ANY)
    asks: list[dict[str, Any]] = [
        {"content": b"{", "headers": {"Content-Type": "application/json"}},
        {"content": b"{}", "headers": {"Content-Type": "text/plain"}},
        {"json": {"request_id": "x" * 300_000}},
        {"json": {"request_id": "req-2", "occurred_at": "yesterday"}},
        {"json": {}, "key": "rr_wrong"},
        {"json": {}, "key": another_key(story.service, "labels")},
    ]
    for given in asks:
        story.ask(score, noted=ANY, **given)

    def slowly() -> Iterator[bytes]:
        yield b"--x\r\n"
        time.sleep(2)
        yield b"--x--\r\n"

    with pytest.MonkeyPatch.context() as hasty:
        hasty.setattr(evidence, "UPLOAD_S", 1.0)
        story.ask("POST /v1/evidence", noted=ANY, content=slowly(), headers={"Content-Type": "multipart/form-data; boundary=x"})


def the_service(story: Story) -> None:
    """What it says of itself, and a message that nobody takes."""
    for path in ("/healthz", "/readyz", "/metrics", "/v1/features"):
        story.ask(f"GET {path}")
    outbox = Outbox(story.service.server.home.database)
    outbox.add(Endpoint("whe_1", "http://127.0.0.1:1/", (Kind.FINAL,), 0, None))
    with outbox.database.writing() as connection:
        outbox.tell(connection, Kind.FINAL, "dec_1", {"decision_id": "dec_1"}, clock.now())
    outbox.remove("whe_1", micros(clock.now()))
    story.ask("GET /v1/webhooks/dead")


def no_more(story: Story) -> None:
    """A caller who calls too often, a store that somebody keeps to himself, and one that is not at this code's revision."""
    while story.answers[ANY].get("429") is None:
        story.ask("GET /v1/features", noted=ANY)
    time.sleep(1)
    database = story.service.server.home.database
    with database.writing():
        story.ask("POST /v1/orders", noted=ANY, json=story.example("OrderEventBody"))
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    story.ask("GET /readyz")


def told(folder: Path) -> Story:
    """Every answer: of a service that decides with a model, and of a small one that is asked too much."""
    shop = a_shop(folder / "shop")
    train(shop.folder, folder / "home" / "model", features=shop.features)
    with running(folder / "home") as service:
        story = Story(service)
        for part in (the_service, a_ring, a_photo, a_refund, refusals):
            part(story)
    with pytest.MonkeyPatch.context() as environment:
        for name, value in LIMITED.items():
            environment.setenv(name, value)
        with running(folder / "limited") as service:
            no_more(Story(service, story.answers))
    return story


def shortened(said: Any) -> Any:  # noqa: ANN401  # JSON
    """The same with lists and texts that a reader can take in."""
    match said:
        case dict():
            return {name: shortened(value) for name, value in said.items()}
        case list():
            return [shortened(each) for each in said[:LONGEST]]
        case str():
            return "".join(said.splitlines(keepends=True)[:LINES])
    return said


def main() -> None:
    """Tell the story and write its answers down."""
    with tempfile.TemporaryDirectory() as folder:
        answers = shortened(told(Path(folder)).answers)
    FILE.write_text(json.dumps(answers, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
