"""Account-level risk: train a model on a graph of accounts, say what the neighbours add on accounts it never saw, and score accounts.

The split keeps whole components (communities of an overgrown one) on one side and cuts every tie across, so nothing of the test accounts is seen in
training, and no test label is seen at all: neighbours speak by labels of the training side only. For a training account they speak by labels of the
other folds, in half of the components by none: so the model knows both a ring of which somebody was judged, and one of which nobody was.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from data_contracts.errors import ContractError
from data_contracts.label import LabelValue
from data_contracts.tables import TIME, schema
from features.catalog import ATTRIBUTE, attribute
from features.declare import Feature, Given
from graph.account_aggregates import Society, attribute_aggregates, label_aggregates, units, without_ties_across
from models.ranker.artifact import Artifact, load, save
from models.ranker.dataset import Floats
from models.ranker.metrics import average_precision, bootstrap, ranked, roc_auc
from models.ranker.scorer import Scorer
from models.ranker.settings import Settings
from models.ranker.train import train
from risk.jobs.account_table import AccountTable, account_table

FOLDS = 5
DRAWS = 300
LEARNT_AT = datetime(2000, 1, 2, tzinfo=UTC)
"""A graph that stands still has no time; the ranker's training asks for one."""

TOLD = 5
"""Features named for each scored account."""

Chosen = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Worth:
    """Quality on held-out accounts, each {"value", "ci"}; `gain` is what the neighbours add to the same model without them."""

    auc: Mapping[str, object]
    ap: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class AccountsReport:
    """What was learnt from and what it is worth. `without_neighbours` is the peer of the same run: own attributes only; `gain` the difference."""

    model: str
    version: str
    accounts: int
    edges: int
    judged: int
    abuse: int
    held_out: Mapping[str, int]
    features: int
    with_neighbours: Worth
    without_neighbours: Worth
    gain: Worth


def train_accounts(folder: Path, out: Path, *, seed: int = 1, test_share: float = 0.25) -> AccountsReport:
    """Judge the way of learning on held-out components, then learn from every judged account and save that model.

    ContractError: no account graph, a share out of range, or too few judged accounts of a class on either side.
    """
    if not 0.0 < test_share < 1.0:
        message = f"the test share is {test_share}, expected more than 0 and less than 1"
        raise ContractError(message, field="test_share")
    table = account_table(folder)
    unit = units(table.ties, seed)
    held = _held_out(unit, ~np.isnan(table.abuse), test_share, seed)
    probability, abuse, cluster = _trial(table, unit, held, seed)
    worth = _worth(probability, abuse, cluster, seed)
    everyone = np.ones(len(unit), dtype=bool)
    frame = frame_of(table, table.ties, _shown_labels(table, table.ties, unit, everyone, seed))
    artifact = _fit(frame, table, everyone, unit, seed)
    save(artifact, out)
    judged = ~np.isnan(table.abuse)
    return AccountsReport(
        model=str(out),
        version=artifact.version,
        accounts=len(unit),
        edges=table.edges,
        judged=int(judged.sum()),
        abuse=int(np.nansum(table.abuse)),
        held_out={"accounts": int(held.sum()), "judged": len(abuse), "abuse": int(abuse.sum()), "components": len(np.unique(unit[held]))},
        features=len(artifact.card.features),
        **worth,
    )


def score_accounts(folder: Path, model: Path, out: Path) -> dict[str, object]:
    """Every account with its rank, probability and what moved it, as Parquet. ModelMismatchError: the model reads what this graph does not have."""
    table, scorer = account_table(folder), Scorer(load(model))
    frame = frame_of(table, table.ties, label_aggregates(table.ties, table.abuse))
    probability = scorer.probabilities(frame)
    scored = pl.DataFrame(
        {
            "account_id": table.nodes["account_id"],
            "score": probability,
            "reasons": [
                [{"feature": one.feature, "reason": one.reason, "value": _plain(one.value), "log_odds": one.log_odds} for one in parts.largest(TOLD)]
                for parts in scorer.contributions(frame)
            ],
        },
        schema_overrides={"reasons": REASONS},
    )
    scored = scored.sort(["score", "account_id"], descending=[True, False]).with_columns(rank=pl.int_range(1, pl.len() + 1))
    out.parent.mkdir(parents=True, exist_ok=True)
    scored.select("account_id", "rank", "score", "reasons").write_parquet(out)
    return {"accounts": scored.height, "model": scorer.version, "file": str(out)}


REASONS = pl.List(pl.Struct({"feature": pl.String, "reason": pl.String, "value": pl.String, "log_odds": pl.Float64}))


def frame_of(table: AccountTable, ties: Society, labels: Mapping[str, Floats]) -> pl.DataFrame:
    """One row an account in the ranker's form: own attributes, what the neighbours are like, and what was shown of their labels."""
    made = attribute_aggregates(ties, table.numeric) | dict(labels)
    columns = [pl.Series(name, column, dtype=pl.Float64, nan_to_null=True) for name, column in made.items()]
    own = table.nodes.drop("label").rename({"account_id": "request_id"})
    return own.with_columns(*columns, as_of=pl.lit(LEARNT_AT - timedelta(days=1)).cast(TIME))


def features_of(frame: pl.DataFrame, *, neighbours: bool) -> tuple[Feature, ...]:
    """The declarations of a frame's columns, with or without those about neighbours."""
    found: list[Feature] = []
    for name, kind in frame.schema.items():
        if name.startswith(ATTRIBUTE):
            found.append(attribute(name.removeprefix(ATTRIBUTE), "category" if kind == pl.String else "number"))
        elif neighbours and name.startswith(("near_", "far_", "shared_")):
            found.append(_about_neighbours(name))
    return tuple(found)


def _about_neighbours(name: str) -> Given:
    step = "two steps away" if name.startswith("far_") else "next to it"
    said = {"abuse": 1, "abuse_share": 1, "honest": 0}.get(name.partition("_")[2])
    reason = "LINKED_ACCOUNTS" if said is None else "LINKED_CONFIRMED_ABUSE"
    return Given(
        name=name,
        family="links",
        unit="as the attribute",
        meaning=f"{name.partition('_')[2]} of the accounts {step}",
        missing="it has no such neighbour, or nothing is known of them",
        reason=reason,
        sign=1 if said else 0,
        source="graph",
    )


def _held_out(unit: npt.NDArray[np.int64], judged: Chosen, share: float, seed: int) -> Chosen:
    """Whole units drawn by lot until they hold that share of the judged accounts."""
    order = np.random.default_rng(seed).permutation(int(unit.max()) + 1)
    count = np.bincount(unit, judged, minlength=len(order))[order]
    taken = order[np.cumsum(count) - count < share * judged.sum()]
    return np.isin(unit, taken)


def _shown_labels(table: AccountTable, ties: Society, unit: npt.NDArray[np.int64], learnt: Chosen, seed: int) -> dict[str, Floats]:
    """What training accounts see of their neighbours' labels: those of the other folds; in half of the units nothing. Others see all learnt ones."""
    rng = np.random.default_rng(seed)
    fold = rng.integers(0, FOLDS, len(unit))
    silent = rng.random(int(unit.max()) + 1)[unit] < 1 / 2
    known = np.where(learnt, table.abuse, np.nan)
    shown = label_aggregates(ties, known)
    for number in range(FOLDS):
        mine = learnt & (fold == number)
        rest = label_aggregates(ties, np.where(fold == number, np.nan, known))
        for name, column in shown.items():
            column[mine] = np.where(silent[mine], np.nan, rest[name][mine])
    return shown


def _fit(frame: pl.DataFrame, table: AccountTable, learnt: Chosen, unit: npt.NDArray[np.int64], seed: int, *, neighbours: bool = True) -> Artifact:
    """The ranker's own training on the learnt accounts that were judged; folds keep units whole."""
    rows = frame.with_columns(group=pl.Series(unit).cast(pl.String)).filter(pl.Series(learnt))
    judged = table.nodes.filter(pl.Series(learnt)).drop_nulls("label")
    labels = judged.select(
        pl.col("account_id").alias("request_id"),
        value=pl.when(pl.col("label") == 1.0).then(pl.lit(LabelValue.ABUSE.value)).otherwise(pl.lit(LabelValue.HONEST.value)),
        source=pl.lit("verdict"),
        occurred_at=pl.lit(LEARNT_AT - timedelta(hours=1)).cast(TIME),
        known_at=pl.lit(LEARNT_AT - timedelta(hours=1)).cast(TIME),
    ).select(list(schema("labels")))
    settings = Settings.for_rows(judged.height, seed=seed)
    return train(rows, labels, LEARNT_AT, replace(settings, folds=max(settings.folds, 3)), features_of(frame, neighbours=neighbours))


def _trial(table: AccountTable, unit: npt.NDArray[np.int64], held: Chosen, seed: int) -> tuple[dict[str, Floats], Floats, npt.NDArray[np.int64]]:
    """What the model and its peer say of the held-out judged accounts, learnt from the others; how they turned out, and their units."""
    ties = without_ties_across(table.ties, held)
    frame = frame_of(table, ties, _shown_labels(table, ties, unit, ~held, seed))
    asked = held & ~np.isnan(table.abuse)
    abuse = table.abuse[asked]
    if not 0 < abuse.sum() < len(abuse):
        message = f"{len(abuse)} judged accounts are held out, {int(abuse.sum())} of them abuse; expected some of each. Bring more labels"
        raise ContractError(message, field="label")
    test = frame.filter(pl.Series(asked))
    said = {
        name: Scorer(_fit(frame, table, ~held, unit, seed, neighbours=neighbours)).probabilities(test)
        for name, neighbours in (("with_neighbours", True), ("without_neighbours", False))
    }
    return said, abuse, np.unique(unit[asked], return_inverse=True)[1]


def _worth(probability: Mapping[str, Floats], abuse: Floats, cluster: npt.NDArray[np.int64], seed: int) -> dict[str, Worth]:
    """AUC and AP of both and their difference, with intervals from drawing whole units."""
    orders = {name: ranked(abuse, said) for name, said in probability.items()}

    def figures(weight: Floats) -> dict[str, float]:
        found = {f"{name}.auc": roc_auc(order, weight) for name, order in orders.items()}
        found |= {f"{name}.ap": average_precision(order, weight) for name, order in orders.items()}
        for each in ("auc", "ap"):
            found[f"gain.{each}"] = found[f"with_neighbours.{each}"] - found[f"without_neighbours.{each}"]
        return found

    point = figures(np.ones(len(abuse)))
    intervals = bootstrap(figures, cluster, draws=DRAWS, seed=seed)
    leaf = {name: {"value": value, "ci": list(intervals[name])} for name, value in point.items()}
    return {name: Worth(leaf[f"{name}.auc"], leaf[f"{name}.ap"]) for name in (*orders, "gain")}


def _plain(value: float | str | None) -> str | None:
    return None if value is None or value != value else f"{value:g}" if isinstance(value, float) else str(value)  # noqa: PLR0124  # NaN
