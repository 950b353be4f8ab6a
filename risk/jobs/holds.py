"""Legal holds of a home, and who was given which evidence."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from data_contracts.errors import ContractError
from features.streams import micros
from risk import clock
from risk.home import existing_home
from risk.settings import read_settings
from risk.stores.care import Care, Hold, Read, Subject


@dataclass(frozen=True, slots=True)
class Holds:
    """Holds of a home, the oldest first."""

    home: str
    holds: tuple[Hold, ...]


@dataclass(frozen=True, slots=True)
class Reads:
    """Who was given a file or what was measured in it, the first one first."""

    sha256: str
    reads: tuple[Read, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """By whom, and why."""

    by: str
    why: str


def add_hold(home: Path, subject: Subject, subject_id: str, said: Said, until: datetime | None = None) -> Holds:
    """Keep something from being purged; it may be named before it comes. ContractError: the hold would end before it begins."""
    now = clock.now()
    if until is not None and until <= now:
        message = f"the hold would end at {until.isoformat()}, which is over; expected a moment to come"
        raise ContractError(message, field="until")
    with _care(home) as care:
        with care.database.writing() as connection:
            number = care.add_hold(connection, Hold(0, subject, subject_id, said.by, said.why, now, until, None, None, None))
        return Holds(str(home), tuple(each for each in _all(care) if each.hold_no == number))


def list_holds(home: Path) -> Holds:
    """Every hold that ever was."""
    with _care(home) as care:
        return Holds(str(home), tuple(_all(care)))


def release_hold(home: Path, hold_no: int, said: Said) -> Holds:
    """End a hold. NotFoundError: there is none of that number in force."""
    with _care(home) as care:
        with care.database.writing() as connection:
            care.release(connection, hold_no, said.by, said.why, micros(clock.now()))
        return Holds(str(home), tuple(each for each in _all(care) if each.hold_no == hold_no))


def reads_of(home: Path, sha256: str) -> Reads:
    """Who was given that file."""
    with _care(home) as care, care.database.reading() as connection:
        return Reads(sha256, tuple(care.reads(connection, sha256)))


def _all(care: Care) -> list[Hold]:
    with care.database.reading() as connection:
        return care.holds(connection)


@contextmanager
def _care(home: Path) -> Iterator[Care]:
    opened = existing_home(home, read_settings(os.environ))
    try:
        yield Care(opened.database)
    finally:
        opened.database.close()
