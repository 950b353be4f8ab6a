"""Raw identifiers to entities: the normaliser of each type, what became of every identifier, and placeholders that show by their frequency."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

import polars as pl

from data_contracts.link import EntityType
from graph.normalise import Normal, Outcome, address, card, device, ip, phone, spelled, unsaid
from graph.templates import reduced
from graph.uses import Seen


class Read(NamedTuple):
    """The identifiers that were read, None where one was not kept, and how many had which outcome."""

    values: list[str | None]
    outcomes: Mapping[Outcome, int]


def normaliser(entity_type: EntityType, region: str) -> Callable[[str], Normal]:
    """The function that brings identifiers of a type into one form; `region` is where telephone numbers without country code are dialled."""
    known: Mapping[EntityType, Callable[[str], Normal]] = {
        EntityType.ADDRESS: address,
        EntityType.CARD: card,
        EntityType.DEVICE: device,
        EntityType.IP: ip,
        EntityType.PHONE: lambda text: phone(text, region),
        EntityType.TEXT: _text,
    }
    return known.get(entity_type, _as_it_is)


OPAQUE = "opaque:"
"""Before what cannot be read as what it is said to be, such as a shop's own token for a card: it still equals itself."""

NOBODY = (Outcome.EMPTY, Outcome.PLACEHOLDER, Outcome.SELF, Outcome.COMMON)
"""Outcomes of identifiers that link nobody."""


@lru_cache(maxsize=100_000)
def one_form(entity_type: EntityType, raw: str, region: str) -> Normal:
    """The form in which an identifier is hashed. What cannot be read is taken word by word; what names nobody has no form."""
    found = normaliser(entity_type, region)(raw)
    if found.outcome is not Outcome.MALFORMED:
        return found
    return Normal(OPAQUE + spelled(raw), Outcome.MALFORMED)


def normalise_all(entity_type: EntityType, raws: Iterable[str | None], region: str) -> Read:
    """Every identifier in its one form, each distinct one worked out once; a null one is EMPTY."""
    one = normaliser(entity_type, region)
    known: dict[str, Normal] = {}
    values: list[str | None] = []
    outcomes = dict.fromkeys(Outcome, 0)
    for raw in raws:
        if raw is None:
            found = Normal(None, Outcome.EMPTY)
        else:
            if raw not in known:
                known[raw] = one(raw)
            found = known[raw]
        values.append(found.value)
        outcomes[found.outcome] += 1
    return Read(values, outcomes)


PLACEHOLDER_SHARE = 0.02
"""Share of all buyers from which one device, card or phone cannot be somebody's own."""

PLACEHOLDER_USERS = 200
"""And it needs so many buyers: in a small data set everything is a large share."""

OWN = (EntityType.DEVICE, EntityType.CARD, EntityType.PHONE)


def placeholders_by_frequency(seen: Seen) -> pl.DataFrame:
    """entity_type, entity_id, users: things of one's own that so many buyers use that they stand for nothing, e.g. the hash of an all-zero id."""
    buyers = seen.uses["buyer"].n_unique()
    users = seen.uses.filter(pl.col("entity_type").is_in([str(kind) for kind in OWN])).group_by("entity_type", "entity_id")
    counted = users.agg(users=pl.len())
    many = (pl.col("users") >= PLACEHOLDER_USERS) & (pl.col("users") >= PLACEHOLDER_SHARE * buyers)
    return counted.filter(many).sort(["users", "entity_type", "entity_id"], descending=[True, False, False])


def _as_it_is(raw: str) -> Normal:
    reason = unsaid(raw)
    return Normal(None, reason) if reason else Normal(raw.strip(), Outcome.KEPT)


def _text(raw: str) -> Normal:
    words = reduced(raw)
    return Normal(words, Outcome.KEPT) if words else Normal(None, Outcome.EMPTY)
