"""The machine's clock is stepped back: questions go on in order, each seeing what was known before it, also over a restart."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from risk.clock import Steady
from risk.ledger import Ledger
from risk.stores.history import History
from tests.faults.answers import SCORE
from tests.risk.servers import Running, running
from tests.risk.stories import plain_body

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Stepped:
    """A clock that a test sets; it stands still in between."""

    def __init__(self, moment: datetime = NOON) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment


def ask(service: Running, request_id: str) -> float:
    """Decide one; how many requests of that buyer it saw before."""
    body = plain_body(request_id, occurred_at=(NOON - 3 * HOUR).isoformat())
    answer = service.client.post(SCORE, json=body)
    assert answer.status_code == 200, answer.text
    record = Ledger(History(service.server.home.database)).read(answer.json()["decision_id"])
    seen = record.facts.values["account_requests_90d"]  # null for the very first request of a shop
    return float(seen or 0)


def moments(service: Running) -> list[datetime]:
    """As of when every decision was made, in the order of the ledger."""
    return [record.as_of for _, record in Ledger(History(service.server.home.database)).records()]


def test_a_question_after_the_step_sees_what_came_before_it(tmp_path: Path) -> None:
    clock = Stepped()
    with running(tmp_path, now=clock) as service:
        assert ask(service, "first") == 0
        clock.moment -= HOUR
        assert [ask(service, name) for name in ("second", "third")] == [1, 2]
        key = service.key
    with running(tmp_path, key, now=clock) as service:
        assert ask(service, "fourth") == 3
        clock.moment = NOON + HOUR
        assert ask(service, "fifth") == 4
        found = moments(service)
    assert found == sorted(set(found))
    assert found[0] >= NOON
    assert found[3] < NOON + timedelta(seconds=1)
    assert found[4] >= NOON + HOUR


def test_it_is_said_once_and_once_when_it_is_over() -> None:
    behind, said = Stepped(), []
    steady = Steady(behind, NOON - HOUR, lambda event, **words: said.append((event, round(words["seconds"]))))
    for change in (timedelta(), -HOUR, timedelta(), 2 * HOUR, timedelta(), -timedelta(milliseconds=5)):
        behind.moment += change
        steady()
    assert said == [("clock_stepped_back", 3_600), ("clock_caught_up", -3_600)]


@pytest.mark.parametrize("steps", [[0, 0, 0], [1, 2, 3], [5, -60, 61, 0], [-3_600, 1, 1]])
def test_every_moment_is_said_once_and_in_order(steps: list[float]) -> None:
    behind = Stepped()
    steady: Callable[[], datetime] = Steady(behind, NOON)
    found = []
    for step in steps:
        behind.moment += timedelta(seconds=step)
        found += [steady(), steady()]
    assert found == sorted(set(found))
    assert found[0] > NOON


def test_data_from_the_future_does_not_set_the_clock(tmp_path: Path) -> None:
    clock = Stepped(NOON + timedelta(days=400))
    with running(tmp_path, now=clock) as service:
        ask(service, "from the future")
        key = service.key
    clock.moment = NOON
    with running(tmp_path, key, now=clock) as service:
        ask(service, "now")
        assert moments(service)[-1] < NOON + timedelta(seconds=1)
