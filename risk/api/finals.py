"""Final decisions after provisional ones: made when the evidence is measured, or when that takes too long, by one worker each.

What waits lies in the store, so any worker finishes what another began; who takes it holds it for a while, and if that worker dies the next one
takes it. A final decision sees what was known before its own moment, like any other, without what the request itself had left.
"""

import asyncio
from dataclasses import replace
from datetime import datetime

import structlog

from data_contracts.errors import ConflictError, SourceUnavailableError
from data_contracts.question import Question
from features.streams import micros
from risk import clock
from risk.api.service import Desk
from risk.stores.pending import Waiting

log = structlog.get_logger()

POLL_S = 0.2
"""How often the store is asked what can be finished; a caller who was told `provisional` waits that much longer at most."""
LEASE_US = 30_000_000
"""How long a worker may take for one final decision before another may try: a decision takes milliseconds."""
MOST = 100
"""Waiting decisions that are looked at in one go."""


class Finals:
    """Finishes what was decided provisionally, as long as the service runs."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.ledger = desk.service.engine.ledger
        self.pending = self.ledger.pending

    async def work(self) -> None:
        """Look again and again; what hinders one round does not end the next."""
        while True:
            try:
                await self.round()
            except SourceUnavailableError as error:
                log.warning("finals_wait", reason=error.message)
            except Exception as error:  # the outermost edge of this task: it must go on
                log.exception("finals_failed", kind=type(error).__name__)
            await asyncio.sleep(POLL_S)

    async def round(self) -> None:
        """Finish what is ready; one that fails for a fault of ours holds up no other. SourceUnavailableError: the store does not answer."""
        for waiting in await asyncio.to_thread(self.ready):
            try:
                await self.finish(waiting)
            except SourceUnavailableError:
                raise
            except Exception as error:
                log.exception("final_failed", kind=type(error).__name__, decision_id=waiting.decision_id)

    def ready(self) -> list[Waiting]:
        """What can be finished now and is this worker's from here on."""
        world_us, now_us = micros(clock.now()), micros(self.desk.service.clock())
        database = self.ledger.database
        with database.reading() as connection:
            found = [
                each
                for each in self.pending.free(connection, world_us, MOST)
                if each.due_us <= now_us or not self.ledger.evidence.unlooked(connection, each.question.awaiting)
            ]
        if not found:
            return []
        with database.writing() as connection:
            return [each for each in found if self.pending.claim(connection, each, world_us, world_us + LEASE_US)]

    async def finish(self, waiting: Waiting) -> None:
        """Make the final decision. One whose request was revised meanwhile has none any more."""
        question = finished(waiting, self.desk.service.clock())
        try:
            recorded = await self.desk.decide(question)
        except ConflictError:
            await self.desk.in_turn(self._forget, question)
            log.info("final_not_due", decision_id=waiting.decision_id)
            return
        self.desk.note(recorded, "final", (question.as_of - question.request.known_at).total_seconds())

    def _forget(self, question: Question) -> None:
        with self.ledger.database.writing() as connection:
            self.pending.remove(connection, question.request.request_id, question.revision)


def finished(waiting: Waiting, now: datetime) -> Question:
    """The question once more, as of now: it came when it came, its links count from now on, and it waits for nothing."""
    links = tuple(replace(link, known_at=now) for link in waiting.question.links)
    return replace(waiting.question, as_of=now, links=links, awaiting=(), follows=waiting.decision_id)
