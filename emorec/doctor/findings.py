"""Checks the installed packages, the model files, the settings and the network."""

from __future__ import annotations

import importlib.util
import platform
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from emorec.deployment import ICE, Deployment, problems
from emorec.doctor.finding import Finding
from emorec.doctor.network import network_findings
from emorec.errors import EmorecError, ModelError
from emorec.model.store import load
from emorec.paths import BLAZEFACE, CASCADE, FACE_CHECK, MODELS, NO_HOME, has_home
from emorec.pipeline.blazeface import BlazeFaceDetector
from emorec.pipeline.detect import shortcoming
from emorec.pipeline.haar import HaarDetector
from emorec.settings import DETECTORS

_PACKAGES = ("numpy", "opencv-python-headless", "ai-edge-litert", "streamlit", "streamlit-webrtc")
_CAMERA = "camera: browsers give it to https:// pages and to http://localhost only"


def findings() -> Iterator[Finding]:
    """Make all checks and yield a finding for each; a failed check does not stop the others."""
    yield Finding("ok", f"python {platform.python_version()} on {platform.platform()}")
    yield from (_package(name) for name in _PACKAGES)
    yield _file(CASCADE, HaarDetector)
    missing = shortcoming(DETECTORS[0])
    yield Finding("note", missing) if missing else _file(BLAZEFACE, BlazeFaceDetector)
    yield from _models()
    if not has_home():
        yield Finding("FAIL", NO_HOME)
    yield from (Finding("FAIL", line) for line in problems())
    yield Finding("note", _CAMERA)
    try:
        deployment = Deployment.from_env(only=ICE)
    except EmorecError:  # a line above says which variable is wrong
        return
    yield from network_findings(deployment)


def _package(name: str) -> Finding:
    try:
        return Finding("ok", f"{name} {version(name)}")
    except PackageNotFoundError:
        return Finding("FAIL", f"{name}: not installed")


def _file(path: Path, read: Callable[[Path], object]) -> Finding:
    try:
        read(path)
    except ModelError as error:
        return Finding("FAIL", str(error))
    return Finding("ok", path.name)


def _models() -> Iterator[Finding]:
    light = sorted(path for path in MODELS.glob("*.tflite") if path not in (BLAZEFACE, FACE_CHECK))
    if not light:
        yield Finding("FAIL", f"{MODELS}: no model there")
    yield from (_file(path, load) for path in light)
    keras = importlib.util.find_spec("keras") is not None
    for path in sorted(MODELS.glob("*.keras")):
        if keras:
            yield _file(path, load)
        else:
            yield Finding("note", f"{path.name}: not checked, as Keras is not installed")
