"""What failed for a passing reason is tried again until it goes well, and one that never does holds up nobody."""

import threading
import time

from risk.evidence.later import Later
from tests.faults.answers import until


def test_a_file_that_is_lost_holds_up_no_other() -> None:
    well: list[str] = []

    def look(sha256: str) -> bool:
        if sha256 != "lost":
            well.append(sha256)
        return sha256 != "lost"

    later = Later(look)
    for sha256 in ("lost", "a", "b", "c"):
        later.add(sha256)
    until(lambda: sorted(well) == ["a", "b", "c"], 20, "the lost one came first each time")
    later.close()


def test_nothing_runs_when_nothing_waits_and_it_begins_again() -> None:
    looked: list[str] = []
    later = Later(lambda sha256: not looked.append(sha256))  # type: ignore[func-returns-value]  # true: appended
    for sha256 in ("one", "two"):
        later.add(sha256)
        until(lambda: sha256 in looked and not any(each.name == "evidence-later" for each in threading.enumerate()), 10, "it runs on")  # noqa: B023  # at once
    later.close()
    later.add("three")
    time.sleep(0.1)
    assert looked == ["one", "two"]
