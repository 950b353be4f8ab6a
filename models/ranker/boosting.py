"""LightGBM, and what its Python face does not offer: the mean of several fits as one booster, and one row in microseconds."""

import ctypes
import re
import threading
from collections.abc import Sequence

import lightgbm as lgb
import numpy as np
from lightgbm.basic import _LIB, _safe_call  # type: ignore[attr-defined]  # the C library: merging and one-row prediction are public there and not in Python

from models.ranker.dataset import Floats

_RAW, _FLOAT64 = 1, 1
"""What is predicted, the log-odds, and the numbers that rows come in, as LightGBM's C interface counts them."""


def mean_of(boosters: Sequence[lgb.Booster], trees: int) -> str:
    """The model text of one booster whose raw score is the mean of theirs, each cut to its first `trees` trees."""
    texts = [booster.model_to_string(num_iteration=trees) for booster in boosters]
    mean = lgb.Booster(model_str=texts[0])
    for text in texts[1:]:
        other = lgb.Booster(model_str=text)  # named, so that its C object outlives the call
        _safe_call(_LIB.LGBM_BoosterMerge(mean._handle, other._handle))  # noqa: SLF001  # see the import
    if len(texts) > 1:
        leaves = map(int, re.findall(r"^num_leaves=(\d+)$", mean.model_to_string(), flags=re.MULTILINE))  # in its own order of trees
        for tree, count in enumerate(leaves):
            for leaf in range(count):
                mean.set_leaf_output(tree, leaf, mean.get_leaf_output(tree, leaf) / len(texts))
    return str(mean.model_to_string())


class OneRow:
    """Predicts the log-odds of one row with buffers made once; equal to the batch to the bit. Safe from several threads: they take turns."""

    def __init__(self, booster: lgb.Booster) -> None:
        width = booster.num_feature()
        self._booster = booster  # keeps the C object alive
        self._row = np.zeros(width, dtype=np.float64)
        self._out = np.zeros(1, dtype=np.float64)
        self._length = ctypes.c_int64()
        self._lock = threading.Lock()
        self._config = ctypes.c_void_p()
        _safe_call(
            _LIB.LGBM_BoosterPredictForMatSingleRowFastInit(
                booster._handle,  # noqa: SLF001  # see the import
                ctypes.c_int(_RAW),
                ctypes.c_int(0),
                ctypes.c_int(-1),
                ctypes.c_int(_FLOAT64),
                ctypes.c_int32(width),
                ctypes.c_char_p(b"num_threads=1"),
                ctypes.byref(self._config),
            ),
        )
        self._from = self._row.ctypes.data_as(ctypes.c_void_p)
        self._to = self._out.ctypes.data_as(ctypes.c_void_p)

    def __call__(self, row: Floats) -> Floats:
        """The raw score: one number."""
        with self._lock:
            self._row[:] = row
            _safe_call(_LIB.LGBM_BoosterPredictForMatSingleRowFast(self._config, self._from, ctypes.byref(self._length), self._to))
            return self._out.copy()

    def __del__(self) -> None:
        """Give the C memory back."""
        if self._config:
            _LIB.LGBM_FastConfigFree(self._config)
