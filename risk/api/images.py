"""Check one photo or film over HTTP, for a person who has it in hand. The bytes are looked at and forgotten; nothing is stored or decided."""

import asyncio
import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from time import perf_counter

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from data_contracts.errors import BusyError, ContractError
from data_contracts.reason import Language
from features.image.fingerprint import Print
from features.image.picture import MAX_BYTES
from features.image.sandbox import Limits
from features.image.signal_kit import Context, Match
from risk.api.calls import Gate, language
from risk.api.errors import TooLargeError
from risk.api.json_response import json_response
from risk.api.upload import receive
from risk.check.order_facts import OrderFacts, order_of
from risk.check.page import page
from risk.check.verdict import Check, conclude
from risk.check.words import sentences
from risk.evidence.intake import Intake
from risk.evidence.sight import Inspected, Inspector
from risk.keys import Scope

log = structlog.get_logger()

UPLOAD_S = 120.0
ORDER = "order"
WAITING = 8
"""Calls that may wait for each process that looks; a check takes a quarter of a second, so the last one waits two."""


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """One file's answer, as the page draws it."""

    path: Path
    check: Check
    ms: float
    inspected: Inspected


@dataclass(frozen=True, slots=True)
class Wanted:
    """What besides: the words in the picture, and what a page needs."""

    read: bool
    draw: bool


class InMemory:
    """Takes a file that nobody keeps. TooLargeError: it has more bytes than the sandbox opens."""

    def __init__(self, limit_bytes: int = MAX_BYTES) -> None:
        self.data = bytearray()
        self._limit_bytes = limit_bytes

    def write(self, piece: bytes) -> None:
        """The next bytes."""
        if len(self.data) + len(piece) > self._limit_bytes:
            message = f"the file has more than {self._limit_bytes} bytes; expected at most that"
            raise TooLargeError(message, field="file")
        self.data += piece


class Earlier:
    """The pictures of all evidence that was taken in, but for the file itself."""

    def __init__(self, intake: Intake, sha256: str) -> None:
        self._intake = intake
        self._sha256 = sha256

    def find(self, prints: Sequence[Print]) -> tuple[Match, ...]:
        """As Library."""
        with self._intake.rows.database.reading() as connection:
            self._intake.library.refresh(connection)
        return tuple(Match(pair.other, pair.distance, pair.form, pair.whole) for pair in self._intake.library.find(prints, self._sha256))


class Checks:
    """The processes that look, started when first needed. `inspectors` are handed round, one call each at a time."""

    def __init__(self, workers: int = 1, models: Path | None = None, tower_file: Path | None = None) -> None:
        made = [
            Inspector(tower_file=tower_file, limits=Limits()) if models is None else Inspector(models, tower_file, Limits()) for _ in range(workers)
        ]
        self._all = made
        self._idle: SimpleQueue[Inspector] = SimpleQueue()
        for inspector in made:
            self._idle.put(inspector)
        self._pool = ThreadPoolExecutor(workers, "image-checks")
        self._waiting = 0

    async def check(self, data: bytes, name: str, order: OrderFacts | None, intake: Intake | None, wanted: Wanted) -> Answered:
        """The answer for one file. BusyError: too many wait. SourceUnavailableError: no process can be started."""
        if self._waiting >= WAITING * len(self._all):
            raise BusyError("too many pictures wait to be checked; ask again")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, partial(self._one, data, name, order, intake, wanted))
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Finish what was begun and end the processes."""
        self._pool.shutdown()
        for inspector in self._all:
            inspector.close()

    def _one(self, data: bytes, name: str, order: OrderFacts | None, intake: Intake | None, wanted: Wanted) -> Answered:
        inspector = self._idle.get()
        try:
            inspector.sandbox.start()
            began = perf_counter()
            library = None if intake is None else Earlier(intake, hashlib.sha256(data).hexdigest())
            context = Context(library=library) if order is None else order.context(library)
            seen = inspector.inspect(data, context, read=wanted.read, draw=wanted.draw)
            if seen.measured.unreadable == "crashed":  # the machine may have ended the process, not the file
                seen = inspector.inspect(data, context, read=wanted.read, draw=wanted.draw)
            check = conclude(seen.measured, seen.sight.judged, seen.sight.anomaly, order, name)
            return Answered(Path(name), check, (perf_counter() - began) * 1000, seen)
        finally:
            self._idle.put(inspector)


class ImageRoutes:
    """The route of checks."""

    def __init__(self, gate: Gate, checks: Checks, intake: Intake | None = None) -> None:
        self.gate = gate
        self.checks = checks
        self.intake = intake

    def router(self) -> APIRouter:
        """Every route with its method and path."""
        router = APIRouter()
        router.post("/v1/images/check", summary="Is this photo or film authentic, edited or generated, and why", response_model=None)(self.check)
        return router

    async def check(self, request: Request) -> Response:
        """The answer as JSON, or as a page where `Accept: text/html` is asked for. The form has a part `file` and, where it helps, a part `order`."""
        self.gate.check_key(request, Scope.EVIDENCE)
        said, asked = language(request), Wanted(read=_flag(request, "read"), draw="text/html" in request.headers.get("accept", ""))
        incoming = InMemory()
        form = await receive(request, incoming, MAX_BYTES, UPLOAD_S, texts=(ORDER,))
        order = order_of(form.texts[ORDER]) if ORDER in form.texts else None
        answered = await self.checks.check(bytes(incoming.data), form.filename, order, self.intake, asked)
        log.info("image_checked", sha256=answered.check.sha256, verdict=answered.check.verdict.value, ms=round(answered.ms, 1))
        if asked.draw:
            return HTMLResponse(page([answered], said))
        return json_response(as_json(answered, said))


def as_json(answered: Answered, said: Language) -> dict[str, object]:
    """The answer as the command line prints it; `path` is the name that the file was sent under."""
    return {
        "path": str(answered.path),
        **answered.check.as_json(),
        "texts": sentences(answered.check, said),
        "ms": round(answered.ms, 1),
    }


def _flag(request: Request, name: str) -> bool:
    """A switch of the address, on unless it says 0. ContractError: neither 0 nor 1."""
    asked = request.query_params.get(name, "1")
    if asked not in {"0", "1"}:
        message = f"{name} is not 0 or 1"
        raise ContractError(message, field=name)
    return asked == "1"
