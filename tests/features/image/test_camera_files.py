"""Files as cameras write them carry no mark: none of what they hold (maker notes, previews, gain maps, trailers, comments) is taken for one."""

from collections import Counter

from PIL import Image

from benchmarks.camera_files import CAMERAS, camera_files
from benchmarks.image_signals import marked
from features.image import capture_camera, delivery_kind
from features.image.examples import scene
from features.image.marker_conflict import camera_of
from features.image.picture import Picture
from features.image.signal_kit import Context

FILES = list(camera_files(lambda number: Image.fromarray(scene(320, 240, number % 3)), 2 * len(CAMERAS)))


def test_no_marker_signal_says_anything_against_a_camera_file() -> None:
    assert {name: found for name, raw in FILES if (found := marked(raw))} == {}


def test_every_camera_is_read_with_its_model() -> None:
    for name, raw in FILES:
        assert camera_of(Picture(raw).metadata) == name


def test_every_file_is_taken_for_a_cameras_own() -> None:
    assert Counter(delivery_kind.guess(Picture(raw)).kind for _, raw in FILES) == {delivery_kind.Kind.CAMERA: len(FILES)}


def test_only_tables_that_its_maker_never_writes_speak_against_one() -> None:
    """Pillow saved these files, and Apple and Canon never write its tables: the one finding that is right here."""
    for name, raw in FILES:
        result = capture_camera.measure(Picture(raw), Context())
        own_tables = name.lower().startswith(("apple", "canon"))
        assert [("standard tables" in finding.detail) for finding in result.findings] == [True] * own_tables
