"""The page of all settings, made from `settings.py`: `python -m risk.jobs.settings_page` writes it, a test holds it equal."""

import ast
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

from risk import settings
from risk.settings import PREFIX, Settings, read_settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"
UNITS = {"bytes": "bytes", "s": "seconds", "ms": "milliseconds", "second": "calls a second", "workers": "processes", "files": "files", "days": "days"}

HEAD = """# Settings

Made from `risk/settings.py` by `python -m risk.jobs.settings_page`; `refund-risk settings` prints the same and says which ones are set.

Each value comes from the environment, or out of a file: `{prefix}<NAME>_FILE` names a file that holds the value of `{prefix}<NAME>`, for secrets.

| setting | default | unit | what, and why this default |
|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Explained:
    """One setting. `default` is null where it is empty; `unit` is null where the value is no number. `said_by`: default, environment or file."""

    name: str
    default: str | int | None
    unit: str | None
    reason: str
    said_by: str = "default"


def explained() -> tuple[Explained, ...]:
    """Every setting in the order of its declaration."""
    classes = (node for node in ast.parse(inspect.getsource(settings)).body if isinstance(node, ast.ClassDef))
    declared = next(node for node in classes if node.name == Settings.__name__)
    reasons = {
        named.target.id: said.value.value
        for named, said in zip(declared.body, declared.body[1:], strict=False)
        if isinstance(named, ast.AnnAssign)
        and isinstance(named.target, ast.Name)
        and isinstance(said, ast.Expr)
        and isinstance(said.value, ast.Constant)
    }
    defaults = {each.name: getattr(Settings(), each.name) for each in fields(Settings)}
    return tuple(
        Explained(f"{PREFIX}{name.upper()}", default or None, _unit(name, default), str(reasons[name])) for name, default in defaults.items()
    )


def in_force(environment: Mapping[str, str]) -> tuple[Explained, ...]:
    """Every setting, and who says it here; values stay out, some are secrets. ContractError: one of them cannot be read."""
    read_settings(environment)
    said = {
        each.name: "environment" if each.name in environment else "file"
        for each in explained()
        if {each.name, f"{each.name}_FILE"} & set(environment)
    }
    return tuple(replace(each, said_by=said.get(each.name, each.said_by)) for each in explained())


def page() -> str:
    """The page as Markdown."""
    return HEAD.format(prefix=PREFIX) + "".join(map(_row, explained()))


def _row(each: Explained) -> str:
    default = "empty" if each.default is None else f"`{each.default}`"
    return f"| `{each.name}` | {default} | {each.unit or ''} | {each.reason} |\n"


def _unit(name: str, default: object) -> str | None:
    return UNITS[name.rsplit("_", 1)[1]] if isinstance(default, int) else None


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
