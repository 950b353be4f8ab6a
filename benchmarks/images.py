"""How well the authenticity network tells generated pictures from photos: `python benchmarks/images.py --data DIR [--out DIR]`.

Takes any folder with a `manifest.csv` like the shelf's; judges its part `dev` in every laundering cell. Prints, and writes
`images.json` and `images.png`. Measured rows are kept in --kept, so a second run takes seconds.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from models.authenticity.evaluate import MATCHED, Judged, coverage, false_alarms, flips, judge_cell, quality
from models.authenticity.laundering import BY_NAME, CELLS
from models.authenticity.manifest import DEFAULT_DATA, Label, chosen, read_manifest
from models.authenticity.measure import Measurer
from models.authenticity.network import load_network


def run(data: Path, kept: Path, cells: list[str], part: str) -> dict[str, Any]:
    """All figures of one model."""
    network = load_network()
    pictures = chosen(read_manifest(data), part=part, labels=(Label.REAL, Label.GENERATED))
    measurer = Measurer(data, kept, typer.echo)
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


def show(name: str, figures: dict[str, Any]) -> None:
    """A cell on the terminal."""
    typer.echo(f"== {name}")
    for row, found in figures["quality"].items():
        area = found["auc"]
        recalls = ", ".join(f"{key} {value}" for key, value in found.items() if key != "auc")
        typer.echo(f"  {row:24s} AUC {area['value']:.3f} [{area['low']:.2f} {area['high']:.2f}] ({area['real']}/{area['generated']}), {recalls}")
    typer.echo(f"  false alarms: {figures['false alarms']}")


def draw(report: dict[str, Any], file: Path) -> None:
    """AUC of the matched sets and the false-alarm rate over the cells."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    cells = list(report["cells"])
    figure, (above, below) = plt.subplots(2, 1, figsize=(11, 7), sharex=True, constrained_layout=True)
    for name in (*MATCHED, "goods against evidence"):
        found = [report["cells"][cell]["quality"].get(name) for cell in cells]
        if all(found):
            above.plot(cells, [row["auc"]["value"] for row in found if row], marker="o", label=name)
    above.axhline(0.5, color="grey", linewidth=0.5)
    above.set_ylabel("AUC")
    above.legend()
    below.bar(cells, [100 * report["cells"][cell]["false alarms"]["rate"] for cell in cells])
    below.axhline(2, color="red", linewidth=0.8)
    below.set_ylabel("real photos called generated, %")
    below.tick_params(axis="x", rotation=60)
    figure.suptitle(report["model"])
    figure.savefig(file, dpi=110)


def main(
    data: Annotated[Path, typer.Option(help="Folder with pictures and manifest.csv.")] = DEFAULT_DATA,
    out: Annotated[Path, typer.Option(help="Folder for images.json and images.png.")] = Path("build/benchmarks"),
    kept: Annotated[Path, typer.Option(help="Folder of measured rows.")] = Path("build/authenticity"),
    cell: Annotated[list[str] | None, typer.Option(help="A laundering cell; default: all.")] = None,
    part: Annotated[str, typer.Option(help="Part of the manifest.")] = "dev",
) -> None:
    """Measure the authenticity network."""
    report = run(data, kept, cell or [known.name for known in CELLS], part)
    out.mkdir(parents=True, exist_ok=True)
    (out / "images.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    draw(report, out / "images.png")
    typer.echo(f"written: {out / 'images.json'}, {out / 'images.png'}")


if __name__ == "__main__":
    typer.run(main)
