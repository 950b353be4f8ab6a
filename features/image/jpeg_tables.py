"""JPEG quantisation tables: the standard ones, and at which quality a file's tables are exactly those."""

from functools import lru_cache
from typing import TypeAlias

from features.image.container.parts import JpegFacts

Table: TypeAlias = tuple[int, ...]

# Annex K of the JPEG standard, in zigzag order as files store it.
_LUMA: Table = (
    *(16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51),
    *(56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99),
)
_CHROMA: Table = (17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, *([99] * 50))
_FIFTY, _WHOLE = 50, 100


def standard_table(quality: int, *, chroma: bool = False) -> Table:
    """The table that libjpeg makes at a quality of 1 to 100."""
    scale = 5000 // quality if quality < _FIFTY else 200 - 2 * quality
    return tuple(min(max((value * scale + 50) // 100, 1), 255) for value in (_CHROMA if chroma else _LUMA))


@lru_cache(maxsize=1)
def _standard_tables() -> dict[Table, int]:
    return {standard_table(quality): quality for quality in range(1, _WHOLE + 1)}


def standard_quality(facts: JpegFacts) -> int | None:
    """The quality, 1 to 100, whose standard luma table the file uses exactly; null where the table is somebody's own."""
    return _standard_tables().get(luma_table(facts) or ())


def luma_table(facts: JpegFacts) -> Table | None:
    """The first table; null where the file has none."""
    return facts.tables[0][1] if facts.tables else None
