"""Paths of the files that are no modules of the package: models, face cascade, ``app.py``."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_BUNDLED = _PACKAGE / "_data"

ROOT = _BUNDLED if _BUNDLED.is_dir() else _PACKAGE.parent
"""Folder of the files below: inside the package if installed, else the root of the checkout."""

MODELS = ROOT / "models"
CASCADE = ROOT / "haarcascade_frontalface_default.xml"
BLAZEFACE = MODELS / "face_detection_short_range.tflite"
FACE_CHECK = MODELS / "face_check.tflite"
APP = ROOT / "app.py"

NO_HOME = (
    "this user has no home folder, and Streamlit does not start without one: set HOME to a folder,"
    " as in HOME=/tmp."
)
"""The error line for a user without a home folder (`has_home` returns False)."""


def has_home() -> bool:
    """Return whether this user has a home folder; in services and containers there may be none."""
    try:
        Path.home()
    except RuntimeError:
        return False
    return True
