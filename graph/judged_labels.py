"""What analysts said, as labels: a judgement on a ring, an entity or a link says something of the requests that it covers.

| judgement | requests covered | label |
|---|---|---|
| ring confirmed, refuted | those of its members | abuse, honest |
| entity or link confirmed | those that came with the entity (of a link: the account's) | abuse |
| entity or link refuted | none: that people share a thing by chance says nothing of what they asked for | - |
| unsure | none | - |

Only requests known strictly before the judgement are covered, and a request that was judged by itself before keeps that: it is the closer look.
Judgements are never erased, and neither are their labels; a later judgement gives a later label, which holds from then on.
"""

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from data_contracts.label import LabelSource, LabelValue
from data_contracts.tables import schema
from graph.events import asked
from graph.judgements import Judgement, Subject, Verdict
from graph.uses import GUEST

_SAYS = {
    (Subject.RING, Verdict.CONFIRMED): LabelValue.ABUSE,
    (Subject.RING, Verdict.REFUTED): LabelValue.HONEST,
    (Subject.ENTITY, Verdict.CONFIRMED): LabelValue.ABUSE,
    (Subject.LINK, Verdict.CONFIRMED): LabelValue.ABUSE,
}


def says(judgement: Judgement) -> LabelValue | None:
    """What it says of the requests it covers; None for nothing."""
    return _SAYS.get((judgement.subject, judgement.verdict))


def labels_of(tables: Mapping[str, pl.DataFrame], judgements: Sequence[Judgement]) -> pl.DataFrame:
    """The rows of the table `labels` that the judgements add, with the source `analyst`, known when they were said; none twice."""
    found = [schema("labels").to_frame()]
    known = tables["labels"] if "labels" in tables else schema("labels").to_frame()
    others = known.filter(pl.col("source") != LabelSource.ANALYST)
    requests = asked(tables).with_columns(buyer=pl.coalesce("account_id", pl.lit(GUEST) + pl.col("request_id")))
    requests = requests.join(tables["refund_requests"].select("request_id", "known_at"), on="request_id", how="left")
    for each in judgements:
        value = says(each)
        if value is None:
            continue
        covered = _covered(tables, requests, each).filter(pl.col("known_at") < each.at)
        judged = others.filter(pl.col("known_at") < each.at)
        new = covered.join(judged, on="request_id", how="anti").select("request_id").unique().sort("request_id")
        row = {"value": value.value, "source": LabelSource.ANALYST.value, "occurred_at": each.at, "known_at": each.at}
        wanted = schema("labels")
        found.append(new.with_columns(pl.lit(said).cast(wanted[name]).alias(name) for name, said in row.items()).select(list(wanted)))
    key = ["request_id", "value", "source", "occurred_at"]
    return pl.concat(found).unique(key, maintain_order=True).join(known, on=key, how="anti", maintain_order="left")


def _covered(tables: Mapping[str, pl.DataFrame], requests: pl.DataFrame, judgement: Judgement) -> pl.DataFrame:
    """The requests that a judgement is about, whenever they came."""
    if judgement.subject is Subject.RING:
        return requests.filter(pl.col("buyer").is_in(list(judgement.members)))
    if "links" not in tables:
        return requests.clear()
    same = (pl.col("entity_type") == str(judgement.entity_type)) & (pl.col("entity_id") == judgement.entity_id)
    links = tables["links"].filter(same & (pl.col("known_at") < judgement.at))
    came_with = pl.concat([requests.join(links.select(key).drop_nulls(), on=key, how="semi") for key in ("request_id", "order_id")])
    return came_with if judgement.account_id is None else came_with.filter(pl.col("account_id") == judgement.account_id)


def guests(members: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Members of a ring as (accounts, requests without an account)."""
    names = tuple(members)
    return tuple(name for name in names if not name.startswith(GUEST)), tuple(name.removeprefix(GUEST) for name in names if name.startswith(GUEST))
