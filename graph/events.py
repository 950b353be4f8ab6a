"""Tables to numbers: the links and labels that shape components, in the order in which they became known, and the requests that ask about them.

The order is (known_at, account_id, links before labels, then the source and value of a label), so that events of one microsecond have one
order everywhere.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import polars as pl

from data_contracts.label import LabelSource, LabelValue
from data_contracts.link import EntityType
from data_contracts.tables import schema
from graph.union_find import Codes, Forest, Ints, add_label, add_link, compiled, facts_at

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

MERGING = (EntityType.DEVICE, EntityType.ADDRESS, EntityType.CARD, EntityType.PHONE)
"""The link types that join accounts: what one person owns or lives with.

An IP is shared by strangers (NAT), a claim text by everyone who found the script, an agent by all her customers, a photo by whoever copied it:
these link requests (`features`), and they add weight to rings, but they do not say that two accounts are one hand.
"""

LINK = 0
LABEL = 1
SKIPPED = 2
"""The kinds of events. A link that is skipped is one that an analyst refuted: it joins nobody for as long as that holds."""

SOURCES = tuple(sorted(str(source) for source in LabelSource))


def label_number(source: str, value: str) -> int:
    """A label as one number: twice the rank of its source, plus 1 for honest. Of several labels known in one microsecond the largest holds."""
    return 2 * SOURCES.index(source) + (value == LabelValue.HONEST)


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 UTC."""
    return (moment - _EPOCH) // _MICROSECOND


class Events(NamedTuple):
    """Links and labels in one order; `other` is the entity of a link and the request of a label, `label` its `label_number` (links: 0)."""

    known_us: Ints
    kind: Ints
    account: Ints
    other: Ints
    label: Ints


class Names(NamedTuple):
    """What the codes stand for; accounts and entities are sorted, so the order of codes is the order of names."""

    accounts: pl.Series
    entities: pl.DataFrame


class Questions(NamedTuple):
    """Requests in the order of as_of; `account` is -1 for an unknown buyer, its entities are `entity[start[i]:start[i + 1]]`."""

    row: Ints
    as_of_us: Ints
    account: Codes
    start: Ints
    entity: Codes


def merging_links(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The links of types that join accounts, as entity_type, entity_id, account_id, request_id, order_id, known_us; none without the table."""
    wanted = [str(kind) for kind in MERGING]
    columns = ["entity_type", "entity_id", "account_id", "request_id", "order_id"]
    links = tables["links"] if "links" in tables else pl.DataFrame(schema=schema("links"))
    return links.filter(pl.col("entity_type").is_in(wanted)).select(*columns, known_us=pl.col("known_at").dt.epoch("us"))


def asked(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """One row a request in the order of its table: request_id, account_id (its order's when it names none), order_id and as_of_us.

    The order counts when it was known by then, or when there is no orders table to say.
    """
    requests = tables["refund_requests"].select("request_id", "account_id", "order_id", as_of_us=pl.col("known_at").dt.epoch("us"))
    if "orders" not in tables:
        return requests
    orders = tables["orders"].select("order_id", order_account="account_id", order_us=pl.col("known_at").dt.epoch("us"))
    known = pl.col("order_us") <= pl.col("as_of_us")
    return requests.join(orders, on="order_id", how="left", maintain_order="left").select(
        "request_id",
        pl.coalesce("account_id", pl.when(known).then("order_account")),
        pl.when(known).then("order_id").alias("order_id"),
        "as_of_us",
    )


def name_nodes(requests: pl.DataFrame, links: pl.DataFrame) -> Names:
    """Every account and entity, each once and sorted; `requests` are `asked`."""
    accounts = pl.concat([links["account_id"], requests["account_id"]]).drop_nulls().unique().sort().rename("account_id")
    return Names(accounts, links.select("entity_type", "entity_id").unique().sort("entity_type", "entity_id"))


def coded(frame: pl.DataFrame, names: Names) -> pl.DataFrame:
    """The frame with its `account_id`, and where it has them `entity_id`, as the codes `account` and `entity`; null stays null."""
    accounts = names.accounts.to_frame().with_row_index("account")
    frame = frame.join(accounts, on="account_id", how="left", maintain_order="left")
    if "entity_id" in frame.columns:
        frame = frame.join(names.entities.with_row_index("entity"), on=["entity_type", "entity_id"], how="left", maintain_order="left")
    return frame


def label_events(labels: pl.DataFrame, requests: pl.DataFrame, names: Names) -> pl.DataFrame:
    """The labels of requests whose buyer is known, with the columns of Events; known no earlier than the request."""
    whose = coded(requests, names).with_row_index("other").filter(pl.col("account").is_not_null())
    return labels.join(whose, on="request_id", how="inner").select(
        known_us=pl.max_horizontal(pl.col("known_at").dt.epoch("us"), "as_of_us"),
        account="account",
        other="other",
        label=pl.col("source").cast(pl.Enum(SOURCES)).to_physical().cast(pl.Int32) * 2 + (pl.col("value") == LabelValue.HONEST).cast(pl.Int32),
        kind=pl.lit(LABEL, pl.Int32),
    )


def all_events(links: pl.DataFrame, labels: pl.DataFrame | None, requests: pl.DataFrame, names: Names) -> Events:
    """Links with a known account and labels, in their one order; `links` are coded, `requests` are `asked`."""
    frame = links.filter(pl.col("account").is_not_null()).select(
        "known_us", "account", other="entity", label=pl.lit(0, pl.Int32), kind=pl.lit(LINK, pl.Int32)
    )
    if labels is not None:
        frame = pl.concat([frame, label_events(labels, requests, names)])
    frame = frame.sort("known_us", "account", "kind", "label", maintain_order=True)
    return Events(*(frame[column].cast(pl.Int64).to_numpy(writable=True) for column in Events._fields))


def own_entities(links: pl.DataFrame, requests: pl.DataFrame) -> pl.DataFrame:
    """The entities that each request itself comes with, as row, entity: links that name it or its order, known at or before its as_of."""
    rows = requests.select("request_id", "order_id", "as_of_us").with_row_index("row")
    found = [
        links.filter(pl.col(key).is_not_null())
        .select(key, "entity", "known_us")
        .join(rows, on=key, how="inner")
        .select("row", "entity", "known_us", "as_of_us")
        for key in ("request_id", "order_id")
    ]
    return pl.concat(found).filter(pl.col("known_us") <= pl.col("as_of_us")).select("row", "entity").unique()


def all_questions(links: pl.DataFrame, requests: pl.DataFrame, names: Names) -> Questions:
    """One question a request; `links` are coded, `requests` are `asked`."""
    order = requests.with_row_index("row").sort("as_of_us", "row", maintain_order=True)
    frame = coded(order, names).with_row_index("turn")
    own = own_entities(links, requests).join(frame.select("row", "turn"), on="row", how="left").sort("turn", "entity")
    counts = np.bincount(own["turn"].to_numpy(), minlength=len(frame))
    return Questions(
        frame["row"].cast(pl.Int64).to_numpy(),
        frame["as_of_us"].to_numpy(),
        frame["account"].cast(pl.Int32).fill_null(-1).to_numpy(),
        np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]),
        own["entity"].cast(pl.Int32).to_numpy(),
    )


@compiled
def play(forest: Forest, events: Events, start: int, as_of_us: int) -> int:
    """Apply the events from `start` on that became known strictly before that moment; return where it stopped."""
    while start < len(events.known_us) and events.known_us[start] < as_of_us:
        if events.kind[start] == LINK:
            add_link(forest, events.other[start], events.account[start], events.known_us[start])
        elif events.kind[start] == LABEL:
            add_label(forest, events.other[start], events.account[start], 1 - events.label[start] % 2, events.known_us[start])
        start += 1
    return start


@compiled
def answer(forest: Forest, events: Events, start: int, questions: Questions, within: tuple[int, int], answers: Ints) -> int:
    """Fill the rows of `answers` (accounts, entities, abuse, oldest link) for the questions within two places, in the order of time.

    `start` is the first event that is not played yet; where it stopped comes back.
    """
    first, last = within
    done = start
    for index in range(first, last):
        as_of_us = questions.as_of_us[index]
        done = play(forest, events, done, as_of_us)
        entities = questions.entity[questions.start[index] : questions.start[index + 1]]
        sums = facts_at(forest, questions.account[index], entities, as_of_us)
        row = questions.row[index]
        answers[row, 0], answers[row, 1], answers[row, 2], answers[row, 3] = sums
    return done
