"""What the service counts, for Prometheus."""

import os
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

Figure = TypeVar("Figure", Counter, Gauge, Histogram)

BUCKETS_S = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 1.0)


def by(figure: Figure) -> Callable[..., Figure]:
    """The part of a figure that has these labels, looked up once: the library takes a lock and a microsecond for each look."""
    return cache(figure.labels)


class Metrics:
    """One registry per application, so that two in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.decisions = by(Counter("refund_risk_decisions", "Decisions made, by action.", ["action"], registry=self.registry))
        self.reasons = by(Counter("refund_risk_reasons", "Reasons named in decisions, by code.", ["code"], registry=self.registry))
        self.repeated = Counter("refund_risk_repeated", "Questions asked again and answered from the ledger.", registry=self.registry)
        self.degraded = by(Counter("refund_risk_degraded", "Sources that did not answer, by source.", ["source"], registry=self.registry))
        self.errors = by(Counter("refund_risk_errors", "Calls refused or failed, by status.", ["status"], registry=self.registry))
        self.identifiers = by(
            Counter(
                "refund_risk_identifiers",
                "Identifiers that came with calls, by type and what became of them.",
                ["type", "outcome"],
                registry=self.registry,
            )
        )
        self.latency = by(
            Histogram("refund_risk_call_seconds", "Time from body to answer, by route.", ["route"], buckets=BUCKETS_S, registry=self.registry)
        )
        self.stages = by(
            Histogram("refund_risk_stage_seconds", "Time of each stage of a decision.", ["stage"], buckets=BUCKETS_S, registry=self.registry)
        )

        self.drift = by(
            Gauge(
                "refund_risk_score_drift",
                "Population stability index of a worker's last scores against those of training, by how many of them; the highest of all workers.",
                ["window"],
                multiprocess_mode="livemax",
                registry=self.registry,
            )
        )
        self.queue = Gauge(
            "refund_risk_evidence_queue", "Files that wait to be looked at or are.", multiprocess_mode="livesum", registry=self.registry
        )

    def of_all_workers(self) -> CollectorRegistry:
        """The figures of this process, or of all workers together where there are several: then each writes its own to a folder."""
        folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        if folder is None:
            return self.registry
        together = CollectorRegistry()
        MultiProcessCollector(together, folder)  # type: ignore[no-untyped-call]  # ships no types
        return together
