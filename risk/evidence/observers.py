"""A shop's own vision: packages that count what a picture shows, found by the entry point group `refund_risk.observers`.

None is installed by default. Each runs in a child of its own a file, under limits on time, memory and what it may write; whatever it does wrong is a
reason for no answer, never an error of ours.
An observer counts pieces by attribute: a kind (`male`, `large`) or a fact (`colour=red`, `serial=SN-1`).

    [project.entry-points."refund_risk.observers"]
    crabs = "crab_counter:CrabCounter"
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

import msgspec

from data_contracts.errors import ContractError
from risk.evidence.observer_worker import GROUP, RAISED, Answer, Hello
from risk.stores.evidence_rows import Counted

MOST_ATTRIBUTES = 64
WORKER = "risk.evidence.observer_worker"
_KEPT = ("PATH", "LANG", "PYTHONPATH", "VIRTUAL_ENV", "HOME")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may take, loading of the observer included."""

    seconds: int = 30
    memory_mb: int = 2048


@dataclass(frozen=True, slots=True)
class Installed:
    """An observer that some package brings. `version` is what it said of itself when asked."""

    name: str
    value: str
    version: int


class Observers:
    """Runs every installed observer on a file."""

    def __init__(self, observers: Sequence[Installed], limits: Limits | None = None) -> None:
        self.observers = tuple(observers)
        self.limits = limits or Limits()

    @property
    def versions(self) -> Mapping[str, str]:
        """By the name under which an outcome is kept, the observer's version."""
        return {f"observer:{each.name}": str(each.version) for each in self.observers}

    def observe(self, data: bytes, kind: str) -> tuple[Counted, ...]:
        """What each counted in one file; one that fails says why in one word: timed_out, crashed, raised, nonsense."""
        return tuple(self._observe(each, data, kind) for each in self.observers)

    def _observe(self, observer: Installed, data: bytes, kind: str) -> Counted:
        try:
            counts = msgspec.json.decode(run(observer.value, self.limits, kind, data), type=Answer).counts
        except FailedError as failed:
            return Counted(observer.name, observer.version, {}, failed.reason)
        except msgspec.MsgspecError:
            return Counted(observer.name, observer.version, {}, "nonsense")
        if len(counts) > MOST_ATTRIBUTES:
            return Counted(observer.name, observer.version, {}, "nonsense")
        return Counted(observer.name, observer.version, counts)


class FailedError(Exception):
    """An observer did not answer; `reason` in one word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def installed(limits: Limits | None = None) -> tuple[Installed, ...]:
    """Every observer that the installed packages bring, by name. ContractError: one cannot be loaded, or two have one name."""
    found = sorted(entry_points(group=GROUP), key=lambda each: each.name)
    names = [each.name for each in found]
    if len(set(names)) < len(names):
        message = f"two observers are named alike: {', '.join(names)}; remove one of the packages"
        raise ContractError(message, field=GROUP)
    return tuple(_introduced(each, limits or Limits()) for each in found)


def _introduced(found: EntryPoint, limits: Limits) -> Installed:
    try:
        version = msgspec.json.decode(run(found.value, limits, "", b""), type=Hello).version
    except (FailedError, msgspec.MsgspecError) as error:
        message = f"the observer {found.name} ({found.value}) cannot be used: {error}; expected a class with `version` and `observe(data, kind)`"
        raise ContractError(message, field=GROUP) from error
    return Installed(found.name[:48], found.value, version)


def run(value: str, limits: Limits, kind: str, data: bytes) -> bytes:
    """One child: its answer. Without a kind it only introduces itself. FailedError: it gave none."""
    command = [sys.executable, "-m", WORKER, value, str(limits.memory_mb), str(limits.seconds), kind]
    keep = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment = {**keep, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL  # what it prints besides may have no end
    with subprocess.Popen(  # noqa: S603  # our own module; the entry point's name comes from an installed package
        command, stdin=pipe, stdout=pipe, stderr=nowhere, env=environment, start_new_session=True
    ) as child:
        try:
            answer, _ = child.communicate(data, limits.seconds)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)  # with what it started, which may hold the pipe for ever
            raise FailedError("timed_out") from None
    if child.returncode == RAISED:
        raise FailedError("raised")
    if child.returncode != 0:
        raise FailedError("crashed")
    return answer
