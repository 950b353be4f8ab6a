"""The intake of an installation: opening it, measuring again what newer versions say differently, and telling it of pictures that are known."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from os import environ
from pathlib import Path

from data_contracts.errors import ContractError
from risk import clock
from risk.evidence.eye import ImageEye
from risk.evidence.intake import Eye, Intake
from risk.evidence.observers import Observers, installed
from risk.home import Home, open_home
from risk.settings import read_settings
from risk.stores.evidence_files import EvidenceFiles
from risk.stores.evidence_rows import EvidenceRows
from risk.stores.history import History
from risk.stores.object_store import ObjectAccess


def open_files(home: Home) -> EvidenceFiles:
    """Where the evidence of an open home lies."""
    settings, folder = home.settings, home.folder / "evidence"
    access = ObjectAccess(settings.s3_endpoint, settings.s3_region, settings.s3_access_key, settings.s3_secret_key)
    return EvidenceFiles(settings.evidence_url or str(folder), settings.evidence_limit_bytes, folder / "incoming", access)


def open_intake(home: Home, now: Callable[[], datetime]) -> Intake:
    """The intake over an open home; its children start when the first file comes."""
    settings = home.settings
    observers = installed()
    eyes: list[Eye] = [ImageEye(Observers(observers) if observers else None) for _ in range(max(1, settings.evidence_workers))]
    return Intake(open_files(home), EvidenceRows(History(home.database)), eyes, now, settings.evidence_queue_files)


@contextmanager
def _intake_of(home: Path) -> Iterator[Intake]:
    """The intake of the home in that folder, closed at the end."""
    opened = open_home(home, read_settings(environ))
    try:
        intake = open_intake(opened, clock.now)
        try:
            yield intake
        finally:
            intake.close()
    finally:
        opened.database.close()


def remeasure(home: Path) -> dict[str, object]:
    """Measure every stored file in which a signal's current version was not measured yet; `failed` says why others could not be, by file.

    Decisions made before keep what they were made from; a request asked afterwards sees the new values.
    """
    with _intake_of(home) as intake:
        done = intake.remeasure()
        about = {"pictures": len(intake.library), "versions": dict(intake.versions)}
        return {"home": str(home), "measured": done.measured, "failed": dict(done.failed), **about}


def know(home: Path, folder: Path, origin: str) -> dict[str, object]:
    """Take in every file of a folder as pictures that are known from elsewhere: evidence that shows one of them is reused.

    Each is named `origin: its path in the folder`. ContractError: no such folder, or a file is empty or too large.
    """
    if not folder.is_dir():
        message = f"{folder} is no folder; give one with the pictures that are known"
        raise ContractError(message, field="folder")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with _intake_of(home) as intake:
        shas = {intake.know(path.read_bytes(), f"{origin}: {path.relative_to(folder)}") for path in files}
        return {"home": str(home), "files": len(files), "known": len(shas), "pictures": len(intake.library)}
