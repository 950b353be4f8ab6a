"""Sends what lies in the outbox: signed, retried, given up in the end. At least once each; receivers drop a second one by its id.

Messages of one endpoint may overtake each other: several are under way at once, and one that failed comes later.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from time import monotonic

import httpx
import structlog

from data_contracts.errors import SourceUnavailableError
from features.streams import micros
from risk import clock
from risk.signature import sign
from risk.stores.outbox import Endpoint, Message, Outbox

log = structlog.get_logger()

POLL_S = 0.3
EACH = 4
"""Messages that are under way to one endpoint at once, so that a slow one holds up nobody else."""
LEASE_S = 30
"""How long a worker may be at a message before another takes it: longer than an attempt may last."""
DELIVERED_KEPT, DEAD_KEPT = timedelta(days=7), timedelta(days=90)
"""How long messages stay: delivered ones for questions, dead ones until somebody looked."""
SWEEP_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an answer may take, and when a message is sent again.

    It is sent again `first_s` after the first attempt, `factor` times as long after each further one up to `longest_s`, spread by half; after
    `attempts` it is given up. As set, that is after two days.
    """

    timeout_s: float = 10.0
    first_s: float = 5.0
    factor: float = 4.0
    longest_s: float = 6 * 3_600.0
    attempts: int = 14

    def pause_s(self, attempts: int) -> float:
        """How long to wait after so many attempts."""
        planned = min(self.longest_s, self.first_s * self.factor ** (attempts - 1))
        return planned * random.uniform(0.5, 1.5)  # noqa: S311  # no secret


class Dispatcher:
    """Sends as long as the service runs; any number of workers may."""

    def __init__(self, outbox: Outbox, secret_of: Callable[[str], str], patience: Patience | None = None) -> None:
        self.outbox = outbox
        self.secret_of = secret_of
        self.patience = patience or Patience()
        self._under_way: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._swept_at = monotonic()

    async def work(self) -> None:
        """Look again and again; what hinders one round does not end the next. What is under way when it is stopped is sent again later."""
        async with httpx.AsyncClient(follow_redirects=False, timeout=self.patience.timeout_s, trust_env=False) as client:
            try:
                while True:
                    await self._round(client)
                    await asyncio.sleep(POLL_S)
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _round(self, client: httpx.AsyncClient) -> None:
        try:
            due = await asyncio.to_thread(self.outbox.waiting, micros(clock.now()))
            for endpoint in (await asyncio.to_thread(self.outbox.endpoints)) if due else ():
                if endpoint.endpoint_id in due:
                    await self._begin(client, endpoint)
            await self._sweep()
        except SourceUnavailableError as error:
            log.warning("webhooks_wait", reason=error.message)
        except Exception as error:  # the outermost edge of this task: it must go on
            log.exception("webhooks_failed", kind=type(error).__name__)

    async def _begin(self, client: httpx.AsyncClient, endpoint: Endpoint) -> None:
        """Send as many of an endpoint's messages as may be under way."""
        free, now_us = EACH - self._under_way[endpoint.endpoint_id], micros(clock.now())
        if free <= 0:
            return
        claimed = await asyncio.to_thread(self.outbox.claim, endpoint.endpoint_id, now_us, now_us + LEASE_S * 1_000_000, free)
        for message in claimed:
            self._under_way[endpoint.endpoint_id] += 1
            task = asyncio.create_task(self._deliver(client, endpoint, message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver(self, client: httpx.AsyncClient, endpoint: Endpoint, message: Message) -> None:
        """One attempt, and what comes of it."""
        try:
            failure = await self._post(client, endpoint, message)
            now_us = micros(clock.now())
            if failure is None:
                await asyncio.to_thread(self.outbox.delivered, message.message_id, now_us)
                log.info("webhook_delivered", message_id=message.message_id, attempts=message.attempts)
                return
            gone = failure == _answered(HTTPStatus.GONE) or message.attempts >= self.patience.attempts
            next_us = now_us + int(self.patience.pause_s(message.attempts) * 1e6)
            await asyncio.to_thread(self.outbox.failed, message.message_id, failure, next_us, now_us if gone else None)
            log.warning("webhook_not_delivered", message_id=message.message_id, attempts=message.attempts, failure=failure, dead=gone)
        except SourceUnavailableError as error:
            log.warning("webhook_not_noted", message_id=message.message_id, reason=error.message)  # its lease ends, then it is sent again
        finally:
            self._under_way[endpoint.endpoint_id] -= 1

    async def _post(self, client: httpx.AsyncClient, endpoint: Endpoint, message: Message) -> str | None:
        """Send it once; null when it was received, else what went wrong. Only the status of the answer is read, however much more comes."""
        stamp = int(clock.now().timestamp())
        headers = {
            "content-type": "application/json",
            "webhook-id": message.message_id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": sign(self.secret_of(endpoint.endpoint_id), message.message_id, stamp, message.body),
        }
        try:
            async with (
                asyncio.timeout(self.patience.timeout_s),
                client.stream("POST", endpoint.url, content=message.body, headers=headers) as response,
            ):
                return None if response.is_success else _answered(response.status_code)
        except TimeoutError:
            return f"no answer within {self.patience.timeout_s:g} s"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"not reached: {type(error).__name__}"

    async def _sweep(self) -> None:
        if monotonic() - self._swept_at > SWEEP_S:
            self._swept_at = monotonic()
            now = clock.now()
            await asyncio.to_thread(self.outbox.forget, micros(now - DELIVERED_KEPT), micros(now - DEAD_KEPT))


def _answered(status: int) -> str:
    return f"answered {int(status)}"
