"""A process that is killed at any moment leaves nothing half."""

import hashlib
import random
import subprocess
import sys
import time
from pathlib import Path

from features.image.sandbox import Sandbox
from risk.stores.database import open_sqlite
from risk.stores.evidence_files import SPOOL
from tests.risk.evidence.eyes import Clock, SandboxEye, an_intake

PROJECT = Path(__file__).resolve().parents[3]


def killed_after(home: Path, first: int, seconds: float) -> int:
    """Take files in, kill the process that long after its first file; how many files it told of."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.risk.evidence.killed", str(home), str(first)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=PROJECT
    )
    assert child.stdout is not None
    assert child.stdout.readline()
    time.sleep(seconds)
    child.kill()
    told = 1 + len(child.stdout.read().split())
    child.stdout.close()
    child.wait()
    return told


def test_what_was_told_is_there_and_nothing_is_half(tmp_path: Path, sandbox: Sandbox) -> None:
    dice = random.Random(5)  # noqa: S311  # moments, not secrets
    told = sum(killed_after(tmp_path, 1_000 * turn, dice.uniform(0.0, 0.4)) for turn in range(2))
    database = open_sqlite(tmp_path / "risk.db", 5_000)
    eye = SandboxEye(sandbox)
    try:
        with an_intake(database, tmp_path, eye, now=Clock()) as intake:
            for path in (tmp_path / "evidence").rglob("*"):
                if path.is_file() and SPOOL not in path.parts:
                    assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
            with database.reading() as connection:
                files = [row[0] for row in database.fetch(connection, "SELECT sha256 FROM evidence_files", ())]
                looks = [row[0] for row in database.fetch(connection, "SELECT sha256 FROM evidence_looks", ())]
                for sha256 in files:
                    measured = intake.rows.versions(connection, sha256)
                    assert measured in (set(), set(eye.versions.items()))
                    assert bool(measured) == (sha256 in looks)
            assert len(files) >= len(looks) >= told
            assert all(intake.files.holds(sha256) for sha256 in files)
            unmeasured = len(files) - len(looks)
            assert intake.remeasure().measured == unmeasured == eye.looks
            assert intake.files.clear_spool(idle_s=0) <= 3
    finally:
        database.close()
