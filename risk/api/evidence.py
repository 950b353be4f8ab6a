"""Evidence over HTTP: send a file, ask how far it is and what was measured in it. Its bytes are never given out here."""

import asyncio
from functools import partial
from re import fullmatch

import msgspec
import structlog
from fastapi import APIRouter, Request
from fastapi.responses import Response

from data_contracts.errors import ContractError
from risk.api.calls import Gate
from risk.api.upload import receive
from risk.evidence.intake import Intake
from risk.keys import Scope

log = structlog.get_logger()

JSON = "application/json"
UPLOAD_S = 120.0
"""How long a file may take to come: 64 MiB at 5 Mbit/s."""


class EvidenceRoutes:
    """The routes of evidence."""

    def __init__(self, gate: Gate, intake: Intake) -> None:
        self.gate = gate
        self.intake = intake

    def router(self) -> APIRouter:
        """Every route with its method and path."""
        router = APIRouter()
        router.post("/v1/evidence", summary="Send a photo, a video or a document", response_model=None)(self.send)
        router.get("/v1/evidence/{sha256}", summary="How far a file is, and what was measured in it", response_model=None)(self.status)
        return router

    async def send(self, request: Request) -> Response:
        """Take a file in: 201 when its bytes are on disk and it is being measured, 200 when it had been measured before."""
        self.gate.check_key(request, Scope.EVIDENCE)
        slot = self.intake.slot()  # before a byte is read: who cannot be served should not send 50 MB first
        try:
            with self.intake.files.incoming() as incoming:
                await receive(request, incoming, self.intake.files.limit_bytes, UPLOAD_S)
                loop = asyncio.get_running_loop()
                kept = await loop.run_in_executor(None, incoming.keep)
                receipt = await loop.run_in_executor(None, partial(self.intake.take_in, kept, slot))
        except BaseException:
            slot.release()
            raise
        log.info("evidence_received", evidence_id=receipt.evidence_id, sha256=receipt.sha256, bytes=kept.size_bytes, status=receipt.status)
        return Response(msgspec.json.encode(receipt), 200 if receipt.status == "measured" else 201, media_type=JSON)

    async def status(self, request: Request, sha256: str) -> Response:
        """What is known of a file."""
        self.gate.check_key(request, Scope.EVIDENCE)
        if fullmatch("[0-9a-f]{64}", sha256) is None:
            raise ContractError("sha256 is no SHA-256; expected 64 hexadecimal digits in lower case", field="sha256")
        found = await asyncio.get_running_loop().run_in_executor(None, self.intake.status, sha256)
        return Response(msgspec.json.encode(found), media_type=JSON)
