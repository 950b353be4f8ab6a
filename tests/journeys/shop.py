"""The shop that the stories are told to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import polars as pl

Json = dict[str, Any]


@dataclass
class Shop:
    """The service with a clock that the story winds on, and the market behind it."""

    client: httpx.Client
    tables: dict[str, pl.DataFrame]
    moment: datetime

    def wait(self, **time: float) -> None:
        """Let time pass."""
        self.moment += timedelta(**time)

    def post(self, path: str, body: Json) -> Json:
        """Tell or ask the service something; the answer must be a success."""
        answer = self.client.post(path, json=body)
        assert answer.is_success, answer.text
        self.wait(seconds=1)
        found: Json = answer.json()
        return found

    def score(self, body: Json) -> Json:
        """Ask for a decision."""
        return self.post("/v1/refund-requests/score", body)
