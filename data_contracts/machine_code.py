"""Compiled functions that are kept on disk, and never run stale: what is kept is dropped when anything that it was made from has changed.

numba keeps the machine code of a function until the function's own file changes. But functions that it calls and constants that it reads are built
into it, and those may stand in another file: after an upgrade the old code would go on running. So here the stamp of what is kept covers the modules
of all compiled functions that a module has imported, and theirs, and every constant.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba
import numpy as np
from numba.core.caching import InTreeCacheLocator, UserProvidedCacheLocator, UserWideCacheLocator
from numba.core.dispatcher import Dispatcher
from numba.core.event import Event, Listener, install_listener
from numba.core.extending import _Intrinsic

P = ParamSpec("P")
R = TypeVar("R")

PLAIN = (int, float, str, np.generic)
"""The types of constants that machine code may hold, alone or in a tuple."""


def stamp(names: Mapping[str, Any], seen: frozenset[str] = frozenset()) -> bytes:
    """What the compiled functions of a module are made from, as a hash; `names` are the module's, and `seen` the modules that led to it."""
    module = str(names["__name__"])
    found = sha256(Path(str(names["__file__"])).read_bytes())
    called = {value.py_func.__module__ for value in names.values() if isinstance(value, Dispatcher)}
    called |= {value.__module__ for value in names.values() if isinstance(value, _Intrinsic)}
    called -= {module, *seen}
    for name in sorted(called):
        found.update(stamp(vars(sys.modules[name]), seen | {module}))
    for name, value in sorted(names.items(), key=lambda pair: pair[0]):
        if name.isupper() and all(isinstance(each, PLAIN) for each in (value if isinstance(value, tuple) else (value,))):
            found.update(f"{name}={value!r};".encode())
    return found.digest()


@contextmanager
def compiling_told(tell: Callable[[], None]) -> Iterator[None]:
    """Call `tell` before the first function inside that must be compiled, because no code of it is kept; never where all is kept."""
    with install_listener("numba:compile", _Teller(tell)):
        yield


class _Teller(Listener):
    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell: Callable[[], None] | None = tell

    def on_start(self, _event: Event) -> None:
        """Something is about to be compiled."""
        tell, self._tell = self._tell, None
        if tell is not None:
            tell()

    def on_end(self, _event: Event) -> None:
        """It was."""


class _Stamped:
    """A place for machine code, with our stamp in place of that of one file."""

    def __init__(self, function: Any, file: str) -> None:  # noqa: ANN401  # the function as it was written
        super().__init__(function, file)  # type: ignore[call-arg]  # the other parent's
        self._stamp = stamp(function.__globals__)

    def get_source_stamp(self) -> bytes:
        """Kept code with another stamp is not used."""
        return self._stamp


class Provided(_Stamped, UserProvidedCacheLocator):
    """The folder that NUMBA_CACHE_DIR names."""


class InTree(_Stamped, InTreeCacheLocator):
    """Beside the source."""


class UserWide(_Stamped, UserWideCacheLocator):
    """In the user's own cache, where the source may not be written to."""


setattr(numba.config, "CACHE_LOCATOR_CLASSES", ",".join(f"{__name__}.{place.__name__}" for place in (Provided, InTree, UserWide)))  # noqa: B010  # it has no type

njit = numba.njit
"""numba's own, whose `cache=True` keeps code as told above. Compiled functions that are kept must come from here."""


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function as machine code, kept on disk between runs; types stay as written."""
    return cast("Callable[P, R]", njit(cache=True, nogil=True)(function))


def in_place(function: Callable[P, R]) -> Callable[P, R]:
    """As `compiled`, for a function that makes no arrays: nobody counts who holds those that it is given, which would take half of the time."""
    return cast("Callable[P, R]", njit(cache=True, nogil=True, _nrt=False)(function))  # type: ignore[call-overload]  # an option without a type
