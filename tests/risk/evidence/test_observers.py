"""A shop's own vision: a package that is really installed, its counts in a decision, and what becomes of one that fails."""

import os
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_contracts.errors import ContractError
from features.image.sandbox import Sandbox
from risk.evidence.observers import Limits, Observers, installed
from risk.evidence.seen import VISION
from risk.stores.database import Database
from tests.risk.evidence.eyes import Clock, SandboxEye, a_photo, an_intake, send
from tests.risk.evidence.test_seen import an_engine, ask

CODE = """
    import io, os, sys, time
    from PIL import Image

    class Counter:
        version = 3

        def observe(self, data, kind):
            print("a package may print what it likes")
            image = Image.open(io.BytesIO(data))
            return {"crabs": len(data) % 7, f"size={image.width}x{image.height}": 1}

    class Raises(Counter):
        def observe(self, data, kind):
            raise ValueError("no")

    class Hangs(Counter):
        def observe(self, data, kind):
            time.sleep(60)

    class Dies(Counter):
        def observe(self, data, kind):
            os._exit(9)

    class Eats(Counter):
        def observe(self, data, kind):
            return {"crabs": len(bytearray(4 << 30))}

    class Writes(Counter):
        def observe(self, data, kind):
            with open(os.path.join(os.path.dirname(__file__), "spilt"), "w") as file:
                file.write("x" * 100)
                file.flush()
            return {}

    class Babbles(Counter):
        def observe(self, data, kind):
            return {"crabs": -1}

    class Prints(Counter):
        def observe(self, data, kind):
            while True:
                print("x" * 65536)

    class Leaves(Counter):
        def observe(self, data, kind):
            if os.fork() == 0:
                time.sleep(60)
            os._exit(0)

    class Nothing:
        pass
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed packages, seen by this process and by its children."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "crab_counter.py").write_text(textwrap.dedent(CODE))
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *sys.path[1:]]))
    yield folder
    sys.modules.pop("crab_counter", None)


def install(folder: Path, name: str, *entries: str) -> None:
    """What an installer leaves of a package's metadata."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[refund_risk.observers]\n" + "\n".join(entries) + "\n")


def test_none_is_there_by_default() -> None:
    assert installed() == ()


def test_its_counts_are_observations_of_the_decision(package: Path, database: Database, tmp_path: Path, sandbox: Sandbox) -> None:
    install(package, "crab-counter", "crabs = crab_counter:Counter")
    observers = Observers(installed())
    assert observers.versions == {"observer:crabs": "3"}
    clock = Clock()
    with an_intake(database, tmp_path, SandboxEye(sandbox, observers=observers), now=clock) as intake:
        sha256 = send(intake, a_photo())
        line = {"line_no": 1, "quantity": 2, "counts": {"size=1x1": 2}}
        order = {"order_id": "o", "occurred_at": clock().isoformat(), "lines": [line]}
        record = ask(an_engine(database, intake), "r", clock(), sha256, order=order)
    seen = {(each["observer"], each["attribute"]): each["count"] for each in record.snapshot["observations"]}  # type: ignore[union-attr, index]
    assert seen[VISION, "crabs"] == len(a_photo()) % 7
    assert record.facts.values["evidence_counted"] == 1.0
    assert record.facts.values["observed_over_ordered"] == 1.0  # a size that was not ordered
    assert not record.degraded


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("Raises", "raised"),
        ("Hangs", "timed_out"),
        ("Dies", "crashed"),
        ("Eats", "raised"),
        ("Writes", "raised"),
        ("Babbles", "nonsense"),
        ("Prints", "timed_out"),
        ("Leaves", "timed_out"),
    ],
)
def test_one_that_fails_is_a_missing_source_with_its_reason(package: Path, kind: str, reason: str) -> None:
    install(package, "crab-counter", f"crabs = crab_counter:{kind}")
    counted = Observers(installed(), Limits(seconds=4)).observe(a_photo(), "photo")
    assert [(each.counts, each.failed) for each in counted] == [({}, reason)]
    assert not (package / "spilt").exists() or not (package / "spilt").read_text()


def test_a_decision_says_that_it_did_without(package: Path, database: Database, tmp_path: Path, sandbox: Sandbox) -> None:
    install(package, "crab-counter", "crabs = crab_counter:Raises")
    clock = Clock()
    with an_intake(database, tmp_path, SandboxEye(sandbox, observers=Observers(installed())), now=clock) as intake:
        sha256 = send(intake, a_photo())
        record = ask(an_engine(database, intake), "r", clock(), sha256)
    assert record.degraded == (VISION,)
    assert ("vision", "raised") in {(each["signal"], each["unavailable"]) for each in record.snapshot["measurements"]}  # type: ignore[union-attr, index]


def test_a_package_that_is_no_observer_stops_the_start(package: Path) -> None:
    install(package, "crab-counter", "crabs = crab_counter:Nothing")
    with pytest.raises(ContractError, match="crabs"):
        installed()


def test_two_of_one_name_stop_the_start(package: Path) -> None:
    install(package, "one", "crabs = crab_counter:Counter")
    install(package, "two", "crabs = crab_counter:Raises")
    with pytest.raises(ContractError, match="alike"):
        installed()
