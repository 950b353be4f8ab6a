"""What becomes of a look: models' scores and marks as two numbers, silence with its reason."""

from pathlib import Path

import numpy as np
import pytest

from data_contracts.signal import ImageFinding
from features.image import examples
from features.image.measure import Measured, measure_all
from features.image.signal_kit import Context
from models.authenticity.judgement import Doubt, Judgement, Verdict
from risk.evidence.eye import EDITED, GENERATED, models_version, said_by, together
from risk.evidence.sight import Absent, Anomaly, Sight

WANTED = {GENERATED: "1:m", EDITED: "1:m", "generator_markers": "1", "delivery_kind": "1"}


def judged(score: float | None, *doubts: Doubt) -> Judgement:
    return Judgement(score, Verdict.UNSURE if doubts else Verdict.AUTHENTIC, doubts, "m", "e")


def anomaly(score: float) -> Anomaly:
    return Anomaly(map=np.zeros((2, 2), np.uint8), score=score, verdict="clean", region=None, version="p")


def said(measured: Measured, look: Judgement | Absent, patches: Anomaly | Absent) -> dict[str, tuple[float | None, str | None]]:
    found = said_by(measured, Sight(judged=look, anomaly=patches, preview=None), WANTED)
    return {each.signal: (each.value, each.unavailable) for each in found}


@pytest.fixture(scope="module")
def photo() -> Measured:
    return measure_all(examples.jpeg(), Context())


def test_the_models_scores_are_the_numbers(photo: Measured) -> None:
    found = said(photo, judged(0.3), anomaly(0.2))
    assert (found[GENERATED], found[EDITED]) == ((0.3, None), (0.2, None))
    assert found.keys() == WANTED.keys()


def test_a_score_between_the_limits_is_a_score(photo: Measured) -> None:
    assert said(photo, judged(0.6, Doubt.SCORES_BETWEEN), anomaly(0.2))[GENERATED] == (0.6, None)


@pytest.mark.parametrize("doubt", [Doubt.TOO_SMALL, Doubt.UNLIKE_TRAINING])
def test_a_model_that_cannot_judge_says_nothing(photo: Measured, doubt: Doubt) -> None:
    assert said(photo, judged(0.9, doubt), anomaly(0.2))[GENERATED] == (None, doubt.value)


def test_without_models_the_reason_is_said(photo: Measured) -> None:
    found = said(photo, Absent("not_installed"), Absent("not_installed"))
    assert found[GENERATED] == found[EDITED] == (None, "not_installed")


def test_a_mark_in_the_file_counts_where_it_is_stronger() -> None:
    mark = ImageFinding(code="IMAGE_MARKED_GENERATED", signal="aigc_label", strength=0.6, detail="says so")
    assert together(GENERATED, "1", 0.2, [mark]).value == 0.6
    assert together(GENERATED, "1", 0.9, [mark]).value == 0.9
    assert together(GENERATED, "1", "too_small", [mark]).value == 0.6
    assert together(GENERATED, "1", "too_small", []).unavailable == "too_small"


def test_a_marked_file_is_seen_through_the_real_signals() -> None:
    marked = measure_all(examples.png_with_text(("AIGC", examples.AIGC)), Context())
    value, _ = said(marked, judged(0.1), anomaly(0.1))[GENERATED]
    assert value is not None
    assert value >= 0.5


def test_bytes_that_are_no_picture_give_reasons_only() -> None:
    found = said(measure_all(b"nothing", Context()), Absent("unknown_format"), Absent("unknown_format"))
    assert all(value is None or value == 0.0 for value, _ in found.values())


def test_another_card_or_encoder_is_another_version(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text("{}")
    tower = tmp_path / "tower.onnx"
    light = models_version(tmp_path, tower)
    tower.touch()
    both = models_version(tmp_path, tower)
    (tmp_path / "card.json").write_text('{"changed": 1}')
    assert len({light, both, models_version(tmp_path, tower)}) == 3
