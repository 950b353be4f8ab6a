"""HOME: the folder of one installation. Made with sound defaults when it is empty, checked when it is not.

risk.db          the store (unless REFUND_RISK_DATABASE_URL names another)
identity.key     the secret behind hashed identifiers (unless REFUND_RISK_IDENTITY_KEY is set); readable by the owner only
identity.scheme  how identifiers are read before they are hashed; an installation keeps the way that it began with
policy.toml      the policy that decides
model/           the champion (`refund-risk train DIR --out HOME/model`, or `models promote`); absent at first, then every decision is a review
models/          the registry of models, and a copy of each
features/        the feature store, when features were built
evidence/        evidence files
"""

import secrets
import stat
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from data_contracts.errors import ContractError, NotFoundError, RiskError
from models.ranker.artifact import load as load_model
from models.ranker.scorer import Scorer
from risk import policy_file
from risk.identity import AS_WRITTEN, SCHEME, pseudonym
from risk.policy import load
from risk.settings import Settings
from risk.stores.database import Database, open_database
from risk.terms import Policy

KEY_BYTES = 32
POLICY_FILE = "policy.toml"
KEY_FILE = "identity.key"
MODEL = "model"
OTHERS = 0o077
"""The bits of a file's mode that let anybody but its owner at it."""


@dataclass(frozen=True, slots=True)
class Home:
    """An open installation."""

    folder: Path
    settings: Settings
    database: Database
    policy: Policy
    policy_text: str
    identity_key: bytes
    scheme: int

    @property
    def model_folder(self) -> Path:
        """Where the champion lies."""
        return self.folder / MODEL

    @property
    def currency(self) -> str | None:
        """The currency of sums; null: any."""
        return self.settings.currency or self.policy.costs.currency

    @property
    def pseudonym(self) -> Callable[[str, str], str]:
        """Hashes a raw identifier of an entity type with this installation's key."""
        return partial(pseudonym, self.identity_key)


def open_home(folder: Path, settings: Settings) -> Home:
    """The installation in that folder. PolicyError, ContractError, SourceUnavailableError: what must be put right before it can start."""
    try:
        (folder / "evidence").mkdir(parents=True, exist_ok=True)
        policy_path = folder / POLICY_FILE
        if not policy_path.exists():
            policy_path.write_text(policy_file.default_text(), encoding="utf-8")
    except OSError as error:
        message = f"{folder} cannot be used as home: {error}; expected a folder that this user may write to"
        raise ContractError(message, field="home") from error
    policy = load(policy_path)
    database = open_database(database_url(folder, settings), settings.busy_timeout_ms)
    try:
        with database.reading() as connection:
            filled = keeps_links(database, connection)
        identity_key = key_in(folder, settings, filled=filled) or _new_key(folder / KEY_FILE)
    except RiskError:
        database.close()
        raise
    scheme = _scheme(folder / "identity.scheme", database)
    return Home(folder, settings, database, policy, policy_path.read_text(encoding="utf-8"), identity_key, scheme)


def database_url(folder: Path, settings: Settings) -> str:
    """Where the store of that home is."""
    return settings.database_url or f"sqlite:///{folder / 'risk.db'}"


def existing_home(folder: Path, settings: Settings) -> Home:
    """The installation that is in that folder already. NotFoundError: there is none; else as `open_home`."""
    check_home(folder)
    return open_home(folder, settings)


def check_home(folder: Path) -> None:
    """NotFoundError: that folder is no installation."""
    if not (folder / POLICY_FILE).is_file():
        message = f"{folder} is no home of the service: it has no {POLICY_FILE}; expected the folder that `refund-risk serve --home` was given"
        raise NotFoundError(message, field="home")


def load_champion(home: Home) -> Scorer | None:
    """The model in the home, null while there is none. ModelMismatchError: it does not fit this code."""
    return champion_in(home.folder)


def champion_in(folder: Path) -> Scorer | None:
    """The model in the home in that folder, null while there is none. ModelMismatchError: it does not fit this code."""
    try:
        return Scorer(load_model(folder / MODEL))
    except NotFoundError:
        return None


def keeps_links(database: Database, connection: Connection) -> bool:
    """Whether the store keeps hashed identifiers."""
    return bool(database.fetch(connection, "SELECT 1 FROM links LIMIT 1", ()))


def key_in(folder: Path, settings: Settings, *, filled: bool) -> bytes | None:
    """The secret behind hashed identifiers; null: none was made yet. ContractError: it is lost, damaged, or open to others.

    `filled`: the store keeps identifiers that were hashed with it, so another one must never be made in its place.
    """
    if settings.identity_key:
        if len(settings.identity_key.encode()) < KEY_BYTES:
            message = f"REFUND_RISK_IDENTITY_KEY has less than {KEY_BYTES} characters; expected at least that many, so that nobody can guess it"
            raise ContractError(message, field="identity_key")
        return settings.identity_key.encode()
    path = folder / KEY_FILE
    if not path.exists():
        if filled:
            message = f"{path} is missing beside a store that is filled; restore it from a backup: another key hashes every identifier differently"
            raise ContractError(message, field="identity_key")
        return None
    try:
        key = path.read_text(encoding="ascii").strip().encode()
        mode = stat.S_IMODE(path.stat().st_mode)
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error}; restore it from a backup, or let this user read it"
        raise ContractError(message, field="identity_key") from error
    if len(key) < KEY_BYTES:
        message = (
            f"{path} holds {len(key)} characters, expected at least {KEY_BYTES}; restore it from a backup, identifiers hash differently without it"
        )
        raise ContractError(message, field="identity_key")
    if mode & OTHERS:
        message = f"{path} can be read by others (mode {mode:o}), expected 600; run `chmod 600 {path}`"
        raise ContractError(message, field="identity_key")
    return key


def _new_key(path: Path) -> bytes:
    """A new secret in that file."""
    path.touch(mode=0o600)
    path.write_text(secrets.token_hex(KEY_BYTES), encoding="ascii")
    return path.read_text(encoding="ascii").encode()


def _scheme(path: Path, database: Database) -> int:
    """How this installation hashes identifiers: as its links were hashed that are there, the newest way when there are none yet."""
    if not path.exists():
        with database.reading() as connection:
            begun = keeps_links(database, connection)
        path.write_text(f"{AS_WRITTEN if begun else SCHEME}\n", encoding="ascii")
    said = path.read_text(encoding="ascii").strip()
    if said not in {str(number) for number in range(AS_WRITTEN, SCHEME + 1)}:
        message = f"{path} says {said!r}, this code knows the schemes {AS_WRITTEN} to {SCHEME}; run the version that wrote it, or restore the file"
        raise ContractError(message, field="identity.scheme")
    return int(said)
