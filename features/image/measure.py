"""All signals on the bytes of one piece of evidence.

This runs in the sandbox's process (`sandbox.py`); elsewhere only on bytes that we made ourselves.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

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
    hidden_watermark,
    iptc_source,
    marker_conflict,
    reuse,
    visible_marks,
)
from features.image.container.parts import IMAGES, VIDEOS, Format
from features.image.fingerprint import Print, to_index, to_query
from features.image.picture import Picture, UnreadableError
from features.image.polyglot import is_polyglot
from features.image.signal_kit import Context, Signal, Voice

if TYPE_CHECKING:
    from features.image.video import Film, Frame

SIGNALS: tuple[Signal, ...] = (
    c2pa_manifest,
    aigc_label,
    iptc_source,
    generator_markers,
    hidden_watermark,
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

_OF_A_STILL = frozenset({hidden_watermark.NAME, capture_time.NAME, capture_camera.NAME, delivery_kind.NAME})

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


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence, opened: its file as a picture, the frames of a film, and why its pixels cannot be had where they cannot."""

    picture: Picture
    kind: MediaKind
    film: "Film | None" = None
    unreadable: str | None = None

    @property
    def shown(self) -> tuple[Picture, ...]:
        """What there is to look at: the picture itself, or a film's key frames; nothing where it is unreadable."""
        if self.unreadable is not None:
            return ()
        return (self.picture,) if self.film is None else self.film.frames

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the pixels as stored, else what the file states, else null."""
        if self.film is not None:
            return self.film.size
        stated = self.picture.container.size
        return self.picture.size if self.unreadable is None and self.kind != "video" else stated


def open_piece(data: bytes) -> Piece:
    """Take the bytes apart and decode them; never raises."""
    picture = Picture(data)
    container = picture.container
    if is_polyglot(data, container):
        return Piece(picture, _kind(container.format), unreadable="polyglot")
    try:
        if container.format in VIDEOS:
            from features.image.video import read_film  # as in `picture.py`

            return Piece(picture, "video", read_film(data, container.format.value))
        _ = picture.luma
    except UnreadableError as error:
        return Piece(picture, _kind(container.format), unreadable=error.reason)
    return Piece(picture, _kind(container.format))


def _kind(found: Format) -> MediaKind:
    return "photo" if found in IMAGES else "video" if found in VIDEOS else "unknown"


def versions(signals: tuple[Signal, ...] = WITH_READING) -> Mapping[str, int]:
    """Every signal's version: the second half of the key under which a result is kept."""
    return {signal.NAME: signal.VERSION for signal in signals}


def measure_all(data: bytes, context: Context, signals: tuple[Signal, ...] = SIGNALS, *, keep: bool = False) -> Measured:
    """Run the signals in order. A signal that needs pixels of an unreadable picture is unavailable for that reason; the others still speak.

    `keep` also works out the prints under which the picture is added to a library, which takes longer than looking for it.
    """
    return measure_piece(open_piece(data), context, signals, keep=keep)


def measure_piece(piece: Piece, context: Context, signals: tuple[Signal, ...] = SIGNALS, *, keep: bool = False) -> Measured:
    """As `measure_all`, of a piece that is open already.

    Of a film: what its container says, its words and its reuse frame by frame. Signals of a still file's own shape have no answer for it.
    """
    picture, film = piece.picture, piece.film
    queried = _prints(piece, to_query)
    return Measured(
        sha256=hashlib.sha256(picture.data).hexdigest(),
        kind=piece.kind,
        format=picture.container.format.value,
        size=piece.size,
        problems=(*picture.container.problems, *(("longer_than_read",) if film is not None and film.cut else ())),
        unreadable=piece.unreadable,
        results=tuple(_of_piece(signal, piece, context, queried) for signal in signals),
        for_query=queried,
        for_index=_prints(piece, to_index) if keep else (),
    )


def _of_piece(signal: Signal, piece: Piece, context: Context, queried: tuple[Print, ...]) -> SignalResult:
    if piece.kind != "video":
        return _measured(signal, piece.picture, context, queried)
    return _of_film(signal, piece.picture, piece.film.frames if piece.film is not None else (), context, queried)


def _of_film(signal: Signal, picture: Picture, frames: "tuple[Frame, ...]", context: Context, queried: tuple[Print, ...]) -> SignalResult:
    if signal.NAME in _OF_A_STILL:
        return Voice(signal.NAME, signal.VERSION).silent("not_for_films")
    if signal.NAME != visible_marks.NAME or not frames:
        return _measured(signal, picture, context, queried)
    results = [_measured(signal, frame, context, ()) for frame in frames]
    best = max(range(len(results)), key=lambda number: (results[number].value is not None, results[number].value or 0.0))
    at = f"{frames[best].seconds:.1f} s into the film: "
    return replace(results[best], findings=tuple(replace(finding, detail=at + finding.detail) for finding in results[best].findings))


def _prints(piece: Piece, take: Callable[[Picture], Iterable[Print]]) -> tuple[Print, ...]:
    """The prints of all that is shown; frames of one film that look the same give one."""
    taken = tuple(found for shown in piece.shown for found in take(shown))
    return taken if piece.film is None else tuple({found.words: found for found in taken}.values())


def _measured(signal: Signal, picture: Picture, context: Context, queried: tuple[Print, ...]) -> SignalResult:
    try:
        if signal.NAME == reuse.NAME and queried:
            return reuse.judge(queried, context.library, context.own)
        return signal.measure(picture, context)
    except UnreadableError as error:
        return Voice(signal.NAME, signal.VERSION).silent(error.reason)
