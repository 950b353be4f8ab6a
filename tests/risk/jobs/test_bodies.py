import json
from datetime import UTC, datetime

import polars as pl
import pytest

from risk.api.body import RefundRequestBody
from risk.jobs.bodies import bodies
from risk.simulator.simulate import simulate


@pytest.fixture(scope="module")
def market() -> dict[str, pl.DataFrame]:
    return simulate(orders=5_000, days=90, seed=11, end=datetime(2026, 11, 1, tzinfo=UTC))


def test_every_request_becomes_a_body_that_the_service_takes(market: dict[str, pl.DataFrame]) -> None:
    asked = market["refund_requests"]["request_id"].to_list()
    made = [RefundRequestBody.model_validate_json(json.dumps(body)) for body in bodies(market, asked)]
    assert [body.request_id for body in made] == asked
    assert sum(len(body.evidence) for body in made) > 0
    assert any(body.order and body.order.deliveries for body in made)
    assert any(link.hashed_id for body in made for link in body.links)


def test_what_became_known_later_is_left_out(market: dict[str, pl.DataFrame]) -> None:
    request = market["refund_requests"].row(0, named=True)
    late = request["known_at"].replace(year=2030)
    piece = {
        "evidence_id": "late",
        "request_id": request["request_id"],
        "sha256": "0" * 64,
        "kind": "photo",
        "sent_by": "buyer",
        "occurred_at": late,
        "known_at": late,
    }
    evidence = pl.concat([market["evidence"], pl.DataFrame([piece], schema=market["evidence"].schema)])
    (body,) = bodies({**market, "evidence": evidence}, [request["request_id"]])
    assert "late" not in {each["evidence_id"] for each in body["evidence"]}


def test_an_unknown_request_is_an_error(market: dict[str, pl.DataFrame]) -> None:
    with pytest.raises(KeyError, match="nobody"):
        list(bodies(market, ["nobody"]))
