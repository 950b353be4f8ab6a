"""What waits together is decided together, in order, and nobody's failure is anybody else's."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from risk.turn import Turn


class Slow:
    """Decides numbers; the first batch lasts until it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = threading.Event()
        self.begun = threading.Event()

    def __call__(self, asked: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(asked))
        self.begun.set()
        self.go.wait(10)
        if 13 in asked:
            raise LookupError("all of them")
        return [ValueError("odd") if each == 7 else 10 * each for each in asked]


def run(numbers: Sequence[int], most: int = 32) -> tuple[list[object], list[list[int]]]:
    slow = Slow()
    turn: Turn[int, int] = Turn(slow, most)

    async def ask() -> list[object]:
        first = asyncio.create_task(turn.decision(0))
        await asyncio.to_thread(slow.begun.wait, 10)
        others = [asyncio.create_task(turn.decision(each)) for each in numbers]
        await asyncio.sleep(0.05)
        slow.go.set()
        return [await first, *await asyncio.gather(*others, return_exceptions=True)]

    try:
        return asyncio.run(ask()), slow.batches
    finally:
        turn.close()


def test_what_waits_is_decided_together_in_its_order() -> None:
    answers, batches = run([1, 2, 3])
    assert answers == [0, 10, 20, 30]
    assert batches == [[0], [1, 2, 3]]


def test_a_batch_is_bounded() -> None:
    answers, batches = run([1, 2, 3, 4, 5, 6], most=4)
    assert answers == [0, 10, 20, 30, 40, 50, 60]
    assert batches == [[0], [1, 2, 3, 4], [5, 6]]


def test_an_error_is_its_own() -> None:
    answers, _ = run([6, 7, 8])
    assert answers[1] == 60
    assert isinstance(answers[2], ValueError)
    assert answers[3] == 80


def test_what_hits_all_is_told_to_all() -> None:
    answers, _ = run([12, 13])
    assert [type(each) for each in answers[1:]] == [LookupError, LookupError]


def test_calls_keep_their_place_between_decisions() -> None:
    slow = Slow()
    turn: Turn[int, int] = Turn(slow)

    async def ask() -> list[list[int]]:
        first = asyncio.create_task(turn.decision(0))
        await asyncio.to_thread(slow.begun.wait, 10)
        tasks = [asyncio.create_task(each) for each in (turn.decision(1), turn.call(lambda: list(slow.batches)), turn.decision(2))]
        await asyncio.sleep(0.05)
        slow.go.set()
        await asyncio.gather(first, *tasks)
        return tasks[1].result()  # type: ignore[return-value]  # what the call gave

    try:
        assert asyncio.run(ask()) == [[0], [1]]
    finally:
        turn.close()
    assert slow.batches == [[0], [1], [2]]


def test_a_call_that_fails_says_so() -> None:
    turn: Turn[int, int] = Turn(Slow())

    async def ask() -> None:
        await turn.call(int, "no number")

    try:
        with pytest.raises(ValueError, match="no number"):
            asyncio.run(ask())
    finally:
        turn.close()


def test_closing_finishes_what_was_begun() -> None:
    slow = Slow()
    turn: Turn[int, int] = Turn(slow)

    async def ask() -> int:
        task = asyncio.create_task(turn.decision(4))
        await asyncio.to_thread(slow.begun.wait, 10)
        closing = asyncio.create_task(asyncio.to_thread(turn.close))
        slow.go.set()
        await closing
        return await task

    assert asyncio.run(ask()) == 40


def test_what_comes_in_one_pass_of_the_loop_is_decided_together_even_by_an_idle_thread() -> None:
    slow = Slow()
    slow.go.set()
    turn: Turn[int, int] = Turn(slow)

    async def ask() -> list[int]:
        return list(await asyncio.gather(*(turn.decision(each) for each in range(100, 120))))

    try:
        assert asyncio.run(ask()) == [10 * each for each in range(100, 120)]
    finally:
        turn.close()
    assert slow.batches == [list(range(100, 120))]
