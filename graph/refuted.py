"""Links and entities that analysts refuted, as stretches of time: from the moment after one said so until it ended or another one spoke."""

from collections.abc import Iterable
from typing import NamedTuple

from data_contracts.timeline import NEVER, Entity
from graph.events import microseconds
from graph.judgements import Judgement, Subject, Verdict


class Refuted(NamedTuple):
    """Refuted after `from_us` and up to `until_us`, both as questions count; without an account the entity as a whole."""

    entity: Entity
    account_id: str | None
    from_us: int
    until_us: int


def refuted(judgements: Iterable[Judgement]) -> list[Refuted]:
    """When each entity and each link was refuted; a later word on the same subject replaces an earlier one for good."""
    by_subject: dict[tuple[str, ...], list[Judgement]] = {}
    for each in sorted(judgements, key=lambda one: one.at):
        if each.subject is not Subject.RING:
            by_subject.setdefault(each.about, []).append(each)
    found = []
    for words in by_subject.values():
        for number, word in enumerate(words):
            if word.verdict is not Verdict.REFUTED or word.entity_type is None or word.entity_id is None:
                continue
            ends = [microseconds(word.until)] if word.until is not None else []
            ends += [microseconds(words[number + 1].at)] if number + 1 < len(words) else []
            found.append(Refuted(Entity(word.entity_type, word.entity_id), word.account_id, microseconds(word.at), min(ends, default=NEVER)))
    return found
