"""Small worlds with a ring in them, told in a few rows."""

from typing import Any

import polars as pl

from tests.graph.histories import history, label, link, request


def ring_world(members: int = 4, strangers: int = 40) -> dict[str, pl.DataFrame]:
    """`m0`.. claim from one device and one card within days; `s0`.. live behind one address and one network, and some of them claim, too."""
    requests: list[dict[str, object]] = []
    links: list[dict[str, object]] = []
    for number in range(members):
        requests.append(request(f"rm{number}", f"m{number}", 100 + 10 * number) | {"amount_minor": 1_000})
        links += [link(f"m{number}", "ring-device", 50 + number), link(f"m{number}", "ring-card", 60 + number, "card")]
    for number in range(strangers):
        links += [link(f"s{number:02}", "dormitory", number, "address"), link(f"s{number:02}", "nat", number, "ip")]
        if number % 4 == 0:
            requests.append(request(f"rs{number:02}", f"s{number:02}", 90 + number))
    labels = [label("rm0", "abuse", 300), label("rm1", "abuse", 310)]
    labels += [label(f"rs{number:02}", "honest", 300) for number in range(0, strangers, 8)]
    return history(requests, links, labels)


def also(tables: dict[str, pl.DataFrame], **rows: list[dict[str, Any]]) -> dict[str, pl.DataFrame]:
    """The tables with more requests, links or labels."""
    more = history(rows.get("requests", []), rows.get("links", []), rows.get("labels", []))
    return {name: pl.concat([tables[name], more[name]]) for name in tables}
