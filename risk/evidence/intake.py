"""Evidence intake: bytes to a file of that name, looked at once, the answers kept. Read `take_in` and `_look_at`.

Bytes are on disk before anything is said about them; everything said about them is one transaction. So whatever is killed in between, a file is
there or not, is measured or not, and what is not measured is measured at the next start; or when the store is back that was gone (`later.py`).
Looking happens in children (`Eye`), one a worker, so that neither a hostile file nor a slow one holds up an answer.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from queue import SimpleQueue
from typing import Any, Protocol
from uuid import uuid4

import structlog
from sqlalchemy import Connection

from data_contracts.errors import BusyError, NotFoundError, PurgedError, RiskError, SourceUnavailableError
from features.streams import micros
from risk.evidence.holding import holding
from risk.evidence.later import Later
from risk.evidence.library import ImageLibrary, picture_of
from risk.stores.care import Care, Read
from risk.stores.evidence_files import EvidenceFiles, Kept
from risk.stores.evidence_rows import EvidenceRows, Look

log = structlog.get_logger()

SOON_US = 120_000_000
"""How long after it came a file can be expected to be looked at: longer than the longest queue takes."""


class Eye(Protocol):
    """Looks at files, one at a time, in a process of its own."""

    @property
    def versions(self) -> Mapping[str, str]:
        """The version of every signal that a look answers."""

    def look(self, data: bytes) -> Look:
        """All that can be said about one file. SourceUnavailableError: the child cannot be started."""

    def close(self) -> None:
        """End the child."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the sender gets: the id of this upload, the name of its bytes, and whether they are measured already."""

    evidence_id: str
    sha256: str
    status: str


@dataclass(frozen=True, slots=True)
class Remeasured:
    """How many files were measured again, and why others could not be, by file."""

    measured: int
    failed: Mapping[str, str]


class Slot:
    """The right to have one file measured; give it back when nothing came of it."""

    def __init__(self, free: Callable[[], None]) -> None:
        self._free: Callable[[], None] | None = free

    def release(self) -> None:
        """Give it back; doing so twice is once."""
        free, self._free = self._free, None
        if free is not None:
            free()


class Intake:
    """Takes evidence in. `queue`: files that may wait beyond those being looked at; more are refused until some are done."""

    def __init__(self, files: EvidenceFiles, rows: EvidenceRows, eyes: Iterable[Eye], now: Callable[[], datetime], queue: int) -> None:
        self.files = files
        self.rows = rows
        self.care = Care(rows.database)
        self.library = ImageLibrary(rows)
        self._now = now
        self._all_eyes = tuple(eyes)
        self._eyes: SimpleQueue[Eye] = SimpleQueue()
        for eye in self._all_eyes:
            self._eyes.put(eye)
        self.versions = self._all_eyes[0].versions
        self._workers = ThreadPoolExecutor(len(self._all_eyes), "evidence")
        self._free = threading.BoundedSemaphore(len(self._all_eyes) + queue)
        self._going: dict[str, Future[None]] = {}
        self._lock = threading.Lock()
        self._later = Later(self._looked_again)
        with rows.database.reading() as connection:
            self.library.refresh(connection)

    def slot(self) -> Slot:
        """A place in the queue, taken before the bytes are read. BusyError: there is none."""
        if not self._free.acquire(blocking=False):
            raise BusyError("too many files wait to be measured; send it again later", retry_after_s=2)
        return Slot(self._free.release)

    def take_in(self, kept: Kept, slot: Slot, origin: str | None = None) -> Receipt:
        """Note a file that is in the store and let it be measured, unless it is. The slot is used up.

        SourceUnavailableError: a purge took its bytes away meanwhile, or the database does not answer.
        """
        evidence_id = f"evd_{uuid4().hex}"
        try:
            with self.rows.database.writing() as connection:
                now_us = micros(self._now())
                self._check_there(connection, kept.sha256)
                self.rows.add_file(connection, kept.sha256, kept.size_bytes, origin, now_us)
                self.rows.add_upload(connection, evidence_id, kept.sha256, now_us)
                lacking = self._lacking(self.rows.versions(connection, kept.sha256))
        except BaseException:
            slot.release()
            raise
        if not lacking:
            slot.release()
            return Receipt(evidence_id, kept.sha256, "measured")
        self._begin(kept.sha256, slot)
        return Receipt(evidence_id, kept.sha256, "measuring")

    def know(self, data: bytes, origin: str) -> str:
        """Take in a picture that is known from elsewhere (a catalogue, a page) and wait until it can be found; its sha256."""
        self._free.acquire()
        receipt = self.take_in(self.files.put(data), Slot(self._free.release), origin)
        for future in self.going((receipt.sha256,)):
            future.result()
        return receipt.sha256

    def again(self, sha256: str) -> bool:
        """Let a stored file be measured once more, because a version rose; false when the queue is full, then its next use asks again."""
        try:
            slot = self.slot()
        except BusyError:
            return False
        self._begin(sha256, slot)
        return True

    def recover(self) -> int:
        """Let everything be measured that lacks a version: what a crash left, and what a newer version says differently. How many files.

        What a crash left half sent is removed. SourceUnavailableError: the place for it does not answer.
        """
        self.files.clear_spool()
        with self.rows.database.reading() as connection:
            lacking = self.rows.lacking(connection, self.versions)
        threading.Thread(target=self._catch_up, args=(lacking,), name="evidence-recover", daemon=True).start()
        return len(lacking)

    def remeasure(self) -> Remeasured:
        """The same, waiting until it is done; a file that cannot be looked at holds up no other."""
        with self.rows.database.reading() as connection:
            lacking = self.rows.lacking(connection, self.versions)
        failed = {}
        for sha256 in lacking:
            self._free.acquire()
            try:
                self._begin(sha256, Slot(self._free.release)).result()
            except RiskError as error:
                failed[sha256] = error.message
        return Remeasured(len(lacking) - len(failed), failed)

    def status(self, sha256: str) -> dict[str, Any]:
        """What is known of a file, and how far it is: stored, measuring, measured. NotFoundError: it never came."""
        with self.rows.database.reading() as connection:
            found = self.rows.stored(connection, sha256)
            lacking = self._lacking(self.rows.versions(connection, sha256))
            gone = self.care.purged(connection, sha256)
        if found is None:
            message = f"no evidence with sha256 {sha256} was sent here"
            raise NotFoundError(message, field="sha256")
        so_far = ("measuring" if self.going((sha256,)) else "stored") if lacking else "measured"
        return {"status": so_far if gone is None else "purged", "purged_at": gone and gone[0], **found}

    def given(self, sha256: str, read: Read) -> bytes:
        """The bytes of a file, for somebody of whom it is noted first. NotFoundError: it never came. PurgedError: they were deleted."""
        with self.rows.database.writing() as connection:
            if self.rows.stored(connection, sha256) is None:
                message = f"no evidence with sha256 {sha256} was sent here"
                raise NotFoundError(message, field="sha256")
            if (gone := self.care.purged(connection, sha256)) is not None:
                message = f"the bytes of evidence {sha256} were deleted on {gone[0]:%Y-%m-%d} ({gone[1]}); what was measured in them is still known"
                raise PurgedError(message, field="sha256")
            self.care.note_read(connection, sha256, read)
        return self.files.get(sha256)

    def looked_up(self, sha256: str, read: Read) -> dict[str, Any]:
        """What is known of a file, for somebody of whom it is noted where anything was measured. NotFoundError: it never came."""
        found = self.status(sha256)
        if found["measurements"]:
            with self.rows.database.writing() as connection:
                self.care.note_read(connection, sha256, read)
        return found

    def reads(self, sha256: str) -> list[Read]:
        """Who was given a file, the first one first."""
        with self.rows.database.reading() as connection:
            return self.care.reads(connection, sha256)

    def unlooked(self, shas: Sequence[str]) -> list[str]:
        """Those of the files that were taken in, by whichever worker, and that nobody has looked at yet."""
        with self.rows.database.reading() as connection:
            return self.rows.unlooked(connection, shas)

    def expected(self, shas: Sequence[str]) -> bool:
        """Whether a look at all of those files can be expected soon: they came just now, so some worker has them in its queue."""
        with self.rows.database.reading() as connection:
            return self.rows.came_since(connection, shas, micros(self._now()) - SOON_US) == len(shas)

    @property
    def waiting(self) -> int:
        """How many files wait to be looked at, or are being looked at."""
        with self._lock:
            return len(self._going)

    def going(self, shas: Iterable[str]) -> list[Future[None]]:
        """The looks at those files that are not finished."""
        with self._lock:
            return [self._going[sha256] for sha256 in shas if sha256 in self._going]

    def close(self) -> None:
        """Finish the look that is going on, forget the queue; it is taken up at the next start."""
        self._later.close()
        self._workers.shutdown(cancel_futures=True)
        for eye in self._all_eyes:
            eye.close()

    def _catch_up(self, shas: list[str]) -> None:
        for sha256 in shas:
            self._free.acquire()
            try:
                wait([self._begin(sha256, Slot(self._free.release))])
            except RuntimeError:
                return  # closed in the meantime

    def _check_there(self, connection: Connection, sha256: str) -> None:
        """SourceUnavailableError: the bytes were there when they were sent, and a purge deletes them or did just now."""
        if self.care.being_purged(connection, sha256) or (self.care.purged(connection, sha256) and not self.files.holds(sha256)):
            message = f"evidence {sha256} was being deleted while it was sent; send it again"
            raise SourceUnavailableError(message, outside=message)

    def _lacking(self, measured: set[tuple[str, str]]) -> bool:
        return not set(self.versions.items()) <= measured

    def _begin(self, sha256: str, slot: Slot) -> Future[None]:
        """One look at a file at a time: who asks meanwhile gets the one that is going on."""
        with self._lock:
            going = self._going.get(sha256)
            if going is not None:
                slot.release()
                return going
            try:
                future = self._workers.submit(self._look_at, sha256)
            except RuntimeError:
                slot.release()
                raise
            self._going[sha256] = future
        future.add_done_callback(partial(self._done, sha256, slot))
        return future

    def _done(self, sha256: str, slot: Slot, future: Future[None]) -> None:
        with self._lock:
            self._going.pop(sha256, None)
        slot.release()
        if not future.cancelled() and (error := future.exception()) is not None:
            log.warning("evidence_not_measured", sha256=sha256, kind=type(error).__name__, reason=str(error))
            if isinstance(error, SourceUnavailableError):
                self._later.add(sha256)

    def _looked_again(self, sha256: str) -> bool:
        """False: a store or the child is still not there. RuntimeError: the intake is closed."""
        self._free.acquire()
        future = self._begin(sha256, Slot(self._free.release))
        wait([future])
        return future.cancelled() or not isinstance(future.exception(), SourceUnavailableError)

    def _look_at(self, sha256: str) -> None:
        """Measure a stored file, unless another process does or did. NotFoundError, SourceUnavailableError: its bytes or the child cannot be had."""
        with holding(self.rows, sha256):
            with self.rows.database.reading() as connection:
                if not self._lacking(self.rows.versions(connection, sha256)):
                    return
            data = self.files.get(sha256)
            eye = self._eyes.get()
            try:
                look = eye.look(data)
            finally:
                self._eyes.put(eye)
            self._keep(look)

    def _keep(self, look: Look) -> None:
        """Everything that one look said, in one transaction, with its pairs among all that was there before it."""
        database = self.rows.database
        with database.reading() as connection:
            self.library.refresh(connection)
        pairs = self.library.find(look.prints.for_query, look.sha256)
        with database.writing() as connection:
            if self.library.refresh(connection):
                pairs = self.library.find(look.prints.for_query, look.sha256)
            now_us = micros(self._now())
            cluster = self.library.cluster(look.sha256, pairs)
            self.rows.add_look(connection, look, cluster, pairs, now_us)
            if cluster != picture_of(look.sha256):
                self.rows.link_late(connection, look.sha256, cluster, now_us)
            self.rows.history.add_sources(connection, {"measurements"}, now_us)
        with database.reading() as connection:
            self.library.refresh(connection)


def settled(intake: Intake, shas: Iterable[str], timeout_s: float) -> bool:
    """Wait until the looks at those files are finished; false when the time was not enough."""
    return not wait(intake.going(shas), timeout_s).not_done
