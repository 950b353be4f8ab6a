"""What the image signals do on real pictures: provenance, false marks, reuse, visible labels, hostile files, speed. Prints one JSON object a row.

Run: python -m benchmarks.image_signals [--data DIR] [--rows provenance,false_marks,markers,reuse,unrelated,index,labels,hostile,speed]
"""

import argparse
import io
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from benchmarks.camera_files import camera_files
from features.image import (
    aigc_label,
    c2pa_manifest,
    delivery_kind,
    editor_markers,
    examples,
    generator_markers,
    hidden_watermark,
    iptc_source,
    marker_conflict,
    visible_marks,
)
from features.image.detail_index import DetailIndex
from features.image.details import ASKED, DETAIL, KEPT
from features.image.fingerprint import to_index, to_query
from features.image.hamming import HammingIndex
from features.image.marker_conflict import camera_of
from features.image.measure import SIGNALS, measure_all
from features.image.picture import Picture
from features.image.reuse_library import ReuseLibrary
from features.image.sandbox import Limits, Sandbox
from features.image.signal_kit import Context
from features.image.statements import AI

MARKS = (c2pa_manifest, aigc_label, iptc_source, generator_markers, hidden_watermark, editor_markers, marker_conflict)
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
    """Marks found where none are: on every real photo as it lies there, on those that kept camera tags, and on 500 files made as cameras do."""
    paths = [*photos(data, "train/real"), *photos(data, "dev/real")]
    kept = {path.name: path.read_bytes() for path in paths}
    cameras = {name: raw for name, raw in kept.items() if camera_of(Picture(raw).metadata) is not None}
    tagged = {name: raw for name, raw in kept.items() if Picture(raw).metadata.exif.text("Make") is not None}
    pool = [path for path in paths if min(Image.open(path).size) >= 256][::3]  # noqa: PLR2004  # large enough for every signal
    made = {
        f"{number} {name}": raw
        for number, (name, raw) in enumerate(camera_files(lambda number: Image.open(pool[number % len(pool)]).convert("RGB"), 500))
    }
    for what, files in {"as they lie": kept, "naming a camera": tagged, "with exposure tags": cameras, "made as cameras do": made}.items():
        false = sorted(name for name, raw in files.items() if marked(raw))
        kinds = Counter(delivery_kind.guess(Picture(raw)).kind.value for raw in files.values()) if what != "as they lie" else {}
        yield {
            "row": "false_marks",
            "files": what,
            "count": len(files),
            "false": len(false),
            "interval": interval(len(false), len(files)),
            "which": false[:10],
            "kinds": dict(kinds),
        }


def marked(raw: bytes) -> list[str]:
    """The marker signals that say something against the file."""
    picture = Picture(raw)
    return [mark.NAME for mark in MARKS if mark.measure(picture, Context()).value]


def markers(_: Path) -> Iterator[dict[str, Any]]:
    """The markers written into every container by the tests, and how many of them are found."""
    from tests.features.image.test_markers_everywhere import MARKED, READERS

    made: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for raw in MARKED.values():
        picture = Picture(raw)
        container = picture.container.format.value
        made[container] += 1
        found[container] += any(item.says in AI for reader in READERS for item in reader.statements(picture.metadata))
    yield {
        "row": "markers",
        "made": sum(made.values()),
        "found": sum(found.values()),
        "by_container": {name: [found[name], made[name]] for name in made},
    }


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


def unlike(one: Path, other: Path) -> bool:
    """Whether two pictures come from different sources and are not one original kept twice: what they share is chance."""
    return one.parent.name != other.parent.name and one.stem[:8] != other.stem[:8]


def reuse(data: Path) -> Iterator[dict[str, Any]]:
    """Recall of every copy, and false matches among pictures of different sources. Matches within a source (one scene, one series) stand apart."""
    dice = random.Random(5)  # noqa: S311  # a seed, not a secret
    wanted = [*photos(data, "dev/real", 4), *photos(data, "dev/generated", 4)]
    others = [path for part in ("train/real", "train/generated") for path in photos(data, part)]
    library = ReuseLibrary()
    for path in (*wanted, *others):
        library.add(str(path), to_index(Picture(path.read_bytes())))
    pairs = len(wanted) * (len(wanted) + len(others) - 1)
    for cell, change in CELLS.items():
        found, false, kin, tried, spent = 0, 0, 0, 0, []
        for path in wanted:
            out = io.BytesIO()
            change(Image.open(path).convert("RGB"), dice).save(out, "PNG", compress_level=1)
            prints = to_query(Picture(out.getvalue()))
            start = time.process_time()
            matches = {match.image_id for match in library.find(prints)}
            spent.append((time.process_time() - start) * 1e3)
            tried += 1
            found += str(path) in matches
            false += sum(unlike(path, Path(match)) for match in matches - {str(path)})
            kin += sum(not unlike(path, Path(match)) for match in matches - {str(path)})
        yield {
            "row": "reuse",
            "cell": cell,
            "recall": round(found / tried, 4),
            "interval": interval(found, tried),
            "false": false,
            "same_source": kin,
            "pairs": pairs,
            "find_ms": round(float(np.median(spent)), 1),
        }


def unrelated(data: Path) -> Iterator[dict[str, Any]]:
    """False matches of every fourth picture of the shelf among all others: pairs of different sources, and pairs within one source apart."""
    paths = [path for part in ("train/real", "train/generated", "dev/real", "dev/generated") for path in photos(data, part)]
    library = ReuseLibrary()
    for path in paths:
        library.add(str(path), to_index(Picture(path.read_bytes())))
    pairs, false, kin = 0, [], 0
    for path in paths[::4]:
        pairs += sum(unlike(path, other) for other in paths)
        for match in library.find(to_query(Picture(path.read_bytes()))):
            other = Path(match.image_id)
            if unlike(path, other):
                false.append(f"{path.parent.name}/{path.name} {other.parent.name}/{other.name} {match.distance} {match.details}")
            kin += other != path and not unlike(path, other)
    yield {"row": "unrelated", "pairs": pairs, "false": len(false), "rate": len(false) / max(1, pairs), "same_source": kin, "which": false[:20]}


def index(_: Path) -> Iterator[dict[str, Any]]:
    """All hashes of one picture among a million, exact; and the details of one picture among those of ten thousand pictures; on one core."""
    random_words = np.random.default_rng(0)
    hashes = random_words.integers(0, 2**64, (1_000_000, 4), dtype=np.uint64)
    library = HammingIndex()
    library.add(hashes)
    for count in (1, 26):
        asked = [[(tuple(int(word) for word in row), 47) for row in hashes[at : at + count]] for at in range(0, 200_000, 5000)]
        yield {"row": "index", "hashes": len(library), "asked_at_once": count, **times(library.search, asked)}
    details, drawn = DetailIndex(), random_words.integers(0, 2**32, 10_000)
    for seed in drawn:
        details.add(_noise_details(int(seed), KEPT))
    asked_details = [_noise_details(int(seed), ASKED) for seed in drawn[:40]]
    yield {"row": "index", "details": len(details), "asked_at_once": ASKED, **times(details.find, asked_details)}


def _noise_details(seed: int, most: int) -> bytes:
    """Details of random bits: they spread over the tables more evenly than those of real pictures."""
    random_words = np.random.default_rng(seed)
    made = np.zeros(most, DETAIL)
    made["words"], made["at"] = random_words.integers(0, 2**64, (most, 4), dtype=np.uint64), random_words.integers(0, 5120, (most, 2))
    return made.tobytes()


def times(call: Callable[[Any], Any], given: Sequence[Any]) -> dict[str, float]:
    """Computing time of the calls, the first of them not counted (it compiles)."""
    call(given[0])
    spent = []
    for item in given:
        start = time.process_time()
        call(item)
        spent.append((time.process_time() - start) * 1e3)
    return {"p50_ms": round(float(np.median(spent)), 2), "p99_ms": round(float(np.percentile(spent, 99)), 2)}


LABELS = ("AI生成", "图片由AI生成", "人工智能合成", "豆包AI生成", "AI generated")


def labelled(picture: Image.Image, words: str, number: int) -> Image.Image:
    """The picture with those words in one of its corners, 5% of the short side high as the standard asks, white with a shadow."""
    import cv2

    font, size = cv2.FontFace("uni"), 96  # OpenCV carries a font with Chinese letters
    canvas = np.zeros((3 * size, size * (len(words) + 3), 3), np.uint8)
    cv2.putText(canvas, words, (size // 2, 2 * size), (255, 255, 255), font, size)
    ink = np.argwhere(canvas[:, :, 0])
    letters = Image.fromarray(canvas[ink[:, 0].min() : ink[:, 0].max() + 1, ink[:, 1].min() : ink[:, 1].max() + 1, 0])
    high, margin = round(0.05 * min(picture.size)), max(4, round(0.02 * min(picture.size)))
    mask = letters.resize((round(letters.width * high / letters.height), high), Image.Resampling.BOX)
    left = margin if number % 2 else picture.width - margin - mask.width
    top = margin if number // 2 % 2 else picture.height - margin - high
    out = picture.copy()
    out.paste((20, 20, 20), (left + 1, top + 1), mask)
    out.paste((255, 255, 255), (left, top), mask)
    return out


def labels(data: Path) -> Iterator[dict[str, Any]]:
    """Visible labels: false ones on real photos, and recall of labels of 5% in every corner, by picture size and JPEG quality."""
    paths = photos(data, "dev/real")
    false, spent = 0, []
    for path in paths:
        start = time.process_time()
        false += bool(visible_marks.measure(Picture(path.read_bytes()), Context()).value)
        spent.append((time.process_time() - start) * 1e3)
    median = round(float(np.median(spent)), 1)
    yield {"row": "labels", "photos": len(paths), "false": false, "interval": interval(false, len(paths)), "median_ms": median}
    tried: Counter[tuple[str, str, int]] = Counter()
    found: Counter[tuple[str, str, int]] = Counter()
    for number, path in enumerate(path for path in paths[::2] if min(Image.open(path).size) >= 256):  # noqa: PLR2004  # below, letters have 12 pixels
        words = LABELS[number % len(LABELS)]
        picture = labelled(Image.open(path).convert("RGB"), words, number // len(LABELS))
        size = "short side 480 or more" if min(picture.size) >= 480 else "short side 256 to 479"  # noqa: PLR2004  # letters of 24 pixels
        for quality in (90, 75):
            cell = ("English" if words.isascii() else "Chinese", size, quality)
            tried[cell] += 1
            found[cell] += bool(visible_marks.measure(Picture(examples.jpeg(np.asarray(picture), quality)), Context()).value)
    for cell, count in sorted(tried.items()):
        language, size, quality = cell
        share = {"recall": round(found[cell] / count, 4), "interval": interval(found[cell], count)}
        yield {"row": "labels", "language": language, "size": size, "jpeg": quality, "labelled": count, **share}


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


ROWS = {row.__name__: row for row in (provenance, false_marks, markers, reuse, unrelated, index, labels, hostile, speed)}


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
