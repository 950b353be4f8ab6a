"""Train the ranker on a data set and say what it is worth on the part of the period that it did not see."""

from pathlib import Path

from data_contracts.errors import ContractError
from models.ranker.artifact import save
from models.ranker.dataset import training_rows
from models.ranker.settings import Settings
from models.ranker.train import train as fit
from models.ranker.tune import tune as search
from risk.home import check_home
from risk.jobs.evaluate import assess
from risk.jobs.learning_set import read_learning_set
from risk.jobs.model_registry import register
from risk.policy import load as load_policy

FIGURES = ("auc", "ap", "recall_at", "ece", "honest_blocked", "honest_approved", "review_share", "money", "ablation")
TEST_SHARE = 0.25
"""Last share of the requests that is kept to judge the model on."""


def train(  # noqa: PLR0913  # the options of the command
    folder: Path,
    out: Path,
    *,
    tune: int = 0,
    seed: int = 1,
    test_share: float = TEST_SHARE,
    features: Path | None = None,
    home: Path | None = None,
) -> dict[str, object]:
    """Train on the requests before the last `test_share` of them, with the labels known by then; save the model and judge it on the rest.

    `tune`: Optuna trials inside the training time. `features`: a file of `refund-risk features`, computed here when null. With a `test_share` of 0
    every request is learnt from and nothing is left to judge: the figures are null. `home`: an installation in which the model is registered, too.
    ContractError: too few labels, or a share out of range. NotFoundError: `home` is no installation.
    """
    if not 0.0 <= test_share < 1.0:
        message = f"the test share is {test_share}, expected 0 up to 1"
        raise ContractError(message, field="test_share")
    if home is not None:
        check_home(home)
    learning = read_learning_set(folder, features)
    as_of = learning.moment(1.0 - test_share)
    settings = Settings.for_rows(training_rows(learning.frame, learning.labels, as_of).height, seed=seed)
    if tune:
        settings = search(learning.frame, learning.labels, as_of, settings, tune)
    artifact = fit(learning.frame, learning.labels, as_of, settings)
    save(artifact, out)
    made = {"model": str(out), "version": artifact.version, "as_of": artifact.card.as_of, "trained_on": artifact.card.data}
    figures: dict[str, object] = dict.fromkeys(FIGURES)
    if test_share:
        figures = assess(learning, artifact, load_policy(None), ablation=False).figures
    if home is not None:
        register(home, artifact, {name: value for name in ("auc", "ap", "ece") if (value := _value(figures[name])) is not None})
    return {**figures, **made}


def _value(figure: object) -> float | None:
    """The number of a figure with its interval; null where nothing was judged."""
    return figure["value"] if isinstance(figure, dict) else None
