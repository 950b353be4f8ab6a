"""Finding a picture again: the exact search against its slow reference, and copies of every kind against their original."""

import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from features.image import hamming
from features.image.examples import jpeg, scene
from features.image.fingerprint import to_index, to_query, trim
from features.image.hamming import MAX_DISTANCE, HammingIndex
from features.image.picture import Picture
from features.image.reuse import judge, measure
from features.image.reuse_library import ReuseLibrary
from features.image.signal_kit import Context


def _near(words: npt.NDArray[np.uint64], random: np.random.Generator, flips: int) -> tuple[int, int, int, int]:
    near = words.copy()
    for bit in random.choice(256, flips, replace=False):
        near[bit // 64] ^= np.uint64(1 << int(bit % 64))
    first, second, third, fourth = (int(word) for word in near)
    return first, second, third, fourth


@pytest.mark.parametrize("tail", [10, 10_000])
@given(seed=st.integers(0, 2**32 - 1), most=st.integers(0, MAX_DISTANCE))
@settings(max_examples=25, deadline=None)
def test_the_search_finds_what_counting_every_hash_finds(tail: int, seed: int, most: int) -> None:
    random = np.random.default_rng(seed)
    hashes = random.integers(0, 2**64, (2000, 4), dtype=np.uint64)
    hashes[1000:1200] = hashes[:200]
    index = HammingIndex()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hamming, "_TAIL", tail)
        for start in range(0, 2000, 700):
            index.add(hashes[start : start + 700])
    for flips in (0, most, min(most + 1, 200), random.integers(0, 60)):
        query = _near(hashes[random.integers(0, 200)], random, int(flips))
        assert index.search(query, most) == index.search_slowly(query, most)


def test_a_distance_that_cannot_be_promised_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 0 to 47"):
        HammingIndex().search((0, 0, 0, 0), 48)


def test_an_empty_index_finds_nothing() -> None:
    assert HammingIndex().search((1, 2, 3, 4)) == []


def _saved(picture: Image.Image, quality: int = 85) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _captioned(picture: Image.Image) -> Image.Image:
    out = Image.new("RGB", (picture.width, picture.height + 70), (255, 255, 255))
    out.paste(picture)
    return out


def _on_a_screen(picture: Image.Image) -> Image.Image:
    out = Image.new("RGB", (1080, 2340), (20, 20, 20))
    out.paste(picture.resize((1080, 810)), (0, 700))
    return out


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "resized": lambda picture: picture.resize((320, 240)),
    "mirrored": ImageOps.mirror,
    "turned": lambda picture: picture.rotate(90, expand=True),
    "framed": lambda picture: ImageOps.expand(picture, 40, (255, 255, 255)),
    "captioned": _captioned,
    "a screenshot": _on_a_screen,
    "a corner of 60 percent": lambda picture: picture.crop((0, 0, 384, 288)),
    "the middle of 60 percent": lambda picture: picture.crop((128, 96, 512, 384)),
}


@pytest.fixture(scope="module")
def library() -> ReuseLibrary:
    found = ReuseLibrary()
    for seed in range(20):
        found.add(f"photo {seed}", to_index(Picture(jpeg(scene(seed=seed)))))
    return found


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_finds_its_original_and_no_other(library: ReuseLibrary, copy: str) -> None:
    for seed in (3, 8):
        data = _saved(COPIES[copy](Image.fromarray(scene(seed=seed))))
        assert [match.image_id for match in library.find(to_query(Picture(data)))] == [f"photo {seed}"]


def test_recompression_hardly_moves_the_fingerprint(library: ReuseLibrary) -> None:
    match = library.find(to_query(Picture(jpeg(scene(seed=5), 40))))[0]
    assert (match.image_id, match.whole) == ("photo 5", True)
    assert match.distance <= 8


def test_a_picture_of_the_same_request_is_no_reuse(library: ReuseLibrary) -> None:
    picture = Picture(jpeg(scene(seed=4)))
    assert measure(picture, Context(library=library, own=frozenset({"photo 4"}))).value == 0.0
    found = measure(picture, Context(library=library))
    assert found.value == 0.7
    assert "photo 4" in found.findings[0].detail


def test_a_plain_wall_has_no_fingerprint(library: ReuseLibrary) -> None:
    wall = Picture(jpeg(np.full((300, 400, 3), 120, np.uint8)))
    assert to_query(wall) == ()
    assert judge(to_query(wall), library).unavailable == "too_plain"


def test_trimming_keeps_a_picture_without_a_border() -> None:
    grey = scene()[:, :, 0]
    assert trim(grey).shape == grey.shape
    framed = np.pad(grey, 30, constant_values=255)
    assert trim(framed).shape == grey.shape
    assert trim(framed, edge=True).shape == grey.shape
