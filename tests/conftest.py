"""What every test may ask for."""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shelf() -> Path:
    """The data shelf beside the project; the test is skipped where it is absent."""
    folder = Path(os.environ.get("REFUND_RISK_SHELF", PROJECT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"no data shelf at {folder}; set REFUND_RISK_SHELF to run this test")
    return folder
