"""An intake over real stores with the real sandbox, and pictures to send."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from data_contracts.signal import SignalResult
from features.image import examples, reuse
from features.image.measure import versions
from features.image.sandbox import Sandbox
from features.image.signal_kit import Context
from risk.evidence.eye import OF_THE_ORDER, outcome
from risk.evidence.intake import Intake
from risk.evidence.observers import Observers
from risk.evidence.seen import OBSERVER
from risk.stores.database import Database
from risk.stores.evidence_files import EvidenceFiles
from risk.stores.evidence_rows import EvidenceRows, Look, Prints, Said
from risk.stores.history import History

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Clock:
    """A clock that moves a second a look, so that no two moments are one."""

    def __init__(self, start: datetime = NOON) -> None:
        self.moment = start

    def __call__(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment


class SandboxEye:
    """Looks through the signals' sandbox, without the large models. `extra` are signals of the test's own, with their versions."""

    def __init__(self, sandbox: Sandbox, extra: Mapping[str, tuple[str, float]] | None = None, observers: Observers | None = None) -> None:
        self.sandbox = sandbox
        self.extra = dict(extra or {})
        self.observers = observers
        self.looks = 0

    @property
    def versions(self) -> Mapping[str, str]:
        own = {signal: str(version) for signal, version in versions().items() if signal not in OF_THE_ORDER and signal != "visible_marks"}
        own |= {signal: version for signal, (version, _) in self.extra.items()}
        return own | (dict(self.observers.versions) if self.observers else {})

    def look(self, data: bytes) -> Look:
        self.looks += 1
        measured = self.sandbox.measure(data, Context(), keep=True)
        answered: dict[str, SignalResult] = {each.signal: each for each in measured.results}
        counted = self.observers.observe(data, measured.kind) if self.observers else ()
        plain = {signal: version for signal, version in self.versions.items() if signal not in self.extra and not signal.startswith(OBSERVER)}
        said = [_said(answered.get(signal), signal, version, measured.unreadable) for signal, version in plain.items()]
        said += [Said(signal, version, value) for signal, (version, value) in self.extra.items()]
        said += [outcome(each) for each in counted]
        prints = Prints(measured.for_query, measured.for_index)
        return Look(measured.sha256, reuse.VERSION, measured.kind, measured.format, measured.unreadable, prints, tuple(said), counted)

    def close(self) -> None:
        """The sandbox is everybody's."""


def _said(result: SignalResult | None, signal: str, version: str, unreadable: str | None) -> Said:
    if result is None:
        return Said(signal, version, None, unreadable or "not_asked")
    return Said(signal, version, result.value, result.unavailable, result.findings)


@contextmanager
def an_intake(
    database: Database, folder: Path, *eyes: SandboxEye, now: Callable[[], datetime] | None = None, queue: int = 8, url: str = ""
) -> Iterator[Intake]:
    """An intake that ends with the block."""
    files = EvidenceFiles(url or str(folder / "evidence"), 1 << 20, folder / "incoming")
    intake = Intake(files, EvidenceRows(History(database)), eyes, now or Clock(), queue)
    try:
        yield intake
    finally:
        intake.close()


def send(intake: Intake, data: bytes) -> str:
    """Take a file in and wait until it is measured; its sha256."""
    receipt = intake.take_in(intake.files.put(data), intake.slot())
    for future in intake.going((receipt.sha256,)):
        future.result(timeout=60)
    return receipt.sha256


def a_photo(seed: int = 1, quality: int = 90) -> bytes:
    """A photo of something else for each seed."""
    return examples.jpeg(examples.scene(seed=seed), quality)


def mirrored(seed: int = 1, quality: int = 60) -> bytes:
    """The same photo as `a_photo`, mirrored and saved again."""
    return examples.jpeg(np.ascontiguousarray(examples.scene(seed=seed)[:, ::-1]), quality)
