"""Answers that the service really gave once, for the OpenAPI document. `tests/service/answers.py` asks for them and writes `examples.json`."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("examples.json")

ANY = "*"
"""Stands for every operation: what a refusal says that is alike wherever it comes."""


def example(operation: str, status: str) -> object:
    """What was answered to that operation (`GET /v1/rings`) with that status: JSON, or the text of what is none. Null: nothing was noted down."""
    told = _told()
    return told.get(operation, {}).get(status, told[ANY].get(status))


@lru_cache(maxsize=1)
def _told() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found
