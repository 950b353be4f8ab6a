"""A request's evidence as the store knows it: what was measured and counted in its files, which earlier requests showed the same pictures.

As of a moment: only what was known strictly before it. A file counts by its SHA-256, whoever sent it; what we measured ourselves in the bytes that
we hold stands over what the caller says of them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from data_contracts.link import EntityType, Link
from data_contracts.question import Question
from data_contracts.request import Evidence, Observation, Observer
from data_contracts.score import Measurement
from data_contracts.signal import Reuse
from data_contracts.unchecked import unchecked
from features.image import reuse
from features.image.signal_kit import Match
from features.streams import micros
from risk.evidence.shown import Row, Shown, read_shown
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
    said: tuple[Row, ...]
    failed: str | None
    counts: Mapping[str, tuple[int, int]]
    reuses: tuple[Reuse, ...]


class SeenEvidence:
    """Reads the store for some questions. `again` is told of files whose measurements are older than `versions`."""

    def __init__(self, rows: EvidenceRows, versions: Mapping[str, str] | None = None, again: Callable[[str], object] = lambda _sha256: None) -> None:
        self.rows = rows
        self._versions = frozenset((versions or {}).items())
        self._again = again

    def read(self, connection: Connection, questions: Sequence[Question]) -> Shown:
        """Everything that is known of the files that these questions name, and who showed their pictures before."""
        return read_shown(self.rows.database, connection, questions)

    def joined(self, question: Question, shown: Shown) -> Seen:
        """The question with everything known of its files before its moment; as it is, where none was ever taken in."""
        as_of_us = micros(question.as_of)
        shas = dict.fromkeys(piece.sha256 for piece in question.evidence)
        known = {sha256: self._known(sha256, question, shown) for sha256 in shas if shown.of("files", sha256, as_of_us)}
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

    def _known(self, sha256: str, question: Question, shown: Shown) -> _Known:
        as_of_us = micros(question.as_of)
        look = max(shown.of("looks", sha256, as_of_us), key=itemgetter(6), default=None)
        cluster, unreadable, size = (look[2], look[3], look[5]) if look else (None, None, 0)
        rows = shown.of("said", sha256, as_of_us)
        if cluster is not None and not self._versions <= {(row[2], row[4]) for row in rows}:
            self._again(sha256)
        newest = {row[2]: row for row in sorted(rows, key=lambda row: (_number(row[4]), row[1]))}
        failed = next((row[3] for name, row in newest.items() if name.startswith(OBSERVER) and row[3]), None)
        plain = tuple(row for name, row in newest.items() if not name.startswith(OBSERVER))
        counts = {row[2]: (row[5], row[1]) for row in sorted(shown.of("counts", sha256, as_of_us), key=itemgetter(1, 6))}
        reuses = _reused(sha256, question, shown) if cluster is not None else ()
        return _Known(cluster, unreadable, bool(size), plain, failed, counts, reuses)


def _reused(sha256: str, question: Question, shown: Shown) -> tuple[Reuse, ...]:
    """Who showed the same picture in another request before this one came, and what it was known as besides; nearest first."""
    as_of_us, request_id = micros(question.as_of), question.request.request_id
    found: list[Reuse] = []
    for other, form, distance, whole in [(sha256, SAME_FILE, 0, 1), *(itemgetter(2, 3, 5, 6)(row) for row in shown.of("pairs", sha256, as_of_us))]:
        about = {"sha256": sha256, "other_sha256": other, "distance": distance, "form": form, "whole": bool(whole)}
        late = [row for name, row in shown.since if name == other and row[0] != request_id and row[2] < micros(question.request.known_at)]
        before = sorted((row for row in shown.rows["uses"].get(other, ()) if row[2] == request_id), key=itemgetter(1, 3))
        uses = {row[0]: row[1] for row in [*(row[3:5] for row in before), *late][:MOST_USES]}
        found += [Reuse(**about, request_id=name, account_id=account_id) for name, account_id in uses.items()]
        files = shown.of("files", other, as_of_us) or shown.of("copies", other, as_of_us)
        found += [Reuse(**about, origin=row[2]) for row in files if row[2] is not None]
    return tuple(sorted(found, key=lambda each: (each.distance, each.request_id or "", each.other_sha256)))


def strength(reuses: Iterable[Reuse]) -> float:
    """How far a picture is a copy of another, 0 to 1; as the signal `reuse` has it."""
    return max((reuse.strength(Match(each.other_sha256, each.distance, each.form, each.whole)) for each in reuses), default=0.0)


@lru_cache(maxsize=1_024)
def _number(version: str) -> int:
    return int(version.partition(":")[0])


_moment = lru_cache(maxsize=1_024)(moment)
"""All that one look measured was known at one moment."""

_measured = unchecked(Measurement)
"""What we measured ourselves was checked when it was kept: a file has two dozen measurements, and each check takes as long as ten."""


def _measurement(row: Row, piece: Evidence) -> Measurement:
    sha256, known_us, signal, unavailable, version, _, value = row
    return _measured(
        evidence_id=piece.evidence_id,
        request_id=piece.request_id,
        sha256=sha256,
        signal=signal,
        version=_number(version),
        value=value,
        unavailable=unavailable,
        known_at=_moment(known_us),
    )


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
        ours += [_measurement(row, piece) for row in known.said]
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
