"""A ring in sentences: what holds it together, what it did, what was judged, and why it is not just a place where strangers meet."""

from collections import Counter
from collections.abc import Iterable, Mapping

from data_contracts.link import EntityType
from graph.hubs import SENTENCE, kind_of
from graph.ring_measures import Held
from graph.rings import Ring

NOUNS: Mapping[str, tuple[str, str]] = {
    EntityType.DEVICE: ("device", "devices"),
    EntityType.ADDRESS: ("address", "addresses"),
    EntityType.CARD: ("card", "cards"),
    EntityType.PHONE: ("phone number", "phone numbers"),
    EntityType.IP: ("network address", "network addresses"),
    EntityType.IMAGE: ("picture", "pictures"),
    EntityType.TEXT: ("text", "texts"),
    EntityType.AGENT: ("support agent", "support agents"),
    SENTENCE: ("sentence", "sentences"),
}
_USED = {EntityType.TEXT: "who wrote", EntityType.IMAGE: "who sent", SENTENCE: "who wrote"}
TOLD = 3
"""Entities explained one by one."""


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number} {one if number == 1 else many}"


def summary(ring: Ring) -> str:
    """One line: "9 accounts, 2 devices, 1 address; 14 claims in 12 days; 3 confirmed; first seen 2026-03-01"."""
    parts = [counted(len(ring.members), "account", "accounts"), *_nouns(ring.entities)]
    claims = f"{counted(ring.claims, 'claim', 'claims')} in {counted(max(round(ring.span_days), 1), 'day', 'days')}"
    judged = f"{ring.confirmed} confirmed" + (f", {ring.cleared} cleared" if ring.cleared else "")
    return "; ".join([", ".join(parts), claims, judged, f"first seen {ring.first_seen:%Y-%m-%d}"])


def sentences(ring: Ring) -> tuple[str, ...]:
    """The summary, the pace of the claims, what ties the members and what does not."""
    found = [summary(ring), _pace(ring)]
    found += [_told(held) for held in ring.entities[:TOLD]]
    if ring.hubs:
        found.append(f"Not counted, because strangers share them too: {', '.join(_hub(hub) for hub in ring.hubs)}.")
    if ring.verdict is not None:
        found.append(f"An analyst judged it {ring.verdict}.")
    return tuple(found)


def _nouns(entities: Iterable[Held]) -> list[str]:
    kinds = Counter(_kind(held) for held in entities)
    return [counted(kinds[kind], *NOUNS[kind]) for kind in NOUNS if kinds[kind]]


def _pace(ring: Ring) -> str:
    claims = f"Of {counted(ring.claims, 'claim', 'claims')}, {ring.busy_claims} came within 30 days"
    return f"{claims} and {ring.close_claims} within a day of another member's; the last on {ring.last_claim:%Y-%m-%d}."


def _told(held: Held) -> str:
    kind = _kind(held)
    thing = f"the {NOUNS[kind][0]} {held.entity_id}"
    who = f"{counted(held.users, 'buyer', 'buyers')} {_USED.get(kind, 'who used')} {thing}"
    judged = f"{held.abusers} of the {held.judged} judged among them abused" if held.judged else "none of them was judged yet"
    return f"{held.members} of the {who} are members; {judged}; that it is a tool of theirs: {held.weight:.0%}."


def _kind(held: Held) -> str:
    return kind_of(held.entity_type, held.entity_id)


def _hub(hub: Held) -> str:
    return f"{NOUNS[_kind(hub)][0]} {hub.entity_id} ({hub.users} buyers)"
