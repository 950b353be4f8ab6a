"""HOME: the folder of one installation. Made with sound defaults when it is empty, checked when it is not.

risk.db          the store (unless REFUND_RISK_DATABASE_URL names another)
identity.key     the secret behind hashed identifiers (unless REFUND_RISK_IDENTITY_KEY is set); readable by the owner only
policy.toml      the policy that decides
model/           the champion (`refund-risk train DIR --out HOME/model`); absent at first, then every decision is a review
features/        the feature store, when features were built
evidence/        evidence files
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import insert, select

from data_contracts.errors import ContractError, NotFoundError
from features.streams import micros
from models.ranker.artifact import load as load_model
from models.ranker.scorer import Scorer
from risk import clock, policy_file
from risk.identity import pseudonym
from risk.policy import load
from risk.settings import Settings
from risk.stores import tables
from risk.stores.database import Database, open_database, open_sqlite
from risk.terms import Policy

KEY_BYTES = 32
POLICY_FILE = "policy.toml"


@dataclass(frozen=True, slots=True)
class Home:
    """An open installation."""

    folder: Path
    settings: Settings
    database: Database
    policy: Policy
    policy_text: str
    identity_key: bytes

    @property
    def model_folder(self) -> Path:
        """Where the champion lies."""
        return self.folder / "model"

    @property
    def currency(self) -> str | None:
        """The currency of sums; null: any."""
        return self.settings.currency or self.policy.costs.currency

    @property
    def pseudonym(self) -> Callable[[str, str], str]:
        """Hashes a raw identifier of an entity type with this installation's key."""
        return lambda kind, raw: pseudonym(self.identity_key, kind, raw)


def open_home(folder: Path, settings: Settings) -> Home:
    """The installation in that folder. PolicyError, ContractError, SourceUnavailableError: what must be put right before it can start."""
    try:
        (folder / "evidence").mkdir(parents=True, exist_ok=True)
        policy_path = folder / POLICY_FILE
        if not policy_path.exists():
            policy_path.write_text(policy_file.default_text(), encoding="utf-8")
        identity_key = settings.identity_key.encode() or _identity_key(folder / "identity.key")
    except OSError as error:
        message = f"{folder} cannot be used as home: {error}; expected a folder that this user may write to"
        raise ContractError(message, field="home") from error
    policy = load(policy_path)
    url, patience = settings.database_url, settings.busy_timeout_ms
    database = open_database(url, patience) if url else open_sqlite(folder / "risk.db", patience)
    return Home(folder, settings, database, policy, policy_path.read_text(encoding="utf-8"), identity_key)


def load_champion(home: Home) -> Scorer | None:
    """The model in the home, null while there is none. ModelMismatchError: it does not fit this code."""
    try:
        return Scorer(load_model(home.model_folder))
    except NotFoundError:
        return None


def key_hash(key: str) -> str:
    """What is stored of an API key. A plain hash will do: the key is 256 random bits, nothing that could be guessed."""
    return hashlib.sha256(key.encode()).hexdigest()


def valid_keys(database: Database) -> frozenset[str]:
    """The hashes of all keys that were not revoked."""
    table = tables.api_keys.c
    with database.reading() as connection:
        return frozenset(connection.execute(select(table.key_sha256).where(table.revoked_us.is_(None))).scalars())


def make_key(database: Database, name: str) -> str:
    """A new API key; this is the only time that it can be read."""
    key = f"rr_{secrets.token_urlsafe(KEY_BYTES)}"
    with database.writing() as connection:
        connection.execute(insert(tables.api_keys), {"key_sha256": key_hash(key), "name": name, "made_us": micros(clock.now())})
    return key


def first_key(database: Database) -> str | None:
    """The API key of an installation that has none yet, made now and never shown again; null when there are keys."""
    with database.reading() as connection:
        there = connection.execute(select(tables.api_keys.c.key_sha256).limit(1)).first()
    return make_key(database, "first") if there is None else None


def _identity_key(path: Path) -> bytes:
    """The secret in that file, made at the first start; never made anew beside a database that was filled with another."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(KEY_BYTES), encoding="ascii")
    key = path.read_text(encoding="ascii").strip().encode()
    if len(key) < KEY_BYTES:
        message = (
            f"{path} holds {len(key)} characters, expected at least {KEY_BYTES}; restore it from a backup, identifiers hash differently without it"
        )
        raise ContractError(message, field="identity_key")
    return key
