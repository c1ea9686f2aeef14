"""What names for faces need beyond EmoRec itself, and how it is installed."""

from __future__ import annotations

from importlib.util import find_spec

from emorec.errors import EmorecError

INSTALL = 'pip install "emorec[people]"'

_PACKAGES = (
    "alembic",
    "cryptography",
    "dlib",
    "face_recognition_models",
    "psycopg",
    "sqlalchemy",
)


def missing() -> list[str]:
    """Return the packages that are not installed, by the names they are imported under."""
    return [name for name in _PACKAGES if find_spec(name) is None]


def require() -> None:
    """Pass where all is installed.

    Raises:
        EmorecError: something is missing; says what installs it.
    """
    if lacking := missing():
        raise EmorecError(
            f"names for faces are an extra that is not installed: run {INSTALL}"
            f" (missing: {', '.join(lacking)})."
        )
