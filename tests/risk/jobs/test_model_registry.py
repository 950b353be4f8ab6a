"""From training to the service and back: what is registered, promoted and taken back is what decides after the next start, and replays."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from models.ranker.artifact import Artifact, load, save
from models.ranker.calibrate import END, Calibration
from risk.cli import app
from risk.jobs.replay import replay_home
from tests.risk.jobs.labelled_shop import LabelledShop
from tests.risk.servers import running
from tests.risk.stories import ago, plain_body

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")

SAID = ("--by", "mei", "--why", "a test")


def command(*words: object, code: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*map(str, words), "--json"])
    assert result.exit_code == code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def decided_by(home: Path, key: str | None, request_id: str) -> tuple[str, str]:
    """The model that decided a request in a service that was started for it, and the service's key."""
    with running(home, key) as service:
        answer = service.client.post("/v1/refund-requests/score", json=plain_body(request_id)).json()
        return answer["versions"]["model"], service.key


def test_a_retraining_is_registered_promoted_served_and_taken_back(labelled_shop: LabelledShop, tmp_path: Path) -> None:
    home, trained = tmp_path / "home", ("train", labelled_shop.folder, "--features", labelled_shop.features)
    assert command("models", "list", "--home", home, code=2)["error"]["code"] == "NOT_FOUND"
    nobody, key = decided_by(home, None, "before")
    assert nobody == "none"
    first = command(*trained, "--out", tmp_path / "first", "--home", home)
    (entry,) = command("models", "list", "--home", home)["models"]
    assert (entry["version"], entry["alias"]) == (first["version"], "challenger")
    assert float(entry["figures"]["auc"]) == pytest.approx(first["auc"]["value"], abs=1e-4)
    command(*trained, "--out", tmp_path / "second", "--seed", "2")
    second = command("models", "add", tmp_path / "second", "--home", home)["models"][0]["version"]
    for version in (first["version"], second):
        assert command("models", "promote", version, "--home", home, *SAID)["serves"] == version
        assert decided_by(home, key, f"by {version}")[0] == version
    assert command("models", "rollback", "--home", home, *SAID)["serves"] == first["version"]
    assert decided_by(home, key, "after")[0] == first["version"]
    told = command("models", "list", "--home", home)
    assert [(each["version"], each["by"], each["back"]) for each in told["promotions"]] == [
        (first["version"], "mei", False),
        (second, "mei", False),
        (first["version"], "mei", True),
    ]
    report = replay_home(home)
    assert (report.ok, report.checked, report.skipped) == (True, 4, 0)


def test_a_challenger_in_the_shadow_says_what_it_would_change(labelled_shop: LabelledShop, tmp_path: Path) -> None:
    home = tmp_path / "home"
    command("train", labelled_shop.folder, "--features", labelled_shop.features, "--out", home / "model")
    artifact = load(home / "model")
    harsh = Artifact(artifact.booster_text, replace(artifact.card, calibration=Calibration("platt", (-END, -39.0, END), (0.0, 0.97, 1.0))))
    save(harsh, tmp_path / "harsh")
    with running(home) as service:
        answers = [service.client.post("/v1/refund-requests/score", json=plain_body(f"r{number}")).json() for number in range(3)]
        label = {"request_id": "r0", "value": "honest", "source": "verdict", "occurred_at": ago(days=0)}
        assert service.client.post("/v1/labels", json=label).status_code == 201
    was = {answer["action"] for answer in answers}
    assert was == {"approve"}
    for folder in (home / "model", tmp_path / "harsh"):
        command("models", "add", folder, "--home", home)
    same = command("models", "shadow", artifact.version, "--home", home)
    assert (same["compared"], same["skipped"], same["score_shift"], same["moves"], same["changed"]) == (3, 0, 0.0, [], [])
    found = command("models", "shadow", harsh.version, "--home", home)
    assert found["moves"] == [{"was": "approve", "would": "review", "requests": 3, "abuse": 0, "honest": 1}]
    assert found["changed"] == [answer["decision_id"] for answer in answers]
    assert found["score_shift"] == pytest.approx(sum(0.97 - answer["score"] for answer in answers) / 3, abs=0.03)
    assert command("models", "shadow", harsh.version, "--home", home, "--since", "2100-01-01")["compared"] == 0
    assert "no model 2020" in command("models", "shadow", "2020", "--home", home, code=2)["error"]["message"]
    shown = CliRunner().invoke(app, ["models", "shadow", harsh.version, "--home", str(home)]).output
    assert "3 decisions compared" in shown


def test_a_person_sees_what_is_registered_and_served(labelled_shop: LabelledShop, tmp_path: Path) -> None:
    home = tmp_path / "home"
    decided_by(home, None, "r")
    version = command("train", labelled_shop.folder, "--features", labelled_shop.features, "--out", home / "model")["version"]
    shown = CliRunner().invoke(app, ["models", "add", str(home / "model"), "--home", str(home)]).output
    assert version in shown
    assert "held_out_auc" in shown
    assert f"a service that starts now serves {version}" in shown
    shown = CliRunner().invoke(app, ["models", "promote", version, "--home", str(home), *SAID]).output
    assert "it was in the served folder" in shown
    shown = CliRunner().invoke(app, ["models", "list", "--home", str(home)]).output
    assert "champion" in shown


def test_an_unknown_version_and_a_first_model_are_refused_in_one_line(tmp_path: Path) -> None:
    decided_by(tmp_path, None, "r")
    assert "no model 2020 is registered" in command("models", "promote", "2020", "--home", tmp_path, *SAID, code=2)["error"]["message"]
    assert "no model decided before" in command("models", "rollback", "--home", tmp_path, *SAID, code=2)["error"]["message"]
