"""Verdicts: what is said, when it is unsure, and who spoke."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_contracts.errors import NotFoundError
from models.authenticity.artifact import Limits
from models.authenticity.heads import Floats
from models.authenticity.judgement import Doubt, Verdict
from models.authenticity.network import Network, load_network, redelivered
from tests.models.authenticity.builders import a_model, a_photo, brightness


def a_network() -> Network:
    return Network(a_model(), brightness, "brightness-1")


def grey(level: int, side: int = 300) -> Image.Image:
    return Image.new("RGB", (side, side), (level, level, level))


def test_a_clear_picture_gets_a_verdict_without_doubts() -> None:
    judged = a_network().judge(grey(230))
    assert (judged.verdict, judged.doubts) == (Verdict.GENERATED, ())
    assert judged.score is not None
    assert judged.score > 0.9
    assert a_network().judge(grey(20)).verdict is Verdict.AUTHENTIC


def test_between_the_limits_it_is_unsure() -> None:
    judged = a_network().judge(grey(128))
    assert (judged.verdict, judged.doubts) == (Verdict.UNSURE, (Doubt.SCORES_BETWEEN,))


def test_a_small_picture_gets_no_score() -> None:
    judged = a_network().judge(grey(230, side=100))
    assert (judged.score, judged.verdict, judged.doubts) == (None, Verdict.UNSURE, (Doubt.TOO_SMALL,))


def test_a_picture_unlike_the_training_is_unsure_whatever_its_score() -> None:
    def wild(square: Image.Image) -> Floats:
        return np.append(brightness(square)[:1], [60.0, -60.0, 60.0]).astype(np.float32)

    judged = Network(a_model(), wild, "wild").judge(grey(230))
    assert (judged.verdict, judged.doubts) == (Verdict.UNSURE, (Doubt.UNLIKE_TRAINING,))
    assert judged.score is not None


def test_deliveries_that_disagree_leave_it_unsure() -> None:
    calls: list[int] = []

    def fickle(_square: Image.Image) -> Floats:
        calls.append(1)
        return np.array([1.0 if len(calls) == 1 else -1.0, 0, 0, 0], np.float32)

    judged = Network(a_model(), fickle, "fickle").judge(grey(230))
    assert (judged.verdict, judged.doubts) == (Verdict.UNSURE, (Doubt.DELIVERIES_DISAGREE,))
    assert len(calls) == 3


def test_only_an_accusation_costs_a_second_look() -> None:
    calls: list[int] = []

    def counted(square: Image.Image) -> Floats:
        calls.append(1)
        return brightness(square)

    Network(a_model(), counted, "counted").judge(grey(20))
    assert len(calls) == 1


def test_the_version_names_model_encoder_and_traces() -> None:
    network = a_network()
    assert network.judge(grey(20)).model == network.version
    assert network.model.version in network.version
    assert "brightness-1" in network.version
    assert Network(a_model(slope=9.0), brightness, "brightness-1").version != network.version


def test_limits_are_the_models_own() -> None:
    strict = Network(a_model(limits=Limits(0.2, 0.99999)), brightness, "b")
    assert strict.judge(grey(160)).verdict is Verdict.UNSURE
    assert a_network().judge(grey(160)).verdict is Verdict.GENERATED


def test_redeliveries_keep_the_picture() -> None:
    saved, smaller = redelivered(a_photo(400, 300))
    assert saved.size == (400, 300)
    assert smaller.size == (300, 225)


def test_an_empty_folder_of_models_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="train"):
        load_network(tmp_path, tmp_path / "no tower")
