"""Every setting, read once from the environment into a frozen object; tests build one, nothing patches one."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from data_contracts.errors import ContractError

PREFIX = "REFUND_RISK_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the service can be told. Each value comes from REFUND_RISK_<NAME>; the comment is the reason for the default."""

    database_url: str = ""
    """SQLAlchemy address of the store; empty: SQLite in HOME, which needs no server."""

    identity_key: str = ""
    """Secret for keyed hashes of personal identifiers; empty: HOME/identity.key, made at the first start. Losing it cuts every link to history."""

    currency: str = ""
    """ISO 4217 code in which money is summed; empty: the policy's, else whatever comes. Amounts in another currency count as not known."""

    body_limit_bytes: int = 262_144
    """Largest JSON body: a request of 64 order lines with 64 counts each stays below 256 KiB; anything larger is no refund request."""

    clock_skew_s: int = 300
    """How far in the future a caller's `occurred_at` may lie: five minutes is what unsynchronised machines drift apart."""

    busy_timeout_ms: int = 5_000
    """How long a write waits for another process's write to SQLite before it fails."""

    log_level: str = "info"
    """debug, info, warning or error."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings that this environment asks for. ContractError: no whole number where one is due."""
    known = {f"{PREFIX}{field.name.upper()}": field for field in fields(Settings)}
    chosen: dict[str, str | int] = {}
    for name, field in known.items():
        text = environment.get(name)
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
