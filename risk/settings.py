"""Every setting, read once from the environment into a frozen object; tests build one, nothing patches one."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

from data_contracts.errors import ContractError

PREFIX = "REFUND_RISK_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the service can be told. Each value comes from REFUND_RISK_<NAME>, or from the file that REFUND_RISK_<NAME>_FILE names.

    The comment is the reason for the default.
    """

    database_url: str = ""
    """SQLAlchemy address of the store; empty: SQLite in HOME, which needs no server."""

    identity_key: str = ""
    """Secret for keyed hashes of personal identifiers; empty: HOME/identity.key, made at the first start. Losing it cuts every link to history."""

    currency: str = ""
    """ISO 4217 code in which money is summed; empty: the policy's, else whatever comes. Amounts in another currency count as not known."""

    body_limit_bytes: int = 262_144
    """Largest JSON body: a request of 64 order lines with 64 counts each stays below 256 KiB; anything larger is no refund request."""

    calls_per_second: int = 2_000
    """Calls a second of one API key in one worker, with bursts of twice as many; twice what one worker answers, so it stops loops, not callers."""

    clock_skew_s: int = 300
    """How far in the future a caller's `occurred_at` may lie: five minutes is what unsynchronised machines drift apart."""

    busy_timeout_ms: int = 5_000
    """How long a write waits for another process's write to SQLite before it fails."""

    redis_url: str = ""
    """Where the newest slow features lie (`redis://HOST:PORT/NUMBER`, a number of its own); empty: a file in HOME, enough for one machine."""

    redis_timeout_ms: int = 50
    """How long a decision waits for Redis before it goes on without slow features: a hundred times what Redis takes, half of what callers notice."""

    evidence_url: str = ""
    """Where evidence files lie, a folder or what fsspec understands (`s3://bucket/evidence`); empty: HOME/evidence, which needs no server."""

    s3_endpoint: str = ""
    """Address of an S3-style store that is not Amazon's (`https://minio.example:9000`), for an evidence address that begins with s3://."""

    s3_region: str = ""
    """Region of the S3-style store; empty: as Amazon's own tools find it, which most other stores do not mind."""

    s3_access_key: str = ""
    """Name of the key to the S3-style store; empty: as Amazon's own tools find it (environment, role of the machine)."""

    s3_secret_key: str = ""
    """Secret of the key to the S3-style store; empty: as for the name."""

    evidence_limit_bytes: int = 64 << 20
    """Largest file: the image sandbox opens at most 64 MiB, a minute of a phone's video has about 60."""

    evidence_workers: int = 1
    """Processes that look at files: one a core beyond the one that decides; each holds the image models, about half a gigabyte."""

    evidence_queue_files: int = 64
    """Files that may wait to be looked at before callers are asked to come back: half a minute's work of one worker."""

    evidence_wait_ms: int = 3_000
    """How long a question waits for looks at its evidence that are under way; a look takes a quarter of a second, a child's start some seconds."""

    check_workers: int = 1
    """Processes that check pictures for people (`/v1/images/check`), started at the first call; each holds the models, about half a gigabyte."""

    retention_days: int = 540
    """How long evidence files and claim texts are kept since they were last sent or shown: card disputes are open for at most 540 days."""

    phone_region: str = ""
    """ISO 3166 code of the country in which telephone numbers without country code are dialled; empty: such a number is taken word by word."""

    log_level: str = "info"
    """debug, info, warning or error."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings that this environment asks for: by name, or by NAME_FILE the file that holds the value, which is how secrets come.

    ContractError: no whole number where one is due, a file that cannot be read, or both ways at once.
    """
    chosen: dict[str, str | int] = {}
    for field in fields(Settings):
        name = f"{PREFIX}{field.name.upper()}"
        text = _said(name, environment)
        if text is None:
            continue
        if field.type is int or field.type == "int":
            if not text.isascii() or not text.isdigit():
                message = f"{name} is {text!r}, expected a whole number of {field.name.rsplit('_', 1)[-1]}"
                raise ContractError(message, field=name)
            chosen[field.name] = int(text)
        else:
            chosen[field.name] = text
    return Settings(**chosen)  # type: ignore[arg-type]  # each value has the type of its field: checked above


def _said(name: str, environment: Mapping[str, str]) -> str | None:
    """The value of that name, perhaps out of a file; null: it was not said."""
    text, file = environment.get(name), environment.get(f"{name}_FILE")
    if file is None:
        return text
    if text is not None:
        message = f"{name} and {name}_FILE are both set; expected one of them"
        raise ContractError(message, field=name)
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{name}_FILE is {file}, which cannot be read: {error}; expected a text file that this user may read"
        raise ContractError(message, field=name) from error


def shared_out(settings: Settings, workers: int) -> Settings:
    """The settings of one of that many workers: processes that look at pictures are for all together, at least one each."""
    return replace(
        settings,
        evidence_workers=max(1, settings.evidence_workers // workers),
        check_workers=max(1, settings.check_workers // workers),
    )
