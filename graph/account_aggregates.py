"""A graph of accounts as it stands: what the accounts around each one are like, one and two steps away.

Accounts are tied directly or by an entity that both use. An entity of more than HUB users ties nobody, and the second step does not lead through an
account of more than HUB neighbours: both are counted, neither is followed, so one entity with a million accounts costs what its rows cost.
No account is ever its own neighbour, at no distance: what is known of an account does not come back to it through others.
"""

from random import Random
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

HUB = 50

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

OVERGROWN = 0.2
"""A component that holds more than this share of all accounts is no unit for splitting; it is cut into communities."""

LABEL_AGGREGATES = ("abuse", "honest", "abuse_share")


class Society(NamedTuple):
    """Ties of accounts, by place: `near` and `far` are symmetric, without the account itself; `far` is exactly two steps away."""

    near: csr_array
    far: csr_array
    hubs: Ints  # entities of more than HUB users that the account uses


def society(accounts: int, pairs: tuple[Ints, Ints], uses: tuple[Ints, Ints]) -> Society:
    """From pairs of accounts and from uses (account, entity), by place; self-pairs and repetitions say nothing."""
    account, entity = np.unique(np.column_stack(uses), axis=0).T if len(uses[0]) else (np.zeros(0, np.int64), np.zeros(0, np.int64))
    users = np.bincount(entity)
    shared = (users[entity] > 1) & (users[entity] <= HUB) if len(entity) else np.zeros(0, dtype=bool)
    hubs = np.bincount(account[users[entity] > HUB], minlength=accounts) if len(entity) else np.zeros(accounts, np.int64)
    used = _matrix(account[shared], entity[shared], (accounts, max(len(users), 1)))
    near = _ties(used @ used.T + _matrix(*pairs, (accounts, accounts)) + _matrix(pairs[1], pairs[0], (accounts, accounts)))
    return Society(near, _two_steps(near), hubs.astype(np.int64))


def without_ties_across(found: Society, side: npt.NDArray[np.bool_]) -> Society:
    """The same people, when the two sides do not know each other."""
    near = found.near.tocoo()
    same = side[near.row] == side[near.col]
    cut = _ties(_matrix(near.row[same], near.col[same], near.shape))
    return Society(cut, _two_steps(cut), found.hubs)


def attribute_aggregates(found: Society, values: pl.DataFrame) -> dict[str, Floats]:
    """Degrees, and for each numeric column the mean, the largest and the sum over the neighbours of either step; NaN where nobody says anything."""
    degree = np.diff(found.near.indptr).astype(np.float64)
    made = {"near_accounts": degree, "far_accounts": np.diff(found.far.indptr).astype(np.float64), "shared_hubs": found.hubs.astype(np.float64)}
    for name in values.columns:
        column = values[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        for step, ties in (("near", found.near), ("far", found.far)):
            known = ~np.isnan(column)
            total, count = ties @ np.where(known, column, 0.0), ties @ known.astype(np.float64)
            made[f"{step}_{name}_mean"] = np.where(count > 0, total / np.maximum(count, 1.0), np.nan)
            made[f"{step}_{name}_sum"] = np.where(count > 0, total, np.nan)
            made[f"{step}_{name}_most"] = _largest(ties, column)
    return made


def label_aggregates(found: Society, abuse: Floats) -> dict[str, Floats]:
    """Abusers, honest ones and the share of abusers among the judged neighbours of either step; `abuse` is 1, 0, or NaN for what is not known."""
    made: dict[str, Floats] = {}
    for step, ties in (("near", found.near), ("far", found.far)):
        caught, cleared = ties @ (abuse == 1.0).astype(np.float64), ties @ (abuse == 0.0).astype(np.float64)
        judged = caught + cleared
        known = judged > 0
        columns = (caught, cleared, caught / np.maximum(judged, 1.0))
        made |= {f"{step}_{name}": np.where(known, column, np.nan) for name, column in zip(LABEL_AGGREGATES, columns, strict=True)}
    return made


def units(found: Society, seed: int) -> Ints:
    """Who stays together in a split: the component of each account, or its community where one component is most of the graph."""
    _, component = connected_components(found.near, directed=False)
    sizes = np.bincount(component)
    large = np.flatnonzero(sizes > max(OVERGROWN * len(component), HUB))
    unit = component.astype(np.int64)
    for each in large:
        places = np.flatnonzero(component == each)
        unit[places] = unit.max() + 1 + _communities(found.near[places][:, places], seed)
    return np.asarray(unit, dtype=np.int64)


def _communities(near: csr_array, seed: int) -> Ints:
    import igraph

    ends = near.tocoo()
    half = ends.row < ends.col
    graph = igraph.Graph(n=near.shape[0], edges=np.column_stack((ends.row[half], ends.col[half])))
    igraph.set_random_number_generator(Random(seed))  # noqa: S311  # no secret, the same split every time
    return np.array(graph.community_leiden(objective_function="modularity", n_iterations=4).membership, dtype=np.int64)


def _matrix(rows: Ints, columns: Ints, shape: tuple[int, int]) -> csr_array:
    return coo_array((np.ones(len(rows), np.float64), (rows, columns)), shape=shape).tocsr()


def _ties(raw: csr_array) -> csr_array:
    """Who is tied at all, without oneself."""
    ends = raw.tocoo()
    other = (ends.row != ends.col) & (ends.data > 0)
    found = _matrix(ends.row[other], ends.col[other], raw.shape)
    found.data[:] = 1.0
    return found


def _two_steps(near: csr_array) -> csr_array:
    """Who is exactly two steps away, by way of accounts of at most HUB neighbours; for an account with more than that nobody is."""
    modest = (np.diff(near.indptr) <= HUB).astype(np.float64)
    through = near.multiply(modest[None, :]).tocsr()
    through = through.multiply(modest[:, None]).tocsr()
    through.eliminate_zeros()
    reached = _ties(through @ near)
    beyond = reached - reached.multiply(near)
    beyond = beyond.tocsr()
    beyond.eliminate_zeros()
    return beyond


def _largest(ties: csr_array, column: Floats) -> Floats:
    """The largest known value among the tied ones; NaN for none."""
    found = np.full(ties.shape[0], np.nan)
    many = np.diff(ties.indptr) > 0
    if many.any():
        values = np.where(np.isnan(column), -np.inf, column)[ties.indices]
        largest = np.maximum.reduceat(values, ties.indptr[:-1][many])
        found[many] = np.where(np.isinf(largest), np.nan, largest)
    return found
