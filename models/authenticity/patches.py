"""Which native-resolution cuts of a picture are looked at closely: squares on the 16-pixel grid, each saved once as JPEG 90.

The training cuts on the shelf were stored by the same law, so a cut made in service and a cut kept for training compare.
"""

from PIL import Image

from models.authenticity.laundering import jpeg, limited

SIDE = 352  # pixels; the shelf's cuts
LONG_SIDE = 1600  # pixels; evidence arrives at 1280 to 1600, a full-size original is scaled down to where most others are
GRID = 16  # pixels; one JPEG block of 4:2:0 colour
QUALITY = 90
SMALLEST = 96  # pixels; below it the statistics of a cut are noise
SPOTS = ((0.5, 0.5), (0.12, 0.12), (0.88, 0.12), (0.12, 0.88), (0.88, 0.88))


def cuts(image: Image.Image, most: int = len(SPOTS)) -> tuple[Image.Image, ...]:
    """At most `most` squares of the picture, the middle first; a small picture gives one cut of itself.

    None at all when a side is under SMALLEST pixels.
    """
    if min(image.size) < SMALLEST:
        return ()
    size = limited(image.size, LONG_SIDE)
    corners = {_corner(size, spot): None for spot in SPOTS}
    return tuple(jpeg(_cut(image, size, corner), QUALITY) for corner in tuple(corners)[:most])


def _corner(size: tuple[int, int], spot: tuple[float, float]) -> tuple[int, int]:
    left, top = (max(0, side - SIDE) * share for side, share in zip(size, spot, strict=True))
    return int(left) // GRID * GRID, int(top) // GRID * GRID


def _cut(image: Image.Image, size: tuple[int, int], corner: tuple[int, int]) -> Image.Image:
    """The square of the picture scaled to `size`; only that square is scaled."""
    left, top = corner
    right, bottom = min(left + SIDE, size[0]), min(top + SIDE, size[1])
    if size == image.size:
        return image.crop((left, top, right, bottom))
    across, down = image.width / size[0], image.height / size[1]
    box = (left * across, top * down, right * across, bottom * down)
    return image.resize((right - left, bottom - top), Image.Resampling.LANCZOS, box)
