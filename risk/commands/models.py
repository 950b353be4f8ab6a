"""`refund-risk models`: which ranker decides in a home, and which ones wait."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from risk import show
from risk.commands.options import AsJson, By, Home, Why, print_result, working

app = typer.Typer()
models = typer.Typer(help="Register, list, promote and take back rankers.", no_args_is_help=True)
app.add_typer(models, name="models")

Version = Annotated[str, typer.Argument(help="The model's version.", show_default=False)]


@models.command()
def add(
    model: Annotated[Path, typer.Argument(help="Folder of a trained model.", show_default=False)], home: Home, *, as_json: AsJson = False
) -> None:
    """Register a trained model as the challenger; it decides nothing until it is promoted."""
    from risk.jobs.model_registry import add_model

    with working(f"registering {model}", as_json=as_json):
        result = add_model(home, model)
    print_result(result, show.models, as_json=as_json)


@models.command("list")
def list_(home: Home, *, as_json: AsJson = False) -> None:
    """Every registered model with its figures, and every promotion."""
    from risk.jobs.model_registry import list_models

    with working("reading the registry", as_json=as_json):
        result = list_models(home)
    print_result(result, show.models, as_json=as_json)


@models.command()
def shadow(
    version: Version,
    home: Home,
    *,
    since: Annotated[datetime | None, typer.Option(help="Only decisions from that moment on (UTC).")] = None,
    as_json: AsJson = False,
) -> None:
    """What a registered model would have decided of everything that was decided; it changes nothing."""
    from risk.jobs.shadow import shadow_home

    with working(f"letting {version} look at the ledger", as_json=as_json):
        result = shadow_home(home, version, None if since is None else since.replace(tzinfo=UTC))
    print_result(result, show.shadow, as_json=as_json)


@models.command()
def promote(
    version: Version,
    home: Home,
    by: By,
    why: Why,
    *,
    as_json: AsJson = False,
) -> None:
    """Let a registered model decide, from the service's next start on."""
    from risk.jobs.model_registry import promote as run

    with working(f"promoting {version}", as_json=as_json):
        result = run(home, version, by, why)
    print_result(result, show.models, as_json=as_json)


@models.command()
def rollback(home: Home, by: By, why: Why, *, as_json: AsJson = False) -> None:
    """Take the last promotion back: the model before it decides again, from the service's next start on."""
    from risk.jobs.model_registry import roll_back

    with working("going back", as_json=as_json):
        result = roll_back(home, by, why)
    print_result(result, show.models, as_json=as_json)
