"""A soak that is as steady as can be: so many buyers, asked about in turn, that each is asked about once in ten minutes and three times in thirty.

So what a question sees hardly grows, nothing of its buyer is still in memory from the last time (timelines have an end there), and what memory gains
is what the service piles up.
"""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import linear_regression, mean, median
from typing import Any

import msgspec

from benchmarks.service_world import World, fill, the_moment
from benchmarks.serving import CONNECTIONS, SCORE, Run, serving
from data_contracts.reason import Language
from risk.ledger import Ledger
from risk.stores.database import open_sqlite
from risk.stores.history import History

RATE = 100
"""Calls a second."""
MOST_BUYERS = 60_000
"""Their past is loaded in some four minutes."""
PAST = 12
"""Requests that each of them made before: about 200 events for the first question."""
FEWEST = 6
"""Parts of a soak at least, of a minute each in a long one; the first sixth is warm-up."""
LOOKED_AT = 50
"""Questions whose events are counted, at the beginning and at the end."""


def soaked(home: Path, model: Path, minutes: float) -> dict[str, Any]:
    """Memory, latency and errors part by part; `events`: what a question saw in the median, at first and at last."""
    parts = max(FEWEST, round(minutes))
    seconds = minutes * 60 / parts
    calls = int(seconds * RATE) + CONNECTIONS
    world = World(min(parts * calls, MOST_BUYERS), the_moment(), in_turn=True, past=PAST)
    began = time.perf_counter()
    fill(home, model, world, parts * calls, {})
    filled_s = time.perf_counter() - began
    with serving(home, 1, {}) as server:
        run = Run(home, world)
        told = [{**run.ask(server, SCORE, seconds, RATE), "resident_mb": server.resident_mb()} for _ in range(parts)]
        actions = server.actions()
    memory = [part["resident_mb"] for part in told]
    errors = sum(int(part["errors"]) for part in told)
    shape = {"minutes": minutes, "buyers": world.buyers, "filled_s": filled_s, "ready_s": server.ready_s, "actions": actions, "errors": errors}
    events = [median(events_seen(home, numbers)) for numbers in (range(LOOKED_AT), range((parts - 1) * calls, (parts - 1) * calls + LOOKED_AT))]
    return {**shape, **grown(memory, minutes), "events": events, "parts": told}


def grown(memory: Sequence[float], minutes: float) -> dict[str, float]:
    """How far memory rose after warm-up: at most, and a minute along the straight line through it, as shares of what it was."""
    warm = memory[len(memory) // FEWEST :]
    each = minutes / len(memory)
    slope = linear_regression([each * place for place in range(len(warm))], warm).slope
    return {"growth": max(warm) / warm[0] - 1, "growth_a_minute": slope / mean(warm), "mb_a_minute": slope}


def events_seen(home: Path, numbers: Iterable[int]) -> list[int]:
    """How many events the questions of these numbers saw."""
    database = open_sqlite(home / "risk.db", 5_000)
    ledger = Ledger(History(database))
    try:
        told = [msgspec.json.decode(ledger.newest_answer(f"ask-{number}", Language.EN)) for number in numbers]
        return [ledger.read(each["decision_id"]).snapshot["events"] for each in told]
    finally:
        database.close()
