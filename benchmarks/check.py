"""What a check costs: time on one core, memory of one worker, and what 10,000 mutated files do. Prints one JSON object a row.

Run: python -m benchmarks.check [--models DIR] [--tower FILE] [--rows speed,parts,memory,workers,hostile] [--files 10000] [--json FILE]

Times are computing time of the child's process, so that a busy machine does not count; `wall_ms` is what a caller waits.
"""

import argparse
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

from features.image import examples
from features.image.measure import SIGNALS, measure_piece, open_piece
from features.image.sandbox import Limits
from features.image.signal_kit import Context
from models.authenticity import tower
from models.authenticity.artifact import SHIPPED
from risk.check.verdict import conclude
from risk.evidence.sight import Inspector
from risk.evidence.worker import Eyes, load_eyes
from risk.jobs.check import Asked, check_files

TICK = os.sysconf("SC_CLK_TCK")
SIZES = {"12 megapixels": (4000, 3000), "1 megapixel": (1150, 870)}
WANTED = {"12 megapixels": 250, "1 megapixel": 90, "reading": 400, "memory_mb": 600}
TRIES = 11


@dataclass(frozen=True)
class Given:
    """What was asked for on the command line."""

    models: Path
    tower: Path
    files: int


def photo(size: tuple[int, int]) -> bytes:
    """A photo of that size as a phone writes it."""
    return examples.jpeg(np.asarray(Image.fromarray(examples.scene(1000, 750)).resize(size, Image.Resampling.BICUBIC)), 92)


def computing_ms(pid: int) -> float:
    """Computing time of a process so far, to the kernel's tick of 10 ms; many tries make up for that."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / TICK


def speed(given: Given) -> Iterator[dict[str, Any]]:
    """A whole check in the sandbox, with everything but the reading of words, and with it."""
    for read in (False, True):
        with Inspector(given.models, given.tower, Limits(reading=read)) as inspector:
            inspector.sandbox.start()
            for name, size in SIZES.items():
                yield {"row": "speed", "photo": name, "reading": read, **timed(inspector, photo(size), read=read), "wanted_ms": WANTED[name]}


def timed(inspector: Inspector, data: bytes, *, read: bool) -> dict[str, Any]:
    """Medians over several tries."""
    child = inspector.sandbox.pid
    walls, spent = [], computing_ms(child)
    verdicts = set()
    for _ in range(TRIES):
        start = time.perf_counter()
        seen = inspector.inspect(data, Context(), read=read)
        verdicts.add(conclude(seen.measured, seen.sight.judged, seen.sight.anomaly).verdict.value)
        walls.append((time.perf_counter() - start) * 1e3)
    return {"ms": round((computing_ms(child) - spent) / TRIES, 1), "wall_ms": round(median(walls), 1), "verdicts": sorted(verdicts)}


def parts(given: Given) -> Iterator[dict[str, Any]]:
    """Where the time goes: opening, each signal, the models."""
    eyes = load_eyes(given.models, given.tower)
    for name, size in SIZES.items():
        data = photo(size)
        steps: dict[str, Callable[[], object]] = {
            "open": lambda data=data: open_piece(data),  # type: ignore[misc]
            "signals": lambda data=data: measure_piece(open_piece(data), Context()),  # type: ignore[misc]
            "colours": lambda data=data: open_piece(data).picture.colours(),  # type: ignore[misc]
        }
        for signal in SIGNALS:
            steps[f"signal {signal.NAME}"] = lambda data=data, signal=signal: signal.measure(open_piece(data).picture, Context())  # type: ignore[misc]
        steps |= of_models(eyes, data)
        costs = {step: round(cost(call), 1) for step, call in steps.items()}
        opened = costs["open"]
        costs |= {step: round(ms - opened, 1) for step, ms in costs.items() if step.startswith("signal ")}
        yield {"row": "parts", "photo": name, "ms": costs}


def of_models(eyes: Eyes, data: bytes) -> dict[str, Callable[[], object]]:
    """What the models that are installed cost."""
    whole = open_piece(data).picture.colours()
    steps: dict[str, Callable[[], object]] = {}
    network, patches = eyes.network, eyes.patches
    if network is not None:
        steps["network, one look"] = lambda: network.look(whole)
        steps["network, its verdict"] = lambda: network.judge(whole)
    if patches is not None:
        steps["patch net"] = lambda: patches.look(whole)
    return steps


def cost(call: Callable[[], object]) -> float:
    """Median computing time of a call in this process, in ms."""
    call()
    spent = []
    for _ in range(7):
        start = time.process_time()
        call()
        spent.append((time.process_time() - start) * 1e3)
    return median(spent)


def memory(given: Given) -> Iterator[dict[str, Any]]:
    """The most that one worker ever held, after its start and after large pictures."""
    for read in (False, True):
        with Inspector(given.models, given.tower, Limits(reading=read)) as inspector:
            inspector.sandbox.start()
            child = inspector.sandbox.pid
            idle, at_start = held_mb(child, "VmRSS"), held_mb(child, "VmHWM")
            for size in (*SIZES.values(), (9000, 6000)):
                inspector.inspect(photo(size), Context(), read=read)
            most = held_mb(child, "VmHWM")
            yield {"row": "memory", "reading": read, "idle_mb": idle, "start_mb": at_start, "most_mb": most, "wanted_mb": WANTED["memory_mb"]}


def held_mb(pid: int, field: str) -> int:
    """Memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(field))


def workers(given: Given) -> Iterator[dict[str, Any]]:
    """Files a second with one worker and with one a core."""
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"check-{os.getpid()}"  # noqa: S108  # a benchmark's own folder
    folder.mkdir()
    files = [folder / f"{number}.jpg" for number in range(24)]
    for file in files:
        file.write_bytes(photo(SIZES["1 megapixel"]))
    for count in sorted({1, len(os.sched_getaffinity(0))}):
        asked = Asked(read=False, workers=count, models=given.models, tower=given.tower)
        running = check_files(files, asked)
        next(running)  # the start is not counted
        start = time.perf_counter()
        done = sum(1 for _ in running)
        yield {"row": "workers", "workers": count, "files_a_second": round(done / (time.perf_counter() - start), 1)}
    for file in files:
        file.unlink()
    folder.rmdir()


def hostile(given: Given) -> Iterator[dict[str, Any]]:
    """Mutated files through one child with everything in it: what came back; the caller lives, for it prints this line."""
    dice = random.Random(9)  # noqa: S311  # mutation, not secrecy
    small = examples.scene(320, 240)
    seeds = [
        examples.camera_jpeg(),
        examples.jpeg(small, 85),
        examples.png(small),
        examples.png_with_text(("AIGC", examples.AIGC)),
        examples.webp(examples.user_comment("x"), examples.aigc_xmp_element()),
    ]
    answers: dict[str, int] = {}
    verdicts: dict[str, int] = {}
    with Inspector(given.models, given.tower, Limits(seconds=5, memory_mb=768, reading=False)) as inspector:
        for _ in range(given.files):
            seen = inspector.inspect(mutated(dice.choice(seeds), dice), Context())
            check = conclude(seen.measured, seen.sight.judged, seen.sight.anomaly)
            for counted, key in ((answers, seen.measured.unreadable or "readable"), (verdicts, check.verdict.value)):
                counted[key] = counted.get(key, 0) + 1
    yield {"row": "hostile", "files": given.files, "answers": answers, "verdicts": verdicts}


def mutated(seed: bytes, dice: random.Random) -> bytes:
    """Some bytes changed, put in or taken out, and sometimes the end cut off."""
    raw = bytearray(seed)
    for _ in range(dice.randint(1, 30)):
        place = dice.randrange(min(len(raw), dice.choice([64, 1024, len(raw)])))
        raw[place : place + dice.choice([0, 1, 1, 4])] = dice.randbytes(dice.choice([0, 1, 1, 4]))
    return bytes(raw[: dice.choice([len(raw), len(raw), dice.randrange(1, len(raw))])])


ROWS = {row.__name__: row for row in (speed, parts, memory, workers, hostile)}


def main() -> None:
    """Run the rows that were asked for."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--models", type=Path, default=SHIPPED)
    asked.add_argument("--tower", type=Path, default=tower.default_path())
    asked.add_argument("--rows", default=",".join(ROWS))
    asked.add_argument("--files", type=int, default=10_000)
    asked.add_argument("--json", type=Path)
    given = asked.parse_args()
    lines = []
    for name in given.rows.split(","):
        for line in ROWS[name](Given(given.models, given.tower, given.files)):
            lines.append(line)
            print(json.dumps(line), flush=True)
    if given.json is not None:
        given.json.write_text(json.dumps(lines, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
