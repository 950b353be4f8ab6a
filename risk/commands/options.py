"""What every command shares: its options, its one line for errors, and how it prints."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from data_contracts.errors import RiskError
from risk import show

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output; progress goes to standard error.")]
DataSet = Annotated[Path, typer.Argument(help="Folder of contract tables (<table>.parquet).", show_default=False)]
Out = Annotated[Path, typer.Option("--out", help="Where the result goes.", show_default=False)]
ModelFolder = Annotated[Path, typer.Option("--model", help="Folder of a trained model.", show_default=False)]
FeatureFile = Annotated[Path | None, typer.Option("--features", help="Feature rows computed before by `refund-risk features`.")]
ReportFolder = Annotated[Path | None, typer.Option("--report", help="Folder for pictures and the HTML report.")]
Ablation = Annotated[bool, typer.Option("--ablation/--no-ablation", help="Train again without each family of evidence, to say what it is worth.")]
AsOf = Annotated[datetime | None, typer.Option("--as-of", help="Only what was known before that moment (UTC); all of it when left out.")]
Home = Annotated[Path, typer.Option("--home", help="The service's home.", show_default=False)]
By = Annotated[str, typer.Option("--by", help="Who says so.", show_default=False)]
Why = Annotated[str, typer.Option("--why", help="Why; a sentence.", show_default=False)]
PolicyFile = Annotated[Path | None, typer.Option("--policy", help="Policy file (TOML); the one that ships when left out.")]


@contextmanager
def working(what: str, *, as_json: bool, still: bool = False) -> Iterator[None]:
    """Show what goes on, on standard error, unless `still`; turn our errors into one clear line and the right exit code."""
    console = Console(stderr=True)
    try:
        with nullcontext() if still else console.status(f"{what} ..."):
            yield
    except RiskError as error:
        if as_json:
            typer.echo(json.dumps({"error": {"code": error.code, "message": error.message, "field": error.field}}, ensure_ascii=False))
        console.print(f"[bold red]error[/] {error.code}: ", end="")
        console.print(error.message, markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(error.exit_code) from error


def print_result(result: object, render: Callable[[Any], object], *, as_json: bool) -> None:
    """The answer of a command: one JSON object, or something that a person reads."""
    if not as_json:
        console = Console()
        if not console.is_terminal:
            console.width = show.WIDE
        console.print(render(result))
        return
    plain = asdict(result) if is_dataclass(result) and not isinstance(result, type) else result
    typer.echo(json.dumps(plain, ensure_ascii=False, default=str))
