"""Local details of a picture: corners that are found again in a crop, a screenshot or a collage, each with 256 bits of what lies around it.

ORB (Rublee et al., 2011) on the picture without plain borders, at one long side for all pictures. The strongest corners of every cell of a grid come
first, so that any part of the picture keeps some. A picture is kept with fewer than it is looked for with, because whoever asks may hold a part only.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import cv2

Grey: TypeAlias = npt.NDArray[np.uint8]

KEPT, ASKED = 100, 300
"""Details under which a picture is kept, and with which it is looked for: 3,600 and 10,800 bytes."""
SIDE = 320
DETAIL = np.dtype([("words", "<u8", (4,)), ("at", "<u2", (2,))])
"""One detail as it is kept: its bits, and its place (across, down) in sixteenths of a pixel at SIDE."""
FINE = 16
_FOUND = 600
_CELLS = 5
_LEAST_SIDE = 40
_CONTRAST = 12
"""Grey levels by which a corner stands out; with less, the blocks of a JPEG are corners."""


@lru_cache(maxsize=1)
def _orb() -> "cv2.ORB":
    import cv2  # 16 MB that a process which looks at no picture does not pay

    cv2.setNumThreads(1)
    return cv2.ORB.create(nfeatures=_FOUND, scaleFactor=1.2, nlevels=8, edgeThreshold=16, patchSize=31, fastThreshold=_CONTRAST)


def find_details(grey: Grey, most: int) -> bytes:
    """At most that many details, the best first, as an array of DETAIL; empty where the picture has none."""
    import cv2

    factor = SIDE / max(grey.shape)
    size = max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor))
    if min(size) < _LEAST_SIDE:
        return b""
    sized = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
    corners, bits = _orb().detectAndCompute(sized, None)
    if bits is None or not corners:
        return b""
    at = np.array([corner.pt for corner in corners], np.float32)
    best = _spread(at, np.array([corner.response for corner in corners], np.float32), sized.shape[1], sized.shape[0])[:most]
    kept = np.empty(len(best), DETAIL)
    kept["words"] = np.ascontiguousarray(bits[best]).view("<u8")
    kept["at"] = np.round(at[best] * FINE)
    return kept.tobytes()


def _spread(at: npt.NDArray[np.float32], strength: npt.NDArray[np.float32], wide: int, high: int) -> npt.NDArray[np.intp]:
    """The order in which details are taken: every cell's strongest, then every cell's second, and so on."""
    across = np.minimum(at[:, 0] * _CELLS / wide, _CELLS - 1).astype(np.intp)
    down = np.minimum(at[:, 1] * _CELLS / high, _CELLS - 1).astype(np.intp)
    cell = down * _CELLS + across
    by_cell = np.lexsort((-strength, cell))
    starts = np.searchsorted(cell[by_cell], cell[by_cell])
    rank = np.empty(len(at), np.intp)
    rank[by_cell] = np.arange(len(at)) - starts
    return np.lexsort((-strength, rank))


def read_details(body: bytes) -> npt.NDArray[np.void]:
    """Details as they were kept. ValueError: the bytes are none."""
    return np.frombuffer(body, DETAIL)
