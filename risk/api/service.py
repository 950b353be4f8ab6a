"""What every family of routes shares: the parts of the service, and the one thread on which decisions and events follow each other."""

from collections.abc import Awaitable, Callable, Mapping
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import ParamSpec, TypeVar

import structlog

from data_contracts.question import Question
from data_contracts.score import Score
from risk.api.calls import Gate
from risk.api.edge import Edge, Told
from risk.api.images import Checks
from risk.api.metrics import Metrics
from risk.drift import ScoreDrift
from risk.engine import Engine
from risk.evidence.intake import Intake
from risk.ingest import Ingest
from risk.ledger import Recorded
from risk.turn import Turn

log = structlog.get_logger()
Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Readiness:
    """By part `ok`, or what is not well: the parts without which nothing is decided, and those without which decisions go on degraded."""

    needed: Mapping[str, str]
    besides: Mapping[str, str]

    @property
    def missing(self) -> dict[str, str]:
        """What is needed and not well."""
        return {name: said for name, said in self.needed.items() if said != "ok"}


@dataclass(frozen=True, slots=True)
class Service:
    """What the routes need. `clock` says when a call arrives; `about` is what `/healthz` tells: versions, and whether a model is installed.

    `intake` is null where no files are taken in, `checks` where no pictures are checked.
    `ready` tries every part anew. `drift` holds scores beside those of training, null where the model does not say where they lay.
    `webhook_secret` is the secret of an endpoint by its id; null where nobody is told of anything.
    A question waits at most `evidence_wait_s` for looks at its files that are under way.
    """

    engine: Engine
    ingest: Ingest
    edge: Edge
    gate: Gate
    clock: Callable[[], datetime]
    about: dict[str, str]
    intake: Intake | None = None
    evidence_wait_s: float = 3.0
    checks: Checks | None = None
    drift: ScoreDrift | None = None
    ready: Callable[[], Readiness] = lambda: Readiness({}, {})
    webhook_secret: Callable[[str], str] | None = None


class Desk:
    """A service at work: its parts, its figures, and the thread on which calls take their turn."""

    def __init__(self, service: Service, metrics: Metrics) -> None:
        self.service = service
        self.metrics = metrics
        if service.drift is not None:
            self._show(service.drift.indices())
        self._turn: Turn[Question, Recorded] = Turn(service.engine.handle_all)

    async def in_turn(self, call: Callable[Given, Result], *given: Given.args, **named: Given.kwargs) -> Result:
        """Run it after what came before: a decision sees every earlier one, and SQLite has one writer. Its log lines are the call's."""
        return await self._turn.call(partial(copy_context().run, call, *given, **named))

    def decide(self, question: Question) -> Awaitable[Recorded]:
        """Decide it after what came before, together with what waits beside it; it is on disk when that is there."""
        return self._turn.decision(question)

    def close(self) -> None:
        """Finish what was begun."""
        self._turn.close()

    def count(self, told: Told) -> None:
        """What became of the identifiers of a call: those that name nobody are left out, and that can be seen."""
        for kind, found in told:
            self.metrics.identifiers(kind, found.outcome).inc()
            if found.id is None:
                log.info("identifier_left_out", entity_type=kind.value, outcome=found.outcome.value)

    def gauge(self) -> None:
        """Bring the figures up to date that are not counted."""
        if self.service.intake is not None:
            self.metrics.queue.set(self.service.intake.waiting)

    def _watch(self, score: Score | None) -> None:
        """Hold a score beside those of training."""
        self.gauge()
        if self.service.drift is not None and score is not None:
            self._show(self.service.drift.add(score.probability))

    def _show(self, indices: Mapping[int, float]) -> None:
        """Put the drift of some windows among the figures."""
        for window, index in indices.items():
            self.metrics.drift(str(window)).set(index)

    def note(self, recorded: Recorded, kind: str, took_s: float) -> None:
        """Count and log a decision, without anything personal. `kind`: a call's (`score`), or the `final` one after a provisional one."""
        metrics, record = self.metrics, recorded.record
        metrics.latency(kind).observe(took_s)
        if record is None:
            metrics.repeated.inc()
            log.info("decision_repeated", decision_id=recorded.decision_id, ms=round(took_s * 1000, 2))
            return
        self._watch(record.score)
        metrics.decisions(record.decision.action).inc()
        for code in {finding.code for finding in record.decision.findings}:
            metrics.reasons(code).inc()
        for source in record.degraded:
            metrics.degraded(source).inc()
        for stage, took_ms in record.timings_ms.items():
            metrics.stages(stage).observe(took_ms / 1000)
        log.info(
            "decision_made",
            decision_id=record.decision_id,
            action=record.decision.action.value,
            score=record.score and round(record.score.probability, 3),
            degraded=list(record.degraded),
            provisional=record.provisional,
            ms=round(took_s * 1000, 2),
        )
