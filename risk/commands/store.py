"""`refund-risk db` and `refund-risk settings`: the store of a home and its revisions, and what can be set."""

import os
from dataclasses import asdict

import typer

from risk import show
from risk.commands.options import AsJson, Home, print_result, working

app = typer.Typer()
db = typer.Typer(help="The store and its revisions.", no_args_is_help=True)
app.add_typer(db, name="db")


@db.command()
def upgrade(home: Home, *, as_json: AsJson = False) -> None:
    """Bring the store up to this version of the code, all or nothing; back it up before."""
    from risk.jobs.upgrade_store import upgrade_home

    with working(f"upgrading the store of {home}", as_json=as_json):
        result = upgrade_home(home)
    print_result(result, show.store, as_json=as_json)


@db.command()
def current(home: Home, *, as_json: AsJson = False) -> None:
    """Say at which revision the store is; exit 1 when the service would not start over it."""
    from risk.jobs.upgrade_store import standing_of_home

    with working(f"reading the store of {home}", as_json=as_json):
        result = standing_of_home(home)
    print_result(result, show.store, as_json=as_json)
    raise typer.Exit(0 if result.state in ("empty", "current") else 1)


@app.command()
def settings(*, as_json: AsJson = False) -> None:
    """Every setting: its name, default, unit and reason, and whether it is set here."""
    from risk.jobs.settings_page import in_force

    with working("reading settings", as_json=as_json):
        result = {"settings": [asdict(each) for each in in_force(os.environ)]}
    print_result(result, show.settings, as_json=as_json)
