"""Low-level traces of how a picture was made: statistics of one patch that say nothing about what it shows.

Residual co-occurrences (rich models, Fridrich and Kodovsky 2012), block DCT energies, radial spectrum and residual
autocorrelation (up-samplers leave peaks), noise level against brightness (sensors obey it), ties between colour channels
(demosaicing makes them). Traces belong to one generator and one delivery; they are weak on generators not trained on.
"""

from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

VERSION = 2
BLOCK = 8
CUT = 2  # residuals are truncated to -CUT..CUT before counting triples
LEVELS = 2 * CUT + 1
RINGS = 24
COLOUR_RINGS = 10
LAGS = 6
TINY = 1e-6
CLIPPED = 1  # levels from black or white that count as clipped
SHARPEN = np.array([[-1, 2, -1], [2, -4, 2], [-1, 2, -1]], np.float32) / 4
WIDE = np.array([[-1, 2, -2, 2, -1], [2, -6, 8, -6, 2], [-2, 8, -12, 8, -2], [2, -6, 8, -6, 2], [-1, 2, -2, 2, -1]], np.float32) / 12


def traces(patch: Bytes) -> Floats:
    """The statistics of one RGB patch (at least 64 x 64 pixels) as one row; the length never changes within a VERSION."""
    rgb = np.ascontiguousarray(np.moveaxis(patch, 2, 0), np.float32)
    luma, blue, red = _opponents(rgb)
    residual = ndimage.convolve(luma, WIDE, mode="mirror")
    parts = (
        _triples(luma),
        _dct_energies(luma, blue, red),
        _rings(luma, RINGS),
        _rings(blue, COLOUR_RINGS),
        _rings(red, COLOUR_RINGS),
        _autocorrelation(residual),
        _noise(luma, residual),
        _channel_ties(rgb),
    )
    return np.concatenate(parts).astype(np.float32)


def _opponents(rgb: Floats) -> tuple[Floats, Floats, Floats]:
    red, green, blue = rgb
    luma = np.float32(0.299) * red + np.float32(0.587) * green + np.float32(0.114) * blue
    return luma, (blue - luma) * np.float32(0.564), (red - luma) * np.float32(0.713)


def _triples(luma: Floats) -> Floats:
    """Shares of residual triples along lines, mirrored and negated ones counted as one."""
    found: list[Floats] = []
    turned = np.ascontiguousarray(luma.T)
    sharp = ndimage.convolve(luma, SHARPEN)
    for plane, sharpened in ((luma, sharp), (turned, sharp.T)):
        once = np.diff(plane, axis=1)
        found.extend(_counted(residual, step) for residual, step in ((once, 2.0), (np.diff(once, axis=1), 2.0), (sharpened, 1.5)))
    across, down = found[:3], found[3:]
    return np.concatenate([np.sqrt((a + d) / 2) for a, d in zip(across, down, strict=True)])


def _counted(residual: Floats, step: float) -> Floats:
    level = (np.clip(np.rint(residual * np.float32(1 / step)), -CUT, CUT) + CUT).astype(np.uint8)
    code = (level[:, :-2] * np.uint8(LEVELS) + level[:, 1:-1]) * np.uint8(LEVELS) + level[:, 2:]  # at most 124
    counts = np.bincount(code.ravel(), minlength=LEVELS**3)
    folded = np.bincount(_folding(), weights=counts)
    return np.asarray(folded / max(1.0, float(folded.sum())), np.float32)


@cache
def _folding() -> npt.NDArray[np.int64]:
    codes = np.arange(LEVELS**3)
    first, middle, last = codes // LEVELS**2, codes // LEVELS % LEVELS, codes % LEVELS
    top = LEVELS - 1
    same = [
        (first * LEVELS + middle) * LEVELS + last,
        (last * LEVELS + middle) * LEVELS + first,
        ((top - first) * LEVELS + top - middle) * LEVELS + top - last,
        ((top - last) * LEVELS + top - middle) * LEVELS + top - first,
    ]
    return np.unique(np.min(same, axis=0), return_inverse=True)[1].astype(np.int64)


def _dct_energies(luma: Floats, blue: Floats, red: Floats) -> Floats:
    """For each of the 63 frequencies the log mean size and the share of near-zeros; for colour a coarse log size by diagonal."""
    bright = _blocks(luma)
    size = np.abs(bright).mean(axis=0).ravel()[1:]
    zeros = (np.abs(bright) < 1).mean(axis=0).ravel()[1:]
    diagonal = np.add.outer(np.arange(BLOCK), np.arange(BLOCK)).ravel()
    colours = []
    for channel in (blue, red):
        each = np.abs(_blocks(channel)).mean(axis=0).ravel()
        colours.append(np.log(np.bincount(diagonal, weights=each)[1:] / np.bincount(diagonal)[1:] + 0.05))
    return np.concatenate([np.log(size + 0.05), zeros, *colours]).astype(np.float32)


def _blocks(plane: Floats) -> Floats:
    height, width = (side // BLOCK * BLOCK for side in plane.shape)
    cut = plane[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK).transpose(0, 2, 1, 3).reshape(-1, BLOCK, BLOCK)
    return np.asarray(fft.dctn(cut, axes=(1, 2), norm="ortho"), np.float32)


def _rings(plane: Floats, rings: int) -> Floats:
    """Log power in rings of the spectrum, from coarse to the finest detail, and how far rows and columns differ in the finest third."""
    window, ring, sizes = _ring_plan(plane.shape[0], plane.shape[1], rings)
    power = _power((plane - plane.mean()) * window) / np.float32(plane.size)
    high, wide = np.abs(fft.fftfreq(plane.shape[0])), fft.rfftfreq(plane.shape[1])
    mean = np.bincount(ring, weights=power.ravel(), minlength=rings + 1) / sizes
    log = np.log(mean[1:] + 1e-4)
    rows = power[(high > 1 / 3)][:, wide < 1 / 6].mean()
    columns = power[high < 1 / 6][:, wide > 1 / 3].mean()
    return np.append(log, np.log((rows + 1e-4) / (columns + 1e-4))).astype(np.float32)


@lru_cache(maxsize=64)
def _ring_plan(height: int, width: int, rings: int) -> tuple[Floats, npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    """The window, the ring of each place in the spectrum, and how many places each ring has: the same for all cuts of a size."""
    window = np.outer(np.hanning(height), np.hanning(width)).astype(np.float32)
    radius = np.hypot(np.abs(fft.fftfreq(height))[:, None], fft.rfftfreq(width)[None, :])
    ring = np.minimum((radius / 0.5 * rings).astype(np.intp), rings).ravel()
    return window, ring, np.maximum(1, np.bincount(ring, minlength=rings + 1))


def _power(plane: Floats) -> Floats:
    spectrum = fft.rfft2(plane)
    return np.asarray(spectrum.real**2 + spectrum.imag**2, np.float32)


def _autocorrelation(residual: Floats) -> Floats:
    lags = fft.irfft2(_power(residual - residual.mean()), s=residual.shape)
    near = lags[: LAGS + 3, : LAGS + 3] / max(float(lags[0, 0]), TINY)
    square = np.concatenate([near[:LAGS, :LAGS].ravel()[1:], near[LAGS:, 0], near[0, LAGS:]])
    return np.asarray(square, np.float32)


def _noise(luma: Floats, residual: Floats) -> Floats:
    """Quantiles of the local noise level, its tie to brightness, and the tails of the residual."""
    level = np.log(np.sqrt(np.maximum(0, _block_means(residual * residual) - _block_means(residual) ** 2)) + 0.05)
    bright = _block_means(luma)
    order = np.argsort(bright, kind="stable")
    quarters = [float(np.quantile(part, 0.25)) for part in np.array_split(level[order], 4)]
    quantiles = np.quantile(level, (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98))
    tie = float(np.corrcoef(level, bright)[0, 1]) if level.std() > TINY and bright.std() > TINY else 0.0
    spread = residual.std() + TINY
    square = np.square(residual / spread)
    tails = np.log(np.mean(square * square) + TINY), float(np.mean(np.abs(residual)) / spread)
    return np.array([*quantiles, *quarters, tie, *tails, level.std()], np.float32)


def _block_means(plane: Floats) -> Floats:
    """The mean of each 8 x 8 block, row by row."""
    height, width = (side // BLOCK * BLOCK for side in plane.shape)
    lines = np.add.reduceat(plane[:height, :width], np.arange(0, width, BLOCK), axis=1)
    return np.asarray(np.add.reduceat(lines, np.arange(0, height, BLOCK), axis=0).ravel() / BLOCK**2, np.float32)


def _channel_ties(rgb: Floats) -> Floats:
    """How far the fine detail of red, green and blue agree, and their relative strength."""
    fine = [(channel - ndimage.uniform_filter(channel, 3)).ravel() for channel in rgb]
    spread = [float(channel.std()) + 0.05 for channel in fine]
    pairs = ((0, 1), (1, 2), (0, 2))
    agree = [float(fine[a] @ fine[b] / fine[a].size / (spread[a] * spread[b])) for a, b in pairs]
    strong = [np.log(spread[a] / spread[b]) for a, b in pairs]
    clipped = [float((rgb <= CLIPPED).mean()), float((rgb >= 255 - CLIPPED).mean())]
    return np.array([*agree, *strong, *clipped, np.log(spread[1])], np.float32)
