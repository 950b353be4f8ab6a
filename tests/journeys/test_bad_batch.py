"""A cold chain breaks: thirty honest buyers claim about one lot of one seller in one day."""

from datetime import timedelta
from typing import Any

from tests.journeys.shop import Shop

BUYERS = 30


def _order(shop: Shop, number: int) -> dict[str, Any]:
    return {
        "order_id": f"ord_batch_{number}",
        "account_id": f"acc_batch_{number}",
        "seller_id": "sel_batch",
        "occurred_at": (shop.moment - timedelta(days=2)).isoformat(),
        "amount_minor": 12_000 + 100 * number,
        "currency": "CNY",
        "lines": [{"line_no": 1, "sku_id": "sku_batch", "lot": "lot_batch", "quantity": 4, "unit_price_minor": 3_000}],
        "deliveries": [{"status": "delivered", "occurred_at": (shop.moment - timedelta(hours=6)).isoformat()}],
    }


def _claim(shop: Shop, number: int) -> dict[str, Any]:
    return {
        "request_id": f"req_batch_{number}",
        "occurred_at": shop.moment.isoformat(),
        "account_id": f"acc_batch_{number}",
        "seller_id": "sel_batch",
        "order_id": f"ord_batch_{number}",
        "claim_type": "dead_on_arrival",
        "amount_minor": 12_000 + 100 * number,
        "currency": "CNY",
        "text": "all dead",
        "claim_lines": [{"line_no": 1, "sku_id": "sku_batch", "quantity": 4}],
        "evidence": [{"sha256": f"{number + 4096:064x}", "kind": "photo"}],
        "links": [{"entity_type": "device", "entity_id": f"device batch {number}"}, {"entity_type": "text", "entity_id": "all dead"}],
    }


def test_a_bad_batch_blocks_no_honest_buyer(shop: Shop) -> None:
    for number in range(BUYERS):
        shop.post("/v1/orders", _order(shop, number))
    answers = []
    for number in range(BUYERS):
        answers.append(shop.score(_claim(shop, number)))
        shop.wait(minutes=20)
    assert {answer["action"] for answer in answers} <= {"approve", "review"}
    first, last = answers[0]["score"], answers[-1]["score"]
    assert last <= first + 0.05, f"the burst raised suspicion from {first} to {last}"
