"""Starting, stopping, killing: answers survive, keys stay secret, what is wrong is said."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from data_contracts.errors import ContractError, ModelMismatchError, PolicyError
from risk.home import open_home
from risk.jobs.serve import serve
from risk.settings import Settings
from tests.risk.servers import Running
from tests.risk.stories import crab_body, plain_body

SCORE = "/v1/refund-requests/score"
SERVE = """
import sys
from pathlib import Path
from risk.jobs.serve import serve
server = serve(Path(sys.argv[1]), port=0)
print(server.started.address, server.started.api_key, flush=True)
server.wait()
"""


def test_an_empty_home_is_made_with_sound_defaults(start: Callable[..., Running]) -> None:
    running = start()
    assert (running.home / "risk.db").exists()
    assert (running.home / "policy.toml").exists()
    assert (running.home / "evidence").is_dir()
    assert stat.S_IMODE((running.home / "identity.key").stat().st_mode) == 0o600
    assert running.server.started.model == "none"
    assert running.server.started.note is not None
    assert "every decision is a review" in running.server.started.note


def test_the_key_is_shown_once_and_only_its_hash_is_kept(start: Callable[..., Running], tmp_path: Path) -> None:
    first = start(tmp_path / "one")
    stored = b"".join(path.read_bytes() for path in first.home.iterdir() if path.is_file())
    assert first.key.encode() not in stored
    again = start(tmp_path / "one", first.key)
    assert again.server.started.api_key is None
    assert again.client.get("/v1/features").status_code == 200


def test_answers_survive_a_restart(start: Callable[..., Running], tmp_path: Path) -> None:
    first = start(tmp_path / "one")
    body = crab_body("kept")
    answer = first.client.post(SCORE, json=body)
    second = start(tmp_path / "one", first.key)
    assert second.client.post(SCORE, json=body).content == answer.content
    assert second.client.get(f"/v1/decisions/{answer.json()['decision_id']}").content == answer.content


def ask(client: httpx.Client, body: str) -> bytes:
    return client.post(SCORE, content=body, headers={"Content-Type": "application/json"}).content


def serving(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", SERVE, str(home)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_an_answered_decision_survives_kill_9(tmp_path: Path) -> None:
    answered: dict[str, bytes] = {}
    key = ""
    for turn in range(2):
        with serving(tmp_path / "home") as process:
            assert process.stdout is not None
            address, shown = process.stdout.readline().split()
            key = key if shown == "None" else shown
            with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
                for body, answer in answered.items():
                    assert ask(client, body) == answer
                for number in range(10):
                    body = json.dumps(plain_body(f"r{turn}-{number}"))
                    answered[body] = ask(client, body)
            process.send_signal(signal.SIGKILL)
    home = open_home(tmp_path / "home", Settings())
    with home.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM decisions").scalar_one() == len(answered)
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    home.database.close()


def test_a_stop_is_clean(tmp_path: Path) -> None:
    with serving(tmp_path / "home") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in said


def test_the_service_does_not_import_what_it_does_not_serve() -> None:
    tables = ("feast", "great_expectations", "torch", "dask", "sklearn", "pandas", "pyarrow", "lightgbm", "scipy.special", "alembic", "redis")
    unused = (*tables, "onnxruntime", "cv2", "av")
    code = f"import sys, risk.jobs.serve; print([name for name in {unused} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    assert done.stdout.strip() == "[]"


def test_a_broken_policy_refuses_to_start(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text("name = 'x'", encoding="utf-8")
    with pytest.raises(PolicyError, match=r"policy\.toml"):
        serve(tmp_path, port=0)


def test_a_broken_model_refuses_to_start(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "SHA256SUMS").write_text(f"{'0' * 64}  booster.txt\n{'0' * 64}  card.json\n", encoding="utf-8")
    with pytest.raises(ModelMismatchError):
        serve(tmp_path, port=0)


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("", encoding="utf-8")
    with pytest.raises(ContractError, match="cannot be used as home"):
        serve(tmp_path / "home", port=0)


def test_a_taken_port_is_said(start: Callable[..., Running], tmp_path: Path) -> None:
    port = int(start().server.started.address.rsplit(":", 1)[1])
    with pytest.raises(ContractError, match=f"cannot listen on 127.0.0.1:{port}"):
        serve(tmp_path / "other", port=port)


def test_a_short_identity_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "identity.key").write_text("short", encoding="ascii")
    with pytest.raises(ContractError, match="restore it from a backup"):
        serve(tmp_path, port=0)
