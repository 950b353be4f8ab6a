"""What analysts said of rings, entities and links becomes labels in the service's history, through the same door as every other label.

`graph/judged_labels.py` says which requests a judgement covers.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from data_contracts.label import Label, LabelSource
from data_contracts.link import EntityType
from data_contracts.timeline import Stream
from features.streams import micros
from graph.judged_labels import guests, says
from graph.judgements import Judgement, Subject
from risk.ingest import Ingest, LabelTold
from risk.stores.history import History


@dataclass(frozen=True, slots=True)
class Labelled:
    """How many judgements there are, and how many labels they added."""

    judgements: int
    labels: int


def ingest_judgements(ingest: Ingest, judgements: Iterable[Judgement]) -> Labelled:
    """Give the service's history the labels of these judgements, in the order in which they were said.

    Called right after a judgement is kept, and with all of them at start: so a crash between the two loses nothing.
    """
    said = sorted(judgements, key=lambda each: each.at)
    added = 0
    for each in said:
        value = says(each)
        if value is None:
            continue
        with ingest.history.database.reading() as connection:
            covered = [name for name in _covered(ingest.history, connection, each) if not _judged(ingest.history, connection, name, each)]
        for request_id in covered:
            label = Label(request_id=request_id, value=value, source=LabelSource.ANALYST, occurred_at=each.at, known_at=each.at)
            added += ingest.take(LabelTold(label, each.by))
    return Labelled(len(said), added)


def _covered(history: History, connection: Connection, judgement: Judgement) -> list[str]:
    """The requests that a judgement is about, known strictly before it."""
    if judgement.subject is Subject.RING:
        accounts, nameless = guests(judgement.members)
        found = {name for account in accounts for name in _requests_of(history, connection, EntityType.ACCOUNT, account, judgement)}
        before = {name for name in nameless for _, _, row in history.request_events(connection, name) if row[2] < micros(judgement.at)}
        return sorted(found | before)
    if judgement.entity_type is None or judgement.entity_id is None:
        return []
    found = _requests_of(history, connection, judgement.entity_type, judgement.entity_id, judgement)
    if judgement.account_id is not None:
        found &= _requests_of(history, connection, EntityType.ACCOUNT, judgement.account_id, judgement)
    return sorted(found)


def _requests_of(history: History, connection: Connection, kind: EntityType, name: str, judgement: Judgement) -> set[str]:
    query = "SELECT event_id FROM timeline_events WHERE entity_type = ? AND entity_id = ? AND stream = ? AND known_us < ?"
    key = (kind.value, name, Stream.REQUEST.value, micros(judgement.at))
    return {request_id for (request_id,) in history.database.fetch(connection, query, key)}


def _judged(history: History, connection: Connection, request_id: str, judgement: Judgement) -> bool:
    """Whether somebody judged the request by itself before."""
    return any(label.source is not LabelSource.ANALYST and label.known_at < judgement.at for label in history.labels(connection, request_id))
