from pathlib import Path

import pytest

from data_contracts.errors import ContractError
from data_contracts.link import EntityType
from graph.judgements import Judgement, Subject, Verdict, append, in_force, read
from tests.graph.histories import at


def said(verdict: Verdict, hour: float, until: float | None = None) -> Judgement:
    return Judgement(
        subject=Subject.LINK,
        verdict=verdict,
        by="ana",
        why="lent for a day",
        at=at(hour),
        until=None if until is None else at(until),
        entity_type=EntityType.DEVICE,
        entity_id="d",
        account_id="a",
    )


def test_judgements_are_only_ever_added(tmp_path: Path) -> None:
    path = tmp_path / "rings" / "judgements.jsonl"
    assert read(path) == ()
    first, second = said(Verdict.REFUTED, 1), said(Verdict.CONFIRMED, 2)
    append(path, first)
    kept = path.read_bytes()
    append(path, second)
    assert path.read_bytes().startswith(kept)
    assert read(path) == (first, second)


def test_the_last_word_holds_and_an_ended_one_does_not_wake_the_one_before() -> None:
    words = [said(Verdict.REFUTED, 1), said(Verdict.UNSURE, 5, until=10)]
    assert in_force(words, at(5)).links == (words[0],)
    assert in_force(words, at(6)).links == (words[1],)
    assert in_force(words, at(11)).links == ()


def test_a_judgement_without_subject_reason_or_sense_is_refused(tmp_path: Path) -> None:
    common = {"verdict": Verdict.REFUTED, "by": "ana", "at": at(5)}
    for bad in (
        Judgement(subject=Subject.RING, why="x", **common),
        Judgement(subject=Subject.RING, ring_id="r", members=("a",), why="  ", **common),
        Judgement(subject=Subject.RING, ring_id="r", members=("a",), why="x", until=at(5), **common),
    ):
        with pytest.raises(ContractError):
            append(tmp_path / "j.jsonl", bad)
    assert not (tmp_path / "j.jsonl").exists()


def test_a_damaged_line_is_named_and_not_skipped(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    append(path, said(Verdict.REFUTED, 1))
    with path.open("a") as file:
        file.write('{"subject": "ring", "ver')
    with pytest.raises(ContractError, match="line 2"):
        read(path)
