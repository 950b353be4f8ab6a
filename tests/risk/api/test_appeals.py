"""Appeals over a real service on both databases: another person looks, everything is added, the overturned decision has a successor."""

from typing import Any

import httpx
import pytest

from risk.jobs.ledger_verify import verify_home
from risk.jobs.replay import replay_home
from tests.risk.api.test_every_route import assert_error
from tests.risk.servers import Running, another_key
from tests.risk.stories import crab_body

SCORE = "/v1/refund-requests/score"
WORDS = "They were dead when I opened the box."


def decided(service: Running, name: str, **more: object) -> dict[str, Any]:
    found: dict[str, Any] = service.client.post(SCORE, json=crab_body(name, account_id=f"of-{name}", **more)).json()
    return found


def file(service: Running, **body: object) -> httpx.Response:
    return service.client.post("/v1/appeals", json={"words": WORDS, "filed_by": "support-7", **body})


def judge(service: Running, appeal_id: str, verdict: str, by: str, more: dict[str, str] | None = None) -> httpx.Response:
    said: dict[str, object] = {"verdict": verdict, "by": by, "reason_code": "BUYER_HISTORY_GOOD", "words": "I looked at both videos."} | (more or {})
    return service.client.post(f"/v1/appeals/{appeal_id}/verdict", json=said)


def newest(service: Running, request_id: str) -> dict[str, Any]:
    found: dict[str, Any] = service.client.get(f"/v1/refund-requests/{request_id}").json()
    return found


def labels(service: Running, request_id: str) -> list[tuple[str, str]]:
    with service.server.home.database.reading() as connection:
        query = "SELECT source, value FROM labels WHERE request_id = ? ORDER BY known_us"
        return service.server.home.database.fetch(connection, query, (request_id,))  # type: ignore[return-value]  # two texts


def test_an_overturned_decision_is_superseded_by_a_persons(service: Running) -> None:
    before = decided(service, "overturned")
    appeal = file(service, decision_id=before["decision_id"])
    assert appeal.status_code == 201, appeal.text
    assert (appeal.json()["state"], appeal.json()["words"], appeal.json()["request_id"]) == ("open", WORDS, "overturned")
    told = judge(service, appeal.json()["appeal_id"], "overturned", "mei")
    assert (told.status_code, told.json()["state"]) == (201, "overturned")
    after = newest(service, "overturned")
    assert (after["action"], after["supersedes"], after["provisional"]) == ("approve", before["decision_id"], False)
    assert [reason["code"] for reason in after["reasons"]] == ["APPEAL_OVERTURNED"]
    assert "mei" in after["reasons"][0]["detail"]
    assert WORDS not in str(after)
    assert told.json()["verdicts"][0]["decision_id"] == after["decision_id"]
    assert service.client.get(f"/v1/decisions/{before['decision_id']}").json()["superseded_by"] == after["decision_id"]
    assert labels(service, "overturned") == [("appeal", "honest")]
    assert service.client.get(f"/v1/appeals/{appeal.json()['appeal_id']}").json() == told.json()


def test_an_upheld_decision_stays_and_labels(service: Running) -> None:
    before = decided(service, "upheld")
    appeal_id = file(service, request_id="upheld").json()["appeal_id"]
    assert judge(service, appeal_id, "upheld", "mei").json()["state"] == "upheld"
    assert newest(service, "upheld")["decision_id"] == before["decision_id"]
    assert labels(service, "upheld") == [("appeal", "abuse")]


def test_more_evidence_leaves_it_open_and_the_same_person_may_go_on(service: Running) -> None:
    decided(service, "more")
    appeal_id = file(service, request_id="more").json()["appeal_id"]
    assert judge(service, appeal_id, "more_evidence", "mei").json()["state"] == "more_evidence"
    assert labels(service, "more") == []
    assert appeal_id in {each["appeal_id"] for each in service.client.get("/v1/appeals", params={"open": 1, "limit": 200}).json()["appeals"]}
    closed = judge(service, appeal_id, "overturned", "mei").json()
    assert [each["verdict"] for each in closed["verdicts"]] == ["more_evidence", "overturned"]
    assert appeal_id not in {each["appeal_id"] for each in service.client.get("/v1/appeals?open").json()["appeals"]}
    assert appeal_id in {each["appeal_id"] for each in service.client.get("/v1/appeals", params={"limit": 200}).json()["appeals"]}


def test_the_second_look_is_another_persons(service: Running) -> None:
    decided(service, "judged")
    label = {"request_id": "judged", "value": "abuse", "source": "verdict", "by": "ana"}
    assert service.client.post("/v1/labels", json=label).status_code == 201
    appeal_id = file(service, request_id="judged").json()["appeal_id"]
    for person in ("ana", "support-7"):
        assert assert_error(judge(service, appeal_id, "overturned", person), 409, "CONFLICT")["field"] == "by"
    assert judge(service, appeal_id, "upheld", "mei").status_code == 201
    again = file(service, request_id="judged", words="Look again.").json()["appeal_id"]
    assert judge(service, again, "overturned", "mei").status_code == 409
    assert judge(service, again, "overturned", "li").status_code == 201
    assert labels(service, "judged") == [("verdict", "abuse"), ("appeal", "abuse"), ("appeal", "honest")]


def test_filed_or_said_twice_is_once(service: Running) -> None:
    decided(service, "twice")
    first, again = file(service, request_id="twice"), file(service, request_id="twice")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert_error(file(service, request_id="twice", words="Other words."), 409, "CONFLICT")
    appeal_id = first.json()["appeal_id"]
    said = [judge(service, appeal_id, "overturned", "mei") for _ in range(2)]
    assert [answer.status_code for answer in said] == [201, 200]
    assert said[0].json() == said[1].json()
    assert_error(judge(service, appeal_id, "upheld", "li"), 409, "CONFLICT")
    keyed = [
        service.client.post("/v1/appeals", json={"request_id": "twice", "words": "!", "filed_by": "x"}, headers={"Idempotency-Key": "apl"})
        for _ in "ab"
    ]
    assert keyed[0].content == keyed[1].content


def test_only_the_newest_final_decision_can_be_appealed_against(service: Running) -> None:
    first = decided(service, "revised")
    decided(service, "revised", revision=2, amount_minor=100)
    assert assert_error(file(service, decision_id=first["decision_id"]), 409, "CONFLICT")["field"] == "decision_id"
    assert_error(file(service, decision_id="dec_none"), 404, "NOT_FOUND")
    assert_error(file(service, request_id="nobody"), 404, "NOT_FOUND")
    assert file(service, request_id="revised").status_code == 201


@pytest.mark.parametrize("change", [{"reason_code": "NO_SUCH_CODE"}, {"verdict": "maybe"}, {"words": ""}, {"by": ""}])
def test_a_verdict_that_says_nothing_is_refused(service: Running, change: dict[str, str]) -> None:
    decided(service, "unsaid")
    appeal_id = file(service, request_id="unsaid").json()["appeal_id"]
    assert assert_error(judge(service, appeal_id, "upheld", "mei", change), 422, "CONTRACT")["field"] == next(iter(change))
    assert_error(judge(service, "apl_none", "upheld", "mei"), 404, "NOT_FOUND")


def test_who_may_file_may_not_judge(service: Running) -> None:
    decided(service, "scoped")
    appeal_id = file(service, request_id="scoped").json()["appeal_id"]
    headers = {"Authorization": f"Bearer {another_key(service, 'events')}"}
    assert service.stranger.get(f"/v1/appeals/{appeal_id}", headers=headers).status_code == 403
    assert service.stranger.post(f"/v1/appeals/{appeal_id}/verdict", headers=headers, json={}).status_code == 403


def test_the_ledger_holds_and_knows_a_persons_word(service: Running) -> None:
    decided(service, "in-the-ledger")
    judge(service, file(service, request_id="in-the-ledger").json()["appeal_id"], "overturned", "mei")
    assert verify_home(service.home).ok
    report = replay_home(service.home)
    assert report.ok
    assert report.by_people >= 1
    with service.server.home.database.reading() as connection:
        bodies = service.server.home.database.fetch(connection, "SELECT record FROM decisions", ())
    assert all(WORDS.encode() not in bytes(body) for (body,) in bodies)
