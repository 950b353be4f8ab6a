"""How good the network is on pictures it never saw, by source and by delivery, with intervals; false alarms of real photos in every cell.

Matched sets (same subjects, real and generated, one repository) come first: on them content and style cannot help.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from models.authenticity.heads import Doubles
from models.authenticity.judgement import Verdict
from models.authenticity.laundering import Cell
from models.authenticity.manifest import Label, Picture
from models.authenticity.measure import Encode, Measurer, in_cell
from models.authenticity.metrics import Figure, auc, recall_at, upper_bound, with_interval
from models.authenticity.network import CUTS, PLACES, Network
from models.authenticity.pictures import opened

Bools = npt.NDArray[np.bool_]

MATCHED = ("laboratoriet-game", "teenbiscuits", "ml72")
GOODS, EVIDENCE = "goods-", "evidence-"
FALSE_ALARMS = (0.01, 0.02, 0.05)
DRAWS = 400
COVERED = (1.0, 0.9, 0.75, 0.5, 0.25, 0.1)
FEW = 10  # real pictures of a source before its own false-alarm rate is worth a row


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What the network said of every picture after one delivery."""

    cell: str
    score: Doubles
    verdict: npt.NDArray[np.str_]
    distance: Doubles


def judge_cell(network: Network, encode: Encode, measurer: Measurer, pictures: Sequence[Picture], cell: Cell) -> Judged:
    """All pictures after that delivery; measured rows are kept, a would-be "generated" goes through the network itself."""
    rows = measurer.rows(network.encoder, encode, pictures, in_cell(cell), PLACES[0])
    traced = measurer.trace_rows(pictures, in_cell(cell), CUTS)
    said = network.model.specialist(np.nan_to_num(traced.reshape(-1, traced.shape[2])))
    said[~np.isfinite(traced[..., 0]).ravel()] = np.nan
    specialist = np.array([np.nanmean(row) if np.isfinite(row).any() else np.nan for row in said.reshape(traced.shape[:2])])
    score = network.model.score(network.model.whole(rows), specialist)
    limits = network.model.limits
    verdict = np.where(score <= limits.authentic_to, str(Verdict.AUTHENTIC), str(Verdict.UNSURE))
    distance = network.model.gate.distance(rows)
    verdict[distance > network.model.gate.far_from] = str(Verdict.UNSURE)
    for place in map(int, np.flatnonzero((score >= limits.generated_from) & (distance <= network.model.gate.far_from))):
        picture = pictures[place]
        verdict[place] = str(network.judge(cell.launder(opened(measurer.data / picture.path), picture.seed)).verdict)
    return Judged(cell.name, score, verdict, distance)


def is_generated(pictures: Sequence[Picture]) -> Bools:
    """The labels."""
    return np.array([picture.label is Label.GENERATED for picture in pictures])


def sets_of(pictures: Sequence[Picture]) -> dict[str, Bools]:
    """The rows of the tables: matched sets, then AI goods against evidence photos, then everything."""
    sources = np.array([picture.source for picture in pictures])
    generated = is_generated(pictures)
    found = {source: sources == source for source in MATCHED if (sources == source).any()}
    goods = np.char.startswith(sources, GOODS) & generated
    evidence = np.char.startswith(sources, EVIDENCE) & ~generated
    return found | {"goods against evidence": goods | evidence, "all": np.ones(len(pictures), np.bool_)}


def quality(pictures: Sequence[Picture], judged: Judged) -> dict[str, Any]:
    """AUC with interval and recall at bought false alarms, for each set."""
    generated = is_generated(pictures)
    found: dict[str, Any] = {}
    for name, rows in sets_of(pictures).items():
        own, score = generated[rows], judged.score[rows]
        measures = {"auc": auc} | {f"recall at {share:.0%}": partial(recall_at, false_alarms=share) for share in FALSE_ALARMS}
        found[name] = {key: rounded(with_interval(measure, own, score, draws=DRAWS)) for key, measure in measures.items()}
    return found


def rounded(figure: Figure) -> dict[str, float]:
    """As it stands in the report."""
    return {key: round(value, 3) for key, value in asdict(figure).items()}


def false_alarms(pictures: Sequence[Picture], judged: Judged) -> dict[str, Any]:
    """Real photos called generated: in all, with what is still plausible (95%), and in the worst source with enough photos."""
    real = ~is_generated(pictures)
    sources = np.array([picture.source for picture in pictures])
    alarm = judged.verdict == str(Verdict.GENERATED)
    by_source = {source: of_source(~real, judged.verdict, sources == source) for source in sorted(set(sources.tolist()))}
    rates = {source: row["real called generated"] for source, row in by_source.items() if row["real"] >= FEW}
    many = int(real.sum())
    count = int(alarm[real].sum())
    caught = float(alarm[~real].mean()) if (~real).any() else float("nan")
    return {
        "real": many,
        "called generated": count,
        "rate": round(count / max(1, many), 4),
        "plausible up to": round(upper_bound(count, many), 4),
        "worst sources": dict(sorted(rates.items(), key=lambda item: -item[1])[:3]),
        "by source": by_source,
        "generated caught": round(caught, 3),
        "real called authentic": round(float((judged.verdict[real] == str(Verdict.AUTHENTIC)).mean()), 3),
        "generated called authentic": round(float((judged.verdict[~real] == str(Verdict.AUTHENTIC)).mean()), 3) if (~real).any() else None,
    }


def of_source(generated: Bools, verdict: npt.NDArray[np.str_], own: Bools) -> dict[str, float]:
    """Verdicts within one source, as shares of its real and of its generated pictures; a share is 0 where there are none."""
    found: dict[str, float] = {}
    for name, rows in (("real", own & ~generated), ("generated", own & generated)):
        many = int(rows.sum())
        found[name] = many
        for said in (Verdict.GENERATED, Verdict.AUTHENTIC):
            found[f"{name} called {said}"] = round(float((verdict[rows] == str(said)).sum()) / max(1, many), 3)
    return found


def flips(judged: Sequence[Judged]) -> dict[str, Any]:
    """Pictures called authentic in one cell and generated in another; unsure is no flip."""
    authentic = np.array([j.verdict == str(Verdict.AUTHENTIC) for j in judged]).any(axis=0)
    generated = np.array([j.verdict == str(Verdict.GENERATED) for j in judged]).any(axis=0)
    count = int((authentic & generated).sum())
    return {"pictures": authentic.size, "cells": len(judged), "flipped": count, "rate": round(count / max(1, authentic.size), 4)}


def coverage(pictures: Sequence[Picture], judged: Judged) -> list[dict[str, float]]:
    """Accuracy of the surest answers against the share answered: sure means far from the middle of the two limits, and near to training."""
    generated = is_generated(pictures)
    with np.errstate(divide="ignore"):
        odds = np.log(judged.score / (1 - judged.score))
    middle = float(np.median(odds))
    surest = np.argsort(-np.abs(odds - middle), kind="stable")
    nearest = np.argsort(judged.distance, kind="stable")
    rows = []
    for share in COVERED:
        kept = surest[: max(1, round(share * surest.size))]
        near = nearest[: max(1, round(share * nearest.size))]
        right = (odds[kept] > middle) == generated[kept]
        rows.append(
            {
                "answered": share,
                "accuracy, surest": round(float(right.mean()), 3),
                "auc, nearest to training": round(auc(generated[near], judged.score[near]), 3),
            }
        )
    return rows
