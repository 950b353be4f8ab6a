"""The shipped light model: it answers, its card says what it is worth, and what the card says can be measured again."""

import json
from pathlib import Path

import numpy as np
import pytest

from models.authenticity.artifact import SHIPPED, read_card
from models.authenticity.evaluate import is_generated, sets_of
from models.authenticity.judgement import Verdict
from models.authenticity.laundering import jpeg
from models.authenticity.manifest import Label, chosen, read_manifest
from models.authenticity.metrics import auc
from models.authenticity.network import Network, load_network
from models.authenticity.pictures import opened
from tests.models.authenticity.builders import a_photo

MEGABYTE = 2**20
FAMILIES = ("OpenAI", "Gemini", "Ideogram", "Flux", "Z-Image")


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """The light model, as it serves where no tower is installed."""
    return load_network(SHIPPED, tmp_path_factory.mktemp("empty") / "no tower")


def test_the_light_model_judges_pictures_without_the_tower(light: Network) -> None:
    for seed in range(3):
        judged = light.judge(a_photo(900, 700, seed))
        assert judged.model.startswith("light-")
        assert judged.score is not None
        assert 0 <= judged.score <= 1
        assert judged == light.judge(a_photo(900, 700, seed))


def test_a_save_never_turns_a_verdict_of_the_light_model_into_its_opposite(light: Network) -> None:
    opposite = {Verdict.AUTHENTIC, Verdict.GENERATED}
    for seed in range(4):
        photo = a_photo(800, 600, seed)
        assert {light.judge(jpeg(photo, quality)).verdict for quality in (95, 75, 50)} != opposite


def test_what_is_committed_is_small() -> None:
    assert (SHIPPED / "light.onnx").stat().st_size + (SHIPPED / "light.npz").stat().st_size < 20 * MEGABYTE


@pytest.mark.parametrize("model", ["tower", "light"])
def test_the_card_leads_with_every_family_left_out(model: str) -> None:
    left_out = read_card(SHIPPED)["family_left_out"][model]
    for family in FAMILIES:
        assert left_out[family]["pictures"] > 0
        assert left_out[family]["low"] <= left_out[family]["auc"] <= left_out[family]["high"]


def test_the_limits_keep_the_false_alarms_of_held_out_photos_under_two_percent() -> None:
    for figures in read_card(SHIPPED)["held_out"].values():
        for way in ("as is", "saved", "cropped", "screenshot", "photo of a screen"):
            assert figures[way]["real called generated"] <= 0.02


@pytest.mark.shared
def test_the_measured_figure_can_be_measured_again(light: Network, shelf: Path) -> None:
    data = shelf / "data" / "images"
    kept = json.loads((SHIPPED / "measured.json").read_text(encoding="utf-8"))["light"]
    assert kept["version"] == light.version
    pictures = chosen(read_manifest(data), part="dev", labels=(Label.REAL, Label.GENERATED))
    own = [picture for picture, inside in zip(pictures, sets_of(pictures)["teenbiscuits"], strict=True) if inside]
    scores = np.array([light.scored(light.look(opened(data / picture.path))) for picture in own])
    figure = kept["cells"]["as is"]["teenbiscuits"]
    assert figure["low"] <= auc(is_generated(own), scores) <= figure["high"]
