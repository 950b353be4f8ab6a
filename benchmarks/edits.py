"""Edited regions: how well a heat map finds them (pixel AUC), the same map on the photos before the edit (the control), and how slow it is.

Run: python -m benchmarks.edits [--data DIR] [--models DIR] [--tower FILE] [--net] [--part dev] [--cells "as is,JPEG 85"] [--out FOLDER]
Measures the token map; with --net a patch net in --models. Prints a table; --out also writes edits.json and edits.png (photo, truth, heat map).
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.special import expit

from models.authenticity.artifact import SHIPPED
from models.authenticity.edit_cases import Case, edited_cases
from models.authenticity.edit_figures import DrawsMap, Found, Mean, found_rows, look_at
from models.authenticity.heat_map import load_patch_net
from models.authenticity.laundering import AS_IS, BY_NAME, CELLS, limit_long_side
from models.authenticity.manifest import DEFAULT_DATA
from models.authenticity.token_map import load_token_map
from models.authenticity.tower import Tower, default_path

MOVES_PIXELS = frozenset({"screenshot", "crop 60%", "photo of a screen"})  # the truth's mask would have to move along
TILE, COLUMNS = 200, 3
ROUNDS = 3


def shown(mean: Mean | None) -> str:
    """A mean and its interval."""
    return "-" if mean is None else f"{mean.mean:+.3f} [{mean.low:+.2f} {mean.high:+.2f}]"


def print_row(row: Found) -> None:
    """One line of the table."""
    print(
        f"{row.kind:<22} {row.cell:<16} {row.pictures:>4}  edited {shown(row.edited)}  original {shown(row.original)}  gain {shown(row.gain)}",
        flush=True,
    )


def speed(heat: DrawsMap) -> dict[str, float]:
    """Processor seconds of one map of a photo of 1 and of 12 megapixels, one thread."""
    dice = np.random.default_rng(1)
    spent: dict[str, float] = {}
    for name, size in {"1 megapixel": (1152, 864), "12 megapixels": (4000, 3000)}.items():
        photo = Image.fromarray(dice.integers(0, 255, (size[1] // 4, size[0] // 4, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
        rounds = []
        for _ in range(ROUNDS):
            start = time.process_time()
            heat.answers(limit_long_side(photo, heat.long_side))
            rounds.append(time.process_time() - start)
        spent[f"{name}, s"] = round(float(np.median(rounds)), 2)
    return spent


def sheet(heat: DrawsMap, cases: Sequence[Case], file: Path) -> None:
    """Photo, truth and heat map of every edited photo, side by side."""
    rows = -(-len(cases) // COLUMNS)
    canvas = Image.new("RGB", (COLUMNS * 3 * TILE, rows * TILE), (40, 40, 40))
    for number, case in enumerate(cases):
        photo = case.picture()
        odds = heat.answers(limit_long_side(photo, heat.long_side))
        left, top = number % COLUMNS * 3 * TILE, number // COLUMNS * TILE
        drawn = Image.fromarray(np.rint(expit(odds) * 255).astype(np.uint8))
        for place, tile in enumerate((photo, Image.fromarray(case.edited), drawn)):
            canvas.paste(tile.convert("RGB").resize((TILE - 4, TILE - 4)), (left + place * TILE, top))
    canvas.save(file)


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, default=DEFAULT_DATA)
    asked.add_argument("--models", type=Path, default=SHIPPED)
    asked.add_argument("--tower", type=Path, default=default_path())
    asked.add_argument("--net", action="store_true")
    asked.add_argument("--part", default="dev")
    asked.add_argument("--cells", default=",".join(cell.name for cell in CELLS if cell.name not in MOVES_PIXELS))
    asked.add_argument("--out", type=Path)
    given = asked.parse_args()
    heat = load_patch_net(given.models) if given.net else load_token_map(Tower(given.tower), given.models)
    cases = edited_cases(given.data, given.part)
    lines: list[dict[str, Any]] = [{"version": heat.version}]
    for name in given.cells.split(","):
        cell = BY_NAME.get(name, AS_IS)
        looked = [one for number, case in enumerate(cases) if (one := look_at(heat, case, cell, number)) is not None]
        for row in found_rows(looked, cell.name):
            print_row(row)
            lines.append(asdict(row))
    lines.append(speed(heat))
    print(lines[-1])
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "edits.json").write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")
        sheet(heat, cases, given.out / "edits.png")


if __name__ == "__main__":
    main()
