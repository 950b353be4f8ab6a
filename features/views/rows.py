"""Row builders: one line of a view becomes one feature a window."""

from collections.abc import Sequence
from typing import Any

from data_contracts.link import EntityType
from data_contracts.timeline import Stream
from features.declare import Condition, Derived, Measure, Windowed

EVERY = (1, 7, 30, 90, 365)
"""The windows of a buyer's own history, in days."""

NO_ENTITY = {
    EntityType.ACCOUNT: "the buyer's account is not known",
    EntityType.SELLER: "the seller is not known",
    EntityType.SKU: "the article is not known",
    EntityType.LOT: "the lot is not known",
    EntityType.DEVICE: "no device was seen with the request or its order",
    EntityType.ADDRESS: "no address is known",
    EntityType.CARD: "no card is known",
    EntityType.PHONE: "no phone is known",
    EntityType.IP: "no IP address was seen with the request or its order",
    EntityType.IMAGE: "the request carries no image",
    EntityType.TEXT: "the request carries no text",
    EntityType.AGENT: "no support agent handled the request",
}
"""Why a feature of that entity can be null."""

ABUSE = (Condition("abuse", "eq", 1),)
"""Labels that say abuse."""

HONEST = (Condition("abuse", "eq", 0),)
"""Labels that say honest."""


def within(days: int | None) -> str:
    """The window in words."""
    if days is None:
        return "ever"
    return "in the last day" if days == 1 else f"in the last {days} days"


def windowed(  # a row of the table has these columns
    entity: EntityType,
    stream: Stream,
    measure: Measure,
    name: str,
    meaning: str,
    days: Sequence[int | None],
    **more: Any,  # noqa: ANN401  # the other fields of Windowed
) -> tuple[Windowed, ...]:
    """One feature a window: `<entity>_<name>_<days>d` (no suffix for all time)."""
    missing = more.pop("missing", NO_ENTITY[entity])
    if measure in (Measure.MEAN, Measure.SHARE):
        missing += f", or fewer than {more.get('at_least', 1)} such events"
    if measure in (Measure.SINCE_LAST, Measure.SINCE_FIRST):
        missing += ", or it never happened"
    return tuple(
        Windowed(
            name=f"{entity.value}_{name}" + ("" if each is None else f"_{each}d"),
            meaning=f"{meaning}, {within(each)}" if each is not None else meaning,
            missing=missing,
            entity=entity,
            stream=stream,
            measure=measure,
            window_days=each,
            **more,
        )
        for each in days
    )


def derived(name: str, meaning: str, missing: str, **more: Any) -> Derived:  # noqa: ANN401  # the other fields of Derived
    """One formula over two features."""
    return Derived(name=name, meaning=meaning, missing=missing, **more)
