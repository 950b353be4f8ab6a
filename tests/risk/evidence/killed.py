"""A process that takes files in until it is killed: `python -m tests.risk.evidence.killed HOME`. It prints a line a file."""

import sys
from pathlib import Path

from features.image.sandbox import Limits, Sandbox
from risk.stores.database import open_sqlite
from tests.risk.evidence.eyes import Clock, SandboxEye, a_photo, an_intake, send


def main() -> None:
    home = Path(sys.argv[1])
    with Sandbox(Limits(seconds=10, memory_mb=512, reading=False)) as sandbox:
        database = open_sqlite(home / "risk.db", 5_000)
        with an_intake(database, home, SandboxEye(sandbox), now=Clock()) as intake:
            for seed in range(int(sys.argv[2]), 10_000):
                print(send(intake, a_photo(seed)), flush=True)  # noqa: T201  # the parent counts lines


if __name__ == "__main__":
    main()
