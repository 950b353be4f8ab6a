"""Finding a picture again: the exact search against its slow reference, and copies of every kind against their original."""

import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps

from features.image import detail_index
from features.image.detail_index import DetailIndex
from features.image.details import ASKED, KEPT, find_details, read_details
from features.image.examples import jpeg, scene
from features.image.fingerprint import to_index, to_query, trim
from features.image.hamming import HammingIndex
from features.image.picture import Picture
from features.image.reuse import judge, measure
from features.image.reuse_library import ReuseLibrary
from features.image.signal_kit import NEAR, Context, Origin


def _near(words: npt.NDArray[np.uint64], random: np.random.Generator, flips: int) -> tuple[int, int, int, int]:
    near = words.copy()
    for bit in random.choice(256, flips, replace=False):
        near[bit // 64] ^= np.uint64(1 << int(bit % 64))
    first, second, third, fourth = (int(word) for word in near)
    return first, second, third, fourth


@given(seed=st.integers(0, 2**32 - 1), most=st.integers(0, 120))
@settings(max_examples=30, deadline=None)
def test_the_search_finds_what_counting_every_hash_finds(seed: int, most: int) -> None:
    random = np.random.default_rng(seed)
    hashes = random.integers(0, 2**64, (2500, 4), dtype=np.uint64)
    hashes[1000:1200] = hashes[:200]
    index = HammingIndex()
    for start in range(0, 2500, 700):
        index.add(hashes[start : start + 700])
    asked = [(_near(hashes[random.integers(0, 200)], random, int(flips)), int(flips)) for flips in (0, most, min(most + 1, 200), 31)]
    assert index.search(asked) == [index.search_slowly(query, reach) for query, reach in asked]


def test_more_hits_than_expected_are_all_given() -> None:
    index = HammingIndex()
    index.add(np.zeros((9000, 4), np.uint64))
    assert [hit.place for hit in index.search([((0, 0, 0, 0), 5)])[0]] == list(range(9000))


def test_a_reach_below_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 0 to 256"):
        HammingIndex().search([((0, 0, 0, 0), -1)])


def test_an_empty_index_finds_nothing() -> None:
    assert HammingIndex().search([((1, 2, 3, 4), 10)]) == [[]]
    assert DetailIndex().find(b"\x00" * 36 * 20) == []


def _details_of(seed: int, most: int = ASKED) -> bytes:
    return find_details(np.ascontiguousarray(scene(400, 300, seed)[:, :, 1]), most)


def test_details_sorted_in_and_details_just_added_are_found_alike() -> None:
    late, early = DetailIndex(), DetailIndex()
    for seed in range(12):
        late.add(_details_of(seed, KEPT))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(detail_index, "_TAIL", 1)
        for seed in range(12):
            early.add(_details_of(seed, KEPT))
    for seed in (0, 7, 11):
        by_counting, by_words = late.find(_details_of(seed)), early.find(_details_of(seed))
        assert [item.place for item in by_counting] == [item.place for item in by_words] == [seed]
        assert by_words[0].details >= 20


def test_details_in_another_arrangement_are_no_match() -> None:
    index = DetailIndex()
    index.add(_details_of(3, KEPT))
    asked = read_details(_details_of(3)).copy()
    assert index.find(asked.tobytes())
    asked["at"] = np.random.default_rng(0).permutation(asked["at"])
    assert index.find(asked.tobytes()) == []


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


def _wide_on_a_screen(picture: Image.Image) -> Image.Image:
    """A wide photo fills a fifth of a phone's screen, under a status bar."""
    out = Image.new("RGB", (1080, 2340), (250, 250, 250))
    ImageDraw.Draw(out).text((40, 30), "12:41   LTE  87%", fill=(128, 128, 128), font_size=40)
    out.paste(picture.resize((1080, 480)), (0, 900))
    return out


def _on_a_page(picture: Image.Image) -> Image.Image:
    out = Image.new("RGB", (900, 500), (250, 250, 250))
    out.paste(picture.crop((100, 60, 560, 420)), (20, 40))
    out.paste(Image.fromarray(scene(380, 440, seed=77)), (500, 30))
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
    "60 percent from anywhere": lambda picture: picture.crop((91, 33, 475, 321)),
    "half of it on a page with another": _on_a_page,
}


@pytest.fixture(scope="module")
def library() -> ReuseLibrary:
    found = ReuseLibrary()
    for seed in range(20):
        found.add(f"photo {seed}", to_index(Picture(jpeg(scene(seed=seed)))))
    return found


def test_a_wide_photo_on_a_tall_screen_is_found() -> None:
    wide = Image.fromarray(scene(960, 430, seed=5))
    kept = ReuseLibrary()
    kept.add("wide", to_index(Picture(_saved(wide))))
    assert [match.image_id for match in kept.find(to_query(Picture(_saved(_wide_on_a_screen(wide)))))] == ["wide"]


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


def test_a_match_names_its_library_and_whose_request_showed_it() -> None:
    named = ReuseLibrary()
    named.add("c1", to_index(Picture(jpeg(scene(seed=4)))), Origin("catalogue"))
    named.add("e1", to_index(Picture(jpeg(scene(seed=4), 70))), Origin("evidence", "req_9", "acc_3"))
    found = measure(Picture(jpeg(scene(seed=4), 60)), Context(library=named)).findings
    assert {"c1 (catalogue)", "e1 (evidence, request req_9, account acc_3)"} == {
        item.detail.split(" from ")[1].split(", recognised")[0] for item in found
    }


def test_a_shared_part_is_never_said_to_be_the_same_picture(library: ReuseLibrary) -> None:
    matches = library.find(to_query(Picture(_saved(Image.fromarray(scene(seed=6)).crop((91, 33, 475, 321))))))
    assert [(match.image_id, match.whole) for match in matches] == [("photo 6", False)]
    assert matches[0].distance > NEAR


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
