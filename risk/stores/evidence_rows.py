"""What the database knows of evidence: files, looks, measurements, pairs of pictures, and which request showed what.

Reads are as of a moment, strictly before it; writes go into a transaction that the caller opened.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection

from data_contracts.link import EntityType, Link
from data_contracts.score import Measurement
from data_contracts.signal import ImageFinding, finding_as_json
from data_contracts.snapshot import Snapshot
from features.image.fingerprint import Print
from features.streams import micros
from risk.stores import tables
from risk.stores.care import GONE
from risk.stores.history import History, moment

MOST_USES = 5
"""Earlier uses of one file that are named; a picture from a shop's page may have a hundred thousand."""


class Prints(msgspec.Struct, frozen=True, array_like=True):
    """The prints of one file, to look for others with and to be found by."""

    for_query: tuple[Print, ...] = ()
    for_index: tuple[Print, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """One signal's answer about one file; a version is a number, with the model's behind a colon where one spoke."""

    signal: str
    version: str
    value: float | None = None
    unavailable: str | None = None
    findings: tuple[ImageFinding, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """What one plug-in saw in one file: pieces by attribute, or why it saw nothing."""

    observer: str
    version: int
    counts: Mapping[str, int]
    failed: str | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """All that came out of looking at one file once; `version` is that of the prints."""

    sha256: str
    version: int
    kind: str
    format: str
    unreadable: str | None
    prints: Prints
    said: tuple[Said, ...]
    counted: tuple[Counted, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """Another file that shows the same picture: how many of 256 bits differ, how it was recognised, and whether the whole of it is shown."""

    other: str
    distance: int
    form: str
    whole: bool


class EvidenceRows:
    """The rows of evidence, over the database of history."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.database = history.database

    def add_file(self, connection: Connection, sha256: str, size_bytes: int, origin: str | None, now_us: int) -> None:
        """Note a file; one that is noted already stays as it is, but for an origin that was not known."""
        columns = ("sha256", "size_bytes", "known_us", "origin", "claimed_until_us")
        self.database.add_many(connection, tables.evidence_files, columns, [(sha256, size_bytes, now_us, origin, 0)])
        if origin is not None:
            statement = "UPDATE evidence_files SET origin = ? WHERE sha256 = ? AND origin IS NULL RETURNING sha256"
            self.database.fetch(connection, statement, (origin, sha256))

    def add_upload(self, connection: Connection, evidence_id: str, sha256: str, now_us: int) -> None:
        """Note that the file came under that id."""
        self.database.add_many(connection, tables.evidence_uploads, ("evidence_id", "sha256", "known_us"), [(evidence_id, sha256, now_us)])

    def claim(self, connection: Connection, sha256: str, now_us: int, until_us: int) -> bool:
        """Take the file to oneself for measuring; false where somebody else has it.

        A claim that ends later than any could that is made now is from before the clock was stepped back: nobody waits for it.
        """
        statement = (
            "UPDATE evidence_files SET claimed_until_us = ? WHERE sha256 = ? AND (claimed_until_us <= ? OR claimed_until_us > ?) RETURNING sha256"
        )
        stepped_back_us = 2 * until_us - now_us
        return bool(self.database.fetch(connection, statement, (until_us, sha256, now_us, stepped_back_us)))

    def renew(self, connection: Connection, sha256: str, held_us: int, until_us: int) -> bool:
        """Keep the file for longer that one has until `held_us`; false where somebody else has it meanwhile."""
        statement = "UPDATE evidence_files SET claimed_until_us = ? WHERE sha256 = ? AND claimed_until_us = ? RETURNING sha256"
        return bool(self.database.fetch(connection, statement, (until_us, sha256, held_us)))

    def release(self, connection: Connection, sha256: str, held_us: int) -> None:
        """Give the file back that one has until `held_us`."""
        self.renew(connection, sha256, held_us, 0)

    def versions(self, connection: Connection, sha256: str) -> set[tuple[str, str]]:
        """The signals that were measured in a file, with the version of each."""
        return set(self.database.fetch(connection, "SELECT signal, version FROM evidence_measurements WHERE sha256 = ?", (sha256,)))

    def lacking(self, connection: Connection, wanted: Mapping[str, str]) -> list[str]:
        """The files in which a wanted version of a signal was not measured yet, in the order in which they came, those that somebody has last.

        Those whose bytes were purged stay as they were measured.
        """
        if not wanted:
            return []
        mine = " OR ".join(["m.signal = ? AND m.version = ?"] * len(wanted))
        query = (
            f"SELECT f.sha256 FROM evidence_files f WHERE NOT {GONE} AND (SELECT COUNT(*) FROM evidence_measurements m"  # noqa: S608  # our own words
            f" WHERE m.sha256 = f.sha256 AND ({mine})) < ? ORDER BY f.claimed_until_us, f.known_us, f.sha256"
        )  # a join would be planned by the statistics of a store that was just filled, and look at every pair of a file and a measurement
        names = [word for pair in wanted.items() for word in pair]
        return [sha256 for (sha256,) in self.database.fetch(connection, query, (*names, len(wanted)))]

    def looks_after(self, connection: Connection, seq: int, version: int) -> list[tuple[int, str, str, Prints]]:
        """Later looks in their order: seq, file, cluster, prints. Those under another version of the prints cannot be compared and stay out."""
        query = "SELECT seq, sha256, cluster, prints FROM evidence_looks WHERE seq > ? AND version = ? ORDER BY seq"
        rows = self.database.fetch(connection, query, (seq, version))
        return [(place, sha256, cluster, _prints(body)) for place, sha256, cluster, body in rows]

    def add_look(self, connection: Connection, look: Look, cluster: str, pairs: Iterable[Pair], now_us: int) -> None:
        """Keep a look, the pairs that it found and what the signals said; what is there under the same version stays as it is."""
        body = msgspec.msgpack.encode(look.prints) if look.prints.for_index or look.prints.for_query else b""
        row = (look.sha256, look.version, now_us, look.kind, look.format, look.unreadable, cluster, body)
        add = self.database.add_many
        add(connection, tables.evidence_looks, LOOK_COLUMNS, [row])
        add(
            connection,
            tables.evidence_pairs,
            PAIR_COLUMNS,
            [(look.sha256, each.other, now_us, each.distance, each.form, int(each.whole)) for each in pairs],
        )
        said = [(look.sha256, each.signal, each.version, now_us, each.value, each.unavailable, _findings(each)) for each in look.said]
        add(connection, tables.evidence_measurements, MEASUREMENT_COLUMNS, said)
        seen = [(look.sha256, each.observer, each.version, name, now_us, count) for each in look.counted for name, count in each.counts.items()]
        add(connection, tables.evidence_observations, OBSERVATION_COLUMNS, seen)

    def link_late(self, connection: Connection, sha256: str, cluster: str, now_us: int) -> None:
        """Requests that showed the file before it was known to be a copy are linked to its picture, from now on."""
        query = "SELECT request_id, account_id, occurred_us FROM evidence_uses WHERE sha256 = ? ORDER BY request_id, revision"
        for request_id, (account_id, occurred_us) in {row[0]: row[1:] for row in self.database.fetch(connection, query, (sha256,))}.items():
            link = Link(
                entity_type=EntityType.IMAGE,
                entity_id=cluster,
                account_id=account_id,
                request_id=request_id,
                occurred_at=moment(occurred_us),
                known_at=moment(now_us),
            )
            self.history.take(connection, (), [link])

    def add_uses(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Note which files requests showed, and how far each had been used before; rows as `uses` makes them."""
        self.database.add_many(connection, tables.evidence_uses, USE_COLUMNS, rows)

    def tell_reuse(self, connection: Connection, revision: int, found: Iterable[Measurement]) -> None:
        """Note what was found out only after the files were used: how far each had been used before."""
        statement = (
            "UPDATE evidence_uses SET reuse = ?, reuse_unavailable = ? WHERE request_id = ? AND revision = ? AND evidence_id = ? RETURNING sha256"
        )
        told = [(each.value, each.unavailable, each.request_id, revision, each.evidence_id) for each in found if each.signal == "reuse"]
        self.database.fetch_each(connection, statement, told)

    def unlooked(self, connection: Connection, shas: Sequence[str]) -> list[str]:
        """Those of the files that were taken in and that nobody has looked at yet."""
        query = (
            "SELECT f.sha256 FROM evidence_files f LEFT JOIN evidence_looks l ON l.sha256 = f.sha256"
            " WHERE f.sha256 IN ({files}) AND l.sha256 IS NULL ORDER BY f.sha256"
        )
        return [sha256 for (sha256,) in self.ask(connection, query, shas)]

    def came_since(self, connection: Connection, shas: Sequence[str], since_us: int) -> int:
        """How many of the files were uploaded from that moment on."""
        query = "SELECT COUNT(DISTINCT sha256) FROM evidence_uploads WHERE sha256 IN ({files}) AND known_us >= ?"
        rows = self.ask(connection, query, shas, since_us)
        return int(rows[0][0]) if rows else 0

    def stored(self, connection: Connection, sha256: str) -> dict[str, Any] | None:
        """What is known of a file: its size, form and every answer of every version, the newest of a signal last; null where it never came."""
        query = (
            "SELECT f.size_bytes, f.known_us, l.kind, l.format, l.unreadable FROM evidence_files f"
            " LEFT JOIN evidence_looks l ON l.sha256 = f.sha256 WHERE f.sha256 = ? ORDER BY l.version DESC LIMIT 1"
        )
        rows = self.database.fetch(connection, query, (sha256,))
        if not rows:
            return None
        size_bytes, known_us, kind, form, unreadable = rows[0]
        query = f"SELECT {', '.join(MEASUREMENT_COLUMNS[1:])} FROM evidence_measurements WHERE sha256 = ? ORDER BY signal, known_us, version"  # noqa: S608  # our own columns
        return {
            "sha256": sha256,
            "bytes": size_bytes,
            "known_at": moment(known_us),
            "kind": kind,
            "format": form,
            "unreadable": unreadable,
            "measurements": [
                {
                    "signal": signal,
                    "version": version,
                    "value": value,
                    "unavailable": unavailable,
                    "known_at": moment(measured_us),
                    "findings": msgspec.json.decode(findings),
                }
                for signal, version, measured_us, value, unavailable, findings in self.database.fetch(connection, query, (sha256,))
            ],
        }

    def ask(self, connection: Connection, query: str, shas: Sequence[str], *values: object) -> list[tuple[Any, ...]]:
        """The rows of a query in which `{files}` stands for the files, which come first among the values."""
        places = ", ".join(["?"] * len(shas))
        return self.database.fetch(connection, query.replace("{files}", places), (*shas, *values)) if shas else []


LOOK_COLUMNS = ("sha256", "version", "known_us", "kind", "format", "unreadable", "cluster", "prints")
PAIR_COLUMNS = ("sha256", "other_sha256", "known_us", "distance", "form", "whole")
MEASUREMENT_COLUMNS = ("sha256", "signal", "version", "known_us", "value", "unavailable", "findings")
OBSERVATION_COLUMNS = ("sha256", "observer", "version", "attribute", "known_us", "count")
USE_COLUMNS = ("request_id", "revision", "evidence_id", "sha256", "account_id", "occurred_us", "known_us", "reuse", "reuse_unavailable")


def uses(revision: int, account_id: str | None, seen: Snapshot) -> list[tuple[Any, ...]]:
    """The files that a request showed, USE_COLUMNS each."""
    reuse = {each.evidence_id: (each.value, each.unavailable) for each in seen.measurements if each.signal == "reuse"}
    return [
        (
            each.request_id,
            revision,
            each.evidence_id,
            each.sha256,
            account_id,
            micros(each.occurred_at),
            micros(each.known_at),
            *reuse.get(each.evidence_id, (None, None)),
        )
        for each in seen.evidence
    ]


def _prints(body: bytes) -> Prints:
    return msgspec.msgpack.decode(body, type=Prints) if body else Prints()


def _findings(said: Said) -> bytes:
    return msgspec.json.encode([finding_as_json(each) for each in said.findings])
