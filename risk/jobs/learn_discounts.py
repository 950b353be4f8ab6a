"""A running service learns the discount of shared things by itself: at its start what it lacks, and each month's tables when the month has begun.

Tables are learned as of a month's first moment and hold a day later (`data_contracts/discount.py`). So a service that learns them within that day
weighs every request by the tables that training weighs it by. It is done in a process of its own: the store is read whole, and calls go on.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Event, Thread

import structlog

from data_contracts.errors import RiskError
from risk.home import database_url
from risk.settings import Settings, read_settings
from risk.stores.database import Database, open_database
from risk.stores.discounts import SETTLED, StoredDiscounts

EVERY_S = 600.0
"""How often a running service looks whether a month has begun: far more often than once a day, which would be enough."""

_log = structlog.get_logger()


def due(database: Database, discounts: StoredDiscounts, now: datetime) -> bool:
    """Whether there are requests, and the tables of the month that has begun are not learned yet."""
    month = (now - SETTLED).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if any(each.at >= month for each in discounts.all()):
        return False
    with database.reading() as connection:
        return bool(database.fetch(connection, "SELECT 1 FROM request_places LIMIT 1", ()))


def learn(database: Database, discounts: StoredDiscounts, now: datetime) -> int:
    """Learn what the store lacks up to that moment, if anything; how many tables there are then."""
    if not due(database, discounts, now):
        return len(discounts.all())
    from risk.jobs.build_features import publish_discounts  # half a second and 40 MB that only this, once a month, needs
    from risk.jobs.home_rings import stored_tables

    with database.reading() as connection:
        tables = stored_tables(database, connection)
    return publish_discounts(tables, now, discounts)


class LearnDiscounts:
    """The looking out beside a running service: from `start` to `stop`."""

    def __init__(self, home: Path, settings: Settings, now: Callable[[], datetime], every_s: float = EVERY_S) -> None:
        self._home, self._settings, self._now, self._every_s = home, settings, now, every_s
        self._stopped = Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = Thread(target=self._look_out, name="discounts", daemon=True)

    def start(self) -> None:
        """Look out from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Look out no more; what is being learned is left to the next start."""
        self._stopped.set()
        if self._child is not None:
            with suppress(ProcessLookupError):
                self._child.terminate()
        self._thread.join()

    def _look_out(self) -> None:
        while not self._stopped.wait(self._every_s):
            try:
                if self._due():
                    self._learn_aside()
            except RiskError as error:  # the next look tries again; until then the last tables hold
                _log.warning("discounts_not_learned", why=str(error))

    def _due(self) -> bool:
        database = open_database(database_url(self._home, self._settings), self._settings.busy_timeout_ms)
        try:
            return due(database, StoredDiscounts(self._home), self._now())
        finally:
            database.close()

    def _learn_aside(self) -> None:
        program = [sys.executable, "-m", __name__, str(self._home), self._now().isoformat()]
        self._child = subprocess.Popen(program, stdout=subprocess.DEVNULL)  # noqa: S603  # our own module
        code = self._child.wait()
        self._child = None
        if self._stopped.is_set():
            return
        if code:
            _log.warning("discounts_not_learned", why=f"the process ended with {code}")
        else:
            _log.info("discounts_learned", tables=len(StoredDiscounts(self._home).all()))


def main() -> None:
    """Learn for the home, as of the moment, that the command line names."""
    folder, moment = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
    settings = read_settings(os.environ)
    database = open_database(database_url(folder, settings), settings.busy_timeout_ms)
    try:
        learn(database, StoredDiscounts(folder), moment)
    finally:
        database.close()


if __name__ == "__main__":
    main()
