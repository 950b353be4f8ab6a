"""One picture, decoded no further than a signal asks: its container, its metadata, its luma at full size, its colours small."""

import io
import struct
import warnings
import zlib
from functools import cached_property

import numpy as np
import numpy.typing as npt
from PIL import Image

from features.image.container.parts import Container, Format
from features.image.container.take_apart import take_apart
from features.image.metadata import Metadata, read_metadata

MAX_BYTES = 64 << 20
MAX_PIXELS_JPEG = 130_000_000
"""A 108-megapixel phone fits; JPEG decodes luma alone and colours at a fraction."""
MAX_PIXELS_OTHER = 50_000_000
"""Other formats decode whole, three bytes a pixel."""
COLOURS = 1600
"""Pixels on the long side up to which the models look; a JPEG gives halves and quarters of itself for less than the whole."""
SMALL = 1024
"""Colours are decoded so that the long side is at least this where the picture is; never larger than twice this."""

_PILLOW = {
    Format.JPEG: ("JPEG", "MPO"),
    Format.PNG: ("PNG",),
    Format.WEBP: ("WEBP",),
    Format.AVIF: ("AVIF",),
    Format.GIF: ("GIF",),
    Format.TIFF: ("TIFF",),
    Format.BMP: ("BMP",),
}
_MID_GREY = 128
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> how the stored pixels are turned to stand upright."""
BROKEN = (OSError, ValueError, SyntaxError, LookupError, TypeError, ArithmeticError, MemoryError, RuntimeError, EOFError, struct.error, zlib.error)
"""What Pillow's decoders raise for broken bytes; the list is wide because each plug-in has its own way to fail."""


class UnreadableError(Exception):
    """The pixels cannot be had; `reason` is one word: empty, too_large, too_many_pixels, not_decodable, broken."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Picture:
    """The bytes of one still picture. Every property is worked out once, when first asked for."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    @cached_property
    def container(self) -> Container:
        """The file taken apart; never raises."""
        return take_apart(self.data)

    @cached_property
    def metadata(self) -> Metadata:
        """What the file says of itself; never raises."""
        return read_metadata(self.container)

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height of the stored pixels. UnreadableError: they cannot be decoded."""
        return self._open().size

    @cached_property
    def orientation(self) -> int:
        """How the stored pixels are to be turned, as the EXIF number 1 to 8. HEIC and AVIF say it in their items and not in EXIF."""
        if self.container.format in {Format.HEIC, Format.AVIF}:
            from features.image import heif  # FFmpeg takes 16 MB, also of a process that looks at no picture

            return heif.orientation(self.data)
        stated = self.metadata.exif.number("Orientation") or 1.0
        return int(stated) if stated in range(1, 9) else 1

    @cached_property
    def luma(self) -> npt.NDArray[np.uint8]:
        """Brightness at full size, rows by columns, as stored (not turned). UnreadableError: it cannot be decoded."""
        picture = self._open()
        if self.container.format is Format.JPEG:
            picture.draft("L", picture.size)
        return _pixels(_loaded(picture), "L")

    @cached_property
    def small(self) -> npt.NDArray[np.uint8]:
        """Colours of the picture turned upright, long side between SMALL and twice that, or its own where smaller."""
        picture = self._open()
        if self.container.format is Format.JPEG:
            scale = max(picture.size) / SMALL
            picture.draft("RGB", (int(picture.size[0] / scale), int(picture.size[1] / scale)) if scale > 1 else picture.size)
        picture = _flattened(_loaded(picture))
        if max(picture.size) > 2 * SMALL:
            picture.thumbnail((2 * SMALL, 2 * SMALL), Image.Resampling.BOX)
        return upright(_pixels(picture, "RGB"), self.orientation)

    def colours(self) -> Image.Image:
        """Colours, upright, transparent parts over white; a large JPEG at the smallest of its own scales whose long side is COLOURS or more.

        UnreadableError: they cannot be decoded.
        """
        picture = self._open()
        if self.container.format is Format.JPEG:
            scale = min(1.0, COLOURS / max(picture.size))
            picture.draft("RGB", (round(picture.size[0] * scale), round(picture.size[1] * scale)))
        flat = _flattened(_loaded(picture), 255)
        whole = flat if flat.mode == "RGB" else Image.fromarray(_pixels(flat, "RGB"))
        turn = _TURNS.get(self.orientation)
        return whole if turn is None else whole.transpose(turn)

    @cached_property
    def small_luma(self) -> npt.NDArray[np.uint8]:
        """Brightness as stored (not turned), averaged down so that the long side lies between SMALL and twice that, or its own where smaller.

        UnreadableError: it cannot be decoded.
        """
        factor = max(self.luma.shape) // SMALL
        return self.luma if factor < 2 else np.asarray(Image.fromarray(self.luma).reduce(factor))  # noqa: PLR2004  # nothing to average

    @cached_property
    def alpha(self) -> npt.NDArray[np.uint8] | None:
        """The alpha plane of a PNG or WebP, null where there is none."""
        picture = self._open()
        if picture.mode != "RGBA":
            return None
        return np.asarray(_loaded(picture).getchannel("A"))

    @cached_property
    def _heic(self) -> npt.NDArray[np.uint8]:
        from features.image import heif

        try:
            return heif.decode(self.data, MAX_PIXELS_OTHER)
        except heif.HeifError as error:
            raise UnreadableError(error.reason) from error

    def _open(self) -> Image.Image:
        names = _PILLOW.get(self.container.format)
        if not self.data:
            raise UnreadableError("empty")
        if len(self.data) > MAX_BYTES:
            raise UnreadableError("too_large")
        if self.container.format is Format.HEIC:
            return Image.fromarray(self._heic)
        if names is None:
            raise UnreadableError("not_decodable")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit follows
                warnings.simplefilter("ignore", UserWarning)  # about metadata, which we read ourselves
                picture = Image.open(io.BytesIO(self.data), formats=names)
        except Image.DecompressionBombError as error:
            raise UnreadableError("too_many_pixels") from error
        except BROKEN as error:
            raise UnreadableError("broken") from error
        limit = MAX_PIXELS_JPEG if self.container.format is Format.JPEG else MAX_PIXELS_OTHER
        if picture.size[0] * picture.size[1] > limit:
            raise UnreadableError("too_many_pixels")
        return picture


def _loaded(picture: Image.Image) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            picture.load()
    except BROKEN as error:
        raise UnreadableError("broken") from error
    return picture


def _flattened(picture: Image.Image, level: int = _MID_GREY) -> Image.Image:
    """Without transparency: laid over a grey of that level."""
    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        with_alpha = picture.convert("RGBA")
        ground = Image.new("RGBA", with_alpha.size, (level, level, level, 255))
        return Image.alpha_composite(ground, with_alpha).convert("RGB")
    return picture


def _pixels(picture: Image.Image, mode: str) -> npt.NDArray[np.uint8]:
    if picture.mode.startswith("I;16") or picture.mode in {"I", "F"}:
        wide = np.asarray(picture, dtype=np.float64)
        top = 65535.0 if picture.mode != "F" else max(float(np.nanmax(wide, initial=1.0)), 1.0)
        picture = Image.fromarray(np.clip(np.nan_to_num(wide) / top * 255.0, 0, 255).astype(np.uint8))
    return np.asarray(picture if picture.mode == mode else picture.convert(mode), dtype=np.uint8)


def upright(pixels: npt.NDArray[np.uint8], orientation: int) -> npt.NDArray[np.uint8]:
    """Turn pixels by the EXIF orientation, 1 to 8."""
    if orientation in {5, 6, 7, 8}:
        pixels = pixels.swapaxes(0, 1)
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    if orientation in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
