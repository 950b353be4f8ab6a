"""Bodies for tests: the crab buyer, her honest twin, and plain requests."""

from datetime import UTC, datetime, timedelta
from typing import Any

Body = dict[str, Any]


def iso(moment: datetime) -> str:
    return moment.isoformat()


def ago(**time: float) -> str:
    return iso(datetime.now(UTC) - timedelta(**time))  # noqa: TID251  # tests ask the machine, like a caller


def video(name: str, male: int, female: int) -> Body:
    counts = [{"observer": "agent", "attribute": kind, "count": count} for kind, count in (("male", male), ("female", female))]
    return {"sha256": name * 64, "kind": "video", "observations": counts}


def crab_body(request_id: str = "crab-1", *, second: tuple[int, int] = (3, 3), **more: object) -> Body:
    """4 male and 4 female crabs ordered, 6 claimed dead; the first video shows 2 and 4, the second `second`."""
    return {
        "request_id": request_id,
        "account_id": "buyer-1",
        "seller_id": "lake-shop",
        "claim_type": "dead_on_arrival",
        "amount_minor": 14_600,
        "currency": "CNY",
        "text": "六只都死了",
        "same_items": True,
        "occurred_at": ago(minutes=5),
        "order": {
            "order_id": f"order-of-{request_id}",
            "occurred_at": ago(days=2),
            "amount_minor": 19_500,
            "currency": "CNY",
            "lines": [{"line_no": 1, "sku_id": "crab", "quantity": 8, "unit_price_minor": 2_437, "counts": {"male": 4, "female": 4}}],
            "deliveries": [{"status": "delivered", "occurred_at": ago(days=1)}],
        },
        "claim_lines": [{"line_no": 1, "quantity": 6}],
        "evidence": [video("a", 2, 4), video("b", *second)],
        "links": [{"entity_type": "device", "entity_id": "PHONE-OF-BUYER"}, {"entity_type": "ip", "entity_id": "203.0.113.7"}],
        **more,
    }


def plain_body(request_id: str, **more: object) -> Body:
    """As little as a request can say and still be weighed."""
    return {"request_id": request_id, "account_id": "buyer-2", "amount_minor": 2_000, "currency": "CNY", "occurred_at": ago(minutes=1), **more}
