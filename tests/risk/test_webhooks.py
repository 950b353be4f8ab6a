"""Webhooks against a real receiver on both databases: signed, told once, sent again, given up, sent by one of several workers."""

import asyncio
import base64
import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Any

import pytest

from features.streams import micros
from risk import clock
from risk.api.dispatch import EACH, Dispatcher, Patience
from risk.client import verify_webhook
from risk.signature import NotGenuineError, secret_of, sign, verify
from risk.stores.database import Database
from risk.stores.outbox import Endpoint, Kind, Outbox
from tests.risk.receivers import Receiver, receiving

SECRET = partial(secret_of, b"k" * 32)
HASTY = Patience(timeout_s=0.5, first_s=0.2, factor=1.0, longest_s=0.2, attempts=3)


def an_outbox(database: Database, *urls: str, kinds: tuple[str, ...] = tuple(Kind)) -> Outbox:
    outbox = Outbox(database)
    for number, url in enumerate(urls):
        outbox.add(Endpoint(f"whe_{number}", url, kinds, number, None))
    return outbox


def tell(outbox: Outbox, subject: str, kind: Kind = Kind.FINAL) -> None:
    with outbox.database.writing() as connection:
        outbox.tell(connection, kind, subject, {"decision_id": subject}, clock.now())


def dispatch(outbox: Outbox, until: Callable[[], bool], patience: Patience = HASTY, workers: int = 1) -> None:
    """Run so many dispatchers until that holds."""

    async def run() -> None:
        tasks = [asyncio.create_task(Dispatcher(Outbox(outbox.database), SECRET, patience).work()) for _ in range(workers)]
        give_up = monotonic() + 60
        while not until():
            assert monotonic() < give_up
            await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(run())


def column(outbox: Outbox, name: str) -> list[Any]:
    with outbox.database.reading() as connection:
        return [value for (value,) in outbox.database.fetch(connection, f"SELECT {name} FROM webhook_messages ORDER BY message_id", ())]  # noqa: S608  # our own columns


def all_delivered(outbox: Outbox) -> bool:
    return all(value is not None for value in column(outbox, "delivered_us"))


def all_dead(outbox: Outbox) -> bool:
    return all(value is not None for value in column(outbox, "dead_us"))


def test_a_message_is_signed_and_says_nothing_twice(database: Database) -> None:
    with receiving() as receiver:
        outbox = an_outbox(database, receiver.address)
        for _ in range(2):
            tell(outbox, "dec_1")
        dispatch(outbox, lambda: all_delivered(outbox))
        ((headers, body),) = receiver.came
        assert verify_webhook(SECRET("whe_0"), headers, body) == json.loads(body)
        assert json.loads(body)["data"] == {"decision_id": "dec_1"}
        assert headers["webhook-id"].startswith("msg_")
        assert column(outbox, "attempts") == [1]


def test_only_those_who_want_it_are_told_and_none_who_was_removed(database: Database) -> None:
    outbox = an_outbox(database, "http://127.0.0.1:1/a", kinds=("appeal.verdict",))
    tell(outbox, "dec_1", Kind.MADE)
    assert column(outbox, "kind") == []
    tell(outbox, "apl_1", Kind.VERDICT)
    assert outbox.remove("whe_0", 5)
    assert [(each.failure, each.dead_us) for each in outbox.dead(10)] == [("the endpoint was removed", 5)]
    assert not outbox.remove("whe_0", 6)
    assert Outbox(database).endpoints() == ()


def test_what_is_rolled_back_is_told_to_nobody(database: Database) -> None:
    outbox = an_outbox(database, "http://127.0.0.1:1/a")
    with database.writing() as connection:
        outbox.tell(connection, Kind.FINAL, "dec_1", {}, clock.now())
        connection.rollback()
    assert column(outbox, "kind") == []


@pytest.mark.parametrize("statuses", [[500], [503, 429], [302, 404]])
def test_what_was_not_taken_is_sent_again_under_its_id(database: Database, statuses: list[int]) -> None:
    with receiving(list(statuses)) as receiver:
        outbox = an_outbox(database, receiver.address)
        tell(outbox, "dec_1")
        dispatch(outbox, lambda: all_delivered(outbox))
        assert len(receiver.came) == len(statuses) + 1
        assert len({headers["webhook-id"] for headers, _ in receiver.came}) == 1
        assert len({body for _, body in receiver.came}) == 1


def test_what_nobody_takes_is_given_up_and_may_be_sent_again(database: Database) -> None:
    with receiving([500] * 3) as receiver:
        outbox = an_outbox(database, receiver.address)
        tell(outbox, "dec_1")
        dispatch(outbox, lambda: all_dead(outbox))
        (dead,) = outbox.dead(10)
        assert (dead.attempts, dead.failure, len(receiver.came)) == (3, "answered 500", 3)
        assert outbox.again([dead.message_id, "msg_none"], micros(clock.now())) == 1
        dispatch(outbox, lambda: all_delivered(outbox))
        assert outbox.dead(10) == []


def test_a_receiver_that_is_gone_for_good_is_not_asked_again(database: Database) -> None:
    with receiving([410]) as receiver:
        outbox = an_outbox(database, receiver.address)
        tell(outbox, "dec_1")
        dispatch(outbox, lambda: all_dead(outbox))
        assert len(receiver.came) == 1


def test_a_receiver_that_is_down_gets_it_when_it_is_back(database: Database) -> None:
    with receiving() as receiver:
        port = int(receiver.address.rsplit(":", 1)[1])
    outbox = an_outbox(database, f"http://127.0.0.1:{port}/")
    tell(outbox, "dec_1")
    patient = Patience(timeout_s=0.5, first_s=0.2, factor=1.0, longest_s=0.2, attempts=100)
    dispatch(outbox, lambda: column(outbox, "attempts")[0] >= 2, patient)
    assert column(outbox, "failure")[0].startswith("not reached")
    with receiving(port=port) as back:
        dispatch(outbox, lambda: all_delivered(outbox), patient)
        assert len(back.came) == 1


def test_a_slow_receiver_holds_up_nobody_else(database: Database) -> None:
    with receiving(holds=30) as slow, receiving() as quick:
        outbox = an_outbox(database, slow.address, quick.address)
        for number in range(2 * EACH):
            tell(outbox, f"dec_{number}")
        began = monotonic()
        dispatch(outbox, lambda: len(quick.came) == 2 * EACH, Patience(timeout_s=5.0))
        assert monotonic() - began < 5.0
        assert len(slow.came) == EACH


def test_a_slow_answer_counts_as_none(database: Database) -> None:
    with receiving(holds=30) as slow:
        outbox = an_outbox(database, slow.address)
        tell(outbox, "dec_1")
        dispatch(outbox, lambda: all_dead(outbox))
        assert outbox.dead(10)[0].failure == "no answer within 0.5 s"


def test_several_workers_send_each_message_once(database: Database) -> None:
    with receiving() as receiver:
        outbox = an_outbox(database, receiver.address)
        for number in range(30):
            tell(outbox, f"dec_{number}")
        dispatch(outbox, lambda: all_delivered(outbox), workers=3)
        ids = [headers["webhook-id"] for headers, _ in receiver.came]
        assert (len(ids), len(set(ids))) == (30, 30)


def test_what_a_dead_worker_was_sending_is_sent_after_its_lease(database: Database) -> None:
    outbox = an_outbox(database, "http://127.0.0.1:1/")
    tell(outbox, "dec_1")
    now_us = micros(clock.now())
    assert len(outbox.claim("whe_0", now_us, now_us + 10, 5)) == 1
    assert outbox.claim("whe_0", now_us + 9, now_us + 20, 5) == []
    assert outbox.waiting(now_us + 9) == set()
    (again,) = outbox.claim("whe_0", now_us + 10, now_us + 20, 5)
    assert again.attempts == 2


def test_old_messages_are_dropped(database: Database) -> None:
    outbox = an_outbox(database, "http://127.0.0.1:1/")
    for subject in ("old", "open"):
        tell(outbox, subject)
    (message, _) = outbox.claim("whe_0", micros(clock.now()), 0, 5)
    outbox.delivered(message.message_id, 100)
    assert outbox.forget(100, 100) == 0
    assert outbox.forget(101, 0) == 1
    assert len(column(outbox, "kind")) == 1


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of the Standard Webhooks reference implementations."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    signature = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body)
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def now_s() -> float:
    return clock.now().timestamp()


def genuine(body: bytes = b"{}") -> dict[str, str]:
    stamp = int(now_s())
    return {"Webhook-Id": "m", "webhook-timestamp": str(stamp), "webhook-signature": "v1,AAAA " + sign(SECRET("e"), "m", stamp, body)}


@pytest.mark.parametrize(
    "change",
    [
        {"Webhook-Id": "other"},
        {"webhook-timestamp": str(int(now_s()) - 1)},
        {"webhook-timestamp": "soon"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1," + base64.b64encode(b"x" * 32).decode()},
        {"webhook-signature": "v1,é"},
    ],
)
def test_what_was_changed_is_not_genuine(change: dict[str, str]) -> None:
    assert verify(SECRET("e"), genuine(), b"{}", now_s()) == "m"
    with pytest.raises(NotGenuineError):
        verify(SECRET("e"), genuine() | change, b"{}", now_s())


def test_another_body_secret_or_age_is_not_genuine() -> None:
    for secret, body, age in (
        (SECRET("e"), b"{ }", 0),
        (SECRET("f"), b"{}", 0),
        (SECRET("e"), b"{}", 301),
        (SECRET("e"), b"{}", -301),
        ("whsec_é", b"{}", 0),
    ):
        with pytest.raises(NotGenuineError):
            verify(secret, genuine(), body, now_s() + age)
    with pytest.raises(NotGenuineError, match="lacks webhook-id"):
        verify(SECRET("e"), {}, b"{}", now_s())


def test_patience_grows_and_ends() -> None:
    patience = Patience()
    longest = sum(1.5 * min(patience.longest_s, patience.first_s * patience.factor**number) for number in range(patience.attempts - 1))
    assert timedelta(days=1) < timedelta(seconds=longest / 1.5) < timedelta(days=3)
    assert 0.5 * patience.first_s <= patience.pause_s(1) <= 1.5 * patience.first_s


def test_a_receiver_can_be_waited_for() -> None:
    with pytest.raises(AssertionError, match="0 of 1"):
        Receiver().wait_for(1, 0.1)
