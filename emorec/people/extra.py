"""The packages of the extra ``people``, which names for faces need, and how to install them."""

from __future__ import annotations

from importlib.util import find_spec

from emorec.errors import EmorecError
from emorec.extras import install

INSTALL = install("people")

_PACKAGES = (
    "cryptography",
    "dlib",
    "face_recognition_models",
    "psycopg",
)


def missing() -> list[str]:
    """Return the import names of the packages that are not installed."""
    return [name for name in _PACKAGES if find_spec(name) is None]


def require() -> None:
    """Check that all packages are installed.

    Raises:
        EmorecError: one is missing; the line says how to install it.
    """
    if lacking := missing():
        raise EmorecError(
            f"names for faces are an extra that is not installed: run {INSTALL}"
            f" (missing: {', '.join(lacking)})."
        )
