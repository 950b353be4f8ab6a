"""The examples of the OpenAPI document: complete, true to their schemas, and what a running service answers to the questions that it shows."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from risk.api.examples import FILE
from tests.service.answers import Answers, Story, told

JSON, TEXT = "application/json", "text/plain"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """What running services said, and the document of one."""
    return told(tmp_path_factory.mktemp("story"))


@pytest.fixture(scope="module")
def written() -> Answers:
    """What was written down."""
    found: Answers = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def documented(document: dict[str, Any]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Operation, status, content type and what is said of it, of every answer that has a body and is no file."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                for kind in {JSON, TEXT} & answer.get("content", {}).keys():
                    yield f"{method.upper()} {path}", status, kind, answer["content"][kind]


def exactly(document: dict[str, Any], schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """A schema that takes nothing but what it names."""
    named = {
        name: each if "properties" not in each else {"additionalProperties": False, **each}
        for name, each in document["components"]["schemas"].items()
    }
    return jsonschema_rs.Draft202012Validator({**schema, "components": {"schemas": named}}, validate_formats=True)


def unlike(example: Any, real: Any, place: str = "") -> str | None:  # noqa: ANN401  # JSON
    """Where two answers differ in shape: names in objects, kinds of values; null and empty lists are like anything. Null: nowhere."""
    if example is None or real is None:
        return None
    if isinstance(example, dict) and isinstance(real, dict):
        if example.keys() != real.keys():
            return f"{place}: {sorted(example.keys() ^ real.keys())}"
        return next(filter(None, (unlike(example[name], real[name], f"{place}.{name}") for name in example)), None)
    if isinstance(example, list) and isinstance(real, list):
        return next(filter(None, (unlike(one, other, f"{place}[]") for one in example for other in real)), None)
    kinds = [{int: float}.get(type(each), type(each)) for each in (example, real)]
    return None if kinds[0] is kinds[1] else f"{place}: {example!r} and {real!r}"


def test_every_answer_has_an_example_that_its_schema_describes_in_full(story: Story) -> None:
    wrong = [
        f"{operation} {status}: {error.message} at {error.instance_path}"
        for operation, status, _, said in documented(story.document)
        for error in exactly(story.document, said["schema"]).iter_errors(said.get("example"))
    ]
    assert wrong == []


def test_every_question_has_an_example_that_its_schema_takes(story: Story) -> None:
    schemas = story.document["components"]["schemas"]
    for operation in (each for methods in story.document["paths"].values() for each in methods.values()):
        for kind, said in operation.get("requestBody", {}).get("content", {}).items():
            if kind == JSON:
                name = said["schema"]["$ref"].rpartition("/")[2]
                assert schemas[name]["examples"], name
                assert all(exactly(story.document, said["schema"]).is_valid(each) for each in schemas[name]["examples"]), name


def test_the_service_answers_what_the_document_shows(story: Story) -> None:
    asked = {(operation, status) for operation, said in story.answers.items() for status in said}
    assert [
        (operation, status) for operation, status, _, _ in documented(story.document) if int(status) < 400 and (operation, status) not in asked
    ] == []
    shown = {(operation, status): said["example"] for operation, status, _, said in documented(story.document)}
    of_all = {status: example for (_, status), example in shown.items()}
    found = {
        (operation, status): unlike(shown.get((operation, status), of_all.get(status)), real)
        for operation, said in story.answers.items()
        for status, real in said.items()
    }
    assert {place: why for place, why in found.items() if why is not None} == {}


def test_real_answers_hold_nothing_that_their_schemas_do_not_name(story: Story) -> None:
    wrong = [
        f"{operation} {status}: {error.message} at {error.instance_path}"
        for operation, status, _, said in documented(story.document)
        if status in story.answers.get(operation, {})
        for error in exactly(story.document, said["schema"]).iter_errors(story.answers[operation][status])
    ]
    assert wrong == []


def test_nothing_is_written_down_that_is_not_documented(story: Story, written: Answers) -> None:
    known = {(operation, status) for operation, status, _, _ in documented(story.document)} | {
        ("*", status) for _, status, _, _ in documented(story.document)
    }
    assert {(operation, status) for operation, said in written.items() for status in said} - known == set()


def test_the_score_example_is_the_answer_to_the_example_question(story: Story) -> None:
    path = "/v1/refund-requests/score"
    example = story.document["paths"][path]["post"]["responses"]["200"]["content"][JSON]["example"]
    real = story.answers[f"POST {path}"]["200"]
    assert (example["request_id"], example["action"]) == (real["request_id"], real["action"])
    assert [each["code"] for each in example["reasons"]] == [each["code"] for each in real["reasons"]]
    assert unlike(example, real) is None
    assert isinstance(example["score"], float)


def test_a_shape_is_told_from_another() -> None:
    assert unlike({"a": 1}, {"a": 2.5}) is None
    assert unlike({"a": [{"b": 1}]}, {"a": [{"b": "1"}]}) == ".a[].b: 1 and '1'"
    assert unlike({"a": {"b": 1}}, {"a": {"c": 1}}) == ".a: ['b', 'c']"
