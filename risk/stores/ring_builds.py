"""Builds of rings and what analysts said, in the database: builds replace none, judgements are never changed."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy import Connection

from features.streams import micros
from graph.judgements import Judgement, check
from graph.lineage import Step
from graph.rings import Build
from risk.stores import tables
from risk.stores.database import Database
from risk.stores.turns import Turn, tell

AGAIN = timedelta(minutes=10)
"""Within it the same words of the same person are one judgement, sent twice; later they cover what came since."""

_BUILD = TypeAdapter(Build)
_JUDGEMENT = TypeAdapter(Judgement)


class RingBuilds:
    """What the job `rings` found, for routes and the next build."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def keep(self, build: Build, made_at: datetime) -> bool:
        """Keep a build; false when one of that moment is kept already, and then nothing changes."""
        row = (micros(build.as_of), micros(made_at), _BUILD.dump_json(build))
        query = "INSERT INTO ring_builds (as_of_us, made_us, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING as_of_us"
        with self.database.writing() as connection:
            return bool(self.database.fetch(connection, query, row))

    def latest(self) -> Build | None:
        """The build of the latest moment; null when there is none."""
        with self.database.reading() as connection:
            rows = self.database.fetch(connection, "SELECT body FROM ring_builds ORDER BY as_of_us DESC LIMIT 1", ())
        return _BUILD.validate_json(rows[0][0]) if rows else None

    def before(self, as_of: datetime) -> Build | None:
        """The last build from strictly before a moment; null when there is none."""
        with self.database.reading() as connection:
            rows = self.database.fetch(connection, "SELECT body FROM ring_builds WHERE as_of_us < ? ORDER BY as_of_us DESC LIMIT 1", (micros(as_of),))
        return _BUILD.validate_json(rows[0][0]) if rows else None

    def latest_moment_us(self) -> int | None:
        """The moment of the latest build, which tells whether a build at hand is still the latest."""
        with self.database.reading() as connection:
            found: int | None = self.database.fetch(connection, "SELECT MAX(as_of_us) FROM ring_builds", ())[0][0]
        return found

    def history_of(self, ring_id: str) -> list[Step]:
        """Every step of a ring through all builds, in the order of time; steps of others that name it are among them."""
        with self.database.reading() as connection:
            rows = self.database.fetch(connection, "SELECT body FROM ring_builds ORDER BY as_of_us", ())
        return [step for (body,) in rows for step in _BUILD.validate_json(body).steps if ring_id in (step.ring_id, step.other_id)]

    def judge(self, judgement: Judgement) -> Judgement:
        """Keep what an analyst said, and give it back; the first where the same was said within `AGAIN`. ContractError: it is incomplete."""
        body = _JUDGEMENT.dump_json(check(judgement))
        with self.database.writing() as connection:
            last = next((each for each in reversed(self.judgements(connection)) if each.about == judgement.about), None)
            if last is not None and judgement.at - last.at < AGAIN and replace(last, at=judgement.at) == judgement:
                return last
            self._add(connection, [body], judgement.at)
        return judgement

    def add_new(self, said: Sequence[Judgement]) -> int:
        """Keep those of these words that are not kept yet; how many that were. ContractError: one is incomplete."""
        bodies = [_JUDGEMENT.dump_json(check(each)) for each in said]
        with self.database.writing() as connection:
            there = {bytes(body) for (body,) in self.database.fetch(connection, "SELECT body FROM ring_judgements", ())}
            new = [body for body in dict.fromkeys(bodies) if body not in there]
            if new:
                self._add(connection, new, max(each.at for each in said))
        return len(new)

    def _add(self, connection: Connection, bodies: Iterable[bytes], at: datetime) -> None:
        self.database.add_many(connection, tables.ring_judgements, ("body",), [(body,) for body in bodies])
        tell(self.database, connection, [Turn(judged=True)], micros(at))

    def judgements(self, connection: Connection) -> Sequence[Judgement]:
        """All that was ever said, in the order of saying."""
        rows = self.database.fetch(connection, "SELECT body FROM ring_judgements ORDER BY judgement_no", ())
        return tuple(_JUDGEMENT.validate_json(body) for (body,) in rows)
