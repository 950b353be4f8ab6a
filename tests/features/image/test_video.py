"""Films: a few frames that differ, limits, labels of the container, and reuse across frames."""

import io

import av
import pytest

from features.image import video
from features.image.examples import AIGC, scene
from features.image.fingerprint import to_index
from features.image.measure import WITH_READING, measure_all
from features.image.picture import UnreadableError
from features.image.reuse_library import ReuseLibrary
from features.image.signal_kit import Context
from features.image.video import read_film
from tests.features.image.writers import mp4


def film(seeds: list[int], kind: str = "mp4", comment: str | None = None) -> bytes:
    """A second of each scene, ten frames a second, a key frame every half."""
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as target:
        if comment:
            target.metadata["comment"] = comment
        stream = target.add_stream("flv1" if kind == "flv" else "mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 320, 240, "yuv420p", 5
        for seed in seeds:
            for _ in range(10):
                target.mux(stream.encode(av.VideoFrame.from_ndarray(scene(320, 240, seed), format="rgb24")))
        target.mux(stream.encode())
    return out.getvalue()


@pytest.mark.parametrize(("kind", "container"), [("mp4", "mp4"), ("matroska", "matroska"), ("avi", "avi"), ("flv", "flv")])
def test_a_frame_of_each_scene_is_kept(kind: str, container: str) -> None:
    found = read_film(film([1, 2, 3], kind), container)
    assert [frame.seconds for frame in found.frames] == [0.0, 1.0, 2.0]
    assert (found.size, found.cut) == ((320, 240), False)


def test_a_film_of_one_scene_gives_one_frame() -> None:
    assert len(read_film(film([4, 4, 4, 4]), "mp4").frames) == 1


def test_frames_and_length_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    data = film([1, 2, 3, 4])
    monkeypatch.setattr(video, "MAX_KEPT", 2)
    assert len(read_film(data, "mp4").frames) == 2
    monkeypatch.setattr(video, "MAX_SECONDS", 0.7)
    found = read_film(data, "mp4")
    assert (len(found.frames), found.cut) == (1, True)
    monkeypatch.setattr(video, "MAX_PIXELS", 100)
    with pytest.raises(UnreadableError, match="too_many_pixels"):
        read_film(data, "mp4")


def test_a_broken_film_is_unreadable_but_its_labels_speak() -> None:
    measured = measure_all(mp4({"AIGC": AIGC}), Context())
    assert measured.kind == "video"
    assert measured.unreadable in {"broken", "no_picture"}
    assert {result.signal: result.value for result in measured.results}["aigc_label"] == 0.7


def test_a_film_is_found_again_by_any_of_its_scenes() -> None:
    library = ReuseLibrary()
    library.add("earlier film", measure_all(film([7, 8]), Context(), keep=True).for_index)
    measured = measure_all(film([20, 8]), Context(library=library))
    assert {result.signal: result.value for result in measured.results}["reuse"] == 0.7
    assert measured.unavailable["delivery_kind"] == "not_for_films"
    assert measured.unreadable is None


def test_a_photo_is_found_in_a_film() -> None:
    library = ReuseLibrary()
    library.add("film", to_index(read_film(film([9]), "mp4").frames[0]))
    from features.image.examples import jpeg

    assert measure_all(jpeg(scene(320, 240, 9)), Context(library=library)).results[-1].value == 0.7


def test_words_are_read_in_every_scene() -> None:
    measured = measure_all(film([1, 2]), Context(), WITH_READING)
    assert measured.results[-1].signal == "visible_marks"
    assert measured.results[-1].value == 0.0
