"""What LightGBM's Python face does not offer: the mean of several fits as one booster."""

import re
from collections.abc import Sequence

import lightgbm as lgb
from lightgbm.basic import _LIB, _safe_call  # type: ignore[attr-defined]  # the C library: merging is public there and not in Python


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
