"""What is known of the order behind a picture, as a small JSON file or part of a request: moments, place, counts. Null or absent: not known."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from data_contracts.errors import ContractError, NotFoundError
from data_contracts.fields import Counts, Moment
from data_contracts.signal import ImageFinding
from features.image.signal_kit import Context, Library

_OVER_ORDER, _OVER_CLAIM = 0.6, 0.3

Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]


class OrderFacts(BaseModel):
    """The order. Counts are attribute -> pieces: ordered, claimed as bad, and observed in each file by its name."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    ordered_at: Moment | None = None
    delivered_at: Moment | None = None
    claimed_at: Moment | None = None
    place: tuple[Latitude, Longitude] | None = None
    ordered: Counts | None = None
    claimed: Counts | None = None
    observed: Annotated[dict[str, Counts], Field(max_length=256)] = Field(default_factory=dict)

    def context(self, library: Library | None = None) -> Context:
        """What the signals take of it."""
        return Context(ordered_at=self.ordered_at, delivered_at=self.delivered_at, claimed_at=self.claimed_at, place=self.place, library=library)

    def findings(self, file: str) -> Iterator[ImageFinding]:
        """Where more was counted in that file than was ordered, or than is claimed."""
        for attribute, count in sorted(self.observed.get(file, {}).items()):
            for known, word, strength in ((self.ordered, "ordered", _OVER_ORDER), (self.claimed, "claimed", _OVER_CLAIM)):
                if known is not None and count > known.get(attribute, 0):
                    detail = f"{count} {attribute} counted here, {known.get(attribute, 0)} {word}"
                    yield ImageFinding(code="IMAGE_COUNT_MISMATCH", signal="order", strength=strength, detail=detail)
                    break


FACTS = TypeAdapter(OrderFacts)


def read_order(path: Path) -> OrderFacts:
    """The order of a file. NotFoundError: there is none. ContractError: which field does not hold."""
    try:
        return order_of(path.read_bytes())
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}; expected a JSON file like {json.dumps(EXAMPLE)}"
        raise NotFoundError(message, field="order") from error


def order_of(raw: bytes) -> OrderFacts:
    """The order of a JSON text. ContractError: which field does not hold."""
    try:
        return FACTS.validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "order"
        message = f"order: {field}: {first['msg']}; expected JSON like {json.dumps(EXAMPLE)}"
        raise ContractError(message, field=field) from None


EXAMPLE: Mapping[str, object] = {
    "ordered_at": "2026-03-01T10:00:00Z",
    "delivered_at": "2026-03-03T09:00:00Z",
    "claimed_at": "2026-03-03T12:00:00Z",
    "place": [31.2, 121.5],
    "ordered": {"male": 5, "female": 3},
    "claimed": {"male": 2},
    "observed": {"crab.jpg": {"male": 2}},
}
"""What such a file looks like."""
