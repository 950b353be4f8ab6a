"""The sandbox: the same answers as without it, and none of the harm."""

import os
import random
import signal
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from features.image import examples, visible_marks
from features.image.fingerprint import to_index
from features.image.measure import measure_all
from features.image.picture import MAX_BYTES, Picture
from features.image.reuse_library import ReuseLibrary
from features.image.sandbox import Limits, Sandbox
from features.image.signal_kit import Context


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Limits(seconds=5, memory_mb=512, reading=False)) as found:
        yield found


def test_it_answers_as_a_direct_call_does(sandbox: Sandbox) -> None:
    for data in (examples.camera_jpeg(), examples.png_with_text(("AIGC", examples.AIGC)), examples.webp(), b"", b"nothing"):
        assert sandbox.measure(data, Context(), keep=True) == measure_all(data, Context(), keep=True)


def test_a_library_stays_with_the_caller(sandbox: Sandbox) -> None:
    library = ReuseLibrary()
    library.add("earlier", to_index(Picture(examples.jpeg())))
    measured = sandbox.measure(examples.jpeg(quality=60), Context(library=library))
    assert {result.signal: result.value for result in measured.results}["reuse"] == 0.7


def _bomb() -> bytes:
    """A PNG of 49 million pixels in a few kilobytes."""
    row = b"\x00" * (1 + 3 * 7000)
    pixels = zlib.compressobj(9)
    packed = b"".join(pixels.compress(row) for _ in range(7000)) + pixels.flush()
    head = struct.pack(">IIBBBBB", 7000, 7000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + examples.chunk(b"IHDR", head) + examples.chunk(b"IDAT", packed) + examples.chunk(b"IEND", b"")


def test_a_bomb_ends_at_the_memory_limit_and_the_next_file_is_measured() -> None:
    with Sandbox(Limits(seconds=20, memory_mb=100, reading=False)) as small:
        assert small.measure(_bomb(), Context()).unreadable in {"broken", "crashed"}
        assert small.measure(examples.jpeg(), Context()).unreadable is None


def test_a_child_that_died_is_replaced(sandbox: Sandbox) -> None:
    sandbox.measure(examples.jpeg(), Context())
    assert sandbox._child is not None
    os.kill(sandbox._child.pid, signal.SIGKILL)
    assert sandbox.measure(examples.jpeg(), Context()).unreadable == "crashed"
    assert sandbox.measure(examples.jpeg(), Context()).unreadable is None


def test_a_child_that_hangs_is_ended() -> None:
    with Sandbox(Limits(seconds=1, reading=False)) as slow:
        slow.measure(examples.jpeg(), Context())
        assert slow._child is not None
        os.kill(slow._child.pid, signal.SIGSTOP)
        assert slow.measure(examples.jpeg(), Context()).unreadable == "timed_out"
        assert slow.measure(examples.jpeg(), Context()).unreadable is None


def test_a_file_that_is_too_large_is_not_sent(sandbox: Sandbox) -> None:
    assert sandbox.measure(b"\xff\xd8\xff" + bytes(MAX_BYTES), Context()).unreadable == "too_large"


def test_mutated_files_never_reach_the_caller(sandbox: Sandbox) -> None:
    dice = random.Random(11)  # noqa: S311  # mutation, not secrecy
    seeds = [examples.jpeg(examples.scene(96, 64)), examples.png(examples.scene(96, 64)), examples.camera_jpeg()[:9000]]
    for _ in range(150):
        data = bytearray(dice.choice(seeds))
        for _ in range(dice.randint(1, 20)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        assert sandbox.measure(bytes(data), Context()).unreadable not in {"crashed", "timed_out"}


def test_words_are_read_only_when_asked() -> None:
    label = next(example for example in visible_marks.EXAMPLES if example.low == 0.7).make()
    with Sandbox() as reading:
        assert "visible_marks" not in {result.signal for result in reading.measure(label, Context()).results}
        results = reading.measure(label, Context(), read=True).results
    assert {result.signal: result.value for result in results}["visible_marks"] == 0.7


def test_a_child_that_computes_too_long_is_ended_and_it_is_said_so(tmp_path: Path) -> None:
    """The kernel counts the seconds of computing, so a busy machine is no fault of the file."""
    (tmp_path / "spinning.py").write_text(
        "from features.image.sandbox_worker import serve\ndef spin(piece, measured):\n    while True:\n        pass\nserve(lambda: spin)\n",
        encoding="utf-8",
    )
    path = os.pathsep.join((str(tmp_path), str(Path(__file__).parents[3])))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", path)
        with Sandbox(Limits(seconds=1, reading=False), "spinning") as endless:
            assert endless.look(examples.jpeg(), Context())[0].unreadable == "timed_out"
            assert endless.measure(examples.jpeg(), Context()).unreadable is None
