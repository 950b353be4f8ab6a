"""Tables seen as questions and as entity timelines, with Polars: the batch side of `features/streams.py`.

A question is one refund request as of its `known_at`: what is known of its own order, deliveries, evidence and links by then, and the entities
that follow from it. The request's event on the timelines carries the same payload and sits on the same entities, so what others later see of it
is what we saw of it.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property

import polars as pl

from data_contracts.link import LINK_TYPES, EntityType
from data_contracts.tables import schema
from data_contracts.timeline import COLUMNS, NAMES, NEVER, WHOLE, Stream

Tables = Mapping[str, pl.DataFrame]

STREAM_TABLES: Mapping[Stream, str] = {
    Stream.ORDER: "orders",
    Stream.REQUEST: "refund_requests",
    Stream.LABEL: "labels",
    Stream.LINK: "links",
}
"""The table whose absence makes a stream unknown."""


def currency_of(tables: Tables) -> str | None:
    """The currency that most requests are in (the first by name among equals); null when none names one."""
    counted = tables["refund_requests"].group_by("currency").len().drop_nulls().sort("len", "currency", descending=[True, False])
    return None if counted.is_empty() else str(counted["currency"][0])


def micros(name: str) -> pl.Expr:
    """A time column as whole microseconds since 1970 UTC, named `..._us`."""
    return pl.col(name).dt.epoch("us").alias(name.replace("_at", "_us"))


def only(name: str) -> pl.Expr:
    """The one known value of a group; null when there are none or several."""
    known = pl.col(name).drop_nulls()
    return pl.when(known.n_unique() == 1).then(known.first()).otherwise(None).alias(name)


class Projection:
    """One data set's questions and timelines; every frame is made once, when it is first asked for."""

    def __init__(self, tables: Tables, currency: str | None) -> None:
        self.tables = tables
        self.currency = currency

    def table(self, name: str) -> pl.DataFrame:
        """The table, or one without rows when it is absent."""
        found = self.tables.get(name)
        return pl.DataFrame(schema=schema(name)) if found is None else found

    def amount(self) -> pl.Expr:
        """The amount, null when it is in another currency than the data set's."""
        if self.currency is None:
            return pl.col("amount_minor")
        same = pl.col("currency").is_null() | (pl.col("currency") == self.currency)
        return pl.when(same).then(pl.col("amount_minor")).otherwise(None).alias("amount_minor")

    @cached_property
    def orders(self) -> pl.DataFrame:
        """One row an order in the order of (known_us, order_id), with `place`, its position: the payload of order events."""
        lines = self.table("order_lines").group_by("order_id").agg(pl.col("quantity").sum(), only("sku_id"))
        return (
            in_order(self.table("orders").with_columns(micros("occurred_at"), micros("known_at")), pl.col("order_id"))
            .select("order_id", "occurred_us", "known_us", "account_id", "seller_id", self.amount())
            .join(lines, on="order_id", how="left", maintain_order="left")
            .with_row_index("place")
        )

    @cached_property
    def requests(self) -> pl.DataFrame:
        """One row a request in the order of (known_us, request_id), with its own order as far as it is known then (`order_known`)."""
        asked = in_order(self.table("refund_requests").with_columns(micros("occurred_at"), micros("known_at")), pl.col("request_id"))
        orders = self.orders.select(
            "order_id",
            pl.col("occurred_us").alias("order_us"),
            pl.col("known_us").alias("order_known_us"),
            pl.col("account_id").alias("order_account"),
            pl.col("seller_id").alias("order_seller"),
            pl.col("amount_minor").alias("order_amount"),
        )
        joined = asked.join(orders, on="order_id", how="left", maintain_order="left").with_row_index("place")
        known = pl.col("order_known_us") <= pl.col("known_us")
        named = pl.col("order_id").is_not_null() if "orders" not in self.tables else known
        return joined.select(
            "place",
            "request_id",
            "occurred_us",
            "known_us",
            pl.when(named).then(pl.col("order_id")).alias("order_id"),
            pl.when(known).then("order_us").alias("order_us"),
            pl.when(known).then("order_amount").alias("order_amount"),
            pl.coalesce("account_id", pl.when(known).then("order_account")).alias("account_id"),
            pl.coalesce("seller_id", pl.when(known).then("order_seller")).alias("seller_id"),
            "claim_type",
            self.amount(),
            pl.col("text").str.len_chars().alias("text_characters"),
            "same_items",
        )

    def of_request(self, name: str) -> pl.DataFrame:
        """The rows of a table that belong to a request and were known by then, with the request's `place`; those without times always were."""
        asked = self.requests.select("request_id", "place", pl.col("known_us").alias("asked_us"))
        rows = self.table(name).join(asked, on="request_id", how="inner", maintain_order="left")
        return rows if "known_at" not in rows.columns else rows.filter(pl.col("known_at").dt.epoch("us") <= pl.col("asked_us"))

    def of_order(self, name: str) -> pl.DataFrame:
        """The rows of a table that belong to a request's order, with the request's `place` and `asked_us`; filter on time as the table needs."""
        asked = self.requests.filter(pl.col("order_id").is_not_null()).select("order_id", "place", pl.col("known_us").alias("asked_us"))
        return self.table(name).join(asked, on="order_id", how="inner", maintain_order="left")

    @cached_property
    def articles(self) -> pl.DataFrame:
        """The articles and lots a request is about (place, sku_id, lot): the claimed lines, or the whole order when no line is named."""
        lines = self.of_order("order_lines").select("place", "line_no", "sku_id", "lot")
        claimed = self.of_request("claim_lines").select("place", "line_no", "sku_id")
        named = claimed.join(lines, on=["place", "line_no"], how="left", suffix="_ordered").select(
            "place",
            pl.coalesce("sku_id", "sku_id_ordered").alias("sku_id"),
            "lot",
        )
        whole = lines.join(claimed.select("place").unique(), on="place", how="anti").select("place", "sku_id", "lot")
        return pl.concat([named, whole])

    @cached_property
    def category(self) -> pl.Series:
        """The one category of the articles that a request is about, else its seller's; null when neither has one."""
        asked = self.requests.select("place", "known_us")
        articles = self.articles.join(asked, on="place").join(self.known_since("skus"), on="sku_id").filter(pl.col("since_us") <= pl.col("known_us"))
        one = articles.group_by("place").agg(only("category"))
        sellers = self.known_since("sellers").rename({"category": "seller_category"})
        joined = self.requests.join(one, on="place", how="left", maintain_order="left")
        joined = joined.join(sellers, on="seller_id", how="left", maintain_order="left")
        theirs = pl.when(pl.col("since_us") <= pl.col("known_us")).then("seller_category")
        return joined.select(pl.coalesce("category", theirs).alias("category")).to_series()

    def known_since(self, name: str) -> pl.DataFrame:
        """The id and category of sellers or skus, and `since_us`, when they became known."""
        return self.table(name).select(f"{name[:-1]}_id", "category", pl.col("known_at").dt.epoch("us").alias("since_us"))

    @cached_property
    def delivered(self) -> pl.DataFrame:
        """When the first `delivered` scan known before the request says its order arrived (place, delivered_us)."""
        scans = self.of_order("deliveries").filter(
            (pl.col("status") == "delivered") & (pl.col("known_at").dt.epoch("us") < pl.col("asked_us")),
        )
        return scans.group_by("place").agg(pl.col("occurred_at").dt.epoch("us").min().alias("delivered_us"))

    @cached_property
    def measured(self) -> pl.DataFrame:
        """The newest version's measurement of each signal and piece of evidence known by then (place, evidence_id, signal, value)."""
        rows = self.of_request("measurements").sort("version", "known_at").unique(["place", "evidence_id", "signal"], keep="last")
        return rows.select("place", "evidence_id", "signal", "value")

    @cached_property
    def payload(self) -> pl.DataFrame:
        """The request events' columns, one row a request in the order of `requests`."""
        claimed = self.of_request("claim_lines").group_by("place").agg(pl.col("quantity").sum())
        generated = self.measured.filter(pl.col("signal") == "generated").group_by("place").agg(pl.col("value").max())
        one = self.articles.group_by("place").agg(only("sku_id"))
        joined = self.requests
        for part in (claimed, generated, one, self.delivered):
            joined = joined.join(part, on="place", how="left", maintain_order="left")
        return joined.select(
            "place",
            pl.col("request_id").alias("event_id"),
            "occurred_us",
            "known_us",
            pl.lit(NEVER).alias("until_us"),
            "account_id",
            "seller_id",
            "sku_id",
            "claim_type",
            "amount_minor",
            "quantity",
            ((pl.col("occurred_us") - pl.col("delivered_us")) // 1_000_000).alias("delay_s"),
            (pl.col("value") * 1e6 + 0.5).floor().cast(pl.Int64).alias("generated_ppm"),
        )

    def members(self, entity: EntityType) -> pl.DataFrame:
        """The entities of a type that each request has (place, entity_id), each once, by place."""
        if entity in LINK_TYPES:
            asked = self.requests.select("request_id", "order_id", "place", pl.col("known_us").alias("asked_us"))
            return _linked(self.linked(entity), asked, ("request_id", "order_id"))
        if entity in (EntityType.SKU, EntityType.LOT):
            return _each_once(self.articles.select("place", pl.col("sku_id" if entity is EntityType.SKU else "lot").alias("entity_id")))
        return self.requests.select("place", pl.col(f"{entity.value}_id").alias("entity_id")).drop_nulls()

    def order_members(self, entity: EntityType) -> pl.DataFrame:
        """The entities of a type that each order has (place, entity_id), each once, by place."""
        if entity in LINK_TYPES:
            return _linked(self.linked(entity), self.orders.select("order_id", "place", pl.col("known_us").alias("asked_us")), ("order_id",))
        if entity in (EntityType.SKU, EntityType.LOT):
            lines = self.table("order_lines").join(self.orders.select("place", "order_id"), on="order_id")
            return _each_once(lines.select("place", pl.col("sku_id" if entity is EntityType.SKU else "lot").alias("entity_id")))
        return self.orders.select("place", pl.col(f"{entity.value}_id").alias("entity_id")).drop_nulls()

    @cached_property
    def links(self) -> pl.DataFrame:
        """Every link once, in the order of known_us (those of one moment in any), with times in microseconds."""
        rows = self.table("links").with_columns(micros("occurred_at"), micros("known_at")).drop("occurred_at", "known_at")
        twins = rows.hash_rows().is_duplicated()
        if twins.any():
            rows = pl.concat([rows.filter(~twins), rows.filter(twins).unique()])
        return rows.sort("known_us")

    @cached_property
    def _links_by_type(self) -> dict[tuple[object, ...], pl.DataFrame]:
        return self.links.partition_by("entity_type", as_dict=True)

    def linked(self, entity: EntityType) -> pl.DataFrame:
        """The links to entities of a type; for accounts all links whose account is known, with the entity as target."""
        if entity is EntityType.ACCOUNT:
            targets = (pl.col("entity_type").alias("target_type"), pl.col("entity_id").alias("target_id"))
            return self.links.filter(pl.col("account_id").is_not_null()).with_columns(*targets)
        return self._links_by_type.get((entity.value,), self.links.clear())

    @cached_property
    def labels(self) -> pl.DataFrame:
        """Every label once, in the order of (known_us, event id), with the request's place and `until_us`; known no earlier than the request."""
        asked = self.requests.select("request_id", "place", pl.col("known_us").alias("asked_us"))
        known = pl.max_horizontal(pl.col("known_at").dt.epoch("us"), "asked_us").alias("known_us")
        rows = self.table("labels").join(asked, on="request_id", how="inner").with_columns(known)
        until = pl.col("known_us").shift(-1).over("request_id").fill_null(NEVER).alias("until_us")
        abuse = (pl.col("value") == "abuse").cast(pl.Int64).alias("abuse")
        return in_order(rows, LABEL_EVENT_ID).with_columns(until, abuse, LABEL_EVENT_ID.alias("event_id"))

    def events(self, entity: EntityType, stream: Stream, columns: Sequence[str] = COLUMNS, only: pl.Series | None = None) -> pl.DataFrame:
        """The events of every entity of a type on one stream, or of `only` those: entity_id and the columns asked for.

        In the order of (known_us, event_id); links of one moment have no order unless `event_id` is asked for.
        """
        match stream:
            case Stream.REQUEST:
                found = self._on(_among(self.members(entity), only), self.payload, columns)
            case Stream.ORDER:
                payload = self.orders.with_columns(pl.col("order_id").alias("event_id"))
                found = self._on(_among(self.order_members(entity), only), payload, columns)
            case Stream.LABEL:
                found = self._label_events(_among(self.members(entity), only), columns)
            case Stream.LINK:
                found = self._link_events(entity, columns, only)
        return _complete(found, columns)

    def _on(self, members: pl.DataFrame, payload: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
        """The payload row of each member; row `place` of a payload lies at that position."""
        rows = payload.select(name for name in columns if name in payload.columns)
        everybody = members.height == rows.height and members["place"].equals(payload["place"])
        return (rows if everybody else rows[members["place"]]).with_columns(members["entity_id"])

    def _label_events(self, members: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
        mine = self.labels.with_row_index("turn").select("turn", "place", "event_id", "known_us", "until_us", "abuse")
        spread = mine.join(members, on="place", how="inner").sort("turn")
        wanted = [name for name in (*NAMES, "occurred_us", "amount_minor") if name in columns and name in self.payload.columns]
        return pl.concat([spread, self.payload.select(wanted)[spread["place"]]], how="horizontal")

    def _link_events(self, entity: EntityType, columns: Sequence[str], only: pl.Series | None) -> pl.DataFrame:
        found = self.linked(entity)
        if "event_id" in columns:
            found = found.with_columns(LINK_EVENT_ID.alias("event_id"))
        if entity is EntityType.ACCOUNT:
            found = found.with_columns(pl.col("account_id").alias("entity_id"))
        found = _among(found, only)
        return found.sort("known_us", "event_id") if "event_id" in columns else found


def _among(rows: pl.DataFrame, only: pl.Series | None) -> pl.DataFrame:
    return rows if only is None else rows.filter(pl.col("entity_id").is_in(only.implode()))


def _linked(links: pl.DataFrame, asked: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """The linked entities (place, entity_id) that were known at or before the moment asked for, by any of the keys, each once, by place."""
    found = [
        links.filter(pl.col(key).is_not_null())
        .join(asked.filter(pl.col(key).is_not_null()).select(key, "place", "asked_us"), on=key)
        .filter(pl.col("known_us") <= pl.col("asked_us"))
        .select("place", "entity_id")
        for key in keys
    ]
    return _each_once(pl.concat(found))


def _each_once(members: pl.DataFrame) -> pl.DataFrame:
    return members.drop_nulls().unique().sort("place", "entity_id")


LINK_EVENT_ID = pl.concat_str(
    "entity_type",
    "entity_id",
    *(pl.col(name).fill_null("") for name in ("account_id", "request_id", "order_id")),
    "occurred_us",
    separator="|",
)
"""Names a link by all that it says (its known_us stands beside it): a second row of the same content is the same link."""

LABEL_EVENT_ID = pl.concat_str("request_id", "source", (pl.col("value") == "abuse").cast(pl.Int64), separator="|")
"""Names a label by all that it says, its known_us aside; of two labels of one moment the later source by name holds, then abuse."""


def in_order(frame: pl.DataFrame, event_id: pl.Expr) -> pl.DataFrame:
    """Sorted by (known_us, event_id), a repeated event kept once; ids are only made where moments tie, so this costs one sort of whole numbers."""
    rows = frame.sort("known_us", maintain_order=True)
    tied = (pl.col("known_us") == pl.col("known_us").shift(1)) | (pl.col("known_us") == pl.col("known_us").shift(-1))
    among = rows.select(tied.fill_null(value=False)).to_series()
    if not among.any():
        return rows
    single = rows.filter(~among)
    several = rows.filter(among).with_columns(event_id.alias("_id")).unique(["known_us", "_id"]).sort("known_us", "_id").drop("_id")
    return single.merge_sorted(several, key="known_us")


def _complete(found: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Every column asked for, in that order; null where the stream does not carry it (`until_us`: never)."""
    whole = ("occurred_us", "known_us", *WHOLE)
    lacking = [
        pl.lit(NEVER if name == "until_us" else None, pl.Int64 if name in whole or name == "until_us" else pl.String).alias(name)
        for name in columns
        if name not in found.columns
    ]
    return found.with_columns(lacking).select("entity_id", *columns)
