"""Commands about what is kept of people: purging, legal holds, and who read which evidence."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from data_contracts.errors import ContractError
from risk import show_retention as show
from risk.commands.options import AsJson, By, Home, Why, print_result, working

app = typer.Typer()
hold = typer.Typer(help="Keep something from being purged: add, list, release.", no_args_is_help=True)
evidence = typer.Typer(help="What was done with evidence.", no_args_is_help=True)
app.add_typer(hold, name="hold")
app.add_typer(evidence, name="evidence")


@app.command()
def purge(
    home: Home,
    *,
    older_than: Annotated[float | None, typer.Option(help="Days; REFUND_RISK_RETENTION_DAYS when left out.", min=0)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be deleted.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete evidence files and claim texts past their retention; hashes, measurements and decisions stay."""
    from risk.jobs.purge import purge_home

    with working(f"purging {home}", as_json=as_json):
        result = purge_home(home, None if older_than is None else timedelta(days=older_than), dry_run=dry_run)
    print_result(result, show.purged, as_json=as_json)


@hold.command()
def add(
    home: Home,
    by: By,
    why: Why,
    *,
    request: Annotated[str | None, typer.Option(help="A refund request: all files that it showed, and its text.")] = None,
    file: Annotated[str | None, typer.Option(help="One file, by its SHA-256.")] = None,
    account: Annotated[str | None, typer.Option(help="All requests of an account.")] = None,
    until: Annotated[datetime | None, typer.Option(help="When it ends by itself (UTC).")] = None,
    as_json: AsJson = False,
) -> None:
    """Keep a request, a file or an account from being purged."""
    from risk.jobs.holds import Said, add_hold
    from risk.stores.care import Subject

    with working("adding a hold", as_json=as_json):
        named = [(kind, name) for kind, name in ((Subject.REQUEST, request), (Subject.FILE, file), (Subject.ACCOUNT, account)) if name]
        if len(named) != 1:
            raise ContractError("give exactly one of --request, --file and --account", field="request")
        result = add_hold(home, *named[0], Said(by, why), None if until is None else until.replace(tzinfo=UTC))
    print_result(result, show.holds, as_json=as_json)


@hold.command("list")
def list_(home: Home, *, as_json: AsJson = False) -> None:
    """Every hold that ever was."""
    from risk.jobs.holds import list_holds

    with working("reading holds", as_json=as_json):
        result = list_holds(home)
    print_result(result, show.holds, as_json=as_json)


@hold.command()
def release(
    number: Annotated[int, typer.Argument(help="The number of the hold.", show_default=False)],
    home: Home,
    by: By,
    why: Why,
    *,
    as_json: AsJson = False,
) -> None:
    """End a hold; it stays on record."""
    from risk.jobs.holds import Said, release_hold

    with working("releasing a hold", as_json=as_json):
        result = release_hold(home, number, Said(by, why))
    print_result(result, show.holds, as_json=as_json)


@evidence.command()
def reads(sha256: Annotated[str, typer.Argument(help="The file.", show_default=False)], home: Home, *, as_json: AsJson = False) -> None:
    """Who was given a file, or what was measured in it, when and why."""
    from risk.jobs.holds import reads_of

    with working("reading", as_json=as_json):
        result = reads_of(home, sha256)
    print_result(result, show.reads, as_json=as_json)
