"""After the rehearsal nothing is left to be made ready: no caller waits for a compiler."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import CapturingLogger

from risk.jobs import rehearsal
from risk.policy import load

PROJECT = Path(__file__).parents[3]
REHEARSED = "tests.risk.jobs.rehearsed"
DECIDING = {
    "risk.stores.arena_kernel.copy",
    "risk.stores.arena_kernel.add",
    "features.glance._look",
    "graph.neighbour_telling.tell_and_ask",
    "models.ranker.shap._explain",
}
"""Some of what a decision runs, the block of timelines that is full included."""


def test_whoever_asks_after_the_rehearsal_waits_for_no_compiler(trained: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", REHEARSED, str(trained[1]), str(tmp_path)], cwd=PROJECT, capture_output=True, text=True, check=True)
    before, later = json.loads(done.stdout)
    assert {name for name, count in before.items() if count} >= DECIDING
    assert later == {}


def test_where_there_is_no_room_to_rehearse_the_service_starts_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    said = CapturingLogger()
    monkeypatch.setattr(rehearsal, "log", said)
    monkeypatch.setattr(rehearsal.tempfile, "tempdir", "/proc/none")
    rehearsal.rehearse(None, load(None), None)
    assert [call.args for call in said.calls] == [("rehearsal_failed",)]
