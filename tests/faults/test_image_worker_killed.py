"""The process that looks at a picture is killed while it looks: another one looks again; a fault of ours is not taken for one of the file."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from features.image import examples
from tests.faults.answers import until
from tests.faults.test_disks import EVIDENCE, wait_measured
from tests.service.processes import Process, a_process


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with a_process(tmp_path_factory.mktemp("looked") / "home") as started:
        yield started


def lookers(service: Process) -> set[int]:
    """The image workers of a service."""
    found = set()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            parent = int((folder / "stat").read_text(encoding="ascii").rpartition(")")[2].split()[1])
        except OSError:
            continue  # it ended meanwhile
        if parent == service.popen.pid and b"risk.evidence.worker" in words:
            found.add(int(folder.name))
    return found


def send(service: Process, seed: int) -> str:
    with service.client() as client:
        answer = client.post(EVIDENCE, files={"file": ("photo.jpg", examples.jpeg(examples.scene(seed=seed)), "image/jpeg")})
    assert answer.status_code == 201
    return str(answer.json()["sha256"])


def test_a_looker_that_is_killed_is_replaced_and_the_picture_looked_at_again(service: Process) -> None:
    wait_measured(service, send(service, 1))
    (looker,) = lookers(service)
    os.kill(looker, signal.SIGSTOP)  # so that it is killed in the middle of the look, not before or after
    sha256 = send(service, 2)
    os.kill(looker, signal.SIGKILL)
    found = wait_measured(service, sha256)
    assert found["unreadable"] is None
    assert lookers(service) - {looker}


def test_a_check_whose_looker_is_killed_is_answered_all_the_same(service: Process) -> None:
    others = lookers(service)
    file = {"file": ("photo.jpg", examples.camera_jpeg(), "image/jpeg")}
    with service.client(120) as client, ThreadPoolExecutor(1) as caller:
        before = client.post("/v1/images/check", params={"read": "0"}, files=file).json()
        (looker,) = lookers(service) - others
        os.kill(looker, signal.SIGSTOP)
        asked = caller.submit(client.post, "/v1/images/check", params={"read": "0"}, files=file)
        until(lambda: not asked.done(), 1, "it cannot be done already")
        os.kill(looker, signal.SIGKILL)
        after = asked.result().json()
    assert {**after, "ms": 0} == {**before, "ms": 0}
