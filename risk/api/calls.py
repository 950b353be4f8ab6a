"""What every call goes through: the key, the size of its body, JSON to a checked body, the language of the answer."""

import hmac
from collections.abc import Callable, Collection
from datetime import datetime
from time import monotonic
from typing import TypeVar

import structlog
from fastapi import Request
from pydantic import TypeAdapter, ValidationError

from data_contracts.errors import BusyError, ContractError, NotAllowedError, ScopeError, SourceUnavailableError
from data_contracts.reason import Language
from risk.api.errors import MediaTypeError, TooLargeError, from_validation
from risk.api.json_response import JSON
from risk.keys import ApiKey, Scope, key_hash

log = structlog.get_logger()
Checked = TypeVar("Checked")
SPOKEN = {each.value: each for each in Language}
REFRESH_S = 2.0
"""How long a key that was revoked elsewhere may still open something."""


class Gate:
    """Who may call, how often, and how much they may send.

    `read_keys` reads the keys of the installation; while it fails, the keys that were read last count. `rate`: calls a second of one key.
    """

    def __init__(self, read_keys: Callable[[], tuple[ApiKey, ...]], now: Callable[[], datetime], body_limit_bytes: int, rate: int) -> None:
        self.body_limit_bytes = body_limit_bytes
        self._read_keys = read_keys
        self._now = now
        self._rate = float(rate)
        self._keys = read_keys()
        self._read_at = monotonic()
        self._left: dict[str, tuple[float, float]] = {}

    def check_key(self, request: Request, scope: Scope) -> ApiKey:
        """The key of the call. NotAllowedError: none, or not a living one. ScopeError: not for this. BusyError: too many calls with it."""
        scheme, _, presented = (header(request, "authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not presented:
            raise NotAllowedError("an API key is needed: send it as `Authorization: Bearer rr_...`")
        hashed = key_hash(presented.strip())
        found = [key for key in self._fresh_keys() if hmac.compare_digest(hashed, key.key_sha256)]  # every key is compared, whichever matches
        if not found or not found[0].lives(self._now()):
            raise NotAllowedError("this API key is not valid here; make one with `refund-risk keys make`")
        key = found[0]
        if not key.allows(scope):
            message = f"the key {key.name} is for {', '.join(sorted(key.scopes))}; this call needs {scope.value}"
            raise ScopeError(message)
        self._take(key)
        return key

    def _fresh_keys(self) -> tuple[ApiKey, ...]:
        """The keys, read again when they were read too long ago."""
        if monotonic() - self._read_at > REFRESH_S:
            self._read_at = monotonic()
            try:
                self._keys = self._read_keys()
            except SourceUnavailableError as error:
                log.warning("keys_not_read", reason=error.message)
        return self._keys

    def _take(self, key: ApiKey) -> None:
        """One call out of the bucket of that key, which holds two seconds of them and fills evenly."""
        now, full = monotonic(), 2 * self._rate
        left, since = self._left.get(key.key_sha256, (full, now))
        left = min(full, left + (now - since) * self._rate)
        if left < 1:
            self._left[key.key_sha256] = (left, now)
            message = f"the key {key.name} made more than {self._rate:.0f} calls a second; slow down"
            raise BusyError(message)
        self._left[key.key_sha256] = (left - 1, now)

    async def body(self, request: Request, kinds: Collection[str] = (JSON,), limit_bytes: int | None = None) -> bytes:
        """The whole body, at most `limit_bytes` (null: of a single call), in one of those content types.

        TooLargeError: it is larger, noticed before it is read to the end. MediaTypeError: it is of another type.
        """
        if content_type(request) not in kinds:
            message = f"the body is not declared as JSON; expected the header Content-Type: {' or '.join(kinds)}"
            raise MediaTypeError(message)
        limit = limit_bytes or self.body_limit_bytes
        declared = header(request, "content-length") or ""
        if declared.isdigit() and int(declared) > limit:
            raise _too_large(limit)
        parts, size = [], 0
        async for part in request.stream():
            size += len(part)
            if size > limit:
                raise _too_large(limit)
            parts.append(part)
        return b"".join(parts)


def header(request: Request, name: str) -> str | None:
    """The first header of that name; null where there is none. As `request.headers` has it, in a quarter of the time: a call is asked for six."""
    wanted = name.lower().encode("latin-1")
    for key, value in request.scope["headers"]:
        if key == wanted:
            return str(value, "latin-1")
    return None


def content_type(request: Request) -> str:
    """The body's type as it is declared, without its parameters; empty where there is none."""
    return (header(request, "content-type") or "").partition(";")[0].strip().lower()


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"the body is larger than {limit} bytes; expected at most that")


def checked(adapter: TypeAdapter[Checked], body: bytes) -> Checked:
    """The body as a checked object. MalformedError: no JSON. ContractError: which field does not hold."""
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        raise from_validation(error) from None


def language(request: Request) -> Language:
    """`?lang=`, else the first of Accept-Language that we speak, else English. ContractError: `lang` is none of ours."""
    asked = request.query_params.get("lang") if request.scope["query_string"] else None
    if asked is not None:
        try:
            return Language(asked)
        except ValueError:
            message = f"lang is not one of ours, expected {' or '.join(each.value for each in Language)}"
            raise ContractError(message, field="lang") from None
    for part in (header(request, "accept-language") or "").split(","):
        tag = part.partition(";")[0].strip().lower().partition("-")[0]
        if tag in SPOKEN:
            return SPOKEN[tag]
    return Language.EN


def whole(request: Request, name: str, default: int, within: tuple[int, int]) -> int:
    """A whole number among the parameters. ContractError: it is none, or out of range."""
    said = request.query_params.get(name, str(default))
    least, most = within
    if not said.isascii() or not said.isdigit() or len(said) > len(str(most)) or not least <= int(said) <= most:
        message = f"{name} is not a whole number from {least} to {most}"
        raise ContractError(message, field=name)
    return int(said)
