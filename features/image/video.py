"""Key frames of a film: a few pictures that differ, within limits on length, size, frames and time.

Only frames that stand by themselves are decoded, and of those only the ones are kept whose fingerprint is far from the last one kept: a film of one
scene gives one frame. What a film's container says of itself is read without decoding (`container/`).
"""

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import av
import numpy as np
import numpy.typing as npt
from PIL import Image

from features.image.fingerprint import Print, first_print
from features.image.picture import SMALL, Picture, UnreadableError

MAX_SECONDS = 600.0
"""Longer films are read up to here."""
MAX_PIXELS = 4096 * 2304
MAX_DECODED = 120
"""Frames decoded at most, kept or not."""
MAX_KEPT = 12
_APART = 48
"""Bits, of 256, by which a frame must differ from the last one kept."""
_CONTAINERS = {"mp4": "mov", "matroska": "matroska", "avi": "avi", "flv": "flv"}


class Frame(Picture):
    """A frame as a picture: pixels without a file of its own."""

    def __init__(self, pixels: npt.NDArray[np.uint8], seconds: float) -> None:
        super().__init__(b"")
        self._frame_pixels, self.seconds = pixels, seconds

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self._frame_pixels.shape[1], self._frame_pixels.shape[0]

    @cached_property
    def luma(self) -> npt.NDArray[np.uint8]:
        """Brightness, by the weights that Pillow uses."""
        weighted = self._frame_pixels.astype(np.uint32) @ np.array([19595, 38470, 7471], np.uint32)
        return ((weighted + 0x8000) >> 16).astype(np.uint8)

    @cached_property
    def small(self) -> npt.NDArray[np.uint8]:
        """The colours; frames are kept small already."""
        return self._frame_pixels

    def colours(self) -> Image.Image:
        """The same as a Pillow picture."""
        return Image.fromarray(self._frame_pixels)


@dataclass(frozen=True, slots=True)
class Film:
    """What was read of a film: `seconds` as its container states, null where it does not; `cut` where it is longer than what was looked at."""

    frames: tuple[Frame, ...]
    seconds: float | None
    size: tuple[int, int]
    cut: bool


def read_film(data: bytes, container: str) -> Film:
    """The key frames of a film whose container is `container` (mp4, matroska, avi, flv).

    UnreadableError: not_decodable, no_picture, too_many_pixels, broken.
    """
    if container not in _CONTAINERS:
        raise UnreadableError("not_decodable")
    try:
        with warnings.catch_warnings(), av.open(io.BytesIO(data), "r", format=_CONTAINERS[container], metadata_errors="replace") as source:
            warnings.simplefilter("ignore")
            if not source.streams.video:
                raise UnreadableError("no_picture")
            stream = source.streams.video[0]
            if stream.width * stream.height > MAX_PIXELS:
                raise UnreadableError("too_many_pixels")
            stream.thread_count = 1
            stream.codec_context.skip_frame = "NONKEY"
            seconds = float(source.duration) / av.time_base if source.duration else None
            decoded = _decoded(source, stream)
            frames = tuple(_different(decoded))
            return Film(frames, seconds, (stream.width, stream.height), cut=seconds is not None and seconds > MAX_SECONDS)
    except (av.FFmpegError, ValueError, MemoryError) as error:
        raise UnreadableError("broken") from error


def _decoded(source: av.container.InputContainer, stream: av.VideoStream) -> Iterator[Frame]:
    for _, frame in zip(range(MAX_DECODED), source.decode(stream), strict=False):
        if frame.time is not None and frame.time > MAX_SECONDS:
            return
        if frame.width * frame.height > MAX_PIXELS:
            raise UnreadableError("too_many_pixels")
        scale = min(1.0, SMALL / max(frame.width, frame.height))
        shown = frame.reformat(width=max(2, round(frame.width * scale)), height=max(2, round(frame.height * scale)), format="rgb24")
        yield Frame(np.asarray(shown.to_ndarray(), dtype=np.uint8), float(frame.time or 0.0))


def _different(frames: Iterator[Frame]) -> Iterator[Frame]:
    last: Print | None = None
    kept = 0
    for frame in frames:
        first = first_print(frame)
        if kept and (first is None or (last is not None and distance(first, last) < _APART)):
            continue
        last, kept = first or last, kept + 1
        yield frame
        if kept == MAX_KEPT:
            return


def distance(one: Print, other: Print) -> int:
    """How many of 256 bits differ."""
    return sum((a ^ b).bit_count() for a, b in zip(one.words, other.words, strict=True))
