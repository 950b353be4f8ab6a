"""A file belongs to the process that measures it, a few seconds at a time, renewed as long as the look goes on.

So a process that was killed keeps nobody waiting for longer than those seconds, and a look may take as long as it needs. Should a process lose its
file, because it stood still for that long, the file is looked at twice: the first answers stay.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

import structlog

from data_contracts.errors import SourceUnavailableError
from features.streams import micros
from risk import clock
from risk.stores.evidence_rows import EvidenceRows

log = structlog.get_logger()

POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Lease:
    """How long a file is held without a sign of life, and how often one is given: three can be missed."""

    hold_s: float = 10.0
    renew_s: float = 2.5

    def until_us(self, now_us: int) -> int:
        """When it ends that is taken or renewed now."""
        return now_us + int(self.hold_s * 1_000_000)


LEASE = Lease()


@contextmanager
def holding(rows: EvidenceRows, sha256: str, lease: Lease = LEASE) -> Iterator[None]:
    """Wait until the file is nobody's, and have it to the end of the block. SourceUnavailableError: the database does not answer."""
    while (until_us := _taken(rows, sha256, lease)) is None:
        time.sleep(POLL_S)
    holder = _Holder(rows, sha256, lease, until_us)
    holder.start()
    try:
        yield
    finally:
        until_us = holder.stop()
        with rows.database.writing() as connection:
            rows.release(connection, sha256, until_us)


def _taken(rows: EvidenceRows, sha256: str, lease: Lease) -> int | None:
    """Until when the file is ours; null while it is somebody's."""
    now_us = micros(clock.now())  # seconds of the world, not the time of events
    until_us = lease.until_us(now_us)
    with rows.database.writing() as connection:
        return until_us if rows.claim(connection, sha256, now_us, until_us) else None


class _Holder:
    """Renews one claim until it is told to stop, or until somebody else has the file."""

    def __init__(self, rows: EvidenceRows, sha256: str, lease: Lease, until_us: int) -> None:
        self._rows, self._sha256, self._lease, self._until_us = rows, sha256, lease, until_us
        self._over = Event()
        self._thread = Thread(target=self._work, name="evidence-holder", daemon=True)

    def start(self) -> None:
        """Begin to renew."""
        self._thread.start()

    def stop(self) -> int:
        """Renew no more; until when the file is held now."""
        self._over.set()
        self._thread.join()
        return self._until_us

    def _work(self) -> None:
        while not self._over.wait(self._lease.renew_s):
            try:
                if not self._renewed():
                    log.warning("evidence_lost", sha256=self._sha256)
                    return
            except SourceUnavailableError as error:
                log.warning("evidence_not_renewed", sha256=self._sha256, reason=error.message)

    def _renewed(self) -> bool:
        until_us = self._lease.until_us(micros(clock.now()))
        with self._rows.database.writing() as connection:
            held = self._rows.renew(connection, self._sha256, self._until_us, until_us)
        if held:
            self._until_us = until_us
        return held
