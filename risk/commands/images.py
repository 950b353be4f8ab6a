"""Commands that look at pictures and films."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from data_contracts.reason import Language
from risk import show
from risk.commands.options import AsJson, Home, print_result, working

app = typer.Typer()

Paths = Annotated[list[Path], typer.Argument(help="Pictures, films, or folders of them.", show_default=False)]
OrderFile = Annotated[Path | None, typer.Option("--order", help="JSON file of the order: moments, place, counts; see the README.")]
HeatFolder = Annotated[Path | None, typer.Option("--heatmap", help="Folder for the heat maps, one PNG a file.")]
HtmlPlace = Annotated[
    Path | None, typer.Option("--html", help="A page with photo, heat map and findings: FILE.html for all, or a folder for one a file.")
]
Lang = Annotated[Language, typer.Option("--lang", help="Language of the texts.")]
Workers = Annotated[int, typer.Option("--workers", help="Processes that look; 0 takes one a core.", min=0, max=64)]
Reading = Annotated[bool, typer.Option("--read/--no-read", help="Also read the words in the picture, which takes longer than all the rest.")]
AsLines = Annotated[bool, typer.Option("--json", help="One JSON object a line, in the order given; progress goes to standard error.")]


@app.command()
def check(
    paths: Paths,
    *,
    order: OrderFile = None,
    heatmap: HeatFolder = None,
    html: HtmlPlace = None,
    lang: Lang = Language.EN,
    workers: Workers = 0,
    read: Reading = True,
    as_json: AsLines = False,
) -> None:
    """Check photos and films: authentic, edited, generated or unsure, why, and what to ask the buyer for."""
    from risk.check.card import card
    from risk.check.order_facts import read_order
    from risk.jobs.check import Asked, check_files, files_of
    from risk.jobs.check_output import Output

    with working("reading", as_json=as_json):
        files = files_of(paths)
        asked = Asked(order=None if order is None else read_order(order), read=read, draw=bool(heatmap or html), workers=workers)
        output = Output(heatmap, html, lang)
    shown = Console()
    if not shown.is_terminal:
        shown.width = show.WIDE
    columns = TextColumn("checking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with working("checking", as_json=as_json, still=True), Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        for checked in progress.track(check_files(files, asked), total=len(files)):
            output.add(checked)
            if as_json:
                typer.echo(json.dumps(checked.as_json(lang), ensure_ascii=False))
            else:
                shown.print(card(checked.path, checked.check, checked.ms, lang))
        output.finish()


@app.command()
def remeasure(home: Home, *, as_json: AsJson = False) -> None:
    """Measure stored evidence again where a signal or a model has a newer version; exit 1 when a file could not be looked at."""
    from risk.jobs.remeasure import remeasure as run

    with working(f"measuring evidence in {home}", as_json=as_json):
        result = run(home)
    print_result(result, show.loaded, as_json=as_json)
    raise typer.Exit(1 if result["failed"] else 0)


@app.command()
def known(
    folder: Annotated[Path, typer.Argument(help="Folder of pictures.", show_default=False)],
    home: Home,
    *,
    origin: Annotated[str, typer.Option("--as", help="What they are known as: the shop's catalogue, a list of web images.")] = "catalogue",
    as_json: AsJson = False,
) -> None:
    """Tell the service of pictures that are known, so that evidence that shows one of them is found to be reused."""
    from risk.jobs.remeasure import know

    with working(f"taking in {folder}", as_json=as_json):
        result = know(home, folder, origin)
    print_result(result, show.loaded, as_json=as_json)
