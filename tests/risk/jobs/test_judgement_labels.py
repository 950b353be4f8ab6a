import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from data_contracts.label import Label, LabelSource, LabelValue
from data_contracts.link import EntityType
from graph.judgements import Judgement, Subject, Verdict
from models.ranker.dataset import labels_as_of
from risk.cli import app
from risk.jobs.judgement_labels import label_judgements
from risk.jobs.read_tables import read_tables, write_tables
from risk.jobs.rings import Said, judge_ring, rings
from risk.judged import Labelled, ingest_judgements
from risk.stores.database import Database
from tests.graph.histories import at
from tests.graph.ring_stories import ring_world
from tests.risk.builders import NOON, Fixed, a_question, an_engine, an_ingest

HOUR = timedelta(hours=1)


def judge(folder: Path, *words: str) -> tuple[int, Any]:
    done = CliRunner().invoke(app, ["judge", str(folder), *words, "--json"])
    return done.exit_code, json.loads(done.stdout.splitlines()[0]) if done.stdout.startswith("{") else done.stdout


def test_a_ring_is_judged_from_the_command_line_and_labels_its_members(tmp_path: Path) -> None:
    write_tables(ring_world(), tmp_path)
    ring_id = rings(tmp_path, at(500)).rings[0]["ring_id"]
    said = ("--verdict", "confirmed", "--by", "ana", "--why", "one script, one phone", "--until", "2030-01-01")
    code, found = judge(tmp_path, ring_id, *said)
    assert (code, found["labels"], found["judgement"]["until"]) == (0, 2, "2030-01-01 00:00:00+00:00")
    assert rings(tmp_path).rings[0]["verdict"] == "confirmed"
    assert read_tables(tmp_path)["labels"].filter(source="analyst")["request_id"].to_list() == ["rm2", "rm3"]
    code, found = judge(tmp_path, ring_id, "--verdict", "refuted", "--by", "ben", "--why", "one family")
    assert (code, found["labels"]) == (0, 2)
    assert rings(tmp_path).listed == 0
    assert CliRunner().invoke(app, ["judge", str(tmp_path), ring_id, *said]).stdout.startswith(f"{ring_id} confirmed by ana, until 2030-01-01")


@pytest.mark.parametrize(
    ("words", "code", "field"),
    [
        (("ring_none", "--verdict", "unsure", "--by", "ana", "--why", "?"), "NOT_FOUND", None),
        (("{ring}", "--verdict", "unsure", "--by", "ana", "--why", " "), "CONTRACT", "why"),
        (("{ring}", "--verdict", "unsure", "--by", "", "--why", "?"), "CONTRACT", "by"),
        (("{ring}", "--verdict", "unsure", "--by", "ana", "--why", "?", "--until", "2020-01-01"), "CONTRACT", "until"),
    ],
)
def test_an_incomplete_judgement_changes_nothing(tmp_path: Path, words: tuple[str, ...], code: str, field: str | None) -> None:
    write_tables(ring_world(), tmp_path)
    ring_id = rings(tmp_path, at(500)).rings[0]["ring_id"]
    status, found = judge(tmp_path, *(word.format(ring=ring_id) for word in words))
    assert (status, found["error"]["code"], found["error"]["field"]) == (2, code, field)
    assert not (tmp_path / "rings" / "judgements.jsonl").exists()


def test_a_confirmed_ring_teaches_the_next_model_from_the_moment_it_was_said(tmp_path: Path) -> None:
    write_tables(ring_world(), tmp_path)
    ring_id = rings(tmp_path, at(500)).rings[0]["ring_id"]
    judge_ring(tmp_path, ring_id, Said(Verdict.CONFIRMED, "ana", "one script, one phone", at(510)))
    assert label_judgements(tmp_path) == Labelled(judgements=1, labels=2)
    assert label_judgements(tmp_path) == Labelled(judgements=1, labels=0)
    labels = read_tables(tmp_path)["labels"]
    before, after = (dict(labels_as_of(labels, at(hour)).select("request_id", "label").iter_rows()) for hour in (510, 511))
    assert "rm2" not in before
    assert (after["rm2"], after["rm3"]) == (1.0, 1.0)
    assert rings(tmp_path, at(600)).rings[0]["confirmed"] == 4


def test_the_service_counts_a_confirmed_ring_against_its_members_later_requests(database: Database) -> None:
    engine, ingest = an_engine(database, Fixed()), an_ingest(database)
    device = [{"entity_type": "device", "entity_id": "phone"}]
    first = a_question("r1", account_id="a", links=device)
    engine.handle(first)
    engine.handle(a_question("r2", NOON + HOUR / 2, account_id="b", links=device))
    engine.handle(a_question("cleared", NOON + HOUR / 2, account_id="b"))
    ingest.label(Label(request_id="cleared", value=LabelValue.HONEST, source=LabelSource.VERDICT, occurred_at=NOON + HOUR, known_at=NOON + HOUR))
    said = Judgement(
        subject=Subject.RING, verdict=Verdict.CONFIRMED, by="ana", why="one hand", at=NOON + 2 * HOUR, ring_id="ring", members=("a", "b", "unknown")
    )
    assert ingest_judgements(ingest, [said]) == Labelled(judgements=1, labels=2)
    assert ingest_judgements(ingest, [said]) == Labelled(judgements=1, labels=0)
    later = engine.handle(a_question("r3", NOON + 3 * HOUR, account_id="a")).record
    assert later is not None
    assert later.facts.values["account_abuse_365d"] == 1.0
    entity: dict[str, Any] = {"entity_type": EntityType.DEVICE, "entity_id": first.links[0].entity_id}
    word = Judgement(subject=Subject.LINK, verdict=Verdict.CONFIRMED, by="ben", why="seen on video", at=NOON + 4 * HOUR, account_id="b", **entity)
    assert ingest_judgements(ingest, [word]) == Labelled(judgements=1, labels=1)
    refuted = Judgement(subject=Subject.LINK, verdict=Verdict.REFUTED, by="ben", why="lent", at=NOON + 5 * HOUR, account_id="b", **entity)
    assert ingest_judgements(ingest, [refuted]) == Labelled(judgements=1, labels=0)
