from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from tests.risk.servers import Running
from tests.risk.stories import Body, crab_body, plain_body

SCORE = "/v1/refund-requests/score"


def rows(service: Running, table: str) -> int:
    with service.server.home.database.reading() as connection:
        return int(connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one())  # noqa: S608  # our own table


def codes(answer: dict[str, Any]) -> set[str]:
    return {reason["code"] for reason in answer["reasons"]}


def test_the_answer_has_the_agreed_shape(service: Running) -> None:
    answer = service.client.post(SCORE, json=plain_body("shape")).json()
    assert list(answer) == [
        "decision_id",
        "request_id",
        "action",
        "score",
        "rank_value",
        "reasons",
        "versions",
        "degraded",
        "provisional",
        "supersedes",
        "superseded_by",
    ]
    assert answer["versions"].keys() == {"code", "catalogue", "model", "policy"}
    assert list(answer["reasons"][0]) == ["code", "family", "analyst", "buyer", "detail"]


def test_without_a_model_a_person_looks(service: Running) -> None:
    answer = service.client.post(SCORE, json=plain_body("no-model")).json()
    assert (answer["action"], answer["score"], "NO_SCORE" in codes(answer)) == ("review", None, True)
    assert service.client.get("/healthz").json()["model"] == "none"


def test_the_contradiction_of_the_crabs_is_found_with_its_arithmetic(service: Running) -> None:
    answer = service.client.post(SCORE, json=crab_body("crabs")).json()
    found = next(reason for reason in answer["reasons"] if reason["code"] == "EVIDENCE_CONTRADICTS_CLAIM")
    assert found["detail"].startswith("3 male + 4 female = 7 needed, 6 claimed")


def test_the_honest_twin_has_no_contradiction(service: Running) -> None:
    answer = service.client.post(SCORE, json=crab_body("twin", second=(2, 4))).json()
    assert codes(answer) == {"NO_SCORE"}


def test_evidence_of_different_items_is_not_held_against_each_other(service: Running) -> None:
    assert codes(service.client.post(SCORE, json=crab_body("unsaid", same_items=None)).json()) == {"NO_SCORE"}


def test_claiming_more_than_was_ordered_is_scored_not_refused(service: Running) -> None:
    body = crab_body("greedy", claim_lines=[{"line_no": 1, "quantity": 9}, {"line_no": 7, "quantity": 1}], amount_minor=30_000)
    answer = service.client.post(SCORE, json=body)
    assert answer.status_code == 200
    details = {reason["code"]: reason["detail"] for reason in answer.json()["reasons"]}
    assert details["CLAIM_AMOUNT_EXCEEDS_ORDER"] == "300.00 claimed, the order cost 195.00"
    assert "CLAIM_EXCEEDS_ORDER" in details


def test_texts_come_in_either_language(service: Running) -> None:
    body = plain_body("lang")
    english = service.client.post(SCORE, json=body).json()
    asked = service.client.post(SCORE, json=body, params={"lang": "zh"}).json()
    preferred = service.client.post(SCORE, json=body, headers={"Accept-Language": "fr, zh-CN;q=0.9"}).json()
    for chinese in (asked, preferred):
        assert chinese["reasons"][0]["analyst"] == "没有可用的评分，由人工决定。"
        assert chinese["decision_id"] == english["decision_id"]
    assert english["reasons"][0]["analyst"].startswith("There is no score")
    assert service.client.post(SCORE, params={"lang": "xx"}, json=plain_body("lang")).status_code == 422


def test_asked_again_the_same_bytes_come_back(service: Running) -> None:
    body = crab_body("again")
    first = service.client.post(SCORE, json=body)
    assert service.client.post(SCORE, json=dict(reversed(body.items()))).content == first.content
    stored = service.client.get(f"/v1/decisions/{first.json()['decision_id']}")
    assert stored.content == first.content
    chinese = service.client.get(f"/v1/decisions/{first.json()['decision_id']}", params={"lang": "zh"})
    assert chinese.json()["decision_id"] == first.json()["decision_id"]


def test_the_same_identity_with_another_payload_conflicts_and_changes_nothing(service: Running) -> None:
    body = plain_body("conflict")
    service.client.post(SCORE, json=body)
    before = rows(service, "timeline_events"), rows(service, "decisions")
    answer = service.client.post(SCORE, json={**body, "amount_minor": 1})
    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["field"]) == (409, "CONFLICT", "revision")
    assert answer.json()["error"]["request_id"] == "conflict"
    assert (rows(service, "timeline_events"), rows(service, "decisions")) == before


def test_another_identifier_is_another_payload(service: Running) -> None:
    body = plain_body("links", links=[{"entity_type": "card", "entity_id": "4000 0000"}])
    service.client.post(SCORE, json=body)
    body["links"] = [{"entity_type": "card", "entity_id": "4000 0001"}]
    assert service.client.post(SCORE, json=body).status_code == 409


def test_a_later_revision_supersedes_and_an_earlier_one_comes_too_late(service: Running) -> None:
    first = service.client.post(SCORE, json=plain_body("rev", amount_minor=1)).json()
    third = service.client.post(SCORE, json=plain_body("rev", amount_minor=3, revision=3)).json()
    assert (first["supersedes"], third["supersedes"]) == (None, first["decision_id"])
    assert service.client.post(SCORE, json=plain_body("rev", amount_minor=2, revision=2)).status_code == 409


def test_fifty_at_once_get_one_decision(service: Running) -> None:
    body, before = crab_body("fifty"), rows(service, "decisions")

    def ask(_: int) -> bytes:
        return service.client.post(SCORE, json=body).content

    with ThreadPoolExecutor(16) as pool:
        answers = set(pool.map(ask, range(50)))
    assert len(answers) == 1
    assert rows(service, "decisions") == before + 1


def test_different_payloads_at_once_leave_one_and_refuse_the_others(service: Running) -> None:
    def ask(amount: int) -> int:
        return service.client.post(SCORE, json=plain_body("race", amount_minor=amount)).status_code

    with ThreadPoolExecutor(16) as pool:
        statuses = sorted(pool.map(ask, range(1, 21)))
    assert statuses == [200] + [409] * 19


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"occurred_at": "2999-01-01T00:00:00Z"}, "occurred_at"),
        ({"occurred_at": "2026-01-01T00:00:00"}, "occurred_at"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"amount_minor": -1}, "amount_minor"),
        ({"amount_minor": 10**13}, "amount_minor"),
        ({"amount_minor": 1.5}, "amount_minor"),
        ({"amount_minor": True}, "amount_minor"),
        ({"currency": "yuan"}, "currency"),
        ({"claim_type": "sad"}, "claim_type"),
        ({"revision": 0}, "revision"),
        ({"request_id": ""}, "request_id"),
        ({"request_id": "x" * 129}, "request_id"),
        ({"amount": 5}, "amount"),
        ({"text": "x" * 10_001}, "text"),
        ({"attributes": {"ratio": "x" * 257}}, "attributes"),
        ({"links": [{"entity_type": "device"}]}, "links.0"),
        ({"links": [{"entity_type": "seller", "entity_id": "s"}]}, "links.0"),
        ({"links": [{"entity_type": "card", "entity_id": "a", "hashed_id": "b"}]}, "links.0"),
        ({"evidence": [{"sha256": "short", "kind": "photo"}]}, "evidence.0.sha256"),
        ({"claim_lines": [{"line_no": 1}, {"line_no": 1}]}, "claim_lines"),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else each,
)
def test_what_does_not_hold_is_named_and_nothing_changes(service: Running, change: Body, field: str) -> None:
    before = rows(service, "decisions"), rows(service, "timeline_events")
    answer = service.client.post(SCORE, json=plain_body("bad", **change) if "request_id" not in change else {**plain_body("bad"), **change})
    assert answer.status_code == 422, answer.text
    assert str(answer.json()["error"]["field"]).startswith(field)
    assert (rows(service, "decisions"), rows(service, "timeline_events")) == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"order_id": "other"}, "order.order_id"),
        ({"account_id": "other"}, "order.account_id"),
        ({"claim_lines": [{"line_no": 1, "sku_id": "lobster"}]}, "claim_lines.0.sku_id"),
    ],
)
def test_a_contradiction_of_the_caller_is_refused(service: Running, change: Body, field: str) -> None:
    body = crab_body("contradiction")
    body["order"]["account_id"] = "buyer-1"
    answer = service.client.post(SCORE, json={**body, **change})
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


def test_an_error_does_not_repeat_personal_values(service: Running) -> None:
    answer = service.client.post(SCORE, json=plain_body("leak", links=[{"entity_type": "person", "entity_id": "+86 138 0000 0000"}]))
    assert answer.status_code == 422
    assert "138" not in answer.text


def test_raw_identifiers_and_words_stay_out_of_the_ledger(service: Running) -> None:
    service.client.post(SCORE, json=crab_body("private"))
    with service.server.home.database.reading() as connection:
        records = b"".join(connection.execute(text("SELECT record FROM decisions")).scalars())
        linked = " ".join(connection.execute(text("SELECT entity_id FROM timeline_events")).scalars())
    for secret in ("PHONE-OF-BUYER", "203.0.113.7", "六只都死了"):
        assert secret.encode() not in records
        assert secret not in linked


def test_an_unknown_decision_is_not_found(service: Running) -> None:
    answer = service.client.get("/v1/decisions/dec_none")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


def test_figures_count_decisions_and_refusals(service: Running) -> None:
    service.client.post(SCORE, json=plain_body("counted"))
    service.client.get("/v1/decisions/dec_none")
    text_ = service.stranger.get("/metrics").text
    assert 'refund_risk_decisions_total{action="review"}' in text_
    assert 'refund_risk_errors_total{status="404"}' in text_
    assert "buyer-2" not in text_


def test_the_catalogue_is_served(service: Running) -> None:
    features = service.client.get("/v1/features").json()["features"]
    assert {"name", "family", "unit", "meaning", "missing", "reason"} <= features[0].keys()


def test_the_wording_and_the_files_of_a_claim_tie_it_to_others(service: Running) -> None:
    text, photo = "The crabs were dead when I opened the box!", {"sha256": "ab" * 32, "kind": "photo"}
    first = plain_body("wording-1", account_id="acc_wording_1", text=text, evidence=[photo])
    second = plain_body("wording-2", account_id="acc_wording_2", text=text.upper(), evidence=[photo])
    for body in (first, second):
        assert service.client.post(SCORE, json=body).status_code == 200
    codes = {reason["code"] for reason in service.client.post(SCORE, json=second).json()["reasons"]}
    assert "IMAGE_SHARED" in codes


def test_a_null_character_is_refused_in_an_identifier_and_left_out_of_words(service: Running) -> None:
    for change in ({"request_id": "r\x00"}, {"account_id": "a\x00b"}, {"links": [{"entity_type": "card", "hashed_id": "c\x00"}]}):
        answer = service.client.post(SCORE, json=plain_body("null") | change)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "CONTRACT")
    assert service.client.post(SCORE, json=plain_body("null", text="six\x00 died")).status_code == 200
