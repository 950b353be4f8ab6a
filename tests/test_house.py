"""The house rules that no linter knows."""

import re
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from risk.cli import app

PROJECT = Path(__file__).resolve().parents[1]
PACKAGES = ("data_contracts", "features", "graph", "models", "risk")
MODULES = sorted(path for package in (*PACKAGES, "tests", "benchmarks") for path in (PROJECT / package).rglob("*.py"))
LIMIT = 400


def test_the_modules_were_found() -> None:
    assert len(MODULES) > 50


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_module_stays_small(module: Path) -> None:
    lines = len(module.read_text(encoding="utf-8").splitlines())
    assert lines <= LIMIT, f"{lines} lines, limit {LIMIT}: give the second job a file of its own"


def test_init_files_are_empty() -> None:
    assert [path for path in MODULES if path.name == "__init__.py" and path.read_text(encoding="utf-8").strip()] == []


def test_no_module_is_named_after_nothing() -> None:
    vague = {"utils", "util", "common", "core", "base", "helpers", "helper", "misc", "manager"}
    assert [path for path in MODULES if vague & {*path.relative_to(PROJECT).parts, path.stem}] == []


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    pins = {_plain(line.split("==")[0]) for line in (PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines() if "==" in line}
    assert [name for name in named if _plain(re.split(r"[\[<>=~!;]", name)[0]) not in pins] == []


def test_no_pin_names_a_local_build_or_path() -> None:
    lines = (PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if "@" in line or "+" in line or "/" in line] == []


def test_every_command_is_in_the_readme() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    commands = get_command(app).commands  # type: ignore[attr-defined]
    assert [name for name in commands if f"refund-risk {name}" not in readme] == []


def test_every_folder_is_on_the_file_map() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    folders = [path.name for package in PACKAGES for path in (PROJECT / package).iterdir() if path.is_dir() and not path.name.startswith(("_", "."))]
    assert [name for name in (*PACKAGES, "tests", "benchmarks", *folders) if f"{name}/" not in readme] == []


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
