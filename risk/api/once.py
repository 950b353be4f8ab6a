"""`Idempotency-Key`: the same call under the same key gets the same answer, byte for byte, whichever worker it reaches and whenever.

Refusals change nothing and are not kept: the key is free again. Without the header every call still has the identity that its body gives it.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from time import monotonic

from fastapi import Request
from fastapi.responses import Response

from data_contracts.errors import ContractError, RiskError
from features.streams import micros
from risk.api.calls import header
from risk.api.json_response import JSON
from risk.api.service import Desk
from risk.keys import ApiKey
from risk.stores.idempotency import Bound, Idempotency, Kept

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
FORM = re.compile("[!-~]{1,255}")
KEEP = timedelta(days=7)
"""How long answers are kept: longer than any caller's queue holds its retries, short enough that the table stays small."""
SWEEP_S = 600.0
"""How often a worker drops those that are older."""
SERVER_ERROR = 500


class Once:
    """Makes a call once a key."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.store = Idempotency(desk.service.engine.ledger.database)
        self._swept_at: float | None = None

    async def answer(self, request: Request, caller: ApiKey, body: bytes, make: Callable[[], Awaitable[Response]]) -> Response:
        """What `make` answers, or answered. ContractError: no such key can be. ConflictError: it stands for another payload."""
        bound = self._bound(request, caller, body)
        if bound is None:
            return await make()
        await self._sweep()
        kept = await self.desk.in_turn(self.store.bind, bound, micros(self.desk.service.clock()))
        if kept is not None:
            return _response(kept, replayed=True)
        try:
            made = await make()
        except RiskError as error:
            if error.status < SERVER_ERROR:
                await self.desk.in_turn(self.store.free, bound)
            raise
        own = Kept(made.status_code, bytes(made.body))
        stands = await self.desk.in_turn(self.store.settle, bound, own)
        return _response(stands, replayed=stands != own)

    def _bound(self, request: Request, caller: ApiKey, body: bytes) -> Bound | None:
        """The key with what it stands for: method, path, query and body; null when the call has none."""
        key = header(request, HEADER)
        if key is None:
            return None
        if not FORM.fullmatch(key):
            message = f"the header {HEADER} is not 1 to 255 printable characters of ASCII; a UUID will do"
            raise ContractError(message, field=HEADER)
        parts = (request.method.encode(), request.url.path.encode(), request.url.query.encode(), body)
        digest = hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).hexdigest()
        return Bound(caller.name, key, self.desk.service.edge.identifiers.pseudonym("payload", digest))

    async def _sweep(self) -> None:
        if self._swept_at is None or monotonic() - self._swept_at > SWEEP_S:
            self._swept_at = monotonic()
            await self.desk.in_turn(self.store.forget, micros(self.desk.service.clock() - KEEP))


def _response(kept: Kept, *, replayed: bool) -> Response:
    return Response(kept.body, kept.status, {REPLAYED: "true"} if replayed else None, JSON)
