"""A request's evidence as the store knows it: what was measured and counted in its files, which earlier requests showed the same pictures.

As of a moment: only what was known strictly before it. A file counts by its SHA-256, whoever sent it; what we measured ourselves in the bytes that
we hold stands over what the caller says of them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from data_contracts.link import EntityType, Link
from data_contracts.question import Question
from data_contracts.request import Observation, Observer
from data_contracts.score import Measurement
from data_contracts.signal import Reuse
from features.image import reuse
from features.image.signal_kit import Match
from features.streams import micros
from risk.stores.evidence_rows import MOST_USES, EvidenceRows
from risk.stores.history import moment

CHECKS = "evidence_checks"
"""The source that did not answer when bytes lie here and nobody looked at them in time."""
VISION = "vision"
OBSERVER = "observer:"
NO_ANSWER = "no_answer"
SAME_FILE = "same_file"


@dataclass(frozen=True, slots=True)
class Seen:
    """A question with what the store knows of its evidence. `missing`: what was asked in vain. `reuses`: who showed the same pictures before."""

    question: Question
    reuses: tuple[Reuse, ...] = ()
    missing: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """What was known of one file."""

    cluster: str | None
    unreadable: str | None
    findable: bool
    said: tuple[Measurement, ...]
    failed: str | None
    counts: Mapping[str, tuple[int, int]]
    reuses: tuple[Reuse, ...]


class SeenEvidence:
    """Reads the store for one question. `again` is told of files whose measurements are older than `versions`."""

    def __init__(self, rows: EvidenceRows, versions: Mapping[str, str] | None = None, again: Callable[[str], object] = lambda _sha256: None) -> None:
        self.rows = rows
        self._versions = frozenset((versions or {}).items())
        self._again = again

    def joined(self, connection: Connection, question: Question) -> Seen:
        """The question with everything known of its files before its moment; as it is, where none was ever taken in."""
        shas = list(dict.fromkeys(piece.sha256 for piece in question.evidence))
        known = self._known(connection, shas, question)
        if not known:
            return Seen(question)
        missing = {CHECKS: NO_ANSWER} if any(each.cluster is None for each in known.values()) else {}
        missing |= {VISION: NO_ANSWER} if any(each.failed for each in known.values()) else {}
        looked = {sha256: each for sha256, each in known.items() if each.cluster is not None}
        return Seen(
            replace(
                question,
                measurements=_measurements(question, looked),
                observations=_observations(question, looked),
                links=_links(question, looked),
            ),
            tuple(replace(each, evidence_id=piece.evidence_id) for piece in question.evidence for each in _reuses(looked, piece.sha256)),
            missing,
        )

    def _known(self, connection: Connection, shas: list[str], question: Question) -> dict[str, _Known]:
        as_of_us = micros(question.as_of)
        files = dict(self.rows.ask(connection, FILES, shas, as_of_us))
        if not files:
            return {}
        shas = list(files)
        looks = {row[0]: row[1:] for row in self.rows.ask(connection, LOOKS, shas, as_of_us)}
        said = {sha256: list(rows) for sha256, rows in groupby(self.rows.ask(connection, SAID, shas, as_of_us), itemgetter(0))}
        counts = {
            sha256: {row[1]: row[2:] for row in rows} for sha256, rows in groupby(self.rows.ask(connection, COUNTS, shas, as_of_us), itemgetter(0))
        }
        found: dict[str, _Known] = {}
        for sha256 in shas:
            cluster, unreadable, size = looks.get(sha256, (None, None, 0))
            rows = said.get(sha256, [])
            if cluster is not None and not self._versions <= {(row[1], row[2]) for row in rows}:
                self._again(sha256)
            newest = {row[1]: row for row in sorted(rows, key=lambda row: (_number(row[2]), row[3]))}
            failed = next((row[5] for name, row in newest.items() if name.startswith(OBSERVER) and row[5]), None)
            plain = tuple(_measurement(row) for name, row in newest.items() if not name.startswith(OBSERVER))
            reuses = self._reused(connection, sha256, question, as_of_us) if cluster is not None else ()
            found[sha256] = _Known(cluster, unreadable, bool(size), plain, failed, counts.get(sha256, {}), reuses)
        return found

    def _reused(self, connection: Connection, sha256: str, question: Question, as_of_us: int) -> tuple[Reuse, ...]:
        """Who showed the same picture in another request before this one came, and what it was known as besides; nearest first."""
        pairs = [(sha256, 0, SAME_FILE, 1), *self.rows.database.fetch(connection, PAIRS, (sha256, as_of_us, sha256, as_of_us))]
        origins = dict(self.rows.ask(connection, ORIGINS, [pair[0] for pair in pairs], as_of_us))
        found: list[Reuse] = []
        for other, distance, form, whole in pairs:
            about = {"sha256": sha256, "other_sha256": other, "distance": distance, "form": form, "whole": bool(whole)}
            values = (other, question.request.request_id, micros(question.request.known_at))
            uses = {row[0]: row[1] for row in self.rows.database.fetch(connection, USES, values)}
            found += [Reuse(**about, request_id=request_id, account_id=account_id) for request_id, account_id in uses.items()]
            if other in origins:
                found.append(Reuse(**about, origin=origins[other]))
        return tuple(sorted(found, key=lambda each: (each.distance, each.request_id or "", each.other_sha256)))


def strength(reuses: Iterable[Reuse]) -> float:
    """How far a picture is a copy of another, 0 to 1; as the signal `reuse` has it."""
    return max((reuse.strength(Match(each.other_sha256, each.distance, each.form, each.whole)) for each in reuses), default=0.0)


def _number(version: str) -> int:
    return int(version.partition(":")[0])


def _measurement(row: tuple[str, str, str, int, float | None, str | None]) -> Measurement:
    sha256, signal, version, known_us, value, unavailable = row
    return Measurement(
        evidence_id="-", request_id="-", sha256=sha256, signal=signal, version=_number(version), value=value, unavailable=unavailable,
        known_at=moment(known_us),
    )  # fmt: skip


def _reuses(looked: Mapping[str, _Known], sha256: str) -> tuple[Reuse, ...]:
    return looked[sha256].reuses if sha256 in looked else ()


def _measurements(question: Question, looked: Mapping[str, _Known]) -> tuple[Measurement, ...]:
    """Ours, and the caller's of signals that we did not measure."""
    ours: list[Measurement] = []
    for piece in question.evidence:
        known = looked.get(piece.sha256)
        if known is None:
            continue
        mine: dict[str, Any] = {"evidence_id": piece.evidence_id, "request_id": piece.request_id}
        ours += [replace(each, **mine) for each in known.said]
        silent = None if known.reuses or known.findable else known.unreadable or "too_plain"
        value = None if silent else strength(known.reuses)
        ours.append(Measurement(
            **mine, sha256=piece.sha256, signal=reuse.NAME, version=reuse.VERSION, value=value, unavailable=silent, known_at=question.as_of,
        ))  # fmt: skip
        if known.failed:
            ours.append(Measurement(**mine, sha256=piece.sha256, signal=VISION, version=1, unavailable=known.failed, known_at=question.as_of))
    there = {(each.evidence_id, each.signal) for each in ours}
    return (*(each for each in question.measurements if (each.evidence_id, each.signal) not in there), *ours)


def _observations(question: Question, looked: Mapping[str, _Known]) -> tuple[Observation, ...]:
    """What was counted; our own vision stands over what the caller says that vision saw."""
    ours = [
        Observation(
            evidence_id=piece.evidence_id,
            request_id=piece.request_id,
            observer=Observer.VISION,
            attribute=attribute,
            count=count,
            occurred_at=min(piece.occurred_at, moment(known_us)),
            known_at=moment(known_us),
        )
        for piece in question.evidence
        if piece.sha256 in looked
        for attribute, (count, known_us) in looked[piece.sha256].counts.items()
    ]
    there = {(each.evidence_id, each.attribute) for each in ours}
    return (
        *(each for each in question.observations if each.observer is not Observer.VISION or (each.evidence_id, each.attribute) not in there),
        *ours,
    )


def _links(question: Question, looked: Mapping[str, _Known]) -> tuple[Link, ...]:
    """With a link to the picture that each file is a copy of."""
    told = {link.entity_id for link in question.links if link.entity_type is EntityType.IMAGE}
    found = [known.cluster for piece in question.evidence if (known := looked.get(piece.sha256)) is not None]
    request = question.request
    named = [link.account_id for link in question.links] or [request.account_id or (question.order.account_id if question.order else None)]
    return (
        *question.links,
        *(
            Link(
                entity_type=EntityType.IMAGE,
                entity_id=cluster,
                account_id=named[0],
                request_id=request.request_id,
                occurred_at=request.occurred_at,
                known_at=question.as_of,
            )
            for cluster in dict.fromkeys(found)
            if cluster is not None and cluster not in told
        ),
    )


FILES = "SELECT sha256, known_us FROM evidence_files WHERE sha256 IN ({files}) AND known_us < ?"
LOOKS = "SELECT sha256, cluster, unreadable, length(prints) FROM evidence_looks WHERE sha256 IN ({files}) AND known_us < ? ORDER BY version"
SAID = (
    "SELECT sha256, signal, version, known_us, value, unavailable FROM evidence_measurements"
    " WHERE sha256 IN ({files}) AND known_us < ? ORDER BY sha256"
)
COUNTS = (
    "SELECT sha256, attribute, count, known_us FROM evidence_observations"
    " WHERE sha256 IN ({files}) AND known_us < ? ORDER BY sha256, known_us, version"
)
PAIRS = (
    "SELECT other_sha256, distance, form, whole FROM evidence_pairs WHERE sha256 = ? AND known_us < ?"
    " UNION ALL SELECT sha256, distance, form, whole FROM evidence_pairs WHERE other_sha256 = ? AND known_us < ?"
)
ORIGINS = "SELECT sha256, origin FROM evidence_files WHERE sha256 IN ({files}) AND known_us < ? AND origin IS NOT NULL"
USES = f"SELECT request_id, account_id FROM evidence_uses WHERE sha256 = ? AND request_id <> ? AND known_us < ? ORDER BY known_us LIMIT {MOST_USES}"  # noqa: S608  # a number of ours
