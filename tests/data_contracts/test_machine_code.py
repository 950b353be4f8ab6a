"""Machine code that is kept on disk is not used once anything that is built into it has changed."""

import os
import re
import subprocess
import sys
from pathlib import Path

from data_contracts.machine_code import compiling_told, njit

ROOT = Path(__file__).parents[2]

CALLED = "from data_contracts.machine_code import njit\n\nTIMES = {times}\n\n@njit(cache=True)\ndef called(number):\n    return {formula}\n"

CALLER = """
from data_contracts.machine_code import njit
from called import TIMES, called

@njit(cache=True)
def caller(number):
    return called(number) * TIMES

print(caller(2), sum(caller.stats.cache_hits.values()), sum(caller.stats.cache_misses.values()))
"""


def run(folder: Path, formula: str, times: int) -> list[int]:
    """What a program made of two files says in a process of its own: its result, how often it found kept code, and how often not."""
    (folder / "called.py").write_text(CALLED.format(formula=formula, times=times), encoding="utf-8")
    (folder / "caller.py").write_text(CALLER, encoding="utf-8")
    around = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]), "PYTHONDONTWRITEBYTECODE": "1"}
    told = subprocess.run([sys.executable, "-m", "caller"], cwd=folder, env=around, capture_output=True, text=True, check=True, timeout=120)
    return [int(word) for word in told.stdout.split()]


def test_what_changed_in_another_file_is_compiled_again_and_nothing_else_is(tmp_path: Path) -> None:
    assert run(tmp_path, "number + 1", 10) == [30, 0, 1]
    assert run(tmp_path, "number + 1", 10) == [30, 1, 0]
    assert run(tmp_path, "number + 2", 10) == [40, 0, 1]
    assert run(tmp_path, "number + 2", 20) == [80, 0, 1]


def test_every_function_that_is_kept_comes_from_here() -> None:
    packages = ("data_contracts", "features", "graph", "models", "risk")
    direct = re.compile(r"numba\.njit\(|numba\.jit\(|from numba import .*jit")
    found = [str(path) for package in packages for path in (ROOT / package).rglob("*.py") if direct.search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_what_must_be_compiled_is_told_before_once() -> None:
    told: list[str] = []
    functions = [njit(lambda number, more=more: number + more) for more in (1, 2)]
    for _ in range(2):
        with compiling_told(lambda: told.append("compiling")):
            assert [function(1) for function in functions] == [2, 3]
    assert told == ["compiling"]
