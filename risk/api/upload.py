"""A file out of a multipart body, piece by piece as it arrives: never whole in memory, refused as soon as it is too large.

A form may also hold short texts, where a route names them.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Protocol

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from data_contracts.errors import ContractError
from risk.api.errors import MalformedError, MediaTypeError, TooLargeError

PART = "file"
OVERHEAD = 16_384
"""Bytes of a body that may be no file: boundaries and headers."""
BATCH = 1 << 20
"""Bytes that are collected before the disk is asked."""


class Sink(Protocol):
    """Whatever takes the bytes of a file as they come; it says when they are too many."""

    def write(self, piece: bytes) -> None:
        """The next bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Received:
    """What came besides the file's bytes: its name (the last part of a path, empty where none was said) and the texts by name."""

    filename: str
    texts: Mapping[str, bytes]


class TooSlowError(ContractError):
    """The body did not come in time."""

    status = 408
    code = "TOO_SLOW"


@dataclass(slots=True)
class _Form:
    """The parser's state: which part is coming, its headers, and bytes that are not on disk yet. `allowed`: the texts that may come."""

    allowed: frozenset[str] = frozenset()
    texts: dict[str, bytearray] = field(default_factory=dict)
    filename: str = ""
    name: str | None = None
    header: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    disposition: bytes = b""
    files: int = 0
    waiting: bytearray = field(default_factory=bytearray)
    ended: bool = False

    def part_begin(self) -> None:
        self.name, self.disposition = None, b""

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self.header += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]

    def header_end(self) -> None:
        if bytes(self.header).lower() == b"content-disposition":
            self.disposition = bytes(self.value)
        self.header.clear()
        self.value.clear()

    def headers_finished(self) -> None:
        options = parse_options_header(self.disposition)[1]
        name = options.get(b"name", b"").decode("utf-8", "replace")
        self.name = name
        if name in self.allowed and name not in self.texts:
            self.texts[name] = bytearray()
            return
        if name != PART or self.files:
            message = f"the body has {'two parts' if name == PART else 'a part that is not'} named {PART!r}; expected one that is"
            raise ContractError(message, field=PART)
        self.filename = PurePath(options.get(b"filename", b"").decode("utf-8", "replace").replace("\\", "/")).name[:255]
        self.files += 1

    def part_data(self, data: bytes, start: int, end: int) -> None:
        text = self.texts.get(self.name or "")
        if text is None:
            self.waiting += data[start:end]
        elif len(text) + end - start > OVERHEAD:
            message = f"the part {self.name!r} is larger than {OVERHEAD} bytes; expected at most that"
            raise TooLargeError(message, field=self.name)
        else:
            text += data[start:end]

    def end(self) -> None:
        self.ended = True


async def receive(request: Request, incoming: Sink, limit_bytes: int, timeout_s: float, texts: Collection[str] = ()) -> Received:
    """Write the body's one file to `incoming`; `texts` names the other parts that may come, each once.

    MediaTypeError: no multipart. TooLargeError, FileTooLargeError: more than a file may have. MalformedError: the body is cut or no multipart inside.
    TooSlowError: it did not come in time. ContractError: a part that is not expected.
    """
    form = _Form(frozenset(texts))
    parser = _parser(request, form)
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit_bytes + OVERHEAD:
        message = f"the body is larger than {limit_bytes} bytes; expected at most that"
        raise TooLargeError(message)
    try:
        async with asyncio.timeout(timeout_s):
            async for piece in request.stream():
                parser.write(piece)
                if len(form.waiting) >= BATCH:
                    await _flush(form, incoming)
        parser.finalize()
    except TimeoutError:
        message = f"the file did not come within {timeout_s:.0f} s; send it again"
        raise TooSlowError(message) from None
    except FormParserError as error:
        message = f"the body is no multipart/form-data: {error}"
        raise MalformedError(message) from None
    if not form.ended or not form.files:
        raise MalformedError("the body ends before its last boundary, or has no file; expected multipart/form-data with one part named 'file'")
    await _flush(form, incoming)
    return Received(form.filename, {name: bytes(text) for name, text in form.texts.items()})


async def _flush(form: _Form, incoming: Sink) -> None:
    piece = bytes(form.waiting)
    form.waiting.clear()
    await asyncio.get_running_loop().run_in_executor(None, incoming.write, piece)


def _parser(request: Request, form: _Form) -> MultipartParser:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise MediaTypeError("the body is not declared as a form; expected the header Content-Type: multipart/form-data; boundary=...")
    return MultipartParser(
        boundary,
        {
            "on_part_begin": form.part_begin,
            "on_header_field": form.header_field,
            "on_header_value": form.header_value,
            "on_header_end": form.header_end,
            "on_headers_finished": form.headers_finished,
            "on_part_data": form.part_data,
            "on_end": form.end,
        },
    )
