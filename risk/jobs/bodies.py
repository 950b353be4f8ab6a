"""Requests of a data set as the JSON bodies that a caller would have sent: for the demo, for trying the service with one's own past."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

Row = dict[str, Any]


def bodies(tables: Mapping[str, pl.DataFrame], request_ids: Sequence[str]) -> Iterator[Row]:
    """One body for each request that `POST /v1/refund-requests/score` takes, in the order given. KeyError: an unknown request.

    It holds what was known when the request came; evidence that was sent later is not in it.
    Links carry the ids of the tables as `hashed_id`; null fields are left out.
    """
    requests = _by(tables, "refund_requests", "request_id", request_ids)
    order_ids = [rows[0]["order_id"] for rows in requests.values() if rows[0]["order_id"] is not None]
    of_request = {name: _by(tables, name, "request_id", request_ids) for name in _OF_REQUEST}
    of_order = {name: _by(tables, name, "order_id", order_ids) for name in ("orders", "order_lines", "deliveries")}
    for request_id in request_ids:
        request = requests[request_id][0]
        parts = {name: found.get(request_id, []) for name, found in of_request.items()}
        order = {name: found.get(request["order_id"], []) for name, found in of_order.items()}
        yield _body(request, parts, order)


_OF_REQUEST = ("claim_lines", "evidence", "observations", "measurements", "links", "request_attributes")


def _by(tables: Mapping[str, pl.DataFrame], name: str, key: str, values: Sequence[str]) -> dict[str, list[Row]]:
    """The rows of a table with one of those keys, by key; nothing when the table is absent."""
    if name not in tables:
        return {}
    found: dict[str, list[Row]] = {}
    for row in tables[name].filter(pl.col(key).is_in(values)).iter_rows(named=True):
        found.setdefault(row[key], []).append(row)
    return found


def _body(request: Row, parts: Mapping[str, list[Row]], order: Mapping[str, list[Row]]) -> Row:
    body = _said(request, "known_at")
    if order["orders"]:
        body["order"] = _said(order["orders"][0], "known_at")
        body["order"]["lines"] = [_counted(line, "order_id") for line in order["order_lines"]]
        scans = [scan for scan in order["deliveries"] if scan["known_at"] < request["known_at"]]
        body["order"]["deliveries"] = [_said(scan, "order_id", "known_at") for scan in scans]
    parts = {name: [row for row in rows if "known_at" not in row or row["known_at"] <= request["known_at"]] for name, rows in parts.items()}
    body["claim_lines"] = [_counted(line, "request_id") for line in parts["claim_lines"]]
    body["evidence"] = [_piece(piece, parts) for piece in parts["evidence"]]
    body["links"] = [{"entity_type": link["entity_type"], "hashed_id": link["entity_id"]} for link in parts["links"]]
    if parts["request_attributes"]:
        body["attributes"] = _said(parts["request_attributes"][0], "request_id")
    return body


def _piece(piece: Row, parts: Mapping[str, list[Row]]) -> Row:
    """One piece of evidence with what was observed and measured in it."""
    mine = {name: [row for row in parts[name] if row["evidence_id"] == piece["evidence_id"]] for name in ("observations", "measurements")}
    common = ("evidence_id", "request_id", "occurred_at", "known_at")
    return _said(piece, "request_id", "known_at") | {
        "observations": [_said(row, *common) for row in mine["observations"]],
        "measurements": [_said(row, *common, "sha256") for row in mine["measurements"]],
    }


def _counted(line: Row, key: str) -> Row:
    """A line with its counts as a mapping."""
    found = _said(line, key, "counts")
    if line["counts"] is not None:
        found["counts"] = {part["attribute"]: part["count"] for part in line["counts"]}
    return found


def _said(row: Row, *without: str) -> Row:
    """What is known in a row, without some columns; moments as ISO text."""
    kept = {name: value for name, value in row.items() if name not in without and value is not None}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in kept.items()}
