"""One piece of evidence through the sandbox with everything that looks at it: signals, network, patch net. Bytes in, typed answers out.

What travels from the child is checked on arrival like any input from outside: the child opens hostile bytes and may have been taken over.
"""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from data_contracts.signal import HeatMap, Region
from features.image.measure import Measured
from features.image.sandbox import Limits, Sandbox
from features.image.signal_kit import Context
from models.authenticity import tower
from models.authenticity.artifact import SHIPPED
from models.authenticity.judgement import Doubt, Judgement, Verdict

WORKER = "risk.evidence.worker"
AnomalyVerdict: TypeAlias = Literal["edited", "unsure", "clean", "drawing"]
Pixels: TypeAlias = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Absent:
    """Something did not look; `reason` in one word says why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Anomaly:
    """What was seen in the patches: `map` covers the whole upright picture, `score` is 0 to 1 for an edited region somewhere, `region` is where.

    The verdict `drawing` is none: a map for a person's eyes, hardly better than chance, with score 0.
    """

    map: HeatMap
    score: float
    verdict: AnomalyVerdict
    region: Region | None
    version: str


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """A small upright copy of the pixels, rows by columns by three, for people."""

    pixels: Pixels


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sight:
    """What the models saw in one piece of evidence; `preview` is null unless it was asked for."""

    judged: Judgement | Absent
    anomaly: Anomaly | Absent
    preview: Preview | None


@dataclass(frozen=True, slots=True, eq=False)
class Inspected:
    """Everything about one piece of evidence that needs its bytes."""

    measured: Measured
    sight: Sight


class Inspector:
    """A sandbox with the models in it. One job at a time; use one a core. Close it, or use it in a with statement."""

    def __init__(self, models: Path = SHIPPED, tower_file: Path | None = None, limits: Limits | None = None) -> None:
        arguments = (str(models), str(tower_file or tower.default_path()))
        self.sandbox = Sandbox(limits, WORKER, arguments)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the child, if there is one."""
        self.sandbox.close()

    def inspect(self, data: bytes, context: Context, *, keep: bool = False, read: bool = False, draw: bool = False) -> Inspected:
        """Measure and look, in one exchange; `draw` also gives the preview. Bytes that break the child come back as unreadable.

        SourceUnavailableError: it cannot be started.
        """
        measured, packed = self.sandbox.look(data, context, keep=keep, read=read, draw=draw)
        if packed:
            try:
                return Inspected(measured, unpack_sight(packed))
            except (msgspec.MsgspecError, ValueError):
                self.sandbox.close()
                return Inspected(measured, not_seen("crashed"))
        return Inspected(measured, not_seen(measured.unreadable or "crashed"))


def not_seen(reason: str) -> Sight:
    """The sight of what nobody could look at."""
    return Sight(judged=Absent(reason), anomaly=Absent(reason), preview=None)


class _Judged(msgspec.Struct, frozen=True):
    score: float | None
    verdict: Verdict
    doubts: tuple[Doubt, ...]
    model: str
    encoder: str


class _Anomaly(msgspec.Struct, frozen=True):
    rows: int
    map: bytes
    score: float
    verdict: AnomalyVerdict
    region: Region | None
    version: str


class _Sight(msgspec.Struct, frozen=True):
    judged: _Judged | None
    not_judged: str
    anomaly: _Anomaly | None
    no_anomaly: str
    rows: int
    columns: int
    preview: bytes


def pack_sight(sight: Sight) -> bytes:
    """A sight, packed."""
    judged, anomaly, preview = sight.judged, sight.anomaly, sight.preview
    rows, columns = preview.pixels.shape[:2] if preview is not None else (0, 0)
    return msgspec.msgpack.encode(
        _Sight(
            None if isinstance(judged, Absent) else _Judged(judged.score, judged.verdict, judged.doubts, judged.model, judged.encoder),
            judged.reason if isinstance(judged, Absent) else "",
            None if isinstance(anomaly, Absent) else _packed_anomaly(anomaly),
            anomaly.reason if isinstance(anomaly, Absent) else "",
            rows,
            columns,
            preview.pixels.tobytes() if preview is not None else b"",
        )
    )


def _packed_anomaly(anomaly: Anomaly) -> _Anomaly:
    return _Anomaly(len(anomaly.map), anomaly.map.tobytes(), anomaly.score, anomaly.verdict, anomaly.region, anomaly.version)


def unpack_sight(packed: bytes) -> Sight:
    """A sight, unpacked and checked. msgspec.MsgspecError or ValueError: it is none."""
    found = msgspec.msgpack.decode(packed, type=_Sight)
    judged, anomaly = found.judged, found.anomaly
    for score in (None if judged is None else judged.score, None if anomaly is None else anomaly.score):
        if score is not None and not 0.0 <= score <= 1.0:
            message = f"a score of {score} came out of the sandbox; expected 0 to 1"
            raise ValueError(message)
    pixels = np.frombuffer(found.preview, np.uint8).reshape(found.rows, found.columns, 3) if found.rows else None
    return Sight(
        judged=Absent(found.not_judged) if judged is None else Judgement(judged.score, judged.verdict, judged.doubts, judged.model, judged.encoder),
        anomaly=Absent(found.no_anomaly) if anomaly is None else _unpacked_anomaly(anomaly),
        preview=None if pixels is None else Preview(pixels),
    )


def _unpacked_anomaly(found: _Anomaly) -> Anomaly:
    heat = np.frombuffer(found.map, np.uint8).reshape(found.rows, -1)
    return Anomaly(map=heat, score=found.score, verdict=found.verdict, region=found.region, version=found.version)
