"""What changes the neighbours of buyers, as arrays: links, claims, orders and labels in the order in which they became known, and who asks."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import polars as pl

from data_contracts.label import LabelValue
from data_contracts.link import EntityType
from data_contracts.machine_code import in_place
from graph.events import MERGING, SOURCES, asked
from graph.neighbour_kernel import Look, add_claim, add_label, add_link, add_order, look_around
from graph.neighbour_state import Around, empty_around
from graph.union_find import Codes, Ints

TYPES = (*MERGING, EntityType.IP, EntityType.IMAGE, EntityType.TEXT)
"""The types that make neighbours; the owned ones come first (`neighbour_kernel.OWNED`)."""

LINK, CLAIM, ORDER, LABEL = range(4)

Tables = Mapping[str, pl.DataFrame]


class Events(NamedTuple):
    """In the order of known_us. `other` is a link's entity, a claim's amount, a label's request; the last three are a label's."""

    known_us: Ints
    kind: Ints
    account: Ints
    other: Ints
    number: Ints
    asked_us: Ints
    mark: Ints


class Questions(NamedTuple):
    """Requests in the order of as_of; `account` is -1 for an unknown buyer, its entities are `entity[start[i]:start[i + 1]]`, by their mark."""

    row: Ints
    as_of_us: Ints
    account: Codes
    start: Ints
    entity: Codes


class Named(NamedTuple):
    """Everything in a data set by code: names of accounts and entities in the order of their codes, and what happened."""

    accounts: pl.Series
    entities: pl.DataFrame  # entity_type, entity_id
    requests: pl.DataFrame  # request_id, account_id, order_id, as_of_us, account
    links: pl.DataFrame  # account, entity, known_us, request_id, order_id
    account_mark: Ints
    entity_mark: Ints
    opened: pl.DataFrame  # account, occurred_us, known_us


@lru_cache(maxsize=65_536)
def mark(*words: str) -> int:
    """A whole number out of a name, the same everywhere: it puts in order what happened in one microsecond."""
    return int.from_bytes(blake2b("\x1f".join(words).encode(), digest_size=8).digest(), "little", signed=True)


def marks(names: Iterable[str]) -> Ints:
    """The marks of many names."""
    return np.frombuffer(b"".join(blake2b(name.encode(), digest_size=8).digest() for name in names), dtype="<i8").astype(np.int64)


def named(tables: Tables) -> Named:
    """Codes for everything that these tables name; they hold a links table."""
    requests = asked(tables)
    kinds = [str(kind) for kind in TYPES]
    links = tables["links"].filter(pl.col("entity_type").is_in(kinds))
    links = links.select("entity_type", "entity_id", "account_id", "request_id", "order_id", known_us=pl.col("known_at").dt.epoch("us"))
    whose = [links["account_id"], requests["account_id"], *(tables[name]["account_id"] for name in ("orders", "accounts") if name in tables)]
    accounts = pl.concat(whose).drop_nulls().unique().sort().rename("account_id")
    entities = links.select("entity_type", "entity_id").unique().sort("entity_type", "entity_id")
    links = _coded(links, accounts).join(entities.with_row_index("entity"), on=["entity_type", "entity_id"], how="left", maintain_order="left")
    opened = tables["accounts"] if "accounts" in tables else pl.DataFrame(schema={"account_id": pl.String, "occurred_at": None, "known_at": None})
    return Named(
        accounts,
        entities,
        _coded(requests, accounts),
        links.select("account", "entity", "known_us", "request_id", "order_id"),
        marks(accounts),
        marks(entities.select(pl.concat_str("entity_type", "entity_id", separator="\x1f")).to_series()),
        _opened(opened, accounts),
    )


def events_of(tables: Tables, names: Named, currency: str | None) -> Events:
    """Everything that happened; an amount in another currency than the one given counts as 0."""
    same = pl.col("currency").is_null() | (pl.col("currency") == currency) if currency is not None else pl.lit(value=True)
    amounts = tables["refund_requests"].select("request_id", other=pl.when(same).then("amount_minor").fill_null(0))
    buyers = names.requests.filter(pl.col("account").is_not_null())
    parts = [
        _event(names.links.filter(pl.col("account").is_not_null()).rename({"entity": "other"}), LINK),
        _event(buyers.join(amounts, on="request_id", how="left").rename({"as_of_us": "known_us"}), CLAIM),
    ]
    if "orders" in tables:
        orders = _coded(tables["orders"].select("account_id", known_us=pl.col("known_at").dt.epoch("us")).drop_nulls(), names.accounts)
        parts.append(_event(orders, ORDER))
    if "labels" in tables:
        parts.append(_event(_labels(tables["labels"], names.requests), LABEL))
    frame = pl.concat(parts).sort("known_us", maintain_order=True)
    return Events(*(frame[column].to_numpy(writable=True) for column in Events._fields))


def questions_of(names: Named) -> Questions:
    """One question a request, with the entities that it comes with: links that name it or its order, known at or before it."""
    order = names.requests.with_row_index("row").sort("as_of_us", "row").with_row_index("turn")
    found = [
        names.links.filter(pl.col(key).is_not_null())
        .join(order.select(key, "turn", "as_of_us").filter(pl.col(key).is_not_null()), on=key, how="inner")
        .filter(pl.col("known_us") <= pl.col("as_of_us"))
        .select("turn", "entity")
        for key in ("request_id", "order_id")
    ]
    own = pl.concat(found).unique()
    own = own.with_columns(mark=pl.Series(names.entity_mark[own["entity"].to_numpy()], dtype=pl.Int64)).sort("turn", "mark", "entity")
    counts = np.bincount(own["turn"].to_numpy(), minlength=order.height)
    return Questions(
        order["row"].cast(pl.Int64).to_numpy(),
        order["as_of_us"].to_numpy(),
        order["account"].cast(pl.Int32).fill_null(-1).to_numpy(),
        np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]),
        own["entity"].cast(pl.Int32).to_numpy(),
    )


def state_for(names: Named, events: Events, *, spare: bool = False) -> Around:
    """A state with room for all of it, in which nothing has happened; `spare`: and for a quarter more, since making room later copies everything."""
    accounts, entities = len(names.accounts), names.entities.height
    kinds = np.bincount(events.kind, minlength=4)
    records = int(2 * kinds[LINK] + kinds[CLAIM] + kinds[ORDER] + 2 * kinds[LABEL])
    sizes = (accounts, entities, names.requests.height, max(records, 1), max(int(kinds[LABEL]), 1))
    around = empty_around(*((size + size // 4 + 64 for size in sizes) if spare else sizes))
    around.accounts["mark"][:accounts] = names.account_mark
    around.entities["mark"][:entities] = names.entity_mark
    places = {str(kind): place for place, kind in enumerate(TYPES)}
    around.entities["type"][:entities] = names.entities["entity_type"].replace_strict(places, return_dtype=pl.Int32).to_numpy()
    account = names.opened["account"].to_numpy()
    around.accounts["opened_us"][account] = names.opened["occurred_us"].to_numpy()
    around.accounts["opened_known_us"][account] = names.opened["known_us"].to_numpy()
    return around


@in_place
def play(around: Around, events: Events, start: int, as_of_us: int) -> int:
    """Apply the events from `start` on that became known strictly before that moment; return where it stopped."""
    while start < len(events.known_us) and events.known_us[start] < as_of_us:
        kind, account, us = events.kind[start], events.account[start], events.known_us[start]
        if kind == LINK:
            add_link(around, events.other[start], account, us)
        elif kind == CLAIM:
            add_claim(around, account, events.other[start], us)
        elif kind == ORDER:
            add_order(around, account, us)
        else:
            add_label(around, (events.other[start], account, events.mark[start]), events.number[start], events.asked_us[start], us)
        start += 1
    return start


@in_place
def answer(around: Around, events: Events, questions: Questions, picked: Ints, look: Look, answers: Ints) -> None:
    """Fill the rows of `answers` with the picked numbers of each question, one after the other in the order of time."""
    done = 0
    flat = look.found.reshape(-1)
    for index in range(len(questions.row)):
        done = play(around, events, done, questions.as_of_us[index])
        entities = questions.entity[questions.start[index] : questions.start[index + 1]]
        look_around(around, int(questions.account[index]), entities, int(questions.as_of_us[index]), look)
        row = questions.row[index]
        for place in range(len(picked)):
            answers[row, place] = flat[picked[place]]


def _coded(frame: pl.DataFrame, accounts: pl.Series) -> pl.DataFrame:
    codes = accounts.to_frame().with_row_index("account")
    return frame.join(codes, on="account_id", how="left", maintain_order="left")


def _opened(accounts: pl.DataFrame, names: pl.Series) -> pl.DataFrame:
    """When each account was opened: the first row of an account by the moment that it became known."""
    times = accounts.select(
        "account_id",
        occurred_us=pl.col("occurred_at").cast(pl.Datetime("us")).dt.epoch("us"),
        known_us=pl.col("known_at").cast(pl.Datetime("us")).dt.epoch("us"),
    )
    return _coded(times.sort("known_us", "occurred_us").unique("account_id", keep="first"), names)


def _labels(labels: pl.DataFrame, requests: pl.DataFrame) -> pl.DataFrame:
    """The labels of requests whose buyer is known; known no earlier than the request."""
    whose = requests.with_row_index("other").filter(pl.col("account").is_not_null())
    joined = labels.join(whose, on="request_id", how="inner").select(
        "request_id",
        "account",
        "other",
        asked_us="as_of_us",
        known_us=pl.max_horizontal(pl.col("known_at").dt.epoch("us"), "as_of_us"),
        number=pl.col("source").cast(pl.Enum(SOURCES)).to_physical().cast(pl.Int64) * 2 + (pl.col("value") == LabelValue.HONEST).cast(pl.Int64),
    )
    return joined.with_columns(mark=pl.Series(marks(joined["request_id"]), dtype=pl.Int64))


def _event(frame: pl.DataFrame, kind: int) -> pl.DataFrame:
    """The columns of Events; what the frame does not have is 0."""
    there = set(frame.columns)
    return frame.select(
        (pl.lit(kind) if name == "kind" else pl.col(name) if name in there else pl.lit(0)).cast(pl.Int64).alias(name) for name in Events._fields
    )
