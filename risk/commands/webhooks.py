"""`refund-risk webhooks`: who is told of decisions and appeals."""

from typing import Annotated

import typer

from risk import show
from risk.commands.options import AsJson, Home, print_result, working

app = typer.Typer()
webhooks = typer.Typer(help="Who is told of decisions and appeals; what was given up.", no_args_is_help=True)
app.add_typer(webhooks, name="webhooks")


@webhooks.command()
def add(
    url: Annotated[str, typer.Argument(help="Where messages are posted to.", show_default=False)],
    home: Home,
    *,
    kind: Annotated[list[str] | None, typer.Option("--kind", help="decision.final, appeal.verdict, decision.made; once for each.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell an address of final decisions and verdicts on appeals; its secret is shown this once."""
    from risk.jobs.webhooks import add as run

    with working("adding a webhook", as_json=as_json):
        result = run(home, url, kind or ())
    print_result(result, show.webhooks, as_json=as_json)


@webhooks.command("list")
def list_(home: Home, *, as_json: AsJson = False) -> None:
    """Every address that is told."""
    from risk.jobs.webhooks import list_endpoints

    with working("reading webhooks", as_json=as_json):
        result = list_endpoints(home)
    print_result(result, show.webhooks, as_json=as_json)


@webhooks.command()
def remove(endpoint: Annotated[str, typer.Argument(help="The id.", show_default=False)], home: Home, *, as_json: AsJson = False) -> None:
    """Tell an address nothing any more."""
    from risk.jobs.webhooks import remove as run

    with working("removing a webhook", as_json=as_json):
        result = run(home, endpoint)
    print_result(result, show.webhooks, as_json=as_json)


@webhooks.command()
def dead(home: Home, *, as_json: AsJson = False) -> None:
    """The messages that no receiver took."""
    from risk.jobs.webhooks import dead as run

    with working("reading messages", as_json=as_json):
        result = run(home)
    print_result(result, show.dead_messages, as_json=as_json)


@webhooks.command()
def retry(
    home: Home,
    *,
    message: Annotated[list[str] | None, typer.Option("--message", help="Only that one; once for each. Else all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send messages that were given up again."""
    from risk.jobs.webhooks import retry as run

    with working("putting messages back", as_json=as_json):
        result = run(home, message or ())
    print_result(result, show.dead_messages, as_json=as_json)
