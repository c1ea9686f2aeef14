"""Films that stand in for a camera: there is none on a machine that runs tests."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from emorec.media.video import Video
from emorec.media.video_writer import VideoWriter
from testkit import portraits

FPS = 10


def write(path: Path, seconds: float) -> Path:
    """Write a film of four faces that move to the right."""
    image = portraits.room(2, 2, 90, (480, 480)).image_bgr
    with VideoWriter(path) as writer:
        for number in range(round(seconds * FPS)):
            writer.write(np.roll(image, number, axis=1), number / FPS)
    return path


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second and a half."""
    return write(tmp_path_factory.mktemp("film") / "four.mp4", 1.5)


@pytest.fixture(scope="session")
def long_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a minute: longer than any test watches it."""
    return write(tmp_path_factory.mktemp("film") / "long.mp4", 30)


@pytest.fixture(scope="session")
def network_film(film: Path) -> Path:
    """The film in a form that can be read without an end, as a network stream is."""
    path = film.with_name("four.ts")
    with Video(film) as video, av.open(str(path), "w", format="mpegts") as container:
        stream = container.add_stream("mpeg2video", rate=25, width=480, height=480)
        for image_bgr, _ in video.frames():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image_bgr, "bgr24")))
        container.mux(stream.encode())
    return path
