"""Every call of the service that the client makes, once: what is sent, and how its answer reads. `client.py` sends them, waiting or awaited.

All of them are safe to send again: requests, events, appeals and verdicts have identities of their own, and evidence is known by its content. Calls
that change something carry an `Idempotency-Key` besides, made new for each where the caller gives none, so a repeated one gets the same answer.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import uuid4

import httpx
import msgspec

Body = Mapping[str, Any]
Answered = TypeVar("Answered")
Shape = TypeVar("Shape", bound=msgspec.Struct)


class Reason(msgspec.Struct, frozen=True):
    """One reason of a decision. Show a buyer nothing but `buyer`."""

    code: str
    family: str
    analyst: str
    buyer: str
    detail: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A decision. action: approve, review or block. score: 0 to 1, null without a model. raw: the bytes as answered.

    degraded: sources that did not answer. provisional: evidence was not measured in time, the final decision follows by itself.
    supersedes: the decision that this one replaces, null for none. superseded_by: the one that took its place since, null for none so far.
    """

    decision_id: str
    request_id: str
    action: str
    score: float | None
    rank_value: float
    reasons: tuple[Reason, ...]
    versions: dict[str, str]
    degraded: tuple[str, ...]
    provisional: bool
    supersedes: str | None
    superseded_by: str | None
    raw: bytes = b""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was taken in. status: `measured`, or how far it is; a request names the file by `sha256`."""

    evidence_id: str
    sha256: str
    status: str


class Refusal(msgspec.Struct, frozen=True):
    """Why one event of many was refused."""

    code: str
    message: str
    field: str | None
    request_id: str | None


class Item(msgspec.Struct, frozen=True):
    """What became of one event of many: its status alone; type: null where it cannot be told; error: null where it was taken in."""

    index: int
    type: str | None
    status: int
    new: bool
    error: Refusal | None


class Taken(msgspec.Struct, frozen=True):
    """What became of many events: how many were new, known, refused; and each in its order."""

    new: int
    known: int
    refused: int
    items: tuple[Item, ...]


class VerdictSaid(msgspec.Struct, frozen=True):
    """What a person said of an appeal. decision_id: the decision that it made, null for none; words: null when they were purged."""

    verdict: str
    by: str
    reason_code: str
    decision_id: str | None
    at: str
    words: str | None


class Appeal(msgspec.Struct, frozen=True):
    """An appeal. state: open, more_evidence, upheld or overturned."""

    appeal_id: str
    request_id: str
    decision_id: str
    filed_by: str
    filed_at: str
    words: str | None
    state: str
    verdicts: tuple[VerdictSaid, ...]


class AppealPage(msgspec.Struct, frozen=True):
    """Appeals, the oldest first. next: the offset of the next page, null on the last."""

    appeals: tuple[Appeal, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class Call(Generic[Answered]):
    """One call: how it is sent, and how its answer is read."""

    method: str
    path: str
    read: Callable[[httpx.Response], Answered]
    json: Any = None
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    file: bytes | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """As `httpx` takes them."""
        files = None if self.file is None else {"file": self.file}
        return {"method": self.method, "url": self.path, "json": self.json, "files": files, "params": self.params, "headers": self.headers}


def score(request: Body, lang: str, deadline_ms: int | None, key: str | None) -> Call[Answer]:
    """Decide one refund request."""
    headers = _keyed(key) if key else {}
    headers |= {} if deadline_ms is None else {"Deadline-Ms": str(deadline_ms)}
    return Call("POST", "/v1/refund-requests/score", _answer, request, {"lang": lang}, headers)


def decision(decision_id: str, lang: str) -> Call[Answer]:
    """A decision as it was answered."""
    return Call("GET", f"/v1/decisions/{decision_id}", _answer, params={"lang": lang})


def newest(request_id: str, lang: str) -> Call[Answer]:
    """The newest decision of a request."""
    return Call("GET", f"/v1/refund-requests/{request_id}", _answer, params={"lang": lang})


def evidence(content: bytes) -> Call[Evidence]:
    """Send a file."""
    return Call("POST", "/v1/evidence", _as(Evidence), file=content)


def event(path: str, body: Body, key: str | None) -> Call[bool]:
    """Tell of one event."""
    return Call("POST", path, _is_new, body, headers=_keyed(key))


def events(told: Iterable[Body], key: str | None) -> Call[Taken]:
    """Tell of many events, each with its `type`."""
    return Call("POST", "/v1/events", _as(Taken), list(told), headers=_keyed(key))


def appeal(body: Body, key: str | None) -> Call[Appeal]:
    """Object to a decision."""
    return Call("POST", "/v1/appeals", _as(Appeal), body, headers=_keyed(key))


def read_appeal(appeal_id: str) -> Call[Appeal]:
    """One appeal."""
    return Call("GET", f"/v1/appeals/{appeal_id}", _as(Appeal))


def appeals(offset: int, limit: int, *, still_open: bool) -> Call[AppealPage]:
    """A page of appeals."""
    return Call("GET", "/v1/appeals", _as(AppealPage), params={"offset": str(offset), "limit": str(limit), "open": str(int(still_open))})


def verdict(appeal_id: str, body: Body, key: str | None) -> Call[Appeal]:
    """Say a verdict."""
    return Call("POST", f"/v1/appeals/{appeal_id}/verdict", _as(Appeal), body, headers=_keyed(key))


def _keyed(key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": key or uuid4().hex}


def _answer(response: httpx.Response) -> Answer:
    return msgspec.structs.replace(msgspec.json.decode(response.content, type=Answer), raw=response.content)


def _as(shape: type[Shape]) -> Callable[[httpx.Response], Shape]:
    return lambda response: msgspec.json.decode(response.content, type=shape)


def _is_new(response: httpx.Response) -> bool:
    return bool(response.json()["new"])
