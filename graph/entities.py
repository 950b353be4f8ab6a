"""Raw identifiers to entities: the normaliser of each type, what has no form, and from which frequency on something is nobody's own."""

from collections.abc import Callable, Mapping
from functools import lru_cache

from data_contracts.link import EntityType
from graph.normalise import Normal, Outcome, address, card, device, ip, phone, spelled, unsaid
from graph.templates import reduced


def normaliser(entity_type: EntityType, region: str) -> Callable[[str], Normal]:
    """The function that brings identifiers of a type into one form; `region` is where telephone numbers without country code are dialled."""
    if entity_type is EntityType.PHONE:
        return lambda text: phone(text, region)
    return _NORMALISERS.get(entity_type, _as_it_is)


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


PLACEHOLDER_SHARE = 0.02
"""Share of all buyers from which one device, card or phone cannot be somebody's own."""

PLACEHOLDER_USERS = 200
"""And it needs so many buyers: in a small data set everything is a large share."""

OWN = (EntityType.DEVICE, EntityType.CARD, EntityType.PHONE)


def _as_it_is(raw: str) -> Normal:
    reason = unsaid(raw)
    return Normal(None, reason) if reason else Normal(raw.strip(), Outcome.KEPT)


def _text(raw: str) -> Normal:
    words = reduced(raw)
    return Normal(words, Outcome.KEPT) if words else Normal(None, Outcome.EMPTY)


_NORMALISERS: Mapping[EntityType, Callable[[str], Normal]] = {
    EntityType.ADDRESS: address,
    EntityType.CARD: card,
    EntityType.DEVICE: device,
    EntityType.IP: ip,
    EntityType.TEXT: _text,
}
