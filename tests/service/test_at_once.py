"""The same question from many callers at once: one decision, equal answers; the same identity with other payloads: one wins, the others are told."""

import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.risk.api.test_every_route import assert_error
from tests.risk.servers import Running, running
from tests.risk.stories import Body, crab_body, plain_body
from tests.service.rows import counted, rows_of

SCORE = "/v1/refund-requests/score"
CLIENTS = 50
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Given so that fifty clients do not read the machine's certificates fifty times."""


def at_once(addresses: list[str], key: str, path: str, bodies: list[Body]) -> list[httpx.Response]:
    """One call of its own connection for each body, all let go in the same moment, over the addresses in turn."""
    together = threading.Barrier(len(bodies))

    def ask(place: int) -> httpx.Response:
        with httpx.Client(
            base_url=addresses[place % len(addresses)], headers={"Authorization": f"Bearer {key}"}, timeout=120, verify=NO_TLS
        ) as client:
            client.get("/healthz")
            together.wait(60)
            return client.post(path, json=bodies[place])

    with ThreadPoolExecutor(len(bodies)) as callers:
        return list(callers.map(ask, range(len(bodies))))


def address(service: Running) -> str:
    return service.server.started.address


def test_fifty_equal_questions_are_one_decision(service: Running) -> None:
    body = crab_body("fifty")
    answers = at_once([address(service)], service.key, SCORE, [body] * CLIENTS)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    alone = service.client.post(SCORE, json=crab_body("alone", account_id="a twin", occurred_at=body["occurred_at"]))
    assert alone.status_code == 200
    assert rows_of(service.server.home.database, "fifty") == rows_of(service.server.home.database, "alone")


def test_of_fifty_payloads_under_one_identity_one_is_decided(service: Running) -> None:
    answers = at_once([address(service)], service.key, SCORE, [plain_body("contested", amount_minor=1_000 + number) for number in range(CLIENTS)])
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * (CLIENTS - 1)
    for answer in answers:
        if answer.status_code == 409:
            assert assert_error(answer, 409, "CONFLICT")["request_id"] == "contested"
    assert rows_of(service.server.home.database, "contested")["decisions"] == 1


def test_another_payload_afterwards_changes_nothing(service: Running) -> None:
    first = service.client.post(SCORE, json=(body := plain_body("settled")))
    before = counted(service.server.home.database)
    assert_error(service.client.post(SCORE, json=body | {"amount_minor": 1}), 409, "CONFLICT")
    assert counted(service.server.home.database) == before
    assert service.client.post(SCORE, json=body).content == first.content


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/labels"])
def test_an_event_that_many_tell_at_once_happened_once(service: Running, path: str) -> None:
    service.client.post(SCORE, json=plain_body("labelled"))
    body: Body = (
        {"order_id": "told", "account_id": "buyer-2", "occurred_at": "2026-01-01T00:00:00Z", "lines": [{"line_no": 1, "sku_id": "crab"}]}
        if path == "/v1/orders"
        else {"request_id": "labelled", "value": "abuse", "source": "chargeback", "occurred_at": "2026-01-02T00:00:00Z"}
    )
    answers = at_once([address(service)], service.key, path, [body] * 20)
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]


def test_two_services_over_one_store_decide_once(tmp_path: Path, empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFUND_RISK_DATABASE_URL", empty_url)
    with running(tmp_path) as one, running(tmp_path, one.key) as two:
        addresses = [address(one), address(two)]
        equal = at_once(addresses, one.key, SCORE, [crab_body("shared", occurred_at="2026-01-01T00:00:00Z")] * 20)
        assert {answer.status_code for answer in equal} == {200}
        assert len({answer.content for answer in equal}) == 1
        others = at_once(addresses, one.key, SCORE, [plain_body("both", amount_minor=number) for number in range(20)])
        assert sorted(answer.status_code for answer in others) == [200] + [409] * 19
        assert rows_of(two.server.home.database, "shared")["decisions"] == 1
