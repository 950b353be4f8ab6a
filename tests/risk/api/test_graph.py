"""Rings, surroundings and judgements over HTTP, from a real store of each kind."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from data_contracts.label import LabelSource, LabelValue
from data_contracts.link import EntityType
from graph.judgements import Judgement, Subject, Verdict
from graph.neighbourhood import MOST_NODES
from risk import clock
from risk.jobs.home_rings import build_from
from risk.jobs.load_history import load_tables
from risk.stores.history import History
from risk.stores.ring_builds import AGAIN, RingBuilds
from tests.graph.histories import history, link, request
from tests.graph.ring_stories import ring_world
from tests.risk.api.test_every_route import assert_error
from tests.risk.servers import Running

DEVICE = "/v1/entities/device/ring-device/neighbourhood"


@pytest.fixture(scope="module")
def linked(service: Running) -> Running:
    """The service after a ring and a hub of a thousand accounts came to its store."""
    database = service.server.home.database
    hub = history([request("r", "a0", 0)], [link(f"h{number}", "locker", number / 10, "address") for number in range(1_000)])
    load_tables(ring_world(), database, None)
    load_tables(hub, database, None)
    return service


def test_before_the_first_build_there_is_none(service: Running) -> None:
    assert service.client.get("/v1/rings").json() == {"as_of": None, "total": 0, "next": None, "rings": []}
    assert_error(service.client.get("/v1/rings/ring_x"), 404, "NOT_FOUND")


def test_rings_are_listed_told_and_judged(linked: Running) -> None:
    database = linked.server.home.database
    first = build_from(database, clock.now())
    assert (first.listed, first.kept) == (1, True)
    page = linked.client.get("/v1/rings", params={"limit": 1}).json()
    ring = page["rings"][0]
    assert (page["total"], page["next"], sorted(ring["members"])) == (1, None, ["m0", "m1", "m2", "m3"])
    assert any("device" in sentence for sentence in ring["sentences"])
    body = {"subject": "ring", "ring_id": ring["ring_id"], "verdict": "refuted", "by": "mei", "why": "One kitchen, four brothers."}
    assert linked.client.post("/v1/judgements", json=body).status_code == 201
    told = linked.client.get(f"/v1/rings/{ring['ring_id']}").json()
    assert (told["judgements"][0]["by"], told["history"][0]["turn"]) == ("mei", "born")
    build_from(database, clock.now())
    assert linked.client.get("/v1/rings").json()["total"] == 0
    assert linked.client.get("/v1/rings", params={"all": 1}).json()["rings"][0]["verdict"] == "refuted"


def test_a_confirmed_ring_labels_its_members_requests_at_once(linked: Running) -> None:
    database = linked.server.home.database
    history = History(database)
    build_from(database, clock.now())
    ring_id = linked.client.get("/v1/rings", params={"all": 1}).json()["rings"][0]["ring_id"]
    body = {"subject": "ring", "ring_id": ring_id, "verdict": "confirmed", "by": "mei", "why": "All four wrote the same words."}
    said = linked.client.post("/v1/judgements", json=body)
    assert said.status_code == 201
    with database.reading() as connection:
        found = [label for name in ("rm0", "rm2") for label in history.labels(connection, name) if label.source is LabelSource.ANALYST]
    assert [(label.request_id, label.value) for label in found if label.value is LabelValue.ABUSE] == [("rm2", LabelValue.ABUSE)]
    assert linked.client.get(f"/v1/rings/{ring_id}").json()["judgements"][-1]["verdict"] == "confirmed"


def test_a_judgement_that_comes_twice_is_one(linked: Running) -> None:
    """Under one key it is one answer, in whatever worker; sent again without a key, or after a crash before the answer, it is one judgement."""
    database = linked.server.home.database
    body = {"subject": "entity", "entity_type": "address", "entity_id": "twice", "verdict": "refuted", "by": "mei", "why": "A parcel locker."}

    def judge(body: dict[str, str], **headers: str) -> httpx.Response:
        return linked.client.post("/v1/judgements", json=body, headers=headers)

    def kept() -> int:
        with database.reading() as connection:
            return sum(each.entity_id == "twice" for each in RingBuilds(database).judgements(connection))

    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda _: judge(body, **{"Idempotency-Key": "a-judgement"}), range(8)))
    assert {(answer.status_code in (200, 201), answer.content) for answer in answers} == {(True, answers[0].content)}
    assert kept() == 1
    again = judge(body)
    assert (again.status_code, again.content, kept()) == (200, answers[0].content, 1)
    assert_error(judge(body | {"verdict": "unsure"}, **{"Idempotency-Key": "a-judgement"}), 409, "CONFLICT")
    assert judge(body | {"verdict": "unsure"}).status_code == 201
    assert (judge(body).status_code, kept()) == (201, 3), "a change of mind and back is said"


def test_the_same_words_much_later_are_said_again(linked: Running) -> None:
    builds = RingBuilds(linked.server.home.database)
    first = Judgement(
        subject=Subject.ENTITY, entity_type=EntityType.CARD, entity_id="later", verdict=Verdict.REFUTED, by="mei", why="A gift card.", at=clock.now()
    )
    assert builds.judge(first) == first
    soon, later = (replace(first, at=first.at + AGAIN + wait) for wait in (-timedelta(seconds=1), timedelta()))
    assert builds.judge(soon) == first
    assert builds.judge(later) == later


def test_surroundings_are_bounded_and_have_places(linked: Running) -> None:
    view = linked.client.get(DEVICE).json()
    assert {node["id"] for node in view["nodes"]} == {"ring-device", "ring-card", "m0", "m1", "m2", "m3"}
    assert all(abs(node["x"]) <= 1 and abs(node["y"]) <= 1 for node in view["nodes"])
    hub = linked.client.get("/v1/entities/address/locker/neighbourhood", params={"limit": 20}).json()
    assert len(hub["nodes"]) == 20 <= MOST_NODES
    assert hub["nodes"][0]["uses"] == 1_000
    assert hub["left_out"] + hub["unread"] + 19 == 1_000
    early = linked.client.get(DEVICE, params={"as_of": "2026-01-03T02:30:00Z"}).json()
    assert {node["id"] for node in early["nodes"]} == {"ring-device", "m0"}
    unknown = linked.client.get("/v1/entities/account/nobody/with/slashes/neighbourhood").json()
    assert [node["id"] for node in unknown["nodes"]] == ["nobody/with/slashes"]


def test_a_refuted_link_leads_nowhere(linked: Running) -> None:
    body = {"subject": "entity", "entity_type": "card", "entity_id": "ring-card", "verdict": "refuted", "by": "mei", "why": "A company card."}
    before = clock.now()
    assert linked.client.post("/v1/judgements", json=body).status_code == 201
    card = "/v1/entities/card/ring-card/neighbourhood"
    assert len(linked.client.get(card).json()["nodes"]) == 1
    assert len(linked.client.get(card, params={"as_of": before.isoformat()}).json()["nodes"]) > 1
    assert {edge["weight"] for edge in linked.client.get(DEVICE).json()["edges"] if edge["id"] == "ring-card"} <= {0.0}


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/rings?limit=0", "limit"),
        ("/v1/rings?offset=-1", "offset"),
        ("/v1/rings?limit=²", "limit"),
        (f"{DEVICE}?hops=5", "hops"),
        (f"{DEVICE}?limit=301", "limit"),
        (f"{DEVICE}?as_of=yesterday", "as_of"),
        (f"{DEVICE}?as_of=2026-01-01T00:00:00", "as_of"),
        ("/v1/entities/sku/x/neighbourhood", "type"),
        ("/v1/entities/person/x/neighbourhood", "entity_type"),
    ],
)
def test_bad_questions_are_refused_by_field(service: Running, path: str, field: str) -> None:
    assert assert_error(service.client.get(path), 422, "CONTRACT")["field"] == field


def test_the_future_is_not_known(service: Running) -> None:
    later = (clock.now() + timedelta(days=1)).isoformat()
    assert assert_error(service.client.get(DEVICE, params={"as_of": later}), 422, "CONTRACT")["field"] == "as_of"


@pytest.mark.parametrize(
    "change",
    [{"ring_id": None}, {"why": " "}, {"verdict": "maybe"}, {"subject": "entity"}, {"until": "2020-01-01T00:00:00Z"}, {"ring_id": "ring_none"}],
)
def test_an_incomplete_judgement_is_refused(linked: Running, change: dict[str, object]) -> None:
    build_from(linked.server.home.database, clock.now())
    ring_id = linked.client.get("/v1/rings", params={"all": 1}).json()["rings"][0]["ring_id"]
    body = {"subject": "ring", "ring_id": ring_id, "verdict": "unsure", "by": "mei", "why": "Let us see."} | change
    answer: httpx.Response = linked.client.post("/v1/judgements", json=body)
    assert answer.status_code in (404, 422)
    assert_error(answer, answer.status_code, "NOT_FOUND" if answer.status_code == 404 else "CONTRACT")
