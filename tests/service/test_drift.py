"""A stream of requests unlike those of training raises the gauge; one like them does not."""

import shutil
from pathlib import Path

import pytest

from models.ranker.artifact import load
from risk import drift
from risk.drift import ScoreDrift
from risk.jobs.train import train
from risk.ledger import Ledger
from risk.stores.history import History
from tests.risk.jobs.labelled_shop import a_shop
from tests.risk.servers import Running, running
from tests.risk.stories import plain_body

SCORE = "/v1/refund-requests/score"
WINDOW = 40


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that this code can serve."""
    shop = a_shop(tmp_path_factory.mktemp("shop"))
    train(shop.folder, shop.folder.parent / "model", features=shop.features)
    return shop.folder.parent / "model"


def ask(service: Running, first: int, last: int) -> None:
    """Decide requests of as many accounts, all alike."""
    for number in range(first, last):
        assert service.client.post(SCORE, json=plain_body(f"r{number}", account_id=f"a{number}")).status_code == 200


def gauges(service: Running) -> dict[str, float]:
    """The index by window."""
    name = "refund_risk_score_drift"
    lines = [line for line in service.client.get("/metrics").text.splitlines() if line.startswith(f"{name}{{")]
    return {line.removeprefix(name).split()[0]: float(line.split()[1]) for line in lines}


def test_the_gauge_rises_when_the_stream_shifts(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "WINDOWS", (WINDOW,))
    shutil.copytree(model, tmp_path / "model")
    with running(tmp_path) as service:
        ask(service, 0, WINDOW - 1)
        assert "refund_risk_score_drift{" not in service.client.get("/metrics").text, "a window that is not full says nothing"
        ask(service, WINDOW - 1, WINDOW + drift.EVERY)
        figures = service.client.get("/metrics").text
    (line,) = [line for line in figures.splitlines() if line.startswith("refund_risk_score_drift{")]
    assert line.startswith(f'refund_risk_score_drift{{window="{WINDOW}"}}')
    assert float(line.split()[1]) > 0.25, "all equal requests are nothing like the training's"


def test_a_restart_does_not_blind_it(model: Path, empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "WINDOWS", (WINDOW, 2 * WINDOW))
    monkeypatch.setattr(drift, "EVERY", 1)
    monkeypatch.setenv("REFUND_RISK_DATABASE_URL", empty_url)
    shutil.copytree(model, tmp_path / "model")
    narrow, wide = (f'{{window="{size}"}}' for size in (WINDOW, 2 * WINDOW))
    with running(tmp_path) as service:
        ask(service, 0, WINDOW + 5)
        before, key = gauges(service), service.key
        assert before.keys() == {narrow}
    with running(tmp_path, key) as service:
        assert gauges(service) == before, "said at once, the same"
        ask(service, WINDOW + 5, 2 * WINDOW)
        assert gauges(service).keys() == {narrow, wide}, "the window that was not full goes on filling"


def test_only_scores_of_the_model_that_decides_are_read_back(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "WINDOWS", (10,))
    shutil.copytree(model, tmp_path / "model")
    with running(tmp_path) as service:
        ask(service, 0, 12)
        decided = service.client.get("/v1/refund-requests/r11").json()
        assert service.client.post("/v1/appeals", json={"request_id": "r11", "words": "No.", "filed_by": "support"}).status_code == 201
        appeal = service.client.get("/v1/appeals").json()["appeals"][0]["appeal_id"]
        said = {"verdict": "overturned", "by": "mei", "reason_code": "BUYER_HISTORY_GOOD", "words": "I looked."}
        assert service.client.post(f"/v1/appeals/{appeal}/verdict", json=said).status_code == 201
        ledger = Ledger(History(service.server.home.database))
        mine = decided["versions"]["model"]
        assert ledger.newest_scores(mine, 13)[-1] == decided["score"]
        assert [len(ledger.newest_scores(mine, most)) for most in (13, 5, 1)] == [12, 4, 0], "the person's decision is none of the model's"
        assert ledger.newest_scores("another", 13) == []


def test_a_stream_like_training_does_not_raise_it_and_the_window_forgets(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "WINDOWS", (1_000,))
    expected = load(model).card.scores
    assert expected is not None
    middles = [*expected.edges, (expected.edges[-1] + 1) / 2]
    watch = ScoreDrift(expected)

    def after(scores: list[float]) -> float:
        found = [watch.add(score) for score in scores]
        return [each[1_000] for each in found if each][-1]

    assert after([middles[number % len(middles)] for number in range(1_000)]) < 0.05
    assert after([0.99] * 1_000) > 1
    assert after([middles[number % len(middles)] for number in range(1_000)]) < 0.05
