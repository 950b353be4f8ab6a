"""Several workers on one store: they answer as one, one that dies is missed by nobody for long, and a stop finishes or hands back every call."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from risk.stores.database import open_database
from tests.risk.stories import plain_body
from tests.service.load import SCORE, Told, under_load
from tests.service.processes import Process, a_process, command
from tests.service.promises import kept_promises, the_same_answers
from tests.service.rows import rows_of

WORKERS = 2


def events(service: Process, name: str) -> list[dict[str, object]]:
    lines = service.said.read_text(encoding="utf-8").splitlines()
    return [event for event in map(json.loads, (line for line in lines if line.startswith("{"))) if event["event"] == name]


def pids(service: Process) -> list[int]:
    """The worker in each place, the latest that was started there."""
    return list({event["number"]: int(str(event["pid"])) for event in events(service, "worker_started")}.values())


def until(true: Callable[[], bool], within_s: float = 30) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except FileNotFoundError:
        return False


def decisions_counted(service: Process) -> float:
    with service.client() as client:
        return sum(float(count) for count in re.findall(r"^refund_risk_decisions_total\{.*\} (.+)$", client.get("/metrics").text, re.MULTILINE))


def answers_again(service: Process) -> bool:
    try:
        with service.client(2) as client:
            return client.get("/healthz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def test_workers_answer_as_one(empty_url: str, tmp_path: Path) -> None:
    with a_process(tmp_path / "home", None, {"REFUND_RISK_DATABASE_URL": empty_url}, "--workers", str(WORKERS)) as service:
        same = plain_body("the same")

        def ask(number: int) -> bytes:
            with service.client() as client:  # a connection of its own, taken by whichever worker is free
                client.post(SCORE, json=plain_body(f"r{number}"))
                return client.post(SCORE, json=same).content

        with ThreadPoolExecutor(8) as callers:
            answers = list(callers.map(ask, range(40)))
        assert len(set(answers)) == 1
        assert {decisions_counted(service) for _ in range(6)} == {41}
        assert {event["process"] for event in events(service, "decision_made")} == set(pids(service))


def test_a_worker_that_is_killed_is_started_again_and_nothing_is_lost(empty_url: str, tmp_path: Path) -> None:
    told = Told()
    with a_process(tmp_path / "home", None, {"REFUND_RISK_DATABASE_URL": empty_url}, "--workers", str(WORKERS)) as service:
        for turn in range(2):
            before = len(told.answered)
            with under_load(service, told, 1_000_000 * turn):
                until(lambda before=before: len(told.answered) > before + 20)  # type: ignore[misc]  # this turn's number
                victim = pids(service)[turn % WORKERS]
                os.kill(victim, signal.SIGKILL)
                until(lambda victim=victim: victim not in pids(service))  # type: ignore[misc]  # as above
        kept_promises(empty_url, told)
        until(lambda: answers_again(service))
        the_same_answers(service, told, 20)
        assert all(map(alive, pids(service)))
        assert len(events(service, "worker_died")) == 2
    kept_promises(empty_url, told)


@pytest.mark.parametrize("workers", [1, WORKERS])
def test_a_stop_under_load_finishes_or_hands_back_every_call(empty_url: str, tmp_path: Path, workers: int) -> None:
    told = Told()
    with a_process(tmp_path / "home", None, {"REFUND_RISK_DATABASE_URL": empty_url}, "--workers", str(workers)) as service:
        with under_load(service, told, 0, callers=12):
            until(lambda: len(told.answered) > 30)
            began = time.monotonic()
            service.popen.send_signal(signal.SIGTERM)
            assert service.popen.wait(timeout=40) == 0
            took_s = time.monotonic() - began
        assert took_s < 30
        assert "Traceback" not in service.said.read_text(encoding="utf-8")
    kept_promises(empty_url, told)
    begun_and_not_answered = [name for name in told.in_doubt if decided(empty_url, name)]
    assert begun_and_not_answered == []


def decided(url: str, request_id: str) -> bool:
    database = open_database(url, 5_000)
    try:
        return bool(rows_of(database, request_id)["decisions"])
    finally:
        database.close()


def test_workers_do_not_outlive_the_one_who_started_them(tmp_path: Path) -> None:
    with a_process(tmp_path / "home", None, {}, "--workers", str(WORKERS)) as service:
        workers = pids(service)
        os.kill(service.popen.pid, signal.SIGKILL)
        until(lambda: not any(map(alive, workers)))


def test_a_worker_that_cannot_start_says_why_in_one_line(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "policy.toml").write_text("name = 'x'", encoding="utf-8")
    done = subprocess.run(command(home, "--workers", "2"), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "POLICY"
    assert "Traceback" not in done.stderr
