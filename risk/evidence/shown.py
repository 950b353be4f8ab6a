"""What the store holds of the files that questions name, read in one statement; in a second one of their copies, where there are any."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from data_contracts.link import EntityType
from data_contracts.question import Question
from data_contracts.snapshot import Snapshot
from features.streams import micros
from risk.stores.database import Database
from risk.stores.evidence_rows import MOST_USES

Row = tuple[Any, ...]
"""The file, when the rest was known, and five columns that each kind of row uses its way."""

TOLD = ("files", "looks", "said", "counts", "pairs", "uses", "copies")
"""What a row of a file tells of. A copy is a file that pairs with one that was named."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the store holds of the files that some questions name: rows by what they tell of (`TOLD`) and by file."""

    rows: Mapping[str, dict[str, list[Row]]] = field(default_factory=lambda: {name: {} for name in TOLD})
    since: list[tuple[str, Row]] = field(default_factory=list)  # file, and who showed it

    def of(self, table: str, sha256: str, before_us: int) -> list[Row]:
        """The rows of a file that were known before that moment."""
        return [row for row in self.rows[table].get(sha256, ()) if row[1] < before_us]

    def take(self, rows: Iterable[Row]) -> None:
        """What was read, each row behind what it tells of."""
        for row in rows:
            self.rows[row[0]].setdefault(row[1], []).append(row[1:])

    def touched(self, question: Question) -> bool:
        """Whether a question decided since it was read showed a picture of this one."""
        named = {sha256 for sha256, _ in self.since}
        mine = {piece.sha256 for piece in question.evidence}
        return bool(self.since) and not named.isdisjoint(mine | {row[2] for sha256 in mine for row in self.rows["pairs"].get(sha256, ())})

    def add(self, seen: Snapshot) -> None:
        """A question that was just decided: the ones after it see what it showed."""
        buyer = next((entity.id for entity in seen.entities if entity.type is EntityType.ACCOUNT), None)
        row = (seen.request.request_id, buyer, micros(seen.as_of))
        self.since.extend((piece.sha256, row) for piece in seen.evidence)


def read_shown(database: Database, connection: Connection, questions: Sequence[Question]) -> Shown:
    """Everything that is known of the files that these questions name, and who showed their pictures before."""
    shown = Shown()
    asked = dict.fromkeys(
        (piece.sha256, question.request.request_id, micros(question.request.known_at)) for question in questions for piece in question.evidence
    )
    shown.take(database.given(connection, OF_FILES, GIVEN, list(asked)))
    pairs = shown.rows["pairs"]
    copies = dict.fromkeys((row[2], *question) for sha256, *question in asked for row in pairs.get(sha256, ()))
    shown.take(database.given(connection, OF_COPIES, GIVEN, [each for each in copies if each not in asked]))
    return shown


GIVEN = ("text", "text", "bigint")
"""A file, the request that asks about it, and the moment before which others must have shown it."""

_ASKED = "WITH asked AS (SELECT c0, c1, c2 FROM {given}), named AS (SELECT DISTINCT c0 AS name FROM asked) "

_SAID = """
    'said', sha256, known_us, signal, unavailable, version, CAST(NULL AS BIGINT), value
    FROM named CROSS JOIN evidence_measurements WHERE sha256 = name
"""

_USES = f"""
    'uses', sha256, known_us, c1, request_id, account_id, NULL, NULL FROM asked CROSS JOIN evidence_uses
    WHERE sha256 = c0 AND request_id <> c1 AND known_us < c2 AND known_us <= COALESCE(
        (SELECT u.known_us FROM evidence_uses u WHERE u.sha256 = c0 AND u.request_id <> c1 AND u.known_us < c2
        ORDER BY u.known_us LIMIT 1 OFFSET {MOST_USES - 1}), c2)
"""  # noqa: S608  # a number

OF_FILES = _ASKED + " UNION ALL ".join(
    f"SELECT {part}"
    for part in (
        _SAID,
        "'files', sha256, known_us, origin, NULL, NULL, NULL, NULL FROM named CROSS JOIN evidence_files WHERE sha256 = name",
        "'looks', sha256, known_us, cluster, unreadable, NULL, length(prints), version FROM named CROSS JOIN evidence_looks WHERE sha256 = name",
        "'counts', sha256, known_us, attribute, NULL, NULL, count, version FROM named CROSS JOIN evidence_observations WHERE sha256 = name",
        "'pairs', sha256, known_us, other_sha256, form, NULL, distance, whole FROM named CROSS JOIN evidence_pairs WHERE sha256 = name",
        "'pairs', other_sha256, known_us, sha256, form, NULL, distance, whole FROM named CROSS JOIN evidence_pairs WHERE other_sha256 = name",
        _USES,
    )
)
OF_COPIES = (
    f"{_ASKED} SELECT 'copies', sha256, known_us, origin, NULL, NULL, NULL, NULL FROM named CROSS JOIN evidence_files WHERE sha256 = name"  # noqa: S608
    f" UNION ALL SELECT {_USES}"
)
