"""What every call goes through: the key, the size of its body, JSON to a checked body, the language of the answer."""

import hmac
from dataclasses import dataclass
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, TypeAdapter, ValidationError

from data_contracts.errors import ContractError, NotAllowedError
from data_contracts.reason import Language
from risk.api.errors import MediaTypeError, TooLargeError, from_validation
from risk.home import key_hash

Checked = TypeVar("Checked", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Gate:
    """Who may call, and how much they may send. `keys` are hashes of API keys."""

    keys: frozenset[str]
    body_limit_bytes: int

    def check_key(self, request: Request) -> None:
        """NotAllowedError: no key, or not one of ours."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise NotAllowedError("an API key is needed: send it as `Authorization: Bearer rr_...`")
        hashed = key_hash(key.strip())
        if not any([hmac.compare_digest(hashed, each) for each in self.keys]):  # noqa: C419  # a list: every key is compared, whichever matches
            raise NotAllowedError("this API key is not valid here; make one on this installation")

    async def body(self, request: Request) -> bytes:
        """The whole body. TooLargeError: it is larger than the limit, noticed before it is read to the end. MediaTypeError: it is not JSON."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            message = "the body is not declared as JSON; expected the header Content-Type: application/json"
            raise MediaTypeError(message)
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self.body_limit_bytes:
            raise self._too_large()
        parts, size = [], 0
        async for part in request.stream():
            size += len(part)
            if size > self.body_limit_bytes:
                raise self._too_large()
            parts.append(part)
        return b"".join(parts)

    def _too_large(self) -> TooLargeError:
        return TooLargeError(f"the body is larger than {self.body_limit_bytes} bytes; expected at most that")


def checked(adapter: TypeAdapter[Checked], body: bytes) -> Checked:
    """The body as a checked object. MalformedError: no JSON. ContractError: which field does not hold."""
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        raise from_validation(error) from None


def language(request: Request) -> Language:
    """`?lang=`, else the first of Accept-Language that we speak, else English. ContractError: `lang` is none of ours."""
    asked = request.query_params.get("lang")
    if asked is not None:
        try:
            return Language(asked)
        except ValueError:
            message = f"lang is not one of ours, expected {' or '.join(each.value for each in Language)}"
            raise ContractError(message, field="lang") from None
    for part in request.headers.get("accept-language", "").split(","):
        tag = part.partition(";")[0].strip().lower().partition("-")[0]
        if tag in set(Language):
            return Language(tag)
    return Language.EN
