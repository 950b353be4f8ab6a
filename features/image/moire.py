"""Peaks that the grid of a screen leaves in the spectrum of a photo of it.

Idea: the pixels of a screen and those of a sensor are two grids; their beat is a wave of one frequency and direction, a lone peak in the spectrum of
the middle of the photo, while things in the world are spread out. Peaks on the axes are left out: JPEG's blocks, window blinds and shelves lie there.
"""

import numpy as np
import numpy.typing as npt

SIDE = 512
"""Pixels of the middle that are looked at, at full size: shrinking wipes the peaks out."""
_NEAR_AXIS = 3
_LEAST_FREQUENCY = 0.12
_AROUND = 21
_FINE = 20.0


def peak(luma: npt.NDArray[np.uint8]) -> float | None:
    """How far the highest lone peak stands above its surroundings, as a natural logarithm; null for a picture under SIDE pixels a side."""
    import cv2  # as in `details.py`

    rows, columns = luma.shape
    if min(rows, columns) < SIDE:
        return None
    top, left = (rows - SIDE) // 2, (columns - SIDE) // 2
    middle = luma[top : top + SIDE, left : left + SIDE].astype(np.float32)
    window = np.hanning(SIDE).astype(np.float32)
    spectrum = np.fft.rfft2((middle - middle.mean()) * np.outer(window, window))
    height = np.log1p(np.abs(np.fft.fftshift(spectrum, axes=0))).astype(np.float32)
    around = cv2.medianBlur(np.clip(height * _FINE, 0, 255).astype(np.uint8), _AROUND).astype(np.float32) / _FINE
    down, across = np.mgrid[-SIDE // 2 : SIDE // 2, 0 : SIDE // 2 + 1]
    looked_at = (np.hypot(down, across) > _LEAST_FREQUENCY * SIDE) & (np.abs(down) > _NEAR_AXIS) & (across > _NEAR_AXIS)
    return float(np.max((height - around)[looked_at]))
