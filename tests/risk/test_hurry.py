"""The demo's third story, told over a real service."""

from collections.abc import Callable
from time import sleep

from risk.client import Client
from risk.hurry import hurry, receiver_of, receiving
from risk.stores.outbox import FRESH_S
from tests.risk.servers import Running


def test_a_caller_in_a_hurry_hears_of_the_final_decision(start: Callable[..., Running]) -> None:
    service = start()
    with receiving() as (address, letters), Client(service.server.started.address, service.key, timeout_s=60.0) as client:
        secret = receiver_of(service.home, address)
        sleep(FRESH_S)
        found = hurry(client, secret, letters)
    assert found.first.provisional
    assert found.told is not None
    assert found.told["data"]["decision_id"] == found.final.decision_id
    assert found.told["data"]["supersedes"] == found.final.supersedes == found.first.decision_id
    assert found.told_ms is not None
    assert found.told_ms > found.first_ms
