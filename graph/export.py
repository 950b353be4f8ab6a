"""A ring as a networkx graph, for analysis and for other tools: GraphML, GEXF, CSV."""

from pathlib import Path

import networkx as nx
import polars as pl

from data_contracts.errors import ContractError
from graph.rings import Ring
from graph.uses import Seen

FORMATS = (".graphml", ".gexf", ".csv")


def ring_graph(ring: Ring, seen: Seen) -> nx.Graph:
    """Members and the entities that hold them together; an edge is a use, with `first_us`, `last_us`, `uses` and the entity's `weight`.

    Nodes are `account:<id>` and `<type>:<id>`; members carry `claims`, `confirmed` and `amount_minor`, entities `users` and `weight`.
    """
    graph = nx.Graph(name=ring.ring_id)
    mine = pl.col("buyer").is_in(list(ring.members))
    claims = seen.claims.filter(mine).group_by("buyer").agg(pl.len(), pl.col("abuse").sum(), pl.col("amount_minor").sum()).rows()
    told = {buyer: {"claims": count, "confirmed": abuse, "amount_minor": amount} for buyer, count, abuse, amount in claims}
    for member in ring.members:
        graph.add_node(f"account:{member}", kind="account", **told.get(member, {"claims": 0, "confirmed": 0, "amount_minor": 0}))
    weights = {(str(held.entity_type), held.entity_id): held for held in reversed(ring.entities)}
    ids = [entity_id for _, entity_id in weights]
    uses = seen.uses.filter(mine & pl.col("entity_id").is_in(ids))
    for row in uses.sort("entity_type", "entity_id", "buyer").iter_rows(named=True):
        held = weights.get((row["entity_type"], row["entity_id"]))
        if held is None:
            continue
        node = f"{held.entity_type}:{held.entity_id}"
        graph.add_node(node, kind=str(held.entity_type), users=held.users, weight=held.weight)
        edge = {name: row[name] for name in ("first_us", "last_us", "uses", "claim_uses")}
        graph.add_edge(f"account:{row['buyer']}", node, weight=held.weight, **edge)
    return graph


def write(graph: nx.Graph, path: Path) -> None:
    """Write the graph in the form that the file's ending names; CSV holds one line an edge.

    ContractError: another ending, or the file cannot be written.
    """
    if path.suffix not in FORMATS:
        message = f"{path.name} ends in {path.suffix or 'nothing'}; expected one of {', '.join(FORMATS)}"
        raise ContractError(message)
    try:
        if path.suffix == ".graphml":
            nx.write_graphml_xml(graph, path)
        elif path.suffix == ".gexf":
            nx.write_gexf(graph, path)
        else:
            rows = [{"account": one, "entity": other, **data} for one, other, data in graph.edges(data=True)]
            pl.DataFrame(rows, schema=_CSV, strict=False).write_csv(path)
    except OSError as error:
        message = f"{path} cannot be written ({error.strerror or error}); expected a file that you may write"
        raise ContractError(message) from error


_CSV = {
    "account": pl.String,
    "entity": pl.String,
    "weight": pl.Float64,
    "first_us": pl.Int64,
    "last_us": pl.Int64,
    "uses": pl.Int64,
    "claim_uses": pl.Int64,
}
