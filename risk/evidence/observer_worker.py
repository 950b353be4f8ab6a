"""The child of one observer and one file: loads the entry point, limits itself, reads the file from standard input, answers JSON.

It is started by `observers.py` and imports nothing of ours, so it is there in a moment. The limits stop accidents (a leak, a loop, a decoder bomb); a
package that is installed is trusted not to attack.
"""

import os
import resource
import sys
import traceback
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from typing import Annotated, Protocol

import msgspec

GROUP = "refund_risk.observers"
RAISED = 3
"""Exit status of a child whose observer raised."""
MOST_ANSWER = 1 << 20


class VisionObserver(Protocol):
    """What an entry point must give: a class without arguments. Raise `version` when the same picture would be counted differently."""

    version: int

    def observe(self, data: bytes, kind: str) -> Mapping[str, int]:
        """Pieces by attribute in one file; `kind` is photo, video or unknown. Leave out what cannot be told; 0 says that there is none."""
        ...


class Hello(msgspec.Struct, frozen=True):
    """What a child says once its observer is loaded."""

    version: Annotated[int, msgspec.Meta(ge=1)]


class Answer(msgspec.Struct, frozen=True):
    """What a child says of one file."""

    counts: dict[Annotated[str, msgspec.Meta(min_length=1, max_length=64)], Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]]


def limit(memory_mb: int, seconds: int) -> None:
    """Cap memory, computing time and what may be written."""
    room = memory_mb << 20
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def answered(value: str, kind: str) -> bytes:
    """The observer's answer to the file on standard input; without a kind, who it is."""
    observer: VisionObserver = EntryPoint("observer", value, GROUP).load()()
    if not kind:
        return msgspec.json.encode(Hello(observer.version))
    return msgspec.json.encode(Answer(dict(observer.observe(sys.stdin.buffer.read(), kind))))


def main() -> None:
    """Arguments: the entry point's value, memory in MB, seconds, and the file's kind."""
    value, memory_mb, seconds, kind = sys.argv[1:5]
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever the package prints must not reach the answer
    limit(int(memory_mb), int(seconds))
    try:
        answer = answered(value, kind)
    except Exception:  # noqa: BLE001  # the outermost edge: whatever a package raises is its failure
        traceback.print_exc()
        sys.exit(RAISED)
    answers.write(answer[:MOST_ANSWER])
    answers.close()


if __name__ == "__main__":
    main()
