"""What a decoder that was taken over could still do."""

import subprocess
import sys
from pathlib import Path

import pytest

from features.image.sandbox_rules import _ARM, _X86, rules

CANNOT = """
import os, socket, subprocess, sys, tempfile
from features.image.sandbox_rules import forbid
folder = sys.argv[1]
if not forbid():
    print("none"); sys.exit()
def tried(what, act):
    try:
        act()
    except PermissionError:
        print(what, "refused")
    except OSError as error:
        print(what, error)
    else:
        print(what, "allowed")
tried("socket", lambda: socket.socket())
tried("connect", lambda: socket.socketpair())
tried("programme", lambda: os.execv("/bin/true", ["true"]))
tried("child", lambda: subprocess.run(["/bin/true"]))
tried("unlink", lambda: os.unlink(folder + "/file"))
tried("rename", lambda: os.rename(folder + "/file", folder + "/other"))
tried("mkdir", lambda: os.mkdir(folder + "/new"))
tried("kill", lambda: os.kill(os.getppid(), 0))
import threading
done = []
thread = threading.Thread(target=lambda: done.append(1)); thread.start(); thread.join()
print("thread", "allowed" if done else "refused")
print("read", "allowed" if open(folder + "/file").read() == "kept" else "refused")
"""


def test_no_programme_no_connection_no_change_of_files(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    said = subprocess.run([sys.executable, "-c", CANNOT, str(tmp_path)], capture_output=True, text=True, check=False, timeout=60)
    if said.stdout.strip() == "none":
        pytest.skip("this kernel offers no filters of calls")
    lines = dict(line.rsplit(" ", 1) for line in said.stdout.splitlines())
    assert {what for what, how in lines.items() if how == "refused"} == {
        *("socket", "connect", "programme", "child", "unlink", "rename", "mkdir", "kill"),
    }, said.stdout + said.stderr
    assert (lines["thread"], lines["read"]) == ("allowed", "allowed")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize("machine", [_X86, _ARM])
def test_every_refused_call_jumps_to_the_refusal(machine: object) -> None:
    steps = rules(machine)  # type: ignore[arg-type]  # one of ours
    first = 5
    refused = machine.refused  # type: ignore[attr-defined]
    assert len(set(refused)) == len(refused)
    for place in range(len(refused)):
        assert first + place + 1 + steps[first + place][2] == len(steps) - 1
    assert first - 1 + 1 + steps[first - 1][2] == len(steps) - 1
