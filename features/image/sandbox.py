"""Measure evidence in a process of its own: a file that hangs, explodes or crashes a decoder costs that process and one answer, nothing more.

The child works under limits on computing time, memory and file size, and may neither start a programme nor open a connection (`sandbox_worker.py`);
the caller waits under a deadline and replaces a child that is gone. One sandbox serves one job at a time; use as many as there are cores.
A higher floor may run a worker of its own in the child, which adds what it sees to the answer (`look`).
"""

import hashlib
import os
import selectors
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

import msgspec

from data_contracts.errors import SourceUnavailableError
from features.image import reuse
from features.image.container.take_apart import sniff
from features.image.measure import Measured
from features.image.picture import MAX_BYTES
from features.image.sandbox_wire import MAX_ANSWER, job_of, unpack_answer
from features.image.signal_kit import Context

_HEAD = struct.Struct(">Q")
_CHUNK = 1 << 20
WORKER = "features.image.sandbox_worker"
_PATIENCE = 3
"""How many times its seconds of computing a job may last by the clock: a busy machine is no fault of the file."""
_DYING_S = 1.0
_KEPT = ("PATH", "LANG", "PYTHONPATH", "VIRTUAL_ENV", "HOME")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may take: `seconds` of computing, three times that by the clock; `memory_mb` beyond what the idle child has mapped.

    `reading` loads the models that read words.
    """

    seconds: int = 20
    memory_mb: int = 1024
    start_seconds: int = 120
    reading: bool = True


class _GoneError(Exception):
    """The child did not answer; `reason` is timed_out or crashed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Sandbox:
    """A child that measures. Starts when first used; close it, or use it in a with statement.

    `worker` is the module that the child runs, `arguments` is what it is told besides the limits.
    """

    def __init__(self, limits: Limits | None = None, worker: str = WORKER, arguments: Sequence[str] = ()) -> None:
        self.limits = limits or Limits()
        self.worker = worker
        self._more_arguments = tuple(arguments)
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def measure(self, data: bytes, context: Context, *, keep: bool = False, read: bool = False) -> Measured:
        """All signals of one piece of evidence. Bytes that break the child come back as unreadable: too_large, timed_out, crashed.

        `keep` also gives the prints for a library, `read` also reads the words. SourceUnavailableError: the child cannot even be started.
        """
        return self.look(data, context, keep=keep, read=read, more=False)[0]

    def look(
        self, data: bytes, context: Context, *, keep: bool = False, read: bool = False, more: bool = True, draw: bool = False
    ) -> tuple[Measured, bytes]:
        """As `measure`, and what the worker adds where it has `more` to say: nothing for bytes that broke the child.

        `draw`: what it adds shall also hold what a person is shown.
        """
        if len(data) > MAX_BYTES:
            return _unreadable(data, "too_large"), b""
        with self._lock:
            try:
                measured, added = unpack_answer(self._ask(job_of(data, context, keep=keep, read=read and self.limits.reading, look=more, draw=draw)))
            except _GoneError as gone:
                return _unreadable(data, self._ended(gone.reason)), b""
            except (msgspec.MsgspecError, ValueError):
                self.close()
                return _unreadable(data, "crashed"), b""
        if measured.sha256 != hashlib.sha256(data).hexdigest():
            self.close()
            return _unreadable(data, "crashed"), b""  # an answer to another question: the child is not its own master any more
        if measured.unreadable is not None:
            return measured, added
        again = reuse.judge(measured.for_query, context.library, context.own)
        return replace(measured, results=tuple(again if result.signal == reuse.NAME else result for result in measured.results)), added

    @property
    def pid(self) -> int:
        """The child's process; 0 where there is none."""
        return 0 if self._child is None else self._child.pid

    def start(self) -> None:
        """Start the child now, so that the first job does not wait for it. SourceUnavailableError: it cannot be started."""
        with self._lock:
            if self._child is None:
                self._started()

    def close(self) -> None:
        """End the child, if there is one."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue  # what was still to be written has no reader

    def _ask(self, packed: bytes) -> bytes:
        child = self._child or self._started()
        return _exchange(child, packed, time.monotonic() + self.limits.seconds * _PATIENCE)

    def _ended(self, reason: str) -> str:
        """End the child; the reason, corrected where the kernel ended it for computing too long."""
        child = self._child
        if child is not None and reason == "crashed":
            try:
                child.wait(_DYING_S)
            except subprocess.TimeoutExpired:
                reason = "crashed"  # it closed its answers and lives on: taken over, or about to fall
        ended = None if child is None else child.poll()
        self.close()
        return "timed_out" if ended == -signal.SIGXCPU else reason

    def _arguments(self) -> tuple[str, ...]:
        return str(self.limits.memory_mb), str(self.limits.seconds), str(int(self.limits.reading)), *self._more_arguments

    def _started(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", self.worker, *self._arguments()]
        keep = {name: os.environ[name] for name in _KEPT if name in os.environ}
        environment = {**keep, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        self._child = subprocess.Popen(  # noqa: S603  # our own module with two numbers
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, bufsize=0
        )
        try:
            ready = _read(self._child, time.monotonic() + self.limits.start_seconds)
        except _GoneError as gone:
            self.close()
            message = f"the image sandbox did not start ({gone.reason}); run `python -m {self.worker} 1024 20 1` to see why"
            raise SourceUnavailableError(message) from gone
        if ready != b"ready":
            self.close()
            message = f"the image sandbox did not start: {ready[:400].decode(errors='replace')}"
            raise SourceUnavailableError(message)
        return self._child


def _exchange(child: subprocess.Popen[bytes], packed: bytes, deadline: float) -> bytes:
    assert child.stdin is not None  # noqa: S101  # opened as a pipe above
    rest = memoryview(_HEAD.pack(len(packed)) + packed)
    with selectors.DefaultSelector() as selector:
        os.set_blocking(child.stdin.fileno(), False)
        selector.register(child.stdin, selectors.EVENT_WRITE)
        while rest:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise _GoneError("timed_out")
            try:
                rest = rest[os.write(child.stdin.fileno(), rest[:_CHUNK]) :]
            except BrokenPipeError as error:
                raise _GoneError("crashed") from error
    return _read(child, deadline)


def _read(child: subprocess.Popen[bytes], deadline: float) -> bytes:
    assert child.stdout is not None  # noqa: S101  # opened as a pipe above
    taken = bytearray()
    wanted = _HEAD.size
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while len(taken) < wanted:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise _GoneError("timed_out")
            piece = os.read(child.stdout.fileno(), min(_CHUNK, wanted - len(taken)))
            if not piece:
                raise _GoneError("crashed")
            taken += piece
            if len(taken) == _HEAD.size == wanted:
                wanted += _HEAD.unpack(taken)[0]
                if wanted > MAX_ANSWER:
                    raise _GoneError("crashed")
    return bytes(taken[_HEAD.size :])


def _unreadable(data: bytes, reason: str) -> Measured:
    return Measured(sha256=hashlib.sha256(data).hexdigest(), kind="unknown", format=sniff(data).value, unreadable=reason)
