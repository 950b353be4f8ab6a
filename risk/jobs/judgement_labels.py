"""Analysts' judgements on a data set become labels in its table; `risk/judged.py` does the same in the service.

It may run again at any time: a label that is there is not given twice. `graph/judged_labels.py` says which requests a judgement covers.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from data_contracts.tables import schema
from graph.judged_labels import labels_of
from graph.judgements import FILE, Judgement, read
from risk.jobs.read_tables import read_tables, write_table
from risk.jobs.rings import Said, judge_ring
from risk.judged import Labelled


@dataclass(frozen=True, slots=True)
class Judged:
    """What was said of a ring, and how many labels it added to the data set."""

    judgement: Judgement
    labels: int


def judge(folder: Path, ring_id: str, said: Said) -> Judged:
    """Keep a judgement on a ring of the last build and label the requests that it covers. NotFoundError, ContractError: as `rings.ring`."""
    judgement = judge_ring(folder, ring_id, said)
    return Judged(judgement, label_judgements(folder).labels)


def label_judgements(folder: Path) -> Labelled:
    """Add to the labels of a data set what its `rings/judgements.jsonl` says of requests. ContractError: a file is damaged."""
    tables = read_tables(folder)
    said = read(folder / FILE)
    new = labels_of(tables, said)
    if not new.is_empty():
        before = tables["labels"] if "labels" in tables else schema("labels").to_frame()
        write_table(pl.concat([before, new]), folder / "labels.parquet")
    return Labelled(len(said), new.height)
