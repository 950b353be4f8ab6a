"""Commands about who hangs together: rings."""

from datetime import UTC
from pathlib import Path
from typing import Annotated

import typer

from risk import show
from risk.commands.options import AsJson, AsOf, DataSet, print_result, working

app = typer.Typer()


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
