"""Who may not stand on both sides of a split: time first, then whole rings.

A group is a set of accounts that share devices, addresses, cards, ...; a request without an account is a group of its own. Entities used by
more than HUB_ACCOUNTS accounts (dormitories, courier points, NAT addresses) join nobody here: they would make one group of half the market.
Texts, images and networks join too, unlike in the graph's components: what a ring copies must not stand on both sides either.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from graph.union_find import HUB_ACCOUNTS

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Split:
    """Places of the rows to fit on and of the rows held out from it."""

    fit: Places
    held: Places


def groups(requests: pl.DataFrame, links: pl.DataFrame | None, as_of: datetime) -> pl.DataFrame:
    """`request_id` and `group`: the smallest account id of the component, joined by what was known before the moment; else the request's own id."""
    own = requests.select("request_id", "account_id")
    if links is not None:
        known = links.filter((pl.col("known_at") < as_of) & pl.col("account_id").is_not_null())
        edges = known.select(pl.concat_str("entity_type", "entity_id", separator="\x1f").alias("entity"), "account_id").unique()
        used_by = edges.group_by("entity").len().filter((pl.col("len") > 1) & (pl.col("len") <= HUB_ACCOUNTS))
        own = own.join(_components(edges.join(used_by.select("entity"), on="entity", how="semi")), on="account_id", how="left")
    else:
        own = own.with_columns(group=pl.lit(None, dtype=pl.String))
    return own.select("request_id", group=pl.coalesce("group", "account_id", pl.lit("request ") + pl.col("request_id")))


def _components(edges: pl.DataFrame) -> pl.DataFrame:
    """`account_id` and `group` of the accounts on the edges."""
    accounts = edges["account_id"].unique().sort()
    entities = edges["entity"].unique().sort()
    rows = accounts.search_sorted(edges["account_id"]).to_numpy().astype(np.int64)
    columns = entities.search_sorted(edges["entity"]).to_numpy().astype(np.int64) + len(accounts)
    size = len(accounts) + len(entities)
    _, label = connected_components(coo_array((np.ones(len(rows)), (rows, columns)), shape=(size, size)), directed=False)
    named = pl.DataFrame({"account_id": accounts, "component": label[: len(accounts)]}, schema={"account_id": pl.String, "component": pl.Int64})
    return named.select("account_id", group=pl.col("account_id").min().over("component"))


def by_time(rows: pl.DataFrame, held_share: float) -> Split:
    """The last share of the rows is held out; rows before it whose group is held out too are left out, so that no ring stands on both sides.

    Rows come in order of arrival. Without a `group` column every row stands alone.
    """
    first_held = rows["as_of"].search_sorted(rows["as_of"][int(rows.height * (1.0 - held_share))]) if rows.height else 0
    places = np.arange(rows.height, dtype=np.int64)
    fit, held = places[:first_held], places[first_held:]
    if "group" in rows.columns:
        straddling = rows["group"][:first_held].is_in(rows["group"][first_held:].unique().implode()).to_numpy()
        fit = fit[~straddling]
    return Split(fit, held)


def by_group(rows: pl.DataFrame, folds: int, seed: int) -> list[Split]:
    """Folds that take turns being held out; a group is whole in one of them. Groups are dealt out largest first, to the fold with the fewest rows."""
    group = rows["group"] if "group" in rows.columns else rows["request_id"]
    codes = group.rank("dense").to_numpy().astype(np.int64) - 1
    sizes = np.bincount(codes)
    order = np.lexsort((np.random.default_rng(seed).permutation(len(sizes)), -sizes))
    fold_of = np.empty(len(sizes), dtype=np.int64)
    filled = np.zeros(folds, dtype=np.int64)
    for code in order:
        fold_of[code] = np.argmin(filled)
        filled[fold_of[code]] += sizes[code]
    fold = fold_of[codes]
    return [Split(np.flatnonzero(fold != number), np.flatnonzero(fold == number)) for number in range(folds)]


def moment_at(frame: pl.DataFrame, share: float) -> datetime:
    """The `as_of` before which that share of the requests came; at share 1 the moment after the last one."""
    moments = frame["as_of"].sort()
    place = round(moments.len() * share)
    found: datetime = moments[place] if place < moments.len() else moments[-1] + timedelta(microseconds=1)
    return found
