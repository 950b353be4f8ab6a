"""One data set on disk for the jobs that learn and judge."""

from pathlib import Path
from typing import Any

import pytest

from risk.jobs.train import train
from tests.risk.jobs.labelled_shop import LabelledShop, a_shop


@pytest.fixture(scope="session")
def labelled_shop(tmp_path_factory: pytest.TempPathFactory) -> LabelledShop:
    return a_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="session")
def trained(labelled_shop: LabelledShop, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """What training on that data set said, and the model's folder."""
    out = tmp_path_factory.mktemp("trained") / "model"
    return train(labelled_shop.folder, out, features=labelled_shop.features), out
