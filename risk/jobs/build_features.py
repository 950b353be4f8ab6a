"""From tables to one feature row a request, as of the moment that the request came in: what training, evaluation and batch scoring read."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from data_contracts.discount import Discount
from data_contracts.tables import TIME, schema
from features.batch import compute_batch
from features.projection import currency_of
from features.slow import slow_questions, slow_states, states_at, states_for
from graph.components import component_facts
from graph.discount import learned, months
from graph.judgements import FILE, Judgement, read
from graph.neighbours import neighbour_facts
from models.ranker.dataset import latest_labels
from risk.jobs.read_tables import read_tables
from risk.stores.discounts import SETTLED, StoredDiscounts
from risk.stores.feature_store import FeatureStore


def build_features(folder: Path) -> pl.DataFrame:
    """request_id, as_of, every feature, label (1 abuse, 0 honest) and label_known_at, in the order of (as_of, request_id).

    Features hold only what was known before as_of, and honour what analysts had said by then; the label is the latest there is, null when nobody
    judged. ContractError: a bad file.
    """
    return features_of(read_tables(folder), read(folder / FILE))


def write_features(folder: Path, out: Path) -> dict[str, object]:
    """The same as a Parquet file; how much it is and how many seconds it took comes back."""
    begin = time.perf_counter()
    frame = build_features(folder)
    out.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(out)
    features = [name for name in frame.columns if name not in BESIDE]
    return {
        "rows": frame.height,
        "features": len(features),
        "labelled": frame["label"].count(),
        "seconds": time.perf_counter() - begin,
        "file": str(out),
    }


BESIDE = ("request_id", "as_of", "label", "label_known_at")
"""The columns of a feature frame that are no features."""


def features_of(tables: Mapping[str, pl.DataFrame], judgements: Sequence[Judgement] = ()) -> pl.DataFrame:
    """The same from tables and analysts' words in memory. The `truth` table is not read."""
    known = {name: frame for name, frame in tables.items() if name != "truth"}
    frame = compute_batch(known, given=graph_facts(known, judgements), slow=slow_facts(known), discounts=discounts_for(known))
    labels = latest_labels(known.get("labels", pl.DataFrame(schema=schema("labels"))))
    return frame.join(labels, on="request_id", how="left", maintain_order="left").with_columns(pl.col("label_known_at").cast(TIME))


def graph_facts(tables: Mapping[str, pl.DataFrame], judgements: Sequence[Judgement] = ()) -> pl.DataFrame:
    """request_id and what the graph says of the buyer: her component, and what her neighbours are like; refuted links join nobody."""
    around = neighbour_facts(tables, currency_of(tables), judgements)
    return component_facts(tables, judgements).join(around, on="request_id", how="left", maintain_order="left")


def slow_facts(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame | None:
    """request_id and the slow features as of each request's last midnight, through the feature store; null when there is no state of anything."""
    questions = slow_questions(tables)
    states = slow_states(tables, states_for(questions))
    if all(frame.is_empty() for frame in states.values()):
        return None
    with TemporaryDirectory(prefix="refund-risk-features-") as folder:
        store = FeatureStore(Path(folder))
        store.publish(states, online=False)
        return store.training_join(questions)


def discounts_for(tables: Mapping[str, pl.DataFrame]) -> tuple[Discount, ...]:
    """What was learned of shared things before each month in which a request came."""
    first, last = (tables["refund_requests"]["known_at"].min(), tables["refund_requests"]["known_at"].max())
    return learned(tables, months(first, last)) if isinstance(first, datetime) and isinstance(last, datetime) else ()


def publish_discounts(tables: Mapping[str, pl.DataFrame], moment: datetime, store: StoredDiscounts, *, anew: bool = False) -> int:
    """Learn the months up to the moment that the service has no tables of, or all `anew` where history itself is new; how many it has then."""
    first = tables["refund_requests"]["known_at"].min() if "refund_requests" in tables else None
    if not isinstance(first, datetime):
        return 0
    there, last = set() if anew else {each.at for each in store.all()}, moment - SETTLED
    return store.keep(learned(tables, [each for each in months(min(first, last), last) if each not in there]))


def publish_slow(tables: Mapping[str, pl.DataFrame], moment: datetime, store: FeatureStore) -> dict[str, int]:
    """Bring the service's slow features to the last midnight at or before the moment; how many entities were written, by view."""
    return store.publish(slow_states(tables, states_at(tables, moment)))
