"""The committed schemas are those of the classes, and what was valid once stays valid."""

import json
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from data_contracts.mapping import parse_map
from data_contracts.schemas import generate
from data_contracts.tables import TABLES

COMMITTED = Path(generate.__file__).parent / generate.VERSION
EXAMPLES = Path(__file__).parent / "examples"
VERSIONS = sorted(path.name for path in EXAMPLES.iterdir())


def test_the_committed_schemas_are_those_of_the_classes() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in COMMITTED.glob("*.json")}
    assert committed == generate.schemas(), "run `python -m data_contracts.schemas` and commit what it writes"


def test_every_record_has_a_schema_and_old_examples() -> None:
    names = {generate.name_of(record) for record in TABLES.values()}
    assert {path.stem for path in COMMITTED.glob("*.json")} == names | {"import_map"}
    assert {path.stem for path in (EXAMPLES / generate.VERSION).glob("*.json")} == names


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("record", TABLES.values(), ids=lambda record: record.__name__)
def test_every_old_example_still_loads(version: str, record: type) -> None:
    examples: list[dict[str, Any]] = json.loads((EXAMPLES / version / f"{generate.name_of(record)}.json").read_text(encoding="utf-8"))
    for example in examples:
        loaded: object = TypeAdapter(record).validate_json(json.dumps(example))
        assert is_dataclass(loaded)
        assert set(example) <= {field.name for field in fields(loaded)}, "a field of an old example is gone"


@pytest.mark.parametrize("version", VERSIONS)
def test_an_old_import_map_still_loads(version: str) -> None:
    parse_map((EXAMPLES / version / "import_map.toml").read_text(encoding="utf-8"), "import_map.toml")


def test_a_schema_says_what_it_is() -> None:
    schema = json.loads(generate.schemas()["refund_request.json"])
    assert schema["$id"] == "refund-risk/v1/refund_request.json"
    assert schema["required"] == ["occurred_at", "known_at", "request_id"]
