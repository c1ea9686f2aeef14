"""The packages of the extra ``batch``, and how to install them."""

from __future__ import annotations

from importlib.util import find_spec

from emorec.errors import EmorecError
from emorec.extras import install

INSTALL = install("batch")


def require() -> None:
    """Check that Dask is installed.

    Raises:
        EmorecError: it is missing; the line says how to install it.
    """
    missing = [name for name in ("dask", "distributed") if find_spec(name) is None]
    if missing:
        raise EmorecError(
            f"analyze: needs packages that are not installed: run {INSTALL}"
            f" (missing: {', '.join(missing)})."
        )
