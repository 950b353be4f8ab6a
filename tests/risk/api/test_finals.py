"""Final decisions that follow by themselves: one that cannot be made holds up no other."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from data_contracts.contributions import Scored
from data_contracts.snapshot import Facts
from risk.api.calls import Gate
from risk.api.finals import Finals
from risk.api.metrics import Metrics
from risk.api.service import Desk, Service
from risk.stores.database import Database
from tests.risk.builders import EDGE, NOON, Fixed, an_engine, an_ingest
from tests.risk.test_provisional import MINUTE, hurried

DEAR = 9_900


@dataclass
class Stumbles(Fixed):
    """A champion with a fault that shows at one amount only, and not yet when the provisional decisions are made."""

    stumbles: bool = False

    def score(self, facts: Facts) -> Scored:
        if self.stumbles and facts.values["claimed_amount"] == DEAR:
            raise ZeroDivisionError
        return super().score(facts)


def test_a_final_decision_that_cannot_be_made_holds_up_no_other(database: Database) -> None:
    champion = Stumbles()
    engine = an_engine(database, champion)
    for number, amount in enumerate((DEAR, 2_000, 2_000)):
        engine.handle(hurried(f"r{number}", NOON + timedelta(seconds=number), account_id=f"a{number}", amount_minor=amount))
    service = Service(engine, an_ingest(database), EDGE, Gate(list, lambda: NOON, 1_000, 100), lambda: NOON + MINUTE, {})
    desk = Desk(service, Metrics())
    champion.stumbles = True
    try:
        asyncio.run(Finals(desk).round())
    finally:
        desk.close()
    provisional = {record.request_id: record.provisional for _, record in engine.ledger.records()}
    assert provisional == {"r0": True, "r1": False, "r2": False}
