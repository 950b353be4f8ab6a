"""Evidence over HTTP: send a file, ask how far it is and what was measured in it, see it. Who was given what is kept, before it is given."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from re import fullmatch

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import Response

from data_contracts.errors import ContractError
from features.image.container.parts import Format
from features.image.container.take_apart import sniff
from risk.api.calls import Gate
from risk.api.json_response import json_response
from risk.api.upload import receive
from risk.evidence.intake import Intake
from risk.keys import Scope
from risk.stores.care import Read

log = structlog.get_logger()

LONGEST_WHY = 500
TYPES = {
    Format.JPEG: "image/jpeg",
    Format.PNG: "image/png",
    Format.WEBP: "image/webp",
    Format.AVIF: "image/avif",
    Format.HEIC: "image/heic",
    Format.GIF: "image/gif",
    Format.TIFF: "image/tiff",
    Format.BMP: "image/bmp",
    Format.MP4: "video/mp4",
    Format.MATROSKA: "video/x-matroska",
    Format.AVI: "video/x-msvideo",
    Format.FLV: "video/x-flv",
}
"""By content, never by name."""
BYTES = "application/octet-stream"
"""Anything else."""
SAFELY = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "no-store, private"}
"""A hostile file stays a file: no guessing, no scripts, no copies on the way."""
UPLOAD_S = 120.0
"""How long a file may take to come: 64 MiB at 5 Mbit/s."""


class EvidenceRoutes:
    """The routes of evidence."""

    def __init__(self, gate: Gate, intake: Intake, clock: Callable[[], datetime]) -> None:
        self.gate = gate
        self.intake = intake
        self.clock = clock

    def router(self) -> APIRouter:
        """Every route with its method and path."""
        router = APIRouter()
        router.post("/v1/evidence", summary="Send a photo, a video or a document", response_model=None)(self.send)
        router.get("/v1/evidence/{sha256}", summary="How far a file is, and what was measured in it", response_model=None)(self.status)
        router.get("/v1/evidence/{sha256}/file", summary="The file itself, for a person who has to look at it", response_model=None)(self.file)
        router.get("/v1/evidence/{sha256}/reads", summary="Who was given a file or what was measured in it", response_model=None)(self.reads)
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
        return json_response(receipt, 200 if receipt.status == "measured" else 201)

    async def status(self, request: Request, sha256: str) -> Response:
        """What is known of a file."""
        key = self.gate.check_key(request, Scope.EVIDENCE)
        read = Read(key.name, "look", None, self.clock())
        found = await asyncio.to_thread(self.intake.looked_up, _checked(sha256), read)
        return json_response(found)

    async def file(self, request: Request, sha256: str) -> Response:
        """The bytes as they came. A browser saves them; it neither guesses what they are nor runs what is in them."""
        key = self.gate.check_key(request, Scope.EVIDENCE)
        why = request.query_params.get("why", "").strip()
        if not 0 < len(why) <= LONGEST_WHY or "\x00" in why:
            message = f"why is empty or longer than {LONGEST_WHY} characters; expected why the file is looked at, which is kept"
            raise ContractError(message, field="why")
        data = await asyncio.to_thread(self.intake.given, _checked(sha256), Read(key.name, "file", why, self.clock()))
        form = sniff(data)
        kind, ending = TYPES.get(form, BYTES), form.value if form in TYPES else "bin"
        return Response(data, headers=SAFELY | {"Content-Disposition": f'attachment; filename="{sha256[:16]}.{ending}"'}, media_type=kind)

    async def reads(self, request: Request, sha256: str) -> Response:
        """Who was given what."""
        self.gate.check_key(request, Scope.ADMIN)
        found = await asyncio.to_thread(self.intake.reads, _checked(sha256))
        return json_response({"sha256": sha256, "reads": found})


def _checked(sha256: str) -> str:
    """ContractError: it is no name of a file."""
    if fullmatch("[0-9a-f]{64}", sha256) is None:
        raise ContractError("sha256 is no SHA-256; expected 64 hexadecimal digits in lower case", field="sha256")
    return sha256
