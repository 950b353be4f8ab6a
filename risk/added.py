"""What a decided question adds to history: its events on timelines, its links, its order. Worked out once, written with the decision."""

from collections.abc import Sequence
from dataclasses import dataclass

from data_contracts.link import EntityType, Link
from data_contracts.question import Question
from data_contracts.snapshot import Snapshot
from features.streams import Placed, link_events, order_events, request_events
from risk.stores.acts import acts_among, opening
from risk.stores.turns import Turn, a_turn

WITH_HISTORY = ("evidence", "observations", "measurements", "claim_lines", "links")
"""What a question may bring along that becomes a connected source."""


@dataclass(frozen=True, slots=True)
class Added:
    """`places` are the request's own events, `events` all of them; `turn` tells of it all.

    `order` and `account` say whether the question's are new to the store.
    """

    question: Question
    seen: Snapshot
    places: list[Placed]
    events: list[Placed]
    links: list[Link]
    turn: Turn
    sources: frozenset[str]
    order: bool
    account: bool
    buyer: str | None


def added(question: Question, seen: Snapshot, ordered: Sequence[Placed] = (), *, account_is_known: bool = False) -> Added:
    """What the question adds; an order or an account that was told before adds nothing. `ordered`: the events of its order, where they are known."""
    request_id = question.request.request_id
    places = request_events(seen)
    is_new = question.order is not None and seen.order is question.order
    events = [*places]
    if is_new and question.order is not None:
        events += ordered or order_events(question.order, question.order_lines, (), seen.currency)
    links = [link for link in seen.links if link.request_id == request_id and link.known_at == seen.as_of]
    for link in links:
        events += link_events(link)
    acts = acts_among(events)
    opened = question.account is not None and not account_is_known
    if opened and question.account is not None:
        acts.append(opening(question.account))
    turn = a_turn((entity for entity, _, _ in events), links, acts)
    buyer = next((entity.id for entity in seen.entities if entity.type is EntityType.ACCOUNT), None)
    return Added(question, seen, places, events, links, turn, _brought(question), is_new, opened, buyer)


def _brought(question: Question) -> frozenset[str]:
    """The kinds of data that the question brought."""
    found = {"refund_requests"} | {name for name in WITH_HISTORY if getattr(question, name)}
    if question.order is not None:
        found |= {"orders"} | {name for name in ("order_lines", "deliveries") if getattr(question, name)}
    return frozenset(found | ({"accounts"} if question.account is not None else set()))
