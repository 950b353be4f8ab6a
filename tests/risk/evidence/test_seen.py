"""What a decision sees of files: everything known strictly before it, nothing else, and the same in batch as online."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from data_contracts.decision import DecisionRecord
from data_contracts.link import EntityType
from data_contracts.question import Question
from data_contracts.tables import COUNTS, schema
from features.batch import compute_batch
from features.catalog import FEATURES
from features.image.sandbox import Sandbox
from risk.engine import Engine
from risk.evidence.batch import evidence_tables
from risk.evidence.intake import Intake
from risk.evidence.seen import CHECKS, SeenEvidence
from risk.gather import Gatherer
from risk.ledger import Ledger
from risk.policy import load
from risk.stores.database import Database
from risk.stores.history import History
from tests.risk.builders import a_question
from tests.risk.evidence.eyes import NOON, Clock, SandboxEye, a_photo, an_intake, mirrored, send

SECOND = timedelta(seconds=1)
SAID = {"generated": ("1:m", 0.8), "edited": ("1:m", 0.1)}


def an_engine(database: Database, intake: Intake) -> Engine:
    history = History(database)
    return Engine(Gatherer(history, None, None, "CNY", SeenEvidence(intake.rows, intake.versions, intake.again)), None, load(None), Ledger(history))


def ask(engine: Engine, request_id: str, at: datetime, *shas: str, measurements: object = (), **body: object) -> DecisionRecord:
    pieces = [{"sha256": sha256, "kind": "photo", "measurements": measurements} for sha256 in shas]
    return engine.ledger.read(engine.handle(a_question(request_id, at, evidence=pieces, **body)).decision_id)


def test_a_request_sees_what_was_measured_strictly_before_it(database: Database, tmp_path: Path, sandbox: Sandbox) -> None:
    clock = Clock()
    with an_intake(database, tmp_path, SandboxEye(sandbox, SAID), now=clock) as intake:
        sha256 = send(intake, a_photo())
        measured = clock.moment
        engine = an_engine(database, intake)
        same, after = ask(engine, "same", measured, sha256), ask(engine, "after", measured + timedelta(microseconds=1), sha256)
    assert (same.facts.values["generated_max"], after.facts.values["generated_max"]) == (None, 0.8)
    assert (CHECKS in same.degraded, CHECKS in after.degraded) == (True, False)
    assert after.facts.values["edited_max"] == 0.1
    assert after.facts.values["reuse_max"] == 0.7  # the request before it showed the same file


def test_files_that_never_came_are_what_the_caller_says(database: Database, tmp_path: Path, sandbox: Sandbox) -> None:
    with an_intake(database, tmp_path, SandboxEye(sandbox, SAID)) as intake:
        record = ask(an_engine(database, intake), "r", NOON, "a" * 64, measurements=[{"signal": "generated", "value": 0.3}])
    assert record.facts.values["generated_max"] == 0.3
    assert not record.degraded


def test_what_we_measured_stands_over_what_the_caller_says(database: Database, tmp_path: Path, sandbox: Sandbox) -> None:
    with an_intake(database, tmp_path, SandboxEye(sandbox, SAID)) as intake:
        sha256 = send(intake, a_photo())
        said = [{"signal": "generated", "version": 99, "value": 0.0}, {"signal": "own", "value": 0.5}]
        record = ask(an_engine(database, intake), "r", NOON + 60 * SECOND, sha256, measurements=said)
    assert record.facts.values["generated_max"] == 0.8
    assert {each["signal"] for each in record.snapshot["measurements"]} >= {"generated", "own", "reuse"}  # type: ignore[union-attr, index]


def test_a_copy_names_the_other_request_and_account_and_links_both(database: Database, tmp_path: Path, sandbox: Sandbox) -> None:
    clock = Clock()
    with an_intake(database, tmp_path, SandboxEye(sandbox), now=clock) as intake:
        engine = an_engine(database, intake)
        first, copy, fresh = send(intake, a_photo(1)), send(intake, mirrored(1)), send(intake, a_photo(7))
        one = ask(engine, "one", clock(), first, account_id="anna")
        two = ask(engine, "two", clock(), copy, account_id="berta")
        three = ask(engine, "three", clock(), fresh, account_id="anna")
        own = ask(engine, "one-more", clock(), first, account_id="anna")
    assert one.facts.values["reuse_max"] == three.facts.values["reuse_max"] == 0.0
    assert two.facts.values["reuse_max"] == own.facts.values["reuse_max"] == 0.7
    found = two.snapshot["reuses"]
    assert [(each["request_id"], each["account_id"]) for each in found] == [("one", "anna")]  # type: ignore[union-attr, index]
    assert "request one (anna)" in two.snapshot["details"]["reuse_max"]  # type: ignore[call-overload, index, operator]
    assert two.facts.values["image_other_accounts_365d"] == 1.0
    assert three.facts.values["image_other_accounts_365d"] == 0.0


def test_a_request_is_linked_to_its_picture_also_when_that_is_known_later(database: Database, tmp_path: Path, sandbox: Sandbox) -> None:
    clock = Clock()
    with an_intake(database, tmp_path, SandboxEye(sandbox), now=clock) as intake:
        engine = an_engine(database, intake)
        first, copy = send(intake, a_photo(1)), intake.files.put(mirrored(1)).sha256
        ask(engine, "early", clock(), copy, account_id="anna")
        send(intake, mirrored(1))
        measured = clock.moment
        late = ask(engine, "late", clock(), first, account_id="berta")
        with database.reading() as connection:
            links = History(database).links(connection, request_id="early")
    pictures = {link.entity_id: link.known_at for link in links if link.entity_type is EntityType.IMAGE}
    assert pictures.keys() == {f"sha_{copy}", f"sha_{first}"}
    assert pictures[f"sha_{first}"] == measured
    assert [(each["request_id"]) for each in late.snapshot["reuses"]] == ["early"]  # type: ignore[union-attr, index]


def test_a_second_look_counts_from_when_it_was_made_and_is_asked_for_by_use(database: Database, tmp_path: Path, sandbox: Sandbox) -> None:
    clock = Clock()
    with an_intake(database, tmp_path, SandboxEye(sandbox, {"generated": ("1:old", 0.2)}), now=clock) as intake:
        sha256 = send(intake, a_photo())
    with an_intake(database, tmp_path, SandboxEye(sandbox, {"generated": ("1:new", 0.9)}), now=clock) as intake:
        engine = an_engine(database, intake)
        before = ask(engine, "before", clock(), sha256)
        for future in intake.going((sha256,)):
            future.result(timeout=60)
        after = ask(engine, "after", clock(), sha256)
    assert (before.facts.values["generated_max"], after.facts.values["generated_max"]) == (0.2, 0.9)
    assert not before.degraded


OF_EVIDENCE = tuple(
    feature.name
    for feature in FEATURES
    if getattr(feature, "source", "") in ("measurements", "observations", "evidence") and feature.family != "links"
)


def test_batch_sees_of_evidence_what_the_decisions_saw(database: Database, tmp_path: Path, sandbox: Sandbox) -> None:
    clock = Clock()
    records, questions = [], []

    def asked(engine: Engine, request_id: str, *shas: str) -> None:
        question = a_question(request_id, clock(), account_id=f"of {request_id}", evidence=[{"sha256": sha256, "kind": "photo"} for sha256 in shas])
        record = engine.handle(question).record
        assert record is not None
        records.append(record)
        questions.append(question)

    with an_intake(database, tmp_path, SandboxEye(sandbox, SAID), now=clock) as intake:
        engine = an_engine(database, intake)
        first, copy = send(intake, a_photo(1)), send(intake, mirrored(1))
        asked(engine, "one", first)
        asked(engine, "two", copy, first)
        late = intake.files.put(a_photo(5)).sha256
        asked(engine, "early", late)
        send(intake, a_photo(5))
        asked(engine, "three", late, send(intake, b"no picture"))
    with an_intake(database, tmp_path, SandboxEye(sandbox, {**SAID, "generated": ("1:later", 0.3)}), now=clock) as intake:
        intake.remeasure()
        engine = an_engine(database, intake)
        asked(engine, "four", copy)
        tables = tables_of(questions) | evidence_tables(intake.rows)
    batch = compute_batch(tables, given=None, slow=None)
    online = pl.DataFrame([{"request_id": record.request_id, **{name: record.facts.values[name] for name in OF_EVIDENCE}} for record in records])
    both = online.join(batch.select("request_id", *OF_EVIDENCE), on="request_id", suffix="_batch")
    assert both.height == len(records) == 5
    assert batch["generated_max"].n_unique() >= 3
    for name in OF_EVIDENCE:
        assert both[name].cast(pl.Float64).to_list() == both[f"{name}_batch"].to_list(), name


def tables_of(questions: Iterable[Question]) -> dict[str, pl.DataFrame]:
    """Requests and their evidence as tables."""
    rows: dict[str, list[dict[str, object]]] = {"refund_requests": [], "evidence": [], "claim_lines": []}
    for question in questions:
        rows["refund_requests"].append({name: getattr(question.request, name) for name in schema("refund_requests")})
        rows["evidence"] += [{name: getattr(piece, name) for name in schema("evidence")} for piece in question.evidence]
    assert COUNTS is not None
    return {name: pl.DataFrame(found, schema=schema(name)) for name, found in rows.items()}


@pytest.mark.parametrize("many", [40])
def test_a_picture_that_everybody_shows_names_a_few(database: Database, tmp_path: Path, sandbox: Sandbox, many: int) -> None:
    clock = Clock()
    with an_intake(database, tmp_path, SandboxEye(sandbox), now=clock) as intake:
        engine = an_engine(database, intake)
        sha256 = send(intake, a_photo())
        last = [ask(engine, f"r{number}", clock(), sha256, account_id=f"a{number}") for number in range(many)][-1]
    assert len(last.snapshot["reuses"]) == 5  # type: ignore[arg-type]
    assert json.dumps(last.snapshot["details"]).count("shows a picture of request") == 5
