"""What comes in as events leaves in the store what loading the same tables leaves: so training sees what serving saw."""

from collections.abc import Iterator
from datetime import timedelta

import polars as pl
import pytest

from data_contracts.errors import ConflictError, NotFoundError, SourceUnavailableError
from data_contracts.label import Label, LabelSource, LabelValue
from data_contracts.link import EntityType, Link
from data_contracts.request import Delivery, DeliveryStatus, Order, OrderLine, Refund
from data_contracts.tables import schema
from risk.ingest import Event, OrderTold
from risk.jobs.load_history import load_tables
from risk.stores.database import Database, open_database
from tests.databases import KINDS, address
from tests.risk.builders import NOON, a_question, an_engine, an_ingest

DAY = timedelta(days=1)
COMPARED = ("orders", "deliveries", "refunds", "links", "labels", "timeline_events", "link_marks")
NUMBERED = {"links": "link_no"}

ORDER = Order(
    order_id="o", account_id="buyer", seller_id="shop", amount_minor=900, currency="CNY", occurred_at=NOON - 3 * DAY, known_at=NOON - 3 * DAY
)
LINE = OrderLine(order_id="o", line_no=1, sku_id="crab", quantity=2)
SCAN = Delivery(order_id="o", status=DeliveryStatus.DELIVERED, occurred_at=NOON - 2 * DAY, known_at=NOON - 2 * DAY)
LINK = Link(entity_type=EntityType.DEVICE, entity_id="d", account_id="buyer", occurred_at=NOON - DAY, known_at=NOON - DAY)
REFUND = Refund(refund_id="rf", order_id="o", amount_minor=900, currency="CNY", occurred_at=NOON, known_at=NOON)
EVENTS: tuple[Event, ...] = (OrderTold(ORDER, (LINE,)), SCAN, LINK, REFUND)


@pytest.fixture(params=KINDS)
def twin(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A second empty database of each kind."""
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else ""
    with address(request.param, tmp_path_factory.mktemp("twin"), server) as url:
        opened = open_database(url, 5_000)
        yield opened
        opened.close()


def table(name: str, *records: object) -> pl.DataFrame:
    rows = [{column: getattr(record, column) for column in schema(name)} for record in records]
    return pl.DataFrame(rows, schema=schema(name), orient="row")


def rows(database: Database, name: str) -> list[tuple[object, ...]]:
    """What a table holds, without its running number and with bodies as text."""
    with database.reading() as connection:
        frame = database.fetch(connection, f"SELECT * FROM {name}", ())  # noqa: S608  # our own tables
    skipped = 1 if name in NUMBERED else 0
    return sorted(tuple(bytes(cell).decode() if isinstance(cell, bytes | memoryview) else cell for cell in row[skipped:]) for row in frame)


def test_events_leave_what_loading_the_tables_leaves(database: Database, twin: Database) -> None:
    ingest = an_ingest(database)
    assert ingest.take_all(EVENTS) == [True] * 4
    assert [ingest.take(event) for event in EVENTS] == [False] * 4
    tables = {
        "refund_requests": table("refund_requests"),
        "orders": table("orders", ORDER),
        "order_lines": table("order_lines", LINE),
        "deliveries": table("deliveries", SCAN),
        "links": table("links", LINK),
        "refunds": table("refunds", REFUND),
    }
    load_tables(tables, twin, "CNY", replayable=True)
    for name in COMPARED:
        if name != "orders":  # the same JSON, written by another hand
            assert rows(database, name) == rows(twin, name), name
    assert len(rows(database, "refunds")) == len(rows(database, "links")) == 1


def test_loading_over_what_came_as_events_changes_nothing(database: Database) -> None:
    an_ingest(database).take_all(EVENTS)
    before = {name: rows(database, name) for name in COMPARED}
    loaded = {"refund_requests": table("refund_requests"), "deliveries": table("deliveries", SCAN), "refunds": table("refunds", REFUND)}
    load_tables(loaded | {"links": table("links", LINK)}, database, "CNY", replayable=True)
    assert {name: rows(database, name) for name in COMPARED} == before


def test_a_refund_changes_no_feature_and_no_label(database: Database) -> None:
    engine, ingest = an_engine(database), an_ingest(database)
    engine.handle(a_question("paid"))
    before = engine.handle(a_question("before", NOON + DAY)).record
    ingest.take(Refund(refund_id="rf", request_id="paid", amount_minor=2_000, occurred_at=NOON + DAY, known_at=NOON + DAY))
    assert before is not None
    after = engine.source.gather(a_question("after", NOON + DAY))
    assert "refunds" not in after.missing
    with database.reading() as connection:
        assert engine.ledger.history.labels(connection, "paid") == []


def test_one_that_is_refused_leaves_the_others_and_no_trace(database: Database) -> None:
    ingest = an_ingest(database)
    nobody = Label(request_id="nobody", value=LabelValue.ABUSE, source=LabelSource.VERDICT, occurred_at=NOON, known_at=NOON)
    changed = OrderTold(Order(order_id="o", account_id="other", occurred_at=ORDER.occurred_at, known_at=NOON), (LINE,), (SCAN,))
    outcomes = ingest.take_all([OrderTold(ORDER, (LINE,)), nobody, changed, LINK])
    assert [type(each) for each in outcomes] == [bool, NotFoundError, ConflictError, bool]
    assert rows(database, "deliveries") == []
    assert len(rows(database, "links")) == 1


def test_a_database_that_is_gone_refuses_all_and_says_so(tmp_path: object) -> None:
    database = open_database(f"sqlite:///{tmp_path}/risk.db", 50)
    ingest = an_ingest(database)
    holder = open_database(f"sqlite:///{tmp_path}/risk.db", 50)
    with holder.writing(), pytest.raises(SourceUnavailableError):
        ingest.take_all(EVENTS)
    assert ingest.take_all(EVENTS) == [True] * 4
    database.close()
    holder.close()
