"""Pixels of HEIC photos, as phones send them: the primary picture or its grid of tiles, decoded by FFmpeg's HEVC decoder.

Pillow has no such decoder. The file's structure is read by our own bounded parser (`container/items.py`), so that the decoder sees nothing but coded
pictures. Not decoded: overlays and other derived pictures, cropping by `clap`, colour profiles.
"""

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange, Colorspace

from features.image.container.items import Item, Items, find_items

MAX_TILES = 1024
_MATRIX = {1: Colorspace.ITU709, 5: Colorspace.ITU601, 6: Colorspace.ITU601}


class HeifError(Exception):
    """The picture cannot be had; `reason` is one word: not_decodable, too_many_pixels, broken."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def orientation(data: bytes) -> int:
    """The turn that the file asks for, as the EXIF number 1 to 8; 1 where there is no picture."""
    primary = find_items(data).primary
    return 1 if primary is None else primary.orientation


def decode(data: bytes, most_pixels: int) -> npt.NDArray[np.uint8]:
    """The primary picture in colours, rows by columns by 3, as stored (not turned). HeifError: not_decodable, too_many_pixels, broken."""
    items = find_items(data)
    primary = items.primary
    if primary is None:
        raise HeifError("broken")
    if primary.kind == b"grid":
        return _grid(data, items, primary, most_pixels)
    return _Decoder(data, items, most_pixels).picture(primary)


def _grid(data: bytes, items: Items, grid: Item, most_pixels: int) -> npt.NDArray[np.uint8]:
    body = items.content(data, grid.number, 12) or b""
    size = 4 if body[1:2] and body[1] & 1 else 2
    if len(body) < 4 + 2 * size:
        raise HeifError("broken")
    rows, columns = body[2] + 1, body[3] + 1
    wide, high = int.from_bytes(body[4 : 4 + size], "big"), int.from_bytes(body[4 + size : 4 + 2 * size], "big")
    tiles = [items.items.get(number) for number in items.made_of(grid.number)]
    if wide * high > most_pixels or len(tiles) > MAX_TILES:
        raise HeifError("too_many_pixels")
    if rows * columns != len(tiles) or not wide or not high:
        raise HeifError("broken")
    decoder = _Decoder(data, items, most_pixels)
    whole = np.zeros((high, wide, 3), np.uint8)
    step: tuple[int, int] | None = None
    for place, tile in enumerate(tiles):
        if tile is None:
            raise HeifError("broken")
        pixels = decoder.picture(tile)
        step = step or (pixels.shape[0], pixels.shape[1])
        if pixels.shape[:2] != step or step[0] * rows < high or step[1] * columns < wide:
            raise HeifError("broken")
        top, left = place // columns * step[0], place % columns * step[1]
        room = whole[top : top + step[0], left : left + step[1]]
        room[:] = pixels[: room.shape[0], : room.shape[1]]
    return whole


class _Decoder:
    """One HEVC decoder for all tiles that share their parameter sets."""

    def __init__(self, data: bytes, items: Items, most_pixels: int) -> None:
        self.data, self.items, self.most = data, items, most_pixels
        self._codec: av.VideoCodecContext | None = None

    def picture(self, item: Item) -> npt.NDArray[np.uint8]:
        """One coded picture in colours."""
        parameters, content = item.value(b"hvcC"), self.items.content(self.data, item.number)
        if item.kind not in (b"hvc1", b"hev1"):
            raise HeifError("not_decodable")
        if parameters is None or not content:
            raise HeifError("broken")
        stated = item.value(b"ispe") or b""
        if int.from_bytes(stated[4:8], "big") * int.from_bytes(stated[8:12], "big") > self.most:
            raise HeifError("too_many_pixels")
        try:
            frame = self._decoded(parameters, content)
            if frame.width * frame.height > self.most:
                raise HeifError("too_many_pixels")
            return _colours(frame, item.value(b"colr") or b"")
        except (av.FFmpegError, ValueError, MemoryError) as error:
            raise HeifError("broken") from error

    def _decoded(self, parameters: bytes, content: bytes) -> av.VideoFrame:
        if self._codec is None or self._codec.extradata != parameters:
            self._codec = av.VideoCodecContext.create("hevc", "r")
            self._codec.extradata = parameters
            self._codec.thread_count = 1
        frames = [*self._codec.decode(av.Packet(content)), *self._codec.decode(None)]
        self._codec.flush_buffers()
        if len(frames) != 1:
            raise HeifError("broken")
        return frames[0]


def _colours(frame: av.VideoFrame, stated: bytes) -> npt.NDArray[np.uint8]:
    """RGB by the matrix and range that the file states, else those of the coded picture."""
    if stated[:4] != b"nclx" or len(stated) < 11:  # noqa: PLR2004  # kind, primaries, transfer, matrix, range
        return np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)
    matrix = _MATRIX.get(int.from_bytes(stated[8:10], "big"), Colorspace.DEFAULT)
    spread = ColorRange.JPEG if stated[10] & 0x80 else ColorRange.MPEG
    shown = frame.reformat(format="rgb24", src_colorspace=matrix, src_color_range=spread, dst_color_range=ColorRange.JPEG)
    return np.asarray(shown.to_ndarray(), dtype=np.uint8)
