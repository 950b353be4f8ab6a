"""Commands that bring data: a merchant's file, its checks, a simulated market."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from risk import show
from risk.commands.options import AsJson, DataSet, Out, print_result, working

app = typer.Typer()


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

    with working(f"importing {source}", as_json=as_json):
        result = import_source(mapping, source, out, key_file=key_file)
    print_result(result, show.imported, as_json=as_json)


@app.command()
def validate(folder: DataSet, *, out: Annotated[Path | None, typer.Option("--out", help="Report folder.")] = None, as_json: AsJson = False) -> None:
    """Check every row and every table; bad rows go to rejects/, the report to data_docs/."""
    from risk.jobs.validate import validate as run

    with working(f"validating {folder}", as_json=as_json):
        result = run(folder, out)
    print_result(result, show.validated, as_json=as_json)
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

    with working(f"simulating {orders:,} orders", as_json=as_json):
        result = simulate_folder(orders=orders, days=days, seed=seed, end=end.replace(tzinfo=UTC), out=out)
    print_result(result, show.simulated, as_json=as_json)
