import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from models.ranker.artifact import Artifact
from models.ranker.evaluate import Evaluation, evaluate
from models.ranker.pictures import importances
from models.ranker.report import write_report

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    rng = np.random.default_rng(2)
    abuse = (rng.random(200) < 0.3).astype(float)
    score = np.clip(0.3 * abuse + 0.6 * rng.random(200), 0.01, 0.99)
    trial = pl.DataFrame(
        {
            "cluster": [f"a{place}" for place in range(200)],
            "archetype": np.where(abuse == 1.0, "<script>ring</script>", "regular"),
            "abuse": abuse,
            "probability": score,
            "action": np.where(score > 0.5, "review", "approve"),
            "cost": 50.0,
            "cost_approve_all": 500.0 * abuse,
            "rules_score": np.round(score * 3),
            "rules_action": "approve",
            "cost_rules": 90.0,
            "probability_without_image": rng.random(200),
            "action_without_image": "approve",
            "cost_without_image": 70.0,
        },
    )
    found = evaluate(trial, draws=5)
    found.figures["data"] = {"requests": 200, "known": 200, "abuse": 60, "from": "2026-01-01", "to": "2026-02-01", "outcomes": "labels"}
    found.figures["money"]["currency"] = "CNY"  # type: ignore[index]  # an inner node
    return found


def test_the_page_needs_nothing_outside_itself_and_escapes_what_it_shows(evaluation: Evaluation, artifact: Artifact, tmp_path: Path) -> None:
    page = write_report(evaluation, artifact, tmp_path / "report").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;ring" in page
    assert all(source.startswith("data:image/png;base64,") for source in re.findall(r'(?:src|href)="([^"]*)"', page))
    assert artifact.version in page
    assert "CNY" in page


def test_every_picture_is_also_a_file(evaluation: Evaluation, artifact: Artifact, tmp_path: Path) -> None:
    write_report(evaluation, artifact, tmp_path)
    names = {path.stem for path in tmp_path.glob("*.png")}
    assert names == {"precision_recall", "reliability", "money", "families", "importance"}
    assert all(path.read_bytes().startswith(PNG) for path in tmp_path.glob("*.png"))


def test_the_same_evaluation_gives_the_same_bytes(evaluation: Evaluation, artifact: Artifact, tmp_path: Path) -> None:
    one, two = (write_report(evaluation, artifact, tmp_path / name).read_bytes() for name in ("one", "two"))
    assert one == two


def test_a_report_of_many_models_has_no_importances(evaluation: Evaluation, tmp_path: Path) -> None:
    page = write_report(evaluation, None, tmp_path).read_text(encoding="utf-8")
    assert not (tmp_path / "importance.png").exists()
    assert "What the model looks at" not in page


def test_importances_are_shares_of_the_whole_with_the_strongest_first(artifact: Artifact) -> None:
    shares = importances(artifact)
    assert shares[0][0] == "number_0"
    assert sum(share for _, _, share in shares) == pytest.approx(1.0)
