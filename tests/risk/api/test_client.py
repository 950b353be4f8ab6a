"""The client against a real service: same answers either way, refusals as errors, and again when the service is away for a moment."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest

from data_contracts.errors import ContractError
from risk.client import Answer, AsyncClient, CallError, Client
from risk.jobs.serve import RunningServer, serve
from tests.risk.servers import Running
from tests.risk.stories import crab_body, plain_body


@pytest.fixture
def client(service: Running) -> Iterator[Client]:
    with Client(service.server.started.address, service.key) as made:
        yield made


def test_a_score_is_the_answer_of_the_service_to_the_byte(service: Running, client: Client) -> None:
    body = crab_body("client-crabs")
    answer = client.score(body)
    assert answer.raw == service.client.post("/v1/refund-requests/score", json=body).content
    assert (answer.action, answer.score) == ("review", None)
    assert "EVIDENCE_CONTRADICTS_CLAIM" in {reason.code for reason in answer.reasons}
    assert client.decision(answer.decision_id) == answer
    assert client.decision(answer.decision_id, lang="zh").reasons[0].buyer != answer.reasons[0].buyer


def test_both_clients_give_equal_answers(service: Running, client: Client) -> None:
    bodies = [plain_body(f"both-{number}") for number in range(8)]

    async def ask() -> list[Answer]:
        async with AsyncClient(service.server.started.address, service.key) as other:
            return list(await asyncio.gather(*(other.score(body) for body in bodies)))

    assert asyncio.run(ask()) == [client.score(body) for body in bodies]


def test_events_say_whether_they_were_new(client: Client) -> None:
    order = {"order_id": "client-order", "occurred_at": "2026-10-01T10:00:00Z", "account_id": "a", "amount_minor": 100, "currency": "EUR"}
    assert [client.order(order), client.order(order)] == [True, False]
    client.score(plain_body("client-labelled"))
    label = {"request_id": "client-labelled", "value": "honest", "source": "analyst", "occurred_at": "2026-10-02T10:00:00Z"}
    assert [client.label(label), client.label(label)] == [True, False]


def test_a_refusal_carries_code_field_and_status(service: Running, client: Client) -> None:
    with pytest.raises(CallError) as refused:
        client.score(plain_body("refused") | {"amount_minor": -1})
    assert (refused.value.code, refused.value.field, refused.value.status) == ("CONTRACT", "amount_minor", 422)
    with Client(service.server.started.address, "rr_wrong") as stranger, pytest.raises(CallError, match="NOT_ALLOWED"):
        stranger.decision("dec_x")


def test_nobody_there_is_said_after_all_tries() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    with Client(address, "rr_x", tries=2) as client, pytest.raises(CallError, match="UNREACHABLE") as refused:
        client.score({})
    assert refused.value.status is None


def test_a_service_that_comes_back_is_asked_again(start: Callable[..., Running], tmp_path: Path) -> None:
    """The service is stopped; its successor opens the same port and answers the call that waits."""
    first = start()
    body = plain_body("patient")
    port = int(first.server.started.address.rsplit(":", 1)[1])
    with Client(first.server.started.address, first.key) as client:
        before = client.score(body)
    first.server.stop()
    with ThreadPoolExecutor(1) as later, Client(first.server.started.address, first.key, tries=12) as client:
        waiting = later.submit(client.score, body)
        second = successor(tmp_path / "home", port)
        thread = Thread(target=second.wait)
        thread.start()
        try:
            assert waiting.result(timeout=60) == before
        finally:
            second.stop()
            thread.join()


def successor(home: Path, port: int) -> RunningServer:
    until = monotonic() + 30
    while True:
        try:
            return serve(home, port=port)
        except ContractError as error:  # the port is not free yet
            if monotonic() > until:
                raise
            assert error.field == "port"  # noqa: PT017  # anything else is a failure
            sleep(0.2)


def test_it_tells_events_of_every_kind(client: Client) -> None:
    when = "2026-10-01T10:00:00Z"
    client.score(plain_body("client-events"))
    told = (
        (client.delivery, {"order_id": "client-scan", "status": "delivered", "occurred_at": when}),
        (client.refund, {"refund_id": "client-refund", "request_id": "client-events", "occurred_at": when}),
        (client.link, {"entity_type": "device", "entity_id": "CLIENT-DEVICE", "account_id": "a", "occurred_at": when}),
    )
    for tell, body in told:
        assert [tell(body), tell(body)] == [True, False]
        assert [tell(body, key=f"key-{tell.__name__}") for _ in range(2)] == [False, False]
    taken = client.events([{"type": "order", "order_id": "client-bulk", "occurred_at": when}, {"type": "nothing"}])
    assert (taken.new, taken.refused, taken.items[0].new) == (1, 1, True)
    assert taken.items[1].error is not None
    assert taken.items[1].error.code == "CONTRACT"


def test_an_appeal_from_filing_to_verdict(client: Client) -> None:
    answer = client.score(crab_body("client-appeal"))
    appeal = client.appeal({"decision_id": answer.decision_id, "words": "Look again.", "filed_by": "support"})
    assert client.read_appeal(appeal.appeal_id) == appeal
    assert appeal in client.appeals(limit=200).appeals
    said = {"verdict": "overturned", "by": "mei", "reason_code": "BUYER_HISTORY_GOOD", "words": "So it is."}
    after = client.verdict(appeal.appeal_id, said)
    assert (after.state, after.verdicts[0].by) == ("overturned", "mei")
    newest = client.newest("client-appeal")
    assert (newest.action, newest.supersedes, newest.decision_id) == ("approve", answer.decision_id, after.verdicts[0].decision_id)
    assert client.decision(answer.decision_id).superseded_by == newest.decision_id


def test_all_tries_together_take_no_longer_than_they_may() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(8)
        began = monotonic()
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with Client(address, "rr_x", timeout_s=5.0, tries=50, total_s=0.8) as client, pytest.raises(CallError, match="UNREACHABLE"):
            client.decision("dec_x")
        assert monotonic() - began < 3.0


def test_both_clients_offer_the_same_calls() -> None:
    def offered(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert offered(Client) == offered(AsyncClient)
