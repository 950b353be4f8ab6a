"""Callers who ask as fast as they are answered, and remember what they were told."""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.risk.stories import Body, crab_body
from tests.service.processes import Process

SCORE, ORDERS, LABELS, EVENTS = "/v1/refund-requests/score", "/v1/orders", "/v1/labels", "/v1/events"
PAUSE_S = 0.2
"""How long a caller who was refused waits before she asks for something else."""
REFUSED = {429, 503}
"""Asked to come again: nothing was done."""


@dataclass
class Told:
    """What callers know. `answered`: by request id the body and the answer; `in_doubt`: asked, and nobody answered.

    `events` and `events_in_doubt`: the same of calls with several events, by the key of the call.
    """

    answered: dict[str, tuple[Body, bytes]] = field(default_factory=dict)
    events: dict[str, tuple[list[Body], bytes]] = field(default_factory=dict)
    events_in_doubt: dict[str, list[Body]] = field(default_factory=dict)
    labels: dict[str, Body] = field(default_factory=dict)
    in_doubt: dict[str, Body] = field(default_factory=dict)
    refused: dict[str, Body] = field(default_factory=dict)
    labels_in_doubt: dict[str, Body] = field(default_factory=dict)
    surprises: list[str] = field(default_factory=list)


def a_body(number: int | str) -> Body:
    """A request with an order, two videos, links and a text, of one of a few accounts."""
    account = f"account {int(str(number).split()[-1]) % 7}"
    return crab_body(f"r {number}", account_id=account, occurred_at="2026-01-02T00:00:00Z")


def a_caller(service: Process, told: Told, numbers: Iterator[int], stop: threading.Event) -> None:
    """Score, tell an order and a refund in one call, label; until nobody answers."""
    with service.client(20) as client:
        while not stop.is_set():
            number = next(numbers)
            body = a_body(number)
            try:
                _score(client, told, body)
                _tell(client, told, number, body)
                if body["request_id"] in told.answered and number % 3 == 0:
                    _label(client, told, body["request_id"])
            except httpx.TransportError:
                return


def _score(client: httpx.Client, told: Told, body: Body) -> None:
    told.in_doubt[body["request_id"]] = body
    answer = client.post(SCORE, json=body)
    if answer.status_code == httpx.codes.OK:
        told.answered[body["request_id"]] = (body, answer.content)
    elif answer.status_code in REFUSED:
        told.refused[body["request_id"]] = body
        time.sleep(PAUSE_S)
    else:
        told.surprises.append(f"{answer.status_code}: {answer.text}")
    del told.in_doubt[body["request_id"]]


def _tell(client: httpx.Client, told: Told, number: int, body: Body) -> None:
    when, key = "2026-01-01T00:00:00Z", f"call-{number}"
    order: Body = {"type": "order", "order_id": f"o {number}", "account_id": body["account_id"], "occurred_at": when, "links": body["links"]}
    refund: Body = {"type": "refund", "refund_id": f"f {number}", "order_id": f"o {number}", "occurred_at": when}
    told.events_in_doubt[key] = [order, refund]
    answer = tell_again(client, key, told.events_in_doubt[key])
    if answer.status_code == httpx.codes.OK:
        told.events[key] = (told.events_in_doubt.pop(key), answer.content)
    elif answer.status_code not in REFUSED:
        told.surprises.append(f"{answer.status_code}: {answer.text}")


def tell_again(client: httpx.Client, key: str, events: list[Body]) -> httpx.Response:
    """The same call, under the same key."""
    return client.post(EVENTS, json=events, headers={"Idempotency-Key": key})


def _label(client: httpx.Client, told: Told, request_id: str) -> None:
    label: Body = {"request_id": request_id, "value": "abuse", "source": "chargeback", "occurred_at": "2026-01-03T00:00:00Z"}
    told.labels_in_doubt[request_id] = label
    answer = client.post(LABELS, json=label)
    if answer.status_code == httpx.codes.CREATED:
        told.labels[request_id] = label
    elif answer.status_code in REFUSED:
        return  # the database may have kept it and died before it could say so
    else:
        told.surprises.append(f"{answer.status_code}: {answer.text}")
    del told.labels_in_doubt[request_id]


@contextmanager
def under_load(service: Process, told: Told, first: int, callers: int = 6) -> Iterator[None]:
    """Callers ask while the block runs; they end with it, or when the service does."""
    stop = threading.Event()
    numbers = itertools.count(first)
    threads = [threading.Thread(target=a_caller, args=(service, told, numbers, stop)) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
