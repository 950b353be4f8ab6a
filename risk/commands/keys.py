"""`refund-risk keys`: the API keys of a home."""

from datetime import timedelta
from typing import Annotated

import typer

from risk import show
from risk.commands.options import AsJson, Home, print_result, working

app = typer.Typer()
keys = typer.Typer(help="Make, list, rotate and revoke API keys.", no_args_is_help=True)
app.add_typer(keys, name="keys")

Name = Annotated[str, typer.Argument(help="The name of the key.", show_default=False)]
Scopes = Annotated[list[str], typer.Option("--scope", help="What it is for: score, evidence, events, labels or admin; once for each.")]


@keys.command("list")
def list_(home: Home, *, as_json: AsJson = False) -> None:
    """Every key that was ever made, without its secret."""
    from risk.jobs.api_keys import list_keys

    with working("reading keys", as_json=as_json):
        result = list_keys(home)
    print_result(result, show.keys, as_json=as_json)


@keys.command()
def make(name: Name, home: Home, scope: Scopes, *, as_json: AsJson = False) -> None:
    """A new key; its secret is shown this once."""
    from risk.jobs.api_keys import make as run

    with working("making a key", as_json=as_json):
        result = run(home, name, scope)
    print_result(result, show.keys, as_json=as_json)


@keys.command()
def rotate(
    name: Name,
    home: Home,
    *,
    grace_hours: Annotated[float, typer.Option(help="How long the old one still opens.", min=0, max=720)] = 24.0,
    as_json: AsJson = False,
) -> None:
    """A new secret for a key; the old one ends after the grace."""
    from risk.jobs.api_keys import rotate as run

    with working("rotating a key", as_json=as_json):
        result = run(home, name, timedelta(hours=grace_hours))
    print_result(result, show.keys, as_json=as_json)


@keys.command()
def revoke(name: Name, home: Home, *, as_json: AsJson = False) -> None:
    """End a key at once."""
    from risk.jobs.api_keys import revoke as run

    with working("revoking a key", as_json=as_json):
        result = run(home, name)
    print_result(result, show.keys, as_json=as_json)
