"""Check pictures and films: files and folders in, one answer a file in the order given; several sandboxes use all cores."""

import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from time import perf_counter
from typing import Any

from data_contracts.errors import NotFoundError
from data_contracts.reason import Language
from features.image.measure import Measured
from features.image.picture import MAX_BYTES
from features.image.sandbox import Limits
from features.image.signal_kit import Context, Library
from models.authenticity.artifact import SHIPPED
from risk.check.order_facts import OrderFacts
from risk.check.verdict import Check, conclude
from risk.check.words import sentences
from risk.evidence.sight import Inspected, Inspector, not_seen

SUFFIXES = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif"),
        *(".mp4", ".mov", ".m4v", ".3gp", ".mkv", ".webm", ".avi", ".flv"),
    )
)
"""What is looked at in a folder; a file that is named itself is looked at whatever its name."""
AHEAD = 2
"""Files a worker that may wait with their results, so that one slow film does not fill the memory with finished ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How to check. `read`: also the words in the picture. `draw`: also what pages and heat maps need. `library`: earlier pictures.

    `models`, `tower`: other files than the installed ones.
    """

    order: OrderFacts | None = None
    read: bool = True
    draw: bool = False
    workers: int = 0
    library: Library | None = None
    models: Path = SHIPPED
    tower: Path | None = None

    @property
    def context(self) -> Context:
        """What the signals are told."""
        return self.order.context(self.library) if self.order is not None else Context(library=self.library)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checked:
    """One file's answer, with what is needed to draw it."""

    path: Path
    check: Check
    ms: float
    inspected: Inspected | None = field(default=None, repr=False)

    def as_json(self, language: Language = Language.EN) -> dict[str, Any]:
        """The line that the command prints; `texts` are the sentences of all codes in that language."""
        return {"path": str(self.path), **self.check.as_json(), "texts": sentences(self.check, language), "ms": round(self.ms, 1)}


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files behind the paths, in the order given, a folder's by name. NotFoundError: a path that does not exist, before anything is looked at."""
    for path in paths:
        if not path.exists():
            message = f"{path} does not exist; expected a picture, a film or a folder of them"
            raise NotFoundError(message, field="path")
    found: list[Path] = []
    for path in paths:
        inside = sorted(each for each in path.rglob("*") if each.is_file() and each.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
        found.extend(inside)
    return found


def check_files(files: Sequence[Path], asked: Asked) -> Iterator[Checked]:
    """One answer a file, in order, as soon as it and those before it are done. SourceUnavailableError: no sandbox can be started."""
    workers = max(1, min(asked.workers or len(os.sched_getaffinity(0)), len(files)))
    idle: SimpleQueue[Inspector] = SimpleQueue()
    crew = [Inspector(asked.models, asked.tower, Limits(reading=asked.read)) for _ in range(workers)]
    for inspector in crew:
        idle.put(inspector)
    stopped = threading.Event()

    def one(path: Path) -> Checked | None:
        if stopped.is_set():
            return None
        inspector = idle.get()
        try:
            return check_file(path, inspector, asked)
        finally:
            idle.put(inspector)

    try:
        with ThreadPoolExecutor(workers, "checks") as pool:
            try:
                yield from _in_order(files, lambda path: pool.submit(one, path), workers * AHEAD)
            finally:
                stopped.set()
    finally:
        for inspector in crew:
            inspector.close()


def _in_order(files: Sequence[Path], submit: Callable[[Path], Future[Checked | None]], ahead: int) -> Iterator[Checked]:
    waiting: list[Future[Checked | None]] = []
    for path in files:
        waiting.append(submit(path))
        if len(waiting) > ahead:
            yield _done(waiting.pop(0))
    while waiting:
        yield _done(waiting.pop(0))


def _done(future: Future[Checked | None]) -> Checked:
    checked = future.result()
    assert checked is not None  # noqa: S101  # only a stopped run leaves files out, and it asks for no results
    return checked


def check_file(path: Path, inspector: Inspector, asked: Asked) -> Checked:
    """One file. A file that the system cannot read is unreadable like any other."""
    inspector.sandbox.start()  # once; what it takes is no part of the file's time
    began = perf_counter()
    data = _read(path)
    if isinstance(data, bytes):
        inspected = inspector.inspect(data, asked.context, read=asked.read, draw=asked.draw)
    else:
        measured = Measured(sha256=hashlib.sha256(b"").hexdigest(), kind="unknown", format="unknown", unreadable=data)
        inspected = Inspected(measured, not_seen(data))
    check = conclude(inspected.measured, inspected.sight.judged, inspected.sight.anomaly, asked.order, path.name)
    return Checked(path=path, check=check, ms=(perf_counter() - began) * 1000, inspected=inspected)


def _read(path: Path) -> bytes | str:
    """Its bytes, one more than the limit at most; else the reason for none in one word."""
    if not path.is_file():
        return "not_a_file"
    try:
        with path.open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError:
        return "no_access"
