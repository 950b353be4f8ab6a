"""Everything that the service needs, checked before it starts: all that is wrong is told at once, each in one line."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from data_contracts.errors import ContractError, RiskError
from models.ranker.scorer import Scorer
from risk.home import POLICY_FILE, champion_in, database_url, keeps_links, key_in
from risk.policy import load
from risk.settings import Settings
from risk.stores.database import connect
from risk.stores.feature_store import FeatureStore
from risk.stores.migrate import State, standing


class SeveralProblemsError(RiskError):
    """More than one thing keeps the service from starting; the message has a line for each."""

    code = "SEVERAL_PROBLEMS"

    def __init__(self, problems: list[RiskError]) -> None:
        super().__init__("\n".join([f"{len(problems)} things are wrong", *(f"{problem.code}: {problem.message}" for problem in problems)]))
        self.status, self.exit_code = problems[0].status, problems[0].exit_code


@dataclass(frozen=True, slots=True)
class Checked:
    """What was opened on the way: the model, null while there is none, and the socket."""

    champion: Scorer | None
    listening: socket.socket


def check_startup(folder: Path, settings: Settings, listening: Callable[[], socket.socket]) -> Checked:
    """Check home, store, policy, key, model, evidence folder, Redis address and port. RiskError: the one thing that is wrong, or all of them."""
    problems: list[RiskError] = []

    @contextmanager
    def noted() -> Iterator[None]:
        try:
            yield
        except RiskError as error:
            problems.append(error)

    filled, champion, heard = False, None, None
    with noted():
        writable(folder)
        if not settings.evidence_url:
            writable(folder / "evidence")
    if not problems:  # a store in a folder that cannot be written is the same problem once more
        with noted():
            filled = _filled(folder, settings)
    with noted():
        if (folder / POLICY_FILE).exists():
            load(folder / POLICY_FILE)
    with noted():
        key_in(folder, settings, filled=filled)
    with noted():
        champion = champion_in(folder)
    with noted():
        FeatureStore(folder, settings).close()
    with noted():
        heard = listening()
    if heard is None or problems:
        if heard is not None:
            heard.close()
        raise problems[0] if len(problems) == 1 else SeveralProblemsError(problems)
    return Checked(champion, heard)


def writable(folder: Path) -> None:
    """ContractError: no file can be made there."""
    probe = folder / f".probe-{uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            probe.write_bytes(b"x")
        finally:  # a full disk takes the name and refuses the byte
            probe.unlink(missing_ok=True)
    except OSError as error:
        message = f"{folder} cannot be used as home: {error.strerror}; expected a folder that this user may write to, on a disk with room"
        raise ContractError(message, field="home") from error


def _filled(folder: Path, settings: Settings) -> bool:
    """Whether the store keeps hashed identifiers. ContractError: it is behind or ahead. SourceUnavailableError: it does not answer."""
    database = connect(database_url(folder, settings), settings.busy_timeout_ms)
    try:
        with database.reading() as connection:
            found = standing(connection)
            if found.state is State.EMPTY:
                return False
            found.check()
            return keeps_links(database, connection)
    finally:
        database.close()
