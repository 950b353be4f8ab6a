"""What was learned of shared things, for the service: one small file in the feature store's folder, read again when it was replaced."""

import os
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from data_contracts.discount import Discount
from data_contracts.errors import SourceUnavailableError

SETTLED = timedelta(minutes=10)
"""So long after a month has begun everything that was known before it is in the store, also what was being written at its first moment."""

_DISCOUNTS = TypeAdapter(tuple[Discount, ...])


class StoredDiscounts:
    """The tables kept under a folder of the service's home."""

    def __init__(self, home: Path) -> None:
        self._file = home.absolute() / "feature_store" / "discounts.json"
        self._read: tuple[tuple[int, int], tuple[Discount, ...]] | None = None

    def keep(self, discounts: Iterable[Discount]) -> int:
        """Add tables, each in place of one of the same moment; how many there are. SourceUnavailableError: the file cannot be read or written."""
        found = {each.at: each for each in (*self.all(), *discounts)}
        aside = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            try:
                aside.write_bytes(_DISCOUNTS.dump_json(tuple(found[at] for at in sorted(found))))
                aside.replace(self._file)
            finally:
                aside.unlink(missing_ok=True)
        except OSError as error:
            message = f"{self._file} cannot be written ({error.strerror or error}); expected a folder with room that you may write to"
            raise SourceUnavailableError(message) from error
        return len(found)

    def all(self) -> tuple[Discount, ...]:
        """All tables, by moment. SourceUnavailableError: the file is damaged or cannot be read."""
        try:
            found = self._file.stat()
            state = (found.st_ino, found.st_mtime_ns)
            if self._read is None or self._read[0] != state:
                self._read = (state, _DISCOUNTS.validate_json(self._file.read_bytes()))
        except FileNotFoundError:
            return ()
        except (OSError, ValidationError) as error:
            message = f"{self._file} cannot be read ({type(error).__name__}); remove it, and the next `refund-risk home-rings` makes it again"
            raise SourceUnavailableError(message) from error
        return self._read[1]
