"""One small market and the model trained on it, for every test of the ranker."""

import pytest

from models.ranker.artifact import Artifact
from models.ranker.train import train
from tests.models.ranker.market import QUICK, Market, a_market


@pytest.fixture(scope="session")
def market() -> Market:
    return a_market()


@pytest.fixture(scope="session")
def artifact(market: Market) -> Artifact:
    return train(market.frame, market.labels, market.middle, QUICK, market.features)
