"""A graph of accounts out of a folder: accounts with labels and attributes, and who is tied to whom.

Either the folder was made from a node table and an edge list (`import` with such a map), or it is a data set like any other: then accounts have what
they did by the end of it, and an account of which any request was confirmed as abuse is an abuser.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from data_contracts.errors import ContractError
from data_contracts.link import EntityType
from features.catalog import ATTRIBUTE
from graph.account_aggregates import Society, society
from graph.events import asked
from models.ranker.dataset import latest_labels
from risk.jobs.read_tables import parquet_schema, read_parquet, read_tables

NODES, EDGES = "account_nodes.parquet", "account_edges.parquet"
"""Files of an imported graph. Nodes: account_id, label (1, 0, null), attributes. Edges: account_id, and other_id or entity_type, entity_id."""

EDGE_SCHEMA = pl.Schema({"account_id": pl.String(), "other_id": pl.String(), "entity_type": pl.String(), "entity_id": pl.String()})
TYING = (EntityType.DEVICE, EntityType.ADDRESS, EntityType.CARD, EntityType.PHONE, EntityType.IP, EntityType.IMAGE, EntityType.TEXT)


@dataclass(frozen=True, slots=True)
class AccountTable:
    """`nodes`: account_id, label (1.0, 0.0, null) and attributes named as features; `ties` are by the place of an account in it."""

    nodes: pl.DataFrame
    ties: Society
    edges: int

    @property
    def abuse(self) -> npt.NDArray[np.float64]:
        """1, 0, or NaN for an account that nobody judged."""
        return self.nodes["label"].cast(pl.Float64).fill_null(np.nan).to_numpy()

    @property
    def numeric(self) -> pl.DataFrame:
        """The attributes that are numbers, by their own names."""
        names = [name for name, kind in self.nodes.schema.items() if name.startswith(ATTRIBUTE) and kind != pl.String]
        return self.nodes.select(pl.col(name).alias(name.removeprefix(ATTRIBUTE)) for name in names)


def account_table(folder: Path) -> AccountTable:
    """Read it. ContractError: neither an account graph nor a data set is there, or it holds no accounts."""
    if (folder / NODES).is_file():
        nodes = _renamed(_checked(folder / NODES, ("account_id", "label")))
        edges = _checked(folder / EDGES, tuple(EDGE_SCHEMA)) if (folder / EDGES).is_file() else EDGE_SCHEMA.to_frame()
    else:
        nodes, edges = _of_data_set(folder)
    if nodes.is_empty():
        message = f"{folder} holds no accounts; expected a node table, or refund requests with their accounts"
        raise ContractError(message, field="account_id")
    return AccountTable(nodes, tied(nodes["account_id"], edges), edges.height)


def tied(accounts: pl.Series, edges: pl.DataFrame) -> Society:
    """Who is tied to whom; ends that are no account of the table are left out."""
    places = pl.DataFrame({"account_id": accounts}).with_row_index("place").cast({"place": pl.Int64})
    known = edges.join(places, on="account_id", how="inner")
    direct = known.filter(pl.col("other_id").is_not_null()).join(places.rename({"account_id": "other_id", "place": "other"}), on="other_id")
    uses = known.filter(pl.col("entity_id").is_not_null()).with_columns(entity=pl.struct("entity_type", "entity_id").rank("dense").cast(pl.Int64) - 1)
    return society(
        len(accounts),
        (direct["place"].to_numpy(), direct["other"].to_numpy()),
        (uses["place"].to_numpy(), uses["entity"].to_numpy()),
    )


def _checked(path: Path, needed: tuple[str, ...]) -> pl.DataFrame:
    lacking = [name for name in needed if name not in parquet_schema(path)]
    if lacking:
        message = f"{path} has no column {lacking[0]}; expected {', '.join(needed)}. Import the graph again"
        raise ContractError(message, field=lacking[0])
    return read_parquet(path, list(parquet_schema(path)))


def _renamed(nodes: pl.DataFrame) -> pl.DataFrame:
    own = {name: f"{ATTRIBUTE}{name}" for name in nodes.columns if name not in ("account_id", "label")}
    return nodes.rename(own).unique("account_id", keep="first", maintain_order=True).sort("account_id")


def _of_data_set(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Accounts of a data set with what they did, and what they used."""
    tables = read_tables(folder)
    requests = tables["refund_requests"].select("request_id", "amount_minor", "claim_type").join(asked(tables), on="request_id")
    if "labels" in tables:
        requests = requests.join(latest_labels(tables["labels"]).select("request_id", "label"), on="request_id", how="left")
    else:
        requests = requests.with_columns(label=pl.lit(None, pl.Float64))
    claims = (
        requests.filter(pl.col("account_id").is_not_null())
        .group_by("account_id")
        .agg(
            label=pl.col("label").max(),
            claims=pl.len().cast(pl.Float64),
            claimed=pl.col("amount_minor").sum().cast(pl.Float64),
            claim_types=pl.col("claim_type").n_unique().cast(pl.Float64),
        )
    )
    if "orders" in tables:
        bought = tables["orders"].group_by("account_id").agg(orders=pl.len().cast(pl.Float64), spent=pl.col("amount_minor").sum().cast(pl.Float64))
        claims = claims.join(bought, on="account_id", how="left").with_columns(claim_share=pl.col("claims") / pl.col("orders"))
    if "accounts" in tables:
        end = tables["refund_requests"]["known_at"].max()
        age = (pl.lit(end) - pl.col("occurred_at")).dt.total_seconds() / 86_400
        claims = claims.join(tables["accounts"].select("account_id", age_days=age).unique("account_id"), on="account_id", how="left")
    links = tables["links"] if "links" in tables else pl.DataFrame(schema={"account_id": pl.String, "entity_type": pl.String, "entity_id": pl.String})
    tying = pl.col("entity_type").is_in([str(kind) for kind in TYING]) & pl.col("account_id").is_not_null()
    uses = links.filter(tying).select("account_id", pl.lit(None, pl.String).alias("other_id"), "entity_type", "entity_id").unique()
    return _renamed(claims), uses
