"""The command line: a command parses, calls one function and prints. Heavy packages are imported by the command that needs them."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from data_contracts.errors import RiskError
from risk import show

# Two threads that spin on a busy machine wait for each other; both must be set before the numeric libraries load.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

app = typer.Typer(
    name="refund-risk",
    help="Ranks refund requests for approve, review or block, each with reasons a person can check.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output; progress goes to standard error.")]
DataSet = Annotated[Path, typer.Argument(help="Folder of contract tables (<table>.parquet).", show_default=False)]
Out = Annotated[Path, typer.Option("--out", help="Where the result goes.", show_default=False)]
ModelFolder = Annotated[Path, typer.Option("--model", help="Folder of a trained model.", show_default=False)]
FeatureFile = Annotated[Path | None, typer.Option("--features", help="Feature rows computed before by `refund-risk features`.")]
ReportFolder = Annotated[Path | None, typer.Option("--report", help="Folder for pictures and the HTML report.")]
Ablation = Annotated[bool, typer.Option("--ablation/--no-ablation", help="Train again without each family of evidence, to say what it is worth.")]
AsOf = Annotated[datetime | None, typer.Option("--as-of", help="Only what was known before that moment (UTC); all of it when left out.")]
PolicyFile = Annotated[Path | None, typer.Option("--policy", help="Policy file (TOML); the one that ships when left out.")]


@contextmanager
def _working(what: str, *, as_json: bool) -> Iterator[None]:
    """Show what goes on, on standard error; turn our errors into one clear line and the right exit code."""
    console = Console(stderr=True)
    try:
        with console.status(f"{what} ..."):
            yield
    except RiskError as error:
        if as_json:
            typer.echo(json.dumps({"error": {"code": error.code, "message": error.message, "field": error.field}}, ensure_ascii=False))
        console.print(f"[bold red]error[/] {error.code}: ", end="")
        console.print(error.message, markup=False, highlight=False)
        raise typer.Exit(error.exit_code) from error


def _print(result: object, render: Callable[[Any], object], *, as_json: bool) -> None:
    """The answer of a command: one JSON object, or something that a person reads."""
    if not as_json:
        console = Console()
        if not console.is_terminal:
            console.width = show.WIDE
        console.print(render(result))
        return
    plain = asdict(result) if is_dataclass(result) and not isinstance(result, type) else result
    typer.echo(json.dumps(plain, ensure_ascii=False, default=str))


@app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="A CSV or Parquet file.", show_default=False)],
    mapping: Annotated[Path, typer.Option("--mapping", help="Import map (TOML).", show_default=False)],
    out: Out,
    *,
    key_file: Annotated[Path | None, typer.Option("--key-file", help="Secret for hashing identifiers; made beside OUT when there is none.")] = None,
    as_json: AsJson = False,
) -> None:
    """Turn a merchant's CSV or Parquet file into contract tables."""
    from risk.jobs.import_tables import import_source

    with _working(f"importing {source}", as_json=as_json):
        result = import_source(mapping, source, out, key_file=key_file)
    _print(result, show.imported, as_json=as_json)


@app.command()
def validate(folder: DataSet, *, out: Annotated[Path | None, typer.Option("--out", help="Report folder.")] = None, as_json: AsJson = False) -> None:
    """Check every row and every table; bad rows go to rejects/, the report to data_docs/."""
    from risk.jobs.validate import validate as run

    with _working(f"validating {folder}", as_json=as_json):
        result = run(folder, out)
    _print(result, show.validated, as_json=as_json)
    raise typer.Exit(0 if result.ok else 1)


@app.command()
def simulate(
    out: Out,
    *,
    orders: Annotated[int, typer.Option(help="Orders in the market.", min=1_000, max=20_000_000)] = 100_000,
    days: Annotated[int, typer.Option(help="Length of the period in days.", min=30, max=3_650)] = 365,
    seed: Annotated[int, typer.Option(help="Same seed, same market.")] = 1,
    end: Annotated[datetime, typer.Option(help="The moment the period ends (UTC).")] = datetime(2026, 11, 1),  # noqa: DTZ001  # typer reads naive times; made UTC below
    as_json: AsJson = False,
) -> None:
    """Make a marketplace: honest buyers, unlucky ones, and seven kinds of abuse."""
    from risk.jobs.simulate import simulate_folder

    with _working(f"simulating {orders:,} orders", as_json=as_json):
        result = simulate_folder(orders=orders, days=days, seed=seed, end=end.replace(tzinfo=UTC), out=out)
    _print(result, show.simulated, as_json=as_json)


@app.command()
def features(
    folder: Annotated[Path | None, typer.Argument(help="Folder of contract tables; without it the catalogue is printed.")] = None,
    *,
    out: Annotated[Path | None, typer.Option("--out", help="Parquet file for the feature rows.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the catalogue of features, or compute one row a request."""
    if folder is None:
        from features.catalog import describe

        _print({"features": describe()}, show.catalogue, as_json=as_json)
        return
    if out is None:
        raise typer.BadParameter("a folder needs --out FILE.parquet", param_hint="--out")
    from risk.jobs.build_features import write_features

    with _working(f"computing features of {folder}", as_json=as_json):
        result = write_features(folder, out)
    _print(result, show.features_written, as_json=as_json)


@app.command()
def train(
    folder: DataSet,
    out: Out,
    *,
    tune: Annotated[int, typer.Option(help="Optuna trials; 0 takes the defaults.", min=0)] = 0,
    test_share: Annotated[float, typer.Option(help="Last share of the requests that the model is judged on.", min=0.0, max=0.9)] = 0.25,
    features: FeatureFile = None,
    seed: Annotated[int, typer.Option(help="Same data and seed, same model.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Train and calibrate the ranker on the labels known by now; report its quality on the last part of the period."""
    from risk.jobs.train import train as run

    with _working(f"training on {folder}", as_json=as_json):
        result = run(folder, out, tune=tune, seed=seed, test_share=test_share, features=features)
    _print(result, show.quality, as_json=as_json)


@app.command()
def evaluate(
    folder: DataSet,
    model: ModelFolder,
    *,
    policy: PolicyFile = None,
    report: ReportFolder = None,
    ablation: Ablation = True,
    features: FeatureFile = None,
    as_json: AsJson = False,
) -> None:
    """Quality and money of a model on requests that it has not seen, with intervals."""
    from risk.jobs.evaluate import evaluate as run

    with _working(f"evaluating {model}", as_json=as_json):
        result = run(folder, model, policy=policy, report=report, ablation=ablation, features=features)
    _print(result, show.quality, as_json=as_json)


@app.command()
def backtest(
    folder: DataSet,
    *,
    folds: Annotated[int, typer.Option(min=1, max=50)] = 4,
    train_share: Annotated[float, typer.Option(min=0.05, max=0.95)] = 0.4,
    test_share: Annotated[float, typer.Option(min=0.01, max=0.5)] = 0.15,
    policy: PolicyFile = None,
    report: ReportFolder = None,
    ablation: Ablation = True,
    seed: Annotated[int, typer.Option(help="Same data and seed, same figures.")] = 1,
    features: FeatureFile = None,
    as_json: AsJson = False,
) -> None:
    """Roll through time, trained only on what was known; with --policy, what that policy would change."""
    from risk.jobs.backtest import backtest as run

    with _working(f"backtesting on {folder}", as_json=as_json):
        result = run(
            folder,
            folds=folds,
            train_share=train_share,
            test_share=test_share,
            policy=policy,
            report=report,
            ablation=ablation,
            seed=seed,
            features=features,
        )
    _print(result, show.quality, as_json=as_json)


@app.command()
def score(folder: DataSet, model: ModelFolder, out: Out, *, policy: PolicyFile = None, as_json: AsJson = False) -> None:
    """Rank every request of a data set, with reasons."""
    from risk.jobs.score import score as run

    with _working(f"scoring {folder}", as_json=as_json):
        result = run(folder, model, out, policy=policy)
    _print(result, show.scored, as_json=as_json)


@app.command()
def rings(folder: DataSet, *, as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Find the rings of a data set, as of a moment; they keep their names from build to build."""
    from risk.jobs.rings import rings as run

    with _working(f"looking for rings in {folder}", as_json=as_json):
        result = run(folder, as_of=None if as_of is None else as_of.replace(tzinfo=UTC))
    _print(result, show.rings, as_json=as_json)


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

    with _working(f"reading {ring_id}", as_json=as_json):
        result = run(folder, ring_id, png=png, export=export)
    _print(result, show.ring, as_json=as_json)


@app.command()
def load(
    folder: DataSet,
    home: Annotated[Path, typer.Option("--home", help="The service's home.", show_default=False)],
    *,
    until: Annotated[datetime | None, typer.Option(help="Only what was known before that moment (UTC).")] = None,
    as_json: AsJson = False,
) -> None:
    """Give the service the past that it should know; loading twice changes nothing."""
    from risk.jobs.load_history import load_history

    with _working(f"loading {folder} into {home}", as_json=as_json):
        result = load_history(folder, home, until=None if until is None else until.replace(tzinfo=UTC))
    _print(result, show.loaded, as_json=as_json)


@app.command()
def replay(
    home: Annotated[Path, typer.Option("--home", help="The service's home.", show_default=False)],
    *,
    since: Annotated[datetime | None, typer.Option(help="Only decisions from that moment on (UTC).")] = None,
    as_json: AsJson = False,
) -> None:
    """Decide every recorded request again from its recorded facts; any difference is named."""
    from risk.jobs.replay import replay_home

    with _working(f"replaying {home}", as_json=as_json):
        result = replay_home(home, since=None if since is None else since.replace(tzinfo=UTC))
    _print(result, show.replayed, as_json=as_json)
    raise typer.Exit(0 if result.ok else 1)


@app.command()
def serve(
    home: Annotated[Path, typer.Option("--home", help="Database, evidence, models and policy; made with sound defaults when empty.")],
    *,
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65_535)] = 8470,
    as_json: AsJson = False,
) -> None:
    """Run the scoring service until it is stopped."""
    from risk.jobs.serve import serve as run

    with _working("checking and starting", as_json=as_json):
        server = run(home, host=host, port=port)
    _print(server.started, show.serving, as_json=as_json)
    server.wait()


def main() -> None:
    """The `refund-risk` program."""
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a text stream in every shell we run in
    app()
