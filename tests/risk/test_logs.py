"""A log that cannot be written."""

import io
import json
import re
from pathlib import Path

import pytest
import structlog

from risk.logs import Unbroken, configure_logs


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_disk_fails_no_call() -> None:
    stream = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115  # its close fails, too
    log = Unbroken(stream)
    log.write("one")
    log.write("two")
    with pytest.raises(OSError, match="No space"):
        stream.close()


class FullForAWhile(io.StringIO):
    """A stream whose first writes fail."""

    left = 2

    def flush(self) -> None:
        """Fail twice, then go on."""
        if self.left:
            self.left -= 1
            self.truncate(0)
            self.seek(0)
            message = "No space left on device"
            raise OSError(message)


def test_the_first_line_that_goes_through_says_how_many_did_not() -> None:
    stream = FullForAWhile()
    log = Unbroken(stream)
    for number in range(4):
        log.write(json.dumps({"event": number}))
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == [{"event": "log_was_broken", "lines": 2}, {"event": 2}, {"event": 3}]


def test_a_line_that_utf_8_cannot_hold_is_said_with_its_escape(capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    configure_logs("info")
    try:
        structlog.get_logger().info("odd", half="\ud83d", thing={1: {2}}, kind=ValueError("x"), number=float("nan"))
        structlog.get_logger().info("even", whole="😀", nothing=None)
    finally:
        structlog.configure(**before)
    odd, even = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (odd["half"], even["whole"], even["nothing"]) == ("\ud83d", "😀", None)
    for line in (odd, even):
        assert re.fullmatch(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d+(Z|\+00:00)", line["timestamp"])
        assert line["level"] == "info"
