from __future__ import annotations

from pathlib import Path

import pytest

from testkit.film import write_film


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the camera of a visitor without a browser sends."""
    return write_film(tmp_path_factory.mktemp("camera") / "film.ivf")
