"""One data set on disk for the jobs that learn and judge."""

import pytest

from tests.risk.jobs.labelled_shop import LabelledShop, a_shop


@pytest.fixture(scope="session")
def labelled_shop(tmp_path_factory: pytest.TempPathFactory) -> LabelledShop:
    return a_shop(tmp_path_factory.mktemp("shop"))
