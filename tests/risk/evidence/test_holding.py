"""A file is one process's while it lives, however long its look takes, and the next one's seconds after it died."""

import threading
import time
from datetime import timedelta

import pytest

from features.streams import micros
from risk import clock
from risk.evidence.holding import Lease, holding
from risk.stores.database import Database
from risk.stores.evidence_rows import EvidenceRows
from risk.stores.history import History

FILE = "a" * 64
SHORT = Lease(hold_s=0.6, renew_s=0.1)


@pytest.fixture
def rows(database: Database) -> EvidenceRows:
    """A store that knows of one file."""
    made = EvidenceRows(History(database))
    with database.writing() as connection:
        made.add_file(connection, FILE, 1, None, 0)
    return made


def held_until_us(rows: EvidenceRows) -> int:
    with rows.database.reading() as connection:
        ((until_us,),) = rows.database.fetch(connection, "SELECT claimed_until_us FROM evidence_files", ())
    return int(until_us)


def give_away(rows: EvidenceRows, until_us: int) -> None:
    """Somebody else takes the file, whoever has it."""
    with rows.database.writing() as connection:
        rows.database.fetch(connection, "UPDATE evidence_files SET claimed_until_us = ? RETURNING sha256", (until_us,))


def test_a_long_look_is_nobody_elses_and_its_end_frees_the_file(rows: EvidenceRows) -> None:
    taken = threading.Event()

    def next_one() -> None:
        with holding(rows, FILE, SHORT):
            taken.set()

    other = threading.Thread(target=next_one)
    with holding(rows, FILE, SHORT):
        other.start()
        assert not taken.wait(3 * SHORT.hold_s)
    assert taken.wait(5)
    other.join()
    assert held_until_us(rows) == 0


def test_the_file_of_a_dead_process_is_taken_over_after_its_lease(rows: EvidenceRows) -> None:
    now_us = micros(clock.now())
    with rows.database.writing() as connection:
        assert rows.claim(connection, FILE, now_us, SHORT.until_us(now_us))  # by a process that is killed right then
    began = time.monotonic()
    with holding(rows, FILE, SHORT):
        assert 0.5 * SHORT.hold_s < time.monotonic() - began < 5


def test_who_lost_its_file_neither_renews_nor_frees_it(rows: EvidenceRows) -> None:
    with holding(rows, FILE, SHORT):
        later_us = micros(clock.now() + timedelta(hours=1))
        give_away(rows, later_us)  # while this one stood still
        time.sleep(3 * SHORT.renew_s)
    assert held_until_us(rows) == later_us
