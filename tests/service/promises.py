"""What a service promised its callers, held against what is in its store."""

from collections.abc import Mapping

from sqlalchemy import text

from risk.ledger import Ledger
from risk.ledger_chain import verify
from risk.stores.database import open_database
from risk.stores.history import History
from tests.service.load import SCORE, Told, tell_again
from tests.service.processes import Process
from tests.service.rows import rows_of_all


def kept_promises(url: str, told: Told) -> None:
    """Everything that was answered is there exactly once and whole, everything else is there whole or not at all."""
    database = open_database(url, 20_000)
    try:
        assert told.surprises == []
        result = verify(Ledger(History(database)).links())
        assert result.ok, result
        rows_of = rows_of_all(database)
        profiles = {name: rows_of[name] for name in (*told.answered, *told.in_doubt, *told.refused)}
        whole = _shape(profiles[next(iter(told.answered))])
        for name in told.answered:
            assert _shape(profiles[name]) == whole, name
        for name in (*told.in_doubt, *told.refused):
            assert _shape(profiles[name]) in (whole, dict.fromkeys(whole, 0)), (name, profiles[name])
        for name, rows in profiles.items():
            assert rows["labels"] <= 1
            assert rows["labels"] == 1 if name in told.labels else name in told.labels_in_doubt or rows["labels"] == 0
            assert bool(rows["label_events"]) is bool(rows["labels"])
        with database.reading() as connection:
            known = {name for (name,) in connection.execute(text("SELECT order_id FROM orders"))}
            refunds = {name for (name,) in connection.execute(text("SELECT refund_id FROM refunds"))}
        assert {name.replace("f ", "o ") for name in refunds} == {name for name in known if name.startswith("o ")}, "events of one call came in part"
        assert {refund["refund_id"] for (_, refund), _ in told.events.values()} <= refunds
        assert refunds <= {refund["refund_id"] for _, refund in (*(both for both, _ in told.events.values()), *told.events_in_doubt.values())}
        assert {f"order-of-{name}" for name, rows in profiles.items() if rows["decisions"]} == {
            name for name in known if name.startswith("order-of-")
        }
    finally:
        database.close()


def the_same_answers(service: Process, told: Told, most: int) -> None:
    """Asked again, the last ones answered get the same bytes; whoever was not answered is answered now, once."""
    with service.client(60) as client:
        for body, answer in list(told.answered.values())[-most:]:
            again = client.post(SCORE, json=body)
            assert (again.status_code, again.content) == (200, answer)
        for key, (events, answer) in list(told.events.items())[-most:]:
            assert tell_again(client, key, events).content == answer
        for key, events in told.events_in_doubt.items():
            answered = tell_again(client, key, events)
            assert (answered.status_code, answered.json()["refused"]) == (200, 0), answered.text
            told.events[key] = (events, answered.content)
        told.events_in_doubt.clear()
        for name, body in [*told.in_doubt.items(), *told.refused.items()]:
            answered = client.post(SCORE, json=body)
            assert answered.status_code == 200, answered.text
            told.answered[name] = (body, answered.content)
        told.in_doubt.clear()
        told.refused.clear()


def _shape(rows: Mapping[str, int]) -> dict[str, int]:
    """The rows of a request itself; labels come and go apart from it."""
    return {name: count for name, count in rows.items() if not name.startswith("label")}
