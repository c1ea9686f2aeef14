"""Where the files that are no code lie: the models, the face cascade, the page's router."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_BUNDLED = _PACKAGE / "_data"

ROOT = _BUNDLED if _BUNDLED.is_dir() else _PACKAGE.parent
"""Folder of the three below: inside an installed wheel, else the root of the checkout."""

MODELS = ROOT / "models"
CASCADE = ROOT / "haarcascade_frontalface_default.xml"
BLAZEFACE = MODELS / "face_detection_short_range.tflite"
FACE_CHECK = MODELS / "face_check.tflite"
APP = ROOT / "app.py"

NO_HOME = (
    "this user has no home folder, and Streamlit does not start without one: set HOME to a folder,"
    " as in HOME=/tmp."
)
"""What to do where `has_home` says no."""


def has_home() -> bool:
    """Return whether this user has a home folder: a service's or a container's may have none."""
    try:
        Path.home()
    except RuntimeError:
        return False
    return True
