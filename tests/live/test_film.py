"""A film in place of a camera: its frames come at its own rate, again and again, until the end."""

from __future__ import annotations

import time
from itertools import pairwise

import av
import numpy as np
import pytest

from emorec.live.film import Film
from emorec.media.video import Video
from emorec.pages.live.example import FILM
from testkit.example import MOST_BYTES


def play(file, frames: int, timeout_s: float = 30.0) -> list[tuple[float, av.VideoFrame]]:
    """So many frames of a film, each with the time at which it came."""
    came: list[tuple[float, av.VideoFrame]] = []
    film = Film(file, lambda frame: came.append((time.monotonic(), frame)))
    film.start()
    deadline = time.monotonic() + timeout_s
    while len(came) < frames and time.monotonic() < deadline:
        time.sleep(0.02)
    film.stop()
    film._thread.join(10)
    assert not film._thread.is_alive()
    return came


def test_a_film_begins_again_and_its_time_stamps_go_on(tmp_path) -> None:
    short = tmp_path / "short.mp4"
    with av.open(str(short), "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for level in range(6):
            image = np.full((48, 64, 3), 40 * level, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        out.mux(stream.encode())
    came = play(short, 15)
    times = [frame.time for _, frame in came]
    steps = [after - before for before, after in pairwise(times)]
    assert len(times) >= 15 and steps == pytest.approx([1 / 30] * len(steps), abs=0.002)
    arrived_s = came[-1][0] - came[0][0]
    assert arrived_s >= times[-1] - times[0] - 0.1, "no frame comes before it is due"


def test_the_example_is_small_short_and_stays_within_the_limits() -> None:
    assert FILM.stat().st_size <= MOST_BYTES
    with Video(FILM) as video:
        assert video.duration_s == pytest.approx(30.0, abs=0.1) and video.fps == 20
        image_bgr, _ = next(iter(video.frames()))
    assert image_bgr.shape == (540, 960, 3)


def test_a_film_that_is_missing_is_told_in_the_log(tmp_path, caplog) -> None:
    assert play(tmp_path / "none.mp4", 1, timeout_s=1.0) == []
    assert "none.mp4" in caplog.text
