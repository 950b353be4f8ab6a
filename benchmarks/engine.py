"""How long one decision takes, and next to it the least that any durable answer costs: an insert and a commit in the same kind of database.

`engine.handle` with 200 events of history over 8 entities, SQLite, the ledger on disk before it returns, one worker, no images.

    python -m benchmarks.engine [--model FOLDER] [--decisions 2000] [--json]
"""

import argparse
import json
import random
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

from data_contracts.question import Question
from risk import policy_file
from risk.api.decisions import REQUEST
from risk.api.edge import Edge
from risk.engine import Engine
from risk.gather import Gatherer
from risk.identity import Identifiers, pseudonym
from risk.jobs.live_graph import LiveGraph
from risk.jobs.serve import settle
from risk.ledger import Ledger
from risk.policy import load
from risk.stores.database import open_sqlite
from risk.stores.discounts import StoredDiscounts
from risk.stores.feature_store import FeatureStore
from risk.stores.history import History

START = datetime(2026, 1, 1, tzinfo=UTC)
LINKS = ("device", "address", "card", "phone", "ip")
EVENTS = 200
"""Events of history that a decision sees, in the median: each further request of a buyer adds about two dozen."""
ASKED_EACH = 10
"""Measured requests of one buyer."""
FILLED = EVENTS - ASKED_EACH // 2 * 24
EDGE = Edge(Identifiers(partial(pseudonym, b"benchmark")), timedelta(0))
TARGET_MS = 10.0


def body(number: int, buyer: int, moment: datetime) -> bytes:
    """A request with its order, a video, and a device, address, card, phone and IP."""
    said: dict[str, Any] = {
        "request_id": f"req{number}",
        "account_id": f"buyer{buyer}",
        "seller_id": f"shop{buyer % 7}",
        "occurred_at": moment.isoformat(),
        "claim_type": ("damaged", "not_received", "missing")[number % 3],
        "amount_minor": 5_000 + number % 9_000,
        "currency": "CNY",
        "same_items": True,
        "order": {
            "order_id": f"order{number}",
            "occurred_at": (moment - timedelta(days=3)).isoformat(),
            "amount_minor": 15_000,
            "currency": "CNY",
            "lines": [{"line_no": 1, "sku_id": f"sku{buyer % 50}", "quantity": 8, "counts": {"male": 4, "female": 4}}],
            "deliveries": [{"status": "delivered", "occurred_at": (moment - timedelta(days=1)).isoformat()}],
        },
        "claim_lines": [{"line_no": 1, "quantity": 3}],
        "evidence": [{"sha256": f"{number:064x}", "kind": "video", "observations": [{"observer": "agent", "attribute": "male", "count": 3}]}],
        "links": [{"entity_type": kind, "entity_id": f"{kind}-{buyer}"} for kind in LINKS],
    }
    return json.dumps(said).encode()


def an_engine(folder: Path, model: Path | None) -> Engine:
    """The engine as the service builds it."""
    history = History(open_sqlite(folder / "risk.db", 5_000))
    ledger, policy = Ledger(history), load(None)
    ledger.keep_policy(policy.version, policy_file.default_text())
    champion = None
    if model is not None:
        from models.ranker.artifact import load as load_model
        from models.ranker.scorer import Scorer

        champion = Scorer(load_model(model))
    return Engine(Gatherer(history, FeatureStore(folder), LiveGraph(history), "CNY", discounts=StoredDiscounts(folder)), champion, policy, ledger)


def measure(call: Callable[[int], Any], count: int) -> dict[str, float]:
    """Median and tail of a call in milliseconds: by the clock, and of this thread's own work (what other programs on the machine cannot lengthen)."""
    clock_ms, own_ms = [], []
    for number in range(count):
        began, began_own = perf_counter(), thread_time()
        call(number)
        clock_ms.append((perf_counter() - began) * 1000)
        own_ms.append((thread_time() - began_own) * 1000)
    return {**tails(clock_ms, ""), **tails(own_ms, "own_")}


def tails(times_ms: list[float], prefix: str) -> dict[str, float]:
    """Median and 99th percentile."""
    ordered = sorted(times_ms)
    return {f"{prefix}{name}_ms": round(ordered[int(len(ordered) * share)], 3) for name, share in (("p50", 0.5), ("p99", 0.99))}


def decisions(folder: Path, model: Path | None, count: int) -> dict[str, Any]:
    """Fill the histories of the buyers, then time decisions about them."""
    engine = an_engine(folder, model)
    buyers, numbers = max(1, count // ASKED_EACH), iter(range(10**9))
    moment = START

    def ask(buyer: int) -> Question:
        nonlocal moment
        moment += timedelta(seconds=40)
        return EDGE.question(REQUEST.validate_json(body(next(numbers), buyer, moment)), moment)

    sizes: list[int] = []
    for buyer in range(buyers):
        while not sizes or sizes[-1] < FILLED:
            record = engine.handle(ask(buyer)).record
            sizes.append(int(record.snapshot["events"]) if record else 0)
        sizes.append(0)
    order = random.Random(1).choices(range(buyers), k=count)  # noqa: S311  # a benchmark, not a secret
    questions = [ask(buyer) for buyer in order]
    stages: dict[str, list[float]] = {}
    seen, actions = [], {"approve": 0, "review": 0, "block": 0}

    def decide(number: int) -> None:
        record = engine.handle(questions[number]).record
        assert record is not None  # noqa: S101  # every question is new
        seen.append(record.snapshot["events"])
        actions[record.decision.action.value] += 1
        for stage, took in record.timings_ms.items():
            stages.setdefault(stage, []).append(took)

    settle()
    found: dict[str, Any] = dict(measure(decide, count))
    found["stages_p50_ms"] = {stage: sorted(times)[len(times) // 2] for stage, times in stages.items()}
    found |= {"decisions": count, "events_median": sorted(seen)[count // 2], "events_max": max(seen), "by_action": actions}
    engine.ledger.database.close()
    return found


def bare_insert(folder: Path, count: int) -> dict[str, float]:
    """The peer: one row of the size of a record, inserted and committed with the same settings."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE kept (id INTEGER PRIMARY KEY, body BLOB)")
    row = b"x" * 8_000

    def insert(_: int) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO kept (body) VALUES (?)", (row,))
        connection.execute("COMMIT")

    found = measure(insert, count)
    connection.close()
    return found


def main() -> None:
    """Run both in one process, one after the other, and print them side by side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="folder of a trained model; without it no score is computed")
    parser.add_argument("--decisions", type=int, default=2_000)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        bare = bare_insert(Path(place), chosen.decisions)
        engine = decisions(Path(place), chosen.model, chosen.decisions)
    result = {"engine_handle": engine, "bare_insert_commit": bare, "target_p99_ms": TARGET_MS, "reached": engine["p99_ms"] < TARGET_MS}
    if chosen.json:
        print(json.dumps(result))
        return
    print(f"{'':24}{'p50 ms':>10}{'p99 ms':>10}{'own p50':>10}{'own p99':>10}")
    for name, row in (("engine.handle", engine), ("bare insert + commit", bare)):
        print(f"{name:24}{row['p50_ms']:>10.2f}{row['p99_ms']:>10.2f}{row['own_p50_ms']:>10.2f}{row['own_p99_ms']:>10.2f}")
    print(f"{engine['decisions']} decisions {engine['by_action']}, {engine['events_median']} events of history each (median)")
    print(f"stages, p50 ms: {engine['stages_p50_ms']}")
    print(f"target p99 < {TARGET_MS:.0f} ms: {'reached' if result['reached'] else 'missed'}")
    sys.exit(0 if result["reached"] else 1)


if __name__ == "__main__":
    main()
