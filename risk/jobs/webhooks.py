"""Add, list and remove the webhook endpoints of a home; list what was given up and send it again."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from data_contracts.errors import ContractError, NotFoundError
from features.streams import micros
from risk import clock
from risk.home import Home, existing_home
from risk.settings import read_settings
from risk.signature import secret_of
from risk.stores.history import moment
from risk.stores.outbox import DEFAULT, Endpoint, Kind, Message, Outbox

LONGEST_URL = 2_048
MOST = 1_000
"""Dead messages that are listed, or sent again, in one go."""


@dataclass(frozen=True, slots=True)
class EndpointShown:
    """One endpoint; `secret` is shown when it is added, else null."""

    endpoint_id: str
    url: str
    kinds: tuple[str, ...]
    made_at: datetime
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class EndpointList:
    """Endpoints of one installation, the oldest first."""

    home: str
    endpoints: tuple[EndpointShown, ...]


@dataclass(frozen=True, slots=True)
class DeadMessage:
    """One message that was given up, and what went wrong last."""

    message_id: str
    endpoint_id: str
    kind: str
    dead_at: datetime
    attempts: int
    failure: str


@dataclass(frozen=True, slots=True)
class DeadList:
    """What is given up now, the longest ago first; `again`: how many were just put back to be sent."""

    messages: tuple[DeadMessage, ...]
    again: int = 0


def add(home: Path, url: str, kinds: Sequence[str] = ()) -> EndpointList:
    """Tell that address of these kinds from now on. ContractError: no address of HTTP, or an unknown kind."""
    chosen = tuple(dict.fromkeys(kinds)) or tuple(kind.value for kind in DEFAULT)
    unknown = sorted(set(chosen) - {kind.value for kind in Kind})
    if unknown:
        message = f"there is no kind {', '.join(unknown)}; expected some of {', '.join(Kind)}"
        raise ContractError(message, field="kinds")
    _check_address(url)
    with _opened(home) as opened:
        endpoint = Endpoint(f"whe_{uuid4().hex}", url, chosen, micros(clock.now()), None)
        Outbox(opened.database).add(endpoint)
        return EndpointList(str(home), (_shown(endpoint, secret_of(opened.identity_key, endpoint.endpoint_id)),))


def list_endpoints(home: Path) -> EndpointList:
    """Every endpoint in use, without its secret."""
    with _opened(home) as opened:
        return EndpointList(str(home), tuple(_shown(each) for each in Outbox(opened.database).endpoints()))


def remove(home: Path, endpoint_id: str) -> EndpointList:
    """Tell it nothing any more; those that are left come back. NotFoundError: there is none of that id."""
    with _opened(home) as opened:
        outbox = Outbox(opened.database)
        if not outbox.remove(endpoint_id, micros(clock.now())):
            message = f"no endpoint {endpoint_id} is in use; `refund-risk webhooks list` shows them"
            raise NotFoundError(message, field="endpoint_id")
        return EndpointList(str(home), tuple(_shown(each) for each in outbox.endpoints()))


def dead(home: Path) -> DeadList:
    """What was given up."""
    with _opened(home) as opened:
        return DeadList(tuple(_told(each) for each in Outbox(opened.database).dead(MOST)))


def retry(home: Path, message_ids: Sequence[str] = ()) -> DeadList:
    """Send what was given up again, all of it when none is named. NotFoundError: one of them was not given up."""
    with _opened(home) as opened:
        outbox = Outbox(opened.database)
        given_up = {each.message_id for each in outbox.dead(MOST)}
        unknown = [message_id for message_id in message_ids if message_id not in given_up]
        if unknown:
            message = f"no message {', '.join(unknown)} was given up; `refund-risk webhooks dead` lists those that were"
            raise NotFoundError(message, field="message_id")
        count = outbox.again(message_ids or sorted(given_up), micros(clock.now()))
        return DeadList(tuple(_told(each) for each in outbox.dead(MOST)), count)


def _check_address(url: str) -> None:
    """ContractError: it cannot be an endpoint's."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or len(url) > LONGEST_URL:
        message = "that is no address to send to; expected https://HOST/PATH (http:// too, inside a network that you trust), without a user name"
        raise ContractError(message, field="url")


@contextmanager
def _opened(home: Path) -> Iterator[Home]:
    opened = existing_home(home, read_settings(os.environ))
    try:
        yield opened
    finally:
        opened.database.close()


def _shown(endpoint: Endpoint, secret: str | None = None) -> EndpointShown:
    return EndpointShown(endpoint.endpoint_id, endpoint.url, endpoint.kinds, moment(endpoint.made_us), secret)


def _told(each: Message) -> DeadMessage:
    return DeadMessage(each.message_id, each.endpoint_id, each.kind, moment(each.dead_us or 0), each.attempts, each.failure or "")
