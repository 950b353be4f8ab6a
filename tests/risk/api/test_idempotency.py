"""`Idempotency-Key` on every call that changes something: the same bytes again, across callers, threads, restarts and workers."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest

from features.streams import micros
from risk.api.documented import ONCE, OPERATIONS
from risk.api.once import KEEP
from risk.clock import now
from risk.stores.database import Database
from risk.stores.idempotency import Bound, Idempotency, Kept
from tests.risk.api.test_every_route import assert_error
from tests.risk.servers import Running, another_key, running
from tests.risk.stories import ago, plain_body

WHEN = ago(days=2)
CALLS: list[tuple[str, Any]] = [
    ("/v1/refund-requests/score", plain_body("once")),
    ("/v1/orders", {"order_id": "once", "occurred_at": WHEN}),
    ("/v1/deliveries", {"order_id": "once", "status": "delivered", "occurred_at": WHEN}),
    ("/v1/refunds", {"refund_id": "once", "order_id": "once", "occurred_at": WHEN}),
    ("/v1/links", {"entity_type": "device", "entity_id": "ONCE-DEVICE", "account_id": "once", "occurred_at": WHEN}),
    ("/v1/labels", {"request_id": "once", "value": "honest", "source": "verdict", "occurred_at": WHEN}),
    ("/v1/events", [{"type": "order", "order_id": "once-of-many", "occurred_at": WHEN}]),
]


def call(client: httpx.Client, path: str, body: Any, key: str, **headers: str) -> httpx.Response:  # noqa: ANN401  # JSON
    return client.post(path, json=body, headers={"Idempotency-Key": key, **headers})


def test_every_call_that_changes_something_takes_a_key() -> None:
    without = {path for (method, path), said in OPERATIONS.items() if method != "get" and ONCE not in said.asks}
    assert without == {"/v1/evidence", "/v1/images/check"}, "bytes name themselves, and a check changes nothing"


@pytest.mark.parametrize(("path", "body"), CALLS, ids=[path for path, _ in CALLS])
def test_the_same_call_gets_the_same_answer_and_another_one_none(service: Running, path: str, body: Any) -> None:  # noqa: ANN401  # JSON
    first, again = (call(service.client, path, body, f"key of {path}".replace(" ", "-")) for _ in range(2))
    assert first.status_code in {200, 201}, first.text
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
    other = body | {"extra": 1} if isinstance(body, dict) else []
    if isinstance(body, dict):
        assert call(service.client, path, other, "fresh").status_code == 422
        changed = {**body, "occurred_at": ago(days=3)}
        assert_error(call(service.client, path, changed, f"key-of-{path}"), 409, "CONFLICT")
    else:
        assert_error(call(service.client, path, other, f"key-of-{path}"), 409, "CONFLICT")


def test_a_key_is_its_callers_own(service: Running) -> None:
    key = another_key(service, "events")
    body = {"order_id": "shared-key", "occurred_at": WHEN}
    assert call(service.client, "/v1/orders", body, "one").status_code == 201
    assert call(service.stranger, "/v1/orders", {"order_id": "other", "occurred_at": WHEN}, "one", Authorization=f"Bearer {key}").status_code == 201


def test_a_key_stands_for_one_path_and_query(service: Running) -> None:
    body = plain_body("one-path")
    assert call(service.client, "/v1/refund-requests/score", body, "path").status_code == 200
    assert call(service.client, "/v1/refund-requests/score?lang=zh", body, "path").status_code == 409
    assert call(service.client, "/v1/orders", {"order_id": "path", "occurred_at": WHEN}, "path").status_code == 409


def test_a_refusal_frees_its_key(service: Running) -> None:
    label = {"request_id": "not-yet", "value": "honest", "source": "verdict", "occurred_at": WHEN}
    assert call(service.client, "/v1/labels", label, "refused").status_code == 404
    service.client.post("/v1/refund-requests/score", json=plain_body("not-yet"))
    assert call(service.client, "/v1/labels", label, "refused").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "ключ"])
def test_what_can_be_no_key_is_refused(service: Running, key: str) -> None:
    answer = service.client.post("/v1/orders", json={"order_id": "badly-keyed", "occurred_at": WHEN}, headers={"Idempotency-Key": key.encode()})
    assert assert_error(answer, 422, "CONTRACT")["field"] == "Idempotency-Key"


def test_callers_at_once_get_one_answer(service: Running) -> None:
    """Two workers over one store, many threads, one key: one order is new, and everybody is told the same."""
    with running(service.home, service.key) as other, ThreadPoolExecutor(8) as callers:
        for number in range(5):
            body = {"order_id": f"at-once-{number}", "occurred_at": WHEN}
            asked = callers.map(
                lambda turn, body=body: call((service, other)[turn % 2].client, "/v1/orders", body, f"at-once-{body['order_id']}"), range(8)
            )  # type: ignore[misc]  # bound on purpose
            answers = list(asked)
            assert {(answer.status_code, answer.content) for answer in answers} == {(answers[0].status_code, answers[0].content)}


def test_of_different_payloads_at_once_one_wins(service: Running) -> None:
    with ThreadPoolExecutor(8) as callers:
        bodies = [{"order_id": f"race-{number}", "occurred_at": WHEN} for number in range(8)]
        answers = list(callers.map(lambda body: call(service.client, "/v1/orders", body, "race"), bodies))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]
    with service.server.home.database.reading() as connection:
        assert service.server.home.database.fetch(connection, "SELECT COUNT(*) FROM orders WHERE order_id LIKE 'race-%'", ()) == [(1,)]


def test_the_answer_outlives_a_restart(start: Callable[..., Running]) -> None:
    first = start()
    body = {"order_id": "restarted", "occurred_at": WHEN}
    answer = call(first.client, "/v1/orders", body, "restart")
    first.server.stop()
    again = call(start(key=first.key).client, "/v1/orders", body, "restart")
    assert (again.status_code, again.content, again.headers["idempotency-replayed"]) == (201, answer.content, "true")


def test_a_call_that_died_before_its_answer_is_made_again(database: Database) -> None:
    store, bound = Idempotency(database), Bound("shop", "k", "p")
    assert store.bind(bound, 1) is None
    assert store.bind(bound, 2) is None  # whoever bound it is dead, or just as far: the call is safe to make twice
    assert store.settle(bound, Kept(201, b"first")) == Kept(201, b"first")
    assert store.settle(bound, Kept(200, b"second")) == Kept(201, b"first")
    store.free(bound)
    assert store.bind(bound, 3) == Kept(201, b"first")


def test_keys_are_kept_for_a_while_only(database: Database) -> None:
    store, moment = Idempotency(database), now()
    for age in (KEEP + timedelta(seconds=1), KEEP - timedelta(minutes=1)):
        store.bind(Bound("shop", str(age), "p"), micros(moment - age))
    assert store.forget(micros(moment - KEEP)) == 1
