"""The kernel against the plainest reference: look at every event for every question."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.timeline import NEVER, NULL
from features.windows import Events, Ints, Questions, Wanted, expiry, extremes, group, limited, totals

PROJECT = Path(__file__).resolve().parents[2]

ENTITIES = 3


def random_case(seed: int, size: int) -> tuple[Events, Questions, dict[str, Ints]]:
    """Events and questions on a coarse clock, so that everything ties; some events are known late, some end, some have no account or value."""
    rng = np.random.default_rng(seed)
    entity = np.sort(rng.integers(0, ENTITIES, size))
    known = rng.integers(0, 12, size)
    known = known[np.lexsort((known, entity))]
    occurred = known - rng.choice([0, 0, 0, 1, 5], size)
    until = np.where(rng.random(size) < 0.3, known + rng.integers(0, 6, size), NEVER)
    asked = np.sort(rng.integers(0, ENTITIES, size))
    at = rng.integers(0, 16, size)
    at = at[np.lexsort((at, asked))]
    start, asked_start = group(entity, ENTITIES)[0], group(asked, ENTITIES)[0]
    events = Events(start, occurred, known, until, rng.integers(-1, 3, size))
    columns = {"entity": entity, "asked": asked, "value": rng.integers(-5, 100, size), "word": rng.integers(-1, 4, size)}
    return events, Questions(asked_start, at, rng.integers(-1, 3, size)), columns


def visible(events: Events, entity: Ints, who: int, at: int, window: int | None, limit: int) -> list[int]:
    """What may count, by the definition: known strictly before, among the last `limit` known, not ended, inside the window."""
    known = [i for i in range(entity.size) if entity[i] == who and events.known[i] < at][-limit:]
    return [i for i in known if at <= events.until[i] and (window is None or events.occurred[i] >= at - window)]


cases = given(seed=st.integers(0, 2**32), size=st.integers(0, 40), window=st.sampled_from([None, 0, 1, 4]), limit=st.sampled_from([1, 3, 100]))


@cases
@settings(max_examples=60, deadline=None)
def test_totals_are_those_of_the_definition(seed: int, size: int, window: int | None, limit: int) -> None:
    events, questions, columns = random_case(seed, size)
    expire = expiry(events.occurred, limited(events, limit), window)
    values = np.stack([columns["value"], np.zeros(size, np.int64), np.ones(size, np.int64)], axis=1)
    wanted = Wanted(np.array([2, 0]), np.array([0]), own=True)
    every, own = totals(events, expire, questions, (values, columns["word"][None, :].copy()), wanted)
    for place in range(size):
        seen = visible(events, columns["entity"], columns["asked"][place], questions.at[place], window, limit)
        mine = [i for i in seen if events.account[i] == questions.account[place] >= 0]
        words = {columns["word"][i] for i in seen} - {-1}
        assert every[:, place].tolist() == [len(seen), sum(columns["value"][i] for i in seen), len(words)]
        assert own[:, place].tolist() == [len(mine), sum(columns["value"][i] for i in mine)]


@cases
@settings(max_examples=60, deadline=None)
def test_extremes_are_those_of_the_definition(seed: int, size: int, window: int | None, limit: int) -> None:
    events, questions, columns = random_case(seed, size)
    expire = expiry(events.occurred, limited(events, limit), window)
    mask = columns["value"] > 20
    latest, earliest = (extremes(events, expire, questions, mask, sign) for sign in (1, -1))
    for place in range(size):
        seen = [
            events.occurred[i] for i in visible(events, columns["entity"], columns["asked"][place], questions.at[place], window, limit) if mask[i]
        ]
        assert latest[place] == max(seen, default=NULL)
        assert earliest[place] == min(seen, default=NULL)


def test_sums_are_exact_where_floats_are_not() -> None:
    ints = np.array([2**62, 1, -(2**62)])
    events = Events(np.array([0, 3]), np.arange(3), np.arange(3), np.full(3, NEVER), np.full(3, -1))
    questions = Questions(np.array([0, 1]), np.array([9]), np.array([-1]))
    nothing = np.empty((0, 3), np.int64)
    total, _ = totals(events, events.until, questions, (ints[:, None].copy(), nothing), Wanted(np.array([0]), np.array([], np.int64), own=False))
    assert total.tolist() == [[1]]


def test_grouping_keeps_the_order_within_a_group() -> None:
    start, order = group(np.array([1, 0, 1, 0]), 3)
    assert start.tolist() == [0, 2, 4, 4]
    assert order.tolist() == [1, 3, 0, 2]


def test_the_kernel_stays_inside_its_arrays() -> None:
    """Compiled code does not check its indices; uncompiled it does."""
    program = "from tests.features.worlds import world; from features.batch import compute_batch; print(compute_batch(world(3)).height)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "14", done.stderr
