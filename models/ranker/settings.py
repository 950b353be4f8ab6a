"""How a ranker is trained: every knob with its unit and its reason, sized to the number of labels."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

SMALL = 20_000
"""Below this many labelled requests no part can be spared for validation alone: folds take turns, and the model is fitted on all of them."""

TINY = 5_000
"""Below this many labelled requests trees are small and more seeds are averaged: a single fit is mostly luck there."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`for_rows` gives sound values; a tuning run returns a copy with other ones. The card keeps them, so a model can be trained again.

    trees: at most this many, early stopping finds how many; patience: trees without gain before it stops.
    depth: levels of a tree at most; the time that reasons take grows with its square. min_leaf: labelled requests in a leaf, at least.
    l2: pull of leaf values towards 0. feature_share, row_share: drawn anew for each tree.
    bins: steps into which a feature's values are cut at most. folds: 1 holds out the last `held_out_share` of the training time, more take turns.
    seeds: fits whose mean is the model.
    maturity_days: how old a request must be at training time; younger ones have only their fast labels, which are not like slow ones.
    correct_selection: weigh checked requests by how rarely their like is checked. half_life_days: age at which a request counts half; null: never.
    leave_out: families that the model may not see. threads: more than 1 gives the same model only on the same machine.
    """

    trees: int = 600
    patience: int = 40
    learning_rate: float = 0.05
    leaves: int = 31
    depth: int = 8
    min_leaf: int = 40
    l2: float = 5.0
    feature_share: float = 0.6
    row_share: float = 0.8
    folds: int = 1
    seeds: int = 1
    held_out_share: float = 0.2
    maturity_days: float = 0.0
    correct_selection: bool = False
    half_life_days: float | None = None
    leave_out: tuple[str, ...] = ()
    bins: int = 255
    threads: int = 1
    seed: int = 1

    @classmethod
    def for_rows(cls, labelled: int, *, seed: int = 1, threads: int = 1) -> "Settings":
        """Settings sized to the number of labelled requests: fewer labels, smaller trees and more averaging."""
        settings = cls(seed=seed, threads=threads)
        if labelled >= SMALL:
            return settings
        some = replace(settings, leaves=15, min_leaf=20, l2=1.0, feature_share=0.3, row_share=0.5, bins=63, folds=3, seeds=3)
        return some if labelled >= TINY else replace(some, leaves=8, min_leaf=10, folds=5, seeds=5)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Settings":
        """The settings that a card keeps."""
        return cls(**{**raw, "leave_out": tuple(raw["leave_out"])})

    def as_json(self) -> dict[str, Any]:
        """As a card keeps them."""
        return {**asdict(self), "leave_out": list(self.leave_out)}

    def lightgbm(self, monotone: list[int]) -> dict[str, object]:
        """The same in LightGBM's words; deterministic for a given seed and number of threads."""
        return {
            "objective": "binary",
            "metric": "binary_logloss",
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "max_depth": self.depth,
            "max_bin": self.bins,
            "min_data_in_leaf": self.min_leaf,
            "lambda_l2": self.l2,
            "feature_fraction": self.feature_share,
            "bagging_fraction": self.row_share,
            "bagging_freq": 1,
            "monotone_constraints": monotone,
            "min_data_per_group": max(10, self.min_leaf),
            "cat_smooth": 20.0,
            "deterministic": True,
            "force_row_wise": True,
            "feature_pre_filter": False,
            "num_threads": self.threads,
            "seed": self.seed,
            "verbose": -1,
        }
