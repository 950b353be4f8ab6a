"""The claim that this project began with, as the service is asked it: two videos that fit the order each, and not each other.

Eight crabs are ordered, six are claimed dead. One video shows 2 males and 4 females, the other 3 and 3; together they need at least 3 + 4 = 7.
"""

from datetime import datetime, timedelta
from typing import Any

PRICE_MINOR = 19_500
"""195.00 CNY for eight crabs."""


def crab_orders(occurred_at: datetime, name: str = "crab") -> list[dict[str, Any]]:
    """What both buyers ordered before, kept and never complained about: one order a month for eight months."""
    return [
        {
            "order_id": f"ord_{name}-{who}-{month}",
            "account_id": f"acc_{name}-{who}",
            "seller_id": f"sel_{month % 3}",
            "occurred_at": (occurred_at - timedelta(days=30 * month)).isoformat(),
            "amount_minor": 8_000 + 700 * month,
            "currency": "CNY",
            "lines": [{"line_no": 1, "sku_id": f"sku_{month}", "quantity": 1, "unit_price_minor": 8_000 + 700 * month}],
            "deliveries": [{"status": "delivered", "occurred_at": (occurred_at - timedelta(days=30 * month - 2)).isoformat()}],
        }
        for who in ("contradiction", "twin")
        for month in range(1, 9)
    ]


def crab_claim(occurred_at: datetime, name: str = "crab") -> tuple[dict[str, Any], dict[str, Any]]:
    """The contradictory claim and its honest twin (both videos show the same), sent at that moment by two buyers of equal history (`crab_orders`)."""
    return (
        _claim(f"{name}-contradiction", occurred_at, videos=({"male": 2, "female": 4}, {"male": 3, "female": 3})),
        _claim(f"{name}-twin", occurred_at, videos=({"male": 3, "female": 3}, {"male": 3, "female": 3})),
    )


def _claim(name: str, occurred_at: datetime, videos: tuple[dict[str, int], ...]) -> dict[str, Any]:
    ordered_at, delivered_at = occurred_at - timedelta(days=1, hours=3), occurred_at - timedelta(hours=3)
    return {
        "request_id": f"req_{name}",
        "occurred_at": occurred_at.isoformat(),
        "account_id": f"acc_{name}",
        "seller_id": "sel_crabs",
        "category": "seafood",
        "claim_type": "dead_on_arrival",
        "amount_minor": PRICE_MINOR * 6 // 8,
        "currency": "CNY",
        "same_items": True,
        "order": {
            "order_id": f"ord_{name}",
            "occurred_at": ordered_at.isoformat(),
            "amount_minor": PRICE_MINOR,
            "currency": "CNY",
            "lines": [
                {"line_no": 1, "sku_id": "sku_hairy_crab", "quantity": 8, "unit_price_minor": PRICE_MINOR // 8, "counts": {"male": 4, "female": 4}}
            ],
            "deliveries": [{"status": "delivered", "occurred_at": delivered_at.isoformat()}],
        },
        "claim_lines": [{"line_no": 1, "sku_id": "sku_hairy_crab", "quantity": 6}],
        "evidence": [
            {
                "sha256": f"{number:064x}",
                "kind": "video",
                "observations": [{"observer": "agent", "attribute": kind, "count": count} for kind, count in seen.items()],
            }
            for number, seen in enumerate(videos, start=1 + 16 * (name.endswith("twin")))
        ],
    }
