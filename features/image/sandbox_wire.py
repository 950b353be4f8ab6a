"""What travels between the caller and the sandbox: length-prefixed MessagePack, decoded into types on arrival; never pickle."""

import struct
from datetime import datetime
from typing import BinaryIO

import msgspec
import numpy as np

from data_contracts.signal import HeatMap, ImageFinding, SignalResult
from features.image.fingerprint import Print
from features.image.measure import Measured, MediaKind
from features.image.signal_kit import Context

_HEAD = struct.Struct(">Q")
MAX_ANSWER = 16 << 20
"""Bytes that an answer may have: a child that was taken over must not fill the caller's memory."""


class Job(msgspec.Struct, frozen=True):
    """One piece of evidence and what the signals may know about it. A library stays with the caller."""

    data: bytes
    ordered_at: datetime | None = None
    delivered_at: datetime | None = None
    claimed_at: datetime | None = None
    place: tuple[float, float] | None = None
    trust_anchors: str | None = None
    keep: bool = False
    read: bool = False
    look: bool = False
    draw: bool = False

    @property
    def context(self) -> Context:
        """The context as the signals take it."""
        return Context(
            ordered_at=self.ordered_at, delivered_at=self.delivered_at, claimed_at=self.claimed_at, place=self.place, trust_anchors=self.trust_anchors
        )


class _Result(msgspec.Struct, frozen=True):
    signal: str
    version: int
    value: float | None
    unavailable: str | None
    findings: tuple[ImageFinding, ...]
    map_rows: int
    map: bytes


class _Answer(msgspec.Struct, frozen=True):
    sha256: str
    kind: MediaKind
    format: str
    size: tuple[int, int] | None
    problems: tuple[str, ...]
    unreadable: str | None
    results: tuple[_Result, ...]
    for_query: tuple[Print, ...]
    for_index: tuple[Print, ...]
    more: bytes = b""


def job_of(data: bytes, context: Context, *, keep: bool = False, read: bool = False, look: bool = False, draw: bool = False) -> bytes:
    """A job, packed."""
    job = Job(data, context.ordered_at, context.delivered_at, context.claimed_at, context.place, context.trust_anchors, keep, read, look, draw)
    return msgspec.msgpack.encode(job)


def read_job(packed: bytes) -> Job:
    """A job, unpacked. msgspec.MsgspecError: it is none."""
    return msgspec.msgpack.decode(packed, type=Job)


def pack_answer(measured: Measured, more: bytes = b"") -> bytes:
    """An answer, packed; `more` is what a worker of a higher floor adds, in a form of its own."""
    results = tuple(
        _Result(item.signal, item.version, item.value, item.unavailable, item.findings, 0 if item.map is None else len(item.map), _bytes(item.map))
        for item in measured.results
    )
    return msgspec.msgpack.encode(
        _Answer(
            measured.sha256,
            measured.kind,
            measured.format,
            measured.size,
            measured.problems,
            measured.unreadable,
            results,
            measured.for_query,
            measured.for_index,
            more,
        )
    )


def unpack_answer(packed: bytes) -> tuple[Measured, bytes]:
    """An answer, unpacked and checked, and what a worker of a higher floor added. msgspec.MsgspecError or ValueError: it is none."""
    answer = msgspec.msgpack.decode(packed, type=_Answer)
    results = tuple(
        SignalResult(
            signal=item.signal,
            version=item.version,
            value=item.value,
            unavailable=item.unavailable,
            findings=item.findings,
            map=_map(item.map_rows, item.map),
        )
        for item in answer.results
    )
    measured = Measured(
        sha256=answer.sha256,
        kind=answer.kind,
        format=answer.format,
        size=answer.size,
        problems=answer.problems,
        unreadable=answer.unreadable,
        results=results,
        for_query=answer.for_query,
        for_index=answer.for_index,
    )
    return measured, answer.more


def _bytes(heat: HeatMap | None) -> bytes:
    return b"" if heat is None else heat.tobytes()


def _map(rows: int, body: bytes) -> HeatMap | None:
    return np.frombuffer(body, np.uint8).reshape(rows, -1) if rows else None


def send(stream: BinaryIO, packed: bytes) -> None:
    """Write one message."""
    stream.write(_HEAD.pack(len(packed)))
    stream.write(packed)
    stream.flush()


def receive(stream: BinaryIO) -> bytes | None:
    """Read one message; null where the stream ends."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    return stream.read(_HEAD.unpack(head)[0])
