"""Is this worker fit to be sent calls? Each part is tried anew; what is not well is said in a few words that name no secret, and whole in the log."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from data_contracts.errors import RiskError
from risk.api.service import Readiness
from risk.jobs.startup import writable
from risk.stores.database import Database
from risk.stores.evidence_files import EvidenceFiles
from risk.stores.feature_store import FeatureStore
from risk.stores.migrate import Standing, standing

log = structlog.get_logger()

NEVER_SENT = "0" * 64
"""A name that no file has: asking for it shows that the evidence store answers."""

UNKNOWN = "it is not known while the database does not answer"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a decision stands on. `model` is its version, `none` while there is none."""

    folder: Path
    database: Database
    slow: FeatureStore
    files: EvidenceFiles
    model: str

    def tried(self) -> Readiness:
        """Every part tried. Without store or disk nothing can be decided; without the others decisions go on and say so."""
        database = _tried("database", self._standing, "it does not answer")
        needed = {
            "database": database,
            "schema": _tried("schema", lambda: self._standing().check(), "it is not at this code's revision") if database == "ok" else UNKNOWN,
            "disk": _tried("disk", lambda: writable(self.folder), "the home cannot be written"),
            "graph": "ok",  # it is recovered before the first call is taken
        }
        besides = {
            "model": "ok" if self.model != "none" else "none is installed: every decision is a review",
            "slow_features": _tried("slow_features", lambda: self.slow.online(None, ()), "they do not answer"),
            "evidence": _tried("evidence", self._evidence, "its files cannot be kept"),
        }
        return Readiness(needed, besides)

    def _standing(self) -> Standing:
        with self.database.reading() as connection:
            return standing(connection)

    def _evidence(self) -> None:
        if self.files.folder is not None:
            writable(self.files.folder)
        self.files.holds(NEVER_SENT)


def _tried(name: str, check: Callable[[], object], words: str) -> str:
    """`ok`, or these words."""
    try:
        check()
    except RiskError as error:
        log.warning("part_not_well", part=name, code=error.code, reason=error.message)
        return words
    return "ok"
