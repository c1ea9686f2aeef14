from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emorec.media.video_writer import VideoWriter
from testkit import portraits

FPS = 10


@pytest.fixture(scope="session")
def two_people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people who move to the right for 1.2 seconds."""
    path = tmp_path_factory.mktemp("film") / "two.mp4"
    image = portraits.room(2, 1, 90, (480, 360)).image_bgr
    with VideoWriter(path) as writer:
        for number in range(12):
            writer.write(np.roll(image, number * 3, axis=1), number / FPS)
    return path


@pytest.fixture(scope="session")
def long_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people for a minute."""
    path = tmp_path_factory.mktemp("film") / "long.mp4"
    image = portraits.room(2, 1, 90, (480, 360)).image_bgr
    with VideoWriter(path) as writer:
        for number in range(60 * FPS):
            writer.write(image, number / FPS)
    return path
