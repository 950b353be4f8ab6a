"""Small random data sets full of trouble: ties, late events, superseded labels, shared entities, unknown accounts, other currencies, gaps."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from data_contracts.link import LINK_TYPES
from data_contracts.request import ClaimType, DeliveryStatus, EvidenceKind, Observer, Party
from data_contracts.tables import schema

START = datetime(2026, 1, 1, tzinfo=UTC)
STEP = timedelta(hours=12)
"""Everything happens at multiples of it, so moments tie and lie exactly on window edges."""

SAME_ITEMS = (True, True, False, None)

Tables = dict[str, pl.DataFrame]


def table(name: str, rows: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """The rows as a table of that name; columns left out are null."""
    return pl.DataFrame(list(rows), schema=schema(name), orient="row")


class Dice:
    """Draws from one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def one(self, *choices: Any) -> Any:  # noqa: ANN401  # whatever the choices are
        return choices[int(self.rng.integers(len(choices)))]

    def whole(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high))

    def times(self, days: int) -> dict[str, datetime]:
        occurred = START + STEP * self.whole(0, 2 * days)
        late = self.one(0, 0, 0, 1, 2, 60, 14)
        return {"occurred_at": occurred, "known_at": occurred + STEP * late}

    def around(self, moment: datetime) -> dict[str, datetime]:
        """Known right before, at or right after a moment: where `before` and `not after` differ."""
        known = moment + STEP * self.whole(-1, 2)
        return {"occurred_at": known - STEP * self.whole(0, 3), "known_at": known}

    def counts(self) -> list[dict[str, Any]] | None:
        return self.one(
            None,
            [
                {"attribute": "male", "count": self.whole(0, 6)},
                {"attribute": "female", "count": self.whole(0, 6)},
                {"attribute": "colour=red", "count": self.whole(0, 3)},
            ],
        )


def world(seed: int, requests: int = 14, days: int = 40) -> Tables:
    """A data set with every table; about `requests` requests within `days`."""
    dice = Dice(seed)
    orders = [
        {
            "order_id": f"o{number}",
            "account_id": dice.one("a1", "a2", "a3", None),
            "seller_id": dice.one("s1", "s2", None),
            "amount_minor": dice.one(None, 0, 500, 19_500),
            "currency": dice.one("CNY", "CNY", "CNY", "USD", None),
            **dice.times(days),
        }
        for number in range(requests)
    ]
    asked = [_request(dice, number, requests, days) for number in range(requests)]
    pieces = [_piece(dice, number, asked) for number in range(requests * 2)]
    found = {
        "orders": orders,
        "refund_requests": asked,
        "order_lines": [_order_line(dice, order["order_id"], line) for order in orders for line in range(dice.whole(0, 3))],
        "deliveries": [
            {"order_id": each["order_id"], "status": dice.one("delivered", *map(str, DeliveryStatus)), **dice.around(each["known_at"])}
            for each in asked
            if each["order_id"] is not None
        ],
        "claim_lines": [_claim_line(dice, f"r{number}", line) for number in range(requests) for line in range(dice.whole(0, 3))],
        "evidence": pieces,
        "observations": _observations(dice, pieces),
        "measurements": _measurements(dice, pieces),
        "links": [_link(dice, asked, days) for _ in range(requests * 6)],
        "labels": [
            {
                "request_id": f"r{dice.whole(0, requests)}",
                "value": dice.one("abuse", "honest"),
                "source": dice.one("verdict", "chargeback"),
                **dice.times(days),
            }
            for _ in range(requests * 2)
        ],
        "accounts": [{"account_id": f"a{number}", **dice.times(days)} for number in (1, 2)],
        "sellers": [{"seller_id": "s1", "category": "seafood", **dice.times(days)}],
        "skus": [{"sku_id": name, "seller_id": "s1", "category": dice.one("crab", "fish", None), **dice.times(days)} for name in ("k1", "k2")],
    }
    return {name: table(name, rows) for name, rows in found.items()}


def _request(dice: Dice, number: int, requests: int, days: int) -> dict[str, Any]:
    return {
        "request_id": f"r{number}",
        "account_id": dice.one("a1", "a1", "a2", "a3", None),
        "order_id": dice.one(None, f"o{dice.whole(0, requests)}"),
        "seller_id": dice.one("s1", "s2", None),
        "claim_type": dice.one(None, *map(str, ClaimType)),
        "amount_minor": dice.one(None, 100, 3_333, 20_000),
        "currency": dice.one("CNY", "CNY", "CNY", "USD", None),
        "text": dice.one(None, "全都死了", "all dead"),
        "same_items": dice.one(*SAME_ITEMS),
        **dice.times(days),
    }


def _order_line(dice: Dice, order_id: str, line: int) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "line_no": line,
        "sku_id": dice.one("k1", "k2", None),
        "lot": dice.one("l1", "l2", None),
        "quantity": dice.whole(1, 9),
        "unit_price_minor": dice.one(None, 0, 250),
        "counts": dice.counts(),
    }


def _claim_line(dice: Dice, request_id: str, line: int) -> dict[str, Any]:
    sku = dice.one("k1", "k2", None)
    return {"request_id": request_id, "line_no": line, "sku_id": sku, "quantity": dice.whole(1, 9), "counts": dice.counts()}


def _piece(dice: Dice, number: int, asked: list[dict[str, Any]]) -> dict[str, Any]:
    request = dice.one(*asked)
    return {
        "evidence_id": f"e{number}",
        "request_id": request["request_id"],
        "sha256": dice.one("a", "b", "c") * 64,
        "kind": dice.one(*map(str, EvidenceKind)),
        "sent_by": dice.one("buyer", *map(str, Party)),
        **dice.around(request["known_at"]),
    }


def _observations(dice: Dice, pieces: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = ("evidence_id", "request_id", "occurred_at", "known_at")
    return [
        {**{name: piece[name] for name in names}, "observer": str(observer), "attribute": attribute, "count": dice.whole(0, 5)}
        for piece in pieces
        for observer in Observer
        for attribute in ("male", "female", dice.one("colour=red", "serial=1"), dice.one("colour=blue", "serial=2", "size=L"))
        if dice.whole(0, 3) == 0
    ]


def _measurements(dice: Dice, pieces: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = ("evidence_id", "request_id", "sha256", "known_at")
    return [
        {**{name: piece[name] for name in names}, "signal": signal, "version": version, "value": dice.one(None, float(dice.rng.random()))}
        for piece in pieces
        for signal in ("generated", "edited", "reuse", "another")
        for version in (1, 2)
        if dice.whole(0, 2) == 0
    ]


def _link(dice: Dice, asked: list[dict[str, Any]], days: int) -> dict[str, Any]:
    request = dice.one(*asked)
    return {
        "entity_type": str(dice.one(*LINK_TYPES)),
        "entity_id": dice.one("x", "y"),
        "account_id": dice.one("a1", "a2", "a3", None),
        "request_id": dice.one(None, request["request_id"]),
        "order_id": dice.one(None, request["order_id"]),
        **dice.one(dice.times(days), dice.around(request["known_at"])),
    }
