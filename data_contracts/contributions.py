"""What moved one score, feature by feature, as arrays: sums are a few operations, and only what is shown gets its name and value."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from data_contracts.reason import REASONS
from data_contracts.score import DIGITS, Contribution, Family

Floats: TypeAlias = npt.NDArray[np.float64]


class Speaker(NamedTuple):
    """A feature of a model as it speaks; `is_word`: its values are no numbers."""

    feature: str
    family: Family
    reason: str
    is_word: bool = False


class Speakers:
    """The features of a model, in its order, with what can be known of them before a request comes."""

    def __init__(self, speakers: Iterable[Speaker]) -> None:
        self.all = tuple(speakers)
        self.names = tuple(each.feature for each in self.all)
        self.families = tuple(dict.fromkeys(each.family for each in self.all))
        self.reasons = tuple(dict.fromkeys(each.reason for each in self.all))
        self.family_of = np.array([self.families.index(each.family) for each in self.all], np.int64)
        self.reason_of = np.array([self.reasons.index(each.reason) for each in self.all], np.int64)
        self.places: Mapping[str, list[int]] = {
            reason: np.flatnonzero(self.reason_of == number).tolist() for number, reason in enumerate(self.reasons)
        }
        above = [REASONS[each.reason].holds_above for each in self.all]
        self.always = np.array([limit is None for limit in above], np.bool_)
        self.above = np.array([np.inf if limit is None or each.is_word else limit for each, limit in zip(self.all, above, strict=True)], np.float64)


class Contributions:
    """How far each feature moved one score: log-odds by place, above 0 towards abuse."""

    def __init__(self, speakers: Speakers, log_odds: Floats, row: Floats, values: Mapping[str, float | str | None]) -> None:
        """`row` holds the values as the model read them, NaN for null; `values` as people do, by name."""
        self.speakers = speakers
        self.log_odds = log_odds
        self._values = values
        said = np.where(speakers.always | (row > speakers.above), log_odds, 0.0)
        self._reason_sums: list[float] = np.bincount(speakers.reason_of, said, len(speakers.reasons)).tolist()
        self._said = said

    def by_family(self) -> dict[str, float]:
        """The sum of each family."""
        sums = np.bincount(self.speakers.family_of, self.log_odds, len(self.speakers.families))
        return dict(zip(self.speakers.families, sums.tolist(), strict=True))

    def by_reason(self) -> dict[str, float]:
        """The sum of each reason, over the features for which its texts hold."""
        return dict(zip(self.speakers.reasons, self._reason_sums, strict=True))

    def of_reason(self, reason: str, most: int) -> list[Contribution]:
        """The features of a reason that moved the score most and for which its texts hold, largest first."""
        return self._largest(self.speakers.places[reason], self._said_sizes, most)

    def largest(self, most: int | None = None) -> list[Contribution]:
        """The features that moved the score most, largest first; null: all that moved it."""
        return self._largest(range(len(self.speakers.all)), np.abs(self.log_odds).tolist(), most)

    def kept(self) -> dict[str, float]:
        """By feature, to DIGITS; what then moved nothing is left out."""
        rounded = np.round(self.log_odds, DIGITS).tolist()
        return {name: log_odds for name, log_odds in zip(self.speakers.names, rounded, strict=True) if log_odds}

    @cached_property
    def _said_sizes(self) -> list[float]:
        """How much each feature moved the score for which its texts hold."""
        sizes: list[float] = np.abs(self._said).tolist()
        return sizes

    def _largest(self, places: Sequence[int], sizes: Sequence[float], most: int | None) -> list[Contribution]:
        """With names and values; those that moved nothing are left out."""
        found = []
        for place in sorted(places, key=sizes.__getitem__, reverse=True)[:most]:
            if sizes[place]:
                feature, family, reason, _ = self.speakers.all[place]
                found.append(Contribution(feature, family, reason, self._values[feature], float(self.log_odds[place])))
        return found


@dataclass(frozen=True, slots=True)
class Scored:
    """A score that can be asked for more: `contributions` finds out what moved it."""

    probability: float
    contributions: Callable[[], Contributions]
