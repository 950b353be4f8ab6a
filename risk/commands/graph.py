"""Commands about who hangs together: rings, and risk by account."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from graph.judgements import Verdict
from risk import clock, show
from risk.commands.options import AsJson, AsOf, DataSet, Home, ModelFolder, Out, print_result, working

app = typer.Typer()

AccountGraph = Annotated[Path, typer.Argument(help="Folder of an imported account graph, or of contract tables.", show_default=False)]


@app.command()
def rings(folder: DataSet, *, as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Find the rings of a data set, as of a moment; they keep their names from build to build."""
    from risk.jobs.rings import rings as run

    with working(f"looking for rings in {folder}", as_json=as_json):
        result = run(folder, as_of=None if as_of is None else as_of.replace(tzinfo=UTC))
    print_result(result, show.rings, as_json=as_json)


@app.command()
def ring(
    folder: DataSet,
    ring_id: Annotated[str, typer.Argument(help="Name of a ring of the last build.", show_default=False)],
    *,
    png: Annotated[Path | None, typer.Option("--png", help="Picture of the ring.")] = None,
    export: Annotated[Path | None, typer.Option("--export", help="Its graph: .graphml, .gexf or .csv.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell one ring in full: its members, what ties them, its history and what was said of it."""
    from risk.jobs.rings import ring as run

    with working(f"reading {ring_id}", as_json=as_json):
        result = run(folder, ring_id, png=png, export=export)
    print_result(result, show.ring, as_json=as_json)


@app.command()
def judge(
    folder: DataSet,
    ring_id: Annotated[str, typer.Argument(help="Name of a ring of the last build.", show_default=False)],
    *,
    verdict: Annotated[Verdict, typer.Option(help="What the ring is held for.", show_default=False)],
    by: Annotated[str, typer.Option("--by", help="Who says so.", show_default=False)],
    why: Annotated[str, typer.Option("--why", help="Why, in a sentence.", show_default=False)],
    until: Annotated[datetime | None, typer.Option(help="When the judgement ends (UTC); left out, it holds until another is said.")] = None,
    as_json: AsJson = False,
) -> None:
    """Judge a ring: it is never erased, the next build honours it, and the requests it covers are labelled."""
    from risk.jobs.judgement_labels import judge as run
    from risk.jobs.rings import Said

    with working(f"keeping what was said of {ring_id}", as_json=as_json):
        said = Said(verdict, by, why, clock.now(), None if until is None else until.replace(tzinfo=UTC))
        result = run(folder, ring_id, said)
    print_result(result, show.judged, as_json=as_json)


@app.command("home-rings")
def home_rings(home: Home, *, as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Find the rings in what a service knows, and keep them for its `/v1/rings`; what analysts said there is honoured."""
    from risk.jobs.home_rings import home_rings as run

    with working(f"looking for rings in {home}", as_json=as_json):
        result = run(home, as_of=None if as_of is None else as_of.replace(tzinfo=UTC))
    print_result(result, show.loaded, as_json=as_json)


@app.command("train-accounts")
def train_accounts(
    folder: AccountGraph,
    out: Out,
    *,
    test_share: Annotated[float, typer.Option(help="Share of the judged accounts, in whole components, that the model is judged on.")] = 0.25,
    seed: Annotated[int, typer.Option(help="Same data and seed, same model.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Train account-level risk on a graph of accounts; report what the neighbours add on accounts it never saw."""
    from risk.jobs.train_accounts import train_accounts as run

    with working(f"training on the accounts of {folder}", as_json=as_json):
        result = run(folder, out, seed=seed, test_share=test_share)
    print_result(result, show.accounts_trained, as_json=as_json)


@app.command("score-accounts")
def score_accounts(folder: AccountGraph, model: ModelFolder, out: Out, *, as_json: AsJson = False) -> None:
    """Score every account of a graph, with reasons by feature, as Parquet."""
    from risk.jobs.train_accounts import score_accounts as run

    with working(f"scoring the accounts of {folder}", as_json=as_json):
        result = run(folder, model, out)
    print_result(result, show.accounts_scored, as_json=as_json)
