"""How long a scoring call may wait for its evidence: until its deadline where it has one, else as long as the service is set to."""

import asyncio
from collections.abc import Sequence

from fastapi import Request

from data_contracts.errors import ContractError
from risk.api.calls import header
from risk.evidence.intake import Intake

HEADER = "Deadline-Ms"
LONGEST_MS = 60_000
DECIDE_S = 0.03
"""What is kept back for the decision itself, so that the answer is there at the deadline."""
POLL_S = 0.05
"""How often a file is asked about that another worker looks at."""


def deadline_ms(request: Request, said_ms: int | None) -> int | None:
    """The sooner of the header and the body's field; null when neither is there. ContractError: the header is no number of milliseconds."""
    text = header(request, HEADER)
    if text is None:
        return said_ms
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LONGEST_MS)) and 1 <= int(text) <= LONGEST_MS):
        message = f"the header {HEADER} is not a whole number of milliseconds; expected 1 to {LONGEST_MS}"
        raise ContractError(message, field=HEADER)
    return int(text) if said_ms is None else min(int(text), said_ms)


async def unmeasured(intake: Intake, shas: Sequence[str], wait_s: float) -> tuple[str, ...]:
    """Wait until the files are looked at, here or in another worker, at most that long; those that still are not."""
    loop = asyncio.get_running_loop()
    until = loop.time() + wait_s
    while True:
        left = await asyncio.to_thread(intake.unlooked, shas)
        remaining = until - loop.time()
        if not left or remaining <= 0:
            return tuple(left)
        going = [asyncio.wrap_future(each) for each in intake.going(left)]
        if not going and not await asyncio.to_thread(intake.expected, left):
            return tuple(left)
        if len(going) == len(left):
            await asyncio.wait(going, timeout=remaining)
        else:
            await asyncio.sleep(min(POLL_S, remaining))
