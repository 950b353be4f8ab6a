"""Loading only what the service uses of LightGBM."""

import sys

BESIDES = ("sklearn", "pandas", "dask")


def load_lightgbm() -> None:
    """Import LightGBM without the packages that it looks for to offer more: the service asks it for scores of plain arrays.

    Together they take a second and 80 MB. Whoever imports one of them afterwards gets it as usual.
    """
    hidden = [name for name in BESIDES if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # null is how Python is told that a module cannot be imported
    try:
        import lightgbm  # noqa: F401  # for its effect
    finally:
        for name in hidden:
            del sys.modules[name]
