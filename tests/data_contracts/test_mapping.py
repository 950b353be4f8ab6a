"""A map says what cannot be before any row is read."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from data_contracts import mapping
from data_contracts.account_mapping import AccountMap
from data_contracts.errors import ContractError
from data_contracts.link import LINK_TYPES
from data_contracts.mapping import ImportMap, parse_map, parsed

LEAST = '[request]\nrequest_id = "id"\noccurred_at = "when"\n'
LABEL = LEAST + '[label]\ncolumn = "y"\npositive = [1]\n'


def test_two_columns_are_all_that_a_map_needs() -> None:
    assert list(parse_map(LEAST, "map").columns()) == [("request.request_id", "id"), ("request.occurred_at", "when")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "request is missing"),
        ("[request", "is no TOML"),
        ('[request]\nrequest_id = "id"\n', "request.occurred_at is missing"),
        (LEAST + "color = 1\n", "request.color is not a setting"),
        ("[colors]\n" + LEAST, "colors is not a setting"),
        ("version = 2\n" + LEAST, "version: Input should be 1"),
        (LEAST + 'amount = "a"\n', "needs its currency"),
        (LEAST + 'amount = "a"\ndefault_currency = "yuan"\n', "default_currency: String should match pattern"),
        (LEAST + 'claim_type = "c"\n[request.claim_types]\nx = "ugly"\n', "claim_types.x"),
        (LEAST + '[request.time]\nzone = "Mars/Base"\n', "no such time zone"),
        (LEAST + '[request.time]\nformat = "pattern"\n', "a pattern is missing"),
        (LEAST + '[request.time]\nformat = "pattern"\npattern = "%Y"\n', "either %z or a zone"),
        (LEAST + '[request.time]\nformat = "pattern"\npattern = "%Y %z"\nzone = "UTC"\n', "either %z or a zone"),
        (LEAST + '[request.time]\nformat = "number"\n', "needs its unit"),
        (LEAST + '[links]\nseller = "s"\n', "no link type"),
        (LEAST + "[links]\ncard = []\n", "links.card"),
        (LEAST + '[attributes]\nnumeric = ["my age"]\n', "cannot be a feature's name"),
        (LEAST + '[attributes]\nnumeric = ["request_id"]\n', "cannot be a feature's name"),
        (LEAST + '[attributes]\nnumeric = ["a"]\ncategorical = ["a"]\n', "stands there twice"),
        (LABEL, "either known_after"),
        (LABEL + 'known_after = "1 day"\nknown_at = "k"\n', "either known_after"),
        (LABEL + 'known_after = "soon"\n', "no delay"),
        (LABEL + 'known_after = "-1 days"\n', "no delay"),
        (LABEL + 'known_after = "1 day"\nnegative = ["1"]\n', "1 is positive and negative"),
        (LABEL + 'known_after = "1 day"\nsource = "rumour"\n', "label.source"),
        (LEAST + '[account]\nopened_at = "o"\n', "needs .request. account_id"),
        (LEAST + '[source]\nseparator = ",,"\n', "source.separator"),
        (LEAST + '[source]\nseparator = "§"\n', "source.separator"),
        (LEAST + "[source]\nseparator = '\"'\n", "two different marks"),
        (LEAST + '[source]\ndecimal = ","\nthousands = ","\n', "two different marks"),
    ],
)
def test_what_cannot_be_is_said_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ContractError, match=said) as raised:
        parse_map(text, "map.toml")
    assert raised.value.message.startswith("map.toml")
    assert raised.value.exit_code == 2


def test_every_mistake_of_a_map_is_said_at_once() -> None:
    with pytest.raises(ContractError) as raised:
        parse_map(LEAST + 'color = 1\n[links]\nseller = "s"\n', "map.toml")
    assert "request.color" in raised.value.message
    assert "links.seller" in raised.value.message


@pytest.mark.parametrize(
    ("text", "delay"),
    [
        ("7 days", timedelta(days=7)),
        ("1 day", timedelta(days=1)),
        ("12 hours", timedelta(hours=12)),
        ("1.5 weeks", timedelta(days=10.5)),
        ("0 days", timedelta()),
    ],
)
def test_delays_are_said_in_words(text: str, delay: timedelta) -> None:
    label = parse_map(LABEL + f'known_after = "{text}"\n', "map").label
    assert label is not None
    assert label.delay == delay


@pytest.mark.parametrize("entity", LINK_TYPES)
def test_every_link_type_may_have_one_column_or_several(entity: str) -> None:
    wanted = parse_map(LEAST + f'[links]\n{entity} = ["a", "b"]\n', "map")
    assert [column for place, column in wanted.columns() if place == f"links.{entity}"] == ["a", "b"]


@pytest.mark.parametrize("path", sorted((Path(mapping.__file__).parent / "import_maps").glob("*.toml")), ids=lambda path: path.stem)
def test_the_maps_that_ship_load(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.stem == "account_graph":
        assert isinstance(parsed(TypeAdapter(AccountMap), text, path.name), AccountMap)
    else:
        assert isinstance(parse_map(text, path.name), ImportMap)
