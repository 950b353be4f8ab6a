"""The chain through the ledger, on real databases: any edit, gap or new order is found and named."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from risk.cli import app
from risk.ledger_chain import GENESIS, Link, row_hash, verify
from tests.risk.servers import Running
from tests.risk.stories import plain_body


def chain(*contents: tuple[object, ...]) -> list[Link]:
    links, previous = [], GENESIS
    for content in contents:
        own = row_hash(previous, content)
        links.append(Link(str(content[0]), content, previous, own))
        previous = own
    return links


def test_a_whole_chain_holds_and_tells_its_head() -> None:
    links = chain(("a", 1), ("b", 2), ("c", 3))
    found = verify(links)
    assert (found.ok, found.checked, found.head) == (True, 3, links[-1].own)
    assert verify([]).head is None


def test_contents_that_read_alike_hash_apart() -> None:
    assert row_hash(GENESIS, ("ab", "c")) != row_hash(GENESIS, ("a", "bc"))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_removed_row_is_found_at_its_successor(place: int) -> None:
    links = chain(("a",), ("b",), ("c",), ("d",))
    left = [link for number, link in enumerate(links) if number != place]
    found = verify(left)
    assert [(each.decision_id, each.what) for each in found.breaks] == [(links[place + 1].decision_id, "out_of_order")]


def test_rows_that_changed_places_are_found() -> None:
    first, second, third = chain(("a",), ("b",), ("c",))
    assert {each.what for each in verify([first, third, second]).breaks} == {"out_of_order"}


def test_a_shortened_chain_holds_but_has_lost_the_noted_head() -> None:
    links = chain(("a",), ("b",), ("c",))
    assert verify(links[:2]).ok
    assert not verify(links[:2], noted_head=links[2].own).ok
    assert verify(links, noted_head=links[1].own).ok


def ledger_verify(home: Path, *more: str) -> tuple[int, dict[str, object]]:
    result = CliRunner().invoke(app, ["ledger", "verify", "--home", str(home), "--json", *more])
    return result.exit_code, json.loads(result.stdout)


def test_an_edited_record_of_a_running_service_is_named(service: Running) -> None:
    decided = [service.client.post("/v1/refund-requests/score", json=plain_body(f"chain-{number}")).json() for number in range(4)]
    code, report = ledger_verify(service.home)
    assert (code, report["ok"]) == (0, True)
    head = str(report["head"])
    victim = decided[1]["decision_id"]
    with service.server.home.database.writing() as connection:
        connection.execute(text("UPDATE decisions SET as_of_us = as_of_us + 1 WHERE decision_id = :id"), {"id": victim})
    code, report = ledger_verify(service.home, "--head", head)
    assert code == 1
    assert [(each["decision_id"], each["what"]) for each in report["breaks"]] == [(victim, "edited")]  # type: ignore[attr-defined]
    with service.server.home.database.writing() as connection:
        connection.execute(text("UPDATE decisions SET as_of_us = as_of_us - 1 WHERE decision_id = :id"), {"id": victim})
    assert ledger_verify(service.home, "--head", head)[0] == 0


def test_a_folder_that_is_no_home_is_told(tmp_path: Path) -> None:
    code, report = ledger_verify(tmp_path / "nothing")
    assert code == 2
    assert report["error"]["code"] == "NOT_FOUND"  # type: ignore[index]
    assert not (tmp_path / "nothing").exists()
