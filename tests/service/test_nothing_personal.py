"""What people and secrets are made of is in no log, no error, no figure and no ledger line, whatever is called and however it fails."""

import json
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from typer.testing import CliRunner

from features.image import examples
from risk.cli import app
from tests.risk.stories import Body, crab_body
from tests.service.processes import Process, a_process
from tests.service.routes import operations_of

SCORE, EVIDENCE, CHECK = "/v1/refund-requests/score", "/v1/evidence", "/v1/images/check"
SAID = "Frau Zweigelt-Quast cried, write to zweigelt.quast@mail.example"
IDENTIFIERS = {
    "address": "Zweigeltgasse 4711, 1190 Wien",
    "phone": "+4366012345098",
    "card": "4929123412341236",
    "ip": "198.51.100.173",
    "device": "device-of-zweigelt-0815",
}
PLACE = ("48.8583", "2.2944")
SERIAL = "SN-ZWEIGELT-77"
IDENTITY_KEY = "identity-key-of-this-test-" + "k" * 32
PASSWORD = "pass-of-zweigelt"  # noqa: S105  # of servers that do not exist
HOOK = "hook-token-of-this-test"
SECRETS = (IDENTITY_KEY, PASSWORD)


@dataclass
class Overheard:
    """Everything that the service said where it must not name anybody."""

    errors: list[str]
    figures: str
    logs: str
    ledger: bytes
    database: bytes


def a_photo() -> bytes:
    """A camera's photo with its place and serial number."""
    place = {1: "N", 2: (48.0, 51.0, 30.135), 3: "E", 4: (2.0, 17.0, 40.13)}
    return examples.jpeg(exif=examples.exif({0x010F: "Apple", 0x0110: "iPhone 15"}, {0xA431: SERIAL, 0x9003: "2026:01:01 10:00:00"}, place))


def personal(request_id: str, **more: object) -> Body:
    """A request that names everything."""
    links = [{"entity_type": kind, "entity_id": raw} for kind, raw in IDENTIFIERS.items()]
    return crab_body(request_id, text=SAID, occurred_at="2026-01-01T00:00:00Z", **more) | {"links": links}


def wrong_bodies() -> Iterator[bytes]:
    """Bodies with something personal in a place where it does not belong."""
    for name, raw in {**IDENTIFIERS, "text": SAID, "key": IDENTITY_KEY}.items():
        for field in ("occurred_at", "amount_minor", "currency", "claim_type", "same_items", "revision", "links", "evidence", "order"):
            yield json.dumps(personal(f"wrong {name}") | {field: raw}).encode()
        yield json.dumps(personal(f"wrong {name}") | {"links": [{"entity_type": raw, "entity_id": raw}]}).encode()
        yield json.dumps(personal(f"wrong {name}") | {"links": [{"entity_type": "device", "entity_id": raw, "hashed_id": raw}]}).encode()
        yield json.dumps(personal(f"wrong {name}") | {"text": raw * 2_000}).encode()
        yield json.dumps(personal(f"wrong {name}") | {"attributes": {"note": [raw]}}).encode()
        yield json.dumps(personal(f"wrong {name}")).encode()[:-20]
        yield f'{{"request_id": "{raw}\x01"}}'.encode()


def a_webhook(home: Path) -> str:
    """Somebody who wants to be told, and cannot be reached; her secret."""
    words = ["webhooks", "add", f"http://127.0.0.1:1/told?token={HOOK}", "--kind", "decision.made", "--home", str(home), "--json"]
    made = CliRunner().invoke(app, words, env={"REFUND_RISK_IDENTITY_KEY": IDENTITY_KEY})
    assert made.exit_code == 0, made.output
    secret: str = json.loads(made.stdout)["endpoints"][0]["secret"]
    assert secret
    return secret


def every_call(client: httpx.Client, service: Process) -> list[httpx.Response]:
    """Every route, well and badly."""
    answers = [client.post(SCORE, json=personal("first")), client.post(SCORE, json=personal("first", amount_minor=5))]
    answers += [client.post(SCORE, content=body, headers={"Content-Type": "application/json"}) for body in wrong_bodies()]
    order: Body = {"order_id": "o", "account_id": "a", "occurred_at": "2026-01-01T00:00:00Z", "links": personal("x")["links"]}
    answers += [client.post("/v1/orders", json=order), client.post("/v1/orders", json=order | {"amount_minor": 7})]
    answers += [client.post("/v1/appeals", json={"request_id": "first", "words": SAID, "filed_by": "support"}, headers={"Idempotency-Key": "appeal"})]
    many = [{"type": "order", **order}, {"type": SAID}, {"type": "refund", "refund_id": "f", "occurred_at": SAID}, {SAID: SAID}]
    answers += [client.post("/v1/events", json=[each]) for each in many]
    photo = {"file": (f"{SAID}.jpg", a_photo(), "image/jpeg")}
    sent = client.post(EVIDENCE, files=photo)
    facts = {"ordered_at": SAID, "place": [SAID, SAID]}
    answers += [sent, client.post(CHECK, params={"read": "0"}, files={**photo, "order": (None, json.dumps(facts), "application/json")})]
    answers += [client.post(EVIDENCE, files={IDENTIFIERS["device"]: ("a", b"x")})]
    answers.append(client.post(SCORE, json=personal("shown", evidence=[{"sha256": sent.json()["sha256"], "kind": "photo"}]), timeout=60))
    for operation in operations_of(client.get("/openapi.json").json()):
        for raw in (*IDENTIFIERS.values(), SAID, service.key):
            path = operation.path.replace("{entity_type}", "phone")
            while "{" in path:
                path = path[: path.index("{")] + quote(raw, safe="") + path[path.index("}") + 1 :]
            answers.append(client.request(operation.method, path, json={"by": raw, "why": raw} if operation.takes else None))
            answers.append(client.request(operation.method, path, params={"lang": raw, "as_of": raw, "hops": raw, "why": ""}))
            answers.append(client.request(operation.method, path, headers={"Authorization": f"Bearer {raw}x".encode()}))
    return answers


@pytest.fixture(scope="module")
def overheard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Overheard]:
    """All of it said to one service."""
    home = tmp_path_factory.mktemp("personal") / "home"
    redis = f"redis://:{PASSWORD}@127.0.0.1:1/0"
    with a_process(
        home, None, {"REFUND_RISK_IDENTITY_KEY": IDENTITY_KEY, "REFUND_RISK_REDIS_URL": redis, "REFUND_RISK_LOG_LEVEL": "debug"}
    ) as service:
        secret = a_webhook(home)
        with service.client() as client:
            answers = every_call(client, service)
            figures = client.get("/metrics").text
            time.sleep(2)  # the webhook is tried in the meantime
        assert service.popen.poll() is None
        errors = [answer.text for answer in answers if answer.is_error or '"refused":1' in answer.text]
        assert len(errors) > 100
        assert not [error for error in errors if '"INTERNAL"' in error]
        with sqlite3.connect(home / "risk.db") as connection:
            ledger = b"".join(part for row in connection.execute("SELECT record, answers FROM decisions") for part in row)
        connection.close()
        database = b"".join(path.read_bytes() for path in sorted(home.glob("risk.db*")))
        yield Overheard(errors, figures, service.said.read_text(encoding="utf-8"), ledger, database)
        assert "webhook_not_delivered" in service.said.read_text(encoding="utf-8"), "it was not even tried"
        for hidden in (secret, HOOK, service.key):
            assert hidden not in service.said.read_text(encoding="utf-8") + figures + "".join(errors)
            assert hidden.encode() not in ledger
        assert secret.encode() not in database
        assert service.key.encode() not in database


@pytest.mark.parametrize("raw", [*IDENTIFIERS.values(), SAID, SAID[:20], "zweigelt", "Zweigelt", *PLACE, SERIAL, *SECRETS])
def test_it_is_in_no_log_error_figure_or_ledger_line(overheard: Overheard, raw: str) -> None:
    assert overheard.logs.count("decision_made") >= 2
    assert [error for error in overheard.errors if raw in error] == []
    assert raw not in overheard.logs
    assert raw not in overheard.figures
    assert raw.encode() not in overheard.ledger
    assert len(overheard.ledger) > 1_000


@pytest.mark.parametrize("raw", [*IDENTIFIERS.values(), *PLACE, *SECRETS])
def test_raw_identifiers_and_secrets_are_not_in_the_database(overheard: Overheard, raw: str) -> None:
    assert SAID.encode() in overheard.database, "the words are kept, apart from the ledger; so this test reads the right bytes"
    assert raw.encode() not in overheard.database


@pytest.mark.parametrize(
    "setting",
    [
        {"REFUND_RISK_DATABASE_URL": f"postgresql+psycopg://user:{PASSWORD}@127.0.0.1:1/none"},
        {"REFUND_RISK_DATABASE_URL": f"mysql://user:{PASSWORD}@127.0.0.1:1/none"},
        {"REFUND_RISK_DATABASE_URL": f"postgresql+psycopg://user:{PASSWORD}@127.0.0.1:no/none"},
        {"REFUND_RISK_REDIS_URL": f"http://:{PASSWORD}@127.0.0.1:1"},
        {"REFUND_RISK_IDENTITY_KEY": f"{PASSWORD}"},
        {"REFUND_RISK_EVIDENCE_URL": f"nothing://{PASSWORD}@bucket"},
    ],
    ids=["no server", "another make", "no port", "no redis", "short key", "no store"],
)
def test_a_service_that_cannot_start_tells_no_password(setting: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    refused = CliRunner().invoke(app, ["serve", "--home", str(tmp_path / "home"), "--port", "0", "--json"])
    assert refused.exit_code in {2, 3}, refused.output
    assert isinstance(refused.exception, SystemExit)
    assert '"error"' in refused.stdout
    assert PASSWORD not in refused.stdout + refused.stderr
