"""A rehearsal before the first call: made-up claims, decided in a store of their own that is thrown away.

So all that a decision needs is loaded, and compiled where it is new, before anybody waits for it: after an installation or an upgrade the first call
would take ten seconds, and a later one three, in which nobody is answered.
"""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import structlog
from pydantic import TypeAdapter

from data_contracts.errors import SourceUnavailableError
from data_contracts.label import Label, LabelSource, LabelValue
from data_contracts.link import EntityType, Link
from models.ranker.scorer import Scorer
from risk.api.body import RefundRequestBody
from risk.api.edge import Edge
from risk.api.events_body import OrderEventBody
from risk.crabs import crab_claim, crab_orders
from risk.engine import Engine
from risk.gather import Gatherer
from risk.identity import Identifiers, pseudonym
from risk.ingest import Event, Ingest
from risk.jobs.live_graph import LiveGraph
from risk.ledger import Ledger
from risk.stores.database import connect
from risk.stores.history import History
from risk.stores.service_tables import metadata
from risk.stores.timelines import Timelines
from risk.terms import Policy

log = structlog.get_logger()

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
CLAIM, ORDER = TypeAdapter(RefundRequestBody), TypeAdapter(OrderEventBody)
SHARED = (EntityType.DEVICE, EntityType.ADDRESS, EntityType.CARD, EntityType.PHONE, EntityType.IP)
"""What the two buyers of a claim have in common."""
ROUNDS, CROWD = 3, 100
"""How often claims are made, and how many others are heard of each time: so many that the graph's tables grow."""
FEW_EVENTS = 64
"""Events for which there is room in memory: so few that the block of timelines is filled and made anew."""
EDGE = Edge(Identifiers(partial(pseudonym, b"rehearsal")), timedelta(0))


def rehearse(champion: Scorer | None, policy: Policy, currency: str | None) -> None:
    """Decide some claims as the service will. Where there is no room for a store to rehearse in, the first calls take longer, and the log says so."""
    try:
        with tempfile.TemporaryDirectory(prefix="refund-risk-rehearsal-") as folder:
            _play(Path(folder), champion, policy, currency)
    except (OSError, SourceUnavailableError) as error:
        log.warning("rehearsal_failed", error=type(error).__name__, next="the first calls take longer; make room in the folder of temporary files")


def _play(folder: Path, champion: Scorer | None, policy: Policy, currency: str | None) -> None:
    database = connect(f"sqlite:///{folder / 'rehearsal.db'}", 0)
    try:
        with database.writing() as connection:
            metadata.create_all(connection)  # as the revisions would make it, without loading what runs them
        history = History(database)
        source = Gatherer(history, None, LiveGraph(history), currency)
        source.timelines = Timelines(database, FEW_EVENTS)
        engine, ingest = Engine(source, champion, policy, Ledger(history)), Ingest(history, currency)
        for number in range(ROUNDS):
            now = BEGIN + timedelta(days=number)
            claims = crab_claim(now, f"crab-{number}")
            for order in crab_orders(now, f"crab-{number}"):
                ingest.take(EDGE.order_event(ORDER.validate_json(msgspec.json.encode(order)), now - timedelta(hours=1)))
            for body in claims:
                body["links"] = [{"entity_type": kind, "entity_id": f"{kind}-shared"} for kind in SHARED]
            for outcome in engine.handle_all([EDGE.question(CLAIM.validate_json(msgspec.json.encode(body)), now) for body in claims]):
                if isinstance(outcome, Exception):
                    raise outcome  # as it would be with every call
            ingest.take_all(list(_told_late(claims[0], now)))
    finally:
        database.close()


def _told_late(claim: dict[str, Any], now: datetime) -> Iterator[Event]:
    """What is heard of a claim afterwards: how it ended, and what many others used before it was asked."""
    at = now - timedelta(minutes=1)
    yield Label(request_id=claim["request_id"], value=LabelValue.HONEST, source=LabelSource.VERDICT, occurred_at=now, known_at=now)
    for number in range(CROWD):
        name = f"{claim['request_id']}-{number}"
        yield Link(entity_type=EntityType.DEVICE, entity_id=name, account_id=name, occurred_at=at, known_at=at)
