"""Calls in turn, on one thread of their own: the event loop always answers, a decision sees every earlier one, and SQLite has one writer.

Decisions that wait together are decided together, so that one commit to disk serves them all; each sees the ones before it all the same.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar

Given = ParamSpec("Given")
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
Result = TypeVar("Result")

MOST = 32
"""Decisions that one commit serves at most: a larger batch would let its first caller wait longer than a commit of its own takes."""


class _Waiting(NamedTuple):
    """Who waits for what: a question, or (`run` is not null) any other call."""

    future: "asyncio.Future[Any]"
    asked: Any
    run: Callable[[], object] | None


Outcome = tuple["asyncio.Future[Any]", Any, BaseException | None]


class Turn(Generic[Asked, Answer]):
    """A queue and the thread that works it off. `decide` gets questions that wait together and gives an answer or an error for each of them."""

    def __init__(self, decide: Callable[[Sequence[Asked]], Sequence[Answer | Exception]], most: int = MOST) -> None:
        self._decide = decide
        self._most = most
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._gathered: list[_Waiting] = []
        self._thread = Thread(target=self._work, name="decisions", daemon=True)
        self._thread.start()

    async def decision(self, asked: Asked) -> Answer:
        """The answer to a question, once it is on disk. It raises what the question deserves, or what hit all that were decided with it."""
        answer: Answer = await self._waits(asked, None)
        return answer

    async def call(self, function: Callable[Given, Result], *given: Given.args, **named: Given.kwargs) -> Result:
        """Run it after what came before."""
        result: Result = await self._waits(None, partial(function, *given, **named))
        return result

    def close(self) -> None:
        """Finish what was begun; nothing may be asked any more."""
        self._queue.put(None)
        self._thread.join()

    def _waits(self, asked: Any, run: Callable[[], object] | None) -> "asyncio.Future[Any]":  # noqa: ANN401  # the two callers above give the types
        loop = asyncio.get_running_loop()
        if not self._gathered:
            loop.call_soon(self._hand_over)
        future = loop.create_future()
        self._gathered.append(_Waiting(future, asked, run))
        return future

    def _hand_over(self) -> None:
        """Give the thread what came in one pass of the loop at once: else it begins with the first alone, and holds up the reading of the others."""
        gathered, self._gathered = self._gathered, []
        for each in gathered:
            self._queue.put(each)

    def _work(self) -> None:
        going = True
        while going:
            taken = list(self._taken())
            going = taken[-1] is not None
            waiting = [each for each in taken if each is not None and not each.future.cancelled()]
            for is_call, some in groupby(waiting, lambda each: each.run is not None):
                for outcomes in map(_called, some) if is_call else [self._decided(list(some))]:
                    _tell(outcomes)

    def _taken(self) -> Iterator[_Waiting | None]:
        """What waits, at most so much of it; null is the last that ever comes."""
        first = self._queue.get()
        yield first
        if first is None:
            return
        for _ in range(self._most - 1):
            try:
                each = self._queue.get_nowait()
            except Empty:
                return
            yield each
            if each is None:
                return

    def _decided(self, waiting: list[_Waiting]) -> list[Outcome]:
        try:
            answers = self._decide([each.asked for each in waiting])
        except Exception as error:  # noqa: BLE001  # whoever asked gets it, whatever it is
            return [(each.future, None, error) for each in waiting]
        return [
            (each.future, None, answer) if isinstance(answer, Exception) else (each.future, answer, None)
            for each, answer in zip(waiting, answers, strict=True)
        ]


def _called(waiting: _Waiting) -> list[Outcome]:
    assert waiting.run is not None  # noqa: S101  # sorted out by the caller
    try:
        return [(waiting.future, waiting.run(), None)]
    except Exception as error:  # noqa: BLE001  # whoever asked gets it, whatever it is
        return [(waiting.future, None, error)]


def _tell(outcomes: list[Outcome]) -> None:
    """Hand the outcomes to the loop that waits for them, all at once."""
    loop = outcomes[0][0].get_loop()
    if not loop.is_closed():
        loop.call_soon_threadsafe(_deliver, outcomes)


def _deliver(outcomes: list[Outcome]) -> None:
    for future, result, error in outcomes:
        if future.cancelled():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
