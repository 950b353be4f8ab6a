"""A picture of a ring that a person can read: who, through what, how much of it was confirmed."""

from pathlib import Path
from random import Random

import networkx as nx

from data_contracts.errors import ContractError
from graph.explain import summary
from graph.rings import Ring

COLOURS = {
    "account": "#4b6f9e",
    "device": "#c8553d",
    "address": "#588157",
    "card": "#e09f3e",
    "phone": "#8d6a9f",
    "ip": "#7f8c8d",
    "image": "#d4a5a5",
    "text": "#2a9d8f",
    "agent": "#6b4226",
}
LINE = "#b5b5b5"
CONFIRMED = "#8b0000"
"""The rim of an account with confirmed abuse."""

LABELLED = 40
"""Nodes up to which each has its name; beyond it only entities have."""


SHORT = 10
"""Letters up to which an id is written whole."""


def positions(graph: nx.Graph, seed: int = 1) -> dict[str, tuple[float, float]]:
    """Where each node stands, by Fruchterman and Reingold; equal graphs have equal places."""
    import igraph

    nodes = list(graph.nodes)
    place = {node: number for number, node in enumerate(nodes)}
    drawn = igraph.Graph(n=len(nodes), edges=[(place[one], place[other]) for one, other in graph.edges])
    igraph.set_random_number_generator(Random(seed))  # noqa: S311  # no secret hangs on it
    layout = drawn.layout_fruchterman_reingold(niter=600)
    return {node: (float(x), float(y)) for node, (x, y) in zip(nodes, layout.coords, strict=True)}


def draw(ring: Ring, graph: nx.Graph, path: Path) -> None:
    """Write the picture as PNG. ContractError: the file cannot be written, or does not end in .png."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    if path.suffix != ".png":
        message = f"{path.name} ends in {path.suffix or 'nothing'}; expected .png"
        raise ContractError(message)
    figure = Figure(figsize=(11, 8), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _draw_nodes(graph, axes)
    kinds = sorted({data["kind"] for _, data in graph.nodes(data=True)}, key=list(COLOURS).index)
    marks = [Line2D([], [], marker="o" if kind == "account" else "s", linestyle="", color=COLOURS[kind], label=kind) for kind in kinds]
    marks.append(Line2D([], [], marker="o", linestyle="", markerfacecolor="white", markeredgecolor=CONFIRMED, label="abuse confirmed"))
    marks.append(Line2D([], [], color=LINE, linewidth=2.5, label="thick: says much"))
    figure.legend(handles=marks, loc="outside lower center", ncols=len(marks), frameon=False, fontsize=9)
    axes.set_title(f"{ring.ring_id}, score {ring.score:.2f}\n{summary(ring)}", fontsize=10, loc="left", wrap=True)
    axes.set_axis_off()
    try:
        figure.savefig(path, format="png")
    except OSError as error:
        message = f"{path} cannot be written ({error.strerror or error}); expected a file that you may write"
        raise ContractError(message) from error


def _draw_nodes(graph: nx.Graph, axes: object) -> None:
    place = positions(graph)
    nodes = list(graph.nodes(data=True))
    nx.draw_networkx_edges(graph, place, ax=axes, width=[0.5 + 2.0 * data["weight"] for *_, data in graph.edges(data=True)], edge_color=LINE)
    for people in (True, False):
        mine = [(node, data) for node, data in nodes if (data["kind"] == "account") is people]
        nx.draw_networkx_nodes(
            graph,
            place,
            [node for node, _ in mine],
            ax=axes,
            node_color=[COLOURS[data["kind"]] for _, data in mine],
            node_size=260 if people else 150,
            node_shape="o" if people else "s",
            edgecolors=[CONFIRMED if data.get("confirmed") else "white" for _, data in mine],
            linewidths=2.0,
        )
    names = {node: _short(node) for node, data in nodes if len(nodes) <= LABELLED or data["kind"] != "account"}
    lift = 0.03 * (max(y for _, y in place.values()) - min(y for _, y in place.values()))
    above = {node: (x, y + lift) for node, (x, y) in place.items()}
    behind = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.5}
    nx.draw_networkx_labels(graph, above, names, ax=axes, font_size=8, verticalalignment="bottom", bbox=behind)


def _short(node: str) -> str:
    """The last letters of a long id tell it apart well enough in a picture."""
    name = node.split(":", 1)[1]
    return name if len(name) <= SHORT else f"…{name[-6:]}"
