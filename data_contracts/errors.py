"""The one error tree. A message says what was got, what was expected and what to do next."""


class RiskError(Exception):
    """Base of every error that we raise on purpose.

    `status` is the HTTP status of the API, `exit_code` that of the command line, `code` the stable id in the error body.
    """

    status = 500
    exit_code = 1
    code = "INTERNAL"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class ContractError(RiskError):
    """The caller sent something that the contract does not allow."""

    status = 422
    exit_code = 2
    code = "CONTRACT"


class ConflictError(RiskError):
    """The same identity arrived before with another content."""

    status = 409
    exit_code = 2
    code = "CONFLICT"


class NotFoundError(RiskError):
    """Nothing is stored under that id."""

    status = 404
    exit_code = 2
    code = "NOT_FOUND"


class NotAllowedError(RiskError):
    """The caller did not show a key that opens anything."""

    status = 401
    exit_code = 2
    code = "NOT_ALLOWED"


class ScopeError(RiskError):
    """The caller's key is not for this."""

    status = 403
    exit_code = 2
    code = "SCOPE"


class PurgedError(RiskError):
    """It was here, and was deleted when its time was over."""

    status = 410
    exit_code = 2
    code = "PURGED"


class BusyError(RiskError):
    """More was asked for than may wait; ask again after `retry_after_s`."""

    status = 429
    exit_code = 3
    code = "BUSY"

    def __init__(self, message: str, *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class SourceUnavailableError(RiskError):
    """A dependency did not answer; `gather` turns it into a missing source and a degraded flag.

    The message is for operators and may name hosts and folders; callers of the API are told `outside`.
    """

    status = 503
    exit_code = 3
    code = "SOURCE_UNAVAILABLE"

    def __init__(
        self, message: str, *, field: str | None = None, outside: str = "a part of the service does not answer; send the same again"
    ) -> None:
        super().__init__(message, field=field)
        self.outside = outside


class ModelMismatchError(RiskError):
    """The model on disk and the code do not fit; the service refuses to start."""

    status = 503
    exit_code = 2
    code = "MODEL_MISMATCH"


class PolicyError(RiskError):
    """The policy file contradicts itself or names what does not exist; the service refuses to start."""

    status = 503
    exit_code = 2
    code = "POLICY"
