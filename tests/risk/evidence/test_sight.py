"""The child with the models in it: what it sees, and what happens when a file takes it down."""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from data_contracts.errors import SourceUnavailableError
from data_contracts.signal import Region
from features.image import examples
from features.image.sandbox import Limits
from features.image.signal_kit import Context
from models.authenticity.artifact import SHIPPED
from models.authenticity.heat_map import NET
from models.authenticity.judgement import Judgement, Verdict
from risk.evidence.sight import Absent, Anomaly, Inspector, Preview, Sight, pack_sight, unpack_sight
from risk.evidence.worker import film_judgement
from tests.features.image.test_video import film
from tests.risk.image_models import bright_photo, dark_photo, grey, patched_photo, small_models

LIMITS = Limits(seconds=10, memory_mb=768, reading=False)
NO_TOWER = Path("/nonexistent/tower.onnx")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def inspector(models: Path) -> Iterator[Inspector]:
    with Inspector(models, NO_TOWER, LIMITS) as started:
        yield started


def test_network_and_patch_net_look_in_the_child(inspector: Inspector) -> None:
    dark = inspector.inspect(dark_photo(), Context()).sight
    assert isinstance(dark.judged, Judgement)
    assert isinstance(dark.anomaly, Anomaly)
    assert dark.preview is None  # nobody asked for it
    assert (dark.judged.verdict, dark.anomaly.verdict) == (Verdict.AUTHENTIC, "clean")
    bright = inspector.inspect(bright_photo(), Context()).sight
    assert isinstance(bright.judged, Judgement)
    assert (bright.judged.verdict, bright.judged.doubts) == (Verdict.GENERATED, ())
    assert bright.judged.model.startswith("light-")


def test_the_map_shows_where_and_the_preview_what(inspector: Inspector) -> None:
    sight = inspector.inspect(patched_photo(), Context(), draw=True).sight
    assert isinstance(sight.anomaly, Anomaly)
    assert sight.anomaly.verdict == "edited"
    assert sight.anomaly.region == Region(left=0.625, top=1 / 3, right=0.8125, bottom=2 / 3)
    assert sight.anomaly.map.shape == (60, 80)
    assert sight.preview is not None
    assert sight.preview.pixels.shape == (480, 640, 3)
    assert sight.preview.pixels[240, 460, 0] > 150


def test_a_turned_photo_is_looked_at_upright(inspector: Inspector) -> None:
    pixels = grey(20)
    pixels[:80, :80] = (200, 20, 20)  # the top left corner as stored is the top right one as seen
    sight = inspector.inspect(examples.jpeg(pixels, 95, exif=examples.exif({0x0112: 6})), Context(), draw=True).sight
    assert isinstance(sight.anomaly, Anomaly)
    assert sight.anomaly.region is not None
    assert sight.anomaly.region.left > 0.7
    assert sight.anomaly.region.top == 0.0
    assert sight.preview is not None
    assert sight.preview.pixels.shape == (640, 480, 3)


@pytest.mark.parametrize("data", [b"", b"nothing", b"\xff\xd8\xff", dark_photo()[:4000]], ids=["empty", "unknown", "head", "cut"])
def test_what_cannot_be_opened_is_looked_at_by_nobody(inspector: Inspector, data: bytes) -> None:
    seen = inspector.inspect(data, Context())
    assert seen.measured.unreadable is not None
    assert seen.sight.judged == seen.sight.anomaly == Absent(seen.measured.unreadable)
    assert seen.sight.preview is None


def test_a_film_is_judged_by_its_frames_and_never_called_authentic(inspector: Inspector) -> None:
    seen = inspector.inspect(film([7]), Context())
    assert seen.measured.kind == "video"
    assert seen.sight.anomaly == Absent("not_for_films")
    assert isinstance(seen.sight.judged, Judgement)
    assert seen.sight.judged.verdict is Verdict.UNSURE  # one scene gives one frame, and one frame is not enough
    authentic = Judgement(0.1, Verdict.AUTHENTIC, (), "m", "e")
    generated = Judgement(0.99, Verdict.GENERATED, (), "m", "e")
    assert film_judgement([authentic] * 4).verdict is Verdict.UNSURE
    assert film_judgement([generated, generated]).verdict is Verdict.GENERATED
    assert film_judgement([generated, authentic]).verdict is Verdict.UNSURE


def test_without_installed_models_the_signals_still_speak(tmp_path: Path) -> None:
    with Inspector(tmp_path, NO_TOWER, LIMITS) as bare:
        seen = bare.inspect(examples.camera_jpeg(), Context(), draw=True)
    assert seen.measured.results
    assert seen.sight.judged == seen.sight.anomaly == Absent("not_installed")
    assert seen.sight.preview is not None


def test_a_changed_model_file_is_refused_and_named(tmp_path: Path) -> None:
    changed = small_models(tmp_path)
    (changed / NET).write_bytes((changed / NET).read_bytes() + b"\x00")
    with Inspector(changed, NO_TOWER, LIMITS) as inspector, pytest.raises(SourceUnavailableError, match=NET):
        inspector.inspect(dark_photo(), Context())


def test_a_child_that_dies_while_it_looks_costs_one_answer(inspector: Inspector) -> None:
    inspector.inspect(dark_photo(), Context())
    large = examples.jpeg(np.tile(grey(20), (8, 8, 1)), 95)
    answers = []
    asking = threading.Thread(target=lambda: answers.append(inspector.inspect(large, Context())))
    child = inspector.sandbox._child
    assert child is not None
    asking.start()
    time.sleep(0.1)
    os.kill(child.pid, signal.SIGKILL)
    asking.join()
    assert answers[0].measured.unreadable == "crashed"
    assert answers[0].sight.judged == Absent("crashed")
    assert isinstance(inspector.inspect(dark_photo(), Context()).sight.judged, Judgement)


def test_mutated_files_never_reach_the_caller(inspector: Inspector) -> None:
    dice = random.Random(5)  # noqa: S311  # mutation, not secrecy
    seeds = [examples.jpeg(examples.scene(320, 240)), examples.png(examples.scene(200, 180)), examples.webp(), patched_photo()]
    for _ in range(80):
        data = bytearray(dice.choice(seeds))
        for _ in range(dice.randint(1, 20)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        seen = inspector.inspect(bytes(data), Context())
        assert seen.measured.unreadable not in {"crashed", "timed_out"}
        assert isinstance(seen.sight.judged, Judgement) == (seen.measured.unreadable is None)


def test_a_sight_travels_whole() -> None:
    heat = np.arange(12, dtype=np.uint8).reshape(3, 4)
    anomaly = Anomaly(map=heat, score=0.25, verdict="unsure", region=Region(left=0.1, top=0.0, right=0.5, bottom=1.0), version="p-1")
    judged = Judgement(0.5, Verdict.UNSURE, (), "m", "e")
    back = unpack_sight(pack_sight(Sight(judged=judged, anomaly=anomaly, preview=Preview(np.zeros((2, 5, 3), np.uint8)))))
    assert back.judged == judged
    assert isinstance(back.anomaly, Anomaly)
    assert (back.anomaly.score, back.anomaly.verdict, back.anomaly.region, back.anomaly.version) == (0.25, "unsure", anomaly.region, "p-1")
    assert np.array_equal(back.anomaly.map, heat)
    assert back.preview is not None
    assert back.preview.pixels.shape == (2, 5, 3)
    nothing = Sight(judged=Absent("a"), anomaly=Absent("b"), preview=None)
    assert unpack_sight(pack_sight(nothing)).anomaly == Absent("b")


def test_a_child_that_lies_is_not_believed() -> None:
    wild = Sight(judged=Judgement(7.0, Verdict.AUTHENTIC, (), "m", "e"), anomaly=Absent("b"), preview=None)
    with pytest.raises(ValueError, match="expected 0 to 1"):
        unpack_sight(pack_sight(wild))


def test_the_shipped_models_answer(tmp_path: Path) -> None:
    if not (SHIPPED / "card.json").is_file():
        pytest.skip("no shipped model in this checkout")
    with Inspector(SHIPPED, tmp_path / "no tower", LIMITS) as shipped:
        assert isinstance(shipped.inspect(examples.camera_jpeg(), Context()).sight.judged, Judgement)
