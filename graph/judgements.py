"""What analysts said about rings, entities and links: kept in the order in which it was said, never changed, never erased.

The last judgement of a subject that is in force at a moment holds from then on, until its own end. A refuted link or entity ties nobody in the
next build; a refuted ring is not listed while it is made of the people it was judged for; a confirmed one stays together.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from data_contracts.errors import ContractError
from data_contracts.fields import Id, Moment, Text
from data_contracts.link import EntityType

FILE = Path("rings", "judgements.jsonl")
"""Where the judgements on a data set lie in its folder."""


class Verdict(StrEnum):
    """What an analyst holds a subject for."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNSURE = "unsure"


class Subject(StrEnum):
    """What a judgement is about."""

    RING = "ring"
    ENTITY = "entity"
    LINK = "link"


@checked(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One judgement: who said what about which subject, when and why; `until` is its end, null for none.

    A ring is named by `ring_id` with its `members` of that moment; an entity by type and id; a link by its entity and `account_id`.
    """

    subject: Subject
    verdict: Verdict
    by: Id
    why: Text
    at: Moment
    until: Moment | None = None
    ring_id: Id | None = None
    members: tuple[Id, ...] = ()
    entity_type: EntityType | None = None
    entity_id: Id | None = None
    account_id: Id | None = None

    @property
    def about(self) -> tuple[str, ...]:
        """What tells its subject from others."""
        if self.subject is Subject.RING:
            return (self.subject, self.ring_id or "")
        entity = (self.subject, self.entity_type or "", self.entity_id or "")
        return entity if self.subject is Subject.ENTITY else (*entity, self.account_id or "")


@dataclass(frozen=True, slots=True)
class InForce:
    """The judgements that hold at a moment, by subject."""

    rings: tuple[Judgement, ...] = ()
    entities: tuple[Judgement, ...] = ()
    links: tuple[Judgement, ...] = ()


_NEEDED = {
    Subject.RING: ("ring_id", "members"),
    Subject.ENTITY: ("entity_type", "entity_id"),
    Subject.LINK: ("entity_type", "entity_id", "account_id"),
}
_RECORD = TypeAdapter(Judgement)


def check(judgement: Judgement) -> Judgement:
    """The same judgement. ContractError: it does not name its subject, gives no reason, or ends before it begins."""
    for name in _NEEDED[judgement.subject]:
        if not getattr(judgement, name):
            message = f"a judgement about a {judgement.subject} came without {name}; expected {', '.join(_NEEDED[judgement.subject])}"
            raise ContractError(message, field=name)
    if not judgement.why.strip():
        message = "a judgement came without a reason; expected a sentence in `why`"
        raise ContractError(message, field="why")
    if judgement.until is not None and judgement.until <= judgement.at:
        message = f"until {judgement.until.isoformat()} is not after at {judgement.at.isoformat()}; leave it out for no end"
        raise ContractError(message, field="until")
    return judgement


def in_force(judgements: Iterable[Judgement], as_of: datetime) -> InForce:
    """What holds as of a moment: said strictly before it, not ended by it, and the last word on its subject.

    A later word replaces an earlier one for good: when it ends, the earlier one does not come back.
    """
    last = {judgement.about: judgement for judgement in sorted(judgements, key=lambda each: each.at) if judgement.at < as_of}
    holding = [each for each in last.values() if each.until is None or each.until >= as_of]
    rings, entities, links = (tuple(each for each in holding if each.subject is subject) for subject in Subject)
    return InForce(rings, entities, links)


def append(path: Path, judgement: Judgement) -> None:
    """Add one line to the file. ContractError: the judgement is incomplete, or the file cannot be written."""
    line = _RECORD.dump_json(check(judgement)) + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        message = f"{path} cannot be written ({error.strerror or error}); expected a file that you may add to"
        raise ContractError(message) from error


def read(path: Path) -> Sequence[Judgement]:
    """All judgements of a file in their order; none when there is no file. ContractError: a line is damaged."""
    if not path.exists():
        return ()
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            found.append(check(_RECORD.validate_json(line)))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            message = f"{path} line {number}, {where or 'the line'}: {first['msg']}; nothing is skipped, so repair the line"
            raise ContractError(message, field=where or None) from error
    return tuple(found)
