"""Histories of links, labels and requests: small, and rich in ties, merges, hubs, superseded labels and missing accounts."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import strategies as st

from data_contracts.link import EntityType
from data_contracts.tables import schema
from graph.judgements import Judgement, Subject, Verdict, in_force

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(hour: float) -> datetime:
    return START + timedelta(hours=hour)


def table(name: str, rows: list[dict[str, object]]) -> pl.DataFrame:
    """Rows as a contract table; columns that are not named are null, `occurred_at` is `known_at`."""
    full = [{**dict.fromkeys(schema(name)), "occurred_at": row["known_at"], **row} for row in rows]
    return pl.DataFrame(full, schema=schema(name))


def link(account: str | None, entity: str, hour: float, kind: str = "device", request: str | None = None) -> dict[str, object]:
    return {"entity_type": kind, "entity_id": entity, "account_id": account, "request_id": request, "known_at": at(hour)}


def label(request: str, value: str, hour: float, source: str = "verdict") -> dict[str, object]:
    return {"request_id": request, "value": value, "source": source, "known_at": at(hour)}


def request(name: str, account: str | None, hour: float) -> dict[str, object]:
    return {"request_id": name, "account_id": account, "known_at": at(hour)}


def history(
    requests: list[dict[str, object]], links: list[dict[str, object]], labels: list[dict[str, object]] | None = None
) -> dict[str, pl.DataFrame]:
    return {"refund_requests": table("refund_requests", requests), "links": table("links", links), "labels": table("labels", labels or [])}


@st.composite
def histories(draw: st.DrawFn) -> dict[str, pl.DataFrame]:
    """At most 16 requests, 60 links and 16 labels of up to 16 accounts within a few hours, so that moments coincide."""
    accounts = st.sampled_from([None, *(f"a{number}" for number in range(draw(st.integers(2, 16))))])
    hours = st.integers(0, draw(st.sampled_from([2, 8, 40])))
    asked = [request(f"r{number}", draw(accounts), draw(hours)) for number in range(draw(st.integers(1, 16)))]
    ids = st.sampled_from([row["request_id"] for row in asked])
    kinds = st.sampled_from(["device", "card", "ip"])
    links = st.builds(link, accounts, st.sampled_from(["x", "y", "z"]), hours, kinds, st.one_of(st.none(), st.none(), ids))
    labels = st.builds(label, ids, st.sampled_from(["abuse", "honest"]), hours, st.sampled_from(["verdict", "appeal"]))
    return history(asked, draw(st.lists(links, max_size=60)), draw(st.lists(labels, max_size=16)))


@st.composite
def judgements(draw: st.DrawFn) -> list[Judgement]:
    """Up to four words on entities and links of `histories`, one after the other, some with an end."""
    found = []
    for number in range(draw(st.integers(0, 4))):
        said_at = number + draw(st.integers(0, 12)) + draw(st.sampled_from([0.0, 0.5]))
        account = draw(st.sampled_from([None, "a0", "a1", "a2"]))
        found.append(
            Judgement(
                subject=Subject.ENTITY if account is None else Subject.LINK,
                verdict=draw(st.sampled_from([Verdict.REFUTED, Verdict.REFUTED, Verdict.UNSURE])),
                by="analyst",
                why="a shared tablet",
                at=at(said_at),
                until=draw(st.sampled_from([None, at(said_at + 3)])),
                entity_type=draw(st.sampled_from([EntityType.DEVICE, EntityType.CARD])),
                entity_id=draw(st.sampled_from(["x", "y"])),
                account_id=account,
            )
        )
    return found


def ties_nobody(said: Iterable[Judgement], moment: datetime, kind: str, entity: str, account: str | None) -> bool:
    """Whether that link is refuted for a question of that moment, by a plain reading."""
    holding = in_force(said, moment)
    return any(
        word.verdict is Verdict.REFUTED and (word.entity_type, word.entity_id) == (kind, entity) and word.account_id in (None, account)
        for word in (*holding.entities, *holding.links)
    )
