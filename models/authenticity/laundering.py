"""What happens to a photo between a buyer's phone and us: one function a cell, the same for real and generated pictures.

A cell takes an upright RGB picture and returns the picture that arrives. Every step goes through a real codec.
Random steps (a crop's place, a screen's tilt) take a seed, so a cell of one picture is always the same bytes.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image, ImageDraw, ImageOps

Launder = Callable[[Image.Image, int], Image.Image]

HALF = 0.5
WEBP_SHARE = 0.1
SUBSAMPLED = 2  # Pillow's number for 4:2:0, what phones, messengers and shops write


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    """The picture after one JPEG save at `quality` (1 to 95), colours at half resolution."""
    return _through(image, "JPEG", quality=quality, subsampling=SUBSAMPLED)


def webp(image: Image.Image, quality: int) -> Image.Image:
    """The picture after one lossy WebP save at `quality` (0 to 100)."""
    return _through(image, "WEBP", quality=quality)


def limit_long_side(image: Image.Image, pixels: int) -> Image.Image:
    """The picture scaled down to a long side of `pixels`; a smaller one is left alone."""
    size = limited(image.size, pixels)
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)


def limited(size: tuple[int, int], pixels: int) -> tuple[int, int]:
    """That size scaled down to a long side of `pixels`; a smaller one is left alone."""
    share = min(1.0, pixels / max(size))
    width, height = (max(1, round(side * share)) for side in size)
    return width, height


def recompress(image: Image.Image, _seed: int, *, steps: tuple[tuple[int | None, int], ...]) -> Image.Image:
    """A chain of deliveries: each an optional long side in pixels, then a JPEG quality."""
    for side, quality in steps:
        image = jpeg(image if side is None else limit_long_side(image, side), quality)
    return image


def screenshot(image: Image.Image, seed: int) -> Image.Image:
    """A phone's screenshot: scaled to 1080 wide, a status bar, dark or light borders, saved again as JPEG 85."""
    rng = np.random.default_rng(seed)
    width = 1080
    height = max(1, round(image.height * width / image.width))
    shown = image.resize((width, height), Image.Resampling.BICUBIC)
    top, bottom = (int(rng.integers(60, 200)) for _ in range(2))
    colour = (16, 16, 16) if rng.random() < HALF else (245, 245, 245)
    screen = Image.new("RGB", (width, height + top + bottom), colour)
    screen.paste(shown, (0, top))
    ink = tuple(255 - part for part in colour)
    draw = ImageDraw.Draw(screen)
    draw.text((40, 20), "12:48", fill=ink)
    draw.rectangle((width - 110, 22, width - 50, 44), outline=ink, width=3)
    return jpeg(screen, 85)


def crop(image: Image.Image, seed: int, *, share: float) -> Image.Image:
    """A rectangle of `share` of the area, somewhere in the picture, saved as JPEG 85."""
    rng = np.random.default_rng(seed)
    width, height = (max(1, round(side * share**0.5)) for side in image.size)
    left = int(rng.integers(0, image.width - width + 1))
    top = int(rng.integers(0, image.height - height + 1))
    return jpeg(image.crop((left, top, left + width, top + height)), 85)


def photograph_of_screen(image: Image.Image, seed: int) -> Image.Image:
    """A simulated photo of a screen: pixel grid, tilt, uneven light, gamma, lens blur, sensor noise, JPEG 85."""
    rng = np.random.default_rng(seed)
    shown = limit_long_side(image, 1280)
    lit = np.asarray(shown, np.float32) / 255
    rows, columns = np.indices(lit.shape[:2], dtype=np.float32)
    pitch = rng.uniform(2.6, 3.4)
    grid = 1 - 0.08 * (0.5 + 0.5 * np.cos(2 * np.pi * columns / pitch)) - 0.05 * (0.5 + 0.5 * np.cos(2 * np.pi * rows / pitch))
    light = 1 + rng.uniform(-0.15, 0.15) * (columns / columns.max(initial=1) - 0.5) + rng.uniform(-0.15, 0.15) * (rows / rows.max(initial=1) - 0.5)
    lit = np.clip(lit ** rng.uniform(0.9, 1.15) * grid[..., None] * light[..., None] + 0.02, 0, 1)
    screen = Image.fromarray((lit * 255).astype(np.uint8))
    corners = _tilted(screen.size, rng)
    taken = screen.transform(screen.size, Image.Transform.QUAD, corners, Image.Resampling.BICUBIC)
    small = taken.resize((max(1, round(taken.width * 0.9)), max(1, round(taken.height * 0.9))), Image.Resampling.BICUBIC)
    noisy = np.asarray(small, np.float32) + rng.normal(0, 2.5, (small.height, small.width, 3))
    return jpeg(Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)), 85)


def _tilted(size: tuple[int, int], rng: np.random.Generator) -> tuple[float, ...]:
    width, height = size
    inset = rng.uniform(0, 0.04, 8)
    return (
        inset[0] * width, inset[1] * height,
        inset[2] * width, (1 - inset[3]) * height,
        (1 - inset[4]) * width, (1 - inset[5]) * height,
        (1 - inset[6]) * width, inset[7] * height,
    )  # fmt: skip


def _through(image: Image.Image, form: str, **options: int) -> Image.Image:
    memory = io.BytesIO()
    image.save(memory, form, **options)
    with Image.open(io.BytesIO(memory.getvalue())) as back:
        return back.convert("RGB")


@dataclass(frozen=True, slots=True)
class Cell:
    """One way a photo is delivered: its name in every table, and the function."""

    name: str
    launder: Launder


def _chain(*steps: tuple[int | None, int]) -> Launder:
    return partial(recompress, steps=steps)


AS_IS = Cell("as is", lambda image, _seed: image)

CELLS: tuple[Cell, ...] = (
    AS_IS,
    Cell("JPEG 95", _chain((None, 95))),
    Cell("JPEG 85", _chain((None, 85))),
    Cell("JPEG 75", _chain((None, 75))),
    Cell("JPEG 60", _chain((None, 60))),
    Cell("JPEG 40", _chain((None, 40))),
    Cell("long side 1600", _chain((1600, 85))),
    Cell("long side 1280", _chain((1280, 85))),
    Cell("long side 960", _chain((960, 85))),
    Cell("long side 640", _chain((640, 85))),
    Cell("two saves", _chain((1600, 75), (1280, 75))),
    Cell("three saves", _chain((1600, 75), (1280, 70), (960, 80))),
    Cell("WebP 75", lambda image, _seed: webp(image, 75)),
    Cell("screenshot", screenshot),
    Cell("crop 60%", partial(crop, share=0.6)),
    Cell("photo of a screen", photograph_of_screen),
)

BY_NAME: Mapping[str, Cell] = {cell.name: cell for cell in CELLS}


WAYS = ("saved", "cropped", "screenshot", "photo of a screen")
WAY_SHARES = (0.58, 0.18, 0.12, 0.12)
SMALL_SIDE = 400  # pixels, short side; the shelf's wholes are 256, but stand for pictures of phone size
PHONE_SIDES = (560, 1000)


def way(seed: int) -> str:
    """Which of WAYS `delivered` takes with that seed."""
    return WAYS[int(np.random.default_rng(seed).choice(len(WAYS), p=WAY_SHARES))]


def delivered(image: Image.Image, seed: int, *, is_whole: bool) -> Image.Image:
    """A random delivery of the kinds that CELLS hold, for training and for fitting limits; the same seed, the same bytes.

    A small whole is first scaled up to the size of a phone's photo, so that a codec damages it as it damages a photo
    that is scaled down afterwards, not more.
    """
    rng = np.random.default_rng((seed, 1))
    if is_whole and min(image.size) < SMALL_SIDE:
        grown = int(rng.integers(*PHONE_SIDES)) / min(image.size)
        image = image.resize((round(image.width * grown), round(image.height * grown)), Image.Resampling.BICUBIC)
    match way(seed):
        case "cropped":
            return crop(image, seed, share=float(rng.uniform(0.5, 0.9)))
        case "screenshot":
            return screenshot(image, seed)
        case "photo of a screen":
            return photograph_of_screen(image, seed)
    sides = np.sort(rng.integers(640, 1600, int(rng.integers(1, 4))))[::-1]
    if rng.random() < WEBP_SHARE:
        return webp(limit_long_side(image, int(sides[0])), int(rng.integers(60, 90)))
    return recompress(image, seed, steps=tuple((int(side), int(rng.integers(40, 96))) for side in sides))


def rough(image: Image.Image, seed: int) -> Image.Image:
    """A training delivery: a cut of 55 to 100% of the area, perhaps mirrored, perhaps scaled down, JPEG 45 to 91."""
    rng = np.random.default_rng(seed)
    share = rng.uniform(0.55, 1)
    width, height = (max(64, round(side * share**0.5)) for side in image.size)
    left = int(rng.integers(0, image.width - width + 1))
    top = int(rng.integers(0, image.height - height + 1))
    cut = image.crop((left, top, left + width, top + height))
    if rng.random() < HALF:
        cut = ImageOps.mirror(cut)
    if rng.random() < HALF:
        shrink = rng.uniform(0.6, 1)
        cut = cut.resize((max(64, round(cut.width * shrink)), max(64, round(cut.height * shrink))), Image.Resampling.BICUBIC)
    return jpeg(cut, int(rng.integers(45, 92)))
