"""Arrays that every step of the simulator shares: their types, weighted draws, opaque ids."""

import hashlib
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Rng: TypeAlias = np.random.Generator

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NONE = -1
"""An index that points nowhere."""

_HEX = np.array([list(f"{byte:02x}".encode()) for byte in range(256)], dtype=np.uint8)


def stage(seed: int, name: str) -> Rng:
    """The random numbers of one step: a change in one step does not move the draws of the others."""
    return np.random.default_rng([seed, int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")])


def weighted(rng: Rng, weights: Floats, size: int) -> Ints:
    """Indices drawn with replacement, in proportion to their weights."""
    edges = np.cumsum(weights)
    found = np.searchsorted(edges, rng.random(size) * edges[-1], side="right")
    return np.asarray(np.minimum(found, len(weights) - 1), dtype=np.int64)


def by_row(rng: Rng, mixes: Sequence[Sequence[float]], row: Ints) -> Ints:
    """One category a row, drawn from the mix that the row points at; mixes need not sum to one."""
    table = np.cumsum(np.asarray(mixes, dtype=np.float64), axis=1)
    table /= table[:, -1:]
    draws = rng.random(len(row))
    found = np.zeros(len(row), dtype=np.int64)
    for column in range(table.shape[1] - 1):
        found += draws > table[row, column]
    return found


def chance(rng: Rng, probability: float | Floats, size: int) -> Bools:
    """True with that probability, each on its own."""
    return rng.random(size) < probability


def _mixed(kind: str, seed: int, index: Ints) -> npt.NDArray[np.uint64]:
    """The index scrambled one to one (the finaliser of splitmix64), so ids are unique and tell nothing."""
    salt = int.from_bytes(hashlib.sha256(f"{kind}:{seed}".encode()).digest()[:8], "big")
    value = index.astype(np.uint64) + np.uint64(salt)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def _strings(prefix: str, digits: npt.NDArray[np.uint8]) -> pl.Series:
    """One string a row from a matrix of ASCII bytes, without a Python loop."""
    head = np.tile(np.frombuffer(prefix.encode(), dtype=np.uint8), (len(digits), 1))
    matrix = np.ascontiguousarray(np.hstack([head, digits]))
    width = matrix.shape[1]
    offsets = np.arange(len(matrix) + 1, dtype=np.int64) * width
    array = pa.LargeStringArray.from_buffers(len(matrix), pa.py_buffer(offsets.tobytes()), pa.py_buffer(matrix.tobytes()))
    return pl.Series(array, dtype=pl.String)


def opaque(kind: str, seed: int, index: Ints) -> pl.Series:
    """Ids such as `acc_9f0c...`: unique in the index, equal for equal indices, meaningless to the reader."""
    mixed = _mixed(kind, seed, index)
    return _strings(f"{kind}_", _HEX[mixed.view(np.uint8).reshape(-1, 8)].reshape(-1, 16))


def digests(seed: int, index: Ints) -> pl.Series:
    """Stand-ins for SHA-256 digests, 64 hex digits: equal for equal indices."""
    parts = [_HEX[_mixed(f"sha{part}", seed, index).view(np.uint8).reshape(-1, 8)].reshape(-1, 16) for part in range(4)]
    return _strings("", np.hstack(parts))


def nothing(size: int) -> pl.Series:
    """A column of names without any."""
    return pl.Series([None], dtype=pl.String).new_from_index(0, size)


def pick(names: pl.Series, index: Ints) -> pl.Series:
    """The name behind each index; null where it points nowhere."""
    missing = index < 0
    if missing.all():
        return nothing(len(index))
    found = names.gather(pl.Series(np.where(missing, 0, index)))
    return found.zip_with(pl.Series(~missing), nothing(len(index))) if missing.any() else found


def within(lengths: Ints) -> Ints:
    """0, 1, ... inside each run of the given lengths."""
    starts = np.cumsum(lengths) - lengths
    return np.arange(int(lengths.sum()), dtype=np.int64) - np.repeat(starts, lengths)


def run_lengths(rng: Rng, total: int, sizes: tuple[int, int], mean: float) -> Ints:
    """Group sizes between two bounds (shifted geometric, so small ones are common) that add up to `total`."""
    if total <= 0:
        return np.zeros(0, dtype=np.int64)
    low, high = sizes
    drawn = low + rng.geometric(1.0 / max(mean - low + 1.0, 1.0), size=total) - 1
    clipped = np.minimum(drawn, high)
    count = int(np.searchsorted(np.cumsum(clipped), total, side="left")) + 1
    kept = clipped[:count].astype(np.int64)
    kept[-1] -= int(kept.sum()) - total
    return kept
