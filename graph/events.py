"""Tables to numbers: the links and labels that shape components, in the order in which they became known, and the requests that ask about them.

The order is that of known_at. Of one microsecond, the links of one entity come in the order of their account_id, and the labels of one request in
that of source and value, everywhere; between all others the order makes no difference.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import polars as pl

from data_contracts.label import LabelSource, LabelValue
from data_contracts.link import EntityType
from data_contracts.tables import schema
from graph.codes import Numbered, in_time, numbered
from graph.union_find import Codes, Ints, Rows

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

    known_us: Rows  # int64, the others int32
    kind: Rows
    account: Rows
    other: Rows
    label: Rows


def no_events(count: int) -> Events:
    """Room for that many events."""
    return Events(np.zeros(count, dtype=np.int64), *(np.zeros(count, dtype=np.int32) for _ in Events._fields[1:]))


def more_events(events: Events, more: Events) -> Events:
    """The events, then those others."""
    return Events(*(np.concatenate(pair) for pair in zip(events, more, strict=True)))


class Names(NamedTuple):
    """What the codes of accounts (account_id) and entities (entity_type, entity_id) stand for; the order of codes says nothing."""

    accounts: Numbered
    entities: Numbered


class Questions(NamedTuple):
    """Requests in the order of as_of; `account` is -1 for an unknown buyer, its entities are `entity[start[i]:start[i + 1]]`."""

    row: Codes
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


def name_nodes(requests: pl.DataFrame, links: pl.DataFrame) -> tuple[Names, pl.DataFrame, pl.DataFrame]:
    """Every account and entity, each once; then the requests (`asked`) and links with the codes `account` and `entity`, null where a name is."""
    names = Names(numbered([links.select("account_id"), requests.select("account_id")]), numbered([links.select("entity_type", "entity_id")]))
    used_by, asked_by = (_column("account", codes) for codes in names.accounts.codes)
    return names, requests.with_columns(asked_by), links.with_columns(used_by, _column("entity", names.entities.codes[0]))


def _column(name: str, codes: Codes) -> pl.Series:
    column = pl.Series(name, codes)
    return column.set(column < 0, None) if len(codes) and codes.min() < 0 else column


def label_events(labels: pl.DataFrame, requests: pl.DataFrame) -> pl.DataFrame:
    """The labels of requests whose buyer is known, as known_us, account, other, label; known no earlier than the request. `requests` have codes."""
    whose = requests.select("request_id", "account", "as_of_us").with_row_index("other").filter(pl.col("account").is_not_null())
    return labels.join(whose, on="request_id", how="inner").select(
        known_us=pl.max_horizontal(pl.col("known_at").dt.epoch("us"), "as_of_us"),
        account="account",
        other=pl.col("other").cast(pl.Int32),
        label=pl.col("source").cast(pl.Enum(SOURCES)).to_physical().cast(pl.Int32) * 2 + (pl.col("value") == LabelValue.HONEST).cast(pl.Int32),
    )


def all_events(links: pl.DataFrame, labels: pl.DataFrame | None, requests: pl.DataFrame, names: Names) -> Events:
    """Links with a known account and labels, in their one order; `links` and `requests` have codes."""
    links = links.filter(pl.col("account").is_not_null())
    parts = [links.select("known_us", "account", other="entity")]
    said = None if labels is None else label_events(labels, requests)
    if said is not None:
        parts.append(said.select(parts[0].columns))
    order, known_us = in_time(np.concatenate([part["known_us"].to_numpy() for part in parts]))
    account, other = (np.concatenate([part[name].to_numpy() for part in parts])[order] for name in ("account", "other"))
    kind = np.where(order < links.height, np.int32(LINK), np.int32(LABEL))
    label = np.zeros(len(order), dtype=np.int32)
    if said is not None:
        label[kind == LABEL] = said["label"].to_numpy()[order[kind == LABEL] - links.height]
    events = Events(known_us, kind, account, other, label)
    _settle(events, names)
    return events


def _settle(events: Events, names: Names) -> None:
    """Put events of one microsecond and one entity or request in order: by the name of the account, then by the label. Others may come as they do."""
    same = events.known_us[1:] == events.known_us[:-1]
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
    if len(tied) == 0:
        return
    moment = np.cumsum(np.diff(events.known_us[tied], prepend=events.known_us[tied[0]]) > 0)
    meeting = (moment * (int(events.other.max()) + 1) + events.other[tied]) * 2 + (events.kind[tied] == LABEL)
    order = np.argsort(meeting, kind="stable")
    met = meeting[order[1:]] == meeting[order[:-1]]
    places = order[np.append(met, False) | np.append(False, met)]
    accounts, place = np.unique(events.account[tied[places]], return_inverse=True)
    rank = np.empty(len(accounts), dtype=np.int64)
    rank[names.accounts.rows["account_id"][names.accounts.first[accounts]].arg_sort()] = np.arange(len(accounts))
    settled = places[np.lexsort((events.label[tied[places]], rank[place], meeting[places]))]
    for column in events:
        column[tied[places]] = column[tied[settled]]


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


def all_questions(links: pl.DataFrame, requests: pl.DataFrame) -> Questions:
    """One question a request; `links` and `requests` have codes."""
    row, as_of_us = in_time(requests["as_of_us"].to_numpy())
    turn = np.empty(len(row), dtype=np.int32)
    turn[row] = np.arange(len(row), dtype=np.int32)
    own = own_entities(links, requests)
    asker = turn[own["row"].to_numpy()]
    order = np.lexsort((own["entity"].to_numpy(), asker))
    return Questions(
        row,
        as_of_us,
        requests["account"].fill_null(-1).to_numpy()[row],
        np.concatenate([[0], np.cumsum(np.bincount(asker, minlength=len(row)), dtype=np.int64)]),
        own["entity"].to_numpy()[order],
    )
