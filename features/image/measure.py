"""All signals on the bytes of one piece of evidence.

This runs in the sandbox's process (`sandbox.py`); elsewhere only on bytes that we made ourselves.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from data_contracts.signal import SignalResult
from features.image import (
    aigc_label,
    c2pa_manifest,
    capture_camera,
    capture_place,
    capture_time,
    delivery_kind,
    editor_markers,
    generator_markers,
    iptc_source,
    marker_conflict,
    reuse,
    visible_marks,
)
from features.image.container.parts import IMAGES, VIDEOS
from features.image.fingerprint import Print, to_index, to_query
from features.image.picture import Picture, UnreadableError
from features.image.signal_kit import Context, Signal, Voice
from features.image.video import Frame, read_film

SIGNALS: tuple[Signal, ...] = (
    c2pa_manifest,
    aigc_label,
    iptc_source,
    generator_markers,
    editor_markers,
    marker_conflict,
    capture_time,
    capture_place,
    capture_camera,
    delivery_kind,
    reuse,
)
"""Every signal of a still picture that is quick, the certain ones first."""

WITH_READING: tuple[Signal, ...] = (*SIGNALS, visible_marks)
"""The same and those that read the words in the picture, which take longer than all the others together."""

_OF_A_STILL = frozenset({capture_time.NAME, capture_camera.NAME, delivery_kind.NAME})

MediaKind: TypeAlias = Literal["photo", "video", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured of one piece of evidence. `unreadable` is the reason in one word where its pixels could not be had.

    `format` is what the bytes say, `problems` is what is wrong with the file's structure, `prints` find the picture in a library (`for_query`)
    or keep it there (`for_index`).
    """

    sha256: str
    kind: MediaKind
    format: str
    size: tuple[int, int] | None = None
    problems: tuple[str, ...] = ()
    unreadable: str | None = None
    results: tuple[SignalResult, ...] = ()
    for_query: tuple[Print, ...] = ()
    for_index: tuple[Print, ...] = ()

    @property
    def unavailable(self) -> Mapping[str, str]:
        """What was not possible to check: signal -> reason."""
        return {result.signal: result.unavailable for result in self.results if result.unavailable is not None}


def versions(signals: tuple[Signal, ...] = WITH_READING) -> Mapping[str, int]:
    """Every signal's version: the second half of the key under which a result is kept."""
    return {signal.NAME: signal.VERSION for signal in signals}


def measure_all(data: bytes, context: Context, signals: tuple[Signal, ...] = SIGNALS, *, keep: bool = False) -> Measured:
    """Run the signals in order. A signal that needs pixels of an unreadable picture is unavailable for that reason; the others still speak.

    `keep` also works out the prints under which the picture is added to a library, which takes longer than looking for it.
    """
    picture = Picture(data)
    container = picture.container
    kind: MediaKind = "photo" if container.format in IMAGES else "video" if container.format in VIDEOS else "unknown"
    if kind == "video":
        return _film(picture, context, signals, keep=keep)
    unreadable, size = _readable(picture)
    queried = to_query(picture) if unreadable is None else ()
    return Measured(
        sha256=hashlib.sha256(data).hexdigest(),
        kind=kind,
        format=container.format.value,
        size=size or container.size,
        problems=container.problems,
        unreadable=unreadable,
        results=tuple(_measured(signal, picture, context, queried) for signal in signals),
        for_query=queried,
        for_index=to_index(picture) if keep and unreadable is None else (),
    )


def _film(picture: Picture, context: Context, signals: tuple[Signal, ...], *, keep: bool) -> Measured:
    """A film: what its container says, its words and its reuse frame by frame. Signals of a still file's own shape have no answer for it."""
    film, unreadable = None, None
    try:
        film = read_film(picture.data, picture.container.format.value)
    except UnreadableError as error:
        unreadable = error.reason
    frames = film.frames if film is not None else ()
    queried = _unique(found for frame in frames for found in to_query(frame))
    return Measured(
        sha256=hashlib.sha256(picture.data).hexdigest(),
        kind="video",
        format=picture.container.format.value,
        size=film.size if film is not None else picture.container.size,
        problems=(*picture.container.problems, *(("longer_than_read",) if film is not None and film.cut else ())),
        unreadable=unreadable,
        results=tuple(_of_film(signal, picture, frames, context, queried) for signal in signals),
        for_query=queried,
        for_index=_unique(found for frame in frames for found in to_index(frame)) if keep else (),
    )


def _of_film(signal: Signal, picture: Picture, frames: tuple[Frame, ...], context: Context, queried: tuple[Print, ...]) -> SignalResult:
    if signal.NAME in _OF_A_STILL:
        return Voice(signal.NAME, signal.VERSION).silent("not_for_films")
    if signal.NAME != visible_marks.NAME or not frames:
        return _measured(signal, picture, context, queried)
    results = [_measured(signal, frame, context, ()) for frame in frames]
    best = max(range(len(results)), key=lambda number: (results[number].value is not None, results[number].value or 0.0))
    at = f"{frames[best].seconds:.1f} s into the film: "
    return replace(results[best], findings=tuple(replace(finding, detail=at + finding.detail) for finding in results[best].findings))


def _unique(prints: Iterable[Print]) -> tuple[Print, ...]:
    return tuple({found.words: found for found in prints}.values())


def _readable(picture: Picture) -> tuple[str | None, tuple[int, int] | None]:
    try:
        rows, columns = picture.luma.shape
    except UnreadableError as error:
        return error.reason, None
    return None, (columns, rows)


def _measured(signal: Signal, picture: Picture, context: Context, queried: tuple[Print, ...]) -> SignalResult:
    try:
        if signal.NAME == reuse.NAME and queried:
            return reuse.judge(queried, context.library, context.own)
        return signal.measure(picture, context)
    except UnreadableError as error:
        return Voice(signal.NAME, signal.VERSION).silent(error.reason)
