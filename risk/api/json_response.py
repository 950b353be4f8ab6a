"""Answers in JSON."""

from collections.abc import Mapping

import msgspec
from fastapi.responses import Response

JSON = "application/json"


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A value as the JSON of an answer."""
    return Response(msgspec.json.encode(value), status, headers, JSON)
