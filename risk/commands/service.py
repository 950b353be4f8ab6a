"""Commands of the running service: its past, its proof, the server itself."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from risk import show
from risk.commands.options import AsJson, DataSet, Home, print_result, working

if TYPE_CHECKING:
    from risk.jobs.serve import RunningServer
    from risk.jobs.workers import Workers

app = typer.Typer()


@app.command()
def load(
    folder: DataSet,
    home: Home,
    *,
    until: Annotated[datetime | None, typer.Option(help="Only what was known before that moment (UTC).")] = None,
    as_json: AsJson = False,
) -> None:
    """Give the service the past that it should know; loading twice changes nothing."""
    from risk.jobs.load_history import load_history

    with working(f"loading {folder} into {home}", as_json=as_json):
        result = load_history(folder, home, until=None if until is None else until.replace(tzinfo=UTC))
    print_result(result, show.loaded, as_json=as_json)


@app.command()
def replay(
    home: Home,
    *,
    since: Annotated[datetime | None, typer.Option(help="Only decisions from that moment on (UTC).")] = None,
    as_json: AsJson = False,
) -> None:
    """Decide every recorded request again from its recorded facts; any difference is named."""
    from risk.jobs.replay import replay_home

    with working(f"replaying {home}", as_json=as_json):
        result = replay_home(home, since=None if since is None else since.replace(tzinfo=UTC))
    print_result(result, show.replayed, as_json=as_json)
    raise typer.Exit(0 if result.ok else 1)


def _started(home: Path, host: str, port: int, workers: int) -> "RunningServer | Workers":
    """The service in this process, or in several."""
    if workers > 1:
        from risk.jobs.workers import serve_with_workers

        return serve_with_workers(home, host=host, port=port, workers=workers)
    from risk.jobs.serve import serve as run

    return run(home, host=host, port=port)


@app.command()
def serve(
    home: Annotated[Path, typer.Option("--home", help="Database, evidence, models and policy; made with sound defaults when empty.")],
    *,
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65_535)] = 8470,
    workers: Annotated[int, typer.Option(help="Processes that answer, on one store and one address; one a core.", min=1, max=64)] = 1,
    as_json: AsJson = False,
) -> None:
    """Run the scoring service until it is stopped."""
    with working("checking and starting", as_json=as_json):
        server = _started(home, host, port, workers)
    print_result(server.started, show.serving, as_json=as_json)
    server.wait()


ledger = typer.Typer(help="The record of every decision.", no_args_is_help=True)
app.add_typer(ledger, name="ledger")


@ledger.command()
def verify(
    home: Home,
    *,
    head: Annotated[str | None, typer.Option("--head", help="A head that was noted earlier: it must still be in the chain.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check that no recorded decision was edited, removed, added or moved; prints the head to note elsewhere."""
    from risk.jobs.ledger_verify import verify_home

    with working(f"verifying the ledger of {home}", as_json=as_json):
        result = verify_home(home, head)
    print_result(result, show.ledger, as_json=as_json)
    raise typer.Exit(0 if result.ok else 1)
