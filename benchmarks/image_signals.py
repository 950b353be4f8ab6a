"""What the image signals do on real pictures: provenance, false marks, reuse, visible labels, hostile files, speed. Prints one JSON object a row.

Run: python -m benchmarks.image_signals [--data DIR] [--rows provenance,false_marks,reuse,index,labels,hostile,speed]
"""

import argparse
import io
import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from features.image import aigc_label, c2pa_manifest, examples, generator_markers, iptc_source, visible_marks
from features.image.fingerprint import to_index, to_query
from features.image.hamming import HammingIndex
from features.image.measure import SIGNALS, measure_all
from features.image.picture import Picture
from features.image.reuse_library import ReuseLibrary
from features.image.sandbox import Limits, Sandbox
from features.image.signal_kit import Context

MARKS = (c2pa_manifest, aigc_label, iptc_source, generator_markers)
SHELF = Path(__file__).resolve().parents[2] / "shared" / "data"
Change = Callable[[Image.Image, random.Random], Image.Image]


def interval(hits: int, tried: int) -> list[float]:
    """The Wilson interval of a share at 95%."""
    if tried == 0:
        return [0.0, 1.0]
    z, share = 1.96, hits / tried
    middle = (share + z * z / (2 * tried)) / (1 + z * z / tried)
    half = z * ((share * (1 - share) + z * z / (4 * tried)) / tried) ** 0.5 / (1 + z * z / tried)
    return [round(max(0.0, middle - half), 4), round(min(1.0, middle + half), 4)]


def photos(data: Path, part: str, step: int = 1) -> list[Path]:
    """The pictures of one part, in order."""
    return sorted(path for path in (data / "images" / part).glob("*/*") if path.is_file())[::step]


def provenance(data: Path) -> Iterator[dict[str, Any]]:
    """What every file of the provenance folder says."""
    for path in sorted((data / "provenance").iterdir()):
        picture = Picture(path.read_bytes())
        found = {mark.NAME: mark.measure(picture, Context()).value for mark in MARKS}
        manifest = c2pa_manifest.read_manifest(picture, Context())
        words = manifest.verdicts.words if isinstance(manifest, c2pa_manifest.Manifest) else manifest
        yield {"row": "provenance", "file": path.name, "values": {name: value for name, value in found.items() if value is not None}, "c2pa": words}


def false_marks(data: Path) -> Iterator[dict[str, Any]]:
    """Real photos that a provenance reader takes for marked."""
    paths = [*photos(data, "train/real"), *photos(data, "dev/real")]
    false = [path.name for path in paths if any(mark.measure(Picture(path.read_bytes()), Context()).value is not None for mark in MARKS)]
    yield {"row": "false_marks", "photos": len(paths), "false": len(false), "interval": interval(len(false), len(paths)), "files": false[:10]}


def saved(picture: Image.Image, kind: str = "JPEG", quality: int = 90) -> Image.Image:
    """The picture after one lossy save."""
    out = io.BytesIO()
    picture.save(out, kind, quality=quality)
    return Image.open(io.BytesIO(out.getvalue())).convert("RGB")


def long_side(picture: Image.Image, side: int) -> Image.Image:
    """The picture with at most that long side."""
    smaller = picture.copy()
    smaller.thumbnail((side, side), Image.Resampling.LANCZOS)
    return smaller


def screenshot(picture: Image.Image, dice: random.Random) -> Image.Image:
    """The picture in an app on a phone's screen."""
    canvas = Image.new("RGB", (1080, 2340), dice.choice([(18, 18, 18), (250, 250, 250)]))
    shown = ImageOps.contain(picture, (1080, 2040), Image.Resampling.BICUBIC)
    canvas.paste(shown, ((1080 - shown.width) // 2, (2340 - shown.height) // 2))
    ImageDraw.Draw(canvas).text((40, 30), "12:41   LTE  87%", fill=(128, 128, 128), font_size=40)
    return canvas


def captioned(picture: Image.Image, _: random.Random) -> Image.Image:
    """The picture with a white band and words below."""
    canvas = Image.new("RGB", (picture.width, picture.height + picture.height // 7), (255, 255, 255))
    canvas.paste(picture)
    size = max(12, picture.height // 16)
    ImageDraw.Draw(canvas).text((picture.width // 20, picture.height + 4), "MY ORDER ARRIVED LIKE THIS", fill=(0, 0, 0), font_size=size)
    return canvas


def cropped(picture: Image.Image, share: float, dice: random.Random, place: str) -> Image.Image:
    """A part of the picture: its middle, one of its corners, or anywhere."""
    wide, high = round(picture.width * share), round(picture.height * share)
    right, down = picture.width - wide, picture.height - high
    where = {
        "middle": (right // 2, down // 2),
        "corner": (dice.choice([0, right]), dice.choice([0, down])),
        "any": (dice.randint(0, right), dice.randint(0, down)),
    }
    left, top = where[place]
    return picture.crop((left, top, left + wide, top + high))


CELLS: dict[str, Change] = {
    "as is": lambda picture, _: picture,
    **{f"jpeg {quality}": lambda picture, _, quality=quality: saved(picture, quality=quality) for quality in (95, 85, 75, 60, 40)},  # type: ignore[misc]
    **{f"long side {side}": lambda picture, _, side=side: saved(long_side(picture, side)) for side in (1600, 1280, 960, 640)},  # type: ignore[misc]
    "recompressed three times": lambda picture, _: saved(saved(saved(long_side(picture, 960), quality=75), quality=60), quality=70),
    "webp 75": lambda picture, _: saved(picture, "WEBP", 75),
    "screenshot": screenshot,
    "mirrored": lambda picture, _: ImageOps.mirror(picture),
    "framed": lambda picture, _: ImageOps.expand(picture, max(picture.size) // 12, (255, 255, 255)),
    "captioned": captioned,
    "60% crop, corner": lambda picture, dice: cropped(picture, 0.6, dice, "corner"),
    "60% crop, middle": lambda picture, dice: cropped(picture, 0.6, dice, "middle"),
    "60% crop, anywhere": lambda picture, dice: cropped(picture, 0.6, dice, "any"),
    "90% crop, anywhere": lambda picture, dice: cropped(picture, 0.9, dice, "any"),
}


def reuse(data: Path) -> Iterator[dict[str, Any]]:
    """Recall of every copy and false matches among unrelated pictures. Pairs of the same repository's near twins count as false, too."""
    dice = random.Random(5)  # noqa: S311  # a seed, not a secret
    wanted = [*photos(data, "dev/real", 2), *photos(data, "dev/generated", 2)]
    others = [path for part in ("train/real", "train/generated") for path in photos(data, part)]
    library = ReuseLibrary()
    for path in (*wanted, *others):
        library.add(str(path), to_index(Picture(path.read_bytes())))
    pairs = len(wanted) * (len(wanted) + len(others) - 1)
    for cell, change in CELLS.items():
        found, false, tried = 0, 0, 0
        for path in wanted:
            out = io.BytesIO()
            change(Image.open(path).convert("RGB"), dice).save(out, "PNG", compress_level=1)
            matches = {match.image_id for match in library.find(to_query(Picture(out.getvalue())))}
            tried += 1
            found += str(path) in matches
            false += len(matches - {str(path)})
        yield {"row": "reuse", "cell": cell, "recall": round(found / tried, 4), "interval": interval(found, tried), "others": false, "pairs": pairs}


def index(_: Path) -> Iterator[dict[str, Any]]:
    """One hash among a million, exact, on one core."""
    random_words = np.random.default_rng(0)
    hashes = random_words.integers(0, 2**64, (1_000_000, 4), dtype=np.uint64)
    library = HammingIndex()
    library.add(hashes)
    queries = [tuple(int(word) for word in row) for row in hashes[::5000]]
    library.search(queries[0])  # type: ignore[arg-type]  # four words each
    for most in (31, 47):
        spent = []
        for query in queries:
            start = time.perf_counter()
            library.search(query, most)  # type: ignore[arg-type]
            spent.append((time.perf_counter() - start) * 1e3)
        yield {
            "row": "index",
            "hashes": len(library),
            "bits": most,
            "p50_ms": round(float(np.median(spent)), 3),
            "p99_ms": round(float(np.percentile(spent, 99)), 3),
        }


def labels(data: Path) -> Iterator[dict[str, Any]]:
    """Visible labels: false ones on real photos, and recall of an English label of 5% in a corner after one JPEG 75."""
    paths = photos(data, "dev/real")
    false, found, tried, spent = 0, 0, 0, []
    for number, path in enumerate(paths):
        picture = Image.open(path).convert("RGB")
        start = time.process_time()
        false += bool(visible_marks.measure(Picture(path.read_bytes()), Context()).value)
        spent.append((time.process_time() - start) * 1e3)
        size = round(min(picture.size) * 0.065)  # a font of this size has capitals of 5%
        place = (picture.width - 7 * size, picture.height - 2 * size) if number % 2 else (size, size)
        ImageDraw.Draw(picture).text(place, "AI generated", fill=(255, 255, 255), font_size=size, stroke_width=1, stroke_fill=(0, 0, 0))
        if min(picture.size) >= 256:  # noqa: PLR2004  # a smaller picture's label has letters of twelve pixels
            tried += 1
            found += bool(visible_marks.measure(Picture(examples.jpeg(np.asarray(picture), 75)), Context()).value)
    median = round(float(np.median(spent)), 1)
    yield {"row": "labels", "photos": len(paths), "false": false, "interval": interval(false, len(paths)), "median_ms": median}
    yield {"row": "labels", "labelled": tried, "recall": round(found / tried, 4), "interval": interval(found, tried)}


def hostile(data: Path, files: int = 10_000) -> Iterator[dict[str, Any]]:
    """Mutated files through one sandbox: what came back, and whether the caller lived (it prints this line)."""
    dice = random.Random(3)  # noqa: S311  # mutation, not secrecy
    seeds = [
        examples.camera_jpeg(),
        examples.png_with_text(("AIGC", examples.AIGC)),
        examples.webp(examples.user_comment("x"), examples.aigc_xmp_element()),
    ]
    seeds += [path.read_bytes() for path in sorted((data / "provenance").glob("*.jpg"))[:3]] if (data / "provenance").is_dir() else []
    answers: dict[str, int] = {}
    with Sandbox(Limits(seconds=5, memory_mb=512, reading=False)) as sandbox:
        for _ in range(files):
            raw = bytearray(dice.choice(seeds))
            for _ in range(dice.randint(1, 30)):
                place = dice.randrange(min(len(raw), dice.choice([64, 1024, len(raw)])))
                raw[place : place + dice.choice([0, 1, 1, 4])] = dice.randbytes(dice.choice([0, 1, 1, 4]))
            measured = sandbox.measure(bytes(raw[: dice.choice([len(raw), len(raw), dice.randrange(1, len(raw))])]), Context())
            answers[measured.unreadable or "readable"] = answers.get(measured.unreadable or "readable", 0) + 1
    yield {"row": "hostile", "files": files, "answers": answers}


def speed(_: Path) -> Iterator[dict[str, Any]]:
    """All signals but the reading of words, on one core."""
    for name, (wide, high) in {"12 megapixels": (4000, 3000), "1 megapixel": (1150, 870)}.items():
        photo = examples.jpeg(np.asarray(Image.fromarray(examples.scene(1000, 750)).resize((wide, high), Image.Resampling.BICUBIC)), 92)
        measure_all(photo, Context())
        spent = []
        for _ in range(9):
            start = time.process_time()
            measure_all(photo, Context())
            spent.append((time.process_time() - start) * 1e3)
        yield {
            "row": "speed",
            "photo": name,
            "signals": len(SIGNALS),
            "median_ms": round(float(np.median(spent)), 1),
            "most_ms": round(max(spent), 1),
        }


ROWS = {row.__name__: row for row in (provenance, false_marks, reuse, index, labels, hostile, speed)}


def main() -> None:
    """Run the rows that were asked for."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, default=SHELF)
    asked.add_argument("--rows", default=",".join(ROWS))
    given = asked.parse_args()
    for name in given.rows.split(","):
        for line in ROWS[name](given.data):
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
