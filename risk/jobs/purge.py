"""Delete what is older than its retention: the bytes of evidence and people's words. Hashes, measurements and decisions stay, so replays still work.

A file is noted as purged first, its bytes are deleted then, and that is noted last. So whatever is killed in between, nobody is promised bytes that
are gone, and the next purge finishes what was begun. What came again, is held, or was shown since is not touched.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from features.streams import micros
from risk import clock
from risk.api.once import KEEP
from risk.home import existing_home
from risk.jobs.remeasure import open_files
from risk.settings import read_settings
from risk.stores.care import TEXTS, Care
from risk.stores.evidence_files import EvidenceFiles
from risk.stores.idempotency import Idempotency

BATCH = 200
"""Files or texts in one transaction: a service beside it waits a few milliseconds."""
WHY = "retention"


@dataclass(frozen=True, slots=True)
class Purge:
    """What was deleted, or would be (`dry_run`), of what was last sent or shown `before`.

    finished: files that an earlier purge had only begun. halves: uploads that were broken off and never became a file.
    """

    home: str
    before: datetime
    dry_run: bool
    files: int
    bytes: int
    texts: int
    held_files: int
    finished: int
    halves: int


@dataclass(frozen=True, slots=True)
class Purger:
    """A purge at work: whose bytes go is decided in the transaction that notes it."""

    care: Care
    files: EvidenceFiles
    before_us: int
    now: Callable[[], datetime]

    def finish(self, shas: Sequence[str]) -> None:
        """Delete the bytes of files that are noted, then note that they are gone."""
        if not shas:
            return
        for sha256 in shas:
            self.files.remove(sha256)
        with self.care.database.writing() as connection:
            self.care.finish_purge(connection, shas, micros(self.now()))

    def take(self, after: str, *, dry_run: bool) -> tuple[str | None, Mapping[str, int], int]:
        """The next files: the last one looked at (null: there are no more), the bytes of each that goes, and how many are held."""
        care = self.care
        with care.database.reading() if dry_run else care.database.writing() as connection:
            held = care.held(connection, micros(self.now()))
            due = care.due_files(connection, self.before_us, after, BATCH)
            free = {sha256: size for sha256, size in due if sha256 not in held.files}
            if not dry_run:
                care.begin_purge(connection, list(free), WHY, micros(self.now()))
        if not dry_run:
            self.finish(list(free))
        return (due[-1][0] if due else None), free, len(due) - len(free)

    def texts(self, *, dry_run: bool) -> int:
        """Delete people's words: of claims, of appeals and their verdicts; how many."""
        care, count = self.care, 0
        for kind in TEXTS:
            with care.database.reading() as connection:
                keys = care.due_texts(connection, kind, self.before_us, care.held(connection, micros(self.now())))
            for start in range(0, 0 if dry_run else len(keys), BATCH):
                with care.database.writing() as connection:
                    care.forget_texts(connection, kind, keys[start : start + BATCH])
            count += len(keys)
        return count

    def tidy(self) -> int:
        """Delete what repeats words that are gone or never became a file, and let nothing deleted linger; how many broken-off uploads there were.

        Answers that are kept by `Idempotency-Key` have the words of an appeal in them; the calls are safe to make again without them.
        """
        database = self.care.database
        Idempotency(database).forget(max(self.before_us, micros(self.now() - KEEP)))
        halves = self.files.clear_spool()
        database.scrub([*TEXTS, "idempotent_answers", "pending_decisions"])
        return halves


def purge_home(home: Path, older_than: timedelta | None = None, *, dry_run: bool = False, now: Callable[[], datetime] = clock.now) -> Purge:
    """Delete what was last sent or shown longer ago than that (null: than REFUND_RISK_RETENTION_DAYS).

    SourceUnavailableError: a store does not answer; what was deleted by then is noted, and the next purge goes on.
    """
    opened = existing_home(home, read_settings(os.environ))
    try:
        before = now() - (timedelta(days=opened.settings.retention_days) if older_than is None else older_than)
        purger = Purger(Care(opened.database), open_files(opened), micros(before), now)
        with opened.database.reading() as connection:
            begun = purger.care.unfinished(connection)
        if not dry_run:
            purger.finish(begun)
        texts = purger.texts(dry_run=dry_run)
        gone, held, last = dict[str, int](), 0, ""
        while (taken := purger.take(last, dry_run=dry_run))[0] is not None:
            last = str(taken[0])
            gone.update(taken[1])
            held += taken[2]
        halves = 0 if dry_run else purger.tidy()
        return Purge(str(home), before, dry_run, len(gone), sum(gone.values()), texts, held, len(begun), halves)
    finally:
        opened.database.close()
