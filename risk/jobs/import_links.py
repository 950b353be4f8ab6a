"""The identifiers of a merchant's file become links: each in its one form, hashed; those that name nobody are left out, counted and listed."""

import itertools
from typing import NamedTuple

import polars as pl

from data_contracts.link import EntityType
from data_contracts.sift import PROBLEMS, ROW, quoted
from data_contracts.tables import schema
from graph.entities import OWN, PLACEHOLDER_SHARE, PLACEHOLDER_USERS
from graph.normalise import Outcome
from graph.templates import Templates
from risk.identity import Identifiers
from risk.jobs.import_columns import LINK

EXPECTED = {
    Outcome.PLACEHOLDER: "an identifier, not what a field is filled with when there is none",
    Outcome.SELF: "an identifier of something else than the account itself",
    Outcome.COMMON: "an identifier of one's own, not one that so many accounts share",
}
"""What was expected of identifiers that are listed; one that is simply not there is counted only."""


class Linked(NamedTuple):
    """The links table, how many identifiers of each type had which outcome, and those listed as left out."""

    links: pl.DataFrame
    outcomes: dict[str, dict[str, int]]
    problems: pl.DataFrame


def links_of(rows: pl.DataFrame, columns: list[str], identifiers: Identifiers) -> Linked:
    """One link for each identifier that a request carries; `rows` are the accepted requests with their row numbers and identifiers."""
    account = pl.col("account_id") if "account_id" in rows.columns else pl.lit(None, pl.String)
    parts, problems = [schema("links").to_frame()], [PROBLEMS.to_frame()]
    outcomes: dict[str, dict[str, int]] = {}
    for entity, several in itertools.groupby(columns, lambda column: column.removeprefix(LINK).split(" ", 1)[0]):
        names = list(several)
        used = pl.concat(
            [rows.select(ROW, "request_id", "occurred_at", "known_at", account_id=account, raw=pl.col(name), column=pl.lit(name)) for name in names]
        )
        judged = _judged(used, EntityType(entity), identifiers)
        outcomes[entity] = {str(name): number for name, number in judged["outcome"].value_counts(sort=True).iter_rows()}
        problems.append(_listed(judged.filter(pl.col("outcome").is_in([str(each) for each in EXPECTED])), entity))
        kept = judged.filter(pl.col("id").is_not_null())
        if len(names) > 1:  # the same card in two columns is one link
            kept = kept.unique(["id", "request_id"], keep="first", maintain_order=True)
        order = pl.lit(None, pl.String).alias("order_id")
        parts.append(
            kept.select(
                pl.lit(entity).alias("entity_type"), pl.col("id").alias("entity_id"), "account_id", "request_id", order, "occurred_at", "known_at"
            )
        )
    return Linked(pl.concat(parts), outcomes, pl.concat(problems))


def wordings(rows: pl.DataFrame) -> pl.DataFrame:
    """A link for each claim's wording, the template of its text; the earliest text that became known founds a template."""
    said = rows.filter(pl.col("text").is_not_null()).sort("known_at", "request_id")
    account = pl.col("account_id") if "account_id" in rows.columns else pl.lit(None, pl.String)
    return said.select(
        pl.lit(EntityType.TEXT.value).alias("entity_type"),
        pl.Series("entity_id", Templates().ids_of(said["text"]), dtype=pl.String),
        account.alias("account_id"),
        "request_id",
        pl.lit(None, pl.String).alias("order_id"),
        "occurred_at",
        "known_at",
    ).filter(pl.col("entity_id").is_not_null())


def _judged(used: pl.DataFrame, entity: EntityType, identifiers: Identifiers) -> pl.DataFrame:
    """The uses with `id` and `outcome`; every different identifier is worked out once."""
    different = used["raw"].drop_nulls().unique()
    found = [identifiers.of(entity, raw) for raw in different]
    read = pl.DataFrame({"raw": different, "id": [each.id for each in found], "outcome": [str(each.outcome) for each in found]}, schema=_READ)
    judged = used.join(read, on="raw", how="left", maintain_order="left").with_columns(pl.col("outcome").fill_null(str(Outcome.EMPTY)))
    judged = _left_out(judged, Outcome.SELF, pl.col("raw") == pl.col("account_id"))
    if entity not in OWN:
        return judged
    accounts = used["account_id"].n_unique()
    shared = judged.filter(pl.col("id").is_not_null()).group_by("id").agg(users=pl.col("account_id").n_unique())
    common = shared.filter((pl.col("users") >= PLACEHOLDER_USERS) & (pl.col("users") >= PLACEHOLDER_SHARE * accounts))
    return _left_out(judged, Outcome.COMMON, pl.col("id").is_in(common["id"].implode()))


_READ = {"raw": pl.String, "id": pl.String, "outcome": pl.String}


def _left_out(judged: pl.DataFrame, outcome: Outcome, wrong: pl.Expr) -> pl.DataFrame:
    """The uses, those that are wrong without an id."""
    wrong = wrong.fill_null(value=False) & pl.col("id").is_not_null()
    return judged.with_columns(
        id=pl.when(~wrong).then("id"),
        outcome=pl.when(wrong).then(pl.lit(str(outcome))).otherwise("outcome"),
    )


def _listed(wrong: pl.DataFrame, entity: str) -> pl.DataFrame:
    """What is told of identifiers that were left out: a common one is somebody's perhaps, so it is not quoted."""
    common = pl.col("outcome") == str(Outcome.COMMON)
    column = pl.col("column").str.splitn(" ", 3).struct.field("field_2")
    return (
        wrong.with_columns(raw=pl.when(~common).then("raw"))
        .select(
            pl.col(ROW).alias("row"),
            pl.lit(f"links.{entity}").alias("field"),
            quoted(wrong.select(pl.when(~common).then("raw").alias("raw")).get_column("raw")).alias("got"),
            pl.col("outcome").replace_strict({str(each): said for each, said in EXPECTED.items()}, return_dtype=pl.String)
            + pl.format(" (column '{}')", column),
        )
        .rename({"outcome": "expected"})
    )
