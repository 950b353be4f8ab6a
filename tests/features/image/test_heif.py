"""HEIC photos as phones send them: one picture, a grid of tiles, turned, with a gap in them; made here by x265 and our own boxes."""

import io
import struct
from functools import lru_cache

import av
import numpy as np
import numpy.typing as npt
import pytest

from features.image.container.items import find_items
from features.image.examples import exif, scene
from features.image.measure import measure_all
from features.image.picture import Picture, UnreadableError, upright
from features.image.signal_kit import Context
from tests.features.image.writers import box, full

Pixels = npt.NDArray[np.uint8]


@lru_cache(maxsize=32)
def coded(seed: int, side: int = 128) -> tuple[bytes, bytes]:
    """The parameter sets and the coded picture of one scene."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        stream = file.add_stream("libx265", rate=1)
        stream.width = stream.height = side
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "12", "x265-params": "log-level=none:keyint=1:pools=1:frame-threads=1"}
        stream.codec_context.codec_tag = "hvc1"
        for packet in [*stream.encode(av.VideoFrame.from_ndarray(scene(side, side, seed), format="rgb24")), *stream.encode(None)]:
            file.mux(packet)
    data = out.getvalue()
    return tuple(data[at + 4 : at - 4 + int.from_bytes(data[at - 4 : at], "big")] for at in (data.index(b"hvcC"), data.index(b"mdat")))  # type: ignore[return-value]


def heic(rows: int, columns: int, size: tuple[int, int], *, turn: int | None = None, mirror: int | None = None, side: int = 128) -> bytes:
    """A photo of rows x columns tiles, seeds counted from 1, with EXIF, as a phone writes it (the grid's own record in idat)."""
    tiles = [coded(seed, side) for seed in range(1, rows * columns + 1)]
    grid = bytes([0, 0, rows - 1, columns - 1]) + struct.pack(">HH", *size)
    block = struct.pack(">I", 0) + exif({0x010F: "Apple", 0x0110: "iPhone 13", 0x0112: 6}, {0x829A: 0.01}).removeprefix(b"Exif\x00\x00")
    contents = [*(body for _, body in tiles), block]
    kinds = [*([b"hvc1"] * len(tiles)), b"Exif", b"grid"]
    infos = b"".join(full(b"infe", struct.pack(">HH", n + 1, 0) + kind + b"\x00", 2) for n, kind in enumerate(kinds))
    listed = box(b"hvcC", tiles[0][0]) + full(b"ispe", struct.pack(">II", side, side)) + full(b"ispe", struct.pack(">II", *size))
    turned = [box(b"irot", bytes([turn]))] if turn is not None else []
    turned += [box(b"imir", bytes([mirror]))] if mirror is not None else []
    main = [3, *range(4, 4 + len(turned))]
    pairs = [(n + 1, [0x81, 2]) for n in range(len(tiles))] + [(len(kinds), main)]
    named = struct.pack(">I", len(pairs)) + b"".join(struct.pack(">HB", number, len(places)) + bytes(places) for number, places in pairs)
    properties = box(b"iprp", box(b"ipco", listed + b"".join(turned)) + full(b"ipma", named))
    made = full(b"iref", box(b"dimg", struct.pack(">HH", len(kinds), len(tiles)) + struct.pack(f">{len(tiles)}H", *range(1, len(tiles) + 1))))
    head = box(b"ftyp", b"heic\x00\x00\x00\x00mif1heic")

    def meta(start: int) -> bytes:
        body, at = b"\x44\x00" + struct.pack(">H", len(kinds)), start
        for n, content in enumerate(contents):
            body += struct.pack(">HHHHII", n + 1, 0, 0, 1, at, len(content))
            at += len(content)
        body += struct.pack(">HHHHII", len(kinds), 1, 0, 1, 0, len(grid))
        primary = full(b"pitm", struct.pack(">H", len(kinds)))
        return full(
            b"meta",
            full(b"hdlr", b"\x00" * 4 + b"pict" + b"\x00" * 13)
            + primary
            + full(b"iinf", struct.pack(">H", len(kinds)) + infos)
            + properties
            + made
            + box(b"idat", grid)
            + full(b"iloc", body, 1),
        )

    return head + meta(len(head) + len(meta(0)) + 8) + box(b"mdat", b"".join(contents))


def wanted(rows: int, columns: int, size: tuple[int, int], side: int = 128) -> Pixels:
    lines = [np.hstack([scene(side, side, 1 + row * columns + column) for column in range(columns)]) for row in range(rows)]
    return np.vstack(lines)[: size[1], : size[0]]


def error(one: Pixels, other: Pixels) -> float:
    assert one.shape == other.shape
    return float(np.abs(one.astype(float) - other).mean())


def test_a_grid_of_tiles_is_put_together_and_cut_to_its_size() -> None:
    picture = Picture(heic(2, 3, (350, 230)))
    assert picture.size == (350, 230)
    assert error(picture.small, wanted(2, 3, (350, 230))) < 4
    assert abs(float(picture.luma.mean()) - float(wanted(2, 3, (350, 230)).mean())) < 20


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
@pytest.mark.parametrize("mirror", [None, 0, 1])
def test_a_photo_stands_as_its_file_asks_and_exif_turns_it_no_second_time(turn: int, mirror: int | None) -> None:
    straight = wanted(1, 2, (250, 128))
    asked = np.rot90(straight, turn)
    asked = asked if mirror is None else asked[::-1] if mirror == 0 else asked[:, ::-1]
    data = heic(1, 2, (250, 128), turn=turn, mirror=mirror)
    assert error(Picture(data).small, np.ascontiguousarray(asked)) < 4
    assert error(upright(straight, Picture(data).orientation), np.ascontiguousarray(asked)) == 0
    assert error(np.asarray(Picture(data).colours()), np.ascontiguousarray(asked)) < 4


def test_its_camera_is_read_and_every_signal_answers() -> None:
    measured = measure_all(heic(2, 2, (256, 256)), Context())
    assert (measured.unreadable, measured.kind, measured.format, measured.size) == (None, "photo", "heic", (256, 256))
    kind = next(result for result in measured.results if result.signal == "delivery_kind")
    assert kind.findings[0].code == "IMAGE_FROM_CAMERA"


def test_a_picture_whose_tiles_are_not_all_there_is_broken() -> None:
    data = heic(2, 2, (256, 256))
    for broken, reason in (
        (data[: len(data) // 2], "broken"),
        (data.replace(b"hvcC", b"free"), "broken"),
        (data.replace(b"hvc1", b"xyz1"), "not_decodable"),
    ):
        with pytest.raises(UnreadableError) as caught:
            _ = Picture(broken).small
        assert caught.value.reason == reason


def test_a_grid_that_claims_more_than_we_decode_is_refused_before_it_is_decoded() -> None:
    claim = heic(1, 1, (60_000, 60_000))
    with pytest.raises(UnreadableError, match="too_many_pixels"):
        _ = Picture(claim).luma


def test_no_mutation_of_a_photo_does_more_than_be_unreadable() -> None:
    data, random = heic(2, 2, (120, 120), side=64), np.random.default_rng(1)
    reasons = set()
    for _ in range(150):
        raw = bytearray(data)
        for place in random.integers(0, len(raw), 8):
            raw[int(place) if random.random() < 0.5 else int(place) % 900] = int(random.integers(0, 256))
        find_items(bytes(raw))
        reasons.add(measure_all(bytes(raw), Context(), ()).unreadable)
    assert reasons <= {None, "broken", "not_decodable", "too_many_pixels", "no_picture", "too_large"}
