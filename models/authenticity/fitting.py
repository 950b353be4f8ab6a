"""From measured rows to a model: heads judged only on sources they were not fitted on, a fusion and limits fitted on those judgements."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from models.authenticity.artifact import Fusion, Limits, Model
from models.authenticity.gate import fit_gate
from models.authenticity.heads import Doubles, Floats, Head, fit, fit_along, fit_basis
from models.authenticity.manifest import SPLIT_BY_TOPIC, Label, Picture
from models.authenticity.splits import held_out

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a training may change; the shipped values were chosen by grouped cross-validation on the training part.

    directions: main directions of the whole view in which its head is fitted.
    whole_ridge, specialist_ridge: pull of the heads' weights to zero. cut_weight: what a native cut taken as a whole counts beside a whole.
    delivered_weight: what a whole after a random delivery counts.
    specialist_opens: share of held-out real pictures that the specialist leaves unaccused.
    false_alarms: share of held-out real pictures above the limit for "generated", over all; at most WORST_SOURCE in one source.
    turns: how often every picture is delivered at random and looked at again.
    missed: share of held-out generated ones below the limit for "authentic".
    """

    seed: int = 7
    folds: int = 6
    directions: int = 800
    whole_ridge: float = 1.3e-4
    specialist_ridge: float = 7.5e-6
    cut_weight: float = 0.5
    delivered_weight: float = 0.5
    specialist_opens: float = 0.97
    false_alarms: float = 0.005
    missed: float = 0.05
    gate_directions: int = 32
    gate_share: float = 0.005
    turns: int = 1


AS_IS_WAY = "as is"
WORST_SOURCE = 0.02
ENOUGH = 40  # real pictures of a source before its own false-alarm rate is held against the limit


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What was measured of the training pictures: whole-view rows of all, traces of the cuts (NaN rows for wholes).

    ways: how each row was delivered: AS_IS_WAY, or one of laundering.WAYS; a picture stands here once a delivery.
    soft: what the heads are fitted to, 0 to 1; the labels themselves, or for the light model half labels, half the tower's held-out opinion.
    """

    pictures: Sequence[Picture]
    whole: Floats
    traces: Floats
    soft: Doubles
    ways: npt.NDArray[np.str_]

    @property
    def generated(self) -> Bools:
        """The labels."""
        return np.array([picture.label is Label.GENERATED for picture in self.pictures])

    @property
    def sources(self) -> npt.NDArray[np.str_]:
        """Where each picture is from."""
        return np.array([picture.source for picture in self.pictures])

    @property
    def groups(self) -> list[str]:
        """What must stay on one side of a split."""
        return [picture.group for picture in self.pictures]

    @property
    def has_traces(self) -> Bools:
        """Cuts at native resolution."""
        return np.asarray(np.isfinite(self.traces[:, 0]))


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Raw log-odds of both views, each from a head that saw nothing of the picture's source (or topic)."""

    whole: Doubles
    specialist: Doubles


def weights(rows: Rows, settings: Settings) -> Doubles:
    """A whole as it is counts one, a delivered one `delivered_weight`, a cut taken as a whole `cut_weight`, a delivered cut nothing."""
    is_whole = np.array([picture.is_whole for picture in rows.pictures])
    is_kept = rows.ways == AS_IS_WAY
    return np.where(is_whole, np.where(is_kept, 1.0, settings.delivered_weight), np.where(is_kept, settings.cut_weight, 0.0))


def specialist_rows(rows: Rows) -> Bools:
    """What the specialist learns from: cuts of its one generator, against cuts of every real source."""
    own = rows.sources == SPLIT_BY_TOPIC
    return np.asarray(rows.has_traces & (~rows.generated | own))


def fit_whole(rows: Rows, use: Bools, settings: Settings) -> Head:
    """The head on the whole view, fitted on those rows of `use` that weigh anything."""
    given = weights(rows, settings)
    mine = use & (given > 0)
    return fit_along(rows.whole[mine], rows.soft[mine], given[mine], settings.whole_ridge)


def fit_specialist(rows: Rows, use: Bools, settings: Settings) -> Head:
    """The head on the traces, fitted on those rows of `use` that it learns from."""
    mine = use & specialist_rows(rows)
    return fit(rows.traces[mine], rows.generated[mine].astype(np.float64), np.ones(int(mine.sum())), settings.specialist_ridge)


def judge_held_out(rows: Rows, settings: Settings) -> HeldOut:
    """Each picture judged by heads of the other parts."""
    whole = np.full(len(rows.pictures), np.nan)
    specialist = np.full(len(rows.pictures), np.nan)
    for learn, judge in held_out(rows.groups, settings.folds, settings.seed):
        whole[judge] = fit_whole(rows, learn, settings)(rows.whole[judge])
        cuts = judge & rows.has_traces
        specialist[cuts] = fit_specialist(rows, learn, settings)(rows.traces[cuts])
    return HeldOut(_of_whole(rows, whole), specialist)


def _of_whole(rows: Rows, whole: Doubles) -> Doubles:
    """A cut whose own whole is on the shelf borrows that whole's judgement, as in service."""
    known = {(p.source, p.original, p.label): place for place, p in enumerate(rows.pictures) if p.is_whole and rows.ways[place] == AS_IS_WAY}
    borrowed = [place if p.is_whole else known.get((p.source, p.original, p.label), place) for place, p in enumerate(rows.pictures)]
    return np.asarray(whole[borrowed])


def fuse(rows: Rows, seen: HeldOut, settings: Settings) -> Fusion:
    """Two logistic lines through the held-out judgements: what the specialist's excess is worth beside the whole, then the calibration.

    The first is fitted on the cuts, where both views speak; the second on everything, sources counting by the square root of
    their size and classes alike, because that is the mix the score promises to be a probability in.
    """
    real = ~rows.generated
    opens = float(np.quantile(seen.specialist[real & rows.has_traces], settings.specialist_opens))
    beyond = np.maximum(0.0, np.nan_to_num(seen.specialist, nan=opens) - opens)
    both = np.column_stack([seen.whole, beyond])
    worth = LogisticRegression(C=1e6, max_iter=1000).fit(both[rows.has_traces], rows.generated[rows.has_traces]).coef_[0]
    ratio = max(0.0, float(worth[1] / worth[0]))
    together = seen.whole + ratio * beyond
    line = LogisticRegression(C=1e6, max_iter=1000).fit(together[:, None], rows.generated, sample_weight=evenly(rows))
    slope = float(line.coef_[0, 0])
    return Fusion(slope, slope * ratio, opens, float(line.intercept_[0]))


def evenly(rows: Rows) -> Doubles:
    """Weights that add up to the same for both classes, a source in a class counting by the square root of its pictures."""
    given = np.zeros(len(rows.pictures))
    for label in (False, True):
        inside = rows.generated == label
        for source in set(rows.sources[inside]):
            own = inside & (rows.sources == source)
            given[own] = float(own.sum()) ** -0.5
        given[inside] /= given[inside].sum()
    return given * len(rows.pictures) / 2


def limit(rows: Rows, score: Doubles, settings: Settings) -> Limits:
    """The limits that the held-out scores allow: false alarms bought in every way of delivery and in the worst large source, misses in all."""
    real = ~rows.generated
    alarms = []
    for way in sorted(set(rows.ways)):
        own = real & (rows.ways == way)
        alarms.append(above_all_but(score[own], settings.false_alarms))
        for source in sorted(set(rows.sources[own])):
            inside = score[own & (rows.sources == source)]
            if inside.size >= ENOUGH:
                alarms.append(above_all_but(inside, WORST_SOURCE))
    return Limits(float(np.quantile(score[rows.generated], settings.missed)), max(alarms))


def above_all_but(score: Doubles, share: float) -> float:
    """A limit that at most `share` of the scores reach."""
    return float(np.nextafter(np.quantile(score, 1 - share, method="higher"), np.inf))


def build(name: str, rows: Rows, settings: Settings) -> tuple[Model, HeldOut, Rows]:
    """The model fitted on everything, with the fusion and limits of the held-out judgements; these; and the rows along their main directions.

    The directions know no label: they are those of all rows as they are, judged ones too.
    """
    kept = rows.whole[rows.ways == AS_IS_WAY]
    basis = fit_basis(kept, settings.directions)
    along = replace(rows, whole=basis(rows.whole))
    seen = judge_held_out(along, settings)
    fusion = fuse(rows, seen, settings)
    score = np.asarray(expit(fusion(seen.whole, seen.specialist)), np.float64)
    everything = np.ones(len(rows.pictures), np.bool_)
    gate = fit_gate(kept, directions=settings.gate_directions, share_far=settings.gate_share)
    heads = basis.lifted(fit_whole(along, everything, settings)), fit_specialist(rows, everything, settings)
    return Model(name, *heads, gate, fusion, limit(rows, score, settings)), seen, along
