"""Every operation of a running service, as its own OpenAPI document tells them: a new route is tested without being named here."""

import re
from dataclasses import dataclass
from typing import Any

import httpx

from tests.risk.servers import Running

PLACES = {"sha256": "0" * 64, "entity_type": "device"}
"""What stands for a parameter of a path; any other is `nothing`."""


@dataclass(frozen=True)
class Operation:
    """One method of one path; `takes`: the content types of its body."""

    method: str
    path: str
    needs_key: bool
    takes: tuple[str, ...]

    @property
    def url(self) -> str:
        """The path with something in every place."""
        return re.sub(r"\{(\w+)\}", lambda found: PLACES.get(found[1], "nothing"), self.path)

    def call(self, client: httpx.Client, key: str | None) -> httpx.Response:
        """Call it with a key and a body that says nothing."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        if "multipart/form-data" in self.takes:
            return client.request(self.method, self.url, headers=headers | {"Content-Type": "multipart/form-data; boundary=x"}, content=b"--x--")
        return client.request(self.method, self.url, headers=headers, json={} if self.takes else None)


def operations(service: Running) -> list[Operation]:
    """All of them."""
    return operations_of(service.stranger.get("/openapi.json").json())


def operations_of(document: dict[str, Any]) -> list[Operation]:
    """The same of a document."""
    return [
        Operation(method.upper(), path, bool(said.get("security")), tuple(said.get("requestBody", {}).get("content", ())))
        for path, methods in document["paths"].items()
        for method, said in methods.items()
    ]
