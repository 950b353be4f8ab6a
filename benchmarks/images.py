"""How well the authenticity network tells generated pictures from photos: `python benchmarks/images.py --data DIR [--out DIR]`.

Takes any folder with a `manifest.csv` like the shelf's; judges its part `dev` in every laundering cell, with both models. Prints, and
writes `images.json` and `images.png`. Measured rows are kept in --kept, so a second run takes a minute.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from models.authenticity.artifact import SHIPPED
from models.authenticity.evaluate import MATCHED, Judged, coverage, false_alarms, flips, judge_cell, quality
from models.authenticity.laundering import BY_NAME, CELLS
from models.authenticity.manifest import DEFAULT_DATA, Label, chosen, read_manifest
from models.authenticity.measure import Measurer
from models.authenticity.network import Network, load_network
from models.authenticity.tower import default_path

NO_TOWER = Path("no tower")  # a name that is never there: the light model speaks
GOODS = "goods against evidence"
WANTED_ALARMS = 2  # percent


def networks() -> dict[str, Network]:
    """The models that can speak here, by name."""
    light = {"light": load_network(SHIPPED, NO_TOWER)}
    return {"tower": load_network(), **light} if default_path().is_file() else light


def run(network: Network, measurer: Measurer, cells: list[str], part: str) -> dict[str, Any]:
    """All figures of one model."""
    pictures = chosen(read_manifest(measurer.data), part=part, labels=(Label.REAL, Label.GENERATED))
    judged: list[Judged] = []
    report: dict[str, Any] = {"model": network.version, "pictures": len(pictures), "cells": {}}
    for name in cells:
        said = judge_cell(network, network.encode, measurer, pictures, BY_NAME[name])
        judged.append(said)
        report["cells"][name] = {"quality": quality(pictures, said), "false alarms": false_alarms(pictures, said)}
        show(name, report["cells"][name])
    report["flips"] = flips(judged)
    report["coverage"] = coverage(pictures, judged[0])
    typer.echo(f"flips: {report['flips']}")
    for row in report["coverage"]:
        typer.echo(f"coverage: {row}")
    return report


def measured(reports: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What is kept beside the shipped models: their versions, and the AUC of every set in every cell."""
    return {
        name: {
            "version": report["model"],
            "cells": {cell: {row: found["auc"] for row, found in figures["quality"].items()} for cell, figures in report["cells"].items()},
        }
        for name, report in reports.items()
    }


def show(name: str, figures: dict[str, Any]) -> None:
    """A cell on the terminal."""
    typer.echo(f"== {name}")
    for row, found in figures["quality"].items():
        area = found["auc"]
        recalls = ", ".join(f"{key} {value['value']:.2f} [{value['low']:.2f} {value['high']:.2f}]" for key, value in found.items() if key != "auc")
        typer.echo(f"  {row:24s} AUC {area['value']:.3f} [{area['low']:.2f} {area['high']:.2f}] ({area['real']}/{area['generated']}), {recalls}")
    alarms = {key: value for key, value in figures["false alarms"].items() if key != "by source"}
    typer.echo(f"  false alarms: {alarms}")
    for source, row in figures["false alarms"]["by source"].items():
        typer.echo(f"    {source:32s} {row}")


def draw(reports: dict[str, dict[str, Any]], file: Path) -> None:
    """For each model: AUC over the cells, false alarms over the cells, accuracy against share answered."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, grid = plt.subplots(3, len(reports), figsize=(8 * len(reports), 12), squeeze=False, constrained_layout=True)
    for column, (model, report) in enumerate(reports.items()):
        above, middle, below = grid[:, column]
        cells = list(report["cells"])
        for name in (*MATCHED, GOODS):
            found = [report["cells"][cell]["quality"][name]["auc"] for cell in cells if name in report["cells"][cell]["quality"]]
            if len(found) == len(cells):
                line = above.plot(cells, [row["value"] for row in found], marker="o", label=name)[0]
                above.fill_between(cells, [row["low"] for row in found], [row["high"] for row in found], alpha=0.12, color=line.get_color())
        above.axhline(0.5, color="grey", linewidth=0.5)
        above.set(ylabel="AUC", ylim=(0.3, 1.01), title=f"{model}: {report['model']}")
        above.legend(loc="lower left", fontsize=8)
        rates = [report["cells"][cell]["false alarms"] for cell in cells]
        middle.bar(cells, [100 * row["rate"] for row in rates], label="real called generated, all sources")
        middle.plot(cells, [100 * max(row["worst sources"].values(), default=0.0) for row in rates], "kx", label="worst source of 10 or more photos")
        middle.axhline(WANTED_ALARMS, color="red", linewidth=0.8)
        middle.set(ylabel="%", ylim=(0, None))
        middle.legend(fontsize=8)
        for axis in (above, middle):
            axis.tick_params(axis="x", rotation=60)
        shares = [row["answered"] for row in report["coverage"]]
        for key in ("accuracy, surest", "auc, nearest to training"):
            below.plot(shares, [row[key] for row in report["coverage"]], marker="o", label=key)
        below.set(xlabel="share answered", ylim=(0.5, 1.01))
        below.legend(fontsize=8)
    figure.savefig(file, dpi=90)


def main(
    data: Annotated[Path, typer.Option(help="Folder with pictures and manifest.csv.")] = DEFAULT_DATA,
    out: Annotated[Path, typer.Option(help="Folder for images.json and images.png.")] = Path("build/benchmarks"),
    kept: Annotated[Path, typer.Option(help="Folder of measured rows.")] = Path("build/authenticity"),
    cell: Annotated[list[str] | None, typer.Option(help="A laundering cell; default: all.")] = None,
    part: Annotated[str, typer.Option(help="Part of the manifest.")] = "dev",
    keep: Annotated[
        Path | None, typer.Option(help="Also write the AUCs here; for the shipped models: models/authenticity/shipped/measured.json.")
    ] = None,
) -> None:
    """Measure the authenticity network."""
    measurer = Measurer(data, kept, typer.echo)
    cells = cell or [known.name for known in CELLS]
    reports = {}
    for name, network in networks().items():
        typer.echo(f"===== {name}")
        reports[name] = run(network, measurer, cells, part)
    out.mkdir(parents=True, exist_ok=True)
    (out / "images.json").write_text(json.dumps(reports, indent=1) + "\n", encoding="utf-8")
    draw(reports, out / "images.png")
    if keep is not None:
        keep.write_text(json.dumps(measured(reports), indent=1) + "\n", encoding="utf-8")
    typer.echo(f"written: {out / 'images.json'}, {out / 'images.png'}")


if __name__ == "__main__":
    typer.run(main)
