"""What the pages' tests share: quick runs, and a folder of two models."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from streamlit import config
from streamlit.components.v2 import manifest_scanner

from emorec.model import contract
from emorec.pages.parts import report
from emorec.pages.parts.deployment import deployment
from emorec.paths import APP, MODELS

FILES = ("elu_cnn.json", "elu_cnn.tflite")


@pytest.fixture(autouse=True, scope="session")
def components_looked_for_once() -> Iterator[None]:
    """Each run of a page under test reads what every installed package says of itself: a second."""
    with pytest.MonkeyPatch.context() as patch:
        once = cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", once)
        yield


@pytest.fixture(autouse=True, scope="session")
def the_apps_own_configuration() -> None:
    """Streamlit reads it once a process, from the folder where the first test needs it.

    Without it, Streamlit collects all garbage after every run of a page: half a second where
    TensorFlow is loaded.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(APP.parent)
        config.get_config_options(force_reparse=True)
    assert not config.get_option("runner.postScriptGC")


@pytest.fixture(autouse=True)
def environment_read_once_a_test() -> Iterator[None]:
    """A server reads its environment once; here every test has its own."""
    deployment.cache_clear()
    yield
    deployment.cache_clear()


@pytest.fixture
def charts_loaded() -> None:
    """A report draws its charts in a later run, where what draws them is not loaded yet."""
    report.loading().join()


@pytest.fixture
def two_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The shipped model, and the same weights as ``other`` with a threshold that nothing passes."""
    for name in FILES:
        shutil.copy(MODELS / name, tmp_path)
    shutil.copy(MODELS / "elu_cnn.tflite", tmp_path / "other.tflite")
    own = contract.read(MODELS / "elu_cnn.json")
    files = {kind: {**file, "file": f"other.{kind}"} for kind, file in own.files.items()}
    other = replace(own, name="other", network="relu", files=files, unsure_below=1.0)
    contract.write(other, tmp_path / "other.json")
    monkeypatch.setattr("emorec.model.store.MODELS", tmp_path)
    return tmp_path
