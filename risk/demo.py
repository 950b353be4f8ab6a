"""The whole story in one run: a marketplace, its data checked, a model trained and judged, the service asked over HTTP."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from risk import show
from risk.client import Client
from risk.clock import now
from risk.copies import copy, photo, photo_claims
from risk.crabs import crab_claim, crab_orders
from risk.hurry import DEADLINE_MS, Hurried, hurry, receiver_of, receiving
from risk.jobs.bodies import bodies
from risk.jobs.build_features import write_features
from risk.jobs.evaluate import evaluate
from risk.jobs.load_history import load_history
from risk.jobs.read_tables import read_tables
from risk.jobs.simulate import simulate_folder
from risk.jobs.train import train
from risk.jobs.validate import validate

FOLDER = Path("demo")
ORDERS, DAYS, SEED = 200_000, 365, 7
ASKED = 60
"""Simulated requests that are asked over HTTP, the latest ones, beside the two crab claims."""
PATIENT = {"PYTHONUNBUFFERED": "1", "REFUND_RISK_EVIDENCE_WAIT_MS": "60000"}
"""The photos are to be compared however busy the machine is; a service that did not wait would say that its evidence checks did not answer."""
SHOWN, CODES = 14, 4
"""Rows of the ranked table, and reason codes in a row."""

Answer = dict[str, Any]


def main() -> None:
    """Run the demo into ./demo, from an empty folder each time."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    console = Console()
    if not console.is_terminal:
        console.width = show.WIDE
    end = now().replace(second=0, microsecond=0)
    market, features, model, home = FOLDER / "market", FOLDER / "features.parquet", FOLDER / "home" / "model", FOLDER / "home"
    with _progress(console) as step:
        simulated = step(f"simulating {ORDERS:,} orders", lambda: simulate_folder(orders=ORDERS, days=DAYS, seed=SEED, end=end, out=market))
        checked = step("validating every row", lambda: validate(market, FOLDER / "validation"))
        built = step("computing features as of each request", lambda: write_features(market, features))
        step("training and calibrating", lambda: train(market, model, features=features))
        judged = step("judging it on later requests", lambda: evaluate(market, model, report=FOLDER / "report", features=features))
        tables = read_tables(market)
        asked = tables["refund_requests"].sort("known_at").tail(ASKED)
        cut: datetime = asked["known_at"][0]
        step("giving the service its past", lambda: load_history(market, home, until=cut))
        questions = [*crab_claim(end - timedelta(hours=2)), *bodies(tables, asked["request_id"].to_list())]
        answers, hurried = step("asking the service over HTTP", lambda: _ask(home, crab_orders(end - timedelta(hours=2)), questions))
    _tell(console, (simulated, checked, built, judged), answers, hurried)


@contextmanager
def _progress(console: Console) -> Iterator[Callable[[str, Callable[[], Any]], Any]]:
    """A bar over the steps; each step says what it does while it runs."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("starting", total=7)

        def step(what: str, run: Callable[[], Any]) -> Any:  # noqa: ANN401  # each step has a result of its own
            progress.update(bar, description=what)
            if not console.is_terminal:
                progress.console.print(f"{what} ...")
            result = run()
            progress.advance(bar)
            return result

        yield step


def _ask(home: Path, orders: Sequence[Mapping[str, Any]], questions: Sequence[Mapping[str, Any]]) -> tuple[list[Answer], Hurried]:
    """Start the service as a program of its own, tell it of some orders, ask it, stop it."""
    program = [sys.executable, "-m", "risk", "serve", "--home", str(home), "--port", "0", "--json"]
    with (home / "serve.log").open("w", encoding="utf-8") as log:
        service = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, **PATIENT})  # noqa: S603  # our own program
    try:
        started = json.loads(service.stdout.readline() or "{}") if service.stdout else {}
        if "address" not in started:
            message = f"the service did not start; {home / 'serve.log'} says why"
            raise RuntimeError(message)
        with Client(started["address"], started["api_key"], timeout_s=60.0) as client, receiving() as (address, letters):
            secret = receiver_of(home, address)
            for order in orders:
                client.order(order)
            taken = photo()
            sent = client.evidence(taken).sha256, client.evidence(copy(taken)).sha256
            claims = photo_claims(now() - timedelta(hours=2), sent)
            return [_answer(client, question) for question in (*questions, *claims)], hurry(client, secret, letters)
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(timeout=30)


def _answer(client: Client, question: Mapping[str, Any]) -> Answer:
    began = time.perf_counter()
    answer: Answer = json.loads(client.score(question).raw)
    took_ms = (time.perf_counter() - began) * 1000
    return answer | {"amount_minor": question.get("amount_minor"), "claim_type": question.get("claim_type"), "ms": took_ms}


def _tell(console: Console, results: Sequence[Any], answers: Sequence[Answer], hurried: Hurried) -> None:
    """What came of it, and where to look next."""
    simulated, checked, built, judged = results
    rows = sum(simulated.tables.values())
    console.print(f"\n[bold]1. A marketplace[/]  {rows:,} rows in {len(simulated.tables)} tables, {simulated.seconds:.0f} s; {_verdict(checked)}")
    console.print(f"[bold]2. Features[/]  {built['rows']:,} requests x {built['features']} features, each as of its own moment\n")
    console.print("[bold]3. What the model is worth[/], on the last quarter of the requests, unseen in training")
    console.print(_indented(show.quality(judged)))
    console.print("[bold]4. Decisions over HTTP[/], the most urgent first")
    console.print(_indented(_ranking(answers)))
    _tell_crabs(console, answers[0], answers[1])
    _tell_photos(console, answers[-2], answers[-1])
    _tell_hurry(console, hurried)
    console.print("[bold]Where to look next[/]")
    for place, what in (
        (FOLDER / "report" / "report.html", "pictures and figures of the model"),
        (FOLDER / "validation" / "data_docs" / "index.html", "what was checked in every table"),
        (FOLDER / "home", f"the service's home: .venv/bin/refund-risk serve --home {FOLDER / 'home'}"),
    ):
        console.print(f"  {place}  [dim]{what}[/]", soft_wrap=True)


def _verdict(checked: Any) -> str:  # noqa: ANN401  # a report
    return "every one keeps its contract" if checked.ok else "some break their contract"


def _indented(what: RenderableType) -> RenderableType:
    return Padding(what, (0, 0, 0, 2))


def _ranking(answers: Sequence[Answer]) -> RenderableType:
    """The answers by rank value, with the reasons that made them."""
    counts = pl.Series([answer["action"] for answer in answers]).value_counts(sort=True).iter_rows()
    ordered = sorted(answers, key=lambda answer: -answer["rank_value"])
    median = float(pl.Series([answer["ms"] for answer in answers]).median() or 0.0)  # type: ignore[arg-type]  # numbers have a number as median
    title = f"{len(answers)} requests: {', '.join(f'{count} {action}' for action, count in counts)}; {median:.1f} ms each (median, over HTTP)"
    shown = show.table(title, "action", "score", "amount", "claim", "reasons", right=("score", "amount"))
    for answer in (*ordered[: SHOWN - 3], *ordered[-3:]):
        style = show.ACTION_STYLE[answer["action"]]
        amount = "" if answer["amount_minor"] is None else f"{answer['amount_minor'] / 100:,.2f}"
        said = [reason["code"] for reason in answer["reasons"] if reason["family"] != "policy"] or [answer["reasons"][0]["code"]]
        codes = ", ".join(list(dict.fromkeys(said))[:CODES])
        score = "none" if answer["score"] is None else f"{answer['score']:.3f}"
        shown.add_row(f"[{style}]{answer['action']}[/]", score, amount, answer["claim_type"] or "", codes)
    return shown


def _tell_crabs(console: Console, crab: Answer, twin: Answer) -> None:
    """The story that this began with."""
    console.print("[bold]5. The crabs[/]  8 ordered, 6 claimed dead; one video shows 2 male and 4 female, the other 3 and 3")
    for name, answer in (("her claim", crab), ("its honest twin, both videos alike", twin)):
        console.print(f"  {name}: [{show.ACTION_STYLE[answer['action']]}]{answer['action']}[/]")
        for reason in answer["reasons"]:
            if reason["family"] == "mismatch" or answer is twin:
                console.print(f"    [dim]{reason['code']}[/]  {escape(reason['detail'])}", soft_wrap=True)
    console.print()


def _tell_photos(console: Console, first: Answer, second: Answer) -> None:
    """What the service saw in two pictures of which one is the other, mirrored."""
    console.print("[bold]6. One photo, two buyers[/]  the second sends it mirrored, smaller and saved again")
    for name, answer in (("the first", first), ("the second", second)):
        console.print(f"  {name}: [{show.ACTION_STYLE[answer['action']]}]{answer['action']}[/]")
        for reason in answer["reasons"]:
            if reason["code"] in {"IMAGE_REUSED", "IMAGE_SHARED"}:
                console.print(f"    [dim]{reason['code']}[/]  {escape(reason['detail'])}", soft_wrap=True)
    console.print()


def _tell_hurry(console: Console, hurried: Hurried) -> None:
    """Two answers to one question, and how the second one came."""
    console.print(f"[bold]7. Two speeds[/]  a photo just sent, a caller who waits {DEADLINE_MS} ms")
    said = ", ".join(reason.code for reason in hurried.first.reasons[:CODES])
    kind = "provisional" if hurried.first.provisional else "final at once"
    console.print(f"  {hurried.first_ms:6.0f} ms  {kind}: [{show.ACTION_STYLE[hurried.first.action]}]{hurried.first.action}[/]  [dim]{said}[/]")
    if hurried.told is not None and hurried.told_ms is not None:
        console.print(f"  {hurried.told_ms:6.0f} ms  webhook [dim]{hurried.told['type']}[/], signature checked; it supersedes the provisional one")
        codes = ", ".join(reason.code for reason in hurried.final.reasons[:CODES])
        console.print(f"             final: [{show.ACTION_STYLE[hurried.final.action]}]{hurried.final.action}[/]  [dim]{codes}[/]", soft_wrap=True)
    console.print()


if __name__ == "__main__":
    main()
