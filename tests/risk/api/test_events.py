"""Orders and labels that come in one by one, and what later requests make of them."""

from tests.risk.servers import Running
from tests.risk.stories import ago, crab_body, plain_body

SCORE = "/v1/refund-requests/score"


def order(order_id: str, **more: object) -> dict[str, object]:
    return {
        "order_id": order_id,
        "account_id": "keeper",
        "seller_id": "lake-shop",
        "occurred_at": ago(days=3),
        "amount_minor": 19_500,
        "currency": "CNY",
        "lines": [{"line_no": 1, "sku_id": "crab", "quantity": 8, "counts": {"male": 4, "female": 4}}],
        "links": [{"entity_type": "address", "entity_id": "Lake Road 1"}],
        **more,
    }


def test_an_order_is_kept_once(service: Running) -> None:
    body = order("o-1")
    first, again = service.client.post("/v1/orders", json=body), service.client.post("/v1/orders", json=body)
    assert (first.status_code, first.json()) == (201, {"order_id": "o-1", "new": True})
    assert (again.status_code, again.json()) == (200, {"order_id": "o-1", "new": False})


def test_a_changed_order_conflicts(service: Running) -> None:
    body = order("o-2")
    service.client.post("/v1/orders", json=body)
    for change in ({"amount_minor": 1}, {"account_id": "other"}, {"lines": []}):
        answer = service.client.post("/v1/orders", json={**body, **change})
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "CONFLICT")


def test_a_request_finds_the_order_it_names(service: Running) -> None:
    service.client.post("/v1/orders", json=order("o-3"))
    body = crab_body("named", account_id="keeper", order_id="o-3", claim_lines=[{"line_no": 1, "quantity": 9}])
    del body["order"]
    found = {reason["code"]: reason["detail"] for reason in service.client.post(SCORE, json=body).json()["reasons"]}
    assert found["CLAIM_EXCEEDS_ORDER"] == "line 1: 9 claimed, 8 ordered"


def test_a_request_that_tells_a_known_order_differently_conflicts(service: Running) -> None:
    service.client.post("/v1/orders", json=order("order-of-twisted", account_id="buyer-1"))
    body = crab_body("twisted")
    body["order"]["amount_minor"] = 99_999
    answer = service.client.post(SCORE, json=body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (409, "order.amount_minor")


def test_an_order_in_the_future_is_refused(service: Running) -> None:
    answer = service.client.post("/v1/orders", json=order("o-4", occurred_at="2999-01-01T00:00:00Z"))
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "occurred_at")


def test_a_label_needs_a_request(service: Running) -> None:
    answer = service.client.post("/v1/labels", json={"request_id": "nobody", "value": "abuse", "source": "verdict"})
    assert (answer.status_code, answer.json()["error"]["field"]) == (404, "request_id")


def test_a_label_is_kept_once_and_a_later_one_stands_beside_it(service: Running) -> None:
    service.client.post(SCORE, json=plain_body("judged"))
    label = {"request_id": "judged", "value": "abuse", "source": "verdict", "occurred_at": ago(seconds=1)}
    statuses = [service.client.post("/v1/labels", json=label).status_code for _ in range(2)]
    appeal = service.client.post("/v1/labels", json={"request_id": "judged", "value": "honest", "source": "appeal"})
    assert (statuses, appeal.status_code) == ([201, 200], 201)


def test_a_label_of_an_unknown_kind_is_refused(service: Running) -> None:
    answer = service.client.post("/v1/labels", json={"request_id": "x", "value": "maybe", "source": "verdict"})
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "value")


def test_a_scan_is_kept_once_and_may_come_before_its_order(service: Running) -> None:
    scan = {"order_id": "o-5", "status": "delivered", "occurred_at": ago(days=1)}
    first, again = service.client.post("/v1/deliveries", json=scan), service.client.post("/v1/deliveries", json=scan)
    assert [(answer.status_code, answer.json()) for answer in (first, again)] == [
        (201, {"order_id": "o-5", "new": True}),
        (200, {"order_id": "o-5", "new": False}),
    ]
    service.client.post("/v1/orders", json=order("o-5", account_id="early"))
    early = plain_body("claimed-too-early", account_id="early", order_id="o-5", claim_type="damaged", occurred_at=ago(days=2))
    assert "CLAIM_BEFORE_DELIVERY" in {reason["code"] for reason in service.client.post(SCORE, json=early).json()["reasons"]}


def test_a_refund_is_kept_once_and_does_not_change(service: Running) -> None:
    refund = {"refund_id": "rf-1", "order_id": "o-1", "amount_minor": 500, "currency": "CNY", "occurred_at": ago(hours=1)}
    statuses = [service.client.post("/v1/refunds", json=refund).status_code for _ in range(2)]
    assert statuses == [201, 200]
    changed = service.client.post("/v1/refunds", json=refund | {"amount_minor": 501})
    assert (changed.status_code, changed.json()["error"]["field"]) == (409, "refund_id")
    nameless = service.client.post("/v1/refunds", json={"refund_id": "rf-2", "occurred_at": ago(hours=1)})
    assert nameless.status_code == 422


def test_a_link_of_its_own_ties_accounts(service: Running) -> None:
    for account in ("tied-1", "tied-2"):
        link = {"entity_type": "device", "entity_id": "LOG-IN-DEVICE", "account_id": account, "occurred_at": ago(hours=2)}
        assert [service.client.post("/v1/links", json=link).status_code for _ in range(2)] == [201, 200]
    with service.server.home.database.reading() as connection:
        query = "SELECT account_id FROM links WHERE account_id LIKE 'tied-%' ORDER BY account_id"
        assert service.server.home.database.fetch(connection, query, ()) == [("tied-1",), ("tied-2",)]


def test_a_link_that_names_nobody_is_refused(service: Running) -> None:
    link = {"entity_type": "device", "entity_id": "0000", "account_id": "a", "occurred_at": ago(hours=2)}
    answer = service.client.post("/v1/links", json=link)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "entity_id")
    assert service.client.post("/v1/links", json={**link, "entity_id": "REAL", "account_id": None}).status_code == 422
