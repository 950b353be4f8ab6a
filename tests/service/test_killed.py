"""Killed at any moment under load, again and again: what was answered is kept exactly once, nothing is half done, and it goes on by itself."""

import os
import random
import time
from pathlib import Path

from tests.service.load import Told, under_load
from tests.service.processes import a_process
from tests.service.promises import kept_promises, the_same_answers

KILLS = int(os.environ.get("REFUND_RISK_TEST_KILLS", "3"))
"""How often a database's service is killed. A longer try: REFUND_RISK_TEST_KILLS=50."""
LONGEST_S = 1.5
ASKED_AGAIN = 20


def test_a_service_that_is_killed_loses_doubles_and_halves_nothing(empty_url: str, tmp_path: Path) -> None:
    told, key = Told(), None
    environment = {"REFUND_RISK_DATABASE_URL": empty_url}
    for turn in range(KILLS):
        with a_process(tmp_path / "home", key, environment) as service:
            key = service.key
            the_same_answers(service, told, ASKED_AGAIN)
            before = len(told.answered)
            with under_load(service, told, 1_000_000 * turn):
                while len(told.answered) < before + 10:
                    time.sleep(0.01)
                time.sleep(random.uniform(0, LONGEST_S))  # noqa: S311  # a moment of nobody's choosing
                service.kill()
        kept_promises(empty_url, told)
    with a_process(tmp_path / "home", key, environment) as service:
        the_same_answers(service, told, len(told.answered))
    kept_promises(empty_url, told)
    assert len(told.answered) > 10 * KILLS
