"""Each call gets an id of ours: every line that is logged on its behalf has it, and the answer says it (`X-Call-Id`).

An id that the caller sends is not taken over: it may be somebody's name or number, and logs hold nothing of the kind.
"""

from collections.abc import MutableMapping
from random import Random
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from risk.logs import CALL

HEADER = b"x-call-id"
ID_BITS = 64


class CallIds:
    """Stands around the application."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._random = Random()  # noqa: S311  # ids differ, no more is asked of them; asking the system for each costs ten times as much

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say the id in the log lines of this call's own task, and in the answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        call_id = f"{self._random.getrandbits(ID_BITS):0{ID_BITS // 4}x}"
        CALL.set(call_id)

        async def answer(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (HEADER, call_id.encode())]
            await send(message)

        await self.app(scope, receive, answer)
